"""Run the contract tests of the Triton kernels on Triton's interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gossamer import kernels

# The interpreter of triton 3.2 fails with NumPy 2.4.
pytest.importorskip("triton", minversion="3.3", reason="triton 3.3 is not installed")
if kernels.info()["forced"] == "reference":
    pytest.skip("the Triton kernels are switched off", allow_module_level=True)

FOLDER = Path(__file__).parent
OTHERS = ("compile", "interpreter", "loading")
FAMILIES = sorted(
    name
    for name in (path.stem.removeprefix("test_") for path in FOLDER.glob("test_*.py"))
    if name not in OTHERS
)


def _run(family: str, *options: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *options]
    run = subprocess.run(
        [*command, str(FOLDER / f"test_{family}.py")],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert " passed" in run.stdout


@pytest.mark.parametrize("family", FAMILIES)
def test_contracts(family) -> None:
    _run(family)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sddmm", "spmm"])
def test_every_combination(family) -> None:
    _run(family, "-m", "slow")
