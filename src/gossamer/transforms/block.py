"""Convert graphs to blocks, which separate source and destination nodes, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidValueError
from gossamer.graph import EID, NID, Graph
from gossamer.graph.arguments import node_ids, refuse_block, require_graph
from gossamer.graph.schema import Schema
from gossamer.ops.adjacency import Adjacency
from gossamer.transforms._relabel import IdMap, distinct, relabel
from gossamer.transforms.subgraph import or_none

__all__ = ["block_to_graph", "to_block"]

NodeIds = Tensor | Sequence[int] | Mapping[str, Any]


def to_block(
    g: Graph,
    dst_nodes: NodeIds | None = None,
    include_dst_in_src: bool = True,
    src_nodes: NodeIds | None = None,
) -> Graph:
    """Convert a graph to a block, the bipartite graph on which one layer computes.

    Every edge ``u -> v`` becomes an edge from source node ``u'`` to destination node ``v'`` with
    the same id. Every node type is on both sides. The destination nodes come first among the source
    nodes, in the same order; the other sources follow in the order in which they first occur in
    edges, edge type by edge type. Therefore
    ``block.srcdata["h"][:block.num_dst_nodes()]`` holds the features of the destination nodes.

    Parameters
    ----------
    g : Graph
        Any graph but a block.
    dst_nodes : ids or bool mask ``(N,)``, or dict of str to either, optional
        Destination nodes. They must include all nodes that have an in-edge. Edge types into a node
        type without destination nodes lose their edges. If a node is listed twice, its edges go to
        its last position. Default: the nodes that have an in-edge, ascending.
    include_dst_in_src : bool
        Whether the destination nodes come first among the source nodes.
    src_nodes : ids or bool mask ``(N,)``, or dict of str to either, optional
        Source nodes, in this order. They must include all nodes that have an out-edge, and begin
        with the destination nodes if `include_dst_in_src`. Types missing from the dict get the
        default: nodes in order of first occurrence.

    Returns
    -------
    Graph
        A block. ``gossamer.NID`` in `srcdata` and `dstdata` and ``gossamer.EID`` in `edata` hold
        the ids in `g`. Other features are kept; their rows are gathered when first read.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph, or it has several node types and nodes are not given as a dict.
    InvalidValueError
        If `g` is a block, `dst_nodes` lacks a node with an in-edge, `src_nodes` lacks a node with
        an out-edge, or, with `include_dst_in_src`, `src_nodes` does not begin with the destination
        nodes.
    OutOfRangeError, UnknownKeyError
        If a node or node type does not exist.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([1, 2, 5], [2, 3, 3]))
    >>> block = gs.to_block(g, [3, 2])
    >>> block.edges(), block.srcdata[gs.NID]
    ((tensor([2, 1, 3]), tensor([1, 0, 0])), tensor([3, 2, 1, 5]))
    """
    refuse_block(g, "to_block")
    targets = _destinations(g, dst_nodes)
    alive = [len(targets[dst]) > 0 for _, dst in g.schema.endpoints]
    maps = [
        IdMap(ids, frame.num_rows, last=True)
        for ids, frame in zip(targets, g.node_frames, strict=True)
    ]
    rows, cols = [], []
    for i, (adjacency, (_, dst)) in enumerate(zip(g.relations, g.schema.endpoints, strict=True)):
        row, col = adjacency.coo() if alive[i] else (targets[dst], targets[dst])
        rows.append(row)
        cols.append(_places(g, maps[dst], col, dst, "dst_nodes"))
    sources, rows = _sources(g, rows, targets, maps, include_dst_in_src, src_nodes)
    return _block(g, sources, targets, rows, cols, alive)


def _destinations(g: Graph, dst_nodes: NodeIds | None) -> list[Tensor]:
    """Destination nodes of each type."""
    if dst_nodes is not None:
        return or_none(node_ids(g, dst_nodes, "to_block: dst_nodes"), g)
    nothing = torch.empty(0, dtype=g.idtype, device=g.device)
    named = [[nothing] for _ in g.ntypes]
    for adjacency, (_, dst) in zip(g.relations, g.schema.endpoints, strict=True):
        named[dst].append(adjacency.coo()[1])
    return [
        distinct(torch.cat(parts), frame.num_rows)
        for parts, frame in zip(named, g.node_frames, strict=True)
    ]


def _sources(
    g: Graph,
    rows: list[Tensor],
    targets: list[Tensor],
    maps: list[IdMap],
    include_dst: bool,
    src_nodes: NodeIds | None,
) -> tuple[list[Tensor], list[Tensor]]:
    """Source nodes of each type, and the renumbered sources of each relation."""
    given: list[Tensor | None] = [None] * len(targets)
    if src_nodes is not None:
        given = node_ids(g, src_nodes, "to_block: src_nodes")
    of_type: list[list[int]] = [[] for _ in targets]
    for i, (src, _) in enumerate(g.schema.endpoints):
        of_type[src].append(i)
    nodes, renumbered = [], list(rows)
    for position, relations in enumerate(of_type):
        limit = g.node_frames[position].num_rows
        prefix = targets[position] if include_dst else targets[position][:0]
        parts = [rows[i] for i in relations]
        if given[position] is None:
            chosen, parts = _number(prefix, parts, maps[position], limit)
        else:
            chosen = given[position]
            _check_prefix(g, chosen, prefix, position)
            where = IdMap(chosen, limit)
            parts = [_places(g, where, part, position, "src_nodes") for part in parts]
        nodes.append(chosen)
        for i, part in zip(relations, parts, strict=True):
            renumbered[i] = part
    return nodes, renumbered


def _number(
    prefix: Tensor, parts: list[Tensor], places: IdMap, limit: int
) -> tuple[Tensor, list[Tensor]]:
    """`prefix`, then the other ids of `parts` in order of appearance; and the renumbered parts."""
    nodes, (start, *parts) = relabel([prefix, *parts], limit)
    # The largest position plus one is the number of distinct ids in the prefix.
    surplus = len(prefix) - int(start.max()) - 1 if len(start) else 0
    if surplus:
        # An id that occurs several times in the prefix is mapped to its last position.
        head = len(prefix) - surplus
        table = torch.arange(len(nodes), device=nodes.device, dtype=nodes.dtype) + surplus
        table[:head] = places(nodes[:head]).to(nodes.dtype)
        nodes = torch.cat([prefix, nodes[head:]])
        parts = [table.index_select(0, part) for part in parts]
    return nodes, parts


def _places(g: Graph, where: IdMap, ids: Tensor, position: int, argument: str) -> Tensor:
    places = where(ids).to(g.idtype)
    if len(places) and int(places.min()) < 0:
        missing = int(ids[places < 0][0])
        side = "an in-edge" if argument == "dst_nodes" else "an out-edge"
        raise InvalidValueError(
            f"to_block: node {missing} of type '{g.ntypes[position]}' has {side} but is not among "
            f"{argument}. Add it, or remove its edges first, for example with gossamer.in_subgraph."
        )
    return places


def _check_prefix(g: Graph, chosen: Tensor, prefix: Tensor, position: int) -> None:
    if not torch.equal(chosen[: len(prefix)], prefix):
        raise InvalidValueError(
            f"to_block: src_nodes of type '{g.ntypes[position]}' must begin with the "
            f"{len(prefix)} destination nodes, in their order. Put them first, or pass "
            "include_dst_in_src=False."
        )


def _block(
    g: Graph,
    sources: list[Tensor],
    targets: list[Tensor],
    rows: list[Tensor],
    cols: list[Tensor],
    alive: list[bool],
) -> Graph:
    node_frames = [
        frame.gather(ids, NID)
        for nodes in (sources, targets)
        for frame, ids in zip(g.node_frames, nodes, strict=True)
    ]
    adjacencies, edge_frames = [], []
    for i, (src, dst) in enumerate(g.schema.endpoints):
        size = len(sources[src]), len(targets[dst])
        adjacencies.append(Adjacency(*size, g.idtype, coo=(rows[i], cols[i])))
        eids = torch.arange(len(rows[i]), dtype=g.idtype, device=g.device)
        frame = g.edge_frames[i].copy() if alive[i] else g.edge_frames[i].gather(eids)
        frame[EID] = eids
        edge_frames.append(frame)
    schema = Schema(g.schema.ntypes * 2, g.schema.canonical_etypes, len(g.ntypes))
    return Graph.from_parts(schema, adjacencies, node_frames, edge_frames)


def block_to_graph(block: Graph) -> Graph:
    """Convert a block to an ordinary bipartite graph.

    Node type ``"t"`` becomes ``"t_src"`` on the source side and ``"t_dst"`` on the destination
    side; ids, edges and features are kept.

    Parameters
    ----------
    block : Graph
        A block.

    Returns
    -------
    Graph
        A graph that shares structure and feature tensors with `block`. Features that are set later
        are not shared.

    Raises
    ------
    InvalidTypeError
        If `block` is not a graph.
    InvalidValueError
        If `block` is an ordinary graph.

    Examples
    --------
    >>> import gossamer as gs
    >>> block = gs.to_block(gs.graph(([1, 2], [2, 3])), [3, 2])
    >>> g = gs.block_to_graph(block)
    >>> g.canonical_etypes, g.num_nodes("_N_src")
    ([('_N_src', '_E', '_N_dst')], 3)
    """
    require_graph(block, "block_to_graph")
    if not block.is_block:
        raise InvalidValueError(
            "block_to_graph takes a block, got an ordinary graph. Convert it with "
            "gossamer.to_block."
        )
    schema = block.schema
    sources = tuple(f"{name}_src" for name in schema.ntypes[: schema.num_src_ntypes])
    targets = tuple(f"{name}_dst" for name in schema.ntypes[schema.num_src_ntypes :])
    etypes = tuple((f"{s}_src", rel, f"{d}_dst") for s, rel, d in schema.canonical_etypes)
    return Graph.from_parts(
        Schema(sources + targets, etypes),
        list(block.relations),
        [frame.copy() for frame in block.node_frames],
        [frame.copy() for frame in block.edge_frames],
    )
