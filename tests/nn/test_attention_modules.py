"""The modules inside of attention layers count, whatever has become of them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import gossamer as gs
from gossamer.nn import GATConv, GATv2Conv

pytestmark = pytest.mark.parametrize("kind", [GATConv, GATv2Conv])


@pytest.fixture
def g() -> gs.Graph:
    return gs.add_self_loop(gs.rand_graph(9, 30))


def test_dropout_switched_by_itself(kind: type, g: gs.Graph) -> None:
    layer, x = kind(4, 3, 2, attn_drop=1.0).eval(), torch.randn(9, 4)
    plain = layer(g, x)
    assert plain.any()
    layer.attn_drop.train()
    assert not layer(g, x).any(), "as for Monte Carlo samples of a trained model"
    layer.train()
    layer.attn_drop.eval()
    torch.testing.assert_close(layer(g, x), plain)


def test_no_dropout(kind: type, g: gs.Graph) -> None:
    layer, x = kind(4, 3, 2, attn_drop=0.7), torch.randn(9, 4)
    expected = layer.eval()(g, x)
    layer.train().attn_drop = nn.Identity()
    torch.testing.assert_close(layer(g, x), expected)


@pytest.mark.parametrize("activation", [nn.ELU(), nn.LeakyReLU(0.5)], ids=str)
def test_another_activation(kind: type, g: gs.Graph, activation: nn.Module) -> None:
    layer, x = kind(4, 3, 2), torch.randn(9, 4)
    before = layer(g, x)
    layer.leaky_relu = activation
    out = layer(g, x)
    assert not torch.allclose(out, before)
    torch.testing.assert_close(out, layer(g, x, get_attention=True)[0])


@pytest.mark.parametrize("name", ["fc", "fc_src", "leaky_relu", "attn_drop"])
@pytest.mark.parametrize("everywhere", [False, True])
def test_a_module_with_a_forward_of_its_own(
    kind: type, g: gs.Graph, name: str, everywhere: bool
) -> None:
    """Some libraries change modules so; others add hooks to all modules at once."""
    layer, x = kind(4, 3, 2, bias=False), torch.randn(9, 4)
    module = getattr(layer, name, None)
    if module is None:
        module = layer.fc if kind is GATConv else layer.fc_src
    before = layer(g, x)
    forward = module.forward
    if everywhere:
        hook = nn.modules.module.register_module_forward_hook(
            lambda m, inputs, out: out * 3 if m is module else None
        )
    else:
        module.forward = lambda x: forward(x) * 3
    try:
        out = layer(g, x)
        expected = layer(g, x, get_attention=True)[0]
    finally:
        if everywhere:
            hook.remove()
    assert not torch.allclose(out, before)
    torch.testing.assert_close(out, expected)


@pytest.mark.parametrize("residual", [False, True])
def test_activation_in_place(kind: type, g: gs.Graph, residual: bool) -> None:
    x = torch.randn(9, 4, requires_grad=True)
    activation = nn.Sequential(nn.Identity(), nn.ReLU(inplace=True))
    layer = kind(4, 3, 2, residual=residual, activation=activation)
    out = layer(g, x)
    flow = torch.randn_like(out)
    found = torch.autograd.grad(out, x, flow)
    layer.activation = nn.ReLU()
    torch.testing.assert_close(found, torch.autograd.grad(layer(g, x), x, flow))


def test_hook_on_the_attention(kind: type, g: gs.Graph) -> None:
    layer, x = kind(4, 3, 2), torch.randn(9, 4)
    expected, seen = layer(g, x, get_attention=True)[1], []
    layer.attn_drop.register_forward_hook(lambda module, inputs, out: seen.append(out))
    layer(g, x)
    torch.testing.assert_close(seen, [expected])
