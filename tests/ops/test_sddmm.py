"""gsddmm against indexing and torch's own operators."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from gossamer import ops
from helpers.compare import assert_tensor_equal, random_cotangent_grads
from helpers.graphs import graph_cases
from ops import oracle

BINARY = ("add", "sub", "mul", "div", "dot")
TARGETS = list(product("uve", repeat=2))
FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def _shapes(op: str) -> dict:
    return oracle.DOT_SHAPES if op == "dot" else oracle.SHAPES


OPERANDS = [
    pytest.param(op, lhs, rhs, id=f"{op}-{name}")
    for op in BINARY
    for name, (lhs, rhs) in _shapes(op).items()
]


def _assert_agrees(g, op, x, y, lhs_target, rhs_target) -> None:
    """Compare the output and each gradient with the oracle."""

    def run(function, dtype):
        inputs = [None if z is None else z.to(dtype) for z in (x, y)]
        out, grads = random_cotangent_grads(
            lambda a, b: function(g, op, a, b, lhs_target, rhs_target), inputs
        )
        return (*out, *grads)

    dtype = (y if x is None else x).dtype
    oracle.assert_agrees(
        ("output", f"gradient of left {lhs_target}", f"gradient of right {rhs_target}"),
        run(ops.gsddmm, dtype),
        run(oracle.combine, torch.float64),
        run(oracle.combine, dtype),
    )


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize(("op", "lhs", "rhs"), OPERANDS)
def test_values_and_gradients(op, lhs, rhs, dtype) -> None:
    g = oracle.larger()
    for lhs_target, rhs_target in TARGETS:
        x, y = oracle.operand(g, lhs_target, lhs, dtype), oracle.operand(g, rhs_target, rhs, dtype)
        _assert_agrees(g, op, x, y, lhs_target, rhs_target)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("target", "uve")
@pytest.mark.parametrize("op", ["copy_lhs", "copy_rhs"])
def test_copies(op, target, dtype) -> None:
    g = oracle.larger()
    for shape in ((), (1,), (5,), (2, 3), (0,)):
        x = oracle.operand(g, target, shape, dtype)
        pair = (x, None) if op == "copy_lhs" else (None, x)
        _assert_agrees(g, op, *pair, target, target)


@pytest.mark.parametrize("op", ["mul", "dot", "sub"])
@pytest.mark.parametrize(
    "case", graph_cases("homogeneous") + graph_cases("bipartite") + graph_cases("block")
)
def test_graph_cases(case, op) -> None:
    g = case()
    for lhs_target, rhs_target in TARGETS:
        x = oracle.operand(g, lhs_target, (2, 3))
        y = oracle.operand(g, rhs_target, (1, 3))
        _assert_agrees(g, op, x, y, lhs_target, rhs_target)


@pytest.mark.parametrize("formats", ["coo", "csr", "csc"])
def test_any_format_serves(formats: str) -> None:
    """Only with the COO format do slots come in the order of edge ids."""
    g = oracle.awkward().formats(formats)
    for lhs_target, rhs_target in TARGETS:
        x, y = oracle.operand(g, lhs_target, (2, 3)), oracle.operand(g, rhs_target, (2, 3))
        _assert_agrees(g, "div", x, y, lhs_target, rhs_target)


@pytest.mark.parametrize("lhs_target,rhs_target", TARGETS)
@pytest.mark.parametrize(("op", "lhs", "rhs"), OPERANDS)
def test_gradcheck(op, lhs, rhs, lhs_target, rhs_target) -> None:
    g = oracle.awkward()
    inputs = [
        oracle.operand(g, lhs_target, lhs).requires_grad_(),
        oracle.operand(g, rhs_target, rhs).requires_grad_(),
    ]

    def run(x, y):
        return ops.gsddmm(g, op, x, y, lhs_target, rhs_target)

    assert gradcheck(run, inputs, fast_mode=True)
    assert gradgradcheck(run, inputs, fast_mode=True)


@pytest.mark.parametrize("target", "uve")
@pytest.mark.parametrize("op", ["copy_lhs", "copy_rhs"])
def test_gradcheck_of_copies(op, target) -> None:
    g = oracle.lopsided()
    x = oracle.operand(g, target, (2, 3)).requires_grad_()

    def run(x):
        pair = (x, None) if op == "copy_lhs" else (None, x)
        return ops.gsddmm(g, op, *pair, target, target)

    assert gradcheck(run, x)
    assert gradgradcheck(run, x)


@pytest.mark.parametrize("lhs_target,rhs_target", TARGETS)
@pytest.mark.parametrize("op", BINARY)
def test_gradient_of_one_operand_only(op, lhs_target, rhs_target) -> None:
    """The formats that the other gradient needs are not there then."""
    g = oracle.awkward()
    x, y = oracle.operand(g, lhs_target, (2, 3)), oracle.operand(g, rhs_target, (2, 3))
    targets = lhs_target, rhs_target
    both = random_cotangent_grads(lambda x, y: ops.gsddmm(g, op, x, y, *targets), [x, y])[1]
    for side in (0, 1):
        g = oracle.awkward()

        def run(z, g=g, side=side):
            return ops.gsddmm(g, op, *((z, y) if side == 0 else (x, z)), *targets)

        _, (found,) = random_cotangent_grads(run, [(x, y)[side]])
        torch.testing.assert_close(found, both[side], rtol=1e-13, atol=0)


def test_one_tensor_on_both_sides() -> None:
    g = oracle.awkward()
    x = oracle.operand(g, "u", (3,)).requires_grad_()
    flow = torch.randn(9, 1, dtype=torch.float64)
    for op, targets in product(("mul", "dot", "div"), TARGETS[:2]):
        (found,) = torch.autograd.grad((ops.gsddmm(g, op, x, x, *targets) * flow).sum(), x)
        (wanted,) = torch.autograd.grad((oracle.combine(g, op, x, x, *targets) * flow).sum(), x)
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize(
    ("long", "short"), [("src", "u"), ("dst", "v"), ("edge", "e"), ("u", "u"), ("v", "v")]
)
def test_targets_have_long_names(long, short) -> None:
    g = oracle.lopsided()
    x, y = oracle.operand(g, short, (3,)), oracle.operand(g, "v", (3,))
    assert_tensor_equal(
        ops.gsddmm(g, "add", x, y, long, "dst"), ops.gsddmm(g, "add", x, y, short, "v")
    )


def test_rows_come_in_the_order_of_edge_ids() -> None:
    g = oracle.awkward()
    g.create_formats_()
    src, dst = g.edges(order="eid")
    ids = torch.arange(7)
    assert_tensor_equal(ops.gsddmm(g, "copy_lhs", ids, None, "u"), src)
    assert_tensor_equal(ops.gsddmm(g, "copy_rhs", None, ids, "e", "v"), dst)
    assert_tensor_equal(ops.gsddmm(g, "sub", ids, ids, "v", "u"), dst - src)


def test_transposed_and_expanded_inputs() -> None:
    g = oracle.awkward()
    x = torch.randn(3, 14, dtype=torch.float64).t()[::2]
    y = torch.randn(7, 1, dtype=torch.float64).expand(7, 3)
    for op in BINARY:
        _assert_agrees(g, op, x, y, "u", "v")


def test_the_output_is_fresh() -> None:
    """A copy of edge features must not hand out the features themselves."""
    g = oracle.awkward()
    e = torch.randn(9, 3)
    before = e.clone()
    for op, pair in (("copy_lhs", (e, None)), ("copy_rhs", (None, e))):
        ops.gsddmm(g, op, *pair, "e", "e").fill_(7.0)
        assert_tensor_equal(e, before)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8], ids=str)
def test_integers(dtype) -> None:
    g = oracle.awkward()
    x, y = (torch.randint(1, 5, (7, 3)).to(dtype) for _ in range(2))
    for op in ("add", "mul", "dot"):
        out = ops.gsddmm(g, op, x, y)
        expected = oracle.combine(g, op, x.double(), y.double(), "u", "v")
        torch.testing.assert_close(out.double(), expected)
        assert out.dtype == (torch.int64 if op == "dot" else dtype)
    quotient = ops.gsddmm(g, "div", x, y)
    torch.testing.assert_close(quotient, oracle.combine(g, "div", x, y, "u", "v"))
    assert quotient.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.bool], ids=str)
def test_dot_products_of_integers_do_not_wrap_around(dtype) -> None:
    g = oracle.awkward()
    x = torch.full((7, 300), 1, dtype=dtype)
    assert_tensor_equal(ops.gsddmm(g, "dot", x, x), torch.full((9, 1), 300))


def test_autocast_promotes_mixed_operands() -> None:
    g = oracle.awkward()
    x, y = torch.randn(7, 3), torch.randn(7, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = ops.gsddmm(g, "dot", x.bfloat16(), y)
    torch.testing.assert_close(out, oracle.combine(g, "dot", x.bfloat16().float(), y, "u", "v"))
