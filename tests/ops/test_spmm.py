"""gspmm against one message per edge and a loop over the nodes."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import gossamer as gs
from gossamer import function as fn
from gossamer import ops
from gossamer.errors import InvalidTypeError
from helpers.compare import assert_tensor_equal, random_cotangent_grads
from helpers.graphs import graph_cases
from ops import oracle

BINARY = ("add", "sub", "mul", "div")
REDUCERS = ("sum", "mean", "max", "min")
FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)

# (op, source shape or None, edge shape or None)
OPERANDS = [
    pytest.param(op, lhs, rhs, id=f"{op}-{name}")
    for op in BINARY
    for name, (lhs, rhs) in oracle.SHAPES.items()
] + [
    pytest.param(*((op, f, None) if op == "copy_lhs" else (op, None, f)), id=f"{op}-{f}")
    for op in ("copy_lhs", "copy_rhs")
    for f in ((), (1,), (5,), (2, 3), (0,))
]


def _operands(g, lhs, rhs, dtype=torch.float64):
    return (
        None if lhs is None else oracle.operand(g, "u", lhs, dtype),
        None if rhs is None else oracle.operand(g, "e", rhs, dtype),
    )


def _assert_agrees(g, op, reducer, u, e) -> None:
    """Compare the output and each gradient with the oracle."""

    def run(function, dtype):
        inputs = [None if x is None else x.to(dtype) for x in (u, e)]
        out, grads = random_cotangent_grads(lambda a, b: function(g, op, reducer, a, b), inputs)
        return (*out, *grads)

    dtype = (e if u is None else u).dtype
    oracle.assert_agrees(
        ("output", "gradient of sources", "gradient of edges"),
        run(ops.gspmm, dtype),
        run(oracle.gspmm, torch.float64),
        run(oracle.gspmm, dtype),
    )


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("reducer", REDUCERS)
@pytest.mark.parametrize(("op", "lhs", "rhs"), OPERANDS)
def test_values_and_gradients(op, lhs, rhs, reducer, dtype) -> None:
    g = oracle.lopsided() if dtype == torch.float64 else oracle.larger()
    _assert_agrees(g, op, reducer, *_operands(g, lhs, rhs, dtype))


@pytest.mark.parametrize("op", ["copy_lhs", "copy_rhs", "mul", "sub"])
@pytest.mark.parametrize("case", graph_cases("homogeneous") + graph_cases("bipartite"))
def test_graph_cases(case, op) -> None:
    g = case()
    for reducer in REDUCERS:
        u, e = _operands(g, (2, 3), (2, 1))
        u, e = (None if op == "copy_rhs" else u), (None if op == "copy_lhs" else e)
        _assert_agrees(g, op, reducer, u, e)


@pytest.mark.parametrize("case", graph_cases("block"))
def test_blocks(case) -> None:
    g = case()
    for reducer in REDUCERS:
        _assert_agrees(g, "mul", reducer, *_operands(g, (3,), (1,)))


@pytest.mark.parametrize("formats", ["coo", "csr", "csc"])
def test_any_format_serves(formats: str) -> None:
    g = oracle.awkward().formats(formats)
    _assert_agrees(g, "mul", "sum", *_operands(g, (3,), (3,)))
    _assert_agrees(g, "add", "max", *_operands(g, (3,), (3,)))


@pytest.mark.parametrize("reducer", REDUCERS)
@pytest.mark.parametrize(("op", "lhs", "rhs"), OPERANDS)
def test_gradcheck(op, lhs, rhs, reducer) -> None:
    g = oracle.awkward() if reducer in ("sum", "max") else oracle.lopsided()
    inputs = [x.requires_grad_() for x in _operands(g, lhs, rhs) if x is not None]

    def run(*tensors):
        operands = iter(tensors)
        return ops.gspmm(
            g,
            op,
            reducer,
            None if lhs is None else next(operands),
            None if rhs is None else next(operands),
        )

    assert gradcheck(run, inputs, fast_mode=True)
    assert gradgradcheck(run, inputs, fast_mode=True)


@pytest.mark.parametrize("reducer", REDUCERS)
@pytest.mark.parametrize("op", BINARY)
def test_gradcheck_in_full(op, reducer) -> None:
    """The slow mode checks every entry of the Jacobian; the fast one a random projection."""
    g = oracle.awkward()
    u, e = (x.requires_grad_() for x in _operands(g, (2,), (1,)))
    assert gradcheck(lambda u, e: ops.gspmm(g, op, reducer, u, e), (u, e))


@pytest.mark.parametrize("reducer", REDUCERS)
@pytest.mark.parametrize("op", BINARY)
def test_second_derivatives_start_from_the_same_gradient(op, reducer) -> None:
    """gradgradcheck cannot tell: it differentiates whatever `create_graph=True` gives."""
    g = oracle.awkward()
    inputs = [x.requires_grad_() for x in _operands(g, (2, 3), (2, 1))]
    out = ops.gspmm(g, op, reducer, *inputs)
    flow = torch.randn_like(out)
    plain = torch.autograd.grad(out, inputs, flow, retain_graph=True)
    kept = torch.autograd.grad(out, inputs, flow, create_graph=True)
    assert all(grad.requires_grad for grad in kept) or op in ("add", "sub")
    torch.testing.assert_close([grad.detach() for grad in kept], list(plain))


@pytest.mark.parametrize("wanted", ["u", "e"])
@pytest.mark.parametrize("reducer", REDUCERS)
@pytest.mark.parametrize("op", BINARY)
def test_gradient_of_one_operand_only(op, reducer, wanted) -> None:
    """The formats that the other gradient needs are not there then."""
    g = oracle.awkward()
    u, e = _operands(g, (2, 3), (2, 1))
    both = random_cotangent_grads(lambda u, e: ops.gspmm(g, op, reducer, u, e), [u, e])[1]
    g = oracle.awkward()
    if wanted == "u":
        _, (found,) = random_cotangent_grads(lambda u: ops.gspmm(g, op, reducer, u, e), [u])
    else:
        _, (found,) = random_cotangent_grads(lambda e: ops.gspmm(g, op, reducer, u, e), [e])
    torch.testing.assert_close(found, both["ue".index(wanted)], rtol=1e-13, atol=0)


class TestTiesAndNaN:
    """max and min: whose gradient it is, and what a NaN does."""

    def test_gradient_of_a_tie_goes_to_the_first_edge(self) -> None:
        g = oracle.awkward()  # node 1 gets edges 0, 2, 4, 8; edges 1, 3, 6 enter node 2
        for reducer in ("max", "min"):
            e = torch.ones(9, 2, requires_grad=True)
            out = ops.gspmm(g, "copy_rhs", reducer, None, e)
            flow = torch.randn(7, 2)
            (grad,) = torch.autograd.grad(out, e, flow)
            expected = torch.zeros(9, 2)
            for edge, node in ((0, 1), (1, 2), (5, 4), (7, 5)):
                expected[edge] = flow[node]
            assert_tensor_equal(grad, expected)

    def test_columns_have_winners_of_their_own(self) -> None:
        g = oracle.lopsided()  # edges 1, 4 and 6 enter item 1
        e = torch.zeros(7, 3)
        e[1, 0], e[4, 1], e[6, 2] = 5.0, 5.0, 5.0
        e.requires_grad_()
        out = ops.gspmm(g, "copy_rhs", "max", None, e)[1]
        (grad,) = torch.autograd.grad(out, e, torch.tensor([1.0, 2.0, 3.0]))
        expected = torch.zeros(7, 3)
        expected[1, 0], expected[4, 1], expected[6, 2] = 1.0, 2.0, 3.0
        assert_tensor_equal(grad, expected)

    @pytest.mark.parametrize("reducer", ["max", "min"])
    @pytest.mark.parametrize("op", ["copy_lhs", "add"])
    def test_a_nan_wins(self, op, reducer) -> None:
        g = oracle.lopsided()  # users 0, 1, 0 rate item 1; 2, 0, 2 rate item 3; 2 rates item 2
        u = torch.tensor([[1.0], [float("nan")], [3.0]], requires_grad=True)
        e = None if op == "copy_lhs" else torch.zeros(7, 1)
        out = ops.gspmm(g, op, reducer, u, e)
        expected = {"max": [0.0, float("nan"), 3.0, 3.0, 0.0]}
        expected["min"] = [0.0, float("nan"), 3.0, 1.0, 0.0]
        assert_tensor_equal(out.detach().flatten(), torch.tensor(expected[reducer]))
        (grad,) = torch.autograd.grad(out, u, torch.tensor([[9.0], [2.0], [4.0], [8.0], [9.0]]))
        last = {"max": [0.0, 2.0, 12.0], "min": [8.0, 2.0, 4.0]}[reducer]
        assert_tensor_equal(grad.flatten(), torch.tensor(last))

    @pytest.mark.parametrize("value", [float("inf"), -float("inf"), torch.finfo().min])
    @pytest.mark.parametrize("reducer", ["max", "min"])
    def test_extreme_values_survive(self, reducer, value) -> None:
        g = oracle.lopsided()
        out = ops.gspmm(g, "copy_lhs", reducer, torch.full((3, 2), value), None)
        expected = torch.full((5, 2), value)
        expected[[0, 4]] = 0.0
        assert_tensor_equal(out, expected)


class TestStrides:
    """Any layout of a tensor means the same."""

    @pytest.mark.parametrize("reducer", REDUCERS)
    def test_transposed_sliced_and_expanded(self, reducer) -> None:
        g = oracle.awkward()
        u = torch.randn(3, 14, dtype=torch.float64).t()[::2]
        e = torch.randn(9, 1, dtype=torch.float64).expand(9, 3)
        assert not u.is_contiguous()
        assert not e.is_contiguous()
        _assert_agrees(g, "mul", reducer, u, e)

    def test_gradient_that_comes_expanded(self) -> None:
        g = oracle.awkward()
        for reducer in REDUCERS:
            for op in ("copy_lhs", "mul", "sub"):
                u, e = (x.requires_grad_() for x in _operands(g, (3,), (3,)))
                operands = u, None if op == "copy_lhs" else e
                leaves = [x for x in operands if x is not None]
                # A plain sum sends an expanded tensor backwards; the weights tell the rows apart.
                weight = torch.randn(7, 1, dtype=torch.float64)
                found = torch.autograd.grad(
                    (weight * ops.gspmm(g, op, reducer, *operands)).sum(), leaves
                )
                flow = weight.expand(7, 3)
                wanted = torch.autograd.grad(oracle.gspmm(g, op, reducer, *operands), leaves, flow)
                torch.testing.assert_close(found, wanted)
                found = torch.autograd.grad(ops.gspmm(g, op, reducer, *operands), leaves, flow)
                torch.testing.assert_close(found, wanted)

    def test_inputs_that_are_not_leaves(self) -> None:
        g = oracle.awkward()
        x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)

        def loss(spmm):
            hidden = torch.tanh(x)
            for reducer in REDUCERS:
                hidden = torch.tanh(hidden + spmm(g, "copy_lhs", reducer, hidden, None))
            return hidden

        flow = torch.randn(7, 3, dtype=torch.float64)
        (found,) = torch.autograd.grad(loss(ops.gspmm), x, flow)
        (wanted,) = torch.autograd.grad(loss(oracle.gspmm), x, flow)
        torch.testing.assert_close(found, wanted)

    def test_the_input_is_left_alone_and_the_output_is_fresh(self) -> None:
        g = oracle.awkward()
        u = torch.randn(7, 3)
        before = u.clone()
        for reducer in REDUCERS:
            out = ops.gspmm(g, "copy_lhs", reducer, u, None)
            out.fill_(7.0)
            assert_tensor_equal(u, before)


class TestIntegers:
    """Integers are counted exactly, without a gradient."""

    @pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int16, torch.int8], ids=str)
    @pytest.mark.parametrize("reducer", ["sum", "max", "min"])
    def test_values(self, reducer, dtype) -> None:
        g = oracle.awkward()
        u, e = torch.randint(-4, 5, (7, 3), dtype=dtype), torch.randint(-4, 5, (9, 1), dtype=dtype)
        for op in ("copy_lhs", "add", "sub", "mul"):
            second = None if op == "copy_lhs" else e
            out = ops.gspmm(g, op, reducer, u, second)
            expected = oracle.gspmm(
                g, op, reducer, u.double(), None if second is None else e.double()
            )
            assert_tensor_equal(out, expected.to(torch.int64 if reducer == "sum" else dtype))
            assert not out.requires_grad

    @pytest.mark.parametrize(
        "dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.bool], ids=str
    )
    def test_sums_do_not_wrap_around(self, dtype) -> None:
        g = gs.graph((torch.zeros(300, dtype=torch.int64), torch.ones(300, dtype=torch.int64)))
        ones = torch.ones(2, dtype=dtype)
        assert_tensor_equal(ops.copy_u_sum(g, ones), torch.tensor([0, 300]))
        assert_tensor_equal(ops.copy_e_sum(g, torch.ones(300, dtype=dtype)), torch.tensor([0, 300]))
        assert ops.copy_u_mean(g, ones).tolist() == [0, 1]
        assert_tensor_equal(ops.scaled_sum(g, ones), torch.tensor([0, 300]))
        g.ndata["x"], g.edata["w"] = ones, torch.ones(300, dtype=dtype)
        g.update_all(fn.u_mul_e("x", "w", "m"), fn.sum("m", "y"))
        assert_tensor_equal(g.ndata["y"], torch.tensor([0, 300]))
        assert_tensor_equal(gs.sum_edges(g, "w"), torch.tensor([300]))
        if dtype is not torch.bool:
            large = torch.full((2,), 100, dtype=dtype)
            weights = torch.full((300,), 100, dtype=dtype)
            assert ops.u_mul_e_sum(g, large, weights).tolist() == [0, 3_000_000]

    def test_booleans_are_counted_only(self) -> None:
        g = oracle.awkward()
        with pytest.raises(InvalidTypeError, match=r"torch\.bool"):
            ops.copy_u_max(g, torch.ones(7, dtype=torch.bool))

    def test_large_integers_are_exact(self) -> None:
        g = oracle.lopsided()
        u = torch.tensor([2**53 + 1, 2**53 + 3, 5])
        out = ops.gspmm(g, "copy_lhs", "sum", u, None)
        assert out.tolist() == [0, 3 * 2**53 + 5, 5, 2**53 + 11, 0]

    def test_quotients_are_floating_point(self) -> None:
        g = oracle.lopsided()
        u = torch.tensor([[1], [2], [4]])
        mean = ops.gspmm(g, "copy_lhs", "mean", u, None)
        torch.testing.assert_close(mean.flatten(), torch.tensor([0.0, 4 / 3, 4.0, 3.0, 0.0]))
        halves = ops.gspmm(g, "div", "sum", u, torch.full((7, 1), 2))
        torch.testing.assert_close(halves.flatten(), torch.tensor([0.0, 2.0, 2.0, 4.5, 0.0]))


def test_autocast_promotes_mixed_operands() -> None:
    g = oracle.awkward()
    u, e = torch.randn(7, 3, requires_grad=True), torch.randn(9, 3, requires_grad=True)
    flow = torch.randn(7, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = u @ torch.eye(3)
        assert low.dtype == torch.bfloat16
        out = ops.gspmm(g, "mul", "sum", low, e)
        assert out.dtype == torch.float32
        found = torch.autograd.grad(out, (u, e), flow)
    wanted = torch.autograd.grad(
        oracle.gspmm(g, "mul", "sum", u.bfloat16().float(), e), (u, e), flow
    )
    torch.testing.assert_close(out, oracle.gspmm(g, "mul", "sum", u.bfloat16().float(), e))
    torch.testing.assert_close(found[0], wanted[0], rtol=2**-7, atol=2**-7)
    torch.testing.assert_close(found[1], wanted[1])


def test_scipy_agrees() -> None:
    import numpy as np
    import scipy.sparse

    g = oracle.awkward()
    src, dst = (ids.numpy() for ids in g.edges(order="eid"))
    x, w = np.random.default_rng(0).standard_normal((7, 4)), np.arange(1.0, 10.0)
    matrix = scipy.sparse.coo_matrix((w, (dst, src)), shape=(7, 7)).tocsr()
    out = ops.gspmm(g, "mul", "sum", torch.from_numpy(x), torch.from_numpy(w))
    np.testing.assert_allclose(out.numpy(), matrix @ x, rtol=1e-13)


def test_no_gradient_is_recorded_where_none_is_wanted() -> None:
    g = oracle.awkward()
    u, e = torch.randn(7, 3, requires_grad=True), torch.randn(9, 1)
    assert ops.gspmm(g, "mul", "sum", u, e).requires_grad
    assert not ops.gspmm(g, "mul", "sum", u.detach(), e).requires_grad
    with torch.no_grad():
        assert not ops.gspmm(g, "mul", "sum", u, e).requires_grad
    with torch.inference_mode():
        assert ops.gspmm(g, "mul", "max", u, e).shape == (7, 3)


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int64], ids=str)
def test_mean_of_many_integers_does_not_wrap_around(dtype) -> None:
    g = gs.graph((torch.zeros(300, dtype=torch.int64), torch.ones(300, dtype=torch.int64)))
    out = ops.copy_u_mean(g, torch.tensor([7, 0], dtype=dtype))
    assert out.dtype is torch.float32
    assert out.tolist() == [0, 7]


@pytest.mark.parametrize("op", ["copy_lhs", "mul", "div"])
def test_rows_that_nothing_won_have_no_say_in_gradients(op) -> None:
    """Not where their own gradient is infinite, nor where the first edge's numbers are."""
    g = gs.graph(([0, 1, 2], [1, 1, 2]), num_nodes=4)  # nodes 0 and 3 have no in-edges
    u = torch.ones(4, 1, dtype=torch.float64, requires_grad=True)
    e = torch.tensor([[0.0 if op == "div" else float("inf")], [1.0], [2.0]], dtype=torch.float64)
    out = ops.gspmm(g, op, "min", u, None if op == "copy_lhs" else e)
    flow = torch.tensor([[float("inf")], [3.0], [4.0], [float("nan")]], dtype=torch.float64)
    once = torch.autograd.grad(out, u, flow, retain_graph=True)
    assert once[0].isfinite().all()
    torch.testing.assert_close(torch.autograd.grad(out, u, flow, create_graph=True), once)


@pytest.mark.parametrize("reducer", ["none", "sum", "mean"])
@pytest.mark.parametrize("size", [300.0, 1e-5])
def test_gradients_of_quotients_in_float16(size, reducer) -> None:
    """What is of a moderate size is so although squares and reciprocals of operands overflow."""
    dtype = torch.float16
    g = gs.graph(([0, 1, 2, 0], [2, 2, 0, 2]))
    u = torch.full((3, 1), size).to(dtype).requires_grad_()
    e = torch.full((4, 1), size).to(dtype).requires_grad_()
    out = ops.u_div_e(g, u, e) if reducer == "none" else ops.gspmm(g, "div", reducer, u, e)
    flow = torch.full_like(out, size)
    found = torch.autograd.grad(out, (u, e), flow)
    wide = [x.detach().double().requires_grad_() for x in (u, e)]
    out = ops.u_div_e(g, *wide) if reducer == "none" else ops.gspmm(g, "div", reducer, *wide)
    expected = torch.autograd.grad(out, wide, flow.double())
    tolerance = {"rtol": 2 * torch.finfo(dtype).eps, "atol": 1e-4}
    torch.testing.assert_close([x.double() for x in found], list(expected), **tolerance)


def test_gradient_of_a_mean_of_very_many_in_float16() -> None:
    """The reciprocal of the degree alone has few digits left there."""
    count, dtype = 100_001, torch.float16
    g = gs.graph((torch.arange(count), torch.zeros(count, dtype=torch.int64)), num_nodes=count)
    x = torch.zeros(count, 1, dtype=dtype, requires_grad=True)
    flow = torch.full((count, 1), 60_000.0, dtype=dtype)
    (found,) = torch.autograd.grad(ops.copy_u_mean(g, x), x, flow)
    expected = flow.double() / count
    torch.testing.assert_close(found.double(), expected, rtol=torch.finfo(dtype).eps, atol=0)


def test_a_minimum_over_nothing_is_a_zero_without_a_sign() -> None:
    out = ops.copy_u_min(gs.graph(([0], [1]), num_nodes=3), torch.ones(3))
    assert out.signbit().tolist() == [False, False, False]
