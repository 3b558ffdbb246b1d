"""Subgraphs of given nodes, edges and types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import (
    edge_ids,
    node_ids,
    on_device,
    refuse_block,
    require_graph,
)
from gossamer.graph.edge_selection import with_edges
from gossamer.graph.schema import CanonicalEType, Schema
from gossamer.ops.adjacency import Compressed
from gossamer.transforms._relabel import IdMap, compact_ends

__all__ = ["edge_subgraph", "edge_type_subgraph", "node_subgraph", "node_type_subgraph"]

NodeIds = Tensor | Sequence[int] | int | Mapping[str, Any]
EdgeIds = Tensor | Sequence[int] | int | Mapping[str | CanonicalEType, Any]
Device = torch.device | str | None


def node_subgraph(
    graph: Graph,
    nodes: NodeIds,
    *,
    relabel_nodes: bool = True,
    store_ids: bool = True,
    output_device: Device = None,
) -> Graph:
    """Return the subgraph induced by some nodes: these nodes and all edges between them.

    ``E' = {(u, v) in E : u in S and v in S}``. Edges are sorted by the position of their source in
    `nodes`, then by edge id. Only the out-edges of `nodes` are read.

    Parameters
    ----------
    graph : Graph
        Any graph but a block.
    nodes : ids, bool mask ``(N,)``, or dict of str to either
        The nodes ``S``; types missing from the dict keep no nodes. A node that is listed twice
        becomes two nodes: both get its out-edges, but only the first gets its in-edges.
    relabel_nodes : bool
        If True, node ``i`` of the result is ``nodes[i]``; otherwise all nodes are kept, with their
        ids.
    store_ids : bool
        If True, ``gossamer.EID`` holds the former id of each edge and, if nodes were relabeled,
        ``gossamer.NID`` that of each node.
    output_device : torch.device or str, optional
        Device of the result. Default: that of the graph.

    Returns
    -------
    Graph
        A graph with the features of the kept nodes and edges, gathered when first read. Batch sizes
        are dropped.

    Raises
    ------
    OutOfRangeError
        If a node does not exist.
    UnknownKeyError
        If a node type does not exist.
    InvalidTypeError
        If `graph` is not a graph, or it has several node types and `nodes` is not a dict.
    InvalidValueError
        If `graph` is a block, or a mask has the wrong length.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 3]))
    >>> sub = gs.node_subgraph(g, [2, 0, 1])
    >>> sub.edges()
    (tensor([0, 1, 2]), tensor([1, 2, 0]))
    >>> sub.ndata[gs.NID], sub.edata[gs.EID]
    (tensor([2, 0, 1]), tensor([2, 0, 1]))
    """
    refuse_block(graph, "node_subgraph")
    chosen = or_none(node_ids(graph, nodes, "node_subgraph"), graph)
    return on_device(induced(graph, chosen, relabel_nodes, store_ids), output_device)


def edge_subgraph(
    graph: Graph,
    edges: EdgeIds,
    *,
    relabel_nodes: bool = True,
    store_ids: bool = True,
    output_device: Device = None,
) -> Graph:
    """Return the subgraph of some edges and their nodes.

    Edges are in the order of `edges`. Nodes are numbered by their first occurrence in edges, edge
    type by edge type, sources before destinations.

    Parameters
    ----------
    graph : Graph
        Any graph; a block only with ``relabel_nodes=False``.
    edges : ids, bool mask ``(E,)``, or dict of edge type to either
        The edges; an edge that is listed twice becomes two edges. Types missing from the dict keep
        no edges.
    relabel_nodes, store_ids, output_device
        As in :func:`node_subgraph`; relabeling drops nodes without chosen edges.

    Returns
    -------
    Graph
        A graph with the features of the kept nodes and edges, gathered when first read.

    Raises
    ------
    OutOfRangeError, UnknownKeyError, InvalidTypeError, InvalidValueError
        As for :func:`node_subgraph`, for edges; also if a dict names one edge type twice.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 3]))
    >>> sub = gs.edge_subgraph(g, [3, 1])
    >>> sub.edges(), sub.ndata[gs.NID]
    ((tensor([0, 1]), tensor([2, 0])), tensor([2, 1, 3]))
    """
    require_graph(graph, "edge_subgraph")
    if relabel_nodes:
        refuse_block(graph, "edge_subgraph with relabel_nodes=True")
    eids = or_none(edge_ids(graph, edges, "edge_subgraph"), graph)
    ends = []
    for adjacency, ids in zip(graph.relations, eids, strict=True):
        row, col = adjacency.coo()
        ends.append((row.index_select(0, ids), col.index_select(0, ids)))
    return on_device(of_edges(graph, ends, eids, relabel_nodes, store_ids), output_device)


def node_type_subgraph(graph: Graph, ntypes: Sequence[str], output_device: Device = None) -> Graph:
    """Return the subgraph of some node types and every edge type between them.

    Parameters
    ----------
    graph : Graph
        Any graph but a block.
    ntypes : sequence of str
        Node types, in any order; the result keeps the order of the graph.
    output_device : torch.device or str, optional
        Device of the result. Default: that of the graph.

    Returns
    -------
    Graph
        Ids, structure and features are shared with `graph`: a feature set in one is set in the
        other.

    Raises
    ------
    UnknownKeyError
        If a node type does not exist.
    InvalidTypeError
        If `graph` is not a graph or `ntypes` is not a sequence of names.
    InvalidValueError
        If `graph` is a block, or no edge type joins the node types.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.heterograph({("a", "r", "b"): ([0], [1]), ("b", "s", "b"): ([0], [1])})
    >>> gs.node_type_subgraph(g, ["b"]).canonical_etypes
    [('b', 's', 'b')]
    """
    refuse_block(graph, "node_type_subgraph")
    names = _names(ntypes, "node_type_subgraph", "node types", graph.ntypes)
    kept = {graph.get_ntype_id(name) for name in names}
    etypes = [
        i for i, (src, dst) in enumerate(graph.schema.endpoints) if src in kept and dst in kept
    ]
    if not etypes:
        raise InvalidValueError(
            f"No edge type joins the node types {list(names)}, and a graph needs one. The edge "
            f"types are {graph.canonical_etypes}."
        )
    return on_device(_of_types(graph, sorted(kept), None, etypes), output_device)


def edge_type_subgraph(
    graph: Graph, etypes: Sequence[str | CanonicalEType], output_device: Device = None
) -> Graph:
    """Return the subgraph of some edge types and their node types.

    Parameters
    ----------
    graph : Graph
        Any graph; for a block, the result is a block.
    etypes : sequence of str or (str, str, str)
        Edge types; the result has them in this order, and node types in the order of the graph.
    output_device : torch.device or str, optional
        Device of the result. Default: that of the graph.

    Returns
    -------
    Graph
        Ids, structure and features are shared with `graph`: a feature set in one is set in the
        other.

    Raises
    ------
    UnknownKeyError
        If an edge type does not exist.
    InvalidTypeError
        If `graph` is not a graph or `etypes` is not a sequence of edge types.
    InvalidValueError
        If there is no edge type, one is named twice, or a relation name is ambiguous.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.heterograph({("a", "r", "b"): ([0], [1]), ("b", "s", "b"): ([0], [1])})
    >>> gs.edge_type_subgraph(g, ["s"]).ntypes
    ['b']
    """
    require_graph(graph, "edge_type_subgraph")
    names = _names(etypes, "edge_type_subgraph", "edge types", graph.canonical_etypes)
    kept = [graph.get_etype_id(name) for name in names]
    if not kept or len(set(kept)) < len(kept):
        raise InvalidValueError(
            "edge_type_subgraph takes at least one edge type, and each once; "
            f"got {list(names)}, of {graph.canonical_etypes}."
        )
    src = sorted({graph.schema.endpoints[i][0] for i in kept})
    dst = sorted({graph.schema.endpoints[i][1] for i in kept})
    if graph.is_block:
        return on_device(_of_types(graph, src + dst, len(src), kept), output_device)
    return on_device(_of_types(graph, sorted({*src, *dst}), None, kept), output_device)


# --------------------------------------------------------------------------------------- assembly


def or_none(chosen: list[Tensor | None], graph: Graph) -> list[Tensor]:
    nothing = torch.empty(0, dtype=graph.idtype, device=graph.device)
    return [nothing if ids is None else ids for ids in chosen]


def _names(names: Any, caller: str, what: str, known: list) -> list:
    """`names` as a list; a single str, which iterates over letters, raises."""
    single = isinstance(names, (str, Tensor)) or (isinstance(names, tuple) and names in known)
    if single or not isinstance(names, Iterable):
        raise InvalidTypeError(
            f"{caller} takes a list of {what}, got {names!r}. Put a single one into a list."
        )
    return list(names)


def induced(graph: Graph, chosen: list[Tensor], relabel: bool, store_ids: bool) -> Graph:
    """The edges among the nodes `chosen`, given by type."""
    counts = [frame.num_rows for frame in graph.node_frames]
    maps = [IdMap(ids, count) for ids, count in zip(chosen, counts, strict=True)]
    ends, eids = [], []
    for adjacency, (src, dst) in zip(graph.relations, graph.schema.endpoints, strict=True):
        row, col, eid = _edges_into(maps[dst], adjacency.csr(), chosen[src])
        if not relabel:
            row, col = chosen[src].index_select(0, row), chosen[dst].index_select(0, col)
        ends.append((row, col.to(graph.idtype)))
        eids.append(eid)
    return with_edges(graph, ends, eids, chosen if relabel else None, store_ids=store_ids)


def _edges_into(places: IdMap, edges: Compressed, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(i, position, edge id) of each edge from ``rows[i]`` to a node that has a position."""
    table = places.table(len(rows))
    if table is not None:
        return edges.gather_rows(rows, table.to(edges.indptr.dtype))
    owner, neighbors, eid = edges.gather_rows(rows)
    found = places(neighbors)
    kept = (found >= 0).nonzero().squeeze(1)
    return tuple(part.index_select(0, kept) for part in (owner, found, eid))


def of_edges(
    graph: Graph,
    ends: list[tuple[Tensor, Tensor]],
    eids: list[Tensor],
    relabel: bool,
    store_ids: bool,
) -> Graph:
    """A graph of the edges `ends` with ids `eids` of each relation.

    It has all nodes or, if `relabel`, only those of the edges.
    """
    nodes = None
    if relabel:
        counts = [frame.num_rows for frame in graph.node_frames]
        nodes, ends = compact_ends(graph.schema.endpoints, ends, counts)
    return with_edges(graph, ends, eids, nodes, store_ids=store_ids)


def _of_types(
    graph: Graph, ntypes: list[int], num_src_ntypes: int | None, etypes: list[int]
) -> Graph:
    schema = Schema(
        tuple(graph.schema.ntypes[i] for i in ntypes),
        tuple(graph.schema.canonical_etypes[i] for i in etypes),
        num_src_ntypes,
    )
    return Graph.from_parts(
        schema,
        [graph.relations[i] for i in etypes],
        [graph.node_frames[i] for i in ntypes],
        [graph.edge_frames[i] for i in etypes],
    )
