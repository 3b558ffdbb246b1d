"""Gossamer beside DGL and PyG: ``python -m benchmarks.ops``.

Each library runs in its own process, with the Python of its own virtual environment. For each row
all of them load the same bits, must agree on the result, and are then timed in alternation.

Examples
--------
``python -m benchmarks.ops --small --without dgl --without pyg`` (what CI runs)

``python -m benchmarks.ops --peer dgl=PYTHON --peer pyg=PYTHON --rows copy_u,u_dot_v``
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine, report
from benchmarks.measure import Plan, Row, run_row
from benchmarks.pool import Contender, Pool, Worker, WorkerError
from benchmarks.registry import FULL, SMALL, WORKLOADS, select

PEERS = ("dgl", "pyg")
ENVIRONMENT = "GOSSAMER_BENCHMARK_{}"  # GOSSAMER_BENCHMARK_DGL=/path/to/python


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ops", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rows", help="row names or beginnings of them, with commas between")
    parser.add_argument("--list", action="store_true", help="list the rows and stop")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--without", action="append", default=[], metavar="NAME")
    parser.add_argument("--python", default=sys.executable, help="the Python that has Gossamer")
    parser.add_argument("--package-path", metavar="DIR", help="where Gossamer is, if not there")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, help="visits to each library (5; small: 2)")
    parser.add_argument("--budget", type=float, help="seconds of a visit (0.4; small: 0.01)")
    parser.add_argument("--best", action="store_true", help="best calls instead of medians")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="small inputs, checked by an oracle")
    parser.add_argument("--unsorted", action="store_true", help="edges in random order")
    parser.add_argument("--memory-limit", type=float, metavar="GB", help="for each process")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE")
    options = parser.parse_args(argv)
    for name in options.without:
        if name not in ("gossamer", *PEERS):
            parser.error(f"--without {name}: there are gossamer, dgl and pyg")
    if options.threads < 1 or (options.rounds is not None and options.rounds < 1):
        parser.error("--threads and --rounds must be at least 1")
    return options


def contenders(options: argparse.Namespace) -> list[Contender]:
    """The columns: Gossamer, the peers whose Python is known, and the oracle for small inputs."""
    pythons = {name: os.environ.get(ENVIRONMENT.format(name.upper())) for name in PEERS}
    for peer in options.peer:
        name, _, python = peer.partition("=")
        if name not in PEERS or not python:
            raise SystemExit(f"--peer {peer}: expected dgl=PYTHON or pyg=PYTHON.")
        pythons[name] = python
    found = [Contender("gossamer", "gossamer", options.python, options.package_path)]
    for name, python in pythons.items():
        if python is None and name not in options.without:
            print(f"{name}: left out; make its environment with python -m benchmarks.peers create")
        elif python is not None:
            found.append(Contender(name, name, python))
    found = [contender for contender in found if contender.name not in options.without]
    if options.small:
        found.append(Contender("oracle", "oracle", options.python))
    return found


def memory_limit(options: argparse.Namespace) -> int | None:
    """Bytes that one process may hold: a row too large fails alone instead of taking the machine.

    By default nine tenths of what is available now.
    """
    if options.memory_limit:
        return int(options.memory_limit * 2**30)
    available = machine.available_memory()
    return None if available is None else int(available * 0.9)


def versions(pool: Pool) -> dict[str, Any]:
    """The releases of each library; a library that cannot be loaded ends the run."""
    found = {}
    for name, worker in pool.items():
        try:
            found[name] = worker.ask("versions")
        except WorkerError as error:
            python = worker.contender.python
            raise SystemExit(f"{name} cannot be loaded by {python}: {error}") from None
    return found


def run(options: argparse.Namespace) -> tuple[dict[str, Any], list[Row], list[str]]:
    """Measure the chosen rows. Returns machine and versions, the rows, and the timed columns."""
    sizes = SMALL if options.small else FULL
    plan = Plan(
        rounds=options.rounds or (2 if options.small else 5),
        budget=options.budget or (0.01 if options.small else 0.4),
        seed=options.seed,
        unsorted=options.unsorted,
        bounds=not options.small,
        best=options.best,
    )
    chosen = select(options.rows)
    columns = contenders(options)
    limit = memory_limit(options)
    rows = []
    with tempfile.TemporaryDirectory() as folder, Pool() as pool:
        for contender in columns:
            pool[contender.name] = Worker(contender, options.threads, limit)
        about = machine.describe(options.threads) | {"libraries": versions(pool)}
        names = [name for name in pool if name != "oracle"]
        against = "oracle" if options.small else names[0]
        for workload in chosen:
            row = run_row(pool, workload, sizes[workload.graph], Path(folder), plan, against)
            rows.append(row)
            medians = ", ".join(
                f"{n} {1e3 * c.typical:.3g} ms" for n, c in row.columns.items() if c.times
            )
            print(f"  {row.name}: {medians or 'not timed'}", file=sys.stderr, flush=True)
    return about, rows, names


def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 when results disagree or Gossamer could not run a row."""
    options = arguments(argv)
    if options.list:
        for row in WORKLOADS.values():
            print(f"{row.name:22} {row.about}")
        return 0
    about, rows, names = run(options)
    print(f"{about['cpu']}, {about['threads']} of {about['cores']} threads, {about['date']}")
    for name, releases in about["libraries"].items():
        print(f"{name}: " + ", ".join(f"{k} {v}" for k, v in releases.items()))
    print("times: " + ("best call of each library" if options.best else "medians"))
    print("\n" + report.table(rows, names) + "\n")
    print(report.notes(rows))
    if options.json:
        report.write_json(options.json, about, rows)
    if options.plot:
        report.plot(options.plot, about, rows, names)
    failed = [row.name for row in rows if row.faults or names[0] in row.missing]
    if failed:
        print("\nResults disagree, or are missing: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
