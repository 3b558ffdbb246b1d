"""Compressed adjacencies and numbering of ids, by torch's radix sort.

Only functions whose result size depends on the data wait for the GPU, once, to read the size.
Unlike on the CPU, edge ids are returned even if edges are in order.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.triton._common import IDS


def starts_of(ordered: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """Return the start of each of the values 0, ..., ``count`` in an ascending list."""
    values = torch.arange(count + 1, dtype=ordered.dtype, device=ordered.device)
    return torch.searchsorted(ordered, values, out_int32=dtype is torch.int32)


def row_of_slot(indptr: Tensor, num_slots: int) -> Tensor:
    """Return the row that owns each slot."""
    return torch.repeat_interleave(indptr.diff(), output_size=num_slots)


@kernel("coo_to_csr", device="cuda", dtypes=IDS)
def coo_to_csr(
    row: Tensor, col: Tensor, num_rows: int, dtype: torch.dtype | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Group edges by row; see `gossamer.kernels.reference.coo_to_csr`."""
    dtype = dtype or row.dtype
    ordered, order = torch.sort(row, stable=True)
    indices = col.index_select(0, order).to(dtype)
    return starts_of(ordered, num_rows, dtype), indices, order.to(dtype)


@kernel("transpose", device="cuda", dtypes=IDS)
def transpose(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, num_cols: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Transpose a compressed adjacency; see `gossamer.kernels.reference.transpose`."""
    ordered, order = torch.sort(indices, stable=True)
    rows = row_of_slot(indptr, indices.shape[0]).index_select(0, order)
    edges = order.to(indices.dtype) if eids is None else eids.index_select(0, order)
    return starts_of(ordered, num_cols, indices.dtype), rows.to(indices.dtype), edges


@kernel("unique_relabel", device="cuda", dtypes=IDS)
def unique_relabel(ids: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """Number ids as they appear; see `gossamer.kernels.reference.unique_relabel`."""
    (fresh,), ((places,),), _ = number_nodes(ids, [[ids]], [limit], ids.dtype)
    return fresh, places


@kernel("number_nodes", device="cuda", dtypes=IDS)
def number_nodes(
    like: Tensor, lists: Sequence[Sequence[Tensor]], limits: Sequence[int], dtype: torch.dtype
) -> tuple[list[Tensor], list[list[Tensor]], list[int]]:
    """Number ids as they appear; see `gossamer.kernels.reference.numbering.number_nodes`."""
    parts = [_numbered(torch.cat(list(ids))) for ids in lists]
    counts = []
    for ids, (_, _, known) in zip(lists, parts, strict=True):
        first = known[ids[0].shape[0] - 1 : ids[0].shape[0]] if ids[0].shape[0] else known[:0]
        counts += [x[-1] if x.shape[0] else known.new_zeros(()) for x in (first, known)]
    sizes = torch.stack(counts).tolist() if counts else []  # waits for the GPU
    nodes = [by_number[:n] for (by_number, _, _), n in zip(parts, sizes[1::2], strict=True)]
    places = [
        list(place.to(dtype).split([x.shape[0] for x in ids]))
        for ids, (_, place, _) in zip(lists, parts, strict=True)
    ]
    return nodes, places, sizes[::2]


def _numbered(ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Number ids as they appear.

    Returns the distinct ids in that order, padded with arbitrary values to the length of `ids`; the
    number of each id; and the number of distinct ids up to each position.
    """
    ordered, order = torch.sort(ids, stable=True)
    fresh = torch.ones(ids.shape[0], dtype=torch.bool, device=ids.device)
    fresh[1:] = ordered[1:] != ordered[:-1]
    # A stable sort puts the first appearance of an id at the start of its group.
    at = torch.arange(ids.shape[0], device=ids.device)
    start = torch.where(fresh, at, 0).cummax(0).values if ids.shape[0] else at
    first = order.index_select(0, start)
    known = torch.zeros_like(fresh).scatter_(0, order, fresh).cumsum(0)
    place = torch.empty_like(order).scatter_(0, order, known.index_select(0, first) - 1)
    nodes = torch.zeros_like(ids).scatter_(0, place, ids)
    return nodes, place, known
