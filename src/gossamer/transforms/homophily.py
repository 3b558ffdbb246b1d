"""Homophily and label informativeness: how strongly the labels of neighbors are related.

All measures are computed in float64, regardless of torch's default dtype.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gossamer._options import number_in
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph
from gossamer.ops.adjacency import Adjacency
from gossamer.transforms._validate import one_relation

__all__ = [
    "adjusted_homophily", "edge_homophily", "edge_label_informativeness", "linkx_homophily",
    "node_homophily", "node_label_informativeness",
]  # fmt: skip


def node_homophily(graph: Graph, y: Tensor) -> float:
    r"""Mean over nodes of the fraction of in-neighbors with the same label.

    .. math::
        \frac{1}{|V|} \sum_{v \in V} \frac{|\{u \in N(v) : y_u = y_v\}|}{|N(v)|}

    A node without in-edges contributes 0. From `Geom-GCN <https://arxiv.org/abs/2002.05287>`__ (Pei
    et al., 2020).

    Parameters
    ----------
    graph : Graph
        One edge type that joins a node type with itself; N nodes.
    y : Tensor
        ``(N,)`` labels.

    Returns
    -------
    float
        From 0 to 1, computed in float64; NaN if there are no nodes.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        If the graph has several edge types or `y` is not one label per node.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2, 3], [1, 2, 0, 0]))
    >>> gs.node_homophily(g, torch.tensor([0, 0, 1, 0]))
    0.375
    """
    relation = one_relation(graph, "node_homophily")
    y = _labels(y, relation, "node_homophily", whole=False)
    alike, v = _alike(relation, y)
    same = torch.zeros(len(y), dtype=torch.float64, device=y.device).index_add_(0, v, alike)
    return float((same / relation.in_degrees().clamp(min=1)).mean())


def edge_homophily(graph: Graph, y: Tensor) -> float:
    r"""Fraction of edges that join nodes with the same label.

    .. math::
        \frac{|\{(u, v) \in E : y_u = y_v\}|}{|E|}

    From `H2GCN <https://arxiv.org/abs/2006.11468>`__ (Zhu et al., 2020).

    Parameters
    ----------
    graph, y
        As for :func:`node_homophily`.

    Returns
    -------
    float
        From 0 to 1, computed in float64; NaN if there are no edges.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        As for :func:`node_homophily`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2, 3], [1, 2, 0, 0]))
    >>> gs.edge_homophily(g, torch.tensor([0, 0, 1, 0]))
    0.5
    """
    relation = one_relation(graph, "edge_homophily")
    y = _labels(y, relation, "edge_homophily", whole=False)
    return float(_alike(relation, y)[0].mean())


def linkx_homophily(graph: Graph, y: Tensor) -> float:
    r"""Mean over classes of the homophily in excess of the share of the class.

    .. math::
        \frac{1}{C - 1} \sum_{k=1}^{C} \max\left(0,
            \frac{\sum_{v : y_v = k} |\{u \in N(v) : y_u = y_v\}|}{\sum_{v : y_v = k} |N(v)|}
            - \frac{|\{v : y_v = k\}|}{|V|}\right)

    where C is one more than the largest label and N(v) are the in-neighbors of v. A class without
    in-edges contributes 0. From `Large Scale Learning on Non-Homophilous Graphs
    <https://arxiv.org/abs/2110.14446>`__ (Lim et al., 2021).

    Parameters
    ----------
    graph : Graph
        One edge type that joins a node type with itself; N nodes.
    y : Tensor
        ``(N,)`` classes 0, 1, 2, ...

    Returns
    -------
    float
        From 0 to 1; NaN with fewer than two classes.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        If the graph has several edge types or `y` is not one class per node.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2, 3], [1, 0, 3, 2]))
    >>> gs.linkx_homophily(g, torch.tensor([0, 0, 1, 1]))
    1.0
    """
    relation = one_relation(graph, "linkx_homophily")
    y = _labels(y, relation, "linkx_homophily")
    classes = _num_classes(y)
    if classes < 2:
        return math.nan
    alike, v = _alike(relation, y)
    same = _sums(alike, y[v], classes)
    edges = torch.bincount(y[v], minlength=classes)
    nodes = torch.bincount(y, minlength=classes)
    beyond = same / edges.clamp(min=1) - nodes.double() / len(y)
    return float(beyond.clamp(min=0).sum()) / (classes - 1)


def adjusted_homophily(graph: Graph, y: Tensor) -> float:
    r"""Edge homophily, adjusted for the total degree of each class.

    .. math::
        \frac{h - \sum_k \bar p_k^2}{1 - \sum_k \bar p_k^2}, \qquad
        \bar p_k = \frac{\sum_{v : y_v = k} d(v)}{2 |E|},

    where h is :func:`edge_homophily`. The graph is first made undirected and simple by
    :func:`gossamer.to_bidirected`. From `Characterizing Graph Datasets for Node Classification
    <https://arxiv.org/abs/2209.06177>`__ (Platonov et al., 2023).

    Parameters
    ----------
    graph, y
        As for :func:`linkx_homophily`.

    Returns
    -------
    float
        At most 1; 0 if edges are independent of labels; NaN with a single class or no edges.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        As for :func:`linkx_homophily`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 2], [1, 3]))
    >>> gs.adjusted_homophily(g, torch.tensor([0, 0, 1, 1]))
    1.0
    >>> gs.adjusted_homophily(g, torch.tensor([0, 1, 0, 1]))
    -1.0
    """
    u, v, y, _ = _undirected(graph, y, "adjusted_homophily")
    share = _degree_shares(u, y)
    chance = share.square().sum()
    return float(((y[u] == y[v]).double().mean() - chance) / (1 - chance))


def edge_label_informativeness(graph: Graph, y: Tensor, eps: float = 1e-8) -> float:
    r"""Normalized mutual information between the labels at both ends of a random edge.

    .. math::
        2 - \frac{\sum_{a, b} p(a, b) \log p(a, b)}{\sum_k \bar p_k \log \bar p_k},

    where :math:`p(a, b)` is the fraction of edges from label a to label b, plus `eps`, and
    :math:`\bar p_k` is defined in :func:`adjusted_homophily`. The graph is first made undirected
    and simple. Classes without edges contribute nothing. From `Characterizing Graph Datasets for
    Node Classification <https://arxiv.org/abs/2209.06177>`__ (Platonov et al., 2023).

    Parameters
    ----------
    graph, y
        As for :func:`linkx_homophily`.
    eps : float
        Non-negative number added to probabilities, which keeps logarithms finite.

    Returns
    -------
    float
        0 if the labels are independent, 1 if one determines the other; NaN with a single class or
        no edges.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        As for :func:`linkx_homophily`, and if `eps` is negative.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 2], [1, 3]))
    >>> round(gs.edge_label_informativeness(g, torch.tensor([0, 1, 0, 1])), 4)
    1.0
    """
    name = "edge_label_informativeness"
    u, v, y, eps = _undirected(graph, y, name, eps)
    share = _degree_shares(u, y)
    pairs = _pair_shares(u, v, y, torch.ones_like(u, dtype=torch.float64)) + eps
    present = share > 0
    pairs = pairs[present][:, present]
    return 2 - _ratio(torch.xlogy(pairs, pairs).sum(), torch.xlogy(share, share).sum())


def node_label_informativeness(graph: Graph, y: Tensor, eps: float = 1e-8) -> float:
    r"""Normalized mutual information between the labels of a random node and a random neighbor.

    .. math::
        - \frac{\sum_{a, b} p(a, b) \log \frac{p(a, b)}{p_a \bar p_b}}{\sum_k p_k \log p_k},

    where :math:`p(a, b)` is the probability, plus `eps`, that a random node with neighbors has
    label a and a random neighbor of it has label b, :math:`p_k` is the fraction of nodes with label
    k, and :math:`\bar p_k` is defined in :func:`adjusted_homophily`. The graph is first made
    undirected and simple. Classes without edges contribute nothing. From `Characterizing Graph
    Datasets for Node Classification <https://arxiv.org/abs/2209.06177>`__ (Platonov et al., 2023).

    Parameters
    ----------
    graph, y, eps
        As for :func:`edge_label_informativeness`.

    Returns
    -------
    float
        0 if the labels are independent, 1 if one determines the other; NaN with a single class or
        no edges.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        As for :func:`edge_label_informativeness`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 2], [1, 3]))
    >>> round(gs.node_label_informativeness(g, torch.tensor([0, 1, 0, 1])), 4)
    1.0
    """
    name = "node_label_informativeness"
    u, v, y, eps = _undirected(graph, y, name, eps)
    share = _degree_shares(u, y)
    degree = torch.bincount(u, minlength=len(y))
    nodes = torch.bincount(y, minlength=len(share)).double() / len(y)
    pairs = _pair_shares(u, v, y, 1 / degree[u].double()) + eps
    present = share > 0
    independent = torch.outer(nodes, share)[present][:, present]
    pairs = pairs[present][:, present]
    gain = (torch.xlogy(pairs, pairs) - torch.xlogy(pairs, independent)).sum()
    return _ratio(-gain, torch.xlogy(nodes, nodes).sum()) if len(u) else math.nan


def _ratio(value: Tensor, by: Tensor) -> float:
    """``value / by``, or NaN if `by` is 0."""
    return float(value / by) if by != 0 else math.nan


def _labels(y: Any, relation: Adjacency, name: str, whole: bool = True) -> Tensor:
    """Validated labels; with `whole`, non-negative integers as int64."""
    if not isinstance(y, Tensor):
        raise InvalidTypeError(f"{name} takes labels as a tensor, got {type(y).__name__}.")
    if y.shape != (relation.num_src,):
        raise InvalidValueError(
            f"{name}: the graph has {relation.num_src} nodes, but labels have shape "
            f"{tuple(y.shape)}. Give one label per node."
        )
    if y.device != relation.device:
        raise InvalidValueError(
            f"{name}: labels are on {y.device} but the graph is on {relation.device}. "
            "Move one of them with .to(...)."
        )
    if not whole:
        return y
    if y.is_floating_point() or y.is_complex():
        raise InvalidTypeError(f"{name}: labels are classes 0, 1, 2, ..., got {y.dtype}.")
    if len(y) and int(y.min()) < 0:
        raise InvalidValueError(
            f"{name}: labels are classes 0, 1, 2, ..., got {int(y.min())}. Remove nodes without "
            "a label with gossamer.node_subgraph."
        )
    return y.long()


def _num_classes(y: Tensor) -> int:
    return int(y.max()) + 1 if len(y) else 0


def _alike(relation: Adjacency, y: Tensor) -> tuple[Tensor, Tensor]:
    """Whether both ends of each edge have the same label, as 0.0 or 1.0, and the destinations."""
    u, v = (end.long() for end in relation.coo())
    return (y[u] == y[v]).double(), v


def _undirected(
    graph: Graph, y: Any, name: str, eps: float = 0.0
) -> tuple[Tensor, Tensor, Tensor, float]:
    """Each pair of neighbors once in each direction, validated labels and `eps`."""
    relation = one_relation(graph, name)
    y = _labels(y, relation, name)
    eps = number_in(eps, name, "eps", 0)
    u, v = (end.long() for end in relation.coo())
    keys = torch.cat([relation.pair_keys(u, v), relation.pair_keys(v, u)]).unique()
    u = keys.div(max(len(y), 1), rounding_mode="floor")
    return u, keys - u * len(y), y, eps


def _degree_shares(u: Tensor, y: Tensor) -> Tensor:
    """The fraction of edge ends in each class."""
    return torch.bincount(y[u], minlength=_num_classes(y)).double() / len(u)


def _pair_shares(u: Tensor, v: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """The fraction of edge weight for each pair of classes, ``(C, C)``."""
    classes = _num_classes(y)
    table = _sums(weight, y[u] * classes + y[v], classes * classes)
    return table.view(classes, classes) / table.sum()


def _sums(values: Tensor, index: Tensor, count: int) -> Tensor:
    return torch.zeros(count, dtype=values.dtype, device=values.device).index_add_(0, index, values)
