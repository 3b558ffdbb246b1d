"""projected_attention against dense torch, and its two forms against each other."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import gossamer as gs
from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.ops import projected as module
from helpers.graphs import graph_cases
from ops import oracle

HEADS, DIM, WIDTH = 2, 3, 4


@pytest.fixture(params=["small", "large"])
def form(request, monkeypatch) -> str:
    """Take each form for every size."""
    monkeypatch.setattr(module, "_LARGE", 0 if request.param == "large" else 1 << 62)
    return request.param


def _draw(*shape, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype, requires_grad=True)


def _operands(g, *, x_dst=True, dtype=torch.float64) -> dict[str, torch.Tensor]:
    operands = {
        "x": _draw(g.num_src_nodes(), WIDTH, dtype=dtype),
        "weight": _draw(HEADS * DIM, WIDTH, dtype=dtype),
        "left": _draw(HEADS, DIM, dtype=dtype),
        "right": _draw(HEADS, DIM, dtype=dtype),
        "out_bias": _draw(HEADS, DIM, dtype=dtype),
    }
    if x_dst:
        operands["x_dst"] = _draw(g.num_dst_nodes(), WIDTH + 1, dtype=dtype)
        operands["weight_dst"] = _draw(HEADS * DIM, WIDTH + 1, dtype=dtype)
    return operands


def _dense(g, x, weight, left, right, out_bias, x_dst=None, weight_dst=None):
    x_dst = x[: g.num_dst_nodes()] if x_dst is None else x_dst
    z = (x @ weight.T).unflatten(-1, (HEADS, DIM))
    z_dst = (x_dst @ (weight if weight_dst is None else weight_dst).T).unflatten(-1, (HEADS, DIM))
    ends = (z * left).sum(-1), (z_dst * right).sum(-1)
    return oracle.graph_attention(g, z, *ends, "add", out_bias=out_bias)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("x_dst", [False, True])
@pytest.mark.parametrize("case", graph_cases("homogeneous") + graph_cases("block"))
def test_values_and_gradients(case, x_dst) -> None:
    g = case()
    operands = _operands(g, x_dst=x_dst)
    found, truth = ops.projected_attention(g, **operands), _dense(g, **operands)
    torch.testing.assert_close(found, truth)
    flow = torch.randn_like(truth)
    wanted = list(operands.values())
    grads = torch.autograd.grad(found, wanted, flow, retain_graph=True)
    for name, ours, expected in zip(
        operands, grads, torch.autograd.grad(truth, wanted, flow), strict=True
    ):
        torch.testing.assert_close(ours, expected, msg=lambda text, n=name: f"{n}: {text}")
    for ours, again in zip(grads, torch.autograd.grad(found, wanted, flow), strict=True):
        assert torch.equal(ours, again)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("x_dst", [False, True])
def test_gradcheck_twice(x_dst, dropout) -> None:
    g = gs.graph(([2, 0, 0, 2, 1], [1, 1, 2, 2, 1]))
    operands = _operands(g, x_dst=x_dst)

    def run(*tensors):
        torch.manual_seed(3)
        given = dict(zip(operands, tensors, strict=True))
        return ops.projected_attention(g, **given, dropout=dropout)

    assert gradcheck(run, tuple(operands.values()))
    assert gradgradcheck(run, tuple(operands.values()))


@pytest.mark.parametrize("frozen", [(), ("x",), ("weight", "out_bias"), ("left", "right")])
def test_both_forms_agree_in_single_precision(frozen, monkeypatch) -> None:
    g = gs.rand_graph(60, 300)
    operands = _operands(g, x_dst=False, dtype=torch.float32)
    for name in frozen:
        operands[name].requires_grad_(False)
    wanted = [x for x in operands.values() if x.requires_grad]
    results = []
    for limit in (0, 1 << 62):
        monkeypatch.setattr(module, "_LARGE", limit)
        torch.manual_seed(5)
        out = ops.projected_attention(g, **operands, dropout=0.3, negative_slope=0.1)
        results.append([out, *torch.autograd.grad(out.mean(), wanted)])
    for large, small in zip(*results, strict=True):
        torch.testing.assert_close(large, small)


@pytest.mark.usefixtures("form")
def test_parameters_in_any_layout() -> None:
    g = gs.rand_graph(30, 90)
    operands = _operands(g)
    strided = {
        name: torch.stack((torch.randn_like(y), y.detach()), -1)[..., 1]
        for name, y in operands.items()
    }
    assert not any(y.is_contiguous() for y in strided.values())
    torch.testing.assert_close(ops.projected_attention(g, **strided), _dense(g, **operands))


def test_the_large_form_does_not_keep_the_projection(monkeypatch) -> None:
    monkeypatch.setattr(module, "_LARGE", 0)
    g = gs.rand_graph(50, 200)
    operands = _operands(g, x_dst=False)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        out = ops.projected_attention(g, **operands)
    sizes = [tuple(x.shape) for x in kept if x.shape[:1] == (50,)]
    # The result itself, the norms and the input: nothing else has a row for each node.
    assert sorted(sizes) == sorted([tuple(out.shape), (50, 2, HEADS), (50, WIDTH)])


@pytest.mark.usefixtures("form")
def test_batches_autocast_and_16_bit() -> None:
    g = gs.rand_graph(30, 90)
    operands = {k: x.detach().float() for k, x in _operands(g, x_dst=False).items()}
    plain = ops.projected_attention(g, **operands)
    stacked = {**operands, "x": operands["x"].unsqueeze(1).expand(-1, 3, -1)}
    batch = ops.projected_attention(g, **stacked)
    torch.testing.assert_close(batch, plain.unsqueeze(1).expand_as(batch))
    with torch.autocast("cpu", torch.bfloat16):
        assert ops.projected_attention(g, **operands).dtype is torch.bfloat16
    low = ops.projected_attention(g, **{k: x.bfloat16() for k, x in operands.items()})
    torch.testing.assert_close(low.float(), plain, atol=0.1, rtol=0.1)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"left": torch.ones(3)}, InvalidValueError, r"left must be \(heads, features\)"),
        ({"right": torch.ones(1, 3)}, InvalidValueError, r"right must have shape \(2, 3\)"),
        ({"weight": torch.ones(6, 5)}, InvalidValueError, r"weight must have shape \(6, 4\)"),
        ({"weight": None}, InvalidTypeError, "weight must be a torch.Tensor, got NoneType"),
        ({"left": torch.ones(2, 3).double()}, InvalidTypeError, "left is torch.float64"),
        ({"x": torch.ones(3)}, InvalidValueError, r"x must be \(N, \*, features\)"),
        ({"x_dst": torch.ones(3, 2, 4)}, InvalidValueError, "must agree between rows"),
        ({"out_bias": torch.ones(6)}, InvalidValueError, r"out_bias must have shape \(2, 3\)"),
        ({"dropout": 2}, InvalidValueError, "dropout is a number from 0 to 1"),
    ],
)
def test_bad_operands(changes, error, match) -> None:
    g = gs.graph(([0, 1, 2], [2, 2, 0]))
    operands = {k: x.detach().float() for k, x in _operands(g, x_dst=False).items()}
    with pytest.raises(error, match=match):
        ops.projected_attention(g, **{**operands, **changes})


def test_destinations_that_are_not_the_first_sources() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0, 1], [2, 2])}, {"a": 2, "b": 3})
    operands = _operands(g, x_dst=False)
    with pytest.raises(InvalidValueError, match="Pass x_dst"):
        ops.projected_attention(g, **operands)
