"""RelGraphConv against dense matrices, one for each edge type."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.nn import RelGraphConv
from helpers.graphs import GraphCase
from nn.dense import assert_matches, dense_cases, destinations, draw_features, ends
from nn.test_linear import matrices

NUM_RELS = 3


def oracle(layer: RelGraphConv, g: gs.Graph):
    """The formula, an adjacency matrix for each type."""
    u, v = ends(g)

    def run(
        parameters: dict[str, Tensor],
        feat: Tensor,
        etypes: Tensor,
        norm: Tensor | None = None,
        feat_dst: Tensor | None = None,
    ) -> Tensor:
        own = {name.removeprefix("linear_r."): p for name, p in parameters.items()}
        dense = matrices(layer.linear_r, own)
        weight = torch.ones(len(u), dtype=feat.dtype) if norm is None else norm.flatten()
        out = torch.zeros(g.num_dst_nodes(), 6, dtype=feat.dtype)
        for t in range(NUM_RELS):
            of = etypes == t
            zeros = torch.zeros(g.num_dst_nodes(), g.num_src_nodes(), dtype=feat.dtype)
            matrix = zeros.index_put((v[of], u[of]), weight[of], accumulate=True)
            out = out + matrix @ feat @ dense[t]
        if layer.layer_norm:
            scale, shift = (parameters[f"layer_norm_weight.{x}"] for x in ("weight", "bias"))
            out = F.layer_norm(out, (6,), scale, shift)
        if layer.bias:
            out = out + parameters["h_bias"]
        if layer.self_loop:
            out = out + destinations(g, feat, feat_dst) @ parameters["loop_weight"]
        return out if layer.activation is None else layer.activation(out)

    return run


CONFIGURATIONS = {
    "free": {},
    "basis": {"regularizer": "basis", "num_bases": 2, "bias": False, "activation": torch.tanh},
    "blocks": {"regularizer": "bdd", "num_bases": 2, "self_loop": False},
    "norm": {"layer_norm": True},
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CONFIGURATIONS)
@pytest.mark.parametrize("case", dense_cases(), ids=str)
def test_matches_dense(case: GraphCase, name: str, weighted: bool) -> None:
    g = case()
    layer = RelGraphConv(4, 6, NUM_RELS, **CONFIGURATIONS[name]).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    inputs = draw_features(g, 4)
    inputs["etypes"] = torch.randint(0, NUM_RELS, (g.num_edges(),))
    if weighted:
        inputs["norm"] = torch.rand(g.num_edges(), 1, dtype=torch.float64) + 0.5
    assert_matches(layer, g, inputs, oracle(layer, g))


def test_other_types_on_the_same_graph() -> None:
    """What the graph keeps of the first types must not serve the second."""
    g, layer = gs.graph(([0, 1, 2, 0], [1, 2, 0, 1])), RelGraphConv(4, 6, NUM_RELS)
    x, first, second = torch.rand(3, 4), torch.tensor([0, 1, 2, 1]), torch.tensor([2, 1, 0, 0])
    fresh = layer(gs.graph(([0, 1, 2, 0], [1, 2, 0, 1])), x, second)
    layer(g, x, first)
    torch.testing.assert_close(layer(g, x, second), fresh)
    assert not torch.allclose(layer(g, x, first), fresh)


def test_vector_and_column_of_weights_agree() -> None:
    g, layer = gs.graph(([0, 1, 2, 0], [1, 2, 0, 1])), RelGraphConv(4, 6, NUM_RELS)
    x, etypes, norm = torch.rand(3, 4), torch.tensor([0, 1, 2, 1]), torch.rand(4)
    torch.testing.assert_close(layer(g, x, etypes, norm), layer(g, x, etypes, norm[:, None]))


def test_dropout_only_while_training() -> None:
    g, layer = gs.graph(([0, 1], [1, 0])), RelGraphConv(4, 6, NUM_RELS, dropout=1.0)
    arguments = g, torch.rand(2, 4), torch.tensor([0, 2])
    assert not layer(*arguments).any()
    assert layer.eval()(*arguments).any()


def test_a_training_step_after_inference_mode() -> None:
    g, layer = gs.graph(([0, 1], [1, 0])), RelGraphConv(4, 6, NUM_RELS)
    with torch.inference_mode():
        layer(g, torch.rand(2, 4), torch.tensor([0, 2]))
    layer(g, torch.rand(2, 4), torch.tensor([0, 2])).sum().backward()
    assert layer.linear_r.W.grad.any()


def test_bad_input() -> None:
    g, layer = gs.graph(([0, 1], [1, 0])), RelGraphConv(4, 6, NUM_RELS)
    x, etypes = torch.rand(2, 4), torch.tensor([0, 2])
    with pytest.raises(InvalidValueError, match=r"RelGraphConv: node features must have shape"):
        layer(g, torch.rand(2, 5), etypes)
    with pytest.raises(InvalidValueError, match="must have 2 dimensions"):
        layer(g, torch.rand(2, 1, 4), etypes)
    with pytest.raises(InvalidTypeError, match="edge types must be an integer tensor"):
        layer(g, x, torch.rand(2))
    with pytest.raises(InvalidValueError, match=r"edge types must have shape \(2,\)"):
        layer(g, x, etypes[:1])
    with pytest.raises(OutOfRangeError, match=r"0 \.\.\. 2, as the layer was built for 3 types"):
        layer(g, x, torch.tensor([0, 3]))
    with pytest.raises(InvalidValueError, match=r"edge_weight must have one row per edge \(2\)"):
        layer(g, x, etypes, torch.rand(3))
    with pytest.raises(InvalidValueError, match="regularizer is one of"):
        RelGraphConv(4, 6, 3, "other", 2)
