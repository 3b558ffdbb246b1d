"""Build one wheel, and run the kernels' tests on it under several releases of torch.

usage: python tools/check_wheel.py [TORCH ...] [--python PYTHON ...] [--pip ARGUMENTS]
                                   [--folder build/wheels] [--pytest ARGUMENTS]

Each TORCH is a version such as 2.6.0 (default: the oldest, that of tools/constraints.txt and the
newest). Each gets its own virtual environment, with the same wheel file. `--python` names another
interpreter than the one that runs this. If it is given several times, the first one builds the
wheel and all install it, which requires Python 3.12 or newer (older ones can only use a wheel that
they built).

Releases without a CPU build on the package index install CUDA libraries of several gigabytes. The
arguments of `--pip`, such as another index, are passed to pip when it installs torch.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST, NEWEST = "2.6.0", "2.14.1"
NEEDED = ["numpy", "pytest>=8.4", "hypothesis>=6.90"]
# The tests must use the wheel's native core: without it, most of them are skipped.
LOOK = """
import sys, torch, gossamer
from gossamer import kernels
info = kernels.info()
assert gossamer.__file__.startswith(sys.prefix), gossamer.__file__
assert info["native"], info
print(f"Python {sys.version.split()[0]}, torch {torch.__version__}, core for {info['isa']}")
"""


def main() -> int:
    """Return 0 if the tests pass in every environment."""
    parser = argparse.ArgumentParser(description="One wheel under several releases of torch.")
    parser.add_argument("torch", nargs="*", default=[OLDEST, pinned(), NEWEST])
    parser.add_argument("--python", action="append", help="interpreter, may be given repeatedly")
    parser.add_argument("--pip", default="", help="arguments of pip for torch")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "wheels")
    parser.add_argument("--pytest", default="tests/kernels", help="arguments of pytest")
    arguments = parser.parse_args()
    # Absolute but not resolved, because an environment's python is a symbolic link.
    folder = Path(os.path.abspath(arguments.folder))
    pairs = [(p, v) for p in arguments.python or [sys.executable] for v in arguments.torch]
    environments = {pair: create(*pair, folder) for pair in pairs}
    wheel = build(environments[pairs[0]], folder / "dist")
    results = []
    for (_, version), python in environments.items():
        install(python, version, wheel, shlex.split(arguments.pip))
        look = subprocess.run([python, "-c", LOOK], cwd=folder, stdout=subprocess.PIPE, text=True)
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += shlex.split(arguments.pytest)
        good = look.returncode == 0 and subprocess.run(command, cwd=ROOT).returncode == 0
        name = look.stdout.strip() or f"{python}, torch {version}"
        results.append((good, f"{wheel.name} under {name}: {'passed' if good else 'failed'}"))
    print(*(line for _, line in results), sep="\n")
    return 0 if all(good for good, _ in results) else 1


def pinned() -> str:
    """The version of torch in tools/constraints.txt."""
    lines = (ROOT / "tools" / "constraints.txt").read_text().splitlines()
    return next(line.partition("==")[2].strip() for line in lines if line.startswith("torch=="))


def create(python: str, version: str, folder: Path) -> str:
    """Return the interpreter of the environment for a Python and a torch; create it if missing."""
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    short = subprocess.run([python, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
    venv = folder / f"python-{short.stdout.strip()}-torch-{version}"
    if not (venv / "bin" / "pip").exists():
        subprocess.run([python, "-m", "venv", "--clear", str(venv)], check=True)
    return str(venv / "bin" / "python")


def build(python: str, target: Path) -> Path:
    """Build the wheel into an empty folder."""
    shutil.rmtree(target, ignore_errors=True)
    pip(python, "wheel", "--no-deps", "-w", str(target), str(ROOT))
    (wheel,) = target.glob("gossamer-*.whl")
    return wheel


def install(python: str, version: str, wheel: Path, options: list[str]) -> None:
    """Install that release of torch and the wheel file into the environment."""
    pip(python, "install", *options, f"torch=={version}")
    pip(python, "install", *NEEDED)
    pip(python, "install", "--force-reinstall", "--no-deps", str(wheel))


def pip(python: str, *arguments: str) -> None:
    """Run pip; raise if it fails."""
    subprocess.run([python, "-m", "pip", "-q", *arguments], check=True)


if __name__ == "__main__":
    raise SystemExit(main())
