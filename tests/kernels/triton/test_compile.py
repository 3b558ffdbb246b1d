"""Compile each kernel's default configuration for GPUs, without one."""

from __future__ import annotations

from importlib import import_module

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
from helpers.kernel_cases import DTYPES, Adjacency, attention_operands, operand
from helpers.triton_cases import compiled, recorded_launches

CAPABILITIES = [80, 90, 100]


def _hub(idtype: torch.dtype) -> Adjacency:
    """One row of many slots, so that the kernels for long rows are launched too."""
    count = 3000
    eids = torch.arange(count).flip(0).to(idtype)
    return Adjacency(torch.tensor([0, count], dtype=idtype), torch.zeros_like(eids), eids, 1)


def _call(name: str, dtype: torch.dtype, idtype: torch.dtype, shape: tuple, op: str = "mul"):
    """Return the module and the arguments of a call."""
    adj = _hub(idtype)
    u, e = operand(adj.num_cols, shape, dtype), operand(adj.num_edges, shape, dtype)
    if name == "spmm":
        op, reduce = op.split("-")
        rows = (adj.indptr, adj.indices, adj.eids)
        operands = (None if op == "copy_rhs" else u, None if op == "copy_lhs" else e)
        return "spmm", (*rows, *operands, op, reduce)
    if name.startswith("attention"):
        return "attention", _attention(adj, dtype, shape, op, backward=name.endswith("backward"))
    if name == "sddmm":
        operands = (None if op == "copy_rhs" else u, None if op == "copy_lhs" else e)
        return "sddmm", (adj.indices, adj.rows, adj.eids, *operands, op, "u", "e")
    return "softmax", (adj.indptr, adj.eids, *([e] if name == "edge_softmax" else [e, e]))


def _attention(adj: Adjacency, dtype: torch.dtype, shape: tuple, score: str, backward: bool):
    rows = (adj.indptr, adj.indices, adj.eids)
    operands = attention_operands(adj, score, (4, *shape, *shape), dtype)
    options = (7, score, 0.2, 0.5)
    if not backward:
        return *rows, *operands, *options
    result = torch.empty(1, 4, *shape, dtype=dtype)
    norms = torch.empty(1, 2, 4, dtype=torch.promote_types(dtype, torch.float32))
    return rows, rows, *operands, *options, result, norms, result


def _check(monkeypatch, folder, capability: int, name: str, *case) -> None:
    room, args = _call(name, *case)
    module = import_module(f"gossamer.kernels.triton.{room}")
    launches = recorded_launches(monkeypatch, module, getattr(module, name), *args)
    assert launches
    for launch in launches:
        usage = compiled(launch, capability, folder)
        assert usage.spilled_bytes == 0, f"{launch.kernel.__name__}: {usage}"


CALLS = [
    ("spmm", "copy_lhs-sum"),
    ("spmm", "mul-max"),
    ("sddmm", "mul"),
    ("sddmm", "dot"),
    ("edge_softmax", ""),
    ("edge_softmax_backward", ""),
    ("attention", "add"),
    ("attention", "add_dot"),
    ("attention_backward", "add"),
    ("attention_backward", "add_dot"),
]


@pytest.mark.parametrize(("name", "op"), CALLS)
def test_every_kernel_compiles_without_spills(monkeypatch, tmp_path, name, op) -> None:
    _check(monkeypatch, tmp_path, 90, name, torch.float32, torch.int32, (128,), op)


SPMM = [
    ("spmm", f"{op}-{reduce}")
    for op in ("copy_lhs", "copy_rhs", "add", "sub", "mul", "div")
    for reduce in ("sum", "mean", "max", "min")
]
DOT = [("attention", "dot"), ("attention_backward", "dot")]
SDDMM = [("sddmm", op) for op in ("copy_lhs", "copy_rhs", "add", "sub", "mul", "div", "dot")]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("name", "op"), [*SPMM, *SDDMM, *CALLS[4:], *DOT])
@pytest.mark.parametrize("capability", CAPABILITIES)
def test_every_operator_and_dtype(monkeypatch, tmp_path, capability, name, op, dtype) -> None:
    for idtype, shape in ((torch.int32, (8,)), (torch.int64, (128,))):
        _check(monkeypatch, tmp_path, capability, name, dtype, idtype, shape, op)
