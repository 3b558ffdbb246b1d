"""Build blocks directly from sampled edges, without an intermediate graph."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from gossamer.graph import EID, NID, Graph
from gossamer.graph.edge_selection import with_edges
from gossamer.graph.schema import Schema
from gossamer.ops.adjacency import INT32_MAX, Adjacency, Compressed
from gossamer.sampling import _core

__all__ = ["block_of", "rows_of", "subgraph_of"]


def rows_of(g: Graph, targets: Sequence[Tensor], inward: bool) -> list[Tensor]:
    """For each relation, the nodes for which edges are drawn; `targets` are by node type."""
    return [targets[dst if inward else src] for src, dst in g.schema.endpoints]


@lru_cache(maxsize=64)
def _block_schema(schema: Schema, inward: bool) -> Schema:
    etypes = schema.canonical_etypes
    if not inward:
        etypes = tuple((dst, relation, src) for src, relation, dst in etypes)
    return Schema(schema.ntypes * 2, etypes, len(schema.ntypes))


def block_of(
    g: Graph, targets: Sequence[Tensor], drawn: Sequence[_core.Drawn], inward: bool = True
) -> tuple[Graph, list[Tensor]]:
    """Build the block of the edges drawn for `targets`; also return its source nodes of each type.

    Sources are the targets, then the other nodes in the order in which they first occur in edges,
    relation by relation, as in :func:`gossamer.to_block`. A target that is listed twice is kept
    twice.

    Parameters
    ----------
    g : Graph
        The graph from which edges were drawn. Its features are gathered when first read.
    targets : sequence of Tensor
        The nodes of each type for which edges were drawn.
    drawn : sequence of (starts, neighbors, edges)
        The edges of each relation, drawn for the targets at its end.
    inward : bool
        Whether in-edges were drawn. Out-edges are reversed, so that targets are destinations.
    """
    ends = [(src, dst) if inward else (dst, src) for src, dst in g.schema.endpoints]
    lists: list[list[Tensor]] = [[ids] for ids in targets]
    place: list[int] = []
    for (far, _), (_, neighbors, _) in zip(ends, drawn, strict=True):
        place.append(len(lists[far]))
        lists[far].append(neighbors)
    sources, numbers, dtype = _number(g, lists)
    adjacencies, edge_frames = [], []
    for i, ((far, near), (starts, _, edges)) in enumerate(zip(ends, drawn, strict=True)):
        csc = Compressed(starts.to(dtype), numbers[far][place[i]], None)
        adjacencies.append(Adjacency(len(sources[far]), len(targets[near]), g.idtype, csc=csc))
        edge_frames.append(g.edge_frames[i].gather(edges, EID))
    node_frames = [
        frame.gather(ids, NID)
        for side in (sources, targets)
        for frame, ids in zip(g.node_frames, side, strict=True)
    ]
    schema = _block_schema(g.schema, inward)
    return Graph.from_parts(schema, adjacencies, node_frames, edge_frames), sources


def _number(
    g: Graph, lists: Sequence[Sequence[Tensor]]
) -> tuple[list[Tensor], list[list[Tensor]], torch.dtype]:
    """Source nodes of each type, the positions of all ids among them, and their dtype."""
    limits = [frame.num_rows for frame in g.node_frames]
    # Kernels read int32 where ids fit.
    longest = max((sum(map(len, parts)) for parts in lists), default=0)
    dtype = torch.int32 if longest < INT32_MAX else torch.int64
    sources, numbers, first = _core.number_nodes(lists, limits, dtype)
    for t, (targets, *_) in enumerate(lists):
        surplus = len(targets) - first[t]
        if surplus:
            # A target that is listed several times is mapped to its first position.
            table = torch.arange(len(sources[t]), dtype=dtype, device=g.device) + surplus
            order = torch.arange(len(targets), dtype=dtype, device=g.device)
            table.scatter_reduce_(0, numbers[t][0].long(), order, "amin")
            numbers[t] = [table.index_select(0, part) for part in numbers[t]]
            sources[t] = torch.cat([targets, sources[t][first[t] :]])
    return sources, numbers, dtype


def subgraph_of(
    g: Graph,
    targets: Sequence[Tensor],
    drawn: Sequence[_core.Drawn],
    inward: bool = True,
    *,
    copy_ndata: bool = True,
    copy_edata: bool = True,
) -> Graph:
    """Build the graph with all nodes of `g` and the edges drawn for `targets` of each type."""
    ends = []
    rows = rows_of(g, targets, inward)
    for own, (starts, neighbors, _) in zip(rows, drawn, strict=True):
        near = torch.repeat_interleave(own, starts.diff(), output_size=neighbors.shape[0])
        ends.append((neighbors, near) if inward else (near, neighbors))
    eids = [edges for _, _, edges in drawn]
    return with_edges(
        g, ends, eids, store_ids=copy_edata, copy_ndata=copy_ndata, copy_edata=copy_edata
    )
