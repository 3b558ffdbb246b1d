"""Warnings about a run, for the report and the terminal."""

from __future__ import annotations

import math

from gossamer.cli.results import RunResult

__all__ = ["find_doubts", "find_weaknesses"]


def find_doubts(result: RunResult) -> list[str]:
    """Return warnings about the scores of a run; an empty list if there are none."""
    found = []
    if result.interrupted:
        found.append("The training was interrupted; the scores are from the epochs before that.")
    limit = result.config.epochs
    late = [seed for seed in result.seeds if seed.best_epoch >= 0.98 * limit]
    if late and not result.interrupted:
        found.append(
            f"The best epoch is at the limit of {limit:,} epochs"
            + (f" for {len(late)} of {len(result.seeds)} seeds" if len(result.seeds) > 1 else "")
            + "; the model may still improve. Train longer with --epochs."
        )
    found += _disagreement(result) + find_weaknesses(result)
    return found


def find_weaknesses(result: RunResult) -> list[str]:
    """Return signs that the model did not learn from the graph; an empty list if there are none."""
    found = []
    counts = result.confusion
    if counts is not None and len(counts) > 1 and (counts.sum(0) > 0).sum() == 1:
        name = result.class_names[int(counts.sum(0).argmax())]
        found.append(f"The model predicts one class, {name}, for all test {result.items}.")
    test = result.summary("test")[0]
    for name, score in result.details.baselines if result.details else []:
        if score >= test:
            scores = f"{100 * test:.1f} against {100 * score:.1f}"
            found.append(f"The model is no better than {name} without the graph ({scores}).")
    return found


def _disagreement(result: RunResult) -> list[str]:
    """Return a warning if validation and test scores differ by more than three standard errors."""
    if result.details is None or result.metric not in ("accuracy", "roc_auc"):
        return []
    (val, _), (test, _) = result.summary("val"), result.summary("test")
    sizes = result.details.sizes()
    mean = (val + test) / 2
    error = math.sqrt(mean * (1 - mean) * (1 / sizes["val"] + 1 / sizes["test"]))
    if abs(val - test) <= max(3 * error, 0.02):
        return []
    return [
        f"Validation ({100 * val:.1f}) and test ({100 * test:.1f}) differ by more than chance "
        f"explains for {sizes['val']:,} and {sizes['test']:,} {result.scored}: their distributions "
        "may differ, or the settings overfit the validation data."
    ]
