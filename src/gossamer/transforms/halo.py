"""Parts of a graph with halos: copies of neighbors from other parts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.errors import InvalidValueError, OutOfRangeError
from gossamer.graph import EID, NID, Graph
from gossamer.graph.arguments import require_homogeneous
from gossamer.graph.frame import Frame
from gossamer.graph.ids import as_id_tensor
from gossamer.ops.adjacency import Adjacency
from gossamer.transforms._relabel import relabel

__all__ = ["partition_graph_with_halo"]


def partition_graph_with_halo(
    g: Graph, node_part: Tensor, extra_cached_hops: int, reshuffle: bool = False
) -> tuple[dict[int, Graph], Tensor | None, Tensor | None]:
    """Split a graph into the parts given by `node_part`, each with a halo of nodes of other parts.

    A part contains its own nodes, in ascending order. With ``h = extra_cached_hops >= 1``, it also
    contains the nodes that reach them within ``h`` edges, in the order of a breadth-first search,
    and the destinations of their out-edges. Its edges are the in-edges of its own nodes, the
    in-edges of halo nodes less than ``h`` edges away, and the out-edges of its own nodes. With
    ``h = 0``, only edges between its own nodes are kept.

    Parameters
    ----------
    g : Graph
        One node type and one edge type.
    node_part : Tensor
        ``(N,)``, the part of each node: 0, 1, 2, ... A part may be empty.
    extra_cached_hops : int
        Number of hops ``h`` of the halo, 0 or more.
    reshuffle : bool
        If True, nodes are renumbered part by part, and edges by destination, before the graph is
        split, so that the own nodes of a part have consecutive ids.

    Returns
    -------
    dict of int to Graph
        The parts, without the features of `g`. Node features: ``gossamer.NID``, the id in `g` (with
        `reshuffle` the new one, and the former one in ``"orig_id"``); ``"inner_node"`` int32, 1 for
        own nodes; ``"part_id"``, the part that owns a node. Edge features: ``gossamer.EID`` and
        ``"orig_id"`` likewise; ``"inner_edge"`` int8, 1 for in-edges of own nodes.
    Tensor or None
        ``(N,)`` former id of each node, with `reshuffle`.
    Tensor or None
        ``(E,)`` former id of each edge, with `reshuffle`.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph, or parts or hops are not integers.
    InvalidValueError
        If `g` is a block or has several types, `node_part` does not have N elements, or the number
        of hops is negative.
    OutOfRangeError
        If a part is negative.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2, 3], [1, 2, 3, 0]))
    >>> parts, _, _ = gs.partition_graph_with_halo(g, torch.tensor([0, 0, 1, 1]), 1)
    >>> parts[0].ndata[gs.NID], parts[0].ndata["inner_node"]
    (tensor([0, 1, 3, 2]), tensor([1, 1, 0, 0], dtype=torch.int32))
    >>> parts[0].edata[gs.EID], parts[0].edata["inner_edge"]
    (tensor([3, 0, 1]), tensor([1, 1, 0], dtype=torch.int8))
    """
    name = "partition_graph_with_halo"
    require_homogeneous(g, name)
    hops = as_int(extra_cached_hops, name, "extra_cached_hops", 0)
    home = _checked_parts(g, node_part, name)
    num_parts = int(home.max()) + 1 if len(home) else 0
    adjacency, former_nodes, former_edges = g.adjacency, None, None
    if reshuffle:
        former_nodes = torch.argsort(home, stable=True).to(g.idtype)
        row, col, former_edges = adjacency.in_slots(former_nodes)
        place = torch.empty_like(former_nodes)
        place[former_nodes.long()] = torch.arange(len(home), dtype=g.idtype, device=g.device)
        coo = place.index_select(0, row), place.index_select(0, col)
        adjacency = Adjacency(adjacency.num_src, adjacency.num_dst, g.idtype, coo=coo)
        home = home.index_select(0, former_nodes)
    parts = {
        p: _part(adjacency, home, p, hops, former_nodes, former_edges, g) for p in range(num_parts)
    }
    return parts, former_nodes, former_edges


def _checked_parts(g: Graph, node_part: Any, name: str) -> Tensor:
    home = as_id_tensor(node_part, "parts of nodes", g.device).long()
    if len(home) != g.num_nodes():
        raise InvalidValueError(
            f"{name}: node_part needs one part for each of the {g.num_nodes()} nodes, got "
            f"{len(home)}."
        )
    if len(home) and int(home.min()) < 0:
        raise OutOfRangeError(f"{name}: parts are 0, 1, 2, ..., got {int(home.min())}.")
    return home


def _part(
    adjacency: Adjacency,
    home: Tensor,
    p: int,
    hops: int,
    former_nodes: Tensor | None,
    former_edges: Tensor | None,
    g: Graph,
) -> Graph:
    own = (home == p).nonzero().squeeze(1).to(g.idtype)
    row, col, eids = _edges_around(adjacency, own, home == p, hops)
    nodes, (_, row, col) = relabel([own, row, col], len(home))
    node_frame, edge_frame = Frame(len(nodes), "node"), Frame(len(eids), "edge")
    node_frame[NID], edge_frame[EID] = nodes, eids
    if former_nodes is not None:
        node_frame["orig_id"] = former_nodes.index_select(0, nodes)
        edge_frame["orig_id"] = former_edges.index_select(0, eids)
    where = home.index_select(0, nodes)
    node_frame["part_id"] = where
    node_frame["inner_node"] = (where == p).int()
    edge_frame["inner_edge"] = (where.index_select(0, col) == p).to(torch.int8)
    local = Adjacency(len(nodes), len(nodes), g.idtype, coo=(row, col))
    return Graph.from_parts(g.schema, [local], [node_frame], [edge_frame])


def _edges_around(
    adjacency: Adjacency, own: Tensor, is_own: Tensor, hops: int
) -> tuple[Tensor, Tensor, Tensor]:
    """(source, destination, id) of the edges of a part, and its nodes in order of appearance."""
    edges = adjacency.in_slots(own)
    if hops == 0:
        return _where(edges, is_own.index_select(0, edges[0]))
    groups, met = [edges], is_own.clone()
    for _ in range(hops - 1):
        sources = groups[-1][0]
        frontier, _ = relabel([sources[~met.index_select(0, sources)]], len(met))
        met.index_fill_(0, frontier.long(), True)
        edges = adjacency.in_slots(frontier)
        # Edges from the part itself are among its out-edges below.
        groups.append(_where(edges, ~is_own.index_select(0, edges[0])))
    edges = adjacency.out_slots(own)
    groups.append(_where(edges, ~is_own.index_select(0, edges[1])))
    return tuple(torch.cat(parts) for parts in zip(*groups, strict=True))


def _where(edges: tuple[Tensor, ...], mask: Tensor) -> tuple[Tensor, ...]:
    return tuple(tensor[mask] for tensor in edges)
