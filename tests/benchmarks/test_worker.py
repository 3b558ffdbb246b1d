"""What the measuring process does, without a process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.adapters import Form
from benchmarks.worker import as_array, canonical, extra_memory, race, rates

from helpers.paths import REPOSITORY


def _sleeper(seconds: float, calls: list[float]) -> Form:
    def run() -> dict[str, torch.Tensor]:
        calls.append(seconds)
        time.sleep(seconds)
        return {}

    return Form(run)


def test_race_finds_the_fastest_and_drops_those_far_behind() -> None:
    calls: list[float] = []
    forms = {"quick": _sleeper(0.002, calls), "slow": _sleeper(0.05, calls)}
    best = race(forms, dict.fromkeys(forms, 0.0))
    assert min(best, key=best.get) == "quick"
    assert calls.count(0.05) == 1


def test_race_does_not_repeat_slow_calls() -> None:
    calls: list[float] = []
    forms = {"a": _sleeper(0.0, calls), "b": _sleeper(0.0, calls)}
    assert race(forms, {"a": 5.0, "b": 4.0}) == {"a": 5.0, "b": 4.0}
    assert not calls
    assert race(forms, {"a": 0.1, "b": 4.0})["b"] == 4.0


def test_canonical_sorts_within_each_column() -> None:
    held = {"indptr": np.array([0, 3, 3, 5]), "indices": np.array([2, 0, 1, 4, 3])}
    found = canonical("COO to CSC", held)
    np.testing.assert_array_equal(found["indices"], [0, 1, 2, 3, 4])
    assert canonical("copy_u/sum", held) is held


def test_arrays_hold_16_bit_results_as_they_are() -> None:
    found = as_array(torch.tensor([1.0, 1 / 3], dtype=torch.bfloat16, requires_grad=True))
    assert found.dtype == np.float32
    assert found.tolist() == [1.0, 0.333984375]
    assert as_array(torch.tensor([1, 2])).dtype == np.int64


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's resettable high-water mark")
def test_extra_memory_sees_a_buffer_that_is_gone_when_the_call_returns() -> None:
    extra = extra_memory(lambda: torch.ones(16 << 20).sum())
    if extra is None:
        pytest.skip("this system does not let a process reset its high-water mark")
    assert 60 << 20 < extra < 100 << 20


def test_rates_are_positive_for_each_row_size() -> None:
    found = rates(torch.randint(0, 50, (10_000,)), 50, [32, 256])
    assert found["copy"] > 0
    assert found["gather"].keys() == {"32", "256"}
    assert min(found["gather"].values()) > 0


def test_package_path_wins_over_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "gossamer.py").write_text("here = True\n")
    code = (
        "from benchmarks.worker import use_package_path as use\n"
        f"use({str(tmp_path)!r}, 'gossamer')\n"
        "import gossamer\n"
        "assert gossamer.here\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)
