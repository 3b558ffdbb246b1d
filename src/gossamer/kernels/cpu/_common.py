"""Helpers of the wrappers of the native kernels: codes, allocation and broadcast plans."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

# torch first: the core uses the OpenMP runtime that torch has loaded.
from gossamer import _core as core

__all__ = [
    "DTYPES", "FLOATS", "IDS", "OPS", "REDUCES", "SCORES", "Plan", "address", "broadcast", "core",
    "empty", "is_large", "scratch", "zeros",
]  # fmt: skip

# Dtypes that kernels over features and over ids are compiled for.
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
IDS = (torch.int32, torch.int64)

# Codes of csrc/core/types.h.
DTYPES = {torch.float32: 0, torch.float64: 1, torch.float16: 2, torch.bfloat16: 3}
OPS = {"copy_lhs": 0, "copy_rhs": 1, "add": 2, "sub": 3, "mul": 4, "div": 5, "dot": 6}
REDUCES = {"sum": 0, "mean": 1, "max": 2, "min": 3}
SCORES = {"add": 0, "dot": 1, "add_dot": 2}

# DLPack's kind and width of a dtype.
_DLPACK = {
    torch.float32: (2, 32),
    torch.float64: (2, 64),
    torch.float16: (2, 16),
    torch.bfloat16: (4, 16),
    torch.int32: (0, 32),
    torch.int64: (0, 64),
}

# The C library reuses memory below this size (in bytes) and maps new pages above it: see
# csrc/memory.cpp.
_LARGE = 3 << 20
# Scratch memory of a call need not be packed as tightly as results, of which there may be many.
_LARGE_SCRATCH = 512 << 10


def is_large(size: int, dtype: torch.dtype, limit: int | None = None) -> bool:
    """Whether a result of `size` elements is allocated from the pool of recycled memory."""
    return size * dtype.itemsize > (limit or _LARGE) and dtype in _DLPACK


def empty(shape: tuple[int, ...], dtype: torch.dtype, limit: int | None = None) -> Tensor:
    """Allocate memory that a kernel must fill; the tests replace this to poison it."""
    # Computed from the shape, because a tracer may not know a tensor's number of elements.
    if is_large(prod(shape), dtype, limit):
        capsule = core.allocate(shape, *_DLPACK[dtype])
        if capsule is not None:
            return from_dlpack(capsule)
    # Explicit, because the default device may be another.
    return torch.empty(shape, dtype=dtype, device="cpu")


def scratch(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Allocate memory that is freed when the operator returns.

    The C library unmaps a MiB freed at the end of its heap, so each call would map it again.
    """
    return empty(shape, dtype, _LARGE_SCRATCH)


def zeros(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Allocate zeroed memory, to which a kernel adds."""
    if is_large(prod(shape), dtype):
        return empty(shape, dtype).zero_()
    return torch.zeros(shape, dtype=dtype, device="cpu")


def address(x: Tensor | None) -> int:
    """Return the address of a tensor's first element, 0 for None."""
    return 0 if x is None else x.data_ptr()


class Plan(NamedTuple):
    """How two operands are combined over a broadcast feature space.

    The output is `outer` blocks of `inner` contiguous values. In each operand a block starts at an
    offset and is either contiguous (step 1) or one repeated value (step 0).
    """

    shape: tuple[int, ...]  # features of the output
    lhs_width: int
    rhs_width: int
    outer: int
    inner: int
    lhs_offsets: int  # addresses
    rhs_offsets: int
    lhs_step: int
    rhs_step: int
    offsets: Tensor  # keeps the addresses alive


@lru_cache(maxsize=4096)
def broadcast(lhs: torch.Size | None, rhs: torch.Size | None, dot: bool = False) -> Plan:
    """Plan a kernel over the feature shapes of two operands; None for an operand that is absent."""
    if lhs is None or rhs is None:
        shape = tuple(rhs if lhs is None else lhs)
        width = prod(shape)
        return _plan(shape, width, width, [], (width, 1, 1))
    if dot:
        # The last dimension is summed over; the other dimensions determine the blocks.
        length = max(lhs[-1], rhs[-1]) if 0 not in (lhs[-1], rhs[-1]) else 0
        dims = _collapse(lhs[:-1], rhs[:-1], lhs[-1], rhs[-1])
        inner = (length, int(lhs[-1] == length), int(rhs[-1] == length))
        shape = (*torch.broadcast_shapes(lhs[:-1], rhs[:-1]), 1)
        return _plan(shape, prod(lhs), prod(rhs), dims, inner)
    dims = _collapse(lhs, rhs, 1, 1)
    inner = dims.pop() if dims else (1, 1, 1)
    return _plan(tuple(torch.broadcast_shapes(lhs, rhs)), prod(lhs), prod(rhs), dims, inner)


def _collapse(
    lhs: tuple[int, ...], rhs: tuple[int, ...], lhs_stride: int, rhs_stride: int
) -> list[tuple[int, int, int]]:
    """Merge dimensions that both operands traverse equally: (size, lhs stride, rhs stride)."""
    dims: list[tuple[int, int, int]] = []
    for m, n in zip(reversed(lhs), reversed(rhs), strict=True):
        size = n if m == 1 else m
        left, right = (0 if m == 1 else lhs_stride), (0 if n == 1 else rhs_stride)
        lhs_stride, rhs_stride = lhs_stride * m, rhs_stride * n
        if size == 1:
            continue
        if dims:
            inner, inner_left, inner_right = dims[0]
            if left == inner_left * inner and right == inner_right * inner:
                dims[0] = (inner * size, inner_left, inner_right)
                continue
        dims.insert(0, (size, left, right))
    return dims


def _plan(
    shape: tuple[int, ...],
    lhs_width: int,
    rhs_width: int,
    dims: list[tuple[int, int, int]],
    inner: tuple[int, int, int],
) -> Plan:
    blocks = list(product(*(range(size) for size, _, _ in dims)))
    sides = [
        [sum(i * d[side] for i, d in zip(block, dims, strict=True)) for block in blocks]
        for side in (1, 2)
    ]
    offsets = torch.tensor(sides, dtype=torch.int64, device="cpu").view(2, -1)
    start = offsets.data_ptr()
    return Plan(
        shape=shape,
        lhs_width=lhs_width,
        rhs_width=rhs_width,
        outer=len(blocks),
        inner=inner[0],
        lhs_offsets=start,
        rhs_offsets=start + 8 * len(blocks),
        lhs_step=inner[1],
        rhs_step=inner[2],
        offsets=offsets,
    )
