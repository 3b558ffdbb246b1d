"""Inference layer by layer gives what the model gives on the whole graph."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import gossamer as gs
from gossamer import InvalidTypeError, InvalidValueError
from gossamer.dataloading import layerwise_inference
from gossamer.nn import GATConv, HeteroGraphConv, SAGEConv


def _graph(nodes: int = 60, edges: int = 400) -> gs.Graph:
    torch.manual_seed(0)
    return gs.graph(torch.randint(0, nodes, (2, edges)).unbind(), num_nodes=nodes)


@pytest.mark.parametrize("batch_size", [1, 7, 60, 1000])
def test_as_on_the_whole_graph(batch_size: int) -> None:
    g, x = _graph(), torch.randn(60, 5)
    convs = nn.ModuleList([SAGEConv(5, 8, "mean"), SAGEConv(8, 8, "pool"), SAGEConv(8, 3, "gcn")])
    layers = [lambda b, h, conv=conv: conv(b, h).relu() for conv in convs]
    expected = x
    for layer in layers:
        expected = layer(g, expected)
    found = layerwise_inference(g, layers, x, batch_size)
    assert not found.requires_grad
    torch.testing.assert_close(found, expected.detach())


def test_heads_workers_and_a_thread() -> None:
    g, x = _graph(), torch.randn(60, 5)
    conv = GATConv(5, 2, num_heads=3, allow_zero_in_degree=True)
    expected = conv(g, x).detach()
    for options in ({"num_workers": 1}, {"use_prefetch_thread": True}):
        torch.testing.assert_close(layerwise_inference(g, [conv], x, 16, **options), expected)


def test_types() -> None:
    torch.manual_seed(0)
    ends = {"a": 20, "b": 30}
    etypes = [("a", "r", "b"), ("b", "s", "a"), ("a", "t", "a")]
    data = {
        (s, r, d): tuple(torch.randint(0, ends[t], (90,)) for t in (s, d)) for s, r, d in etypes
    }
    g = gs.heterograph(data, ends)
    x = {t: torch.randn(n, 4) for t, n in ends.items()}
    layers = [HeteroGraphConv({r: SAGEConv(4, 4, "mean") for _, r, _ in etypes}) for _ in range(2)]
    expected = layers[1](g, layers[0](g, x))
    found = layerwise_inference(g, layers, x, 8)
    assert set(found) == {"a", "b"}
    for ntype in ends:
        torch.testing.assert_close(found[ntype], expected[ntype].detach())


@pytest.mark.parametrize(
    ("layers", "features", "error", "text"),
    [
        ([], torch.ones(60, 1), InvalidValueError, r"got \[\]"),
        ([3], torch.ones(60, 1), InvalidTypeError, "functions of a block"),
        ([len], torch.ones(5, 1), InvalidValueError, "60 nodes of type '_N', but .* 5 rows"),
        ([len], {"_N": [1]}, InvalidTypeError, "must be tensors, got list"),
    ],
)
def test_wrong_input(layers, features, error, text) -> None:
    with pytest.raises(error, match=text):
        layerwise_inference(_graph(), layers, features)


def test_types_need_features_by_type() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0], [0])})
    with pytest.raises(InvalidTypeError, match="needs features by type"):
        layerwise_inference(g, [len], torch.ones(1, 1))
