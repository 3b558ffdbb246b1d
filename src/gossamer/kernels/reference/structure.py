"""Building and turning compressed adjacencies."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels.reference._common import row_of_slot


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
        ``(E,)``, the position of each slot in the input; None when `row` was sorted already.
    """
    dtype = dtype or row.dtype
    indptr = _indptr(row, num_rows, dtype)
    if bool((row[1:] >= row[:-1]).all()):
        return indptr, col.to(dtype, copy=True), None
    eids = torch.argsort(row, stable=True)
    return indptr, col[eids].to(dtype), eids.to(dtype)


def transpose(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, num_cols: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Turn a compressed adjacency around: its columns become the rows.

    Returns
    -------
    tuple
        ``(indptr_t, indices_t, eids_t)``. A row of the transpose lists its slots in the order
        that they had in the source; `eids_t` is None when it would be 0, 1, 2, ...
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
