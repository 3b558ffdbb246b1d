"""Exact search for nearest points and for points within a radius.

With few coordinates, both use scipy's k-d tree. Otherwise, on other devices, and without scipy,
they compute distances between blocks of points. The results are the same up to the order of ties.

The result depends only on sums of squared differences. The expanded square |a|^2 - 2ab + |b|^2 is
faster but loses all digits of a distance that is small relative to the coordinates. It only selects
candidates; where a bound on its error is too large, all distances are computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer._optional import optional_import
from gossamer.errors import MissingExtraError

__all__ = ["nearest", "within"]

# With more coordinates, a tree prunes too little. In measurements with 10 neighbors of 2,000 and
# 10,000 uniform points, the tree was faster with 8 coordinates, and blocks of distances with 16.
_TREE_COORDINATES = 10

# In smaller sets, computing all distances is faster than building a tree.
_TREE_POINTS = 64

# Number of distances in a block, small enough to stay in cache.
_ENTRIES = 1 << 20

_DIFFERENCES = "donot_use_mm_for_euclid_dist"

# Number of candidates in addition to the k best by expanded square.
_SPARE = 8

# The expanded square is accurate enough if no squared distance is less than a point's squared
# coordinates divided by this.
_COMPARABLE = 16


def nearest(x: Tensor, sizes: Tensor, k: int, exclude_self: bool) -> Tensor:
    """The `k` nearest points of each point within its own set, nearest first.

    Parameters
    ----------
    x : Tensor
        ``(N, D)``: the points of one set after another.
    sizes : Tensor
        ``(S,)``, int64: number of points in each set, at least `k`, or `k` + 1 with `exclude_self`.
    k : int
        Number of neighbors.
    exclude_self : bool
        Whether to exclude a point from its own neighbors.

    Returns
    -------
    Tensor
        ``(N, k)``, int64: positions in `x`.
    """
    x = x.detach()
    tree = _tree_of(x) if len(x) >= _TREE_POINTS * len(sizes) else None
    if tree is None:
        return _nearest_by_blocks(x, sizes, k, exclude_self)
    return _nearest_by_tree(tree, x, sizes, k, exclude_self)


def _tree_of(x: Tensor) -> Any:
    """The k-d tree class of scipy if a tree is suitable for `x`, else None."""
    if x.device.type != "cpu" or not 0 < x.shape[1] <= _TREE_COORDINATES:
        return None
    try:
        return optional_import("scipy.spatial", "knn_graph").cKDTree
    except MissingExtraError:
        return None


def _nearest_by_tree(tree: Any, x: Tensor, sizes: Tensor, k: int, exclude_self: bool) -> Tensor:
    points = x.double()
    if len(sizes) > 1:
        # One tree for all sets: an added coordinate separates them by more than the width of any
        # set.
        width = (points.amax(0) - points.amin(0)).norm().clamp(min=1) * 2
        place = torch.arange(len(sizes)).repeat_interleave(sizes) * width
        points = torch.cat([points, place.unsqueeze(1)], dim=1)
    wanted = range(1, k + exclude_self + 1)
    array = points.numpy()
    _, found = tree(array).query(array, k=wanted, workers=torch.get_num_threads())
    found = torch.from_numpy(found).long()
    if not exclude_self:
        return found
    drop = found == torch.arange(len(x)).unsqueeze(1)
    # With more than k copies of a point, the search may omit the point: drop the last result.
    drop[:, -1] |= ~drop.any(1)
    return found[~drop].view(-1, k)


def _nearest_by_blocks(x: Tensor, sizes: Tensor, k: int, exclude_self: bool) -> Tensor:
    x = x.double()
    size = int(sizes[0])
    if bool((sizes == size).all()):
        found = _nearest_in_each(x.view(len(sizes), size, x.shape[1]), None, k, exclude_self)
        begins = torch.arange(0, len(x), size, device=x.device)
        return found.add_(begins.view(-1, 1, 1)).view(-1, k)
    result = torch.empty(len(x), k, dtype=torch.int64, device=x.device)
    for columns, is_point in _groups(sizes):
        chosen = _nearest_in_each(x[columns], is_point, k, exclude_self)
        found = columns.unsqueeze(1).expand(-1, columns.shape[1], -1).gather(2, chosen)
        result[columns[is_point]] = found[is_point]
    return result


def _nearest_in_each(points: Tensor, is_point: Tensor | None, k: int, exclude_self: bool) -> Tensor:
    """The `k` nearest points of each of C points in S sets: positions in a set, ``(S, C, k)``."""
    num_sets, size, width = points.shape
    found = torch.empty(num_sets, size, k, dtype=torch.int64, device=points.device)
    # Coordinates relative to the median are smaller, and the median ignores outliers.
    centered = points - points.median(1, keepdim=True).values
    # The expanded square minus its error bounds the squared distance from below.
    square = centered.square().sum(2) * (1 - (4 * width + 8) * torch.finfo(points.dtype).eps)
    entries = max(size, (k + _SPARE) * width)
    num_rows = min(max(_ENTRIES // entries, 1), size)
    step = max(_ENTRIES // (num_rows * entries), 1)
    for first in range(0, num_sets, step):
        sets = slice(first, first + step)
        hidden = None if is_point is None else ~is_point[sets].unsqueeze(1)
        for begin in range(0, size, num_rows):
            rows = slice(begin, begin + num_rows)
            own = begin if exclude_self else None
            score = torch.baddbmm(
                square[sets].unsqueeze(1), centered[sets, rows], centered[sets].mT, alpha=-2
            )
            candidates = kernels.topk(_hide(score, hidden, own), min(k + _SPARE, size))
            least = score.gather(2, candidates) + square[sets, rows].unsqueeze(2)
            chosen, farthest = _chosen(points[sets], points[sets, rows], candidates, least, k)
            certain = farthest <= least[..., -1]
            certain |= square[sets, rows] <= _COMPARABLE * farthest
            if candidates.shape[2] < size and not certain.all():
                distance = torch.cdist(points[sets, rows], points[sets], compute_mode=_DIFFERENCES)
                nearest = kernels.topk(_hide(distance, hidden, own), k)
                chosen = torch.where(certain.unsqueeze(2), chosen, nearest)
            found[sets, rows] = chosen
    return found


def _hide(distance: Tensor, hidden: Tensor | None, own: int | None) -> Tensor:
    """Set the distances ``(S, R, C)`` of points that cannot be neighbors to infinity, in place.

    `hidden` marks padding; `own` is the position in a set of the first row, if a point is not its
    own neighbor.
    """
    if hidden is not None:
        distance.masked_fill_(hidden, torch.inf)
    if own is not None:
        distance.diagonal(own, 1, 2).fill_(torch.inf)
    return distance


def _chosen(
    points: Tensor, rows: Tensor, candidates: Tensor, least: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    """The `k` nearest among candidates, and the squared distance of the last of them."""
    at = torch.arange(len(points), device=points.device).view(-1, 1, 1)
    distance = (points[at, candidates] - rows.unsqueeze(2)).square().sum(3)
    distance.masked_fill_(least.isinf(), torch.inf)
    nearest = kernels.topk(distance, k)
    return candidates.gather(2, nearest), distance.gather(2, nearest)[..., -1]


def _groups(sizes: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Groups of sets, as positions ``(S, C)``, and a mask of the entries that are points.

    Sets of similar size form a group; smaller ones are padded with their last point.
    """
    order = sizes.argsort()
    begins = sizes.cumsum(0) - sizes
    ascending = sizes[order]
    start = 0
    while start < len(ascending):
        # At most twice as large, so that padding costs little.
        stop = int(torch.searchsorted(ascending, 2 * ascending[start], right=True))
        width = int(ascending[stop - 1])
        sets = order[start:stop]
        at = torch.arange(width, device=sizes.device)
        last = sizes[sets].unsqueeze(1) - 1
        yield begins[sets].unsqueeze(1) + torch.minimum(at, last), at <= last
        start = stop


def within(x: Tensor, r: float, p: float, compute_mode: str) -> tuple[Tensor, Tensor]:
    """Ordered pairs of different points at most `r` apart in the p-norm, in lexicographic order."""
    x = x.detach()
    x = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    tree = _tree_of(x)
    if tree is None or p < 1 or compute_mode == "use_mm_for_euclid_dist":
        return _within_by_blocks(x, r, p, compute_mode)
    array = x.double().numpy()
    # Search a slightly larger radius, then compare distances in the precision of x.
    candidates = tree(array).query_pairs(r * (1 + 1e-5), p=p, output_type="ndarray")
    u, v = torch.from_numpy(candidates).long().unbind(1)
    near = torch.linalg.vector_norm(x[u] - x[v], ord=p, dim=1) <= r
    u, v = u[near], v[near]
    u, v = torch.cat([u, v]), torch.cat([v, u])
    order = (u * len(x) + v).argsort()
    return u[order], v[order]


def _within_by_blocks(x: Tensor, r: float, p: float, compute_mode: str) -> tuple[Tensor, Tensor]:
    first, second = [], []
    for begin in range(0, len(x), max(_ENTRIES // len(x), 1)):
        rows = x[begin : begin + max(_ENTRIES // len(x), 1)]
        near = torch.cdist(rows, x, p=p, compute_mode=compute_mode) <= r
        u, v = near.nonzero(as_tuple=True)
        u = u + begin
        first.append(u[u != v])
        second.append(v[u != v])
    return torch.cat(first), torch.cat(second)
