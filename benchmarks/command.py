"""Shared parts of the commands: options, processes, progress and report."""

from __future__ import annotations

import argparse
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, report
from benchmarks.argument_types import above_zero, count, interpreter, output, picture, seed
from benchmarks.measure import Plan, Row, run_row
from benchmarks.pool import Contender, Pool, WorkerError
from benchmarks.registry import select
from benchmarks.workload import Sizes, Workload

PEERS = ("dgl", "pyg")
ENVIRONMENT = "GOSSAMER_BENCHMARK_{}"  # GOSSAMER_BENCHMARK_DGL=/path/to/python
INTERRUPTED = 130  # the exit status of a command that Ctrl-C ended, in shells
#: PyTorch's own switch, in every release that the libraries here use.
HUGE_PAGES = {"THP_MEM_ALLOC_ENABLE": "1"}


def interruptible(main: Callable[..., int]) -> Callable[..., int]:
    """A command that Ctrl-C ends with a line and a status instead of a traceback."""

    @functools.wraps(main)
    def run(argv: list[str] | None = None) -> int:
        try:
            return main(argv)
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)
            return INTERRUPTED

    return run


def parser(
    module: str, description: str, *, rows: str | None = None, rounds: int | None = None
) -> argparse.ArgumentParser:
    """The options of every command that measures; `rows` and `rounds` where none are requested."""
    made = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    names = f"row names or prefixes, separated by commas (default: {rows or 'all'})"
    made.add_argument("--rows", default=rows, metavar="NAMES", help=names)
    python = "the Python that has Gossamer (default: this one)"
    made.add_argument("--python", type=interpreter, default=sys.executable, help=python)
    made.add_argument("--threads", type=count, default=2, help="threads of each library (2)")
    visits = f"visits to each library ({rounds or '5; small: 2'})"
    made.add_argument("--rounds", type=count, default=rounds, help=visits)
    made.add_argument("--budget", type=above_zero, help="seconds of a visit (0.4; small: 0.01)")
    made.add_argument("--best", action="store_true", help="best calls instead of medians")
    made.add_argument("--seed", type=seed, default=0, help="seed of the inputs (0)")
    made.add_argument("--small", action="store_true", help="small inputs")
    made.add_argument("--huge-pages", action="store_true", help="huge pages for all of PyTorch")
    limit = "for each process (nine tenths of the memory available)"
    made.add_argument("--memory-limit", type=above_zero, metavar="GB", help=limit)
    made.add_argument("--json", type=output, metavar="FILE", help="write every timed call there")
    bars = "draw the table there (needs matplotlib)"
    made.add_argument("--plot", type=picture, metavar="FILE", help=bars)
    return made


def add_peers(options: argparse.ArgumentParser, peers: Sequence[str] = PEERS) -> None:
    """Add the options of commands that compare Gossamer with its peers."""
    options.set_defaults(peers=peers, refuse=options.error)
    options.add_argument("--list", action="store_true", help="list the rows and stop")
    peer = f"the Python that has a peer ({' or '.join(peers)}), once for each of them"
    options.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON", help=peer)
    names, leave = ("gossamer", *peers), "leave a library out, once for each of them"
    options.add_argument("--without", action="append", default=[], choices=names, help=leave)
    path = "a folder that holds the gossamer to measure, in place of the one that --python imports"
    options.add_argument("--package-path", metavar="DIR", help=path)


def environment(options: argparse.Namespace) -> dict[str, str]:
    """The environment variables that every process gets."""
    return HUGE_PAGES if options.huge_pages else {}


def contenders(options: argparse.Namespace) -> list[Contender]:
    """The columns: Gossamer and the peers whose Python is known."""
    pythons = {name: os.environ.get(ENVIRONMENT.format(name.upper())) for name in options.peers}
    if "scipy" in options.peers:
        pythons["scipy"] = pythons["scipy"] or options.python
    for peer in options.peer:
        name, _, python = peer.partition("=")
        if name not in options.peers or not python:
            expected = " or ".join(f"{name}=PYTHON" for name in options.peers)
            options.refuse(f"--peer {peer}: expected {expected}")
        pythons[name] = python
    shared = {"threads": options.threads, "environment": environment(options)}
    path = options.package_path
    found = [Contender("gossamer", "gossamer", options.python, path, **shared)]
    for name, python in pythons.items():
        if name in options.without:
            continue
        if python is None:
            print(f"{name}: left out; make its environment with python -m benchmarks.peers create")
        elif shutil.which(python) is None:
            where = f"--peer {name}=PYTHON or {ENVIRONMENT.format(name.upper())}"
            options.refuse(f"{name}: {python!r} cannot be started; give its Python with {where}")
        else:
            found.append(Contender(name, name, python, **shared))
    if "gossamer" in options.without:
        del found[0]
    if not found:
        options.refuse("no library is left to measure; name a peer, or fewer with --without")
    return found


def memory_limit(options: argparse.Namespace) -> int | None:
    """Bytes that one process may hold, so that a row too large fails alone.

    By default nine tenths of the memory available now.
    """
    if options.memory_limit:
        return int(options.memory_limit * 2**30)
    available = machine.available_memory()
    return None if available is None else int(available * 0.9)


def versions(pool: Pool) -> dict[str, Any]:
    """The releases of each library; exits if one cannot be loaded."""
    found = {}
    for name, worker in pool.items():
        try:
            found[name] = worker.ask("versions")
        except WorkerError as error:
            python = worker.contender.python
            raise SystemExit(f"{name} cannot be loaded by {python}: {error}") from None
    return found


def say_started(workload: Workload) -> None:
    """Progress: a line that the finished row overwrites."""
    if sys.stderr.isatty():
        print(f"  {workload.name} ...", end="\r", file=sys.stderr, flush=True)


def say_finished(row: Row) -> None:
    """Progress: the row's times."""
    times = ", ".join(f"{n} {1e3 * c.typical:.3g} ms" for n, c in row.columns.items() if c.times)
    print(f"  {row.name}: {times or 'not timed'}", file=sys.stderr, flush=True)


def measure(
    options: argparse.Namespace,
    columns: list[Contender],
    workloads: list[Workload],
    size: Callable[[Workload], Sizes],
    *,
    against: str | None = None,
    bounds: bool = False,
    unsorted: bool = False,
) -> tuple[dict[str, Any], list[Row]]:
    """Measure the rows; what ran, and the rows.

    Results are compared with those of the column `against`; by default the first one. Ctrl-C ends
    the measuring: the rows that are finished are returned, if there are any.
    """
    plan = Plan(
        rounds=options.rounds or (2 if options.small else 5),
        budget=options.budget or (0.01 if options.small else 0.4),
        seed=options.seed,
        unsorted=unsorted,
        bounds=bounds,
        best=options.best,
        repeats=0 if options.small else 2,
    )
    against = against or columns[0].name
    about: dict[str, Any] = {"interrupted": False}
    rows: list[Row] = []
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            Pool.of(columns, memory_limit(options)) as pool,
        ):
            about |= machine.describe(max(column.threads for column in columns))
            about |= {"huge_pages": options.huge_pages, "libraries": versions(pool)}
            for workload in workloads:
                say_started(workload)
                rows.append(run_row(pool, workload, size(workload), Path(folder), plan, against))
                say_finished(rows[-1])
    except KeyboardInterrupt:
        if not rows:
            raise
        about["interrupted"] = True
        print(file=sys.stderr, flush=True)  # start the report on a new line
    return about, rows


def compare(
    options: argparse.Namespace,
    workloads: dict[str, Workload],
    size: Callable[[Workload], Sizes],
    summary: Callable[[list[Row], list[str]], str] = report.summary,
) -> int:
    """List the chosen rows, or measure and report them for all libraries; the exit status."""
    chosen = select(options.rows, workloads)
    if options.list:
        print("\n".join(f"{row.name:26} {row.about}" for row in chosen))
        return 0
    columns = contenders(options)
    names = [column.name for column in columns]
    about, rows = measure(options, columns, chosen, size)
    return finish(options, about, rows, names, report.table(rows, names), summary(rows, names))


def heading(options: argparse.Namespace, about: dict[str, Any]) -> str:
    """The machine, the releases, and how the times were taken."""
    lines = [f"{about['cpu']}, {about['threads']} of {about['cores']} threads, {about['date']}"]
    for name, releases in about["libraries"].items():
        lines.append(f"{name}: " + ", ".join(f"{k} {v}" for k, v in releases.items()))
    times = "times: " + ("best call of each column" if options.best else "medians")
    lines.append(times + (", huge pages for every library" if options.huge_pages else ""))
    return "\n".join(lines)


def finish(
    options: argparse.Namespace,
    about: dict[str, Any],
    rows: list[Row],
    names: list[str],
    table: str,
    summary: str = "",
) -> int:
    """Print the report, write what was requested; the exit status.

    It is 1 when results disagree or a row did not run, and 130 after Ctrl-C.
    """
    print(f"{heading(options, about)}\n\n{table}\n\n{report.notes(rows)}")
    if summary:
        print("\n" + summary)
    if options.json:
        report.write_json(options.json, about, rows, names)
    if options.plot:
        report.plot(options.plot, about, rows, names)
    failed = [row.name for row in rows if row.faults or names[0] in row.missing]
    if failed:
        print("\nResults disagree, or are missing: " + ", ".join(failed), file=sys.stderr)
    if about["interrupted"]:
        print(f"\nInterrupted; rows finished: {len(rows)}.", file=sys.stderr)
        return INTERRUPTED
    return 1 if failed else 0
