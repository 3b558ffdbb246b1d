"""Building, transposing and gathering from compressed adjacencies, and relabeling ids."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.rows import row_of_slot


@kernel("coo_to_csr", operands=("row",))
def coo_to_csr(
    row: Tensor, col: Tensor, num_rows: int, dtype: torch.dtype | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Group edges ``(row[k], col[k])`` by row, keeping their order within a row.

    Parameters
    ----------
    row, col : Tensor
        ``(E,)`` integer ids.
    num_rows : int
        Number of rows, at least ``max(row) + 1``.
    dtype : torch.dtype, optional
        Index dtype of the result, by default that of `row`.

    Returns
    -------
    indptr : Tensor
        ``(num_rows + 1,)``.
    indices : Tensor
        ``(E,)``, the columns grouped by row.
    eids : Tensor or None
        ``(E,)``, the position of each slot in the input; None if `row` is already sorted.
    """
    dtype = dtype or row.dtype
    indptr = _indptr(row, num_rows, dtype)
    if bool((row[1:] >= row[:-1]).all()):
        return indptr, col.to(dtype, copy=True), None
    eids = torch.argsort(row, stable=True)
    return indptr, col[eids].to(dtype), eids.to(dtype)


@kernel("transpose", operands=("indptr",))
def transpose(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, num_cols: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Transpose a compressed adjacency: its columns become the rows.

    Returns
    -------
    tuple
        ``(indptr_t, indices_t, eids_t)``. A row of the transpose lists its slots in their original
        order; `eids_t` is None if it would be 0, 1, 2, ...
    """
    order = torch.argsort(indices, stable=True)
    edge = order.to(indices.dtype) if eids is None else eids[order]
    identity = torch.arange(len(edge), dtype=edge.dtype, device=edge.device)
    return (
        _indptr(indices, num_cols, indices.dtype),
        row_of_slot(indptr)[order].to(indices.dtype),
        None if torch.equal(edge, identity) else edge,
    )


def _indptr(row: Tensor, num_rows: int, dtype: torch.dtype) -> Tensor:
    indptr = torch.zeros(num_rows + 1, dtype=dtype, device=row.device)
    indptr[1:] = torch.bincount(row, minlength=num_rows).cumsum(0)
    return indptr


@kernel("gather_rows", operands=("indptr",))
def gather_rows(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    rows: Tensor,
    places: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """List the slots of some rows, one row after another.

    Parameters
    ----------
    rows : Tensor
        ``(R,)`` ids of rows, in any order; may repeat.
    places : Tensor, optional
        ``(num_cols,)`` in the dtype of `indptr`: new ids of the neighbors. Slot ``k`` is listed
        only if ``places[indices[k]]`` is not negative; this value is returned as its neighbor.

    Returns
    -------
    tuple
        ``(owner, neighbor, edge)`` of each slot, in the dtype of `rows`; the slot belongs to
        ``rows[owner]``.
    """
    at = rows.long()
    first = indptr[at].long()
    count = indptr[at + 1].long() - first
    owner = torch.arange(len(rows), device=rows.device).repeat_interleave(count)
    behind = torch.arange(len(owner), device=rows.device) - (count.cumsum(0) - count)[owner]
    slot = first[owner] + behind
    neighbor = indices[slot]
    if places is not None:
        neighbor = places[neighbor.long()]
        kept = neighbor >= 0
        owner, neighbor, slot = owner[kept], neighbor[kept], slot[kept]
    edge = slot if eids is None else eids[slot]
    return owner.to(rows.dtype), neighbor.to(rows.dtype), edge.to(rows.dtype)


@kernel("gather_neighbors", operands=("indptr",))
def gather_neighbors(indptr: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    """List the neighbors of some rows, one row after another, in the dtype of `rows`."""
    return gather_rows(indptr, indices, None, rows)[1]


@kernel("unique_relabel", operands=("ids",))
def unique_relabel(ids: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """Number ids in the order of their first appearance.

    Parameters
    ----------
    ids : Tensor
        ``(n,)``, from 0 to ``limit - 1``.

    Returns
    -------
    tuple
        The distinct ids in that order, and for each of `ids` its position among them, both in
        the dtype of `ids`.
    """
    positions = torch.arange(len(ids), device=ids.device)
    table = torch.full((limit,), len(ids), dtype=torch.int64, device=ids.device)
    table.scatter_reduce_(0, ids.long(), positions, "amin")
    fresh = ids[table[ids.long()] == positions]
    # The table of first appearances is reused as the table of positions.
    table[fresh.long()] = positions[: len(fresh)]
    return fresh, table[ids.long()].to(ids.dtype)
