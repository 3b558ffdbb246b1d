"""Sorting entries and summing duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gossamer import ops
from gossamer.ops import csr
from gossamer.ops.adjacency import Adjacency, Compressed

if TYPE_CHECKING:
    from gossamer.sparse.matrix import SparseMatrix

__all__ = ["coalesce", "has_duplicate", "is_diag"]


def coalesce(a: SparseMatrix) -> SparseMatrix:
    """Sort the entries by row and column, and sum duplicates in the dtype of the values."""
    pattern, places = _plan(a.adjacency)
    if places is None:
        return a
    total = ops.gspmm(places, "copy_lhs", "sum", a.val, None)
    # Integers are summed in int64. The dtype must not depend on the order of the entries.
    return a.like(pattern, total.to(a.dtype))


def has_duplicate(a: SparseMatrix) -> bool:
    """Return whether two entries have the same row and column."""
    return _plan(a.adjacency)[0].num_edges < a.nnz


def is_diag(a: SparseMatrix) -> bool:
    """Return whether the entries are exactly the main diagonal, in order."""

    def compute() -> bool:
        if a.nnz != min(a.shape):
            return False
        row, col = a.adjacency.coo()
        return torch.equal(row, col) and torch.equal(row, torch.arange(a.nnz, device=row.device))

    return a.adjacency.memo("is_diag", compute)


def _plan(adjacency: Adjacency) -> tuple[Adjacency, Adjacency | None]:
    """Return the coalesced pattern, and edges from the entries to those of the result.

    The second is None if the entries are sorted and have no duplicates.
    """
    return adjacency.memo("coalesced", lambda: _make_plan(adjacency))


def _make_plan(adjacency: Adjacency) -> tuple[Adjacency, Adjacency | None]:
    entries = _sorted_entries(adjacency)
    row, col = adjacency.coo()
    if entries is not None:
        row, col = row[entries], col[entries]
    first = torch.ones(len(row), dtype=torch.bool, device=row.device)
    first[1:] = (row[1:] != row[:-1]) | (col[1:] != col[:-1])
    starts = first.nonzero().squeeze(1)
    if entries is None and len(starts) == len(row):
        return adjacency, None
    pattern = Adjacency(
        adjacency.num_src, adjacency.num_dst, adjacency.idtype, coo=(row[first], col[first])
    )
    dtype = adjacency.index_dtype
    indptr = torch.cat([starts, starts.new_tensor([len(row)])]).to(dtype)
    if entries is None:
        entries = torch.arange(len(row), device=row.device)
    places = Compressed(indptr, entries.to(dtype), None)
    return pattern, Adjacency(len(row), len(starts), torch.int64, csc=places)


def _sorted_entries(adjacency: Adjacency) -> Tensor | None:
    """Return the entries sorted by row, column and id; None if that is 0, 1, 2, ..."""
    _, row, by_col = adjacency.csc()
    _, _, by_row = csr.coo_to_csr(row, row, adjacency.num_src, row.dtype)
    if by_row is None:
        return None if by_col is None else by_col.long()
    order = by_row.long() if by_col is None else by_col[by_row.long()].long()
    ids = torch.arange(len(order), device=order.device)
    return None if torch.equal(order, ids) else order
