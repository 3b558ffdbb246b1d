"""Triton's SDDMM against the reference, on the interpreter."""

from __future__ import annotations

from itertools import product

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
from gossamer.kernels.triton import _common
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import (
    DTYPES,
    GRAPHS,
    ID_TYPES,
    SHAPES,
    adjacency,
    assert_accurate,
    operand,
    truth_and_torch,
)
from helpers.triton_cases import fast

OPS = ["copy_lhs", "copy_rhs", "add", "sub", "mul", "div", "dot"]
TARGETS = ["u", "v", "e"]
DOT_SHAPES = {
    "one_head": ((64,), (64,)),
    "odd": ((3, 5), (3, 5)),
    "long": ((300,), (300,)),
    "shared_right": ((8, 16), (1, 16)),
    "repeated_right": ((4, 7), (4, 1)),
    "repeated_left": ((4, 1), (4, 20)),
    "nothing_to_sum": ((4, 0), (4, 0)),
}
# Each operator with each pair of targets, dtypes and shapes in turn.
TURNS = [
    (op, *targets, DTYPES[i % 4], list(SHAPES)[i % len(SHAPES)])
    for i, (op, *targets) in enumerate(product(OPS, TARGETS, TARGETS))
]


def _arguments(adj, dtype, left, right, op, lhs_target="u", rhs_target="v"):
    rows = {"u": adj.num_cols, "v": adj.num_rows, "e": adj.num_edges}
    lhs = None if op == "copy_rhs" else operand(rows[lhs_target], left, dtype, seed=1)
    rhs = None if op == "copy_lhs" else operand(rows[rhs_target], right, dtype, seed=2)
    return adj.indices, adj.rows, adj.eids, lhs, rhs, op, lhs_target, rhs_target


def _check(*args) -> None:
    args = _arguments(*args)
    truth, same = truth_and_torch("sddmm", *args)
    assert_accurate(fast.sddmm(*args), truth, same, "out")


@pytest.mark.parametrize(("op", "lhs_target", "rhs_target", "dtype", "shapes"), TURNS)
def test_every_operator_and_pair_of_targets(op, lhs_target, rhs_target, dtype, shapes) -> None:
    adj = adjacency("isolated", torch.int64)
    _check(adj, dtype, *SHAPES[shapes], op, lhs_target, rhs_target)


@pytest.mark.slow
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_operator_and_broadcast(dtype, op, shapes) -> None:
    _check(adjacency("random", torch.int32), dtype, *SHAPES[shapes], op)


@pytest.mark.parametrize("shapes", DOT_SHAPES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_dot_products(dtype, shapes) -> None:
    _check(adjacency("isolated", torch.int32), dtype, *DOT_SHAPES[shapes], "dot")


@pytest.mark.parametrize("op", ["sub", "dot"])
@pytest.mark.parametrize("graph", [name for name in GRAPHS if name != "many_rows"])
def test_every_graph(graph, op) -> None:
    for idtype, shuffled in zip(ID_TYPES, (False, True), strict=True):
        _check(adjacency(graph, idtype, shuffled), torch.float32, (2, 3), (2, 3), op)


@pytest.mark.parametrize("op", ["mul", "dot"])
def test_the_result_does_not_depend_on_the_grid(monkeypatch, op) -> None:
    args = _arguments(adjacency("random", torch.int32), torch.float32, (2, 150), (2, 150), op)
    out = fast.sddmm(*args)
    monkeypatch.setattr(_common, "MAX_PROGRAMS", 1)
    assert_tensor_equal(fast.sddmm(*args), out)


def test_operands_need_not_be_contiguous() -> None:
    adj = adjacency("isolated", torch.int64)
    src, dst, eids, *_ = _arguments(adj, torch.float32, (), (), "sub")
    lhs = operand(adj.num_cols, (5, 3), torch.float32).transpose(1, 2)
    rhs = operand(adj.num_rows, (3, 10), torch.float32)[:, :, ::2]
    args = (src, dst, eids, lhs, rhs, "sub", "u", "v")
    truth, same = truth_and_torch("sddmm", *args)
    assert_accurate(fast.sddmm(*args), truth, same, "out")
