"""One row, with workers that answer from a script."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from benchmarks.machine import Disturbance
from benchmarks.measure import Column, Plan, Row, run_row
from benchmarks.pool import Pool, WorkerError
from benchmarks.registry import SMALL, WORKLOADS
from benchmarks.report import notes

from benchmarks import measure

ROW = WORKLOADS["copy_u/sum"]
SIZES = SMALL["skew"]


class Scripted:
    """Stands for a worker process; `value` is what it claims the result to be."""

    def __init__(self, name: str, value: float, calls: list[str], seconds: float = 1.0) -> None:
        self.name, self.value, self.calls, self.seconds = name, value, calls, seconds

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        self.calls.append(f"{do} {self.name}")
        if do == "load":
            if np.isnan(self.value):
                raise WorkerError("it broke")
            assert (Path(request["folder"]) / "x.npy").exists()
            np.savez(request["result"], out=np.full(4, self.value))
            return {"kept": "only", "forms": {"only": self.seconds}, "failures": {}}
        if do == "visit":
            return {"seconds": [self.seconds, 3 * self.seconds, self.seconds]}
        if do == "rates":
            return {"copy": 1e9, "gather": {str(size): 1e9 for size in request["sizes"]}}
        return {"extra": 7}


def _run(tmp_path: Path, workers: list[Scripted], **plan: Any) -> Row:
    pool = Pool({worker.name: worker for worker in workers})
    return run_row(pool, ROW, SIZES, tmp_path, Plan(**plan), workers[0].name)


def test_libraries_take_turns_and_each_round_starts_with_another(tmp_path: Path) -> None:
    calls: list[str] = []
    row = _run(tmp_path, [Scripted("a", 1, calls), Scripted("b", 1, calls, 2.0)], rounds=3)
    visits = [call.split()[1] for call in calls if call.startswith("visit")]
    assert visits == ["a", "b", "b", "a", "a", "b"]
    assert [call for call in calls if call.startswith("load")] == calls[:2]
    assert row.columns["a"].median == 1
    assert row.columns["b"].median == 2
    assert row.columns["a"].extra_memory == 7
    assert row.bound == pytest.approx(ROW.traffic(SIZES).total / 1e9)
    assert not list(tmp_path.rglob("*.np[yz]"))


@pytest.mark.parametrize(
    ("loads", "turns", "kept"),
    [((0.0,), 1, 0), ((0.5, 0.0), 2, 1), ((0.3, 0.2, 0.4), 3, 1), ((0.3, 0.4, 0.5), 3, 0)],
    ids=str,
)
def test_a_disturbed_row_is_timed_again(tmp_path: Path, monkeypatch, loads, turns, kept) -> None:
    found = iter(loads)
    watch = SimpleNamespace(stop=lambda: Disturbance(0.0, next(found)))
    monkeypatch.setattr(measure, "Watch", lambda: watch)
    calls: list[str] = []
    worker = Scripted("a", 1, calls)
    seconds = iter([1.0, 2.0, 3.0])
    ask = worker.ask
    monkeypatch.setattr(
        worker,
        "ask",
        lambda do, **request: (
            ask(do, **request) and {"seconds": [next(seconds)]}
            if do == "visit"
            else ask(do, **request)
        ),
    )
    row = _run(tmp_path, [worker], rounds=1, repeats=2)
    assert sum(call.startswith("visit") for call in calls) == turns
    assert row.columns["a"].times == [[kept + 1.0]]
    assert row.disturbance == Disturbance(0.0, loads[kept])
    assert row.repeats == turns - 1
    assert ("DISTURBED" in notes([row])) == bool(row.disturbance)


def test_no_library_is_timed_when_results_disagree(tmp_path: Path) -> None:
    calls: list[str] = []
    row = _run(tmp_path, [Scripted("a", 1, calls), Scripted("b", 1.5, calls)])
    assert len(row.faults) == 1
    assert not any(call.startswith("visit") for call in calls)
    assert "median" not in row.record()["columns"]["a"]


def test_a_library_that_fails_leaves_the_row_to_the_others(tmp_path: Path) -> None:
    calls: list[str] = []
    row = _run(tmp_path, [Scripted("a", 1, calls), Scripted("b", float("nan"), calls)])
    assert row.missing == {"b": "it broke"}
    assert list(row.columns) == ["a"]
    assert row.columns["a"].times


def test_the_oracle_is_compared_and_not_timed(tmp_path: Path) -> None:
    calls: list[str] = []
    workers = [Scripted("oracle", 1, calls), Scripted("a", 1, calls)]
    row = _run(tmp_path, workers, rounds=2, bounds=False)
    assert [call for call in calls if call.startswith("visit")] == ["visit a", "visit a"]
    assert row.bound is None


def test_median_and_spread_count_rounds_alike() -> None:
    column = Column("f", {}, {}, times=[[1.0], [2.0, 2.0, 50.0], [3.0], [4.0], [5.0]])
    assert column.median == 3
    assert column.spread == pytest.approx((4 - 2) / 2 / 3)
    assert Column("f", {}, {}, times=[[1.0]]).spread == 0
    assert column.typical == 3
    column.take_best = True
    assert column.typical == 1
