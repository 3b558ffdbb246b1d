"""Triton's SpMM against the reference, on the interpreter."""

from __future__ import annotations

from importlib import import_module
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
    Adjacency,
    adjacency,
    assert_accurate,
    operand,
    truth_and_torch,
)
from helpers.triton_cases import fast

MODULE = import_module("gossamer.kernels.triton.spmm")
OPS = ["copy_lhs", "copy_rhs", "add", "sub", "mul", "div"]
REDUCES = ["sum", "mean", "max", "min"]
# Each operator with each reducer, dtypes and shapes in turn.
TURNS = [
    (op, reduce, DTYPES[(i + i // 4) % 4], list(SHAPES)[i % len(SHAPES)])
    for i, (op, reduce) in enumerate(product(OPS, REDUCES))
]


def _operands(adj: Adjacency, shapes: str, op: str, dtype: torch.dtype):
    left, right = SHAPES[shapes]
    u = None if op == "copy_rhs" else operand(adj.num_cols, left, dtype, seed=1)
    e = None if op == "copy_lhs" else operand(adj.num_edges, right, dtype, seed=2)
    return u, e


def _check(adj: Adjacency, u, e, op: str, reduce: str) -> None:
    args = (adj.indptr, adj.indices, adj.eids, u, e, op, reduce)
    (truth, _), (same, expected_arg) = truth_and_torch("spmm", *args)
    out, arg = fast.spmm(*args)
    assert_accurate(out, truth, same, "out", terms=1 + adj.num_edges)
    if reduce in ("max", "min"):
        assert_tensor_equal(arg, expected_arg, "arg")
    else:
        assert arg is None


@pytest.mark.parametrize(("op", "reduce", "dtype", "shapes"), TURNS)
def test_every_operator(op, reduce, dtype, shapes) -> None:
    adj = adjacency("isolated", torch.int32)
    _check(adj, *_operands(adj, shapes, op, dtype), op, reduce)


@pytest.mark.slow
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("reduce", REDUCES)
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_operator_and_broadcast(dtype, op, reduce, shapes) -> None:
    adj = adjacency("random", torch.int32)
    _check(adj, *_operands(adj, shapes, op, dtype), op, reduce)


@pytest.mark.parametrize("reduce", ["mean", "max"])
@pytest.mark.parametrize("graph", [name for name in GRAPHS if name != "many_rows"])
def test_every_graph(graph, reduce) -> None:
    for idtype, shuffled in zip(ID_TYPES, (False, True), strict=True):
        adj = adjacency(graph, idtype, shuffled)
        _check(adj, *_operands(adj, "per_head_left", "mul", torch.float32), "mul", reduce)


@pytest.mark.parametrize("reduce", REDUCES)
def test_rows_that_are_split_into_windows(monkeypatch, reduce) -> None:
    monkeypatch.setattr(MODULE, "WINDOW", 8)
    degrees = [0, 7, 1, 8, 0, 9, 0, 0, 15, 1, 33, 3]
    indptr = torch.tensor([0, *torch.tensor(degrees).cumsum(0).tolist()])
    generator = torch.Generator().manual_seed(0)
    slots = int(indptr[-1])
    # Few neighbors, so that rows have equal extremes in several windows.
    indices = torch.randint(4, (slots,), generator=generator)
    adj = Adjacency(indptr, indices, torch.randperm(slots, generator=generator), 4)
    _check(adj, *_operands(adj, "full", "copy_lhs", torch.float32), "copy_lhs", reduce)
    _check(adj, *_operands(adj, "scalar_left", "mul", torch.float64), "mul", reduce)


@pytest.mark.parametrize("reduce", ["sum", "min"])
def test_the_result_does_not_depend_on_the_grid(monkeypatch, reduce) -> None:
    monkeypatch.setattr(MODULE, "WINDOW", 8)
    adj = adjacency("duplicates", torch.int32)
    args = (adj.indptr, adj.indices, adj.eids, *_operands(adj, "full_wide", "mul", torch.float32))
    out, arg = fast.spmm(*args, "mul", reduce)
    monkeypatch.setattr(_common, "MAX_PROGRAMS", 3)
    again, arg_again = fast.spmm(*args, "mul", reduce)
    assert out.shape[1] > 2 * MODULE.configurations(out.shape[1], "mul")[0]["BLOCK_F"]
    assert_tensor_equal(again, out)
    if reduce == "min":
        assert_tensor_equal(arg_again, arg)


@pytest.mark.parametrize("window", [2, 1024])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("reduce", ["max", "min"])
def test_an_extreme_propagates_nan_and_needs_no_sentinel(
    monkeypatch, dtype, reduce, window
) -> None:
    monkeypatch.setattr(MODULE, "WINDOW", window)
    lowest, nan, inf = torch.finfo(dtype).min, float("nan"), float("inf")
    x = torch.tensor(
        [[lowest, -inf, inf, 1.0, nan, -0.0], [lowest, -inf, inf, nan, nan, 0.0]], dtype=dtype
    )
    x = x if reduce == "max" else -x
    indptr = torch.tensor([0, 4, 4, 5], dtype=torch.int32)
    indices = torch.tensor([0, 1, 0, 1, 1], dtype=torch.int32)
    args = (indptr, indices, None, x, None, "copy_lhs", reduce)
    out, arg = fast.spmm(*args)
    expected = torch.stack([x[0], torch.zeros_like(x[0]), x[1]])
    expected[0, 3] = nan
    assert_tensor_equal(out, expected, "out")
    # Ties and second NaNs go to the first slot.
    assert arg.tolist() == [[0, 0, 0, 1, 0, 0], [-1] * 6, [4] * 6]
    alone, none = fast.spmm(*args, return_argmax=False)
    assert_tensor_equal(alone, out, "out without argmax")
    assert none is None


def test_operands_need_not_be_contiguous() -> None:
    adj = adjacency("isolated", torch.int64)
    u = operand(adj.num_cols, (5, 3), torch.float32).transpose(1, 2)
    e = operand(adj.num_edges, (3, 10), torch.float32)[:, :, ::2]
    _check(adj, u, e, "sub", "sum")


def test_the_graph_may_have_more_edge_features_than_slots() -> None:
    adj = adjacency("isolated", torch.int64, shuffled=False)
    e = operand(adj.num_edges + 3, (3,), torch.float32)
    _check(adj, None, e, "copy_rhs", "max")


SCALES = [(True, True, True), (True, False, False), (False, True, False), (False, False, True)]


@pytest.mark.parametrize("scaled", SCALES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_scaled_sums(dtype, scaled) -> None:
    for graph in ("random", "isolated"):  # with fewer and with more sources than destinations
        adj = adjacency(graph, torch.int32)
        x = operand(adj.num_cols, (3, 4), dtype, seed=1)
        sizes = adj.num_cols, adj.num_rows, 1
        scales = [
            operand(size, (), dtype, seed=size) if given else None
            for size, given in zip(sizes, scaled, strict=True)
        ]
        args = adj.indptr, adj.indices, x, *scales
        truth, same = truth_and_torch("scaled_sum", *args)
        assert_accurate(fast.scaled_sum(*args), truth, same, "out", terms=1 + adj.num_edges)
