"""What the operators refuse, and in which words."""

from __future__ import annotations

import pytest
import torch

import gossamer
from gossamer import ops
from gossamer.errors import GossamerError, InvalidTypeError, InvalidValueError
from ops import oracle

U, E, V = (3, 2), (7, 2), (5, 2)  # operands of `oracle.lopsided`


def _spmm(u=None, e=None, op="mul", reducer="sum", g=None):
    u = torch.ones(U) if u is None else u
    e = torch.ones(E) if e is None else e
    return ops.gspmm(oracle.lopsided() if g is None else g, op, reducer, u, e)


def _sddmm(x=None, y=None, op="mul", targets=("u", "v"), g=None):
    x = torch.ones(U) if x is None else x
    y = torch.ones(V) if y is None else y
    return ops.gsddmm(oracle.lopsided() if g is None else g, op, x, y, *targets)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            {"op": "pow"},
            InvalidValueError,
            r"gspmm: op is one of \['copy_lhs', .*'div'\], got 'pow'",
        ),
        ({"op": "dot"}, InvalidValueError, r"gspmm: op is one of .* got 'dot'"),
        ({"op": None}, InvalidValueError, r"gspmm: op is one of .* got None"),
        (
            {"reducer": "prod"},
            InvalidValueError,
            r"reduce_op is one of \['sum', 'mean', 'max', 'min'\], got 'prod'",
        ),
        (
            {"u": torch.ones(5, 2)},
            InvalidValueError,
            r"mul: the source node operand must have 3 rows, one for each source node, got "
            r"shape \(5, 2\)",
        ),
        (
            {"e": torch.ones(3, 2)},
            InvalidValueError,
            r"the edge operand must have 7 rows, one for each edge, got shape \(3, 2\)",
        ),
        ({"u": torch.tensor(1.0)}, InvalidValueError, r"must have 3 rows.*got shape \(\)"),
        ({"u": torch.ones(3, 4)}, InvalidValueError, r"shapes \(4,\) and \(2,\) must broadcast"),
        (
            {"u": torch.ones(3, 2, 3), "e": torch.ones(7, 2)},
            InvalidValueError,
            r"shapes \(2, 3\) and \(1, 2\) must broadcast, as in NumPy",
        ),
        (
            {"u": torch.ones(U).double()},
            InvalidTypeError,
            r"different dtypes, torch\.float64 and torch\.float32.*\.to\(dtype\)",
        ),
        ({"e": torch.ones(E).long()}, InvalidTypeError, r"float32 and torch\.int64"),
        (
            {"u": torch.ones(U, dtype=torch.bool), "reducer": "max"},
            InvalidTypeError,
            r"the source node operand is torch\.bool\. Convert it, as with \.float\(\)",
        ),
        ({"e": torch.ones(E, dtype=torch.complex64)}, InvalidTypeError, r"torch\.complex64"),
        (
            {"u": torch.ones(U, device="meta")},
            InvalidValueError,
            r"source node operand is on meta but the graph is on cpu\. Move one.*\.to\(",
        ),
        ({"e": torch.ones(E, device="meta")}, InvalidValueError, "edge operand is on meta"),
        ({"u": [[1.0, 1.0]] * 3}, InvalidTypeError, r"must be a torch\.Tensor, got list"),
        ({"e": 2.0}, InvalidTypeError, r"edge operand must be a torch\.Tensor, got float"),
        ({"g": 3}, InvalidTypeError, r"A gossamer\.Graph is expected, got int\. Build one"),
    ],
)
def test_gspmm(given, error, message) -> None:
    with pytest.raises(error, match=message):
        _spmm(**given)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"op": "max"}, InvalidValueError, r"gsddmm: op is one of \['add', .*\], got 'max'"),
        ({"targets": ("u", "w")}, InvalidValueError, r"rhs_target is one of \['u', .* got 'w'"),
        ({"targets": (None, "v")}, InvalidValueError, r"lhs_target is one of .* got None"),
        (
            {"targets": ("v", "v")},
            InvalidValueError,
            r"the destination node operand must have 5 rows.* got shape \(3, 2\)",
        ),
        (
            {"targets": ("e", "v")},
            InvalidValueError,
            r"the edge operand must have 7 rows, one for each edge, got shape \(3, 2\)",
        ),
        (
            {"op": "dot", "x": torch.ones(3, 4)},
            InvalidValueError,
            r"shapes \(4,\) and \(2,\) must share their last dimension and broadcast otherwise",
        ),
        ({"op": "dot", "x": torch.ones(3, 1)}, InvalidValueError, r"\(1,\) and \(2,\) must share"),
        ({"op": "dot", "x": torch.ones(3)}, InvalidValueError, r"\(1,\) and \(2,\) must share"),
        ({"op": "add", "x": torch.ones(3, 4)}, InvalidValueError, r"\(4,\) and \(2,\) must broad"),
        ({"y": torch.ones(V).half()}, InvalidTypeError, r"torch\.float32 and torch\.float16"),
        ({"y": torch.ones(V, dtype=torch.bool)}, InvalidTypeError, r"node operand is torch\.bool"),
        ({"y": torch.ones(V, device="meta")}, InvalidValueError, "destination node operand is on"),
        ({"y": "h"}, InvalidTypeError, r"must be a torch\.Tensor, got str"),
        ({"g": "graph"}, InvalidTypeError, r"A gossamer\.Graph is expected, got str"),
    ],
)
def test_gsddmm(given, error, message) -> None:
    with pytest.raises(error, match=message):
        _sddmm(**given)


def test_a_missing_operand() -> None:
    g = oracle.lopsided()
    with pytest.raises(InvalidTypeError, match=r"mul: the edge operand.*got NoneType"):
        ops.gspmm(g, "mul", "sum", torch.ones(U), None)
    with pytest.raises(InvalidTypeError, match=r"copy_lhs: the source node operand.*got NoneType"):
        ops.gspmm(g, "copy_lhs", "sum", None, torch.ones(E))
    with pytest.raises(InvalidTypeError, match=r"copy_rhs: the edge operand.*got NoneType"):
        ops.gspmm(g, "copy_rhs", "sum", torch.ones(U), None)
    with pytest.raises(InvalidTypeError, match=r"dot: the destination node.*got NoneType"):
        ops.gsddmm(g, "dot", torch.ones(U), None)


def test_an_operand_that_is_not_read_is_not_looked_at() -> None:
    g = oracle.lopsided()
    expected = ops.copy_u_sum(g, torch.ones(U))
    assert torch.equal(ops.gspmm(g, "copy_lhs", "sum", torch.ones(U), "ignored"), expected)


def test_several_edge_types_need_a_choice() -> None:
    g = gossamer.heterograph({("a", "r", "b"): ([0], [0]), ("a", "s", "b"): ([0], [0])})
    with pytest.raises(GossamerError, match="edge type"):
        ops.copy_u_sum(g, torch.ones(1, 1))
    assert ops.copy_u_sum(g["r"], torch.ones(1, 1)).tolist() == [[1.0]]


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64], ids=str)
@pytest.mark.parametrize("nodes", [0, 4])
def test_nothing_to_do(nodes, idtype) -> None:
    """Graphs without edges, and without nodes, give zeros of the right shape."""
    g = gossamer.graph(([], []), num_nodes=nodes, idtype=idtype)
    x = torch.ones(nodes, 2, 3, requires_grad=True)
    e = torch.ones(0, 2, 1, requires_grad=True)
    for reducer in ("sum", "mean", "max", "min"):
        for out in (ops.gspmm(g, "copy_lhs", reducer, x, None), ops.gspmm(g, "mul", reducer, x, e)):
            assert torch.equal(out, torch.zeros(nodes, 2, 3))
            grads = torch.autograd.grad(out, (x, e), torch.ones_like(out), allow_unused=True)
            assert torch.equal(grads[0], torch.zeros_like(x))
    for op, shape in (("add", (0, 2, 3)), ("dot", (0, 2, 1))):
        assert ops.gsddmm(g, op, x, x).shape == shape
    assert ops.edge_softmax(g, e).shape == (0, 2, 1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_16_bit_features_keep_their_dtype(dtype) -> None:
    g = oracle.lopsided()
    u, e = torch.ones(U, dtype=dtype, requires_grad=True), torch.ones(E, dtype=dtype)
    for reducer in ("sum", "mean", "max", "min"):
        out = ops.gspmm(g, "mul", reducer, u, e)
        assert out.dtype == dtype
        assert torch.autograd.grad(out, u, torch.ones_like(out))[0].dtype == dtype
    assert ops.u_dot_v(g, u, torch.ones(V, dtype=dtype)).dtype == dtype


def test_16_bit_sums_are_accumulated_in_float32() -> None:
    """4,096 ones make 4,096; in float16 itself a sum of ones stops at 2,048."""
    g = gossamer.graph((torch.arange(4096), torch.zeros(4096, dtype=torch.int64)))
    x = torch.ones(4096, 1, dtype=torch.float16)
    assert float(ops.copy_u_sum(g, x)[0]) == 4096.0
    # Of a division by squares too: 300 squared is no float16.
    e = torch.full((4096, 1), 300.0, dtype=torch.float16, requires_grad=True)
    out = ops.u_div_e_sum(g, 300 * x, e)
    (grad,) = torch.autograd.grad(out, e, torch.ones_like(out))
    torch.testing.assert_close(grad, torch.full_like(grad, -1 / 300))
