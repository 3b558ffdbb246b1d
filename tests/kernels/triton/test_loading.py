"""How the Triton kernels come into the dispatch table."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from gossamer import kernels
from gossamer.kernels import _dispatch

_WITHOUT_TRITON = """
import sys, warnings
sys.modules["triton"] = None
from gossamer.kernels import _dispatch
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    first, second = _dispatch._load("cuda"), _dispatch._load("cuda")
assert first is second
print(len(caught), caught[0].category.__name__)
print(first)
"""


def test_the_kernels_are_registered_for_gpus() -> None:
    pytest.importorskip("triton", reason="triton is not installed")
    backend = _dispatch._load("cuda")
    for name in backend.__all__:
        kernel = getattr(kernels, name)
        for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
            assert kernel.functions["cuda", dtype] is getattr(backend, name)
    assert ("cuda", torch.int64) not in kernels.spmm.functions


def test_without_triton_one_warning_says_what_to_install() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TRITON], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("1 RuntimeWarning\n")
    assert "run on the slower reference kernels" in run.stdout
    assert "Install it with `pip install triton`." in run.stdout
