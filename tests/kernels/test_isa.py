"""The kernel tests once more on each lesser instruction set that this machine has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gossamer import kernels
from helpers.kernel_cases import require_native

require_native()

NAMES = "spmm", "sddmm", "softmax", "attention"
FILES = [Path(__file__).with_name(f"test_{name}.py") for name in NAMES]


def _python(isa: str, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GOSSAMER_ISA": isa}
    return subprocess.run([sys.executable, *args], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("isa", kernels.info()["available_isas"])
def test_the_environment_chooses_the_instruction_set(isa) -> None:
    run = _python(isa, "-c", "from gossamer import kernels; print(kernels.info()['isa'])")
    assert run.stdout.split() == [isa], run.stderr


@pytest.mark.parametrize("isa", kernels.info()["available_isas"])
def test_every_kernel(isa) -> None:
    if isa == kernels.info()["isa"]:
        pytest.skip("this whole run is on that instruction set")
    options = ("-q", "-x", "-p", "no:cacheprovider", "--tb=short", "-k", "not graph")
    run = _python(isa, "-m", "pytest", *options, *map(str, FILES))
    assert run.returncode == 0, run.stdout[-4000:]
