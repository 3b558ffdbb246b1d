"""Build the native core with sanitizers, and run the kernels' tests on it.

usage: python tools/sanitize.py [address,undefined | thread] [pytest arguments ...]

The build goes to build/sanitize-*/ and is used from there; the installed one does not change.
Without pytest arguments, the tests of the kernels and the fuzz tests of the operators run. The
thread sanitizer does not support OpenMP runtimes: its build creates its own threads, and torch
uses one. Reports of a sanitizer are printed at the end, and set the exit status to 1.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = {"address,undefined": "libasan.so", "thread": "libtsan.so"}
# Triton's kernels do not use the core.
TESTS = ["tests/kernels", "tests/ops/test_fuzz.py", "--ignore=tests/kernels/triton"]
# Import this build instead of an editable installation, also in processes that tests start.
BEFORE_EDITABLE = """
import sys
sys.meta_path[:] = [x for x in sys.meta_path if type(x).__name__ != "ScikitBuildRedirectingFinder"]
"""
ON_OPENMP = "tests/kernels/test_threads.py::" + (
    "test_parallel_loops_run_on_the_one_runtime_that_torch_loaded"
)


def main(argv: list[str] | None = None) -> int:
    """Build, then run pytest; return its exit status."""
    kind, arguments = read(argv)
    folder = ROOT / "build" / f"sanitize-{kind.partition(',')[0]}"
    if not build(kind, folder):
        print("sanitize: the build failed; pip's message is above", file=sys.stderr)
        return 1
    for old in folder.glob("report.*"):
        old.unlink()
    # The thread sanitizer's build uses enough threads by itself.
    jobs = ["-n", "2"] if kind == "address,undefined" else []
    command = [sys.executable, "-m", "pytest", "-q", *(arguments or [*TESTS, *jobs])]
    status = subprocess.run(command, cwd=ROOT, env=surroundings(kind, folder)).returncode
    reports = sorted(folder.glob("report.*"))
    for report in reports:
        print(report.read_text(errors="replace"))
    return 1 if reports else status


def read(argv: list[str] | None) -> tuple[str, list[str]]:
    """The kind of the build, and the arguments for pytest: all words after it."""
    parser = argparse.ArgumentParser(
        usage="%(prog)s [-h] [address,undefined | thread] [pytest arguments ...]",
        description="Build the native core with sanitizers, and run the kernels' tests on it.",
        allow_abbrev=False,
    )
    words = parser.parse_known_args(argv)[1]
    kind = words.pop(0) if words and words[0] in RUNTIME else "address,undefined"
    first = words[0] if words else "-"
    if not first.startswith("-") and not (ROOT / first.partition("::")[0]).exists():
        parser.error(f"{first!r} is neither {' nor '.join(RUNTIME)} nor a path of tests")
    return kind, words


def build(kind: str, folder: Path) -> bool:
    """Install the package with its core into ``folder/site``; return whether it worked."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"),
            *("--upgrade", "--target", str(folder / "site"), str(ROOT)),
            *("-C", f"build-dir={folder / 'cmake'}"),
            *("-C", f"cmake.define.GOSSAMER_SANITIZE={kind}", "-C", "install.strip=false"),
        ],
        check=False,
    )
    if run.returncode == 0:
        (folder / "site" / "sitecustomize.py").write_text(BEFORE_EDITABLE)
    return run.returncode == 0


def surroundings(kind: str, folder: Path) -> dict[str, str]:
    """The environment variables that import the build and configure its sanitizer."""
    compiler = os.environ.get("CXX", "g++")
    # The C++ library too: else the runtime cannot intercept exceptions that torch throws.
    runtime = ":".join(
        subprocess.run(
            [compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in (RUNTIME[kind], "libstdc++.so")
    )
    # Reports go to files, because pytest captures the output of passing tests.
    report = f"log_path={folder / 'report'}"
    settings = {
        **os.environ,
        "LD_PRELOAD": runtime,
        "PYTHONPATH": str(folder / "site"),
        # Python does not free everything at exit.
        "ASAN_OPTIONS": f"detect_leaks=0:{report}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:{report}",
        "TSAN_OPTIONS": f"report_signal_unsafe=0:{report}",
    }
    if kind == "thread":
        settings["OMP_NUM_THREADS"] = "1"
        settings["PYTHONPATH"] += os.pathsep + str(Path(__file__).parent)
        settings["PYTEST_ADDOPTS"] = f"-p sanitize --deselect {ON_OPENMP}"
    return settings


def pytest_configure() -> None:
    """Plugin of pytest: let the core use the given number of threads while torch uses one.

    With more, the sanitizer would report reads by torch's threads as races.
    """
    import torch

    threads = [4]
    torch.set_num_threads = lambda count: threads.__setitem__(0, count)
    torch.get_num_threads = lambda: threads[0]


if __name__ == "__main__":
    raise SystemExit(main())
