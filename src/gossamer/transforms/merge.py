"""Merge graphs with the same nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import refuse_block
from gossamer.graph.frame import Frame, Scheme
from gossamer.graph.schema import CanonicalEType, Schema
from gossamer.ops.adjacency import Adjacency

__all__ = ["merge"]


def merge(graphs: Sequence[Graph]) -> Graph:
    """Merge graphs with the same nodes: node ``i`` of a type is the same node in each of them.

    Edges are concatenated graph by graph; parallel edges are kept. Unlike in
    :func:`gossamer.batch`, nodes are not concatenated.

    Parameters
    ----------
    graphs : sequence of Graph
        Graphs, not blocks, on one device; at least one. Their types may differ.

    Returns
    -------
    Graph
        A graph with every node and edge type of any graph. The number of nodes of a type is the
        largest in any graph. If several graphs have a value of a node feature, the last graph's is
        used; nodes and edges without a value get one from the initializer (by default, zeros).
        The id type is that of the first graph. Batch sizes are dropped.

    Raises
    ------
    InvalidTypeError
        If `graphs` is not a sequence of graphs.
    InvalidValueError
        If there is no graph, one is a block, devices differ, or the row shape or dtype of a
        feature differs between graphs.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g, h = gs.graph(([0], [1])), gs.graph(([2], [0]))
    >>> g.ndata["x"], h.ndata["x"] = torch.tensor([1, 2]), torch.tensor([7, 8, 9])
    >>> merged = gs.merge([h, g])
    >>> merged.edges(), merged.ndata["x"]
    ((tensor([2, 0]), tensor([0, 1])), tensor([1, 2, 9]))
    """
    graphs = _checked(graphs)
    etypes = sorted({etype for graph in graphs for etype in graph.canonical_etypes})
    ntypes = sorted({ntype for graph in graphs for ntype in graph.ntypes})
    nodes = [_merged_nodes(graphs, ntype) for ntype in ntypes]
    schema = Schema(tuple(ntypes), tuple(etypes))
    adjacencies = [
        _merged_edges(graphs, etype, nodes[src].num_rows, nodes[dst].num_rows)
        for etype, (src, dst) in zip(etypes, schema.endpoints, strict=True)
    ]
    edges = [_merged_edge_features(graphs, etype) for etype in etypes]
    return Graph.from_parts(schema, adjacencies, nodes, edges)


def _checked(graphs: Any) -> list[Graph]:
    if isinstance(graphs, Graph) or not isinstance(graphs, Sequence):
        raise InvalidTypeError(f"merge takes a list of graphs, got {type(graphs).__name__}.")
    for graph in graphs:
        refuse_block(graph, "merge")
    if not graphs:
        raise InvalidValueError("merge takes at least one graph, got an empty list.")
    devices = {graph.device for graph in graphs}
    if len(devices) > 1:
        raise InvalidValueError(
            f"merge takes graphs on one device, got {sorted(map(str, devices))}. "
            "Move them with .to(...)."
        )
    return list(graphs)


def _merged_nodes(graphs: list[Graph], ntype: str) -> Frame:
    """The features of one node type; later graphs overwrite the rows that they have."""
    parts = [graph.node_frames[graph.get_ntype_id(ntype)] for graph in _having(graphs, ntype)]
    device = graphs[0].device
    merged = parts[0].copy()
    merged.append(max(part.num_rows for part in parts) - merged.num_rows, None, device)
    for part in parts[1:]:
        for name in part:
            _require_scheme(merged, name, part.scheme(name), f"node type {ntype!r}")
        if part.num_rows == merged.num_rows:
            for name in part:
                merged[name] = part[name]
        else:
            rows = torch.arange(part.num_rows, device=device)
            merged.update_rows(rows, dict(part), device)
    return merged


def _having(graphs: list[Graph], ntype: str) -> list[Graph]:
    return [graph for graph in graphs if ntype in graph.schema.ntype_ids]


def _relations(graphs: list[Graph], etype: CanonicalEType) -> list[tuple[Adjacency, Frame]]:
    positions = [(g, g.get_etype_id(etype)) for g in graphs if etype in g.canonical_etypes]
    return [(g.relations[i], g.edge_frames[i]) for g, i in positions]


def _merged_edges(
    graphs: list[Graph], etype: CanonicalEType, num_src: int, num_dst: int
) -> Adjacency:
    idtype = graphs[0].idtype
    coos = [adjacency.coo() for adjacency, _ in _relations(graphs, etype)]
    row, col = (torch.cat(ends).to(idtype) for ends in zip(*coos, strict=True))
    return Adjacency(num_src, num_dst, idtype, coo=(row, col))


def _merged_edge_features(graphs: list[Graph], etype: CanonicalEType) -> Frame:
    (_, first), *others = _relations(graphs, etype)
    merged = first.copy()
    for _, frame in others:
        for name in frame:
            _require_scheme(merged, name, frame.scheme(name), f"edge type {etype}")
        merged.append(frame.num_rows, dict(frame), graphs[0].device)
    return merged


def _require_scheme(frame: Frame, name: str, scheme: Scheme, where: str) -> None:
    if name in frame and frame.scheme(name) != scheme:
        raise InvalidValueError(
            f"merge: feature {name!r} of {where} has row shape {tuple(scheme.shape)} and "
            f"{scheme.dtype} in one graph, {tuple(frame.scheme(name).shape)} and "
            f"{frame.scheme(name).dtype} in another. Convert one of them."
        )
