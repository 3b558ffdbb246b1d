"""Sampling of neighbors and random walks, with arguments as tables for the native kernels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import address, core
from gossamer.kernels.reference.candidates import (
    BadWeightsError,
    Candidates,
    Drawn,
    Relation,
)

__all__ = [
    "candidates_of", "labor_chances", "node2vec", "number_nodes", "random_walk", "sample_labors",
    "sample_neighbors",
]  # fmt: skip

# Codes of csrc/sampling_candidates.cpp.
_WEIGHTS = {torch.float32: 1, torch.float64: 2, torch.uint8: 3}


def _fields(relation: Relation, starts: Tensor | None = None, offset: int = 0) -> list[int]:
    """Return the fields of a relation in the order of `Relation` in csrc/sampling.h."""
    candidates = relation.pool
    weights = candidates.weights
    return [
        relation.indptr.dtype is torch.int64,
        candidates.indptr.data_ptr(),
        relation.indices.data_ptr(),
        address(relation.eids),
        address(candidates.slots),
        address(candidates.sums),
        address(weights),
        weights is not None and weights.dtype is torch.float64,
        candidates.local,
        relation.rows.data_ptr(),
        relation.rows.shape[0],
        relation.fanout,
        _signed(relation.key),
        address(relation.excluded),
        0 if relation.excluded is None else relation.excluded.shape[0],
        address(starts),
        offset,
    ]


def _signed(key: int) -> int:
    return key - (1 << 64) if key >= 1 << 63 else key


def _table(rows: list[list[int]]) -> Tensor:
    return torch.tensor(rows, dtype=torch.int64, device="cpu")


def _prepare(relations: Sequence[Relation]) -> tuple[Tensor, list[Tensor]]:
    """Return the table of relations, and memory for their starts."""
    starts = [torch.empty(r.rows.shape[0] + 1, dtype=torch.int64, device="cpu") for r in relations]
    table = _table([_fields(r, start) for r, start in zip(relations, starts, strict=True)])
    return table, starts


def _make_room(table: Tensor, starts: list[Tensor], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Allocate memory for the edges of all relations, one relation after another."""
    total = 0
    for row, start in zip(table, starts, strict=True):
        row[-1] = total
        total += int(start[-1])
    return _common.empty((total,), dtype), _common.empty((total,), dtype)


def _split(table: Tensor, starts: list[Tensor], neighbors: Tensor, edges: Tensor) -> list[Drawn]:
    drawn = []
    for first, start in zip(table[:, -1].tolist(), starts, strict=True):
        part = slice(first, first + int(start[-1]))
        drawn.append((start, neighbors[part], edges[part]))
    return drawn


@kernel("sample_neighbors", device="cpu", dtypes=(torch.int32, torch.int64))
def sample_neighbors(like: Tensor, relations: Sequence[Relation], replace: bool) -> list[Drawn]:
    """Draw edges for rows; see `gossamer.kernels.reference.sampling.sample_neighbors`."""
    if not relations:
        return []
    threads, dtype = torch.get_num_threads(), like.dtype
    table, starts = _prepare(relations)
    what = table.data_ptr(), len(relations), dtype is torch.int64, replace
    core.sample_starts(*what, threads)
    neighbors, edges = _make_room(table, starts, dtype)
    total = edges.shape[0]
    bad = core.sample_neighbors(*what, neighbors.data_ptr(), edges.data_ptr(), total, threads)
    if bad >= 0:
        raise BadWeightsError(bad)
    return _split(table, starts, neighbors, edges)


@kernel("sample_labors", device="cpu", dtypes=(torch.int32, torch.int64))
def sample_labors(like: Tensor, relations: Sequence[Relation]) -> list[Drawn]:
    """Draw edges by layer-neighbor sampling; see `kernels.reference.labor.sample_labors`."""
    if not relations:
        return []
    threads, dtype = torch.get_num_threads(), like.dtype
    table, starts = _prepare(relations)
    wide = dtype is torch.int64
    found = core.sample_labors_find(table.data_ptr(), len(relations), wide, threads)
    neighbors, edges = _make_room(table, starts, dtype)
    core.sample_labors_collect(
        found,
        table.data_ptr(),
        len(relations),
        wide,
        neighbors.data_ptr(),
        edges.data_ptr(),
        edges.shape[0],
        threads,
    )
    return _split(table, starts, neighbors, edges)


@kernel("labor_chances", device="cpu", dtypes=(torch.float64,))
def labor_chances(
    starts: Tensor, sources: Tensor, weights: Tensor, num_sources: int, fanout: int, rounds: int
) -> Tensor:
    """Return edge probabilities; see `gossamer.kernels.reference.labor.labor_chances`."""
    chances = _common.empty((weights.shape[0],), torch.float64)
    core.labor_chances(
        starts.data_ptr(),
        sources.data_ptr(),
        weights.data_ptr(),
        chances.data_ptr(),
        starts.shape[0] - 1,
        num_sources,
        fanout,
        rounds,
        torch.get_num_threads(),
    )
    return chances


@kernel("candidates_of", device="cpu", dtypes=(torch.int32, torch.int64))
def candidates_of(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    rows: Tensor | None,
    weights: Tensor | None,
) -> Candidates:
    """Return the slots that may be drawn; see `kernels.reference.candidates.candidates_of`."""
    threads = torch.get_num_threads()
    count = indptr.shape[0] - 1 if rows is None else rows.shape[0]
    fields = _table(
        [
            indptr.dtype is torch.int64,
            indptr.data_ptr(),
            address(eids),
            address(rows),
            count,
            address(weights),
            0 if weights is None else _WEIGHTS[weights.dtype],
        ]
    )
    what = fields.data_ptr(), rows is not None and rows.dtype is torch.int64
    starts = torch.empty(count + 1, dtype=indptr.dtype, device="cpu")
    total = core.candidate_starts(*what, starts.data_ptr(), threads)
    everything = rows is None and total == indices.shape[0]
    weighted = weights is not None and weights.dtype is not torch.uint8
    slots = None if everything else _common.empty((total,), indptr.dtype)
    sums = _common.empty((total,), torch.float64) if weighted else None
    if slots is not None or sums is not None:
        core.fill_candidates(*what, starts.data_ptr(), address(slots), address(sums), threads)
    return Candidates(
        indptr if everything else starts,
        slots,
        sums,
        weights if weighted else None,
        rows is not None,
    )


@kernel("number_nodes", device="cpu", dtypes=(torch.int32, torch.int64))
def number_nodes(
    like: Tensor, lists: Sequence[Sequence[Tensor]], limits: Sequence[int], dtype: torch.dtype
) -> tuple[list[Tensor], list[list[Tensor]], list[int]]:
    """Number ids as they appear; see `gossamer.kernels.reference.numbering.number_nodes`."""
    id_dtype = like.dtype
    totals = [sum(ids.shape[0] for ids in parts) for parts in lists]
    # One extra element: the kernel writes each id before it checks whether it is new.
    unique = [_common.empty((total + 1,), id_dtype) for total in totals]
    places = [[_common.empty((ids.shape[0],), dtype) for ids in parts] for parts in lists]
    numberings = _table(
        [
            [limit, total, nodes.data_ptr(), 0, 0]
            for limit, total, nodes in zip(limits, totals, unique, strict=True)
        ]
    )
    parts = _table(
        [
            [kind, ids.data_ptr(), ids.shape[0], place.data_ptr()]
            for kind, (all_ids, all_places) in enumerate(zip(lists, places, strict=True))
            for ids, place in zip(all_ids, all_places, strict=True)
        ]
    )
    core.number_nodes(
        numberings.data_ptr(),
        len(lists),
        parts.data_ptr(),
        parts.shape[0],
        id_dtype is torch.int64,
        dtype is torch.int64,
        torch.get_num_threads(),
    )
    sizes = numberings[:, 3].tolist()
    nodes = [ids[:size].clone() for ids, size in zip(unique, sizes, strict=True)]
    return nodes, places, numberings[:, 4].tolist()


@kernel("random_walk", device="cpu", dtypes=(torch.int32, torch.int64))
def random_walk(
    relations: Sequence[Relation],
    path: Sequence[int],
    stops: Sequence[float] | None,
    seeds: Tensor,
    key: int,
) -> tuple[Tensor, Tensor]:
    """Walk at random; see `gossamer.kernels.reference.walks.random_walk`."""
    length, count = len(path), seeds.shape[0]
    nodes = _common.empty((count, length + 1), seeds.dtype)
    edges = _common.empty((count, length), seeds.dtype)
    table = _table([_fields(relation) for relation in relations])
    order = torch.tensor(path, dtype=torch.int64, device="cpu")
    before = None if stops is None else torch.tensor(stops, dtype=torch.float64, device="cpu")
    core.random_walk(
        table.data_ptr(),
        order.data_ptr(),
        address(before),
        seeds.data_ptr(),
        seeds.dtype is torch.int64,
        count,
        length,
        key,
        nodes.data_ptr(),
        edges.data_ptr(),
        torch.get_num_threads(),
    )
    return nodes, edges


@kernel("node2vec", device="cpu", dtypes=(torch.int32, torch.int64))
def node2vec(
    relation: Relation,
    sorted_indices: Tensor,
    p: float,
    q: float,
    seeds: Tensor,
    length: int,
    key: int,
) -> tuple[Tensor, Tensor]:
    """Walk with node2vec's bias; see `gossamer.kernels.reference.walks.node2vec`."""
    nodes = _common.empty((seeds.shape[0], length + 1), seeds.dtype)
    edges = _common.empty((seeds.shape[0], length), seeds.dtype)
    table = _table([_fields(relation)])
    core.node2vec(
        table.data_ptr(),
        sorted_indices.data_ptr(),
        relation.indptr.data_ptr(),
        p,
        q,
        seeds.data_ptr(),
        seeds.dtype is torch.int64,
        seeds.shape[0],
        length,
        key,
        nodes.data_ptr(),
        edges.data_ptr(),
        torch.get_num_threads(),
    )
    return nodes, edges
