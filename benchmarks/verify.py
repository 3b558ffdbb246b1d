"""Compare the libraries' results: wrong results are not timed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def disagreement(
    a: np.ndarray,
    b: np.ndarray,
    undecided: np.ndarray | None = None,
    may_differ: float = 0.0,
) -> float:
    """How far `a` is from `b`: the largest of ``|a - b| / (|b| + rms)``; inf for other shapes.

    ``rms`` is the root mean square of the array or, if larger, of the element's row: the sums of a
    hub are of one size, and so are their errors. float32 sums of 30,000 terms in another order
    differ in the fourth digit, a wrong row in the first. Integers must be equal. The rows
    `undecided` do not count, nor the share `may_differ` of the numbers with the largest error, but
    no number may be NaN.
    """
    if a.shape != b.shape:
        return float("inf")
    if a.dtype.kind in "iub":
        return 0.0 if np.array_equal(a, b) else float("inf")
    if a.size == 0:
        return 0.0
    a, b = a.astype(np.float64), b.astype(np.float64)
    of_row = np.mean(b * b, axis=tuple(range(1, b.ndim)), keepdims=True)
    rms = np.sqrt(np.maximum(of_row, np.mean(b * b))) if b.ndim > 1 else np.sqrt(np.mean(b * b))
    off = np.abs(a - b) / (np.abs(b) + rms + np.finfo(np.float32).tiny)
    if np.isnan(off).any():
        return float("inf")
    if undecided is not None:
        off = np.delete(off, undecided, axis=0)
    if may_differ:
        kept = off.size - int(may_differ * off.size)
        off = np.partition(off.ravel(), kept - 1)[:kept]
    return float(off.max(initial=0.0))


def undecided_nodes(
    src: np.ndarray, dst: np.ndarray, arrays: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Both ends of the edges with a GAT score within float32's error of 0.

    A score is the sum of a number of its source and one of its destination, and LeakyReLU has a
    kink at 0. If one library rounds a score up and another down, the gradients of the two nodes
    differ, in the first digits if they have few edges. A score is undecided if it is no larger than
    the largest float32 error of any score of this graph, measured against float64.

    On the full graph (seed 0), 38 edges of 4,000,000 have such a score. Gossamer differed from DGL
    and PyG, by 0.024 and 0.012, in the rows of the two ends of one of them (its score is 2.3e-7 in
    head 7), and by less than 2e-5 in all other rows.
    """
    scores = [_gat_scores(src, dst, arrays, dtype) for dtype in (np.float32, np.float64)]
    error = np.abs(scores[0] - scores[1]).max(initial=0.0)
    edges = (np.abs(scores[1]) <= error).any(1)
    return np.union1d(src[edges], dst[edges])


def _gat_scores(
    src: np.ndarray, dst: np.ndarray, arrays: Mapping[str, np.ndarray], dtype: type
) -> np.ndarray:
    """The scores `(E, H)` before LeakyReLU, computed in `dtype`."""
    x, weight, left, right = (
        arrays[name].astype(dtype) for name in ("x", "weight", "att_src", "att_dst")
    )
    h = (x @ weight).reshape(len(x), *left.shape[1:])
    return (h * left).sum(-1)[src] + (h * right).sum(-1)[dst]


def compare(
    results: Mapping[str, Mapping[str, np.ndarray]],
    against: str,
    tolerance: float = 1e-3,
    undecided: Mapping[str, np.ndarray] | None = None,
    may_differ: float = 0.0,
) -> tuple[dict[str, float], list[str]]:
    """Compare every library's results with those of one of them.

    `undecided` has the rows of a result that do not count, by the result's name; `may_differ` is
    the share of its numbers that do not count.

    Returns
    -------
    (dict of str to float, list of str)
        The worst disagreement of each library, and a sentence for each one beyond the tolerance.
    """
    truth, undecided = results[against], undecided or {}
    worst: dict[str, float] = {}
    faults: list[str] = []
    for name, found in results.items():
        if name == against:
            continue
        worst[name] = 0.0
        for key in sorted(truth.keys() | found.keys()):
            if key not in found or key not in truth:
                faults.append(f"{key} comes from only one of {name} and {against}")
                continue
            off = disagreement(found[key], truth[key], undecided.get(key), may_differ)
            worst[name] = max(worst[name], off)
            if off > tolerance:
                shapes = f"{found[key].shape} and {truth[key].shape}"
                faults.append(f"{key} of {name} is off {against}'s by {off:.2g} (shapes {shapes})")
    return worst, faults
