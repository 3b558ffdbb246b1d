"""Native SpMM against the reference."""

from __future__ import annotations

import pytest
import torch

from gossamer.kernels import reference
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
    require_native,
    truth_and_torch,
)

require_native()
from gossamer.kernels import cpu  # noqa: E402  (needs the extension)

OPS = ["copy_lhs", "copy_rhs", "add", "sub", "mul", "div"]
REDUCES = ["sum", "mean", "max", "min"]


def _operands(adj: Adjacency, shapes: str, op: str, dtype: torch.dtype):
    left, right = SHAPES[shapes]
    u = None if op == "copy_rhs" else operand(adj.num_cols, left, dtype, seed=1)
    e = None if op == "copy_lhs" else operand(adj.num_edges, right, dtype, seed=2)
    return u, e


def _check(adj: Adjacency, u, e, op: str, reduce: str) -> None:
    args = (adj.indptr, adj.indices, adj.eids, u, e, op, reduce)
    (truth, _), (same, expected_arg) = truth_and_torch("spmm", *args)
    out, arg = cpu.spmm(*args)
    assert_accurate(out, truth, same, "out", terms=1 + adj.num_edges)
    if reduce in ("max", "min"):
        assert_tensor_equal(arg, expected_arg, "arg")
        alone, none = cpu.spmm(*args, return_argmax=False)
        assert_tensor_equal(alone, out, "out without winners")
        assert none is None
    else:
        assert arg is None


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("reduce", ["sum", "max"])
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_operator_and_broadcast(dtype, op, reduce, shapes) -> None:
    adj = adjacency("random", torch.int32)
    _check(adj, *_operands(adj, shapes, op, dtype), op, reduce)


@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("reduce", REDUCES)
@pytest.mark.parametrize("op", ["copy_lhs", "copy_rhs", "mul"])
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", GRAPHS)
def test_every_graph(graph, idtype, op, reduce, shuffled) -> None:
    adj = adjacency(graph, idtype, shuffled)
    _check(adj, *_operands(adj, "per_head_left", op, torch.float32), op, reduce)


@pytest.mark.parametrize("reduce", REDUCES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_row_that_is_split_among_threads(dtype, reduce) -> None:
    adj = adjacency("hub", torch.int32)
    _check(adj, *_operands(adj, "per_head_left", "mul", dtype), "mul", reduce)


@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("reduce", REDUCES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_rows_that_meet_the_ends_of_windows(dtype, reduce, idtype) -> None:
    # The loops go by windows of 256 slots, and of 256 rows.
    degrees = [0, 255, 1, 256, 0, 257, 0, 0, 511, 600, 3, 1100, *[0] * 300, *[1] * 300, 256, 0]
    indptr = torch.tensor([0, *torch.tensor(degrees).cumsum(0).tolist()], dtype=idtype)
    generator = torch.Generator().manual_seed(0)
    slots = int(indptr[-1])
    indices = torch.randint(50, (slots,), generator=generator).to(idtype)
    eids = torch.randperm(slots, generator=generator).to(idtype)
    adj = Adjacency(indptr, indices, eids, 50)
    for op in ("copy_lhs", "mul"):
        _check(adj, *_operands(adj, "per_head_left", op, dtype), op, reduce)


@pytest.mark.parametrize("width", [*range(1, 40), 64, 100, 129, 256])
@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_every_width(width, reduce) -> None:
    adj = adjacency("random", torch.int32)
    u = operand(adj.num_cols, (width,), torch.float32)
    _check(adj, u, None, "copy_lhs", reduce)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("reduce", ["max", "min"])
def test_an_extreme_propagates_nan_and_needs_no_sentinel(dtype, reduce) -> None:
    lowest, nan, inf = torch.finfo(dtype).min, float("nan"), float("inf")
    x = torch.tensor(
        [[lowest, -inf, inf, 1.0, nan, -0.0], [lowest, -inf, inf, nan, nan, 0.0]], dtype=dtype
    )
    x = x if reduce == "max" else -x
    indptr = torch.tensor([0, 2, 2, 3], dtype=torch.int32)
    indices = torch.tensor([0, 1, 1], dtype=torch.int32)
    out, arg = cpu.spmm(indptr, indices, None, x, None, "copy_lhs", reduce)
    expected = torch.stack([x[0], torch.zeros_like(x[0]), x[1]])
    expected[0, 3] = nan
    assert_tensor_equal(out, expected, "out")
    # Ties and second NaNs go to the first slot.
    assert arg.tolist() == [[0, 0, 0, 1, 0, 0], [-1] * 6, [2] * 6]


@pytest.mark.parametrize("position", [0, 5000, 99_999])
def test_an_extreme_of_a_long_row_finds_the_first_nan(position) -> None:
    adj = adjacency("hub", torch.int32, shuffled=False)
    e = operand(adj.num_edges, (3,), torch.float32)
    first = int(adj.indptr[2])
    e[first + position :, 1] = float("nan")
    out, arg = cpu.spmm(adj.indptr, adj.indices, None, None, e, "copy_rhs", "max")
    assert out[2].isnan().tolist() == [False, True, False]
    assert int(arg[2, 1]) == first + position


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_gradient_through_the_winners(dtype, op, shapes) -> None:
    _check_gradient(adjacency("isolated", torch.int64), dtype, op, shapes)


@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", [*GRAPHS, "hub"])
@pytest.mark.parametrize("op", OPS)
def test_gradient_through_the_winners_on_every_graph(op, graph, idtype) -> None:
    adj = adjacency(graph, idtype, shuffled=False)
    _check_gradient(adj, torch.float32, op, "per_head")


def _check_gradient(adj: Adjacency, dtype: torch.dtype, op: str, shapes: str) -> None:
    u, e = _operands(adj, shapes, op, dtype)
    out, arg = reference.spmm(adj.indptr, adj.indices, adj.eids, u, e, op, "max")
    grad = operand(*out.shape[:1], out.shape[1:], dtype, seed=3)
    args = (adj.indices, adj.eids, arg, grad, u, e, op, adj.num_cols, adj.num_edges)
    want = (u is not None, e is not None)
    truth, same = truth_and_torch("spmm_arg_backward", *args, *want)
    actual = cpu.spmm_arg_backward(*args, *want)
    for wanted, name, *values in zip(want, ("u", "e"), actual, truth, same, strict=True):
        if wanted:
            assert_accurate(*values, f"gradient of {name}")
        else:
            assert values[0] is None


def test_gradient_through_the_winners_can_be_asked_for_one_operand() -> None:
    adj = adjacency("random", torch.int32)
    u, e = _operands(adj, "full", "mul", torch.float32)
    out, arg = cpu.spmm(adj.indptr, adj.indices, adj.eids, u, e, "mul", "max")
    args = (adj.indices, adj.eids, arg, out, u, e, "mul", adj.num_cols, adj.num_edges)
    both = cpu.spmm_arg_backward(*args, True, True)
    only_u, no_e = cpu.spmm_arg_backward(*args, True, False)
    no_u, only_e = cpu.spmm_arg_backward(*args, False, True)
    assert no_u is None
    assert no_e is None
    assert_tensor_equal(only_u, both[0])
    assert_tensor_equal(only_e, both[1])


def _check_scaled(adj: Adjacency, shape, dtype, near: bool, own: bool) -> None:
    x = operand(adj.num_cols, shape, dtype, seed=1)
    a = operand(adj.num_cols, (), dtype, seed=2) if near else None
    b = operand(adj.num_rows, (), dtype, seed=3) if own else None
    for c in (None, operand(1, (), dtype, seed=4)):
        args = adj.indptr, adj.indices, x, a, b, c
        truth, same = truth_and_torch("scaled_sum", *args)
        assert_accurate(cpu.scaled_sum(*args), truth, same, "out", terms=2 + adj.num_edges)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (64,), (300,), (3, 5), (0,)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_scaled_sum(dtype, shape, near, own) -> None:
    _check_scaled(adjacency("random", torch.int32), shape, dtype, near, own)


@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", [*GRAPHS, "hub"])
def test_scaled_sum_on_every_graph(graph, idtype) -> None:
    _check_scaled(adjacency(graph, idtype), (5,), torch.float64, True, True)
