"""GroupRevRes: what it computes, its gradients, and that a stack keeps one output alone."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn import GraphConv, GroupRevRes
from helpers.compare import random_cotangent_grads

G = gs.add_self_loop(gs.rand_graph(9, 30))


class Masked(nn.Module):
    """A layer with a further argument and dropout."""

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv = GraphConv(width, width, activation=torch.tanh)
        self.dropout = nn.Dropout(dropout)

    def forward(self, g: gs.Graph, x: Tensor, mask: Tensor) -> Tensor:
        return self.dropout(self.conv(g, x) * mask)


def by_formula(modules: list[nn.Module], g: gs.Graph, x: Tensor, *args: Tensor) -> Tensor:
    """The equations of the docstring, differentiated by autograd as they are."""
    groups = x.chunk(len(modules), -1)
    below, results = sum(groups[1:]), []
    for i, module in enumerate(modules):
        mine = [arg.chunk(len(modules), -1)[i] for arg in args]
        below = module(g, below, *mine) + groups[i]
        results.append(below)
    return torch.cat(results, -1)


@pytest.mark.parametrize("groups", [2, 3])
@pytest.mark.parametrize("depth", [1, 3])
def test_values_and_gradients_are_those_of_the_formula(groups: int, depth: int) -> None:
    layers = nn.ModuleList([GroupRevRes(Masked(2), groups) for _ in range(depth)]).double()
    for parameter in layers.parameters():  # the copies begin alike
        nn.init.normal_(parameter, 0, 0.5)
    inputs = {name: torch.randn(9, 2 * groups, dtype=torch.float64) for name in ("x", "mask")}
    own = dict(layers.named_parameters())

    def reversible(x: Tensor, mask: Tensor, **given: Tensor) -> Tensor:
        for i, layer in enumerate(layers):
            prefix = f"{i}."
            mine = {k.removeprefix(prefix): v for k, v in given.items() if k.startswith(prefix)}
            x = functional_call(layer, mine, (G, x, mask))
        return x

    def plain(x: Tensor, mask: Tensor, **given: Tensor) -> Tensor:
        for i, layer in enumerate(layers):
            calls = []
            for j, module in enumerate(layer.gnn_modules):
                prefix = f"{i}.gnn_modules.{j}."
                mine = {k.removeprefix(prefix): v for k, v in given.items() if k.startswith(prefix)}
                calls.append(lambda *a, m=module, p=mine: functional_call(m, p, a))
            x = by_formula(calls, G, x, mask)
        return x

    (out,), grads = random_cotangent_grads(reversible, inputs | own)
    (wanted,), wanted_grads = random_cotangent_grads(plain, inputs | own)
    torch.testing.assert_close(out, wanted)
    for name, grad in wanted_grads.items():
        torch.testing.assert_close(grads[name], grad, msg=f"gradient of {name}")


def test_dropout_is_the_same_in_the_backward_pass() -> None:
    layers = [GroupRevRes(Masked(3, dropout=0.5)) for _ in range(3)]
    x = torch.randn(9, 6, dtype=torch.float64, requires_grad=True)
    mask = torch.ones(9, 6, dtype=torch.float64)

    def run(reversible: bool) -> tuple[Tensor, Tensor]:
        torch.manual_seed(1)
        h = x
        for layer in layers:
            h = (
                layer.double()(G, h, mask)
                if reversible
                else by_formula(layer.gnn_modules, G, h, mask)
            )
        after = torch.rand(())  # the generator goes on as if nothing was computed again
        (grad,) = torch.autograd.grad(h.square().sum(), x)
        return h, grad, after, torch.rand(())

    for found, expected in zip(run(True), run(False), strict=True):
        torch.testing.assert_close(found, expected)


def test_a_stack_keeps_the_last_output_alone() -> None:
    layers = [GroupRevRes(GraphConv(3, 3)).double() for _ in range(4)]
    h = torch.randn(9, 6, dtype=torch.float64, requires_grad=True) * 1
    kept = []
    for layer in layers:
        h = layer(G, h)
        kept.append(weakref.ref(h.untyped_storage()))
    gc.collect()
    assert [ref() is not None for ref in kept] == [False, False, False, True]


def test_outputs_in_between_stay_usable() -> None:
    """What a caller holds stays as it is, and the loss may depend on it alone."""
    first, second = (GroupRevRes(GraphConv(3, 3)).double() for _ in range(2))
    x = torch.randn(9, 6, dtype=torch.float64, requires_grad=True)
    middle = first(G, x)
    values = middle.detach().clone()
    last = second(G, middle)
    flow = torch.randn_like(middle)
    (found,) = torch.autograd.grad(middle, x, flow, retain_graph=True)
    torch.testing.assert_close(middle, values)
    (expected,) = torch.autograd.grad(by_formula(first.gnn_modules, G, x), x, flow)
    torch.testing.assert_close(found, expected)
    both = by_formula(second.gnn_modules, G, by_formula(first.gnn_modules, G, x))
    (expected,) = torch.autograd.grad(both, x, flow)
    torch.testing.assert_close(torch.autograd.grad(last, x, flow)[0], expected)


def test_without_gradients() -> None:
    layer, x = GroupRevRes(GraphConv(3, 3)), torch.randn(9, 6)
    with torch.no_grad():
        out = layer(G, x)
    assert out.grad_fn is None
    torch.testing.assert_close(out, by_formula(layer.gnn_modules, G, x))


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # dynamo reads it after a graph break
def test_inside_of_a_compiled_function() -> None:
    layer, x = GroupRevRes(GraphConv(3, 3)), torch.randn(9, 6, requires_grad=True)
    torch._dynamo.reset()
    results = [
        random_cotangent_grads(function, [x])
        for function in (
            lambda x: layer(G, x) * 2,
            torch.compile(lambda x: layer(G, x) * 2, backend="eager"),
        )
    ]
    torch.testing.assert_close(results[1], results[0])


class TestBadInput:
    layer = GroupRevRes(GraphConv(3, 3))

    def test_one_group(self) -> None:
        with pytest.raises(InvalidValueError, match="groups is at least 2, got 1"):
            GroupRevRes(GraphConv(3, 3), 1)

    def test_no_module(self) -> None:
        with pytest.raises(InvalidTypeError, match=r"must be a torch\.nn\.Module, got builtin"):
            GroupRevRes(len)

    def test_width(self) -> None:
        with pytest.raises(InvalidValueError, match=r"divisible by 2 groups, but got shape \(9, 5"):
            self.layer(G, torch.randn(9, 5))

    def test_argument(self) -> None:
        with pytest.raises(InvalidTypeError, match="arguments must be tensors, got int"):
            self.layer(G, torch.randn(9, 6), 3)

    def test_layer_of_another_width(self) -> None:
        with pytest.raises(InvalidValueError, match=r"\(9, 3\), but it gave \(9, 4\)"):
            GroupRevRes(GraphConv(3, 4))(G, torch.randn(9, 6))
