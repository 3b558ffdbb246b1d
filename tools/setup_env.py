"""Create the virtual environment of the repository for `make train`, `make test` and `make docs`.

usage: python tools/setup_env.py {docs,train,test} [--venv .venv] [--torch REQUIREMENT]

Installs torch (the version of tools/constraints.txt), the build tools, and Gossamer itself in
editable form with the packages of the extra. If pip would install a CUDA build and there is no GPU,
torch comes from PyTorch's index of CPU builds. A stamp in the environment records its inputs: a
second run returns at once, and a change to the build installs again. Standard library only.
"""

from __future__ import annotations

import argparse
import ast
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "tools" / "constraints.txt"
# The extras that each environment includes.
COVERS = {"train": {"train"}, "test": {"train", "test"}, "docs": {"docs"}}
# Only CUDA builds of torch need packages with these prefixes.
CUDA_PACKAGES = ("nvidia-", "cuda-")
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# A line of Ninja's, such as "[3/14] Building CXX object ...".
BUILD_STEP = re.compile(r"\s*(\[\d+/\d+\] .*)")


class SetupError(Exception):
    """The set-up failed; the message is for the user."""


def main() -> int:
    """Set up the environment and report progress."""
    parser = argparse.ArgumentParser(description="Make the repository's virtual environment.")
    parser.add_argument("extra", choices=sorted(COVERS))
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    parser.add_argument("--torch", default="", help="a requirement such as 'torch==2.13.0'")
    arguments = parser.parse_args()
    # Absolute but not resolved, because the environment's python is a symbolic link.
    venv = Path(os.path.abspath(arguments.venv))
    try:
        # Concurrent commands, such as `make train` and `make test`, run one after another.
        with open(__file__) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            set_up(venv, arguments.extra, arguments.torch)
    except (SetupError, OSError) as error:
        print(f"setup_env: {error}", file=sys.stderr)
        return 2
    return 0


def set_up(venv: Path, extra: str, torch: str) -> None:
    """Install `extra` into `venv`, unless its stamp is up to date."""
    stamp = venv / "gossamer-stamp.json"
    python = venv / "bin" / "python"
    fingerprint = compute_fingerprint(venv, torch)
    done = read_stamp(stamp)
    same = done.get("fingerprint") == fingerprint
    extras = done.get("extra", "").split(",") if same else []
    if any(extra in COVERS.get(there, ()) for there in extras):
        return
    stamp.unlink(missing_ok=True)

    if not is_usable(python):
        say(f"creating {venv} with Python {sys.version.split()[0]}")
        create(venv)
    pip(python, "install", "-qq", "--upgrade", "pip>=23.0", doing="upgrade pip")
    constraint = [] if torch else ["--constraint", str(CONSTRAINTS)]
    requirement = torch or "torch"
    source = [] if torch else find_torch(python, constraint)
    say(f"installing {torch or pinned_torch()} and the build tools")
    pip(python, "install", "-qq", *source, *constraint, requirement, doing="install torch")
    tools = [*build_requirements(), "cmake", "ninja"]
    pip(python, "install", "-qq", *tools, doing="install the build tools")
    say("building gossamer (csrc/) and installing what it needs")
    # Without build isolation, the next build finds the same tools and compiles only changes.
    editable = ["--no-build-isolation", "--editable", f"{ROOT}[{extra}]"]
    # Other compilers may have other warnings, so only continuous integration makes them errors.
    strict = (
        f"--config-settings=cmake.define.GOSSAMER_STRICT={'ON' if os.environ.get('CI') else 'OFF'}"
    )
    build(python, "install", "-v", *constraint, strict, *editable)
    there = ",".join([*extras, extra])
    stamp.write_text(json.dumps({"fingerprint": fingerprint, "extra": there}), encoding="utf-8")
    say("done")


def compute_fingerprint(venv: Path, torch: str) -> str:
    """Return a digest of everything that determines the environment."""
    digest = hashlib.sha256(repr((sys.version, str(venv), str(ROOT), torch)).encode())
    files = [ROOT / "pyproject.toml", ROOT / "CMakeLists.txt", CONSTRAINTS, Path(__file__)]
    files += sorted(path for path in (ROOT / "csrc").rglob("*") if path.is_file())
    for path in files:
        if path.exists():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def read_stamp(stamp: Path) -> dict[str, str]:
    """Return the stamp of the last complete set-up; empty if there was none."""
    try:
        return json.loads(stamp.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def is_usable(python: Path) -> bool:
    """Return whether the environment exists, has pip, and runs this Python version."""
    code = "import pip, sys; print(sys.version)"
    try:
        run = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return run.returncode == 0 and run.stdout.strip() == sys.version


def create(venv: Path) -> None:
    """Create an empty environment, replacing a broken one."""
    command = [sys.executable, "-m", "venv", "--clear", str(venv)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        lines = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
        raise SetupError(
            f"'{' '.join(command)}' failed ({lines[-1] if lines else 'no output'}). "
            f"On Debian and Ubuntu, the package python3-venv provides the venv module."
        )


def build_requirements() -> list[str]:
    """Return ``requires`` of pyproject.toml's build system (Python 3.10 has no TOML reader)."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    match = re.search(r"^requires\s*=\s*(\[.*?\])", text, flags=re.MULTILINE | re.DOTALL)
    if match is None:
        raise SetupError("pyproject.toml has no [build-system] requires")
    return ast.literal_eval(match.group(1))


def pinned_torch() -> str:
    """Return the requirement in the constraints file."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith("torch"))


def find_torch(python: Path, constraint: list[str]) -> list[str]:
    """Return the pip options that find a torch for this machine; empty if pip needs none.

    PyTorch's index of CPU builds is used only if pip would install a CUDA build without a GPU.
    """
    cuda = cuda_packages(python, constraint)
    if cuda is None:
        raise SetupError(
            f"pip finds no {pinned_torch()} for Python {sys.version.split()[0]}. Try another "
            "Python (PYTHON=python3.11) or another torch (TORCH='torch>=2.6')."
        )
    if not cuda:
        return []
    reason = "there is a GPU"
    if not has_gpu():
        # pip prefers 2.13.0+cpu to 2.13.0. One retry: an unreachable index must cost little time.
        options = ["--extra-index-url", CPU_INDEX, "--retries", "1"]
        if cuda_packages(python, [*options, *constraint]) == []:
            return options
        reason = f"{CPU_INDEX} cannot be reached"
    say(
        f"taking the CUDA build of {pinned_torch()} ({reason}): {len(cuda)} more packages, about "
        "3 GB to download and 7 GB on the disk"
    )
    return []


def cuda_packages(python: Path, options: list[str]) -> list[str] | None:
    """Return the CUDA packages that pip would install for torch; None if pip fails."""
    command = ["install", "-qq", "--dry-run", "--report", "-", *options, "torch"]
    run = subprocess.run(
        [python, "-m", "pip", "--no-input", "--disable-pip-version-check", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        return None
    names = [item["metadata"]["name"].lower() for item in json.loads(run.stdout)["install"]]
    return [name for name in names if name.startswith(CUDA_PACKAGES)]


def has_gpu() -> bool:
    """Return whether NVIDIA's driver is installed."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()


def build(python: Path, *arguments: str) -> None:
    """Run pip; show the steps of the native build, and other output only if it fails."""
    command = [python, "-m", "pip", "--no-input", "--disable-pip-version-check", *arguments]
    lines: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout:
            lines.append(line.rstrip())
            if step := BUILD_STEP.match(line):
                print(step[1], flush=True)
    if process.returncode != 0:
        print(*lines[-60:], sep="\n", file=sys.stderr)
        raise SetupError(
            f"could not build gossamer: pip's last lines are above (exit code {process.returncode})"
        )


def pip(python: Path, *arguments: str, doing: str) -> None:
    """Run pip; raise :class:`SetupError` if it fails."""
    # No input: a prompt would hang.
    command = [python, "-m", "pip", "--no-input", "--disable-pip-version-check", *arguments]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    if run.returncode != 0:
        raise SetupError(f"could not {doing}: pip's message is above (exit code {run.returncode})")


def say(text: str) -> None:
    """Report progress."""
    print(f"setup_env: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
