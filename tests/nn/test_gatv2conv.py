"""GATv2Conv against masked dense attention."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn import GATConv, GATv2Conv
from helpers.graphs import GraphCase
from nn.dense import Tensors, assert_matches, dense_cases, destinations, draw_features, matrix

CASES = dense_cases()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("residual", [None, "identity", "linear"])
@pytest.mark.parametrize("share", [False, True], ids=["two-weights", "one-weight"])
def test_matches_dense(case: GraphCase, residual: str | None, share: bool) -> None:
    g = case()
    width = 6 if residual == "identity" else 4
    inputs = draw_features(g, width)
    share = share and "feat_dst" not in inputs
    layer = GATv2Conv(
        width if "feat_dst" not in inputs else (width, width),
        3,
        2,
        negative_slope=0.3,
        residual=residual is not None,
        activation=torch.tanh,
        allow_zero_in_degree=True,
        share_weights=share,
    ).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)

    def oracle(own: Tensors, feat: Tensor, feat_dst: Tensor | None = None) -> Tensor:
        x_dst = destinations(g, feat, feat_dst)
        dst = "fc_src" if share else "fc_dst"
        z = (feat @ own["fc_src.weight"].T + own["fc_src.bias"]).view(-1, 2, 3)
        z_dst = (x_dst @ own[f"{dst}.weight"].T + own[f"{dst}.bias"]).view(-1, 2, 3)
        scores = (F.leaky_relu(z[None] + z_dst[:, None], 0.3) * own["attn"]).sum(-1)
        exp = matrix(g)[..., None] * scores.exp()
        total = exp.sum(1, keepdim=True)
        out = torch.einsum("vuh,uhd->vhd", exp / total.where(total > 0, 1.0), z)
        if residual == "identity":
            out = out + x_dst.view(-1, 2, 3)
        if residual == "linear":
            out = out + (x_dst @ own["res_fc.weight"].T + own["res_fc.bias"]).view(-1, 2, 3)
        return torch.tanh(out)

    assert_matches(layer, g, inputs, oracle)


def test_ranking_depends_on_the_destination() -> None:
    """The point of the paper: two nodes may prefer different neighbors, which GATConv cannot."""
    u, v = torch.tensor([0, 1, 0, 1]), torch.tensor([0, 0, 1, 1])
    g, x = gs.graph((u, v)), torch.tensor([[1.0], [-1.0]])
    dynamic = GATv2Conv(1, 2, 1, bias=False)
    with torch.no_grad():
        dynamic.fc_src.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        dynamic.fc_dst.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        dynamic.attn.fill_(1.0)
    _, attention = dynamic(g, x, get_attention=True)
    to_0, to_1 = attention.flatten().view(2, 2)
    assert to_0[0] > to_0[1]
    assert to_1[0] < to_1[1]

    _, attention = GATConv(1, 2, 1)(g, x, get_attention=True)
    to_0, to_1 = attention.flatten().view(2, 2)
    assert (to_0[0] > to_0[1]) == (to_1[0] > to_1[1])


def test_share_weights() -> None:
    layer = GATv2Conv(5, 3, 2, share_weights=True)
    assert layer.fc_dst is layer.fc_src
    assert GATv2Conv((5, 5), 3, 2, share_weights=True).fc_dst is not layer.fc_src
    names = ["attn", "fc_dst.bias", "fc_dst.weight", "fc_src.bias", "fc_src.weight"]
    assert sorted(layer.state_dict()) == names


def test_extra_dimensions_are_independent() -> None:
    g = gs.graph(([0, 1, 1, 2], [1, 0, 1, 2]))
    x = torch.randn(3, 4, 5)
    layer = GATv2Conv(5, 3, 2, residual=True)
    expected = torch.stack([layer(g, x[:, i]) for i in range(4)], dim=1)
    torch.testing.assert_close(layer(g, x), expected)


def test_zero_in_degree() -> None:
    g = gs.graph(([0, 1], [1, 0]), num_nodes=3)
    with pytest.raises(InvalidValueError, match=r"^GATv2Conv: 1 of 3 nodes have zero in-degree"):
        GATv2Conv(5, 3, 2)(g, torch.randn(3, 5))
    layer = GATv2Conv(5, 3, 2, allow_zero_in_degree=True)
    assert not layer(g, torch.randn(3, 5))[2].any()


class TestBadInput:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))

    def test_rows(self) -> None:
        with pytest.raises(InvalidValueError, match=r"^GATv2Conv: .* one row per node \(3\)"):
            GATv2Conv(5, 3, 2)(self.g, torch.randn(4, 5))

    def test_width(self) -> None:
        with pytest.raises(InvalidValueError, match="built for 5 input features"):
            GATv2Conv(5, 3, 2)(self.g, torch.randn(3, 4))

    def test_dtype(self) -> None:
        with pytest.raises(InvalidTypeError, match=r"are torch\.float64, but the layer's"):
            GATv2Conv(5, 3, 2)(self.g, torch.randn(3, 5).double())
