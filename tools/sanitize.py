"""Build the native core with sanitizers, and run the kernels' tests on it.

usage: python tools/sanitize.py [address,undefined | thread] [pytest arguments ...]

The build goes to build/sanitize-*/ and is used from there; the environment's own stays as it is.
Without pytest arguments the tests of the kernels and the fuzz tests of the operators run. The
thread sanitizer cannot see into an OpenMP runtime, so that build runs on threads of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = {"address,undefined": "libasan.so", "thread": "libtsan.so"}
TESTS = ["tests/kernels", "tests/ops/test_fuzz.py"]


def main() -> int:
    """Build, then hand over to pytest; its exit status is ours."""
    arguments = sys.argv[1:]
    kind = arguments.pop(0) if arguments and arguments[0] in RUNTIME else "address,undefined"
    folder = ROOT / "build" / f"sanitize-{kind.partition(',')[0]}"
    build(kind, folder)
    command = [sys.executable, "-S", "-m", "pytest", "-q", *(arguments or TESTS)]
    return subprocess.run(command, cwd=ROOT, env=surroundings(kind, folder)).returncode


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


def surroundings(kind: str, folder: Path) -> dict[str, str]:
    """The environment in which the build is imported, and its sanitizer watches."""
    compiler = os.environ.get("CXX", "g++")
    runtime = subprocess.run(
        [compiler, f"-print-file-name={RUNTIME[kind]}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    # Python runs without its site module, or an editable install would come first.
    packages = sysconfig.get_paths()["purelib"]
    return {
        **os.environ,
        "LD_PRELOAD": runtime,
        "PYTHONPATH": os.pathsep.join([str(folder / "site"), packages]),
        # Python does not free everything at exit.
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "TSAN_OPTIONS": "report_signal_unsafe=0",
    }


if __name__ == "__main__":
    raise SystemExit(main())
