"""Product (optionally on a given pattern), sum and common entries of two sparse matrices."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference.csr import gather_rows
from gossamer.kernels.rows import row_of_slot

#: A compressed matrix ``(indptr, indices, eids)``; slot ``k`` holds value ``eids[k]``, or ``k``.
Compressed = tuple[Tensor, Tensor, Tensor | None]


@kernel("csr_product", operands=("x", "y"))
def csr_product(
    a_indptr: Tensor,
    a_indices: Tensor,
    x: Tensor,
    b_indptr: Tensor,
    b_indices: Tensor,
    y: Tensor,
    num_cols: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Multiply two compressed matrices.

    Parameters
    ----------
    a_indptr, a_indices, b_indptr, b_indices : Tensor
        The rows of ``(I, K)`` and ``(K, J)`` matrices, all of one dtype.
    x, y : Tensor
        A value for each slot, one-dimensional, of one dtype.
    num_cols : int
        J.

    Returns
    -------
    indptr, indices : Tensor
        The distinct columns of each row, in the order in which Gustavson's algorithm visits them:
        along the row of a, then along the row of b.
    out : Tensor
        The value of each entry.
    """
    owner, col, slot = gather_rows(b_indptr, b_indices, None, a_indices)
    owner = owner.long()
    row = row_of_slot(a_indptr)[owner].long()
    keys, group = torch.unique(row * num_cols + col.long(), return_inverse=True)
    position = torch.arange(len(group), device=group.device)
    first = torch.full_like(keys, len(group)).scatter_reduce(0, group, position, "amin")
    order = first.argsort()
    sums = x.new_zeros(len(keys)).index_add(0, group, x[owner] * y[slot.long()])
    keys = keys[order]
    indptr = _indptr(keys // num_cols, a_indptr)
    return indptr, (keys % num_cols).to(a_indices.dtype), sums[order]


@kernel("csr_sum", operands=("x", "y"))
def csr_sum(
    a_indptr: Tensor,
    a_indices: Tensor,
    x: Tensor,
    b_indptr: Tensor,
    b_indices: Tensor,
    y: Tensor,
    num_cols: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Add two compressed matrices of one shape.

    Parameters
    ----------
    a_indptr, a_indices, b_indptr, b_indices : Tensor
        Rows sorted by column, without duplicates, all of one dtype.
    x, y : Tensor
        The values of each slot, ``(nnz, *f)`` of the same `f` and dtype.
    num_cols : int
        Number of columns.

    Returns
    -------
    indptr, indices, out : Tensor
        The sum in the same format, with an entry wherever at least one of the matrices has one.
    """
    places = [_places(a_indptr, a_indices, num_cols), _places(b_indptr, b_indices, num_cols)]
    keys, place = torch.unique(torch.cat(places), return_inverse=True)
    out = x.new_zeros((len(keys), *x.shape[1:])).index_add(0, place, torch.cat([x, y]))
    return _indptr(keys // num_cols, a_indptr), (keys % num_cols).to(a_indices.dtype), out


@kernel("csr_match", operands=("a_indices",))
def csr_match(
    a_indptr: Tensor, a_indices: Tensor, b_indptr: Tensor, b_indices: Tensor, num_cols: int
) -> Tensor:
    """Return for each slot of a the slot of b at the same position, or -1 if there is none.

    The operands are as in `csr_sum`.
    """
    keys = _places(b_indptr, b_indices, num_cols)
    wanted = _places(a_indptr, a_indices, num_cols)
    at = torch.searchsorted(keys, wanted)
    known = torch.cat([keys, keys.new_tensor([-1])])
    return torch.where(known[at] == wanted, at, -1).to(a_indices.dtype)


def _places(indptr: Tensor, indices: Tensor, num_cols: int) -> Tensor:
    """Return one number that encodes the row and column of each slot."""
    return row_of_slot(indptr).long() * num_cols + indices.long()


def _indptr(rows: Tensor, like: Tensor) -> Tensor:
    indptr = torch.zeros_like(like)
    indptr[1:] = torch.bincount(rows, minlength=len(like) - 1).cumsum(0)
    return indptr


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
    """Multiply two sparse matrices, computing only the entries in a given pattern.

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
        A value for each entry of `mask`; 0 if no product contributes to it.
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
    # One extra sum, which stays 0, for entries of the mask to which no product contributes.
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
    """Return the position of each slot in the values."""
    if matrix[2] is not None:
        return matrix[2].long()
    return torch.arange(len(matrix[1]), device=matrix[1].device)
