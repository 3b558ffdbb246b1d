"""Compile every configuration of every kernel for GPUs, without one; default ones may not spill."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
import torch

pytest.importorskip("triton", minversion="3.3", reason="needs triton 3.3, whose compiler it calls")
from gossamer.kernels import triton as kernels
from helpers.paths import REPOSITORY


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "kernel_usage", REPOSITORY / "tools" / "kernel_usage.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


usage = _tool()
# Of each kernel one operator; the slow test has all of them.
QUICK = {
    *("spmm copy_lhs sum", "spmm mul max", "sddmm mul", "sddmm dot", "spmm_arg_backward mul"),
    *("attention add_dot", "attention_backward add", "attention_backward add_dot"),
    *("attention dot edges", "attention_backward dot edges", "attention_backward add_dot edges"),
}


def _check(name: str, args: tuple, targets, folder, only_default: bool) -> None:
    recorded = usage.launches(getattr(kernels, name), *args)
    assert recorded
    assert any(launch.default for launch in recorded)
    for launch in recorded:
        if only_default and not launch.default:
            continue
        for target in targets:
            found = usage.compiled(launch, target, folder)
            if launch.default:
                assert not found.spilled, f"{target} {launch.kernel.__name__}: {found}"


def _quick() -> list:
    found = {}
    for name, what, args in usage.calls([torch.float32], [64], [torch.int32]):
        operator = what.split(" float32")[0]
        if f"{name} {operator}" in QUICK or what.startswith(("float32", "int32")):
            found[f"{name} {operator} {len(found)}"] = name, args
    return [pytest.param(*call, id=label) for label, call in found.items()]


@pytest.mark.parametrize(("name", "args"), _quick())
def test_default_configurations_do_not_spill(tmp_path, name, args) -> None:
    _check(name, args, ["sm_90"], tmp_path, only_default=True)


def test_every_kernel_is_compiled() -> None:
    by_torch = {"coo_to_csr", "number_nodes", "transpose", "unique_relabel", "gather_neighbors"}
    assert {name for name, _, _ in usage.calls()} == set(kernels.__all__) - by_torch


@pytest.mark.slow
@pytest.mark.parametrize("target", usage.TARGETS)
@pytest.mark.parametrize(("width", "idtype"), [(8, torch.int32), (128, torch.int64)], ids=str)
@pytest.mark.parametrize("dtype", usage.DTYPES, ids=str)
def test_every_configuration(tmp_path, dtype, width, idtype, target) -> None:
    for name, _, args in usage.calls([dtype], [width], [idtype]):
        _check(name, args, [target], tmp_path, only_default=False)


@pytest.mark.slow
@pytest.mark.parametrize("target", usage.TARGETS)
@pytest.mark.parametrize("width", [1, 64, 1024])
@pytest.mark.parametrize("dtype", usage.DTYPES, ids=str)
def test_attention_of_heads_of_every_width(tmp_path, dtype, width, target) -> None:
    for name, _, args in usage.calls([dtype], [width], [torch.int64]):
        if name.startswith("attention"):
            _check(name, args, [target], tmp_path, only_default=False)
