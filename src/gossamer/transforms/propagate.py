"""Message passing over nodes or edges in a given order, group by group."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gossamer.errors import InvalidTypeError
from gossamer.graph import Graph
from gossamer.graph.arguments import require_graph
from gossamer.transforms.traversal import (
    bfs_nodes_generator,
    dfs_labeled_edges_generator,
    topological_nodes_generator,
)

__all__ = ["prop_edges", "prop_edges_dfs", "prop_nodes", "prop_nodes_bfs", "prop_nodes_topo"]

# In old programs, this default selects functions registered on the graph; these are not supported.
_DEFAULT = "default"


def prop_nodes(
    graph: Graph,
    nodes_generator: Iterable,
    message_func: Any = _DEFAULT,
    reduce_func: Any = _DEFAULT,
    apply_node_func: Callable | str | None = _DEFAULT,
) -> None:
    """Call :meth:`Graph.pull` on each group of nodes in turn.

    Parameters
    ----------
    graph : Graph
        One edge type.
    nodes_generator : iterable of ids
        Groups of nodes.
    message_func, reduce_func : built-in or user-defined functions
        As for :meth:`Graph.pull`; both are required.
    apply_node_func : callable, optional
        Applied to the nodes of each group after message passing. Default: none.

    Raises
    ------
    InvalidTypeError
        If `graph` is not a graph, or a function is missing.
    InvalidValueError
        If `graph` has several edge types.
    OutOfRangeError
        If a node does not exist.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> from gossamer import function as fn
    >>> g = gs.graph(([0, 1], [1, 2]))
    >>> g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0])
    >>> gs.prop_nodes(g, [[1], [2]], fn.copy_u("h", "m"), fn.sum("m", "h"))
    >>> g.ndata["h"]
    tensor([1., 1., 1.])
    """
    apply = _checked(graph, message_func, reduce_func, apply_node_func, "prop_nodes")
    graph.prop_nodes(nodes_generator, message_func, reduce_func, apply)


def prop_edges(
    graph: Graph,
    edges_generator: Iterable,
    message_func: Any = _DEFAULT,
    reduce_func: Any = _DEFAULT,
    apply_node_func: Callable | str | None = _DEFAULT,
) -> None:
    """Call :meth:`Graph.send_and_recv` on each group of edges in turn.

    Parameters
    ----------
    graph : Graph
        One edge type.
    edges_generator : iterable of ids or (sources, destinations)
        Groups of edges.
    message_func, reduce_func, apply_node_func
        As for :func:`prop_nodes`.

    Raises
    ------
    InvalidTypeError, InvalidValueError, OutOfRangeError
        As for :func:`prop_nodes`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> from gossamer import function as fn
    >>> g = gs.graph(([0, 1], [1, 2]))
    >>> g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0])
    >>> gs.prop_edges(g, [[1], [0]], fn.copy_u("h", "m"), fn.sum("m", "h"))
    >>> g.ndata["h"]
    tensor([1., 1., 2.])
    """
    apply = _checked(graph, message_func, reduce_func, apply_node_func, "prop_edges")
    graph.prop_edges(edges_generator, message_func, reduce_func, apply)


def prop_nodes_bfs(
    graph: Graph,
    source: Any,
    message_func: Any,
    reduce_func: Any,
    reverse: bool = False,
    apply_node_func: Callable | None = None,
) -> None:
    """Call :func:`prop_nodes` on the frontiers of :func:`bfs_nodes_generator`, sources included.

    Parameters
    ----------
    graph, source, reverse
        As for :func:`bfs_nodes_generator`. `reverse` only affects the order; messages are always
        sent along edges.
    message_func, reduce_func, apply_node_func
        As for :func:`prop_nodes`.

    Raises
    ------
    InvalidTypeError, InvalidValueError, OutOfRangeError
        As for :func:`bfs_nodes_generator` and :func:`prop_nodes`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> from gossamer import function as fn
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0])
    >>> gs.prop_nodes_bfs(g, 0, fn.copy_u("h", "m"), fn.sum("m", "h"))
    >>> g.ndata["h"]
    tensor([3., 3., 3.])
    """
    _checked(graph, message_func, reduce_func, apply_node_func, "prop_nodes_bfs")
    frontiers = bfs_nodes_generator(graph, source, reverse)
    prop_nodes(graph, frontiers, message_func, reduce_func, apply_node_func)


def prop_nodes_topo(
    graph: Graph,
    message_func: Any,
    reduce_func: Any,
    reverse: bool = False,
    apply_node_func: Callable | None = None,
) -> None:
    """Call :func:`prop_nodes` on the frontiers of :func:`topological_nodes_generator`.

    The nodes of the first frontier, which have no in-edges, get zeros.

    Parameters
    ----------
    graph, reverse
        As for :func:`topological_nodes_generator`. `reverse` only affects the order; messages are
        always sent along edges.
    message_func, reduce_func, apply_node_func
        As for :func:`prop_nodes`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        As for :func:`topological_nodes_generator` and :func:`prop_nodes`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> from gossamer import function as fn
    >>> g = gs.graph(([0, 1, 2], [2, 2, 3]))
    >>> g.ndata["h"], g.ndata["x"] = torch.zeros(4), torch.tensor([1.0, 2.0, 3.0, 4.0])
    >>> gs.prop_nodes_topo(
    ...     g,
    ...     fn.copy_u("h", "m"),
    ...     fn.sum("m", "h"),
    ...     apply_node_func=lambda nodes: {"h": nodes.data["h"] + nodes.data["x"]},
    ... )
    >>> g.ndata["h"]
    tensor([ 1.,  2.,  6., 10.])
    """
    _checked(graph, message_func, reduce_func, apply_node_func, "prop_nodes_topo")
    frontiers = topological_nodes_generator(graph, reverse)
    prop_nodes(graph, frontiers, message_func, reduce_func, apply_node_func)


def prop_edges_dfs(
    graph: Graph,
    source: Any,
    message_func: Any,
    reduce_func: Any,
    reverse: bool = False,
    has_reverse_edge: bool = False,
    has_nontree_edge: bool = False,
    apply_node_func: Callable | None = None,
) -> None:
    """Call :func:`prop_edges` on the edges of :func:`dfs_labeled_edges_generator`.

    Parameters
    ----------
    graph, source, reverse, has_reverse_edge, has_nontree_edge
        As for :func:`dfs_labeled_edges_generator`; messages are always sent along edges.
    message_func, reduce_func, apply_node_func
        As for :func:`prop_nodes`.

    Raises
    ------
    InvalidTypeError, InvalidValueError, OutOfRangeError
        As for :func:`bfs_nodes_generator` and :func:`prop_nodes`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> from gossamer import function as fn
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0])
    >>> gs.prop_edges_dfs(g, 0, fn.copy_u("h", "m"), fn.sum("m", "h"))
    >>> g.ndata["h"]
    tensor([1., 1., 1.])
    """
    _checked(graph, message_func, reduce_func, apply_node_func, "prop_edges_dfs")
    frontiers = dfs_labeled_edges_generator(
        graph, source, reverse, has_reverse_edge, has_nontree_edge, return_labels=False
    )
    prop_edges(graph, frontiers, message_func, reduce_func, apply_node_func)


def _checked(
    graph: Any, message_func: Any, reduce_func: Any, apply_node_func: Any, name: str
) -> Callable | None:
    """Validate the arguments; return the function to apply to nodes."""
    require_graph(graph, name)
    for what, given in (("message_func", message_func), ("reduce_func", reduce_func)):
        if isinstance(given, str) or given is None:
            raise InvalidTypeError(
                f"{name}: {what} must be a built-in or user-defined function, got {given!r}. "
                "Functions cannot be registered on graphs."
            )
    apply = None if apply_node_func == _DEFAULT else apply_node_func
    if apply is not None and not callable(apply):
        raise InvalidTypeError(f"{name}: apply_node_func must be callable, got {apply!r}.")
    return apply
