"""Triton decides when it is imported whether kernels run on its interpreter.

With ``TRITON_INTERPRET=1`` the contracts of the kernels are tested on tensors on the CPU, and with
``--device cuda`` on a GPU. Without both, `test_interpreter.py` starts those tests in processes of
their own.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

OTHERS = ["test_compile.py", "test_interpreter.py", "test_loading.py"]
HAS_TRITON = importlib.util.find_spec("triton") is not None
#: They need the interpreter, whatever the device.
PRETENDED = ["test_operators.py"]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    name = collection_path.name
    if not name.startswith("test_") or not name.endswith(".py"):
        return None
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    on_gpu = config.getoption("--device") != "cpu"
    if name in OTHERS:
        return interpreted or on_gpu or None
    return (not interpreted and (name in PRETENDED or not on_gpu)) or None


@pytest.fixture(autouse=True)
def _where_kernels_run(device: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    if not HAS_TRITON:
        return
    from helpers.triton_cases import fast

    monkeypatch.setattr(fast, "device", device)


@pytest.fixture(autouse=True)
def _silent_numpy() -> Iterator[None]:
    """A GPU says nothing about 0 / 0, which occurs where a block exceeds its tensor."""
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(autouse=True)
def _products_of_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter of Triton 3.9 multiplies the bits of bfloat16 numbers as integers."""
    if not HAS_TRITON:
        return
    from triton.language import bfloat16, float32
    from triton.runtime import interpreter

    create_dot = interpreter.InterpreterBuilder.create_dot

    def as_float32(x: interpreter.TensorHandle) -> interpreter.TensorHandle:
        if x.dtype != bfloat16:
            return x
        bits = x.data.astype(np.uint32) << 16
        return interpreter.TensorHandle(bits.view(np.float32), float32)

    def corrected(self, a, b, *rest):
        return create_dot(self, as_float32(a), as_float32(b), *rest)

    monkeypatch.setattr(interpreter.InterpreterBuilder, "create_dot", corrected)
