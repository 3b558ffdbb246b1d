"""Graphs built from points: k-nearest-neighbor and radius graphs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from gossamer._options import as_int, number_in, one_of
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph, graph
from gossamer.graph.ids import as_id_tensor
from gossamer.transforms import _nearest
from gossamer.transforms._validate import points

__all__ = ["knn_graph", "radius_graph", "segmented_knn_graph"]

_ALGORITHMS = ("bruteforce-blas", "bruteforce", "bruteforce-sharemem", "kd-tree", "nn-descent")
_DISTANCES = ("euclidean", "cosine")
_COMPUTE_MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)


def knn_graph(
    x: Tensor,
    k: int,
    algorithm: str = "bruteforce-blas",
    dist: str = "euclidean",
    exclude_self: bool = False,
) -> Graph:
    """Build the graph in which the in-neighbors of each point are the `k` points nearest to it.

    Parameters
    ----------
    x : Tensor
        ``(N, D)`` points, or ``(B, N, D)`` for B sets of points, which become a batch of B graphs.
    k : int
        Number of neighbors, from 1 to N, or to N - 1 with `exclude_self`.
    algorithm : str
        ``"bruteforce-blas"``, ``"bruteforce"``, ``"bruteforce-sharemem"``, ``"kd-tree"`` or
        ``"nn-descent"``. Accepted for compatibility. The search is always exact; the method depends
        on the number of coordinates and the device.
    dist : {"euclidean", "cosine"}
        Distance. With ``"cosine"``, points are scaled to length 1 first; a point at the origin is
        not changed.
    exclude_self : bool
        Whether to exclude a point from its own neighbors.

    Returns
    -------
    Graph
        N nodes (B · N in a batch), on the device of `x`. Edges are sorted by destination, then by
        distance; the order of ties is arbitrary.

    Raises
    ------
    InvalidValueError
        If there are no points, `k` is out of range, a coordinate is not finite, or an option is
        unknown.
    InvalidTypeError
        If `x` is not a tensor of real numbers, or `k` is not an int.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> x = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    >>> gs.knn_graph(x, 2).edges()
    (tensor([0, 1, 1, 0, 2, 1, 3, 2]), tensor([0, 0, 1, 1, 2, 2, 3, 3]))
    >>> gs.knn_graph(x, 1, exclude_self=True).edges()
    (tensor([1, 0, 1, 2]), tensor([0, 1, 2, 3]))
    """
    x = points(x, "knn_graph", (2, 3))
    sizes = torch.full((x.shape[0] if x.dim() == 3 else 1,), x.shape[-2], device=x.device)
    return _neighbor_graph("knn_graph", x.flatten(0, -2), k, sizes, algorithm, dist, exclude_self)


def segmented_knn_graph(
    x: Tensor,
    k: int,
    segs: Sequence[int] | Tensor,
    algorithm: str = "bruteforce-blas",
    dist: str = "euclidean",
    exclude_self: bool = False,
) -> Graph:
    """Build the :func:`knn_graph` of several sets of points of different sizes, as a batch.

    Parameters
    ----------
    x : Tensor
        ``(N, D)``: the points of one set after another.
    k : int
        Number of neighbors, from 1 to the size of the smallest set, or one less with
        `exclude_self`.
    segs : sequence of int or Tensor
        ``(S,)``: number of points in each set, at least 1; they add up to N.
    algorithm, dist, exclude_self
        As for :func:`knn_graph`.

    Returns
    -------
    Graph
        A batch of S graphs with N nodes in total; otherwise as for :func:`knn_graph`.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        As for :func:`knn_graph`, and if `segs` has a set without points or does not add up.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> x = torch.tensor([[0.0], [1.0], [1.5], [4.0], [6.0]])
    >>> g = gs.segmented_knn_graph(x, 1, [2, 3], exclude_self=True)
    >>> g.edges(), g.batch_num_nodes()
    ((tensor([1, 0, 3, 4, 3]), tensor([0, 1, 2, 3, 4])), tensor([2, 3]))
    """
    name = "segmented_knn_graph"
    x = points(x, name, (2,))
    sizes = as_id_tensor(segs, f"segs of {name}").long().to(x.device)
    if len(sizes) == 0 or bool((sizes <= 0).any()):
        raise InvalidValueError(f"{name}: every set needs a point, but segs is {sizes.tolist()}.")
    if int(sizes.sum()) != len(x):
        raise InvalidValueError(
            f"{name}: segs adds up to {int(sizes.sum())}, but there are {len(x)} points."
        )
    return _neighbor_graph(name, x, k, sizes, algorithm, dist, exclude_self)


def _neighbor_graph(
    name: str, x: Tensor, k: int, sizes: Tensor, algorithm: str, dist: str, exclude_self: bool
) -> Graph:
    one_of(algorithm, name, "algorithm", _ALGORITHMS)
    one_of(dist, name, "dist", _DISTANCES)
    k, exclude_self = as_int(k, name, "k", 1), bool(exclude_self)
    smallest = int(sizes.min())
    if k + exclude_self > smallest:
        others = " other than itself" if exclude_self else ""
        raise InvalidValueError(
            f"{name}: a point of a set of {smallest} has {smallest - exclude_self} "
            f"neighbors{others}, but k is {k}. Use a smaller k."
        )
    if dist == "cosine":
        x = normalize(x.detach().double(), dim=1)
    u = _nearest.nearest(x, sizes, k, exclude_self).flatten()
    v = torch.arange(len(x), device=x.device).repeat_interleave(k)
    g = graph((u, v), num_nodes=len(x))
    if len(sizes) > 1:
        g.set_batch_num_nodes(sizes)
        g.set_batch_num_edges(sizes * k)
    return g


def radius_graph(
    x: Tensor,
    r: float,
    p: float = 2,
    self_loop: bool = False,
    compute_mode: str = "donot_use_mm_for_euclid_dist",
    get_distances: bool = False,
) -> Graph | tuple[Graph, Tensor]:
    r"""Build the graph with edges between all points within a radius of each other.

    There is an edge from i to j, i ≠ j, if :math:`\|x_i - x_j\|_p \le r`.

    Parameters
    ----------
    x : Tensor
        ``(N, D)`` points, floating point.
    r : float
        Radius, positive.
    p : float
        Order of the norm, not negative: ``inf`` gives the largest difference, 0 the number of
        coordinates that differ.
    self_loop : bool
        Whether to add self-loops.
    compute_mode : str
        ``"use_mm_for_euclid_dist_if_necessary"``, ``"use_mm_for_euclid_dist"`` or
        ``"donot_use_mm_for_euclid_dist"``, as in :func:`torch.cdist`: whether to find neighbors by
        matrix multiplication, which is faster for many coordinates but less accurate.
    get_distances : bool
        Whether to also return the distances.

    Returns
    -------
    g : Graph
        N nodes, on the device of `x`. Edges are sorted by source, then by destination.
    distances : Tensor
        With `get_distances`: ``(E, 1)``, in the order of edges, in the dtype of `x`. Differentiable
        with respect to `x`; the gradient of a zero distance is 0.

    Raises
    ------
    InvalidValueError
        If there are no points, a coordinate is not finite, `r` is not positive, `p` is negative, or
        `compute_mode` is unknown.
    InvalidTypeError
        If `x` is not a tensor of floating-point numbers.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> x = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    >>> g, distances = gs.radius_graph(x, 4.5, get_distances=True)
    >>> g.edges()
    (tensor([0, 1, 2, 2]), tensor([2, 2, 0, 1]))
    >>> distances.flatten()
    tensor([1.0000, 4.2426, 1.0000, 4.2426])
    """
    name = "radius_graph"
    if isinstance(x, Tensor) and not x.is_floating_point():
        raise InvalidTypeError(
            f"{name}: coordinates must be floating-point numbers, got {x.dtype}."
        )
    x = points(x, name, (2,))
    r, p = number_in(r, name, "r", 0), number_in(p, name, "p", 0)
    if not r > 0:
        raise InvalidValueError(f"{name}: the radius r is positive, got {r}.")
    one_of(compute_mode, name, "compute_mode", _COMPUTE_MODES)
    u, v = _nearest.within(x, r, p, compute_mode)
    if self_loop:
        loops = torch.arange(len(x), device=x.device)
        u, v = torch.cat([u, loops]), torch.cat([v, loops])
        order = (u * len(x) + v).argsort()
        u, v = u[order], v[order]
    g = graph((u, v), num_nodes=len(x))
    if not get_distances:
        return g
    return g, torch.linalg.vector_norm(x[u] - x[v], ord=p, dim=1, keepdim=True)
