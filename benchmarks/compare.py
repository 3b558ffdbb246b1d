"""Two revisions of Gossamer on the same rows: ``python -m benchmarks.compare main~5 .``

Each revision is checked out in a temporary folder, built, and installed into its own folder;
the two then alternate as libraries do in ``benchmarks.ops``. ``.`` is the working tree. The rows of
the working tree are used for both.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import command, report
from benchmarks.measure import Row
from benchmarks.pool import ROOT, Contender
from benchmarks.registry import FULL, SMALL, WORKLOADS, select


def git(*words: str) -> str:
    """Run git in the repository."""
    result = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"git {' '.join(words)}: {result.stderr.strip()}")
    return result.stdout.strip()


def revision(text: str) -> str:
    """A name of a commit of the repository, or ``.``; for argparse."""
    command = ["git", "rev-parse", "--verify", "--quiet", f"{text}^{{commit}}"]
    if text != "." and subprocess.run(command, cwd=ROOT, capture_output=True).returncode:
        expected = "give a branch, a tag or a commit, or . for the working tree"
        raise argparse.ArgumentTypeError(f"{text!r} is no revision of this repository; {expected}")
    return text


@contextlib.contextmanager
def checkout(name: str, folder: Path) -> Iterator[Path]:
    """The source tree of a revision; of ``.``, the working tree itself."""
    if name == ".":
        yield ROOT
        return
    git("worktree", "add", "--detach", "--force", str(folder), name)
    try:
        yield folder
    finally:
        git("worktree", "remove", "--force", str(folder))


def install(source: Path, target: Path, python: str, build: Path) -> None:
    """Build a source tree and install the package, without dependencies, into a folder."""
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    # A separate build folder: two builds must not share the working tree's.
    pip += ["--config-settings", f"build-dir={build}"]
    tools = ("scikit_build_core", "nanobind")
    if python == sys.executable and all(importlib.util.find_spec(tool) for tool in tools):
        pip.append("--no-build-isolation")  # nothing to download
    if subprocess.run([*pip, str(source)]).returncode:
        raise SystemExit(f"{source} does not build; see the lines above.")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser("benchmarks.compare", __doc__, rounds=7)
    parser.add_argument("before", type=revision, help="a git revision, or . for the working tree")
    parser.add_argument(
        "after", type=revision, nargs="?", default=".", help="the same (default: .)"
    )
    return parser.parse_args(argv)


def build(options: argparse.Namespace, work: Path) -> list[Contender]:
    """Build both revisions in the folder `work`."""
    contenders = []
    for name, tree in (("after", options.after), ("before", options.before)):
        with checkout(tree, work / f"{name}-source") as source:
            install(source, work / name, options.python, work / f"{name}-build")
        settings = (options.threads, command.environment(options))
        path = str(work / name)
        contenders.append(Contender(name, "gossamer", options.python, path, *settings))
    return contenders


def summary(rows: list[Row], names: list[str]) -> str:
    """How many times as fast the revision after is."""
    ratios = [r for row in rows if (r := report.ratio(row, names)) is not None]
    if not ratios:
        return "no row was timed for both revisions"
    mean = report.geometric_mean(ratios)
    return f"after is {mean:.3f} times as fast as before (geometric mean, {len(ratios)} rows)"


@command.interruptible
def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 when the revisions disagree on a result."""
    options = arguments(argv)
    names = ["after", "before"]
    revisions = {"after": options.after, "before": options.before}
    described = {
        name: "working tree" if rev == "." else git("log", "-1", "--format=%h %s", rev)
        for name, rev in revisions.items()
    }
    chosen, sizes = select(options.rows, WORKLOADS), SMALL if options.small else FULL
    with tempfile.TemporaryDirectory() as folder:
        about, rows = command.measure(
            options,
            build(options, Path(folder).resolve()),
            chosen,
            lambda row: sizes[row.graph],
            against="before",
            bounds=not options.small,
        )
    about |= {"revisions": described}
    for name in reversed(names):
        print(f"{name}: {described[name]}")
    table = report.table(rows, names)
    return command.finish(options, about, rows, names, table, summary(rows, names))


if __name__ == "__main__":
    # Unwind on a polite kill too: the checkouts are registered in the repository.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
