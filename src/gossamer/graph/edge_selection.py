"""The part of a graph that chosen edges make."""

from __future__ import annotations

from torch import Tensor

from gossamer.graph.frame import Frame
from gossamer.graph.graph import Graph
from gossamer.graph.ids import EID, NID
from gossamer.ops.adjacency import Adjacency

__all__ = ["with_edges"]


def with_edges(
    graph: Graph,
    ends: list[tuple[Tensor, Tensor]],
    eids: list[Tensor],
    nodes: list[Tensor] | None = None,
    *,
    store_ids: bool = True,
    copy_ndata: bool = True,
    copy_edata: bool = True,
) -> Graph:
    """A graph of the types of `graph`, with some of its nodes and edges and their features.

    Parameters
    ----------
    graph : Graph
        Where features come from; they are gathered when first read.
    ends : list of (Tensor, Tensor)
        Sources and destinations of the edges of each relation, as numbered in the result.
    eids : list of Tensor
        The ids that these edges have in `graph`.
    nodes : list of Tensor, optional
        The nodes of each type, by their ids in `graph`. Default: all, as they are.
    store_ids : bool
        Whether the result has `eids` as the feature EID, and `nodes` as NID.
    copy_ndata, copy_edata : bool
        Whether it has the features of nodes and of edges.

    Returns
    -------
    Graph
        Not a batch, even if `graph` is one.
    """
    if nodes is None:
        node_frames = [frame.copy() for frame in graph.node_frames]
    else:
        node_frames = [f.gather(ids) for f, ids in zip(graph.node_frames, nodes, strict=True)]
    edge_frames = [f.gather(ids) for f, ids in zip(graph.edge_frames, eids, strict=True)]
    if not copy_ndata:
        node_frames = [Frame(frame.num_rows, "node") for frame in node_frames]
    if not copy_edata:
        edge_frames = [Frame(frame.num_rows, "edge") for frame in edge_frames]
    if store_ids:
        for frame, ids in zip(edge_frames, eids, strict=True):
            frame[EID] = ids
        for frame, ids in zip(node_frames, nodes or [], strict=False):
            frame[NID] = ids
    adjacencies = [
        Adjacency(node_frames[src].num_rows, node_frames[dst].num_rows, graph.idtype, coo=coo)
        for (src, dst), coo in zip(graph.schema.endpoints, ends, strict=True)
    ]
    return Graph.from_parts(graph.schema, adjacencies, node_frames, edge_frames)
