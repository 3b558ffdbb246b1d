"""How the Triton kernels come into the dispatch table."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from gossamer import kernels
from gossamer.kernels import _dispatch

FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
IDS = (torch.int32, torch.int64)

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


_ON_AN_OLD_GPU = """
import torch
torch.cuda.device_count = lambda: 1
torch.cuda.get_device_capability = lambda i: (6, 1)
torch.cuda.get_device_name = lambda i: "GTX 1080"
""" + _WITHOUT_TRITON.replace('sys.modules["triton"] = None', "")


def test_the_kernels_are_registered_for_gpus() -> None:
    pytest.importorskip("triton", reason="triton is not installed")
    backend = _dispatch._load("cuda")
    for name in backend.__all__:
        kernel = getattr(kernels, name)
        own = {dtype for device, dtype in kernel.functions if device == "cuda"}
        assert own == (set(IDS) if torch.int32 in own else set(FLOATS))
        for dtype in own:
            assert kernel.functions["cuda", dtype] is getattr(backend, name)
    assert ("cuda", torch.int64) not in kernels.spmm.functions


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_on_an_old_gpu_one_warning_says_so() -> None:
    pytest.importorskip("triton", reason="triton is not installed")
    run = _run(_ON_AN_OLD_GPU)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("1 RuntimeWarning\n")
    assert "GTX 1080 is too old for triton, which needs compute capability 7.0." in run.stdout


def test_without_triton_one_warning_says_what_to_install() -> None:
    run = _run(_WITHOUT_TRITON)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("1 RuntimeWarning\n")
    assert "run on the slower reference kernels" in run.stdout
    assert "Install it with `pip install triton`." in run.stdout
