"""Warnings of the report: each appears where it should, and not elsewhere."""

from __future__ import annotations

import numpy as np

from gossamer.cli.advice import find_doubts
from gossamer.cli.results import RunResult


def test_a_sound_run_raises_no_doubt(recorded: RunResult) -> None:
    assert find_doubts(recorded) == []


def test_one_predicted_class(recorded: RunResult) -> None:
    for seed in recorded.seeds:
        seed.confusion = [[20, 0, 0]] * 3
    (doubt,) = find_doubts(recorded)
    assert doubt.startswith("The model predicts one class, cats & dogs, for all test nodes.")


def test_best_epoch_at_the_limit(recorded: RunResult) -> None:
    recorded.seeds[0].best_epoch = recorded.config.epochs
    (doubt,) = find_doubts(recorded)
    assert doubt.startswith(f"The best epoch is at the limit of {recorded.config.epochs} epochs")
    assert "for 1 of 3 seeds" in doubt
    recorded.interrupted = True
    assert [text[:12] for text in find_doubts(recorded)] == ["The training"]


def test_validation_and_test_that_disagree(recorded: RunResult) -> None:
    parts = recorded.details.parts
    parts["val"], parts["test"] = np.arange(5000), np.arange(5000)
    for seed in recorded.seeds:
        seed.val, seed.test = 0.95, 0.80
    (doubt,) = find_doubts(recorded)
    assert doubt.startswith("Validation (95.0) and test (80.0) differ")
    parts["val"] = parts["test"] = np.arange(10)  # chance explains it
    assert find_doubts(recorded) == []


def test_a_model_that_is_no_better_than_one_without_the_graph(recorded: RunResult) -> None:
    recorded.details.baselines = [("largest class", 0.3), ("logistic regression", 0.9)]
    (doubt,) = find_doubts(recorded)
    assert (
        doubt
        == "The model is no better than logistic regression without the graph (85.0 against 90.0)."
    )
