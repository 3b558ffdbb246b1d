"""GraphConv and EdgeWeightNorm against dense matrix products."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn import EdgeWeightNorm, GraphConv
from helpers.graphs import GraphCase, graph_cases
from nn.dense import Tensors, assert_matches, dense_cases, draw_features, matrix

CASES = dense_cases()
NORMS = ("none", "both", "left", "right")


def normalized(g: gs.Graph, norm: str, weight: Tensor | None = None) -> Tensor:
    """The adjacency matrix, scaled by degrees that count edges."""
    counts = matrix(g)
    in_degrees = counts.sum(1, keepdim=True).clamp(min=1)
    out_degrees = counts.sum(0, keepdim=True).clamp(min=1)
    scale = {
        "none": torch.ones(()),
        "both": 1 / (in_degrees * out_degrees).sqrt(),
        "left": 1 / out_degrees,
        "right": 1 / in_degrees,
    }
    return matrix(g, weight) * scale[norm]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("sizes", [(5, 3), (3, 5)], ids=["narrowing", "widening"])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_matches_dense(case: GraphCase, norm: str, sizes: tuple, weighted: bool) -> None:
    g = case()
    layer = GraphConv(*sizes, norm=norm, allow_zero_in_degree=True).double()
    torch.nn.init.normal_(layer.bias)

    def oracle(own: Tensors, feat: Tensor, feat_dst=None, edge_weight=None) -> Tensor:
        return normalized(g, norm, edge_weight) @ feat @ own["weight"] + own["bias"]

    assert_matches(layer, g, draw_features(g, sizes[0], weighted=weighted), oracle)


@pytest.mark.parametrize("case", graph_cases("homogeneous", exclude="zero_in_degree"))
@pytest.mark.parametrize("sizes", [(5, 3), (3, 5)], ids=["narrowing", "widening"])
def test_external_weight(case: GraphCase, sizes: tuple[int, int]) -> None:
    g = case()
    layer = GraphConv(*sizes, weight=False, bias=False, activation=torch.tanh)
    assert not layer.state_dict()
    inputs = draw_features(g, sizes[0]) | {"weight": torch.randn(sizes, dtype=torch.float64)}

    def oracle(own: Tensors, feat: Tensor, weight: Tensor) -> Tensor:
        return torch.tanh(normalized(g, "both") @ feat @ weight)

    assert_matches(layer, g, inputs, oracle)


def test_edge_weights_per_column() -> None:
    """Weights as wide as the messages, which are sent after the narrowing product."""
    g = gs.graph(([0, 1, 1], [1, 0, 1]))
    x, w = torch.randn(2, 5), torch.rand(3, 3)
    layer = GraphConv(5, 3, norm="none", bias=False)
    z = x @ layer.weight
    expected = torch.stack([w[1] * z[1], w[0] * z[0] + w[2] * z[1]])
    torch.testing.assert_close(layer(g, x, edge_weight=w), expected)


def test_extra_dimensions_are_independent() -> None:
    g = gs.graph(([0, 1, 1, 2], [1, 0, 1, 2]))
    x = torch.randn(3, 4, 5)
    layer = GraphConv(5, 2)
    expected = torch.stack([layer(g, x[:, i]) for i in range(4)], dim=1)
    torch.testing.assert_close(layer(g, x), expected)


def test_degrees_beyond_float16() -> None:
    """70,000 in-edges are more than float16 can count; their mean is still a mean."""
    g = gs.graph((torch.zeros(70_000, dtype=torch.int64), torch.ones(70_000, dtype=torch.int64)))
    x = torch.tensor([[0.0625], [0.0]], dtype=torch.float16)
    layer = GraphConv(1, 1, norm="right", weight=False, bias=False, allow_zero_in_degree=True)
    assert layer(g, x)[1].item() == pytest.approx(0.0625, rel=0.01)


def test_one_graph_serves_every_dtype() -> None:
    """The graph keeps what degrees give for the next epoch, which may be in another precision."""
    g = gs.graph(([0, 1, 1, 2], [1, 0, 1, 2]))
    layer, x = GraphConv(5, 3), torch.randn(3, 5)
    expected = layer(g, x)
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float64):
        out = layer.to(dtype)(g, x.to(dtype))
        assert out.dtype == dtype
    torch.testing.assert_close(out.float(), expected, rtol=0.05, atol=0.05)


def test_zero_in_degree() -> None:
    g = gs.graph(([0, 1], [1, 0]), num_nodes=4)
    layer = GraphConv(5, 3)
    with pytest.raises(InvalidValueError, match=r"^GraphConv: 2 of 4 nodes have zero in-degree"):
        layer(g, torch.randn(4, 5))
    with pytest.raises(InvalidValueError, match=r"gossamer\.add_self_loop\(g\)"):
        layer(g, torch.randn(4, 5))
    layer.set_allow_zero_in_degree(True)
    torch.testing.assert_close(layer(g, torch.randn(4, 5))[2:], layer.bias.expand(2, 3))


class TestBadInput:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))
    layer = GraphConv(5, 3)

    def test_norm(self) -> None:
        with pytest.raises(InvalidValueError, match=r"norm is one of .* got 'sym'"):
            GraphConv(5, 3, norm="sym")

    def test_two_weights(self) -> None:
        with pytest.raises(InvalidValueError, match="the layer has its own"):
            self.layer(self.g, torch.randn(3, 5), weight=torch.randn(5, 3))

    @pytest.mark.parametrize("shape", [(4, 5), (2, 5), ()], ids=str)
    def test_rows(self, shape: tuple) -> None:
        with pytest.raises(InvalidValueError, match=r"one row per node \(3\), but got shape"):
            self.layer(self.g, torch.randn(shape))

    @pytest.mark.parametrize("shape", [(3, 4), (3,)], ids=str)
    def test_width(self, shape: tuple) -> None:
        with pytest.raises(InvalidValueError, match=r"built for 5 input features, but got \(3"):
            self.layer(self.g, torch.randn(shape))

    def test_width_without_weight(self) -> None:
        with pytest.raises(InvalidValueError, match=r"must have shape \(3, \.\.\., 3\)"):
            GraphConv(5, 3, weight=False)(self.g, torch.randn(3, 5))

    def test_external_weight_shape(self) -> None:
        layer = GraphConv(5, 3, weight=False)
        with pytest.raises(InvalidValueError, match=r"weight must be a matrix \(5, 3\), but got"):
            layer(self.g, torch.randn(3, 5), weight=torch.randn(4, 3))

    def test_dtype(self) -> None:
        with pytest.raises(InvalidTypeError, match=r"float64, but the layer's parameters are"):
            self.layer(self.g, torch.randn(3, 5).double())

    def test_type(self) -> None:
        with pytest.raises(InvalidTypeError, match=r"must be a tensor, or a pair .* but got list"):
            self.layer(self.g, [[1.0] * 5] * 3)

    def test_graph(self) -> None:
        with pytest.raises(InvalidTypeError, match=r"gossamer\.Graph is expected, got Tensor"):
            self.layer(torch.randn(3, 5), self.g)

    def test_edge_weight_rows(self) -> None:
        with pytest.raises(InvalidValueError, match=r"one row per edge \(3\), but got shape \(4,"):
            self.layer(self.g, torch.randn(3, 5), edge_weight=torch.rand(4))

    def test_edge_weight_dtype(self) -> None:
        with pytest.raises(InvalidTypeError, match=r"floating-point tensor, but got torch\.int64"):
            self.layer(self.g, torch.randn(3, 5), edge_weight=torch.ones(3, dtype=torch.int64))

    def test_edge_weight_type(self) -> None:
        with pytest.raises(InvalidTypeError, match="floating-point tensor, but got list"):
            self.layer(self.g, torch.randn(3, 5), edge_weight=[1.0, 1.0, 1.0])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("norm", ["none", "both", "right"])
@pytest.mark.parametrize("eps", [0.0, 0.5])
def test_edge_weight_norm_matches_dense(case: GraphCase, norm: str, eps: float) -> None:
    g = case()
    u, v = g.edges()
    w = torch.rand(g.num_edges(), dtype=torch.float64) + 0.1
    weights = matrix(g, w)
    into, out_of = weights.sum(1) + eps, weights.sum(0) + eps
    scale = {
        "none": lambda: torch.ones_like(w),
        "both": lambda: into[v.long()].sqrt() * out_of[u.long()].sqrt(),
        "right": lambda: into[v.long()],
    }[norm]()
    torch.testing.assert_close(EdgeWeightNorm(norm, eps)(g, w), w / scale)


def test_edge_weight_norm_of_ones_is_graphconv_both() -> None:
    g = gs.graph(([0, 1, 1, 2, 0], [1, 0, 1, 0, 2]))
    x = torch.randn(3, 5)
    layer = GraphConv(5, 3)
    plain = GraphConv(5, 3, norm="none")
    plain.load_state_dict(layer.state_dict())
    weights = EdgeWeightNorm("both")(g, torch.ones(5))
    torch.testing.assert_close(plain(g, x, edge_weight=weights), layer(g, x))


class TestEdgeWeightNormBadInput:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))

    def test_norm(self) -> None:
        with pytest.raises(InvalidValueError, match=r"norm is one of .* got 'left'"):
            EdgeWeightNorm("left")

    def test_columns(self) -> None:
        with pytest.raises(InvalidValueError, match=r"shape \(3,\), .* but got \(3, 1\)"):
            EdgeWeightNorm()(self.g, torch.rand(3, 1))

    def test_not_positive(self) -> None:
        with pytest.raises(InvalidValueError, match="every edge weight must be positive"):
            EdgeWeightNorm()(self.g, torch.tensor([1.0, 0.0, 2.0]))

    def test_rows(self) -> None:
        with pytest.raises(InvalidValueError, match=r"^EdgeWeightNorm: .* one row per edge \(3\)"):
            EdgeWeightNorm()(self.g, torch.rand(2))


@pytest.mark.parametrize(
    ("norm", "wanted"), [("none", 3), ("right", 1.5), ("left", 3.0), ("both", 3 / 2**0.5)]
)
def test_fractions_count_for_features_of_integers(norm: str, wanted: float) -> None:
    layer = GraphConv(1, 1, norm=norm, weight=False, bias=False, allow_zero_in_degree=True)
    out = layer(gs.graph(([0, 1], [2, 2])), torch.tensor([[1], [2], [0]]))
    torch.testing.assert_close(out.float(), torch.tensor([[0.0], [0.0], [wanted]]))


def test_weights_with_more_dimensions_than_features() -> None:
    layer = GraphConv(1, 1, weight=False, bias=False, allow_zero_in_degree=True)
    with pytest.raises(InvalidValueError, match=r"at most the 1 dimensions .* got shape \(2, 3\)"):
        layer(gs.graph(([0, 1], [2, 2])), torch.randn(3), edge_weight=torch.rand(2, 3))
