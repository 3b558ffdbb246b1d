"""The modules inside of attention layers count, whatever has become of them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import gossamer as gs
from gossamer.nn import GATConv, GATv2Conv

pytestmark = pytest.mark.parametrize("kind", [GATConv, GATv2Conv])


@pytest.fixture(params=["small", "large"], autouse=True)
def way(request: pytest.FixtureRequest) -> None:
    if request.param == "large":
        request.getfixturevalue("everything_is_large")


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


def test_hook_on_the_attention(kind: type, g: gs.Graph) -> None:
    layer, x = kind(4, 3, 2), torch.randn(9, 4)
    expected, seen = layer(g, x, get_attention=True)[1], []
    layer.attn_drop.register_forward_hook(lambda module, inputs, out: seen.append(out))
    layer(g, x)
    torch.testing.assert_close(seen, [expected])
