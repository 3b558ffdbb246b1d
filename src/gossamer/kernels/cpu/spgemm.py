"""Product (optionally on a given pattern), sum and common entries of two sparse matrices."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import IDS, address, core
from gossamer.kernels.reference.spgemm import Compressed

__all__ = ["csr_match", "csr_product", "csr_sum", "masked_product"]

_VALUES = (torch.float32, torch.float64)


@kernel("csr_product", device="cpu", dtypes=_VALUES)
def csr_product(
    a_indptr: Tensor,
    a_indices: Tensor,
    x: Tensor,
    b_indptr: Tensor,
    b_indices: Tensor,
    y: Tensor,
    num_cols: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Multiply two matrices; see `gossamer.kernels.reference.csr_product`."""
    parts = a_indptr, a_indices, x, b_indptr, b_indices, y
    return _in_two_passes(core.csr_product, parts, num_cols, _work(a_indices, b_indptr, b_indices))


@kernel("csr_sum", device="cpu", dtypes=_VALUES)
def csr_sum(
    a_indptr: Tensor,
    a_indices: Tensor,
    x: Tensor,
    b_indptr: Tensor,
    b_indices: Tensor,
    y: Tensor,
    num_cols: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Add two matrices; see `gossamer.kernels.reference.csr_sum`."""
    parts = a_indptr, a_indices, x, b_indptr, b_indices, y
    most = a_indices.shape[0] + b_indices.shape[0]
    return _in_two_passes(core.csr_sum, parts, num_cols, most, most)


def _in_two_passes(
    kernel: Any, parts: tuple[Tensor, ...], num_cols: int, work: int, most: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Count the entries of each row, keeping up to `most` of them, then write them."""
    _, _, x, _, _, y = parts
    rows, feature = parts[0].shape[0] - 1, x.shape[1:]
    ids = _ids(parts, most)
    counts = _common.empty((rows,), torch.int64)
    packed = _common.scratch((most,), ids[0].dtype), _common.scratch((most, *feature), x.dtype)
    values = {"x": x.data_ptr(), "y": y.data_ptr(), "is_double": x.dtype is torch.float64}
    values |= {"cols": num_cols, "width": prod(feature), "work": work}
    values |= {"packed_indices": packed[0].data_ptr(), "packed": packed[1].data_ptr()}
    kernel(**_addresses(*ids), **values, counts=counts.data_ptr(), indptr=0, indices=0, out=0)
    total = int(counts.sum())
    ids = _ids(parts, max(most, total))
    indptr = torch.zeros(rows + 1, dtype=ids[0].dtype, device="cpu")
    torch.cumsum(counts, 0, dtype=indptr.dtype, out=indptr[1:])
    indices = _common.empty((total,), indptr.dtype)
    out = _common.empty((total, *feature), x.dtype)
    filled = {"indptr": indptr, "indices": indices, "out": out}
    filled = {name: t.data_ptr() for name, t in filled.items()}
    kernel(**_addresses(*ids), **values, counts=0, **filled)
    return indptr, indices, out


def _ids(parts: tuple[Tensor, ...], total: int) -> tuple[Tensor, ...]:
    """Return the ids of both matrices, as int64 if there are too many entries for int32."""
    ids = parts[0], parts[1], parts[3], parts[4]
    return ids if total < 2**31 - 1 else tuple(part.to(torch.int64) for part in ids)


@kernel("csr_match", device="cpu", dtypes=IDS)
def csr_match(
    a_indptr: Tensor, a_indices: Tensor, b_indptr: Tensor, b_indices: Tensor, num_cols: int
) -> Tensor:
    """Find common entries; see `gossamer.kernels.reference.csr_match`."""
    out = _common.empty(tuple(a_indices.shape), a_indices.dtype)
    core.csr_match(
        **_addresses(a_indptr, a_indices, b_indptr, b_indices),
        **dict.fromkeys(
            ("x", "y", "counts", "indptr", "indices", "packed_indices", "packed", "width"), 0
        ),
        out=out.data_ptr(),
        cols=num_cols,
        work=a_indices.shape[0] + b_indices.shape[0],
        is_double=False,
    )
    return out


def _addresses(
    a_indptr: Tensor, a_indices: Tensor, b_indptr: Tensor, b_indices: Tensor
) -> dict[str, Any]:
    return {
        "a_indptr": a_indptr.data_ptr(),
        "a_indices": a_indices.data_ptr(),
        "b_indptr": b_indptr.data_ptr(),
        "b_indices": b_indices.data_ptr(),
        "rows": a_indptr.shape[0] - 1,
        "wide": a_indptr.dtype is torch.int64,
        "threads": torch.get_num_threads(),
    }


@kernel("masked_product", device="cpu", dtypes=_VALUES)
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
    matrices = {
        f"{name}_{part}": address(tensor)
        for name, matrix in (("mask", mask), ("left", left), ("right", right))
        for part, tensor in zip(("indptr", "indices", "eids"), matrix, strict=True)
    }
    core.masked_product(
        **matrices,
        x=x.data_ptr(),
        y=y.data_ptr(),
        out=out.data_ptr(),
        rows=left[0].shape[0] - 1,
        width=num_cols if by_inner else num_inner,
        work=_work((left if by_inner else mask)[1], *right[:2]),
        wide=mask[0].dtype is torch.int64,
        is_double=x.dtype is torch.float64,
        by_inner=by_inner,
        threads=torch.get_num_threads(),
    )
    return out


def _work(indices: Tensor, right_indptr: Tensor, right_indices: Tensor) -> int:
    """Estimate the number of products from the mean length of the rows of the right matrix."""
    mean = right_indices.shape[0] // max(right_indptr.shape[0] - 1, 1)
    return indices.shape[0] * (1 + mean)


def _one_dtype(*matrices: Compressed) -> tuple[Compressed, ...]:
    """Return the matrices with indices of one dtype, int64 if one of them has it."""
    if all(matrix[0].dtype is torch.int32 for matrix in matrices):
        return matrices
    return tuple(
        tuple(None if t is None else t.to(torch.int64) for t in matrix) for matrix in matrices
    )
