"""Matrix products with one weight per group of rows."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import FLOATS, core

# Matrices larger than this (in bytes) do not stay in the cache while the core multiplies rows by
# them. Then `torch.mm`, which is blocked, is faster for segments of at least this many rows.
_LARGE_MATRIX, _LONG_SEGMENT = 128 << 10, 32


@kernel("segment_mm", device="cpu", dtypes=FLOATS)
def segment_mm(a: Tensor, b: Tensor, seglen: Tensor, out: Tensor | None = None) -> Tensor:
    """Multiply segments of rows by their matrix; see `gossamer.kernels.reference.segment_mm`.

    The core multiplies all segments in one parallel loop, which avoids synchronizing the threads
    after each segment.
    """
    a, b = a.detach().contiguous(), b.detach()
    count, rows, columns = b.shape
    if out is None:
        out = _common.empty((a.shape[0], columns), a.dtype)
    if out.numel() == 0:
        return out
    if rows * columns * a.element_size() > _LARGE_MATRIX and a.shape[0] >= _LONG_SEGMENT * count:
        lengths = seglen.tolist()
        for x, matrix, to in zip(a.split(lengths), b.unbind(), out.split(lengths), strict=True):
            torch.mm(x, matrix, out=to)
        return out
    if a.dtype in (torch.float16, torch.bfloat16):
        return out.copy_(segment_mm(a.float(), b.float(), seglen))
    lengths = seglen.long().contiguous()
    core.grouped_mm(
        a.data_ptr(),
        b.data_ptr(),
        lengths.data_ptr(),
        count,
        rows,
        columns,
        *b.stride(),
        a.dtype is torch.float64,
        out.data_ptr(),
        torch.get_num_threads(),
    )
    return out


@kernel("segment_outer", device="cpu", dtypes=FLOATS)
def segment_outer(a: Tensor, b: Tensor, seglen: Tensor) -> Tensor:
    """Multiply the transposes of segments; see `gossamer.kernels.reference.segment_outer`."""
    a, b, lengths = a.detach(), b.detach(), seglen.tolist()
    out = _common.empty((len(lengths), a.shape[1], b.shape[1]), a.dtype)
    for x, y, to in zip(a.split(lengths), b.split(lengths), out.unbind(), strict=True):
        torch.mm(x.t(), y, out=to)
    return out
