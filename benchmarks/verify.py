"""Do the libraries agree? A fast wrong answer never gets a number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def disagreement(a: np.ndarray, b: np.ndarray, stray_rows: float = 0.0) -> float:
    """How far `a` is from `b`: the largest of ``|a - b| / (|b| + rms)``; inf for other shapes.

    Each element is held against its own size, and small ones against the root mean square of the
    array or, if that is larger, of their row (a hub's sums are of one size, and so are their
    errors): float32 sums of 30,000 terms in another order differ in the fourth digit, a wrong row
    in the first. Integers must be equal. The share `stray_rows` of the rows that are farthest off does not count.
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
    by_row = np.sort(off.reshape(len(off), -1).max(1)) if off.ndim else off.reshape(1)
    return float(by_row[-1 - int(stray_rows * len(by_row))])


def compare(
    results: Mapping[str, Mapping[str, np.ndarray]],
    against: str,
    tolerance: float = 1e-3,
    stray_rows: float = 0.0,
) -> tuple[dict[str, float], list[str]]:
    """Compare every library's results with those of one of them.

    Returns
    -------
    (dict of str to float, list of str)
        The worst disagreement of each library, and a sentence for each one beyond the tolerance.
    """
    truth = results[against]
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
            off = disagreement(found[key], truth[key], stray_rows)
            worst[name] = max(worst[name], off)
            if off > tolerance:
                shapes = f"{found[key].shape} and {truth[key].shape}"
                faults.append(f"{key} of {name} is off {against}'s by {off:.2g} (shapes {shapes})")
    return worst, faults
