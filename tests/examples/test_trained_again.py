"""The same seed trains the same weights, bit for bit, on any number of threads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from helpers.paths import REPOSITORY

RUNS = [
    ("citation", "planetoid", ["--model", "appnp", "--epochs", "3"]),
    ("minibatch", "planetoid", ["--epochs", "2"]),
    ("vgae", "planetoid", ["--epochs", "3"]),
    ("signed_links", "bitcoin", ["--epochs", "3"]),
    ("entity_classification", "AIFB", ["--epochs", "10"]),
]

# Runs the example argv[1] and prints a digest of its weights after each step of an optimizer.
PROGRAM = """
import hashlib, runpy, sys
from pathlib import Path
from torch.optim.optimizer import register_optimizer_step_post_hook

def show(optimizer, *_):
    digest = hashlib.sha256()
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            digest.update(parameter.detach().numpy().tobytes())
    print(digest.hexdigest())

register_optimizer_step_post_hook(show)
del sys.argv[0]
sys.path.insert(0, str(Path(sys.argv[0]).parent))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def _digests(name: str, argv: list[str], threads: int) -> list[str]:
    command = [sys.executable, "-c", PROGRAM, str(REPOSITORY / "examples" / f"{name}.py"), *argv]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    # The tests set it, and the examples must do so themselves.
    environment.pop("MKL_CBWR", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{threads} thread" in done.stdout
    return re.findall(r"^[0-9a-f]{64}$", done.stdout, flags=re.MULTILINE)


@pytest.mark.parametrize(("name", "folder", "argv"), RUNS, ids=[run[0] for run in RUNS])
def test_trained_again(linked: Callable, name: str, folder: str, argv: list[str]) -> None:
    argv = ["--raw-dir", linked(folder), "--seeds", "1", *argv]
    first = _digests(name, argv, 1)
    assert len(set(first)) == len(first) >= 3
    assert _digests(name, argv, 2) == first
