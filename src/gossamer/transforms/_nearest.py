"""Exact searches among points: the nearest ones, and those within a radius.

Both have two ways: a k-d tree of scipy on few coordinates, and distances between blocks of points
otherwise, on a device, or without scipy. The answers are the same but for the choice among points
that are equally far.
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

# On more coordinates a tree prunes too little. Found with 10 neighbours of 2,000 and 10,000 points
# uniform in a cube: at 8 coordinates the tree is faster, at 16 blocks of distances are.
_TREE_COORDINATES = 10

# In smaller sets, all distances are sooner found than a tree is built.
_TREE_POINTS = 64

# Distances that are held at once: they stay in cache until the nearest are chosen.
_ENTRIES = 1 << 20


def nearest(x: Tensor, sizes: Tensor, k: int, exclude_self: bool) -> Tensor:
    """The `k` nearest points of each point within its own set, nearest first.

    Parameters
    ----------
    x : Tensor
        ``(N, D)``: the points of one set after another.
    sizes : Tensor
        ``(S,)``, int64: points in each set; all at least `k`, or `k` + 1 without the point itself.
    k : int
        Number of neighbours.
    exclude_self : bool
        Whether a point is no neighbour of itself.

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
    """The class of k-d trees if they suit `x`, else None."""
    if x.device.type != "cpu" or not 0 < x.shape[1] <= _TREE_COORDINATES:
        return None
    try:
        return optional_import("scipy.spatial", "knn_graph").cKDTree
    except MissingExtraError:
        return None


def _nearest_by_tree(tree: Any, x: Tensor, sizes: Tensor, k: int, exclude_self: bool) -> Tensor:
    points = x.double()
    if len(sizes) > 1:
        # One tree for all sets: another coordinate keeps them further apart than any set is wide.
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
    # Among more than k copies of a point it may not find itself: then the last goes.
    drop[:, -1] |= ~drop.any(1)
    return found[~drop].view(-1, k)


def _nearest_by_blocks(x: Tensor, sizes: Tensor, k: int, exclude_self: bool) -> Tensor:
    # Within a row, |a - b|^2 orders b as |b|^2 - 2ab does. What cancels there is made up for by
    # centring, and by double precision.
    x = x.double()
    x = x - x.mean(0)
    square = x.square().sum(1)
    size = int(sizes[0])
    if bool((sizes == size).all()):
        found = _nearest_in_each(
            x.view(-1, size, x.shape[1]), square.view(-1, size), k, exclude_self
        )
        begins = torch.arange(0, len(x), size, device=x.device)
        return found.add_(begins.view(-1, 1, 1)).view(-1, k)
    result = torch.empty(len(x), k, dtype=torch.int64, device=x.device)
    for columns, is_point in _groups(sizes):
        distance = square[columns].masked_fill_(~is_point, torch.inf)
        chosen = _nearest_in_each(x[columns], distance, k, exclude_self)
        found = columns.unsqueeze(1).expand(-1, columns.shape[1], -1).gather(2, chosen)
        result[columns[is_point]] = found[is_point]
    return result


def _nearest_in_each(points: Tensor, square: Tensor, k: int, exclude_self: bool) -> Tensor:
    """Nearest of S sets of C points, ``(S, C, k)``: positions in a set."""
    num_sets, size, _ = points.shape
    found = torch.empty(num_sets, size, k, dtype=torch.int64, device=points.device)
    num_rows = min(max(_ENTRIES // size, 1), size)
    step = max(_ENTRIES // (num_rows * size), 1)
    for first in range(0, num_sets, step):
        sets = slice(first, first + step)
        for begin in range(0, size, num_rows):
            rows = slice(begin, begin + num_rows)
            score = torch.baddbmm(
                square[sets].unsqueeze(1), points[sets, rows], points[sets].mT, alpha=-2
            )
            if exclude_self:
                score.diagonal(begin, 1, 2).fill_(torch.inf)
            found[sets, rows] = kernels.topk(score, k)
    return found


def _groups(sizes: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Sets of points to treat at once, as positions ``(S, C)``, and which are points.

    Sets go together by ascending size, and are filled up with their last points.
    """
    order = sizes.argsort()
    begins = sizes.cumsum(0) - sizes
    ascending = sizes[order]
    start = 0
    while start < len(ascending):
        # Twice as large at most, so that filling up costs little.
        stop = int(torch.searchsorted(ascending, 2 * ascending[start], right=True))
        width = int(ascending[stop - 1])
        sets = order[start:stop]
        at = torch.arange(width, device=sizes.device)
        last = sizes[sets].unsqueeze(1) - 1
        yield begins[sets].unsqueeze(1) + torch.minimum(at, last), at <= last
        start = stop


def within(x: Tensor, r: float, p: float, compute_mode: str) -> tuple[Tensor, Tensor]:
    """Ordered pairs of different points at most `r` apart in the p-norm, by first, then second."""
    x = x.detach()
    x = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    tree = _tree_of(x)
    if tree is None or p < 1 or compute_mode == "use_mm_for_euclid_dist":
        return _within_by_blocks(x, r, p, compute_mode)
    array = x.double().numpy()
    # A little further, then as distances in the precision of x say.
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
