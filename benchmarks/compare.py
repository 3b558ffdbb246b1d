"""Two revisions of Gossamer on the same rows: ``python -m benchmarks.compare main~5 .``

Each revision is checked out beside the repository, built, and installed into a folder of its own;
the two then take turns as two libraries do in ``benchmarks.ops``. ``.`` is the working tree as it
stands. The rows and how they are written come from the working tree for both.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import math
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import machine, report
from benchmarks.measure import Plan, Row, run_row
from benchmarks.pool import ROOT, Contender, Pool, Worker
from benchmarks.registry import FULL, SMALL, select


def git(*command: str) -> str:
    """Run git in the repository."""
    result = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"git {' '.join(command)}: {result.stderr.strip()}")
    return result.stdout.strip()


@contextlib.contextmanager
def checkout(revision: str, folder: Path) -> Iterator[Path]:
    """The source tree of a revision; of ``.``, the working tree itself."""
    if revision == ".":
        yield ROOT
        return
    git("worktree", "add", "--detach", "--force", str(folder), revision)
    try:
        yield folder
    finally:
        git("worktree", "remove", "--force", str(folder))


def install(source: Path, target: Path, python: str, build: Path) -> None:
    """Build a source tree and install the package, without what it depends on, into a folder."""
    command = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    # A build folder of its own: the working tree's would otherwise serve two builds at once.
    command += ["--config-settings", f"build-dir={build}"]
    tools = ("scikit_build_core", "nanobind")
    if python == sys.executable and all(importlib.util.find_spec(tool) for tool in tools):
        command.append("--no-build-isolation")  # nothing to download
    if subprocess.run([*command, str(source)]).returncode:
        raise SystemExit(f"{source} does not build; the lines above say why.")


def geometric_mean(values: list[float]) -> float:
    """The geometric mean of positive numbers."""
    return math.exp(sum(map(math.log, values)) / len(values))


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("before", help="a git revision, or . for the working tree")
    parser.add_argument("after", nargs="?", default=".", help="the same; default: .")
    parser.add_argument("--rows", help="row names or beginnings of them, with commas between")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--budget", type=float, default=0.4)
    parser.add_argument("--best", action="store_true", help="best calls instead of medians")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args(argv)


def run(options: argparse.Namespace, work: Path) -> list[Row]:
    """Build both revisions in the folder `work`, and measure the rows."""
    sizes = SMALL if options.small else FULL
    plan = Plan(options.rounds, options.budget, bounds=not options.small, best=options.best)
    contenders = []
    for name, revision in (("after", options.after), ("before", options.before)):
        with checkout(revision, work / f"{name}-source") as source:
            install(source, work / name, options.python, work / f"{name}-build")
        contenders.append(Contender(name, "gossamer", options.python, str(work / name)))
    rows = []
    with Pool() as pool:
        for contender in contenders:
            pool[contender.name] = Worker(contender, options.threads)
        for workload in select(options.rows):
            size = sizes[workload.graph]
            rows.append(run_row(pool, workload, size, work / "rows", plan, "before"))
    return rows


def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 when the revisions disagree on a result."""
    options = arguments(argv)
    names = ["after", "before"]
    revisions = {"after": options.after, "before": options.before}
    described = {
        name: "working tree" if rev == "." else git("log", "-1", "--format=%h %s", rev)
        for name, rev in revisions.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        rows = run(options, Path(folder).resolve())
    for name in reversed(names):
        print(f"{name}: {described[name]}")
    print("\n" + report.table(rows, names) + "\n")
    print(report.notes(rows))
    ratios = [r for row in rows if (r := report.ratio(row, names)) is not None]
    if ratios:
        mean = geometric_mean(ratios)
        print(f"\nafter is {mean:.3f} times as fast as before (geometric mean, {len(ratios)} rows)")
    if options.json:
        about = machine.describe(options.threads) | {"revisions": described}
        report.write_json(options.json, about, rows)
    return 1 if any(row.faults for row in rows) else 0


if __name__ == "__main__":
    # Unwind on a polite kill too: the checkouts are registered in the repository.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
