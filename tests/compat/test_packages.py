"""Packages written for DGL run unchanged through the compatibility layer.

Each program in ``packages`` says at its top which packages to install and what it prints; where
they are absent, its test is skipped. ``golden/dgllife_zoo.jsonl`` and
``golden/dgllife_tasks.jsonl`` were printed by the same programs with DGL 2.1.0 and torch 2.2.1.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean

import pytest

from helpers.paths import shared_data

HERE = Path(__file__).parent
pytestmark = pytest.mark.slow


def lines_of(program: str, *arguments: str, needs: list[str]) -> list[dict]:
    """What a program of the folder ``packages`` prints when it runs on Gossamer."""
    for package in needs:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    path = str(HERE / "packages" / f"{program}.py")
    command = [sys.executable, "-m", "gossamer.compat.dgl", path, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def recorded(name: str) -> list[dict]:
    text = (HERE / "golden" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_dgllife_predictors_are_as_good_as_on_dgl() -> None:
    folder = str(shared_data("moleculenet"))
    ours = lines_of("dgllife_zoo", folder, needs=["dgllife", "rdkit"])
    theirs = recorded("dgllife_zoo")
    assert [line["model"] for line in ours] == [line["model"] for line in theirs]
    for own, other in zip(ours, theirs, strict=True):
        spread = max(other["rmse"]) - min(other["rmse"])
        assert abs(mean(own["rmse"]) - mean(other["rmse"])) < 0.02 + spread, own["model"]


def test_dgllife_tasks_have_the_losses_that_they_have_on_dgl() -> None:
    ours = lines_of("dgllife_tasks", needs=["dgllife", "rdkit"])
    for own, other in zip(ours, recorded("dgllife_tasks"), strict=True):
        assert own["model"] == other["model"]
        # ACNN builds three layers of the same tensors. In DGL they share the memory of their
        # parameters, so that every step moves these three times.
        close = 0.02 if own["model"] == "ACNN" else 2e-3
        assert own["loss"] == pytest.approx(other["loss"], rel=close), own["model"]
        assert own["loss"][-1] < own["loss"][0], own["model"]
