"""scaled_sum against a dense product of matrices."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import gossamer as gs
from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from helpers.graphs import graph_cases
from ops import oracle


def _draw(g, *shape):
    x = torch.randn(g.num_src_nodes(), *shape, dtype=torch.float64, requires_grad=True)
    a = torch.rand(g.num_src_nodes(), dtype=torch.float64) + 0.5
    b = torch.rand(g.num_dst_nodes(), dtype=torch.float64) + 0.5
    return x, a, b


def _dense(g, a, b, c=None):
    """The matrix that the sum is a product with; duplicate edges add up."""
    src, dst = g.edges(order="eid")
    matrix = torch.zeros(g.num_dst_nodes(), g.num_src_nodes(), dtype=torch.float64)
    matrix.index_put_((dst.long(), src.long()), torch.ones(len(src)).double(), accumulate=True)
    if a is not None:
        matrix = matrix * a
    if b is not None:
        matrix = b[:, None] * matrix
    if c is not None:
        both = torch.arange(g.num_dst_nodes())
        matrix[both, both] += c
    return matrix


@pytest.mark.parametrize("with_dst", [False, True])
@pytest.mark.parametrize("with_src", [False, True])
@pytest.mark.parametrize(
    "case", graph_cases("homogeneous") + graph_cases("bipartite") + graph_cases("block")
)
def test_is_a_product_with_the_scaled_adjacency_matrix(case, with_src, with_dst) -> None:
    g = case()
    x, a, b = _draw(g, 2, 3)
    a, b = a if with_src else None, b if with_dst else None
    matrix = _dense(g, a, b)
    out = ops.scaled_sum(g, x, a, b)
    flow = torch.randn_like(out)
    torch.testing.assert_close(out, torch.einsum("vu,uij->vij", matrix, x))
    (grad,) = torch.autograd.grad(out, x, flow)
    torch.testing.assert_close(grad, torch.einsum("vu,vij->uij", matrix, flow))


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("case", graph_cases("homogeneous") + graph_cases("block"))
def test_a_factor_of_the_own_row(case, scaled) -> None:
    g = case()
    x, a, b = _draw(g, 2, 3)
    a, b = (a, b) if scaled else (None, None)
    c = torch.tensor([1.5], dtype=torch.float64)
    matrix = _dense(g, a, b, c)
    out = ops.scaled_sum(g, x, a, b, c)
    flow = torch.randn_like(out)
    torch.testing.assert_close(out, torch.einsum("vu,uij->vij", matrix, x))
    (grad,) = torch.autograd.grad(out, x, flow)
    torch.testing.assert_close(grad, torch.einsum("vu,vij->uij", matrix, flow))


def test_gradcheck_twice_and_columns_of_factors() -> None:
    g = oracle.lopsided()
    x, a, b = _draw(g, 2)

    def run(x):
        return ops.scaled_sum(g, x.square(), a[:, None], b[:, None], own)

    own = torch.rand(1, dtype=torch.float64) if g.num_src_nodes() >= g.num_dst_nodes() else None
    assert gradcheck(run, x)
    assert gradgradcheck(run, x)


# torch 2.14's own opcheck reads the gradient of tensors that are no leaves.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
def test_as_torch_sees_it() -> None:
    g = oracle.awkward()
    x, a, b = _draw(g, 2)
    structure = list(g.adjacency.structure(by_dst=True, by_src=True))
    operator = torch.ops.gossamer.scaled_sum.default
    for scales in ((a, b, None), (None, None, torch.rand(1).double())):
        found = torch.library.opcheck(operator, (structure, x, *scales))
        assert set(found.values()) == {"SUCCESS"}
    batch = torch.randn(4, *x.shape, dtype=torch.float64)
    expected = torch.stack([ops.scaled_sum(g, one, a, b) for one in batch])
    torch.testing.assert_close(torch.vmap(lambda x: ops.scaled_sum(g, x, a, b))(batch), expected)


def test_bad_input() -> None:
    g = oracle.awkward()
    x, a, _ = _draw(g, 2)
    with pytest.raises(InvalidValueError, match=r"src_scale is one factor a node, \(7,\), got"):
        ops.scaled_sum(g, x, torch.ones(7, 2, dtype=torch.float64))
    with pytest.raises(InvalidValueError, match="must have 7 rows"):
        ops.scaled_sum(g, x, a[:3])
    with pytest.raises(InvalidTypeError, match=r"dst_scale is torch\.float32 but the features are"):
        ops.scaled_sum(g, x, a, torch.ones(7))


@pytest.mark.parametrize(
    "layout", [lambda s: torch.stack((s, -s), 1)[:, 0], lambda s: s[:1].expand(len(s))]
)
def test_factors_in_any_layout(layout) -> None:
    g = oracle.awkward()
    x, a, b = _draw(g, 2)
    a, b = layout(a), layout(b)
    assert not a.is_contiguous()
    torch.testing.assert_close(ops.scaled_sum(g, x, a, b), _dense(g, a, b) @ x)


def test_bad_own_factors() -> None:
    g = oracle.awkward()
    x = torch.rand(7, 2)
    for bad, error, match in (
        (torch.rand(2), InvalidValueError, r"a tensor of one number, got shape \(2,\)"),
        (1.5, InvalidValueError, "a tensor of one number, got 1.5"),
        (torch.rand(1).double(), InvalidTypeError, "self_scale is torch.float64"),
    ):
        with pytest.raises(error, match=match):
            ops.scaled_sum(g, x, self_scale=bad)
    few = gs.heterograph({("a", "r", "b"): ([0], [4])}, {"a": 2, "b": 5})
    with pytest.raises(InvalidValueError, match="2 sources and 5 destinations"):
        ops.scaled_sum(few, torch.rand(2, 2), self_scale=torch.rand(1))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)], ids=str)
@pytest.mark.parametrize("dtype", [torch.int64, torch.float64], ids=str)
def test_one_own_factor_of_any_shape(dtype, shape) -> None:
    g, x = gs.graph(([0, 1], [1, 2])), torch.tensor([1, 2, 4], dtype=dtype)
    own = torch.full(shape, 3, dtype=dtype)
    assert ops.scaled_sum(g, x, self_scale=own).tolist() == [3, 7, 14]


@pytest.mark.parametrize("name", ["src_scale", "dst_scale", "self_scale"])
def test_gradients_of_factors_inside_vmap(name) -> None:
    """There a factor cannot tell that a gradient is asked of it, so it gets one."""
    g, x = gs.graph(([0, 1, 2, 0], [1, 2, 0, 2])), torch.randn(3, 4, dtype=torch.float64)
    flow = torch.randn(3, 4, dtype=torch.float64)
    factors = torch.rand(2, 1 if name == "self_scale" else 3, dtype=torch.float64)

    def run(factor: torch.Tensor) -> torch.Tensor:
        return (ops.scaled_sum(g, x, **{name: factor}) * flow).sum()

    found = torch.func.grad(lambda s: torch.func.vmap(run)(s).sum())(factors)
    rows = [row.clone().requires_grad_() for row in factors]
    plain = torch.stack([torch.autograd.grad(run(row), row)[0] for row in rows])
    torch.testing.assert_close(found, plain)
    torch.testing.assert_close(found, torch.stack([torch.func.grad(run)(row) for row in factors]))
    u, v = g.edges()
    for factor, actual in zip(factors, found, strict=True):
        leaf = factor.clone().requires_grad_()
        left = x * leaf[:, None] if name == "src_scale" else x
        h = torch.zeros_like(x).index_add(0, v, left[u])
        h = h * leaf[:, None] if name == "dst_scale" else h
        h = h + leaf * x if name == "self_scale" else h
        torch.testing.assert_close(actual, torch.autograd.grad((h * flow).sum(), leaf)[0])
