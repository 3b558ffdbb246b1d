"""Make the peers' virtual environments: ``python -m benchmarks.peers create DIR``.

Each peer gets its own environment, because their torch releases conflict. Prints the
options that ``python -m benchmarks.ops`` then takes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

# DGL's last release with a wheel on the index needs this torch, and NumPy before 2.
REQUIREMENTS: dict[str, list[str]] = {
    "dgl": [
        "dgl==2.1.0",
        "torch==2.2.1",
        "torchdata==0.7.1",
        "numpy<2",
        "pandas",
        "pydantic",
        "pyyaml",
        "scipy",
    ],
    "pyg": ["torch-geometric==2.8.1", "torch==2.13.0", "scipy"],
}
MODULES = {"dgl": "dgl", "pyg": "torch_geometric"}
# DGL 2.1.0 has wheels for these Pythons only.
DGL_PYTHONS = [(3, 8), (3, 9), (3, 10), (3, 11), (3, 12)]


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def create(folder: Path, names: list[str], python: str, pip_options: list[str]) -> None:
    """Create missing environments, and check that each library loads."""
    for name in names:
        interpreter = python_of(folder / name)
        if not interpreter.exists():
            subprocess.run([python, "-m", "venv", str(folder / name)], check=True)
        install = [str(interpreter), "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, *pip_options, *REQUIREMENTS[name]], check=True)
        subprocess.run([str(interpreter), "-c", f"import {MODULES[name]}"], check=True)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("create", help="make the environments in a folder")
    making.add_argument("folder", type=Path)
    making.add_argument("--only", choices=list(REQUIREMENTS), action="append")
    making.add_argument("--python", default=sys.executable, help="Python 3.8 to 3.12 for DGL")
    making.add_argument("--pip", action="append", default=[], metavar="OPTION")
    options = parser.parse_args(argv)
    names = options.only or list(REQUIREMENTS)
    folder = options.folder.resolve()
    if "dgl" in names and options.python == sys.executable:
        here = sys.version_info[:2]
        if here not in DGL_PYTHONS:
            parser.error(f"DGL has no wheel for Python {here[0]}.{here[1]}; name one with --python")
    try:
        create(folder, names, options.python, options.pip)
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 1
    print("python -m benchmarks.ops", *(f"--peer {n}={python_of(folder / n)}" for n in names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
