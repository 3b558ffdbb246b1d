"""The result object: which seed is best, summaries, JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gossamer.cli.metrics import text
from gossamer.cli.results import RunResult


def test_validation_decides_which_seed_is_better(recorded: RunResult) -> None:
    low, high, _ = recorded.seeds
    assert high.better_than(low) and not low.better_than(high)
    assert low.better_than(None)
    tie = replace(high, val_loss=high.val_loss - 0.1, test=0.0)
    assert tie.better_than(high) and not high.better_than(tie)
    assert not high.better_than(high)


def test_an_interrupted_seed_counts_only_if_it_is_the_only_one(recorded: RunResult) -> None:
    assert recorded.summary("test") == pytest.approx((0.85, 0.1))
    recorded.seeds[2] = replace(recorded.seeds[2], interrupted=True)
    assert recorded.summary("test")[0] == pytest.approx(0.80)
    recorded.seeds = recorded.seeds[2:]
    assert recorded.summary("test") == (0.95, None)


def test_json_holds_seeds_summary_configuration_and_environment(recorded: RunResult) -> None:
    content = json.loads(recorded.to_json())
    assert content["summary"]["test"] == pytest.approx({"mean": 0.85, "std": 0.1})
    assert [seed["val"] for seed in content["seeds"]] == [0.80, 0.90, 0.85]
    assert content["seeds"][1] == {
        "seed": 1,
        "split": 0,
        "best_epoch": 2,
        "epochs": 5,
        "val": 0.90,
        "test": 0.85,
        "val_loss": 0.6,
        "seconds": 1.5,
        "interrupted": False,
    }
    assert content["best_seed"] == 1
    assert content["config"] == json.loads(json.dumps(recorded.config.as_dict()))
    assert content["environment"]["torch"] == "9.9"
    assert sum(map(sum, content["confusion_matrix"])) == 60


def test_text() -> None:
    assert text("accuracy", 0.8153, 0.00421) == "81.53 ± 0.42"
    assert text("accuracy", 1.0) == "100.00"
    assert text("rmse", 1.5, 0.25) == "1.5000 ± 0.2500"
