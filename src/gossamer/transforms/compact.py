"""Remove isolated nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from gossamer.errors import InvalidTypeError
from gossamer.graph import NID, Graph
from gossamer.graph.arguments import node_ids, refuse_block, require_equal
from gossamer.graph.frame import Frame
from gossamer.ops.adjacency import Adjacency
from gossamer.transforms._relabel import compact_ends
from gossamer.transforms.subgraph import or_none

__all__ = ["compact_graphs"]


def compact_graphs(
    graphs: Graph | Sequence[Graph],
    always_preserve: Tensor | Sequence[int] | Mapping[str, Any] | None = None,
    copy_ndata: bool = True,
    copy_edata: bool = True,
) -> Graph | list[Graph]:
    """Remove the nodes that are isolated in all of the graphs, and renumber the others.

    The input graphs must have the same nodes, and so do the results. Nodes are renumbered in the
    order of `always_preserve`, then in the order in which they first occur in edges: graph by
    graph, edge type by edge type, sources before destinations. Edges keep their ids.

    Parameters
    ----------
    graphs : Graph or sequence of Graph
        Graphs, not blocks, with the same node types and the same number of nodes of each type.
    always_preserve : ids or bool mask ``(N,)``, or dict of str to either, optional
        Nodes to keep even if they are isolated; duplicates count once.
    copy_ndata : bool
        If True, node features are copied (gathered when first read) and ``gossamer.NID`` holds
        former ids.
    copy_edata : bool
        If True, edge features are copied.

    Returns
    -------
    Graph or list of Graph
        A graph for a graph, a list for a sequence. Batch sizes are dropped.

    Raises
    ------
    InvalidTypeError
        If an input is not a graph, or there are several node types and `always_preserve` is not a
        dict.
    InvalidValueError
        If a graph is a block, or nodes, id types or devices of the graphs differ.
    OutOfRangeError, UnknownKeyError
        If a node or node type of `always_preserve` does not exist.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([7, 2], [5, 2]), num_nodes=9)
    >>> small = gs.compact_graphs(g, always_preserve=torch.tensor([8]))
    >>> small.edges(), small.ndata[gs.NID]
    ((tensor([1, 2]), tensor([3, 2])), tensor([8, 7, 2, 5]))
    """
    if isinstance(graphs, Graph):
        return _compact([graphs], always_preserve, copy_ndata, copy_edata)[0]
    if not isinstance(graphs, Sequence):
        raise InvalidTypeError(
            f"compact_graphs takes a graph or a list of graphs, got {type(graphs).__name__}."
        )
    return _compact(list(graphs), always_preserve, copy_ndata, copy_edata) if graphs else []


def _compact(
    graphs: list[Graph], always_preserve: Any, copy_ndata: bool, copy_edata: bool
) -> list[Graph]:
    _check_alike(graphs)
    first = graphs[0]
    counts = [frame.num_rows for frame in first.node_frames]
    preserved = None
    if always_preserve is not None:
        preserved = or_none(node_ids(first, always_preserve, "compact_graphs"), first)
    endpoints = [ends for graph in graphs for ends in graph.schema.endpoints]
    coos = [adjacency.coo() for graph in graphs for adjacency in graph.relations]
    nodes, coos = compact_ends(endpoints, coos, counts, preserved)
    queue = iter(coos)
    return [_rebuild(graph, nodes, queue, copy_ndata, copy_edata) for graph in graphs]


def _rebuild(graph: Graph, nodes: list, coos: Any, copy_ndata: bool, copy_edata: bool) -> Graph:
    """`graph` on the nodes `nodes`, with its relations taken from the iterator `coos`."""
    adjacencies = [
        Adjacency(len(nodes[src]), len(nodes[dst]), graph.idtype, coo=next(coos))
        for src, dst in graph.schema.endpoints
    ]
    if copy_ndata:
        parts = zip(graph.node_frames, nodes, strict=True)
        node_frames = [frame.gather(ids, NID) for frame, ids in parts]
    else:
        node_frames = [Frame(len(ids), "node") for ids in nodes]
    edge_frames = [frame.copy() for frame in graph.edge_frames] if copy_edata else None
    return Graph.from_parts(graph.schema, adjacencies, node_frames, edge_frames)


def _check_alike(graphs: list[Graph]) -> None:
    for graph in graphs:
        refuse_block(graph, "compact_graphs")
    counts = [{ntype: graph.num_nodes(ntype) for ntype in graph.ntypes} for graph in graphs]
    require_equal(counts, "nodes", "compact_graphs")
    require_equal([graph.idtype for graph in graphs], "id type", "compact_graphs")
    require_equal([graph.device for graph in graphs], "device", "compact_graphs")
