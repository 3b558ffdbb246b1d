"""Add and remove nodes, edges and self-loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import feature_names, require_graph

__all__ = [
    "add_edges", "add_nodes", "add_self_loop", "remove_edges", "remove_nodes", "remove_self_loop",
]  # fmt: skip

_AGGREGATORS = ("sum", "mean", "max", "min")


def add_nodes(
    g: Graph, num: int, data: Mapping[str, Tensor] | None = None, ntype: str | None = None
) -> Graph:
    """Return a copy of `g` with added nodes; see :meth:`Graph.add_nodes`.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.add_nodes(gs.graph(([0], [1])), 3).num_nodes()
    5
    """
    return _edited(g, "add_nodes", num, data=data, ntype=ntype)


def add_edges(
    g: Graph, u: Any, v: Any, data: Mapping[str, Tensor] | None = None, etype: Any = None
) -> Graph:
    """Return a copy of `g` with added edges; see :meth:`Graph.add_edges`.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.add_edges(gs.graph(([0], [1])), [1], [0]).edges()
    (tensor([0, 1]), tensor([1, 0]))
    """
    return _edited(g, "add_edges", u, v, data=data, etype=etype)


def remove_edges(g: Graph, eids: Any, etype: Any = None, store_ids: bool = False) -> Graph:
    """Return a copy of `g` without some edges; see :meth:`Graph.remove_edges`.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.remove_edges(gs.graph(([0, 1], [1, 0])), [0]).edges()
    (tensor([1]), tensor([0]))
    """
    return _edited(g, "remove_edges", eids, etype=etype, store_ids=store_ids)


def remove_nodes(g: Graph, nids: Any, ntype: str | None = None, store_ids: bool = False) -> Graph:
    """Return a copy of `g` without some nodes and their edges; see :meth:`Graph.remove_nodes`.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.remove_nodes(gs.graph(([0, 1], [1, 2])), [0]).edges()
    (tensor([0]), tensor([1]))
    """
    return _edited(g, "remove_nodes", nids, ntype=ntype, store_ids=store_ids)


def _edited(g: Graph, method: str, *args: Any, **options: Any) -> Graph:
    """A copy of `g` on which the method has been called."""
    require_graph(g, method)
    g = g.clone()
    getattr(g, method)(*args, **options)
    return g


def add_self_loop(
    g: Graph,
    edge_feat_names: Sequence[str] | None = None,
    fill_data: float | Tensor | str = 1.0,
    etype: Any = None,
) -> Graph:
    """Return a copy of `g` with an added self-loop on every node.

    Nodes that have a self-loop get another one; call :func:`remove_self_loop` first to avoid this.

    Parameters
    ----------
    g : Graph
        Any graph in which `etype` joins a node type with itself.
    edge_feat_names : sequence of str, optional
        Edge features to fill with `fill_data` on the new edges; other features get values from the
        initializer (by default, zeros). Default: all.
    fill_data : float, Tensor or {"sum", "mean", "max", "min"}
        A value, a row, or the reduction of the features of the in-edges of each node.
    etype : str or (str, str, str), optional
        Edge type; may be left out if there is only one.

    Returns
    -------
    Graph
        The graph with self-loops. Batch sizes are dropped.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.add_self_loop(gs.graph(([0, 1], [1, 2]))).edges()
    (tensor([0, 1, 0, 1, 2]), tensor([1, 2, 0, 1, 2]))
    """
    etype = _loop_etype(g, etype, "add_self_loop")
    features = g.edges[etype].data
    names = feature_names(
        features if edge_feat_names is None else edge_feat_names, "add_self_loop: edge_feat_names"
    )
    relation, count = g.relation(etype), g.num_nodes(etype[0])
    data = {name: _loop_rows(relation, features[name], fill_data, count) for name in names}
    nodes = g.nodes(etype[0])
    return add_edges(g, nodes, nodes, data=data, etype=etype)


def _loop_rows(relation: Any, feature: Tensor, fill: Any, count: int) -> Tensor:
    if isinstance(fill, str):
        if fill not in _AGGREGATORS:
            raise InvalidValueError(
                f"add_self_loop: fill_data must be a number, a tensor or one of "
                f"{list(_AGGREGATORS)}, got {fill!r}."
            )
        return ops.gspmm(relation, "copy_rhs", fill, None, feature)
    if not isinstance(fill, (int, float, Tensor)):
        raise InvalidTypeError(
            f"add_self_loop: fill_data must be a number, a tensor or one of "
            f"{list(_AGGREGATORS)}, got {type(fill).__name__}."
        )
    row = torch.as_tensor(fill, dtype=feature.dtype, device=feature.device)
    shape = (count, *feature.shape[1:])
    try:
        return row.expand(shape).clone()
    except RuntimeError:
        raise InvalidValueError(
            f"add_self_loop: fill_data has shape {tuple(row.shape)}, which is neither one value "
            f"nor one row of a feature whose new rows have shape {shape}."
        ) from None


def remove_self_loop(g: Graph, etype: Any = None) -> Graph:
    """Return a copy of `g` without self-loops; other edges keep their order and features.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.remove_self_loop(gs.graph(([0, 1, 1], [1, 1, 2]))).edges()
    (tensor([0, 1]), tensor([1, 2]))
    """
    etype = _loop_etype(g, etype, "remove_self_loop")
    u, v = g.edges(etype=etype)
    return remove_edges(g, (u == v).nonzero().squeeze(1), etype=etype)


def _loop_etype(g: Graph, etype: Any, name: str) -> tuple[str, str, str]:
    require_graph(g, name)
    etype = g.to_canonical_etype(etype)
    if etype[0] != etype[2]:
        raise InvalidValueError(
            f"{name}: edge type {etype} joins two node types, so it has no self-loops. "
            "Name an edge type that joins a type with itself."
        )
    return etype
