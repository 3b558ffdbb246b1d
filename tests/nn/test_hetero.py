"""HeteroGraphConv, HeteroLinear and HeteroEmbedding."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.nn import GATConv, GraphConv, HeteroEmbedding, HeteroGraphConv, HeteroLinear, SAGEConv
from gossamer.nn.hetero import get_aggregate_fn

FOLLOWS = ("user", "follows", "user")
RELATIONS = {
    FOLLOWS: ([0, 1, 2, 0], [1, 2, 0, 2]),
    ("user", "plays", "game"): ([0, 1, 2], [0, 1, 1]),
    ("store", "sells", "game"): ([0, 0], [1, 0]),
    ("user", "visits", "store"): ([], []),
}
SIZES = {"user": 3, "game": 2, "store": 1}
REDUCTIONS = {
    "sum": lambda parts: parts.sum(0),
    "mean": lambda parts: parts.mean(0),
    "max": lambda parts: parts.amax(0),
    "min": lambda parts: parts.amin(0),
    "stack": lambda parts: parts.movedim(0, 1),
}


def make_graph() -> gs.Graph:
    return gs.heterograph(RELATIONS, SIZES)


def make_features(width: int = 4) -> dict[str, torch.Tensor]:
    return {name: torch.randn(size, width).double() for name, size in SIZES.items()}


def make_mods() -> dict:
    names = ("plays", "sells", "visits")
    return {name: SAGEConv(4, 3, "mean") for name in names} | {FOLLOWS: GraphConv(4, 3)}


@pytest.mark.parametrize("aggregate", REDUCTIONS)
def test_each_relation_alone_then_the_reduction(aggregate: str) -> None:
    g, feat, conv = make_graph(), make_features(), HeteroGraphConv(make_mods(), aggregate).double()
    found: dict[str, list] = {}
    for relation in g.canonical_etypes:
        source, etype, destination = relation
        name = str(relation) if relation == FOLLOWS else etype
        module = conv.mods[name]
        found.setdefault(destination, []).append(
            module(g[relation], (feat[source], feat[destination]))
        )
    wanted = {name: REDUCTIONS[aggregate](torch.stack(parts)) for name, parts in found.items()}
    out = conv(g, feat)
    torch.testing.assert_close(out, wanted)
    flows = {name: torch.randn_like(x) for name, x in out.items()}
    parameters = list(conv.parameters())

    def grads(of: dict) -> tuple:
        total = sum((of[name] * flows[name]).sum() for name in of)
        return torch.autograd.grad(total, parameters)

    torch.testing.assert_close(grads(conv(g, feat)), grads(wanted))


def test_a_function_aggregates() -> None:
    g, conv = make_graph(), HeteroGraphConv(make_mods(), lambda parts, name: (name, len(parts)))
    feat = {name: x.float() for name, x in make_features().items()}
    assert conv(g, feat) == {"user": ("user", 1), "game": ("game", 2), "store": ("store", 1)}


def test_a_node_type_without_features_sends_nothing() -> None:
    g, conv = make_graph(), HeteroGraphConv(make_mods(), "stack")
    feat = {name: x.float() for name, x in make_features().items()}
    sources = {name: feat[name] for name in ("user", "game")}
    out = conv(g, sources | {"store": feat["store"]})
    assert out["game"].shape == (2, 2, 3)
    out = conv(g, (sources, feat))
    assert out["game"].shape == (2, 1, 3)
    out = conv(g, (feat, {"user": feat["user"]}))
    assert set(out) == {"user"}


def test_sources_alone_where_the_module_needs_no_destinations() -> None:
    g = make_graph()["user", "plays", "game"]
    conv = HeteroGraphConv({"plays": GraphConv(4, 3)})
    x = torch.rand(3, 4)
    torch.testing.assert_close(conv(g, {"user": x})["game"], conv.mods["plays"](g, x))


def test_blocks_take_destinations_from_the_sources() -> None:
    seeds = {"user": torch.tensor([2]), "game": torch.tensor([1])}
    block = gs.to_block(gs.in_subgraph(make_graph(), seeds), seeds)
    feat = {
        name: x.float()[block.srcnodes[name].data[gs.NID]] for name, x in make_features().items()
    }
    conv = HeteroGraphConv(make_mods())
    destinations = {name: x[: block.num_dst_nodes(name)] for name, x in feat.items()}
    out = conv(block, feat)
    torch.testing.assert_close(out, conv(block, (feat, destinations)))
    assert {name: len(x) for name, x in out.items()} == {"user": 1, "game": 1, "store": 0}


def test_arguments_of_the_modules() -> None:
    g, feat = make_graph(), {name: x.float() for name, x in make_features().items()}
    conv = HeteroGraphConv(make_mods())
    weight = torch.rand(3)
    plain = conv.mods["plays"](g["plays"], (feat["user"], feat["game"]), edge_weight=weight)
    sells = conv.mods["sells"](g["sells"], (feat["store"], feat["game"]))
    for arguments in (
        {"mod_kwargs": {"plays": {"edge_weight": weight}}},
        {"mod_kwargs": {("user", "plays", "game"): {"edge_weight": weight}}},
        {"mod_args": {"plays": (weight,)}},
    ):
        torch.testing.assert_close(conv(g, feat, **arguments)["game"], plain + sells)


def test_modules_are_told_to_allow_nodes_without_in_edges() -> None:
    g = gs.heterograph({("user", "plays", "game"): ([0], [0])}, {"user": 1, "game": 2})
    feat = {"user": torch.rand(1, 4), "game": torch.rand(2, 4)}
    out = HeteroGraphConv({"plays": GATConv(4, 3, 2)})(g, feat)
    assert out["game"].shape == (2, 2, 3)


@pytest.mark.parametrize("aggregate", REDUCTIONS)
def test_pickle_and_deepcopy(aggregate: str) -> None:
    g, feat = make_graph(), {name: x.float() for name, x in make_features().items()}
    conv = HeteroGraphConv(make_mods(), aggregate)
    for other in (pickle.loads(pickle.dumps(conv)), copy.deepcopy(conv)):
        torch.testing.assert_close(other(g, feat), conv(g, feat))


def test_bad_convolutions() -> None:
    g, feat = make_graph(), {name: x.float() for name, x in make_features().items()}
    with pytest.raises(InvalidValueError, match=r"aggregate is one of .* got 'product'"):
        HeteroGraphConv(make_mods(), "product")
    with pytest.raises(InvalidValueError, match="aggregate is one of"):
        get_aggregate_fn("product")
    with pytest.raises(UnknownKeyError, match=r"no module for edge type \('store', 'sells'"):
        HeteroGraphConv({"follows": GraphConv(4, 3)})(g, feat)
    with pytest.raises(InvalidTypeError, match="mods is a dict by node or edge type, got list"):
        HeteroGraphConv([GraphConv(4, 3)])
    with pytest.raises(InvalidValueError, match=r"there is one in type 'a\.b'"):
        HeteroGraphConv({"a.b": GraphConv(4, 3)})
    with pytest.raises(InvalidTypeError, match="HeteroGraphConv"):
        HeteroGraphConv(make_mods())([1], feat)


@pytest.mark.parametrize("bias", [False, True])
def test_linear(bias: bool) -> None:
    layer = HeteroLinear({"user": 2, FOLLOWS: 3}, 4, bias=bias)
    x = {FOLLOWS: torch.rand(5, 3)}
    (key, out), *rest = layer(x).items()
    assert key == FOLLOWS
    assert not rest
    own = layer.linears[str(FOLLOWS)]
    wanted = x[FOLLOWS] @ own.weight.T + (own.bias if bias else 0)
    torch.testing.assert_close(out, wanted)
    with pytest.raises(UnknownKeyError, match="HeteroLinear: no type 'game'; the layer has"):
        layer({"game": torch.rand(1, 2)})
    with pytest.raises(InvalidTypeError, match="in_size is a dict"):
        HeteroLinear(3, 4)


def test_embedding() -> None:
    layer = HeteroEmbedding({"user": 2, FOLLOWS: 3}, 4)
    out = layer({FOLLOWS: torch.tensor([2, 0])})
    torch.testing.assert_close(out, {FOLLOWS: layer.weight[FOLLOWS][[2, 0]]})
    assert {key: tuple(x.shape) for key, x in layer.weight.items()} == {
        "user": (2, 4),
        FOLLOWS: (3, 4),
    }
    assert all(isinstance(x, nn.Parameter) for x in layer.weight.values())
    before = layer.weight["user"].clone()
    layer.reset_parameters()
    assert not torch.equal(layer.weight["user"], before)
    assert layer.weight["user"].abs().max() <= (6 / (2 + 4)) ** 0.5
    with pytest.raises(UnknownKeyError, match="HeteroEmbedding: no type 'game'"):
        layer({"game": torch.tensor([0])})
