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
    in_order = core.is_sorted(
        ids=row.data_ptr(),
        wide=wide,
        count=count,
        threads=threads,
    )
    eids = None if in_order else _common.empty((count,), dtype)
    core.coo_to_csr(
        row=row.data_ptr(),
        col=col.data_ptr(),
        wide_in=wide,
        num_slots=count,
        num_rows=num_rows,
        indptr=indptr.data_ptr(),
        indices=indices.data_ptr(),
        eids=address(eids),
        wide_out=dtype is torch.int64,
        threads=threads,
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
        indptr=indptr.data_ptr(),
        indices=indices.data_ptr(),
        eids=address(eids),
        wide=wide,
        num_rows=indptr.shape[0] - 1,
        num_slots=count,
        num_cols=num_cols,
        indptr_t=indptr_t.data_ptr(),
        indices_t=indices_t.data_ptr(),
        eids_t=eids_t.data_ptr(),
        threads=threads,
    )
    in_order = core.is_identity(
        ids=eids_t.data_ptr(),
        wide=wide,
        count=count,
        threads=threads,
    )
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
    """Return the neighbors only if `outputs` is 1, otherwise owners, neighbors and edges."""
    count, threads = rows.shape[0], torch.get_num_threads()
    wide, wide_id = indptr.dtype is torch.int64, rows.dtype is torch.int64
    starts = torch.empty(count + 1, dtype=torch.int64, device="cpu")
    total = core.gather_rows_starts(
        indptr=indptr.data_ptr(),
        indices=indices.data_ptr(),
        wide=wide,
        rows=rows.data_ptr(),
        wide_id=wide_id,
        num_rows=count,
        places=address(places),
        starts=starts.data_ptr(),
        threads=threads,
    )
    found = tuple(_common.empty((total,), rows.dtype) for _ in range(outputs))
    owners, neighbors, edges = found if outputs == 3 else (None, *found, None)
    core.gather_rows(
        indptr=indptr.data_ptr(),
        indices=indices.data_ptr(),
        eids=address(eids),
        wide=wide,
        rows=rows.data_ptr(),
        wide_id=wide_id,
        num_rows=count,
        places=address(places),
        starts=starts.data_ptr(),
        owners=address(owners),
        neighbors=neighbors.data_ptr(),
        edges=address(edges),
        threads=threads,
    )
    return found


@kernel("unique_relabel", device="cpu", dtypes=IDS)
def unique_relabel(ids: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """Number ids as they first appear; see `gossamer.kernels.reference.unique_relabel`."""
    count = ids.shape[0]
    # One extra element: the kernel writes each id before it checks whether it is new.
    fresh = _common.empty((min(count, limit) + 1,), ids.dtype)
    places = _common.empty((count,), ids.dtype)
    wide = ids.dtype is torch.int64
    found = core.unique_relabel(
        ids=ids.data_ptr(),
        wide=wide,
        count=count,
        limit=limit,
        fresh=fresh.data_ptr(),
        places=places.data_ptr(),
    )
    return fresh[:found].clone(), places
