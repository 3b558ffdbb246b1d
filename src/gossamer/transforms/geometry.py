"""Farthest point sampling and graph coarsening, exported by `gossamer.geometry`."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.graph import Graph
from gossamer.transforms._validate import one_relation, points

__all__ = ["farthest_point_sampler", "neighbor_matching"]


def farthest_point_sampler(pos: Tensor, npoints: int, start_idx: int | None = None) -> Tensor:
    """Sample points so that each one is the farthest from those chosen before.

    From `PointNet++ <https://arxiv.org/abs/1706.02413>`__ (Qi et al., 2017).

    Parameters
    ----------
    pos : Tensor
        ``(B, N, D)``: B sets of N points.
    npoints : int
        Number of points to choose from each set, from 1 to N.
    start_idx : int, optional
        The first point of every set. Default: a random one, from torch's generator.

    Returns
    -------
    Tensor
        ``(B, npoints)``, int64: positions within each set. Ties go to the first point. If points
        coincide, one may be chosen again.

    Raises
    ------
    OutOfRangeError
        If `start_idx` is not from 0 to N - 1.
    InvalidValueError
        If there are no points or fewer than `npoints`, `npoints` is less than 1, or a coordinate is
        not finite.
    InvalidTypeError
        If `pos` is not a tensor of floating-point numbers.

    Examples
    --------
    >>> import torch
    >>> from gossamer.geometry import farthest_point_sampler
    >>> pos = torch.tensor([[[0.0], [1.0], [5.0], [9.0]]])
    >>> farthest_point_sampler(pos, 3, start_idx=0)
    tensor([[0, 3, 2]])
    """
    name = "farthest_point_sampler"
    if isinstance(pos, Tensor) and not pos.is_floating_point():
        raise InvalidTypeError(
            f"{name}: coordinates must be floating-point numbers, got {pos.dtype}."
        )
    pos = points(pos, name, (3,)).detach()
    npoints = as_int(npoints, name, "npoints", 1)
    sets, count = pos.shape[:2]
    if npoints > count:
        raise InvalidValueError(
            f"{name}: npoints is {npoints}, but each set has {count} points. Choose fewer."
        )
    if pos.dtype in (torch.float16, torch.bfloat16):
        pos = pos.float()
    here = _first_point(start_idx, sets, count, pos.device)
    chosen = torch.empty(sets, npoints, dtype=torch.int64, device=pos.device)
    nearest = pos.new_full((sets, count), torch.inf)
    every = torch.arange(sets, device=pos.device)
    for step in range(npoints):
        chosen[:, step] = here
        apart = (pos - pos[every, here].unsqueeze(1)).square().sum(-1)
        nearest = torch.minimum(nearest, apart)
        here = nearest.max(dim=1).indices
    return chosen


def _first_point(start_idx: int | None, sets: int, count: int, device: torch.device) -> Tensor:
    if start_idx is None:
        return torch.randint(0, count, (sets,)).to(device)
    name = "farthest_point_sampler"
    start_idx = as_int(start_idx, name, "start_idx")
    if not 0 <= start_idx < count:
        raise OutOfRangeError(f"{name}: start_idx is {start_idx}, but a set has {count} points.")
    return torch.full((sets,), start_idx, device=device)


def neighbor_matching(
    graph: Graph, e_weights: Tensor | None = None, relabel_idx: bool = True
) -> Tensor:
    """Compute a maximal matching of neighbors, as used to coarsen graphs.

    In each round, the unmatched nodes are divided at random into two groups. Each node of the first
    group proposes to the neighbor in the second group with the largest edge weight, and each node
    of the second group accepts the proposal with the largest weight. Ties are broken at random,
    with torch's generator. The number of rounds grows with the logarithm of the
    number of edges.

    From `A GPU Algorithm for Greedy Graph Matching
    <https://link.springer.com/chapter/10.1007/978-3-642-30397-5_10>`__ (Fagginger Auer and
    Bisseling, 2012); METIS and Graclus use such a matching to coarsen graphs.

    Parameters
    ----------
    graph : Graph
        One edge type that joins a node type with itself; N nodes, E edges. Edges are treated as
        undirected; self-loops are ignored.
    e_weights : Tensor, optional
        ``(E,)``, real. Nodes are not matched along edges of negative weight. Default: all
        weights are 1.
    relabel_idx : bool
        Whether to number the clusters 0, 1, 2, ...; otherwise a cluster has the id of its lowest
        node.

    Returns
    -------
    Tensor
        ``(N,)``, the cluster of each node; a cluster has one or two nodes. int64 if `relabel_idx`,
        else in the id type of the graph.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If the graph has several edge types, or `e_weights` is not one real number per edge.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> from gossamer.geometry import neighbor_matching
    >>> g = gs.graph(([0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]))
    >>> neighbor_matching(g, torch.tensor([1.0, 1.0, -1.0, -1.0, 1.0, 1.0]))
    tensor([0, 0, 1, 1])
    """
    relation = one_relation(graph, "neighbor_matching")
    u, v = (end.long() for end in relation.coo())
    weights = _weights(e_weights, len(u), graph.device)
    kept = (u != v) & (weights >= 0)
    u, v, weights = u[kept], v[kept], weights[kept]
    u, v, weights = torch.cat([u, v]), torch.cat([v, u]), torch.cat([weights, weights])
    cluster = torch.arange(relation.num_src, device=graph.device)
    free = torch.ones_like(cluster, dtype=torch.bool)
    while len(u):
        proposes = _half(len(free), graph.device)
        across = (proposes[u] & ~proposes[v]).nonzero().squeeze(1)
        asked = across[_best(u[across], weights[across], len(free))]
        taken = asked[_best(v[asked], weights[asked], len(free))]
        pair = torch.minimum(u[taken], v[taken])
        cluster[u[taken]] = cluster[v[taken]] = pair
        free[u[taken]] = free[v[taken]] = False
        open_ = free[u] & free[v]
        u, v, weights = u[open_], v[open_], weights[open_]
    if relabel_idx:
        return torch.unique(cluster, return_inverse=True)[1]
    return cluster.to(graph.idtype)


def _weights(e_weights: Tensor | None, count: int, device: torch.device) -> Tensor:
    name = "neighbor_matching"
    if e_weights is None:
        return torch.ones(count, device=device)
    if not isinstance(e_weights, Tensor) or e_weights.is_complex():
        raise InvalidTypeError(
            f"{name}: e_weights must be a tensor of real numbers, got {type(e_weights).__name__}."
        )
    if e_weights.shape != (count,):
        raise InvalidValueError(
            f"{name}: e_weights has shape {tuple(e_weights.shape)}, but the graph has {count} "
            f"edges. Give one number per edge, shape ({count},)."
        )
    return e_weights.detach().to(device)


def _half(count: int, device: torch.device) -> Tensor:
    return torch.randint(0, 2, (count,), dtype=torch.bool).to(device)


def _best(node: Tensor, weights: Tensor, num_nodes: int) -> Tensor:
    """The position of an edge of largest weight for each node that occurs in `node`."""
    order = torch.randperm(len(node)).to(node.device)
    # Stable: ties stay in the random order, and the last edge of a node has the largest weight.
    order = order[weights[order].argsort(stable=True)]
    last = torch.full((num_nodes,), -1, device=node.device)
    rank = torch.arange(len(node), device=node.device)
    last.scatter_reduce_(0, node[order], rank, "amax")
    return order[last[last >= 0]]
