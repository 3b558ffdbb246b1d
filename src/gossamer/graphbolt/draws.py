"""From a sampling graph and seeds to the sampler core and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gossamer.errors import InvalidValueError
from gossamer.graphbolt.types import ByType, etype_str_to_tuple
from gossamer.ops.adjacency import INT32_MAX, Adjacency, Compressed
from gossamer.sampling import _core
from gossamer.sampling._labor import labor_layer

if TYPE_CHECKING:
    from gossamer.graphbolt.sampling_graph import FusedCSCSamplingGraph

__all__ = [
    "PastEdges",
    "across_edge_types",
    "by_edge_type",
    "drawing",
    "labor_key",
    "relation",
    "split_type",
    "whole",
]

Draw = Callable[[list[_core.Relation]], list[_core.Drawn]]
Key = Callable[[str | None], int | None]


def whole(indptr: Tensor, indices: Tensor) -> Adjacency:
    """In-edges of all nodes, over the given tensors if they have one dtype."""
    nodes = len(indptr) - 1
    if indptr.dtype != indices.dtype:
        dtype = torch.int32 if max(nodes, len(indices)) < INT32_MAX else torch.int64
        indptr, indices = indptr.to(dtype), indices.to(dtype)
    return Adjacency(nodes, nodes, torch.int64, csc=Compressed(indptr, indices, None))


def split_type(
    csc: Compressed, types: Tensor, etype: int, src: tuple[int, int], dst: tuple[int, int]
) -> Adjacency:
    """The edges of one type, with node ids of its types; edge ids are positions in `csc`.

    `src` and `dst` are the first node and the number of nodes of the types.
    """
    chosen = types == etype
    positions = chosen.nonzero().squeeze(1)
    before = torch.zeros(len(types) + 1, dtype=torch.int64, device=types.device)
    torch.cumsum(chosen, 0, out=before[1:])
    first, count = dst
    indptr = before[csc.indptr[first : first + count + 1].long()]
    dtype = csc.indices.dtype
    sources = csc.indices.index_select(0, positions) - src[0]
    parts = Compressed((indptr - indptr[0]).to(dtype), sources, positions.to(dtype))
    return Adjacency(src[1], count, torch.int64, csc=parts)


def drawing(
    graph: FusedCSCSamplingGraph,
    op: str,
    replace: bool,
    probs_name: str | None,
    labor_key: int | None,
) -> tuple[Draw, Key]:
    """How to draw, and the key for each source type; with a key, by layer-neighbor sampling."""

    def draw(relations: list[_core.Relation]) -> list[_core.Drawn]:
        try:
            return _core.layer(relations, replace) if labor_key is None else labor_layer(relations)
        except _core.BadWeightsError:
            values = graph.edge_attribute(probs_name).detach().double()
            raise InvalidValueError(
                f"{op}: the weights {probs_name!r} must be finite and not negative; they go from "
                f"{float(values.min())} to {float(values.max())}."
            ) from None

    def key(ntype: str | None) -> int | None:
        if labor_key is None or ntype is None:
            return labor_key
        return _core.mix(labor_key, graph.node_type_to_id[ntype])

    return draw, key


def labor_key(random_seed: Tensor | None, seed2_contribution: float) -> int:
    """The key of a layer-neighbor draw."""
    if random_seed is None:
        return _core.next_key()
    numbers = random_seed.tolist()
    return _core.mix(numbers[-1] if seed2_contribution >= 0.5 else numbers[0])


class PastEdges:
    """The in-edges of seeds that lie in the past of each seed."""

    def __init__(
        self,
        graph: FusedCSCSamplingGraph,
        seed_times: ByType,
        windows: ByType | None,
        node_name: str | None,
        edge_name: str | None,
    ) -> None:
        self.require_times(node_name, edge_name)
        self.graph = graph
        self.seed_times = seed_times
        self.windows = windows
        self.node_times = None if node_name is None else graph.node_attribute(node_name)
        self.edge_times = None if edge_name is None else graph.edge_attribute(edge_name)

    @staticmethod
    def require_times(node_name: str | None, edge_name: str | None) -> None:
        """Raise if neither nodes nor edges have times."""
        if node_name is None and edge_name is None:
            raise InvalidValueError(
                "Temporal sampling needs node_timestamp_attr_name or edge_timestamp_attr_name: "
                "without times of nodes or edges, the future would be drawn too."
            )

    def check(self, seeds: ByType) -> None:
        """Raise unless there is a time, and a window if there are windows, for each seed."""
        parts = seeds if isinstance(seeds, dict) else {None: seeds}
        given = {"seeds_timestamp": self.seed_times}
        if self.windows is not None:
            given["seeds_pre_time_window"] = self.windows
        for name, values in given.items():
            for ntype, ids in parts.items():
                own = values if ntype is None else None
                if ntype is not None and isinstance(values, dict):
                    own = values.get(ntype)
                if not isinstance(own, Tensor) or own.shape != ids.shape:
                    of_type = "" if ntype is None else f" of type {ntype!r}"
                    came = tuple(own.shape) if isinstance(own, Tensor) else type(own).__name__
                    raise InvalidValueError(
                        f"{name} must have a number for each of the {len(ids)} seeds{of_type}, got "
                        f"{came}."
                    )

    def admissible(
        self, csc: Compressed, rows: Tensor, ntype: str | None, first_src: int
    ) -> Compressed:
        """The edges of `csc` that may be drawn, with row ``i`` for the i-th of `rows`."""
        owner, source, edge = csc.gather_rows(rows)
        times = self._of(self.seed_times, ntype)[owner]
        window = None if self.windows is None else self._of(self.windows, ntype)[owner]
        kept = torch.ones(len(owner), dtype=torch.bool, device=rows.device)
        for past in (
            None if self.node_times is None else self.node_times[source.long() + first_src],
            None if self.edge_times is None else self.edge_times[edge.long()],
        ):
            if past is not None:
                kept &= past < times
                if window is not None:
                    kept &= past >= times - window
        counts = torch.bincount(owner[kept], minlength=len(rows))
        dtype = csc.indptr.dtype
        indptr = torch.zeros(len(rows) + 1, dtype=dtype, device=rows.device)
        torch.cumsum(counts, 0, dtype=dtype, out=indptr[1:])
        return Compressed(indptr, source[kept].to(dtype), edge[kept].to(dtype))

    def _of(self, values: ByType, ntype: str | None) -> Tensor:
        return values if ntype is None else values[ntype]


def relation(
    graph: FusedCSCSamplingGraph,
    etype: str | None,
    rows: Tensor,
    fanout: int,
    probs_name: str | None,
    key: Key,
    times: PastEdges | None = None,
    ntype: str | None = None,
    src: str | None = None,
) -> _core.Relation:
    """What the core needs to draw the edges of one type, or of all types."""
    adjacency = graph.structure(etype)
    csc, table = adjacency.csc(), None
    weights = None if probs_name is None else graph.edge_attribute(probs_name)
    if weights is not None and weights.numel() != graph.total_num_edges:
        raise InvalidValueError(
            f"The weights {probs_name!r} must be one number for each of the "
            f"{graph.total_num_edges} edges, got shape {tuple(weights.shape)}."
        )
    if times is not None:
        first = 0 if src is None else graph.first_node(src)
        csc = times.admissible(csc, rows, ntype, first)
        rows = torch.arange(len(rows), dtype=rows.dtype, device=rows.device)
        if weights is not None:
            table = _core.candidates(csc, _core.as_weights(weights), rows)
    elif weights is not None:
        table = _core.edge_candidates(adjacency, True, weights, rows)
    return _core.relation(csc, rows, fanout, key=key(src), candidates=table)


def by_edge_type(
    graph: FusedCSCSamplingGraph,
    seeds: dict[str, Tensor],
    fanouts: list[int],
    probs_name: str | None,
    draw: Draw,
    key: Key,
    times: PastEdges | None,
) -> dict[str, _core.Drawn]:
    """Draw for each edge type with a fanout of its own."""
    relations, nothing = {}, _nothing(graph, seeds)
    for etype, number in graph.edge_type_to_id.items():
        src, _, dst = etype_str_to_tuple(etype)
        if dst in seeds:
            relations[etype] = relation(
                graph, etype, seeds[dst], fanouts[number], probs_name, key, times, dst, src
            )
    drawn = dict(zip(relations, draw(list(relations.values())), strict=True))
    return {etype: drawn.get(etype, nothing) for etype in graph.edge_type_to_id}


def _nothing(graph: FusedCSCSamplingGraph, seeds: dict[str, Tensor]) -> _core.Drawn:
    """The draw of an edge type without destinations: a batch has all edge types, as in DGL."""
    form = {"dtype": torch.int64, "device": graph.device}
    like = next(iter(seeds.values()), torch.zeros(0, **form))
    return torch.zeros(1, **form), like[:0], torch.zeros(0, **form)


def across_edge_types(
    graph: FusedCSCSamplingGraph,
    seeds: dict[str, Tensor],
    fanouts: list[int],
    probs_name: str | None,
    draw: Draw,
    key: Key,
    times: PastEdges | None,
) -> dict[str, _core.Drawn]:
    """Draw from the edges of all types together, then sort the draws by type."""
    relations = [
        relation(
            graph,
            None,
            ids + graph.first_node(ntype),
            fanouts[0],
            probs_name,
            lambda _: key(None),
            times,
            ntype,
        )
        for ntype, ids in seeds.items()
    ]
    drawn = dict(zip(seeds, draw(relations), strict=True))
    result = {}
    for etype, number in graph.edge_type_to_id.items():
        src, _, dst = etype_str_to_tuple(etype)
        if dst not in drawn:
            result[etype] = _nothing(graph, seeds)
            continue
        starts, sources, edges = drawn[dst]
        own = graph.type_per_edge.index_select(0, edges) == number
        before = torch.zeros(len(own) + 1, dtype=starts.dtype, device=starts.device)
        torch.cumsum(own, 0, out=before[1:])
        result[etype] = (before[starts], sources[own] - graph.first_node(src), edges[own])
    return result
