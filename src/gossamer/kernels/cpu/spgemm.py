"""Sparse times sparse: the pattern of a product, and sums of products on a given pattern."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import IDS, address, core
from gossamer.kernels.reference.spgemm import Compressed

__all__ = ["masked_product", "spgemm_pattern"]


@kernel("spgemm_pattern", device="cpu", dtypes=IDS)
def spgemm_pattern(
    left_indptr: Tensor,
    left_indices: Tensor,
    right_indptr: Tensor,
    right_indices: Tensor,
    num_cols: int,
) -> tuple[Tensor, Tensor]:
    """Find the pattern of a product; see `gossamer.kernels.reference.spgemm_pattern`."""
    parts = left_indptr, left_indices, right_indptr, right_indices
    num_rows, threads = left_indptr.shape[0] - 1, torch.get_num_threads()
    sizes = num_rows, num_cols, _work(left_indices, right_indptr, right_indices)
    counts = torch.empty(num_rows, dtype=torch.int64, device="cpu")

    def operands() -> tuple:
        return (*(part.data_ptr() for part in parts), parts[0].dtype is torch.int64, *sizes)

    total = core.spgemm_count(*operands(), counts.data_ptr(), threads)
    if total >= 2**31:
        parts = tuple(part.to(torch.int64) for part in parts)
    indptr = torch.zeros(num_rows + 1, dtype=parts[0].dtype, device="cpu")
    torch.cumsum(counts, 0, dtype=indptr.dtype, out=indptr[1:])
    indices = _common.empty((total,), indptr.dtype)
    core.spgemm_fill(*operands(), indptr.data_ptr(), indices.data_ptr(), threads)
    return indptr, indices


@kernel("masked_product", device="cpu", dtypes=(torch.float32, torch.float64))
def masked_product(
    mask: Compressed,
    left: Compressed,
    right: Compressed,
    x: Tensor,
    y: Tensor,
    num_inner: int,
    num_cols: int,
    by_inner: bool,
) -> Tensor:
    """Multiply on a pattern; see `gossamer.kernels.reference.masked_product`."""
    mask, left, right = _one_dtype(mask, left, right)
    out = _common.empty((mask[1].shape[0],), x.dtype)
    call = core.MaskedProduct()
    for name, matrix in (("mask", mask), ("left", left), ("right", right)):
        for part, tensor in zip(("indptr", "indices", "eids"), matrix, strict=True):
            setattr(call, f"{name}_{part}", address(tensor))
    call.x, call.y, call.out = x.data_ptr(), y.data_ptr(), out.data_ptr()
    call.rows, call.width = left[0].shape[0] - 1, num_cols if by_inner else num_inner
    call.work = _work((left if by_inner else mask)[1], *right[:2])
    call.wide, call.is_double = mask[0].dtype is torch.int64, x.dtype is torch.float64
    call.by_inner, call.threads = by_inner, torch.get_num_threads()
    core.masked_product(call)
    return out


def _work(indices: Tensor, right_indptr: Tensor, right_indices: Tensor) -> int:
    """Estimate the number of products from the mean length of the rows of the right matrix."""
    mean = right_indices.shape[0] // max(right_indptr.shape[0] - 1, 1)
    return indices.shape[0] * (1 + mean)


def _one_dtype(*matrices: Compressed) -> tuple[Compressed, ...]:
    """The matrices with indices of one dtype, int64 if one of them needs it."""
    if all(matrix[0].dtype is torch.int32 for matrix in matrices):
        return matrices
    return tuple(
        tuple(None if t is None else t.to(torch.int64) for t in matrix) for matrix in matrices
    )
