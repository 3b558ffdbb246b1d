"""Build a graph from chosen edges of another graph."""

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
    """Build a graph with the types of `graph` and some of its nodes, edges and features.

    Parameters
    ----------
    graph : Graph
        The source of the features, which are gathered on first access.
    ends : list of (Tensor, Tensor)
        Sources and destinations of the edges of each relation, as ids of the result.
    eids : list of Tensor
        The ids of these edges in `graph`.
    nodes : list of Tensor, optional
        The ids in `graph` of the nodes of each type. Default: all nodes, with their ids.
    store_ids : bool
        Whether to store `eids` as the feature EID, and `nodes` as NID.
    copy_ndata, copy_edata : bool
        Whether to keep node features and edge features.

    Returns
    -------
    Graph
        The graph, without batch sizes even if `graph` is a batch.
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
