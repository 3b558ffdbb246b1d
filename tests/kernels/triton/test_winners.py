"""Triton's gradient of max and min against the reference, on the interpreter."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
from gossamer.kernels import reference
from gossamer.kernels.triton import _common
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import (
    DTYPES,
    GRAPHS,
    ID_TYPES,
    SHAPES,
    adjacency,
    assert_accurate_differences,
    operand,
    truth_and_torch,
)
from helpers.triton_cases import fast

OPS = ["copy_lhs", "copy_rhs", "add", "sub", "mul", "div"]
TURNS = [
    (op, DTYPES[(i + i // 4) % 4], shapes)
    for i, (op, shapes) in enumerate((op, shapes) for shapes in SHAPES for op in OPS)
]


def _arguments(adj, dtype, op, shapes, wanted=(True, True)):
    left, right = SHAPES[shapes]
    u = None if op == "copy_rhs" else operand(adj.num_cols, left, dtype, seed=1)
    e = None if op == "copy_lhs" else operand(adj.num_edges, right, dtype, seed=2)
    out, arg = reference.spmm(adj.indptr, adj.indices, adj.eids, u, e, op, "max")
    grad = operand(len(out), tuple(out.shape[1:]), dtype, seed=3)
    wants = wanted[0] and u is not None, wanted[1] and e is not None
    # Sums do not need their operands; their gradients come in the shape of the result.
    kept = (u, e) if op in ("mul", "div") else (None, None)
    return adj.indices, adj.eids, arg, grad, *kept, op, adj.num_cols, adj.num_edges, *wants


def _check(*args) -> None:
    truth, same = truth_and_torch("spmm_arg_backward", *args)
    actual = fast.spmm_arg_backward(*args)
    for what, *values in zip(("u", "e"), actual, truth, same, strict=True):
        if values[1] is None:
            assert values[0] is None
        else:
            assert_accurate_differences(*values, f"gradient of {what}")


@pytest.mark.parametrize(("op", "dtype", "shapes"), TURNS)
def test_every_operator_and_broadcast(op, dtype, shapes) -> None:
    _check(*_arguments(adjacency("isolated", torch.int32), dtype, op, shapes))


@pytest.mark.parametrize("op", ["sub", "div"])
@pytest.mark.parametrize("graph", [name for name in GRAPHS if name != "many_rows"])
def test_every_graph(graph, op) -> None:
    for idtype, shuffled in zip(ID_TYPES, (False, True), strict=True):
        adj = adjacency(graph, idtype, shuffled)
        _check(*_arguments(adj, torch.float64, op, "per_head"))


@pytest.mark.parametrize("wanted", [(True, False), (False, True)])
def test_one_gradient_of_two(wanted) -> None:
    _check(*_arguments(adjacency("random", torch.int64), torch.float32, "mul", "full", wanted))


def test_the_result_does_not_depend_on_the_grid(monkeypatch) -> None:
    args = _arguments(adjacency("duplicates", torch.int32), torch.float32, "mul", "full_wide")
    before = fast.spmm_arg_backward(*args)
    monkeypatch.setattr(_common, "MAX_PROGRAMS", 3)
    for actual, expected in zip(fast.spmm_arg_backward(*args), before, strict=True):
        assert_tensor_equal(actual, expected)
