"""Measure a row: write inputs, load them in every library, compare results, time in turn."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import inputs as bench_inputs
from benchmarks.machine import Disturbance, Watch
from benchmarks.pool import Pool, WorkerError
from benchmarks.verify import compare
from benchmarks.workload import Sizes, Traffic, Workload

PATIENCE = 60.0  # seconds of timed calls after which a row ends, with at least three rounds
PAUSE = 0.02  # seconds, until the threads of the previous library stop spinning


@dataclass
class Column:
    """The results of one library in one row. Times in seconds, memory in bytes."""

    form: str
    forms: dict[str, float]
    failures: dict[str, str]
    off: float = 0.0
    times: list[list[float]] = field(default_factory=list)
    extra_memory: int | None = None
    take_best: bool = False

    @property
    def typical(self) -> float:
        """The figure to report: the median, or the best call where that was requested."""
        return min(map(min, self.times)) if self.take_best else self.median

    @property
    def median(self) -> float:
        """Median over all timed calls, with equal weight for each round."""
        return statistics.median(statistics.median(visit) for visit in self.times)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles of the rounds, as a share of the median."""
        rounds = [statistics.median(visit) for visit in self.times]
        if len(rounds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(rounds, n=4, method="inclusive")
        return (high - low) / 2 / self.median


@dataclass
class Row:
    """A finished row."""

    name: str
    about: str
    goal: float
    columns: dict[str, Column] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    traffic: Traffic | None = None
    flops: int | None = None
    bound: float | None = None
    rates: dict[str, Any] | None = None
    disturbance: Disturbance | None = None  # during the times kept
    repeats: int = 0  # made because other processes disturbed the row

    def record(self) -> dict[str, Any]:
        """The row for JSON."""
        out = {k: v for k, v in asdict(self).items() if k != "columns"}
        out["columns"] = {
            name: asdict(c) | ({"median": c.median, "spread": c.spread} if c.times else {})
            for name, c in self.columns.items()
        }
        return out


@dataclass(frozen=True)
class Plan:
    """How to measure."""

    rounds: int = 5
    budget: float = 0.4
    seed: int = 0
    unsorted: bool = False
    bounds: bool = True
    best: bool = False
    repeats: int = 0  # how many times a disturbed row is timed again


def run_row(
    pool: Pool, workload: Workload, sizes: Sizes, folder: Path, plan: Plan, against: str
) -> Row:
    """Measure one row with every worker of the pool.

    `against` names the column that the others' results are compared with; columns called
    ``oracle`` are compared and not timed.
    """
    row = Row(workload.name, workload.about, workload.goal)
    edges = bench_inputs.make_edges(workload, sizes, plan.seed, plan.unsorted)
    arrays = bench_inputs.make_arrays(workload, sizes, plan.seed)
    bench_inputs.write(folder / "in", edges, arrays)
    try:
        _load(pool, workload, sizes, folder, row)
        undecided = {name: rows(*edges, arrays) for name, rows in workload.undecided.items()}
        _compare(folder, row, against, workload.tolerance, undecided, workload.may_differ)
        if not row.faults:
            _time_undisturbed(pool, workload, sizes, folder, row, plan)
    finally:
        for file in folder.rglob("*.np[yz]"):
            file.unlink()
    return row


def _load(pool: Pool, workload: Workload, sizes: Sizes, folder: Path, row: Row) -> None:
    request = {"row": workload.name, "sizes": asdict(sizes), "folder": str(folder / "in")}
    for name, worker in pool.items():
        try:
            answer = worker.ask("load", **request, result=str(folder / f"{name}.npz"))
        except WorkerError as error:
            row.missing[name] = str(error)
            continue
        row.columns[name] = Column(answer["kept"], answer["forms"], answer["failures"])


def _compare(
    folder: Path,
    row: Row,
    against: str,
    tolerance: float,
    undecided: dict[str, np.ndarray],
    may_differ: float,
) -> None:
    results = {}
    for name in row.columns:
        with np.load(folder / f"{name}.npz") as held:
            results[name] = dict(held)
    if against not in results:
        against = next(iter(results), "")
    if results:
        worst, row.faults = compare(results, against, tolerance, undecided, may_differ)
        for name, off in worst.items():
            row.columns[name].off = off


def _time_undisturbed(
    pool: Pool, workload: Workload, sizes: Sizes, folder: Path, row: Row, plan: Plan
) -> None:
    """Time the row, again if other processes disturb it; keep the least disturbed times."""
    least = math.inf
    for row.repeats in range(plan.repeats + 1):
        for column in row.columns.values():
            column.times = []
        watch = Watch()
        _time(pool, workload, sizes, folder, row, plan)
        now = watch.stop()
        if now.steal + now.waiting < least:
            least, row.disturbance = now.steal + now.waiting, now
            calmest = {name: column.times for name, column in row.columns.items()}
            bound = row.rates, row.bound
        if not now:
            break
    row.rates, row.bound = bound
    for name, column in row.columns.items():
        column.times = calmest[name]


def _time(pool: Pool, workload: Workload, sizes: Sizes, folder: Path, row: Row, plan: Plan) -> None:
    names = [name for name in row.columns if name != "oracle"]
    traffic = workload.traffic(sizes) if workload.traffic and plan.bounds else None
    row.flops = workload.flops(sizes)
    measured: list[dict] = []
    for turn in range(plan.rounds):
        if turn >= 3 and sum(sum(map(sum, c.times)) for c in row.columns.values()) > PATIENCE:
            break
        # Each round starts with another library, so that heat and caches affect all alike.
        start = turn % len(names) if names else 0
        for name in names[start:] + names[:start]:
            time.sleep(PAUSE)
            answer = pool[name].ask("visit", budget=plan.budget)
            row.columns[name].times.append(answer["seconds"])
        if traffic is not None:
            measured.append(_rates(pool, names[0], sizes, folder, list(traffic.gathers)))
    for name in names:
        row.columns[name].take_best = plan.best
        row.columns[name].extra_memory = pool[name].ask("memory")["extra"]
    if traffic is not None:
        row.traffic = traffic
        row.rates = _typical_rates(measured, max if plan.best else statistics.median)
        gathers = {int(size): rate for size, rate in row.rates["gather"].items()}
        row.bound = traffic.bound(row.rates["copy"], gathers)


def _rates(pool: Pool, name: str, sizes: Sizes, folder: Path, gathers: list[int]) -> dict:
    time.sleep(PAUSE)
    return pool[name].ask("rates", sizes=gathers, folder=str(folder / "in"), nodes=sizes.nodes)


def _typical_rates(measured: list[dict], typical: Callable) -> dict[str, Any]:
    gather = {
        size: typical([m["gather"][size] for m in measured]) for size in measured[0]["gather"]
    }
    return {"copy": typical([m["copy"] for m in measured]), "gather": gather}
