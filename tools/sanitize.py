"""Build the native core with sanitizers, and run the kernels' tests on it.

usage: python tools/sanitize.py [address,undefined | thread] [pytest arguments ...]

The build goes to build/sanitize-*/ and is used from there; the environment's own stays as it is.
Without pytest arguments the tests of the kernels and the fuzz tests of the operators run. The
thread sanitizer cannot see into an OpenMP runtime: that build runs on threads of its own, and torch
computes on one. What a sanitizer has to say is printed at the end, and makes the status 1.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = {"address,undefined": "libasan.so", "thread": "libtsan.so"}
TESTS = ["tests/kernels", "tests/ops/test_fuzz.py"]
# Also for the processes that tests start: this build comes before an editable installation.
BEFORE_EDITABLE = """
import sys
sys.meta_path[:] = [x for x in sys.meta_path if type(x).__name__ != "ScikitBuildRedirectingFinder"]
"""
ON_OPENMP = "tests/kernels/test_threads.py::" + (
    "test_parallel_loops_run_on_the_one_runtime_that_torch_loaded"
)


def main() -> int:
    """Build, then hand over to pytest; its exit status is ours."""
    arguments = sys.argv[1:]
    kind = arguments.pop(0) if arguments and arguments[0] in RUNTIME else "address,undefined"
    folder = ROOT / "build" / f"sanitize-{kind.partition(',')[0]}"
    build(kind, folder)
    for old in folder.glob("report.*"):
        old.unlink()
    # The thread sanitizer has threads enough to watch.
    jobs = ["-n", "2"] if kind == "address,undefined" else []
    command = [sys.executable, "-m", "pytest", "-q", *(arguments or [*TESTS, *jobs])]
    status = subprocess.run(command, cwd=ROOT, env=surroundings(kind, folder)).returncode
    reports = sorted(folder.glob("report.*"))
    for report in reports:
        print(report.read_text(errors="replace"))
    return 1 if reports else status


def build(kind: str, folder: Path) -> None:
    """Install the package, with a core of its own, into ``folder/site``."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"),
            *("--upgrade", "--target", str(folder / "site"), str(ROOT)),
            *("-C", f"build-dir={folder / 'cmake'}"),
            *("-C", f"cmake.define.GOSSAMER_SANITIZE={kind}", "-C", "install.strip=false"),
        ],
        check=True,
    )
    (folder / "site" / "sitecustomize.py").write_text(BEFORE_EDITABLE)


def surroundings(kind: str, folder: Path) -> dict[str, str]:
    """The environment in which the build is imported, and its sanitizer watches."""
    compiler = os.environ.get("CXX", "g++")
    # Beside the runtime the C++ library: else it does not know how torch throws an exception.
    runtime = ":".join(
        subprocess.run(
            [compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in (RUNTIME[kind], "libstdc++.so")
    )
    # To files: pytest keeps for itself what passing tests print.
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
    """As a plugin of pytest: the core believes that torch has the threads that it is told to use.

    Every read of memory by torch's real threads would be taken for a race.
    """
    import torch

    threads = [4]
    torch.set_num_threads = lambda count: threads.__setitem__(0, count)
    torch.get_num_threads = lambda: threads[0]


if __name__ == "__main__":
    raise SystemExit(main())
