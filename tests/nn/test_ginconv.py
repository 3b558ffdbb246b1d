"""GINConv against dense matrix products and loops over nodes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn import GINConv
from helpers.graphs import GraphCase
from nn.dense import Tensors, assert_matches, dense_cases, destinations, draw_features, ends, matrix

CASES = dense_cases()


def gather(kind: str, g: gs.Graph, x: Tensor, edge_weight: Tensor | None) -> Tensor:
    """Reduce the messages of each destination."""
    if kind == "max":
        u, v = ends(g)
        sent = x[u] if edge_weight is None else x[u] * edge_weight[:, None]
        inboxes = [sent[v == node] for node in range(g.num_dst_nodes())]
        zero = x.new_zeros(x.shape[1])
        rows = [inbox.max(0).values if len(inbox) else zero for inbox in inboxes]
        return torch.stack(rows) if rows else x.new_zeros(0, x.shape[1])
    total = matrix(g, edge_weight) @ x
    return total / matrix(g).sum(1, keepdim=True).clamp(min=1) if kind == "mean" else total


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["sum", "max", "mean"])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_matches_dense(case: GraphCase, kind: str, weighted: bool) -> None:
    g = case()
    layer = GINConv(nn.Linear(4, 3), kind, 0.5, learn_eps=True, activation=torch.tanh).double()

    def oracle(own: Tensors, feat: Tensor, feat_dst=None, edge_weight=None) -> Tensor:
        own_part = (1 + own["eps"]) * destinations(g, feat, feat_dst)
        h = own_part + gather(kind, g, feat, edge_weight)
        return torch.tanh(h @ own["apply_func.weight"].T + own["apply_func.bias"])

    assert_matches(layer, g, draw_features(g, 4, weighted=weighted), oracle)


def test_eps() -> None:
    g, x = gs.graph(([], []), num_nodes=2), torch.tensor([[1.0], [2.0]])
    fixed, learned = GINConv(init_eps=0.5), GINConv(init_eps=0.5, learn_eps=True)
    assert [name for name, _ in fixed.named_parameters()] == []
    assert [name for name, _ in learned.named_parameters()] == ["eps"]
    for layer in (fixed, learned):
        assert list(layer.state_dict()) == ["eps"]
        torch.testing.assert_close(layer(g, x), 1.5 * x)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64], ids=str)
def test_features_of_another_dtype_than_eps(dtype) -> None:
    g = gs.graph(([0, 1], [1, 2]))
    x = torch.tensor([[2], [4], [6]], dtype=dtype)
    out = GINConv(init_eps=0.5)(g, x)
    assert out.is_floating_point()
    assert out.tolist() == [[3.0], [8.0], [13.0]]


def test_apply_func_may_be_any_function() -> None:
    g, x = gs.graph(([0], [1])), torch.tensor([[1.0], [2.0]])
    torch.testing.assert_close(GINConv(torch.neg)(g, x), torch.tensor([[-1.0], [-3.0]]))


def test_reset_leaves_apply_func_alone() -> None:
    layer = GINConv(nn.Linear(2, 2), init_eps=0.5, learn_eps=True)
    weight = layer.apply_func.weight.clone()
    nn.init.zeros_(layer.eps)
    layer.reset_parameters()
    assert layer.eps.item() == 0.5
    torch.testing.assert_close(layer.apply_func.weight, weight)


class TestBadInput:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))

    @pytest.mark.parametrize("kind", ["min", "median"])
    def test_aggregator(self, kind: str) -> None:
        with pytest.raises(InvalidValueError, match=rf"aggregator_type is one of .* got '{kind}'"):
            GINConv(None, kind)

    def test_rows(self) -> None:
        with pytest.raises(InvalidValueError, match=r"^GINConv: .* one row per node \(3\)"):
            GINConv()(self.g, torch.randn(4, 5))

    def test_pair_of_two_widths(self) -> None:
        with pytest.raises(InvalidValueError, match=r"must have one shape, but got \(3, 5\)"):
            GINConv()(self.g, (torch.randn(3, 5), torch.randn(3, 4)))

    def test_type(self) -> None:
        with pytest.raises(InvalidTypeError, match=r"must be a tensor.* but got NoneType"):
            GINConv()(self.g, None)

    def test_edge_weight(self) -> None:
        with pytest.raises(InvalidValueError, match=r"one row per edge \(3\)"):
            GINConv()(self.g, torch.randn(3, 5), torch.rand(4))


@pytest.mark.parametrize("shape", [(3, 1), (3, 1, 1)], ids=str)
@pytest.mark.parametrize("dims", [1, 2])
def test_one_weight_per_edge_in_any_shape(shape: tuple, dims: int) -> None:
    g, weight = gs.graph(([0, 1, 1], [2, 2, 0])), torch.rand(3)
    x = torch.randn(3, 2)[:, 0] if dims == 1 else torch.randn(3, 2)
    expected = GINConv()(g, x, weight if dims == 1 else weight.view(3, 1))
    assert expected.shape == x.shape
    torch.testing.assert_close(GINConv()(g, x, weight.view(shape)), expected)


def test_fractions_count_for_features_of_integers() -> None:
    g = gs.graph(([0, 1], [2, 2]))
    out = GINConv()(g, torch.tensor([[1], [2], [0]]), torch.full((2,), 0.5))
    assert out.tolist() == [[1.0], [2.0], [1.5]]
    out = GINConv()(g, torch.tensor([[70_000], [1], [0]]), torch.ones(2).half())
    assert out.tolist() == [[70_000], [1], [70_001]]


def test_pairs_of_unlike_rows() -> None:
    g = gs.create_block(([0, 1], [0, 0]), num_src_nodes=2, num_dst_nodes=1)
    with pytest.raises(InvalidValueError, match=r"^GINConv: .* one shape, but got \(2, 4\) and"):
        GINConv()(g, (torch.randn(2, 4), torch.randn(1, 1, 4)))


def test_gradient_of_eps_over_an_ensemble() -> None:
    g, x, layer = gs.graph(([0, 1, 2], [1, 2, 0])), torch.ones(3, 2), GINConv(learn_eps=True)

    def run(eps: Tensor) -> Tensor:
        return functional_call(layer, {"eps": eps}, (g, x)).sum()

    found = torch.func.grad(lambda eps: torch.func.vmap(run)(eps).sum())(torch.zeros(2, 1))
    assert found.tolist() == [[6.0], [6.0]]
