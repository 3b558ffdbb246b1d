"""Traversal orders of nodes and edges: breadth first, depth first, topological."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import require_homogeneous
from gossamer.ops.adjacency import Compressed

__all__ = [
    "bfs_edges_generator", "bfs_nodes_generator", "dfs_edges_generator",
    "dfs_labeled_edges_generator", "topological_nodes_generator",
]  # fmt: skip

Frontiers = tuple[Tensor, ...]


def bfs_nodes_generator(graph: Graph, source: Any, reverse: bool = False) -> Frontiers:
    """Return nodes in breadth-first order, grouped by their distance from `source`.

    Parameters
    ----------
    graph : Graph
        One node type and one edge type. Edges are followed forward.
    source : int or ids
        The first frontier.
    reverse : bool
        If True, edges are followed backward.

    Returns
    -------
    tuple of Tensor
        Frontier ``d`` holds the nodes at distance ``d`` from the nearest source, in the order in
        which the out-edges of frontier ``d - 1`` first reach them. The edges of a node are
        followed in the order of their ids. Unreachable nodes are not returned. If `source` is
        empty, so is the result.

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
    nodes, _, sizes = kernels.breadth_first(*compressed, sources)
    return _frontiers(nodes, sizes.tolist())


def bfs_edges_generator(graph: Graph, source: Any, reverse: bool = False) -> Frontiers:
    """Return the edges by which :func:`bfs_nodes_generator` first reaches each node.

    Parameters
    ----------
    graph, source, reverse
        As for :func:`bfs_nodes_generator`.

    Returns
    -------
    tuple of Tensor
        Ids of the edges to the nodes of each frontier except the first, in the same order.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2, 2, 3], [1, 2, 3, 3, 4, 4]))
    >>> gs.bfs_edges_generator(g, 0)
    (tensor([0]), tensor([1, 2]), tensor([4]))
    """
    compressed, sources = _start(graph, source, reverse, "bfs_edges_generator")
    _, edges, sizes = kernels.breadth_first(*compressed, sources)
    # No edge leads to the sources.
    return _frontiers(edges, sizes[1:].tolist())


def topological_nodes_generator(graph: Graph, reverse: bool = False) -> Frontiers:
    """Return nodes in topological order: each node after the sources of all its in-edges.

    Parameters
    ----------
    graph : Graph
        One node type and one edge type, without a cycle.
    reverse : bool
        If True, edges are followed backward.

    Returns
    -------
    tuple of Tensor
        The first frontier holds the nodes without in-edges, ascending; each later frontier holds
        the nodes whose last in-edge comes from the previous frontier, in the order of these
        in-edges.

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
    require_homogeneous(graph, "topological_nodes_generator")
    compressed, adjacency = _rows(graph, reverse), graph.adjacency
    in_degrees = adjacency.out_degrees() if reverse else adjacency.in_degrees()
    nodes, sizes = kernels.topological(compressed.indptr, compressed.indices, in_degrees)
    if len(nodes) < graph.num_nodes():
        raise InvalidValueError(
            "topological_nodes_generator: the graph has a cycle, so "
            f"{graph.num_nodes() - len(nodes)} of its nodes have no topological order. "
            "Remove self-loops and other cycles first."
        )
    return _frontiers(nodes, sizes.tolist())


def dfs_edges_generator(graph: Graph, source: Any, reverse: bool = False) -> Frontiers:
    """Return the tree edges of a depth-first search, in the order of the search.

    Parameters
    ----------
    graph : Graph
        One node type and one edge type.
    source : int or ids
        Start nodes. Each starts an independent search; the searches advance in parallel.
    reverse : bool
        If True, edges are followed backward.

    Returns
    -------
    tuple of Tensor
        Entry ``i`` holds the ``i``-th edge of each search that has more than ``i`` edges, in the
        order of sources.

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
    edges, _, sizes = _depth_first(graph, source, reverse, False, False, "dfs_edges_generator")
    return _frontiers(edges, sizes)


def dfs_labeled_edges_generator(
    graph: Graph,
    source: Any,
    reverse: bool = False,
    has_reverse_edge: bool = False,
    has_nontree_edge: bool = False,
    return_labels: bool = True,
) -> Frontiers | tuple[Frontiers, Frontiers]:
    """Return edges in the order of a depth-first search, with labels.

    Parameters
    ----------
    graph, source, reverse
        As for :func:`dfs_edges_generator`.
    has_reverse_edge : bool
        Whether to list a tree edge again, with label 1, when the search backtracks.
    has_nontree_edge : bool
        Whether to list edges to visited nodes, with label 2.
    return_labels : bool
        Whether to return the labels.

    Returns
    -------
    tuple of Tensor, or (tuple of Tensor, tuple of Tensor)
        Edge ids as for :func:`dfs_edges_generator`, and their labels (int64): 0 for tree edges, 1
        and 2 as above.

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
    edges, labels, sizes = _depth_first(
        graph, source, reverse, has_reverse_edge, has_nontree_edge, "dfs_labeled_edges_generator"
    )
    frontiers = _frontiers(edges, sizes)
    return (frontiers, _frontiers(labels, sizes)) if return_labels else frontiers


def _rows(graph: Graph, reverse: bool) -> Compressed:
    return graph.adjacency.csc() if reverse else graph.adjacency.csr()


def _start(graph: Any, source: Any, reverse: bool, name: str) -> tuple[Compressed, Tensor]:
    require_homogeneous(graph, name)
    return _rows(graph, reverse), graph.checked_nodes(source, 0).contiguous()


def _depth_first(
    graph: Any, source: Any, reverse: bool, has_reverse: bool, has_nontree: bool, name: str
) -> tuple[Tensor, Tensor, list[int]]:
    """Edges and labels of all searches, step by step, and the number of edges in each step."""
    compressed, sources = _start(graph, source, reverse, name)
    searches = [
        kernels.depth_first(*compressed, start, bool(has_reverse), bool(has_nontree))
        for start in sources.tolist()
    ]
    if not searches:
        return sources, sources, []
    if len(searches) == 1:
        edges, labels = searches[0]
        return edges.to(graph.idtype), labels, [1] * len(edges)
    # Step i of every search before step i + 1 of any.
    step = torch.cat([torch.arange(len(edges), device=graph.device) for edges, _ in searches])
    order = torch.sort(step, stable=True).indices
    edges, labels = (torch.cat(parts)[order] for parts in zip(*searches, strict=True))
    return edges.to(graph.idtype), labels, torch.bincount(step).tolist()


def _frontiers(found: Tensor, sizes: list[int]) -> Frontiers:
    # torch.split needs at least one part.
    return found.split(sizes) if sizes else ()
