"""The stack of convolutions: every one, plain and residual, on graphs and on blocks."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

import gossamer
from gossamer.cli.config import from_mapping
from gossamer.cli.model_list import STACKS
from gossamer.cli.stack import Stack
from gossamer.dataloading import NeighborSampler

N, D, C = 12, 5, 3


def _graph() -> gossamer.Graph:
    nodes = torch.arange(N)
    return gossamer.graph((torch.cat([nodes, nodes]), torch.cat([nodes, (nodes * 5 + 1) % N])))


def _model(**settings: object) -> Stack:
    torch.manual_seed(0)
    return Stack(from_mapping({"hidden": 4, "heads": 2, **settings}), D, C)


@pytest.mark.parametrize("model", STACKS)
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_shapes_and_a_gradient_for_every_parameter(
    model: str, residual: bool, layers: int, norm: str
) -> None:
    stack = _model(model=model, residual=residual, layers=layers, norm=norm, out_heads=2)
    feat = torch.randn(N, D, requires_grad=True)
    scores = stack(_graph(), feat)
    assert scores.shape == (N, C)
    scores.backward(torch.randn(N, C))
    assert feat.grad.any()
    without = [name for name, p in stack.named_parameters() if p.grad is None]
    assert without == []


@pytest.mark.parametrize("model", STACKS)
def test_scores_are_the_layers_applied_in_turn(model: str) -> None:
    stack = _model(model=model, out_heads=2, norm="layer", dropout=0.9).eval()
    graph, feat = _graph(), torch.randn(N, D)
    hidden = stack.convs[0](graph, feat).flatten(1)
    sigma = F.elu if model in ("gat", "gatv2") else F.relu
    hidden = sigma(stack.norms[0](hidden))
    scores = stack.convs[1](graph, hidden)
    assert_close(stack(graph, feat), scores.mean(1) if scores.dim() == 3 else scores)
    assert_close(stack.embed(graph, feat), hidden)


def test_residual_blocks_add_to_their_input() -> None:
    stack = _model(model="gcn", layers=3, residual=True).eval()
    for block in stack.feed_forward:
        torch.nn.init.zeros_(block[3].weight)
        torch.nn.init.zeros_(block[3].bias)
    feat = torch.randn(N, D)
    expected = F.relu(stack.input(feat))
    assert_close(stack.embed(_graph(), feat), expected)


def test_attention_heads_are_concatenated_inside_and_averaged_at_the_end() -> None:
    stack = _model(model="gat", layers=2, heads=3, out_heads=2).eval()
    assert stack.embed(_graph(), torch.randn(N, D)).shape == (N, 12)
    assert stack.convs[1](_graph(), torch.randn(N, 12)).shape == (N, 2, C)


@pytest.mark.parametrize("model", STACKS)
@pytest.mark.parametrize("residual", [False, True])
def test_blocks_of_all_neighbors_give_what_the_graph_gives(model: str, residual: bool) -> None:
    stack = _model(model=model, layers=3, residual=residual, norm="layer").eval()
    graph, feat = _graph(), torch.randn(N, D)
    seeds = torch.tensor([7, 2, 11])
    sources, _, blocks = NeighborSampler([-1, -1, -1]).sample(graph, seeds)
    if model == "gcn":
        # GCN divides by out-degrees too, which in a block are those of the block.
        stack = _model(model="sage", layers=3, residual=residual, norm="layer").eval()
    assert_close(stack(blocks, feat[sources]), stack(graph, feat)[seeds])
