"""Compile the Triton kernels for GPUs that are not there.

The launches of a wrapper are recorded instead of run, so that what is compiled is what would run.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from gossamer.kernels.triton import _common

_TYPES = {
    torch.float32: "*fp32",
    torch.float64: "*fp64",
    torch.float16: "*fp16",
    torch.bfloat16: "*bf16",
    torch.int32: "*i32",
    torch.int64: "*i64",
}
_OPTIONS = ("num_warps", "num_stages")


class Launch(NamedTuple):
    """A kernel with its arguments by name, and the options of the compiler."""

    kernel: Any
    arguments: dict[str, Any]
    options: dict[str, int]


class Usage(NamedTuple):
    """What one compiled kernel uses."""

    registers: int
    spilled_bytes: int
    shared_bytes: int


def recorded_launches(
    monkeypatch: pytest.MonkeyPatch, module: Any, function: Callable[..., Any], *args: Any
) -> list[Launch]:
    """Call a wrapper of `module` and return what it would have launched."""
    launches: list[Launch] = []

    def record(kernel: Any, programs: int, like: Tensor, *values: Any, **constants: Any) -> None:
        assert 0 < programs <= _common.MAX_PROGRAMS
        options = {name: constants.pop(name) for name in _OPTIONS if name in constants}
        names = [name for name in kernel.arg_names if name not in constants]
        arguments = dict(zip(names, (0, *values), strict=True)) | constants
        launches.append(Launch(kernel, arguments, options))

    monkeypatch.setattr(module, "launch", record)
    function(*args)
    return launches


def compiled(launch: Launch, capability: int, folder: Path) -> Usage:
    """Compile a kernel for one compute capability, such as 90; return what it uses."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.backends.nvidia.compiler import get_ptxas
    from triton.compiler import ASTSource

    constants = {p.name for p in launch.kernel.params if p.is_constexpr}
    constants |= {name for name, value in launch.arguments.items() if value is None}
    signature = {
        name: "constexpr" if name in constants else _type_of(value)
        for name, value in launch.arguments.items()
    }
    source = ASTSource(
        launch.kernel, signature, {name: launch.arguments[name] for name in constants}
    )
    options = {**launch.options, "enable_fp_fusion": True}
    binary = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    ptx = folder / "kernel.ptx"
    ptx.write_text(binary.asm["ptx"], encoding="utf-8")
    target = re.search(r"^\.target (\w+)", binary.asm["ptx"], re.MULTILINE)[1]
    ptxas = [get_ptxas(capability).path, "-v", f"--gpu-name={target}", str(ptx), "-o", "/dev/null"]
    log = subprocess.run(ptxas, capture_output=True, text=True, check=True).stderr
    registers = int(re.search(r"Used (\d+) registers", log)[1])
    spilled = sum(map(int, re.findall(r"(\d+) bytes spill", log)))
    return Usage(registers, spilled, binary.metadata.shared)


def _type_of(value: Any) -> str:
    if isinstance(value, Tensor):
        return _TYPES[value.dtype]
    assert isinstance(value, int), f"no type for {value!r}"
    return "i32" if -(2**31) <= value < 2**31 else "i64"
