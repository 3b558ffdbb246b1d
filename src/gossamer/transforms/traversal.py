"""Orders in which to visit nodes and edges: breadth first, depth first, topological."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.adjacency import Compressed
from gossamer.transforms._arguments import require_graph

__all__ = [
    "bfs_edges_generator",
    "bfs_nodes_generator",
    "dfs_edges_generator",
    "dfs_labeled_edges_generator",
    "topological_nodes_generator",
]

_FORWARD, _REVERSE, _NONTREE = 0, 1, 2

Frontiers = tuple[Tensor, ...]


def bfs_nodes_generator(graph: Graph, source: Any, reverse: bool = False) -> Frontiers:
    """Nodes by their distance from `source`, breadth first.

    Parameters
    ----------
    graph : Graph
        One node type and one edge type; edges are walked along, one way.
    source : int or ids
        Where to start: the first frontier, as it is.
    reverse : bool
        If True, edges are walked against their direction.

    Returns
    -------
    tuple of Tensor
        Frontier ``d`` holds the nodes at distance ``d`` of the nearest source, in the order in
        which the out-edges of frontier ``d - 1`` reach them first; edges of a node come in the
        order of their ids. Nodes that cannot be reached are in none. No source, no frontier.

    Raises
    ------
    InvalidTypeError
        If `graph` is not a graph or ids are not integers.
    InvalidValueError
        If `graph` has several node or edge types.
    OutOfRangeError
        If a source does not exist.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2, 2, 3], [1, 2, 3, 3, 4, 4]))
    >>> gs.bfs_nodes_generator(g, 0)
    (tensor([0]), tensor([1]), tensor([2, 3]), tensor([4]))
    """
    compressed, sources = _start(graph, source, reverse, "bfs_nodes_generator")
    nodes, _ = _breadth_first(graph, compressed, sources)
    return nodes


def bfs_edges_generator(graph: Graph, source: Any, reverse: bool = False) -> Frontiers:
    """The edges by which :func:`bfs_nodes_generator` reaches nodes first.

    Parameters
    ----------
    graph, source, reverse
        As for :func:`bfs_nodes_generator`.

    Returns
    -------
    tuple of Tensor
        Ids of the edges that lead to the nodes of each frontier but the first, in the same order.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2, 2, 3], [1, 2, 3, 3, 4, 4]))
    >>> gs.bfs_edges_generator(g, 0)
    (tensor([0]), tensor([1, 2]), tensor([4]))
    """
    compressed, sources = _start(graph, source, reverse, "bfs_edges_generator")
    _, edges = _breadth_first(graph, compressed, sources)
    return edges


def topological_nodes_generator(graph: Graph, reverse: bool = False) -> Frontiers:
    """Nodes in topological order: each one after everything that it depends on.

    Parameters
    ----------
    graph : Graph
        One node type and one edge type, without a cycle.
    reverse : bool
        If True, edges are walked against their direction.

    Returns
    -------
    tuple of Tensor
        The first frontier holds the nodes without in-edges, ascending; each other one the nodes
        whose last in-edge comes from the frontier before, in the order of those in-edges.

    Raises
    ------
    InvalidTypeError
        If `graph` is not a graph.
    InvalidValueError
        If `graph` has several node or edge types, or a cycle (a self-loop is one).

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2, 2, 3], [1, 2, 3, 3, 4, 4]))
    >>> gs.topological_nodes_generator(g)
    (tensor([0]), tensor([1]), tensor([2]), tensor([3]), tensor([4]))
    """
    _require_one_type(graph, "topological_nodes_generator")
    compressed, adjacency = _rows(graph, reverse), graph.adjacency
    waiting = adjacency.out_degrees() if reverse else adjacency.in_degrees()
    waiting = waiting.to(torch.int64, copy=True)
    last = torch.empty_like(waiting)
    frontier = (waiting == 0).nonzero().squeeze(1)
    frontiers, seen = [], 0
    while len(frontier):
        frontiers.append(frontier)
        seen += len(frontier)
        _, slots = compressed.walk(frontier)
        reached = compressed.indices.index_select(0, slots).long()
        waiting.index_add_(0, reached, torch.full_like(reached, -1))
        reached = reached[waiting.index_select(0, reached) == 0]
        # A node is ready when its last edge has been walked.
        order = torch.arange(len(reached), device=reached.device)
        last.scatter_reduce_(0, reached, order, "amax", include_self=False)
        frontier = reached[last.index_select(0, reached) == order]
    if seen < graph.num_nodes():
        raise InvalidValueError(
            "topological_nodes_generator: the graph has a cycle, so "
            f"{graph.num_nodes() - seen} of its nodes have no place in an order. "
            "Remove self-loops and other cycles first."
        )
    return _split(graph, frontiers)


def dfs_edges_generator(graph: Graph, source: Any, reverse: bool = False) -> Frontiers:
    """Edges in the order in which a depth-first search reaches new nodes by them.

    Parameters
    ----------
    graph : Graph
        One node type and one edge type.
    source : int or ids
        Where to start. Several sources make independent searches that go on side by side.
    reverse : bool
        If True, edges are walked against their direction.

    Returns
    -------
    tuple of Tensor
        Entry ``i`` holds the id of the ``i``-th edge of each search that has so many, in the order
        of sources.

    Raises
    ------
    InvalidTypeError, InvalidValueError, OutOfRangeError
        As for :func:`bfs_nodes_generator`.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2, 2, 3], [1, 2, 3, 3, 4, 4]))
    >>> gs.dfs_edges_generator(g, 0)
    (tensor([0]), tensor([1]), tensor([3]), tensor([5]))
    """
    edges, _ = _depth_first(graph, source, reverse, False, False, "dfs_edges_generator")
    return edges


def dfs_labeled_edges_generator(
    graph: Graph,
    source: Any,
    reverse: bool = False,
    has_reverse_edge: bool = False,
    has_nontree_edge: bool = False,
    return_labels: bool = True,
) -> Frontiers | tuple[Frontiers, Frontiers]:
    """Edges in the order of a depth-first search, and what each one is there.

    Parameters
    ----------
    graph, source, reverse
        As for :func:`dfs_edges_generator`.
    has_reverse_edge : bool
        Whether a tree edge comes once more, as label 1, when the search goes back over it.
    has_nontree_edge : bool
        Whether edges to nodes that were visited before come as well, as label 2.
    return_labels : bool
        Whether to return the labels.

    Returns
    -------
    tuple of Tensor, or (tuple of Tensor, tuple of Tensor)
        Edge ids as of :func:`dfs_edges_generator`; and in the same arrangement their labels
        (int64): 0 for tree edges, which lead to a new node, 1 and 2 as above.

    Raises
    ------
    InvalidTypeError, InvalidValueError, OutOfRangeError
        As for :func:`bfs_nodes_generator`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 0], [1, 2, 2]))
    >>> edges, labels = gs.dfs_labeled_edges_generator(
    ...     g, 0, has_reverse_edge=True, has_nontree_edge=True
    ... )
    >>> torch.cat(edges), torch.cat(labels)
    (tensor([0, 1, 1, 0, 2]), tensor([0, 0, 1, 1, 2]))
    """
    edges, labels = _depth_first(
        graph, source, reverse, has_reverse_edge, has_nontree_edge, "dfs_labeled_edges_generator"
    )
    return (edges, labels) if return_labels else edges


def _require_one_type(graph: Any, name: str) -> None:
    require_graph(graph, name)
    if not graph.is_homogeneous:
        raise InvalidValueError(
            f"{name} takes a graph with one node type and one edge type, got node types "
            f"{graph.ntypes} and edge types {graph.canonical_etypes}. Use to_homogeneous first."
        )


def _rows(graph: Graph, reverse: bool) -> Compressed:
    return graph.adjacency.csc() if reverse else graph.adjacency.csr()


def _start(graph: Any, source: Any, reverse: bool, name: str) -> tuple[Compressed, Tensor]:
    _require_one_type(graph, name)
    return _rows(graph, reverse), graph._node_ids(source, 0)


def _breadth_first(
    graph: Graph, compressed: Compressed, sources: Tensor
) -> tuple[Frontiers, Frontiers]:
    """Nodes and the edges that discover them, frontier by frontier."""
    seen = torch.zeros(graph.num_nodes(), dtype=torch.bool, device=graph.device)
    found_by = torch.empty(graph.num_nodes(), dtype=torch.int64, device=graph.device)
    frontier = sources.long()
    seen[frontier] = True
    nodes, edges = [], []
    while len(frontier):
        nodes.append(frontier)
        _, slots = compressed.walk(frontier)
        reached = compressed.indices.index_select(0, slots)
        new = seen.index_select(0, reached).logical_not_().nonzero().squeeze(1)
        reached, slots = reached.index_select(0, new).long(), slots.index_select(0, new)
        # Of all edges to a new node the first one counts.
        order = torch.arange(len(reached), device=reached.device)
        found_by.scatter_reduce_(0, reached, order, "amin", include_self=False)
        first = (found_by.index_select(0, reached) == order).nonzero().squeeze(1)
        frontier, slots = reached.index_select(0, first), slots.index_select(0, first)
        seen.index_fill_(0, frontier, True)
        edges.append(slots if compressed.eids is None else compressed.eids.index_select(0, slots))
    # The last frontier leads nowhere.
    return _split(graph, nodes), _split(graph, edges[:-1])


def _split(graph: Graph, parts: list[Tensor]) -> Frontiers:
    """The parts in the graph's id type."""
    if not parts:
        return ()
    return torch.cat(parts).to(graph.idtype).split([len(part) for part in parts])


def _depth_first(
    graph: Any, source: Any, reverse: bool, has_reverse: bool, has_nontree: bool, name: str
) -> tuple[Frontiers, Frontiers]:
    compressed, sources = _start(graph, source, reverse, name)
    indptr, neighbours = compressed.indptr.tolist(), compressed.indices.tolist()
    slots: list[int] = []
    labels: list[int] = []
    steps: list[int] = []
    for start in sources.tolist():
        before = len(slots)
        _search(indptr, neighbours, start, has_reverse, has_nontree, slots, labels)
        steps.extend(range(len(slots) - before))
    if not slots:
        return (), ()
    # Step i of every search before step i + 1 of any.
    step = torch.tensor(steps, device=graph.device)
    order = torch.sort(step, stable=True).indices
    slot = torch.tensor(slots, device=graph.device)[order]
    eids = slot if compressed.eids is None else compressed.eids.index_select(0, slot)
    sizes = torch.bincount(step).tolist()
    label = torch.tensor(labels, device=graph.device)[order]
    return eids.to(graph.idtype).split(sizes), label.split(sizes)


def _search(
    indptr: list[int],
    neighbours: list[int],
    start: int,
    has_reverse: bool,
    has_nontree: bool,
    slots: list[int],
    labels: list[int],
) -> None:
    """Append the slots of one depth-first search, and their labels.

    Each edge depends on all before it, so this is a loop.
    """
    visited = {start}
    way_back: list[int] = []
    to_look_at = [iter(range(indptr[start], indptr[start + 1]))]
    while to_look_at:
        for slot in to_look_at[-1]:
            node = neighbours[slot]
            if node not in visited:
                visited.add(node)
                slots.append(slot)
                labels.append(_FORWARD)
                way_back.append(slot)
                to_look_at.append(iter(range(indptr[node], indptr[node + 1])))
                break
            if has_nontree:
                slots.append(slot)
                labels.append(_NONTREE)
        else:
            to_look_at.pop()
            if way_back:
                slot = way_back.pop()
                if has_reverse:
                    slots.append(slot)
                    labels.append(_REVERSE)
