"""The node classifier: every model, plain and residual."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

import gossamer
from gossamer.cli.config import MODELS, from_mapping
from gossamer.cli.models import NodeClassifier, num_parameters, predict

N, D, C = 12, 5, 3


def _graph() -> gossamer.Graph:
    nodes = torch.arange(N)
    return gossamer.graph((torch.cat([nodes, nodes]), torch.cat([nodes, (nodes * 5 + 1) % N])))


def _model(**settings: object) -> NodeClassifier:
    torch.manual_seed(0)
    return NodeClassifier(from_mapping({"hidden": 4, "heads": 2, **settings}), D, C)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_shapes_and_a_gradient_for_every_parameter(
    model: str, residual: bool, layers: int, norm: str
) -> None:
    classifier = _model(model=model, residual=residual, layers=layers, norm=norm, out_heads=2)
    feat = torch.randn(N, D, requires_grad=True)
    scores = classifier(_graph(), feat)
    assert scores.shape == (N, C)
    scores.backward(torch.randn(N, C))
    assert feat.grad.any()
    without = [name for name, p in classifier.named_parameters() if p.grad is None]
    assert without == []


@pytest.mark.parametrize("model", MODELS)
def test_scores_are_the_layers_applied_in_turn(model: str) -> None:
    classifier = _model(model=model, out_heads=2, norm="layer", dropout=0.9).eval()
    graph, feat = _graph(), torch.randn(N, D)
    hidden = classifier.convs[0](graph, feat).flatten(1)
    sigma = F.elu if model in ("gat", "gatv2") else F.relu
    hidden = sigma(classifier.norms[0](hidden))
    scores = classifier.convs[1](graph, hidden)
    assert_close(classifier(graph, feat), scores.mean(1) if scores.dim() == 3 else scores)
    assert_close(classifier.embed(graph, feat), hidden)


def test_residual_blocks_add_to_their_input() -> None:
    classifier = _model(model="gcn", layers=3, residual=True).eval()
    for block in classifier.feed_forward:
        torch.nn.init.zeros_(block[3].weight)
        torch.nn.init.zeros_(block[3].bias)
    feat = torch.randn(N, D)
    expected = F.relu(classifier.input(feat))
    assert_close(classifier.embed(_graph(), feat), expected)


def test_attention_heads_are_concatenated_inside_and_averaged_at_the_end() -> None:
    classifier = _model(model="gat", layers=2, heads=3, out_heads=2).eval()
    assert classifier.embed(_graph(), torch.randn(N, D)).shape == (N, 12)
    assert classifier.convs[1](_graph(), torch.randn(N, 12)).shape == (N, 2, C)


def test_predict_turns_dropout_off_and_gives_probabilities() -> None:
    classifier = _model(dropout=0.9).train()
    graph, feat = _graph(), torch.randn(N, D)
    probability, embedding = predict(classifier, graph, feat)
    assert_close(probability.sum(1), torch.ones(N))
    assert torch.equal(probability, predict(classifier, graph, feat)[0])
    assert embedding.shape == (N, 4) and not probability.requires_grad


def test_the_number_of_parameters() -> None:
    assert num_parameters(_model(model="gcn", layers=2)) == (D * 4 + 4) + (4 * C + C)
