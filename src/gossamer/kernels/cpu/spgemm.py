"""Sparse times sparse: the pattern of a product, and sums of products on a given pattern."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import IDS, address, core
from gossamer.kernels.reference.spgemm import Compressed

__all__ = ["csr_union", "masked_product", "spgemm_pattern"]


@kernel("spgemm_pattern", device="cpu", dtypes=IDS)
def spgemm_pattern(
    left_indptr: Tensor,
    left_indices: Tensor,
    right_indptr: Tensor,
    right_indices: Tensor,
    num_cols: int,
) -> tuple[Tensor, Tensor]:
    """Find the pattern of a product; see `gossamer.kernels.reference.spgemm_pattern`."""
    threads = torch.get_num_threads()
    pattern = core.ProductPattern(
        left_indptr=left_indptr.data_ptr(),
        left_indices=left_indices.data_ptr(),
        right_indptr=right_indptr.data_ptr(),
        right_indices=right_indices.data_ptr(),
        wide=left_indptr.dtype is torch.int64,
        rows=left_indptr.shape[0] - 1,
        cols=num_cols,
        work=_work(left_indices, right_indptr, right_indices),
        threads=threads,
    )
    total = pattern.total()
    wide = left_indptr.dtype is torch.int64 or total >= 2**31
    dtype = torch.int64 if wide else torch.int32
    indptr = torch.empty(left_indptr.shape[0], dtype=dtype, device="cpu")
    indices = _common.empty((total,), dtype)
    pattern.store(indptr.data_ptr(), indices.data_ptr(), wide, threads)
    return indptr, indices


@kernel("csr_union", device="cpu", dtypes=IDS)
def csr_union(
    a_indptr: Tensor,
    a_indices: Tensor,
    a_eids: Tensor | None,
    b_indptr: Tensor,
    b_indices: Tensor,
    b_eids: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Merge two patterns; see `gossamer.kernels.reference.csr_union`."""
    rows, dtype = a_indptr.shape[0] - 1, a_indptr.dtype
    counts = torch.empty(rows, dtype=torch.int64, device="cpu")
    call = core.Union()
    call.a_indptr, call.a_indices, call.a_eids = map(address, (a_indptr, a_indices, a_eids))
    call.b_indptr, call.b_indices, call.b_eids = map(address, (b_indptr, b_indices, b_eids))
    call.rows, call.work = rows, a_indices.shape[0] + b_indices.shape[0]
    call.wide, call.threads = dtype is torch.int64, torch.get_num_threads()
    call.counts = counts.data_ptr()
    call.indptr = call.indices = call.from_a = call.from_b = 0
    core.csr_union(call)
    indptr = torch.zeros(rows + 1, dtype=dtype, device="cpu")
    torch.cumsum(counts, 0, dtype=dtype, out=indptr[1:])
    indices = _common.empty((int(indptr[-1]),), dtype)
    from_a = _common.empty((a_indices.shape[0],), dtype)
    from_b = _common.empty((b_indices.shape[0],), dtype)
    call.counts, call.indptr, call.indices = 0, indptr.data_ptr(), indices.data_ptr()
    call.from_a, call.from_b = from_a.data_ptr(), from_b.data_ptr()
    core.csr_union(call)
    return indptr, indices, from_a, from_b


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
