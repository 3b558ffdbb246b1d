"""GATConv against masked dense attention."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn import GATConv
from helpers.graphs import GraphCase, graph_cases
from helpers.kernel_cases import require_native
from nn.dense import Tensors, assert_matches, dense_cases, destinations, draw_features, ends, matrix

CASES = dense_cases()


def dense_attention(g: gs.Graph, scores: Tensor, z: Tensor, weight: Tensor | None) -> Tensor:
    """Attend with `scores` (destinations, sources, heads); a duplicate edge counts again."""
    counts = matrix(g)[..., None]
    exp = counts * scores.exp()
    share = exp / exp.sum(1, keepdim=True).where(exp.sum(1, keepdim=True) > 0, 1.0)
    if weight is not None:
        share = share / counts.clamp(min=1) * matrix(g, weight)[..., None]
    return torch.einsum("vuh,uhd->vhd", share, z)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("residual", [None, "identity", "linear"])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_matches_dense(case: GraphCase, residual: str | None, weighted: bool) -> None:
    g = case()
    width_dst = 6 if residual == "identity" else 4
    inputs = draw_features(g, width_dst, width_dst, weighted=weighted)
    pair = "feat_dst" in inputs
    layer = GATConv(
        (width_dst, width_dst) if pair else width_dst,
        3,
        2,
        negative_slope=0.3,
        residual=residual is not None,
        activation=torch.tanh,
        allow_zero_in_degree=True,
    ).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)

    def oracle(own: Tensors, feat: Tensor, feat_dst=None, edge_weight=None) -> Tensor:
        x_dst = destinations(g, feat, feat_dst)
        weight_src = own["fc_src.weight"] if pair else own["fc.weight"]
        weight_dst = own["fc_dst.weight"] if pair else own["fc.weight"]
        z = (feat @ weight_src.T).view(-1, 2, 3)
        z_dst = (x_dst @ weight_dst.T).view(-1, 2, 3)
        ends_meet = (z * own["attn_l"]).sum(-1)[None] + (z_dst * own["attn_r"]).sum(-1)[:, None]
        out = dense_attention(g, F.leaky_relu(ends_meet, 0.3), z, edge_weight)
        if residual == "identity":
            out = out + x_dst.view(-1, 2, 3)
        if residual == "linear":
            linear = x_dst @ own["res_fc.weight"].T + own["res_fc.bias"]
            out = out + linear.view(-1, 2, 3)
        else:
            out = out + own["bias"].view(2, 3)
        return torch.tanh(out)

    assert_matches(layer, g, inputs, oracle)


@pytest.mark.parametrize("case", graph_cases("homogeneous", exclude="zero_in_degree"))
def test_attention_sums_to_one(case: GraphCase) -> None:
    g = case()
    out, attention = GATConv(4, 3, 2)(g, torch.randn(g.num_nodes(), 4), get_attention=True)
    assert out.shape == (g.num_nodes(), 2, 3)
    assert attention.shape == (g.num_edges(), 2, 1)
    sums = torch.zeros(g.num_nodes(), 2, 1).index_add(0, ends(g)[1], attention)
    torch.testing.assert_close(sums, torch.ones(g.num_nodes(), 2, 1))


def test_edge_weight_per_head() -> None:
    g = gs.graph(([0, 1, 1, 2], [1, 0, 1, 2]))
    x, w = torch.randn(3, 4), torch.rand(4, 2)
    layer = GATConv(4, 3, 2, bias=False)
    expected = torch.stack([layer(g, x, edge_weight=w[:, head])[:, head] for head in (0, 1)], 1)
    torch.testing.assert_close(layer(g, x, edge_weight=w), expected)
    column = layer(g, x, edge_weight=w[:, :1])
    torch.testing.assert_close(column, layer(g, x, edge_weight=w[:, 0]))


def test_extra_dimensions_are_independent() -> None:
    g = gs.graph(([0, 1, 1, 2], [1, 0, 1, 2]))
    x, w = torch.randn(3, 4, 5), torch.rand(4, 2)
    layer = GATConv(5, 3, 2, residual=True)
    expected = torch.stack([layer(g, x[:, i], edge_weight=w) for i in range(4)], dim=1)
    torch.testing.assert_close(layer(g, x, edge_weight=w), expected)


def test_one_weight_on_a_pair() -> None:
    """Built with one input size, the layer projects both node types with one weight."""
    g = gs.heterograph({("user", "rates", "item"): ([0, 1, 3], [0, 1, 1])})
    layer, twice = GATConv(5, 3, 2), GATConv((5, 5), 3, 2)
    state = layer.state_dict()
    weight = state.pop("fc.weight")
    twice.load_state_dict(state | {"fc_src.weight": weight, "fc_dst.weight": weight})
    pair = torch.randn(4, 5), torch.randn(2, 5)
    torch.testing.assert_close(layer(g, pair), twice(g, pair))


def test_attention_dropout_is_in_the_returned_attention() -> None:
    g = gs.graph((torch.arange(500), torch.arange(500)))
    layer = GATConv(4, 3, 1, attn_drop=0.5, bias=False)
    out, attention = layer(g, torch.randn(500, 4), get_attention=True)
    dropped = attention.flatten() == 0
    assert 150 < int(dropped.sum()) < 350
    torch.testing.assert_close(attention[~dropped], torch.full_like(attention[~dropped], 2.0))
    assert not out[dropped].any()
    assert out[~dropped].any()
    assert not (layer.eval()(g, torch.randn(500, 4), get_attention=True)[1] == 0).any()


class TestGradients:
    g = gs.rand_graph(30, 200)

    def test_second_derivative(self) -> None:
        layer = GATConv(3, 2, 2, allow_zero_in_degree=True).double()
        x = torch.randn(30, 3, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradgradcheck(lambda x: layer(self.g, x), x)

    def test_pairs_of_unlike_rows(self) -> None:
        block = gs.create_block(([0, 1], [0, 0]), num_src_nodes=2, num_dst_nodes=1)
        with pytest.raises(InvalidValueError, match="x and x_dst must agree"):
            GATConv((3, 3), 2, 2)(block, (torch.randn(2, 3), torch.randn(1, 4, 3)))

    def test_gradients_of_other_kinds(self) -> None:
        layer, x = GATConv(3, 2, 2, allow_zero_in_degree=True), torch.randn(30, 3)
        out = layer(self.g, x.requires_grad_())
        flow = torch.randn_like(out)
        found, expected = (
            torch.autograd.grad(out, x, given, retain_graph=True)
            for given in (flow.to_sparse(), flow)
        )
        torch.testing.assert_close(found, expected)

    def test_native_gradients_come_one_at_a_time(self) -> None:
        require_native()
        layer, x = GATConv(3, 2, 2, allow_zero_in_degree=True), torch.randn(30, 3)
        out = layer(self.g, x.requires_grad_())
        with pytest.raises(InvalidValueError, match=r"Use torch\.func\.vmap"):
            torch.autograd.grad(out, x, torch.randn(5, *out.shape), is_grads_batched=True)


class TestOwnLinearMap:
    """Hooks, parametrizations and replacements of the linear map take effect."""

    g = gs.graph(([0, 1, 1, 2], [1, 0, 1, 2]))

    def expected(self, layer: GATConv, weight: Tensor, x: Tensor) -> Tensor:
        z = (x @ weight.t()).view(-1, 2, 3)
        left, right = (z * layer.attn_l).sum(-1), (z * layer.attn_r).sum(-1)
        scores = gs.ops.u_add_v(self.g, left, right)
        share = gs.ops.edge_softmax(self.g, F.leaky_relu(scores, 0.2))
        return gs.ops.u_mul_e_sum(self.g, z, share.unsqueeze(-1))

    def test_hook(self) -> None:
        layer, x = GATConv(4, 3, 2, bias=False), torch.randn(3, 4)
        layer.fc.register_forward_hook(lambda module, inputs, out: 3 * out)
        torch.testing.assert_close(layer(self.g, x), self.expected(layer, 3 * layer.fc.weight, x))

    def test_another_module(self) -> None:
        layer, x = GATConv(4, 3, 2, bias=False), torch.randn(3, 4)
        first = torch.nn.Linear(4, 5, bias=False)
        second = torch.nn.Linear(5, 6, bias=False)
        layer.fc = torch.nn.Sequential(first, second)
        weight = second.weight @ first.weight
        torch.testing.assert_close(layer(self.g, x), self.expected(layer, weight, x))

    def test_parametrization(self) -> None:
        layer, x = GATConv(4, 3, 2, bias=False), torch.randn(3, 4)
        torch.nn.utils.parametrizations.weight_norm(layer.fc)
        torch.testing.assert_close(layer(self.g, x), self.expected(layer, layer.fc.weight, x))


def test_zero_in_degree() -> None:
    g = gs.graph(([0, 1], [1, 0]), num_nodes=3)
    with pytest.raises(InvalidValueError, match=r"^GATConv: 1 of 3 nodes have zero in-degree"):
        GATConv(5, 3, 2)(g, torch.randn(3, 5))
    layer = GATConv(5, 3, 2, allow_zero_in_degree=True)
    torch.testing.assert_close(layer(g, torch.randn(3, 5))[2], layer.bias.view(2, 3))


class TestBadInput:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))

    def test_rows(self) -> None:
        with pytest.raises(InvalidValueError, match=r"^GATConv: .* one row per node \(3\)"):
            GATConv(5, 3, 2)(self.g, torch.randn(4, 5))

    def test_width_of_destinations(self) -> None:
        with pytest.raises(InvalidValueError, match="built for 4 input features"):
            GATConv((5, 4), 3, 2)(self.g, (torch.randn(3, 5), torch.randn(3, 5)))

    def test_dtype(self) -> None:
        with pytest.raises(InvalidTypeError, match=r"are torch\.float16, but the layer's"):
            GATConv(5, 3, 2)(self.g, torch.randn(3, 5).half())

    @pytest.mark.parametrize("shape", [(3, 3), (3, 2, 1)], ids=str)
    def test_edge_weight_columns(self, shape: tuple) -> None:
        with pytest.raises(InvalidValueError, match=r"shape \(3,\), or \(3, 2\) .* but got \(3"):
            GATConv(5, 3, 2)(self.g, torch.randn(3, 5), edge_weight=torch.rand(shape))

    def test_edge_weight_rows(self) -> None:
        with pytest.raises(InvalidValueError, match=r"one row per edge \(3\)"):
            GATConv(5, 3, 2)(self.g, torch.randn(3, 5), edge_weight=torch.rand(2))
