"""SAGEConv against dense matrix products and loops over nodes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn import SAGEConv
from helpers.graphs import GraphCase
from nn.dense import Tensors, assert_matches, dense_cases, destinations, draw_features, ends, matrix

AGGREGATORS = ("mean", "gcn", "pool", "lstm")


def messages_of(g: gs.Graph, x: Tensor, edge_weight: Tensor | None) -> list[Tensor]:
    """The messages of each destination, in the order of the edges."""
    u, v = ends(g)
    sent = x[u] if edge_weight is None else x[u] * edge_weight[:, None]
    return [sent[v == node] for node in range(g.num_dst_nodes())]


def gather(
    kind: str, g: gs.Graph, own: Tensors, x: Tensor, x_dst: Tensor, edge_weight: Tensor | None
) -> Tensor:
    """h_N of the docstring."""
    degrees = matrix(g).sum(1, keepdim=True)
    if kind == "mean":
        return matrix(g, edge_weight) @ x / degrees.clamp(min=1)
    if kind == "gcn":
        return (matrix(g, edge_weight) @ x + x_dst) / (degrees + 1)
    zero = x.new_zeros(x.shape[1])
    if kind == "pool":
        x = torch.relu(x @ own["fc_pool.weight"].T + own["fc_pool.bias"])
        inboxes = messages_of(g, x, edge_weight)
        rows = [inbox.amax(0) if len(inbox) else zero for inbox in inboxes]
    else:
        lstm = nn.LSTM(x.shape[1], x.shape[1], batch_first=True).double()
        cell = {name.removeprefix("lstm."): p for name, p in own.items() if "lstm" in name}
        inboxes = messages_of(g, x, edge_weight)
        rows = [functional_call(lstm, cell, m)[0][-1] if len(m) else zero for m in inboxes]
    return torch.stack(rows) if rows else x.new_zeros(0, x.shape[1])


@pytest.mark.parametrize("case", dense_cases(exclude="hub"))
@pytest.mark.parametrize("kind", AGGREGATORS)
@pytest.mark.parametrize("sizes", [(5, 3), (3, 5)], ids=["narrowing", "widening"])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_matches_dense(case: GraphCase, kind: str, sizes: tuple, weighted: bool) -> None:
    g = case()
    inputs = draw_features(g, sizes[0], 4 if kind != "gcn" else None, weighted=weighted)
    in_feats = sizes[0], inputs["feat_dst"].shape[1] if "feat_dst" in inputs else sizes[0]
    layer = SAGEConv(in_feats, sizes[1], kind, activation=torch.tanh, norm=torch.exp).double()
    if kind == "gcn":
        nn.init.normal_(layer.bias)

    def oracle(own: Tensors, feat: Tensor, feat_dst=None, edge_weight=None) -> Tensor:
        x_dst = destinations(g, feat, feat_dst)
        out = gather(kind, g, own, feat, x_dst, edge_weight) @ own["fc_neigh.weight"].T
        if kind == "gcn":
            out = out + own["bias"]
        else:
            out = out + x_dst @ own["fc_self.weight"].T + own["fc_self.bias"]
        return torch.tanh(out).exp()

    assert_matches(layer, g, inputs, oracle)


@pytest.mark.parametrize("kind", AGGREGATORS)
def test_without_bias(kind: str) -> None:
    g = gs.graph(([0, 1], [1, 0]))
    layer = SAGEConv(4, 2, kind, bias=False)
    assert not [name for name in layer.state_dict() if name in ("bias", "fc_self.bias")]
    out = layer(g, torch.zeros(2, 4))
    if kind in ("mean", "gcn"):
        assert not out.any(), "nothing but a bias could make this"
    else:
        assert out.shape == (2, 2)


@pytest.mark.parametrize("kind", ["mean", "gcn", "pool"])
def test_extra_dimensions_are_independent(kind: str) -> None:
    g = gs.graph(([0, 1, 1, 2], [1, 0, 1, 0]))
    x = torch.randn(3, 4, 5)
    layer = SAGEConv(5, 2, kind)
    expected = torch.stack([layer(g, x[:, i]) for i in range(4)], dim=1)
    torch.testing.assert_close(layer(g, x), expected)


def test_dropout_hits_a_node_alike_in_both_roles() -> None:
    """Each node hears itself only, so with W_neigh = -W_self what survives must cancel."""
    g = gs.create_block(([0, 1, 2], [0, 1, 2]), num_src_nodes=4, num_dst_nodes=3)
    layer = SAGEConv(50, 1, "mean", feat_drop=0.5, bias=False)
    with torch.no_grad():
        layer.fc_neigh.weight.copy_(-layer.fc_self.weight)
    x = torch.randn(4, 50)
    torch.testing.assert_close(layer(g, x), torch.zeros(3, 1), rtol=0, atol=1e-5)
    layer.eval()
    both = layer.fc_self(layer.feat_drop(x))
    torch.testing.assert_close(both, x @ layer.fc_self.weight.T)


class TestBadInput:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))

    def test_aggregator(self) -> None:
        with pytest.raises(InvalidValueError, match=r"aggregator_type is one of .*'median'"):
            SAGEConv(5, 3, "median")

    def test_gcn_with_two_sizes(self) -> None:
        with pytest.raises(InvalidValueError, match=r"must be equal, but in_feats is \(5, 4\)"):
            SAGEConv((5, 4), 3, "gcn")

    @pytest.mark.parametrize("kind", AGGREGATORS)
    def test_rows(self, kind: str) -> None:
        with pytest.raises(InvalidValueError, match=r"^SAGEConv: .* one row per node \(3\)"):
            SAGEConv(5, 3, kind)(self.g, torch.randn(2, 5))

    @pytest.mark.parametrize("kind", AGGREGATORS)
    def test_width(self, kind: str) -> None:
        with pytest.raises(InvalidValueError, match="built for 5 input features"):
            SAGEConv(5, 3, kind)(self.g, torch.randn(3, 6))

    def test_dtype_of_destinations(self) -> None:
        pair = torch.randn(3, 5), torch.randn(3, 5).double()
        with pytest.raises(InvalidTypeError, match="float64, but the layer's parameters are"):
            SAGEConv(5, 3, "mean")(self.g, pair)

    def test_edge_weight(self) -> None:
        with pytest.raises(InvalidValueError, match=r"one row per edge \(3\)"):
            SAGEConv(5, 3, "mean")(self.g, torch.randn(3, 5), edge_weight=torch.rand(2))

    def test_lstm_reads_vectors(self) -> None:
        with pytest.raises(InvalidValueError, match=r"'lstm' takes features of shape \(3, 5\)"):
            SAGEConv(5, 3, "lstm")(self.g, torch.randn(3, 2, 5))

    def test_destinations_missing(self) -> None:
        """On a bipartite graph one tensor cannot serve two numbers of nodes."""
        g = gs.heterograph({("user", "rates", "item"): ([0, 1], [0, 2])})
        with pytest.raises(InvalidValueError, match=r"one row per node \(3\), but got shape \(2"):
            SAGEConv(5, 3, "mean")(g, torch.randn(2, 5))


@pytest.mark.parametrize("kind", ["mean", "gcn", "pool", "lstm"])
def test_another_module_in_the_place_of_a_map(kind: str) -> None:
    g, x = gs.rand_graph(6, 20), torch.randn(6, 4)
    layer = SAGEConv(4, 3, kind)
    expected = layer(g, x)
    layer.fc_neigh = torch.nn.Sequential(layer.fc_neigh)
    torch.testing.assert_close(layer(g, x), expected)
