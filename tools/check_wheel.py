"""Build one wheel, and run the kernels' tests on it under several releases of torch.

usage: python tools/check_wheel.py [TORCH ...] [--folder build/wheels] [--pytest ARGUMENTS]

Each TORCH is a version such as 2.6.0 (default: 2.6.0 and that of tools/constraints.txt) and gets a
virtual environment of its own, with the same wheel file. Releases that have no CPU build on the
package index bring their CUDA libraries along.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ["numpy", "pytest", "hypothesis"]


def main() -> int:
    """Return 0 if the tests pass under every release."""
    parser = argparse.ArgumentParser(description="One wheel under several releases of torch.")
    parser.add_argument("torch", nargs="*", default=["2.6.0", pinned()])
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "wheels")
    parser.add_argument("--pytest", default="tests/kernels", help="what pytest is given")
    arguments = parser.parse_args()
    # Absolute, but not resolved: the interpreter of an environment is a link.
    folder = Path(os.path.abspath(arguments.folder))
    wheel = build(folder)
    failed = [v for v in arguments.torch if not passes(v, wheel, folder, arguments.pytest.split())]
    for version in arguments.torch:
        print(f"{wheel.name} under torch {version}: {'failed' if version in failed else 'passed'}")
    return 1 if failed else 0


def pinned() -> str:
    """The version of torch in tools/constraints.txt."""
    lines = (ROOT / "tools" / "constraints.txt").read_text().splitlines()
    return next(line.partition("==")[2].strip() for line in lines if line.startswith("torch=="))


def build(folder: Path) -> Path:
    """The wheel, new in an empty folder."""
    target = folder / "dist"
    for old in target.glob("*.whl"):
        old.unlink()
    pip(sys.executable, "wheel", "--no-deps", "-w", str(target), str(ROOT))
    (wheel,) = target.glob("gossamer-*.whl")
    return wheel


def passes(version: str, wheel: Path, folder: Path, tests: list[str]) -> bool:
    """Whether `tests` pass in an environment with that release and the wheel."""
    venv = folder / f"torch-{version}"
    python = str(venv / "bin" / "python")
    if not venv.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip(python, "install", f"torch=={version}", *NEEDED)
    pip(python, "install", "--force-reinstall", "--no-deps", str(wheel))
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=ROOT).returncode == 0


def pip(python: str, *arguments: str) -> None:
    """Run pip; its output shows when it fails."""
    subprocess.run([python, "-m", "pip", "-q", *arguments], check=True)


if __name__ == "__main__":
    raise SystemExit(main())
