"""Shortest paths, and node labels computed from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.ids import as_id_tensor, check_range, is_single
from gossamer.ops.adjacency import Adjacency
from gossamer.transforms._validate import one_relation
from gossamer.transforms.encodings import adjacency_matrix

__all__ = ["double_radius_node_labeling", "shortest_dist"]


def shortest_dist(
    g: Graph, root: Any = None, return_paths: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Lengths of shortest directed paths between nodes, and the paths themselves.

    Parameters
    ----------
    g : Graph
        One edge type that joins a node type with itself; N nodes.
    root : int, sequence of int or Tensor, optional
        Start nodes. Default: every node.
    return_paths : bool
        Whether to also return the edges of a shortest path to each node.

    Returns
    -------
    dist : Tensor
        ``(N,)`` for one root, else ``(R, N)``; int64. -1 where there is no path, 0 at the root.
    paths : Tensor
        With `return_paths`: ``(N, L)`` or ``(R, N, L)`` edge ids in the order of the path, where L
        is the longest distance; rows are padded with -1. Of parallel edges, the one with the lowest
        id is used.

    Raises
    ------
    OutOfRangeError
        If a root is not a node of the graph.
    InvalidValueError
        If the graph has several edge types or joins different node types.
    MissingExtraError
        If scipy is not installed.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1], [1, 2, 3]))
    >>> gs.shortest_dist(g, root=0)
    tensor([0, 1, 2, 2])
    >>> gs.shortest_dist(g, root=0, return_paths=True)[1]
    tensor([[-1, -1],
            [ 0, -1],
            [ 0,  1],
            [ 0,  2]])
    """
    relation = one_relation(g, "shortest_dist")
    count = relation.num_src
    roots = _roots(root, count, g.device)
    if len(roots) == 0 or count == 0:
        dist = torch.empty(len(roots), count, dtype=torch.int64, device=g.device)
        paths = dist.unsqueeze(-1)[..., :0]
        return (dist, paths) if return_paths else dist
    csgraph = optional_import("scipy.sparse.csgraph", "shortest_dist")
    found = csgraph.shortest_path(
        adjacency_matrix(relation, "shortest_dist"),
        return_predecessors=return_paths,
        unweighted=True,
        indices=roots.cpu().numpy() if root is not None else None,
    )
    dist, before = found if return_paths else (found, None)
    dist = torch.from_numpy(np.where(np.isinf(dist), -1, dist).astype(np.int64)).to(g.device)
    if before is not None:
        before = torch.from_numpy(before.astype(np.int64)).to(g.device)
        paths = _paths(relation, dist, before)
    if root is not None and (is_single(root) or getattr(root, "ndim", 1) == 0):
        dist = dist[0]
        paths = paths[0] if return_paths else None
    return (dist, paths) if return_paths else dist


def _roots(root: Any, count: int, device: torch.device) -> Tensor:
    if root is None:
        return torch.arange(count, device=device)
    roots = as_id_tensor(root, "roots", device)
    check_range(roots, count, "nodes")
    return roots.long()


def _paths(relation: Adjacency, dist: Tensor, before: Tensor) -> Tensor:
    """Edge ids of every path, found by following all paths back from their ends."""
    longest = int(dist.max())
    paths = dist.new_full((*dist.shape, longest), -1)
    keys, eids = _first_edges(relation)
    row, end = (dist > 0).nonzero(as_tuple=True)
    here, step = end, dist[row, end]
    while len(row):
        previous = before[row, here]
        edge = eids[torch.searchsorted(keys, previous * relation.num_dst + here)]
        paths[row, end, step - 1] = edge
        on = step > 1
        row, end, here, step = row[on], end[on], previous[on], step[on] - 1
    return paths


def _first_edges(relation: Adjacency) -> tuple[Tensor, Tensor]:
    """Each pair of nodes joined by an edge, as a sorted key, and its lowest edge id."""
    keys, order = torch.sort(relation.pair_keys(*relation.coo()), stable=True)
    first = torch.ones_like(keys, dtype=torch.bool)
    first[1:] = keys[1:] != keys[:-1]
    return keys[first], order[first]


def double_radius_node_labeling(g: Graph, src: int, dst: int) -> Tensor:
    r"""Label each node by its distances to two given nodes, which both get label 1.

    .. math::
        z(i) = 1 + \min(d_s, d_t) + \lfloor d/2 \rfloor
               \left(\lfloor d/2 \rfloor + (d \bmod 2) - 1\right), \quad d = d_s + d_t,

    where :math:`d_s` is the distance from i to `src` in the graph without `dst`, and :math:`d_t`
    the distance to `dst` in the graph without `src`. Edges are treated as undirected. A node that
    cannot reach both gets 0.

    From `Link Prediction Based on Graph Neural Networks <https://arxiv.org/abs/1802.09691>`__
    (Zhang and Chen, 2018).

    Parameters
    ----------
    g : Graph
        One edge type that joins a node type with itself; N nodes.
    src, dst : int
        Two different nodes.

    Returns
    -------
    Tensor
        ``(N,)``, int64.

    Raises
    ------
    OutOfRangeError
        If `src` or `dst` is not a node of the graph.
    InvalidValueError
        If `src` and `dst` are the same node, or the graph has several edge types or joins different
        node types.
    MissingExtraError
        If scipy is not installed.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 0, 1, 2, 3], [1, 2, 2, 3, 4]), num_nodes=6)
    >>> gs.double_radius_node_labeling(g, 0, 1)
    tensor([ 1,  1,  2,  5, 10,  0])
    """
    name = "double_radius_node_labeling"
    relation = one_relation(g, name)
    pair = [_node(node, name, argument, g) for node, argument in ((src, "src"), (dst, "dst"))]
    if pair[0] == pair[1]:
        raise InvalidValueError(
            f"{name} takes two different nodes, got {pair[0]} as both src and dst."
        )
    near = [_without(relation, node, other) for node, other in (pair, pair[::-1])]
    low, total = torch.minimum(*near), near[0] + near[1]
    half = total.div(2, rounding_mode="floor")
    label = 1 + low + half * (half + total % 2 - 1)
    label = torch.where(torch.isinf(total), 0, label)
    label[pair] = 1
    return label.long().to(g.device)


def _node(node: Any, name: str, argument: str, g: Graph) -> int:
    ids = as_id_tensor(node, f"nodes {argument} of {name}")
    if len(ids) != 1:
        raise InvalidValueError(f"{name}: {argument} must be one node, got {node!r}.")
    check_range(ids, g.num_nodes(g.canonical_etypes[0][0]), "nodes")
    return int(ids)


def _without(relation: Adjacency, start: int, absent: int) -> Tensor:
    """Undirected distances from `start` in the graph without node `absent`."""
    u, v = relation.coo()
    part = relation.edge_subset(((u != absent) & (v != absent)).nonzero().squeeze(1))
    csgraph = optional_import("scipy.sparse.csgraph", "double_radius_node_labeling")
    matrix = adjacency_matrix(part, "double_radius_node_labeling")
    return torch.from_numpy(
        csgraph.shortest_path(matrix, directed=False, unweighted=True, indices=start)
    )
