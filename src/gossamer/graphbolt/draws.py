"""Calls of the sampler core for a sampling graph and seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gossamer._options import flag
from gossamer.errors import InvalidValueError
from gossamer.graphbolt.types import ByType, etype_str_to_tuple, value_of_type
from gossamer.kernels.rows import row_starts
from gossamer.ops.adjacency import Compressed
from gossamer.sampling import _core
from gossamer.sampling._labor import labor_layer

if TYPE_CHECKING:
    from gossamer.graphbolt.sampling_graph import FusedCSCSamplingGraph

__all__ = ["Drawing", "PastEdges", "labor_key"]


def labor_key(random_seed: Tensor | None, seed2_contribution: float) -> int:
    """Return the key of a layer-neighbor draw."""
    if random_seed is None:
        return _core.next_key()
    numbers = random_seed.tolist()
    return _core.mix(numbers[-1] if seed2_contribution >= 0.5 else numbers[0])


class PastEdges:
    """The in-edges of seeds that are earlier than each seed."""

    def __init__(
        self,
        graph: FusedCSCSamplingGraph,
        seed_times: ByType,
        windows: ByType | None,
        node_name: str | None,
        edge_name: str | None,
    ) -> None:
        self.require_times(node_name, edge_name)
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
                own = values if ntype is None else value_of_type(values, ntype)
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
        """Return the edges of `csc` that may be drawn; row ``i`` belongs to ``rows[i]``."""
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
        dtype = csc.indptr.dtype
        indptr = row_starts(torch.bincount(owner[kept], minlength=len(rows)))
        return Compressed(indptr.to(dtype), source[kept].to(dtype), edge[kept].to(dtype))

    def _of(self, values: ByType, ntype: str | None) -> Tensor:
        return values if ntype is None else values[ntype]


@dataclass
class Drawing:
    """Draws in-edges of seeds; errors name the function `op`."""

    graph: FusedCSCSamplingGraph
    op: str
    replace: bool
    probs_name: str | None  # the weights of edges
    key: int | None  # of layer-neighbor sampling
    times: PastEdges | None

    def __post_init__(self) -> None:
        self.replace = flag(self.replace, self.op, "replace")

    def of_nodes(self, seeds: Tensor, fanout: int) -> _core.Drawn:
        """Draw for the nodes of a homogeneous graph."""
        return self._draw([self._relation(None, seeds, fanout)])[0]

    def by_edge_type(self, seeds: dict[str, Tensor], fanouts: list[int]) -> dict[str, _core.Drawn]:
        """Draw for each edge type, each with its own fanout."""
        relations = {}
        for etype, number in self.graph.edge_type_to_id.items():
            src, _, dst = etype_str_to_tuple(etype)
            if dst in seeds:
                relations[etype] = self._relation(etype, seeds[dst], fanouts[number], dst, src)
        drawn = dict(zip(relations, self._draw(list(relations.values())), strict=True))
        nothing = self._nothing(seeds)
        return {etype: drawn.get(etype, nothing) for etype in self.graph.edge_type_to_id}

    def across_edge_types(self, seeds: dict[str, Tensor], fanout: int) -> dict[str, _core.Drawn]:
        """Draw from the edges of all types together, then sort the draws by type."""
        graph = self.graph
        relations = [
            self._relation(None, ids + graph.first_node(ntype), fanout, ntype)
            for ntype, ids in seeds.items()
        ]
        drawn = dict(zip(seeds, self._draw(relations), strict=True))
        result = {}
        for etype, number in graph.edge_type_to_id.items():
            src, _, dst = etype_str_to_tuple(etype)
            if dst not in drawn:
                result[etype] = self._nothing(seeds)
                continue
            starts, sources, edges = drawn[dst]
            own = graph.type_per_edge.index_select(0, edges) == number
            ids = sources[own] - graph.first_node(src)
            result[etype] = row_starts(own)[starts], ids, edges[own]
        return result

    def _draw(self, relations: list[_core.Relation]) -> list[_core.Drawn]:
        try:
            if self.key is None:
                return _core.layer(relations, self.replace)
            return labor_layer(relations)
        except _core.BadWeightsError:
            values = self.graph.edge_attribute(self.probs_name).detach().double()
            raise InvalidValueError(
                f"{self.op}: the weights {self.probs_name!r} must be finite and not negative; they "
                f"go from {float(values.min())} to {float(values.max())}."
            ) from None

    def _relation(
        self,
        etype: str | None,
        rows: Tensor,
        fanout: int,
        ntype: str | None = None,
        src: str | None = None,
    ) -> _core.Relation:
        """Return the argument of the core for drawing edges of one type, or of all types."""
        graph, times = self.graph, self.times
        adjacency = graph.structure(etype)
        csc, table = adjacency.csc(), None
        weights = None if self.probs_name is None else graph.edge_attribute(self.probs_name)
        if weights is not None and weights.numel() != graph.total_num_edges:
            raise InvalidValueError(
                f"The weights {self.probs_name!r} must be one number for each of the "
                f"{graph.total_num_edges} edges, got shape {tuple(weights.shape)}."
            )
        if times is not None:
            csc = times.admissible(csc, rows, ntype, 0 if src is None else graph.first_node(src))
            rows = torch.arange(len(rows), dtype=rows.dtype, device=rows.device)
            if weights is not None:
                table = _core.candidates(csc, _core.as_weights(weights), rows)
        elif weights is not None:
            table = _core.edge_candidates(adjacency, True, weights, rows)
        key = self.key
        if key is not None and src is not None:
            key = _core.mix(key, graph.node_type_to_id[src])
        return _core.relation(csc, rows, fanout, key=key, candidates=table)

    def _nothing(self, seeds: dict[str, Tensor]) -> _core.Drawn:
        """Return an empty draw for an edge type without destinations; batches have all types."""
        form = {"dtype": torch.int64, "device": self.graph.device}
        like = next(iter(seeds.values()), torch.zeros(0, **form))
        return torch.zeros(1, **form), like[:0], torch.zeros(0, **form)
