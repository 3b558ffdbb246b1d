"""What others took of the machine while something was measured."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from benchmarks.machine import Disturbance, Watch

from benchmarks import machine


def _write(proc: Path, steal: int, waiting: list[int]) -> None:
    (proc / "stat").write_text(f"cpu  10 0 10 100 0 0 0 {steal} 0 0\ncpu0 1 0 1 1 0 0 0 1 0 0\n")
    lines = ["version 15", "timestamp 4295"]
    for k, nanoseconds in enumerate(waiting):
        lines += [f"cpu{k} 0 0 0 0 0 0 500 {nanoseconds} 7", "domain0 3 1 2 3"]
    (proc / "schedstat").write_text("\n".join(lines) + "\n")


def test_shares_of_the_processors_time(tmp_path: Path, monkeypatch) -> None:
    clock = iter([100.0, 110.0])
    monkeypatch.setattr(machine.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 2)
    ticks = os.sysconf("SC_CLK_TCK")
    _write(tmp_path, 5 * ticks, [10**9, 2 * 10**9])
    watch = Watch(tmp_path)
    _write(tmp_path, 6 * ticks, [4 * 10**9, 3 * 10**9])
    found = watch.stop()
    assert found.steal == pytest.approx(1 / 20)
    assert found.waiting == pytest.approx(4 / 20)
    assert found
    assert str(found) == "5% stolen, threads waited 20% of the time"


def test_a_system_that_does_not_tell(tmp_path: Path) -> None:
    found = Watch(tmp_path).stop()
    assert found == Disturbance(0.0, 0.0)
    assert not found
