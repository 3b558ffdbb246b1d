"""Sparse times sparse: the pattern of a product, and sums of products on a given pattern."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference._common import row_of_slot
from gossamer.kernels.reference.csr import gather_rows

#: A compressed matrix ``(indptr, indices, eids)``; slot ``k`` holds value ``eids[k]``, or ``k``.
Compressed = tuple[Tensor, Tensor, Tensor | None]


@kernel("spgemm_pattern", operands=("left_indices",))
def spgemm_pattern(
    left_indptr: Tensor,
    left_indices: Tensor,
    right_indptr: Tensor,
    right_indices: Tensor,
    num_cols: int,
) -> tuple[Tensor, Tensor]:
    """Find the pattern of the product of two compressed matrices.

    Parameters
    ----------
    left_indptr, left_indices, right_indptr, right_indices : Tensor
        The rows of ``(I, K)`` and ``(K, J)`` matrices, all of one dtype.
    num_cols : int
        J.

    Returns
    -------
    indptr : Tensor
        ``(I + 1,)``.
    indices : Tensor
        The distinct columns of each row, in the order in which Gustavson's algorithm meets them:
        along the row of `left`, then along the row of `right`.
    """
    owner, col, _ = gather_rows(right_indptr, right_indices, None, left_indices)
    row = row_of_slot(left_indptr)[owner.long()]
    keys, group = torch.unique(row.long() * num_cols + col.long(), return_inverse=True)
    position = torch.arange(len(group), device=group.device)
    first = torch.full_like(keys, len(group)).scatter_reduce(0, group, position, "amin")
    first = first.sort().values
    num_rows = len(left_indptr) - 1
    indptr = torch.zeros(num_rows + 1, dtype=left_indptr.dtype, device=keys.device)
    indptr[1:] = torch.bincount(row[first], minlength=num_rows).cumsum(0)
    return indptr, col[first].to(left_indices.dtype)


@kernel("csr_union", operands=("a_indices",))
def csr_union(
    a_indptr: Tensor,
    a_indices: Tensor,
    a_eids: Tensor | None,
    b_indptr: Tensor,
    b_indices: Tensor,
    b_eids: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Merge two patterns with the same number of rows.

    Parameters
    ----------
    a_indptr, a_indices, a_eids, b_indptr, b_indices, b_eids : Tensor
        Rows sorted by column, without duplicates, all of one dtype.

    Returns
    -------
    indptr, indices : Tensor
        The union, sorted by column.
    from_a, from_b : Tensor
        The slot of each entry of a and b in the union.
    """
    rows = torch.cat([row_of_slot(a_indptr), row_of_slot(b_indptr)]).long()
    cols = torch.cat([a_indices, b_indices]).long()
    width = int(cols.max()) + 1 if len(cols) else 1
    keys, place = torch.unique(rows * width + cols, return_inverse=True)
    indptr = torch.zeros_like(a_indptr)
    indptr[1:] = torch.bincount(keys // width, minlength=len(a_indptr) - 1).cumsum(0)
    parts = place.to(a_indptr.dtype).split([len(a_indices), len(b_indices)])
    by_entry = [
        part if eids is None else torch.empty_like(part).index_copy(0, eids.long(), part)
        for part, eids in zip(parts, (a_eids, b_eids), strict=True)
    ]
    return indptr, (keys % width).to(a_indptr.dtype), *by_entry


@kernel("masked_product", operands=("x", "y"))
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
    """Multiply two sparse matrices and keep the entries on a pattern.

    .. math:: out_{(i, j)} = \\sum_k x_{(i, k)} \\, y_{(k, j)}

    Parameters
    ----------
    mask, left : (Tensor, Tensor, Tensor or None)
        ``(I, J)`` and ``(I, K)``, both by row.
    right : (Tensor, Tensor, Tensor or None)
        ``(K, J)`` by row if `by_inner`, else its transpose, ``(J, K)`` by row.
    x, y : Tensor
        Values of `left` and `right`, one-dimensional, of one dtype.
    num_inner, num_cols : int
        K and J.
    by_inner : bool
        Which form of `right` is given.

    Returns
    -------
    Tensor
        A value for each entry of `mask`; 0 where no product falls on it.
    """
    if not by_inner:
        rows = row_of_slot(right[0])
        order = torch.argsort(right[1], stable=True)
        eids = order if right[2] is None else right[2][order].long()
        indptr = torch.zeros(num_inner + 1, dtype=torch.int64, device=x.device)
        indptr[1:] = torch.bincount(right[1], minlength=num_inner).cumsum(0)
        right = indptr, rows[order], eids
    owner, col, entry = gather_rows(*right, left[1])
    products = x[_entries(left)[owner.long()]] * y[entry.long()]
    row = row_of_slot(left[0])[owner.long()]
    keys, place = torch.unique(row.long() * num_cols + col.long(), return_inverse=True)
    # One more sum, which stays 0, for entries of the mask that no product falls on.
    sums = products.new_zeros(len(keys) + 1).index_add(0, place, products)
    wanted = row_of_slot(mask[0]).long() * num_cols + mask[1].long()
    at = torch.searchsorted(keys, wanted)
    hit = torch.zeros_like(wanted, dtype=torch.bool)
    inside = at < len(keys)
    hit[inside] = keys[at[inside]] == wanted[inside]
    out = products.new_empty(len(wanted))
    out[_entries(mask)] = sums[torch.where(hit, at, len(keys))]
    return out


def _entries(matrix: Compressed) -> Tensor:
    """The position in the values of each slot."""
    if matrix[2] is not None:
        return matrix[2].long()
    return torch.arange(len(matrix[1]), device=matrix[1].device)
