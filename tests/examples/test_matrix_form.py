"""The examples in matrix form compute what the message-passing layers compute."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import gossamer as gs
from gossamer import function as fn
from helpers.paths import REPOSITORY

SIZE, CLASSES = 12, 4


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Import an example and build its model on a small directed graph without self-loops."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "examples"))

    def load(name: str, model: str) -> tuple[nn.Module, gs.Graph, Tensor]:
        torch.manual_seed(0)
        u, v = torch.randint(0, 20, (2, 90))
        g = gs.to_simple(gs.remove_self_loop(gs.graph((u, v), num_nodes=20)))
        x = torch.rand(20, SIZE)
        A = gs.sparse.from_graph(g).T.coalesce()
        built = getattr(importlib.import_module(name), model)(A, x, CLASSES).eval()
        return built, gs.add_self_loop(g), x

    return load


def hop(g: gs.Graph, x: Tensor) -> Tensor:
    """The normalization by the degrees of the in-edges, as the examples have it."""
    root = g.in_degrees().float().rsqrt().unsqueeze(1)
    with g.local_scope():
        g.ndata["h"] = x * root
        g.update_all(fn.copy_u("h", "m"), fn.sum("m", "h"))
        return g.ndata["h"] * root


def test_gcn(load: Callable) -> None:
    model, g, x = load("sparse_gcn", "GCN")
    expected = hop(g, model.second(hop(g, model.first(x)).relu()))
    torch.testing.assert_close(model(x), expected)


def test_gat(load: Callable) -> None:
    model, g, x = load("sparse_gat", "GAT")
    h = x
    for layer, heads in ((model.first, 8), (model.second, 1)):
        out_size = layer.shape[0]
        conv = gs.nn.GATConv(h.shape[1], out_size, heads)
        with torch.no_grad():
            # The examples have the heads last, the layer has them first.
            weight = layer.linear.weight.unflatten(0, layer.shape).transpose(0, 1)
            conv.fc.weight.copy_(weight.flatten(0, 1))
            conv.attn_l.copy_(layer.left.t().unsqueeze(0))
            conv.attn_r.copy_(layer.right.t().unsqueeze(0))
        h = conv(g, h).transpose(1, 2)
        h = nn.functional.elu(h).flatten(1) if heads == 8 else h.mean(2)
    torch.testing.assert_close(model(x), h)


def test_appnp(load: Callable) -> None:
    model, g, x = load("sparse_appnp", "APPNP")
    z = h = model.network(x)
    for _ in range(10):
        z = 0.9 * hop(g, z) + 0.1 * h
    torch.testing.assert_close(model(x), z)


def test_sign(load: Callable) -> None:
    model, g, x = load("sparse_sign", "SIGN")
    hops = [x]
    for _ in range(3):
        hops.append(hop(g, hops[-1]))
    h = torch.cat([linear(each) for linear, each in zip(model.maps, hops, strict=True)], 1)
    torch.testing.assert_close(model(x), model.last(h.relu()))


def test_transformer(load: Callable) -> None:
    model, g, x = load("sparse_transformer", "Transformer")
    h = model.first(x)
    for block in model.blocks:
        layer, z = block.attention, block.norms[0](h)
        size, _ = layer.shape
        q, k, v = (
            linear(z).unflatten(1, layer.shape).transpose(1, 2)
            for linear in (layer.query, layer.key, layer.value)
        )
        found = gs.ops.graph_attention(g, v, k, q / size**0.5, "dot")
        h = h + layer.out(found.transpose(1, 2).flatten(1))
        h = h + block.network(block.norms[1](h))
    torch.testing.assert_close(model(x), model.last(h))


def test_hypergraph(load: Callable) -> None:
    model, g, x = load("sparse_hypergraph", "HGNN")
    # Row i of the incidence matrix has the hyperedges of node i: itself and its in-neighbors.
    edge, node = g.edges()
    both = gs.heterograph(
        {("node", "in", "edge"): (node, edge), ("edge", "of", "node"): (edge, node)}
    )
    root = both.in_degrees(etype="of").float().rsqrt().unsqueeze(1)

    def spread(h: Tensor) -> Tensor:
        with both.local_scope():
            both.nodes["node"].data["h"] = h * root
            both.update_all(fn.copy_u("h", "m"), fn.mean("m", "h"), etype="in")
            both.update_all(fn.copy_u("h", "m"), fn.sum("m", "h"), etype="of")
            return both.nodes["node"].data["h"] * root

    torch.testing.assert_close(model(x), spread(model.second(spread(model.first(x)).relu())))
