"""Building, transposing and gathering from compressed adjacencies, and relabeling ids."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import IDS, address, core


@kernel("coo_to_csr", device="cpu", dtypes=IDS)
def coo_to_csr(
    row: Tensor, col: Tensor, num_rows: int, dtype: torch.dtype | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Group edges by row; see `gossamer.kernels.reference.coo_to_csr`."""
    dtype = dtype or row.dtype
    count, threads = row.shape[0], torch.get_num_threads()
    wide = row.dtype is torch.int64
    indptr = _common.empty((num_rows + 1,), dtype)
    indices = _common.empty((count,), dtype)
    in_order = core.is_sorted(row.data_ptr(), wide, count, threads)
    eids = None if in_order else _common.empty((count,), dtype)
    core.coo_to_csr(
        row.data_ptr(),
        col.data_ptr(),
        wide,
        count,
        num_rows,
        indptr.data_ptr(),
        indices.data_ptr(),
        address(eids),
        dtype is torch.int64,
        threads,
    )
    return indptr, indices, eids


@kernel("transpose", device="cpu", dtypes=IDS)
def transpose(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, num_cols: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Transpose an adjacency; see `gossamer.kernels.reference.transpose`."""
    count, threads = indices.shape[0], torch.get_num_threads()
    wide = indices.dtype is torch.int64
    indptr_t = _common.empty((num_cols + 1,), indices.dtype)
    indices_t = _common.empty((count,), indices.dtype)
    eids_t = _common.empty((count,), indices.dtype)
    core.transpose(
        indptr.data_ptr(),
        indices.data_ptr(),
        address(eids),
        wide,
        indptr.shape[0] - 1,
        count,
        num_cols,
        indptr_t.data_ptr(),
        indices_t.data_ptr(),
        eids_t.data_ptr(),
        threads,
    )
    in_order = core.is_identity(eids_t.data_ptr(), wide, count, threads)
    return indptr_t, indices_t, None if in_order else eids_t


@kernel("gather_rows", device="cpu", dtypes=IDS)
def gather_rows(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    rows: Tensor,
    places: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """List the slots of some rows; see `gossamer.kernels.reference.gather_rows`."""
    return _gather_slots(indptr, indices, eids, rows, places, 3)


@kernel("gather_neighbors", device="cpu", dtypes=IDS)
def gather_neighbors(indptr: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    """List the neighbors of some rows; see `gossamer.kernels.reference.gather_neighbors`."""
    return _gather_slots(indptr, indices, None, rows, None, 1)[0]


def _gather_slots(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    rows: Tensor,
    places: Tensor | None,
    outputs: int,
) -> tuple[Tensor, ...]:
    """Neighbors alone if one output is wanted, else owners, neighbors and edges."""
    count, threads = rows.shape[0], torch.get_num_threads()
    wide, wide_id = indptr.dtype is torch.int64, rows.dtype is torch.int64
    adjacency = indptr.data_ptr(), indices.data_ptr()
    chosen = rows.data_ptr(), wide_id, count, address(places)
    starts = torch.empty(count + 1, dtype=torch.int64, device="cpu")
    total = core.gather_rows_starts(*adjacency, wide, *chosen, starts.data_ptr(), threads)
    found = tuple(_common.empty((total,), rows.dtype) for _ in range(outputs))
    owners, neighbors, edges = found if outputs == 3 else (None, *found, None)
    core.gather_rows(
        *adjacency,
        address(eids),
        wide,
        *chosen,
        starts.data_ptr(),
        address(owners),
        neighbors.data_ptr(),
        address(edges),
        threads,
    )
    return found


@kernel("unique_relabel", device="cpu", dtypes=IDS)
def unique_relabel(ids: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """Number ids as they first appear; see `gossamer.kernels.reference.unique_relabel`."""
    count = ids.shape[0]
    # With room for one more: the kernel writes each id before it knows whether it is new.
    fresh = _common.empty((min(count, limit) + 1,), ids.dtype)
    places = _common.empty((count,), ids.dtype)
    wide = ids.dtype is torch.int64
    found = core.unique_relabel(
        ids.data_ptr(), wide, count, limit, fresh.data_ptr(), places.data_ptr()
    )
    return fresh[:found].clone(), places
