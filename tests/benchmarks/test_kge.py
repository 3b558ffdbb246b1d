"""`benchmarks.kge`: Gossamer's side of the comparison, and the table around a stand-in peer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import kge
from helpers.paths import shared_data

QUICK = ["--size", "8", "--batch", "16", "--negatives", "4", "--threads", "1", "--steps", "2"]


@pytest.mark.parametrize("model", kge.MODELS)
def test_the_worker_measures(model: str, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("torch.set_num_threads", lambda count: None)
    data = shared_data("kg-small", "nations")
    options = ["--data", str(data), "--peer", "", *QUICK]
    facts = kge._prepare(kge.arguments(options), tmp_path)
    argv = ["--worker", "gossamer", "--data", str(facts), "--peer", "", "--models", model, *QUICK]
    assert kge.main(argv) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["steps per second"] > 0
    inputs = np.load(facts)
    positive, negative = inputs["positive"].astype(float), inputs["negative"].astype(float)
    weight = np.exp(negative) / np.exp(negative).sum(1, keepdims=True)
    told = (weight * np.log1p(np.exp(9 + negative))).sum(1)
    assert found["loss"] == pytest.approx((np.log1p(np.exp(-9 - positive)) + told).mean() / 2)
    assert 0.2 < found["mrr"] < 0.6


@pytest.mark.parametrize(("loss", "code"), [(2.0, 0), (2.1, 1)])
def test_definitions_that_differ_fail(loss: float, code: int, capsys, monkeypatch) -> None:
    found = {"gossamer": (4.0, 2.0), "pykeen": (2.0, loss)}

    def call(options, name, model, facts):
        speed, value = found[name]
        return {"steps per second": speed, "loss": value, "mrr": 0.5}

    monkeypatch.setattr(kge, "_call", call)
    data = str(shared_data("kg-small", "nations"))
    assert kge.main(["--data", data, "--peer", "python", "--models", "rotate"]) == code
    assert "| rotate | 4.00 | 2.00 | 2.0 | 2.000000" in capsys.readouterr().out
