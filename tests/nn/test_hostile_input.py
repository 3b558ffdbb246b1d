"""Wrong arguments of modules are refused by the name of the module, not by an error of torch."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from gossamer import nn
from gossamer.errors import InvalidTypeError, InvalidValueError

X = torch.ones(3, 4)
MASK = torch.ones(2, 1)


def _ring() -> gs.Graph:
    return gs.graph(([0, 1, 2], [1, 2, 0]))


def _pna(**given: object) -> nn.PNAConv:
    return nn.PNAConv(**{"in_size": 4, "out_size": 4, "aggregators": ["max"]} | given, delta=1.0)


CALLS = {
    "bias of attention": (
        lambda: nn.BiasedMHA(4, 2)(torch.ones(1, 3, 4), True),
        InvalidValueError,
        r"BiasedMHA: .* must have shape \(1, 3, 3, 2\).*got bool",
    ),
    "mask of attention": (
        lambda: nn.GraphormerLayer(4, 4, 2)(torch.ones(1, 3, 4), None, [0]),
        InvalidValueError,
        "must have shape .*got list",
    ),
    "aggregate": (
        lambda: nn.HeteroGraphConv({"_E": nn.GraphConv(4, 2)}, None),
        InvalidTypeError,
        "HeteroGraphConv: aggregate is the name of an aggregator or a function, got None",
    ),
    "no module": (
        lambda: nn.HeteroGraphConv({"_E": 3}),
        InvalidTypeError,
        "each type has a module, but '_E' has 3",
    ),
    "inputs by type": (
        lambda: nn.HeteroGraphConv({"_E": nn.GraphConv(4, 2)})(_ring(), X),
        InvalidTypeError,
        "HeteroGraphConv: inputs is a dict by node or edge type, got Tensor",
    ),
    "an empty pair": (
        lambda: nn.HeteroGraphConv({"_E": nn.GraphConv(4, 2)})(_ring(), ()),
        InvalidTypeError,
        "inputs is a dict by node or edge type, got tuple",
    ),
    "out_size": (
        lambda: nn.HeteroLinear({"u": 2}, None),
        InvalidTypeError,
        "HeteroLinear: out_size is an int, got None",
    ),
    "in_size": (
        lambda: nn.HeteroLinear({"u": [2]}, 2),
        InvalidTypeError,
        r"HeteroLinear: in_size\['u'\] is an int",
    ),
    "num_embeddings": (
        lambda: nn.HeteroEmbedding({"u": -1}, 2),
        InvalidValueError,
        r"HeteroEmbedding: num_embeddings\['u'\] is at least 0, got -1",
    ),
    "in_feats of lstm": (
        lambda: nn.JumpingKnowledge("lstm", "4", 2),
        InvalidTypeError,
        "JumpingKnowledge: in_feats is an int, got '4'",
    ),
    "width of lstm": (
        lambda: nn.JumpingKnowledge("lstm", 5, 2)([X, X]),
        InvalidValueError,
        r"JumpingKnowledge: mode='lstm' takes outputs of shape \(N, 5\), got \[\(3, 4\)",
    ),
    "shapes that differ": (
        lambda: nn.JumpingKnowledge("max")([X, X[:2]]),
        InvalidValueError,
        "takes outputs of the same shape",
    ),
    "rows that differ": (
        lambda: nn.JumpingKnowledge()([X, X[:2]]),
        InvalidValueError,
        "takes outputs of the same number of rows",
    ),
    "one output": (
        lambda: nn.JumpingKnowledge()(X),
        InvalidTypeError,
        r"JumpingKnowledge takes a list of \(N, D\) tensors",
    ),
    "no output": (lambda: nn.JumpingKnowledge()([]), InvalidTypeError, "takes a list"),
    "negative class": (
        lambda: nn.LabelPropagation(1, 0.5)(_ring(), torch.tensor([0, -1, 1])),
        InvalidValueError,
        "LabelPropagation: a class cannot be negative, got -1",
    ),
    "mask of labels": (
        lambda: nn.LabelPropagation(1, 0.5)(_ring(), torch.tensor([0, 0, 1]), "train"),
        InvalidTypeError,
        "must be an int, a sequence of ints",
    ),
    "shape": (
        lambda: nn.WeightBasis(3, 1, 2),
        InvalidTypeError,
        "WeightBasis: shape is a tuple of sizes, got 3",
    ),
    "aggregators": (
        lambda: _pna(aggregators=[], scalers=["identity"]),
        InvalidTypeError,
        "PNAConv: aggregators is a list of at least one name",
    ),
    "scalers": (
        lambda: _pna(scalers="identity"),
        InvalidTypeError,
        "PNAConv: scalers is a list of at least one name, got 'identity'",
    ),
    "num_etypes": (
        lambda: nn.HGTConv(4, 2, 2, 1, None),
        InvalidTypeError,
        "HGTConv: num_etypes is an int",
    ),
    "embedding_dim": (
        lambda: nn.DegreeEncoder(3, None),
        InvalidTypeError,
        "DegreeEncoder: embedding_dim is an int",
    ),
    "one degree": (
        lambda: nn.DegreeEncoder(3, 2)(torch.tensor(1)),
        InvalidValueError,
        r"DegreeEncoder: .* but got \(\)",
    ),
    "complex degrees": (
        lambda: nn.DegreeEncoder(3, 2)(torch.ones(2, 1, 3, dtype=torch.complex64)),
        InvalidTypeError,
        "must be an integer tensor, but got torch.complex64",
    ),
    "prop_step": (
        lambda: nn.TWIRLSConv(4, 2, 2, None),
        InvalidTypeError,
        "TWIRLSConv: prop_step is an int",
    ),
    "dims of GINEConv": (
        lambda: nn.GINEConv()(_ring(), X[:, 0], X),
        InvalidValueError,
        r"GINEConv: .* as many dimensions, but got \(3,\) and \(3, 4\)",
    ),
    "init_func": (
        lambda: nn.NodeEmbedding(3, 2, "hostile", init_func=1),
        InvalidTypeError,
        "NodeEmbedding: init_func is a function or None, got 1",
    ),
    "device of rows": (
        lambda: nn.NodeEmbedding(3, 2, "hostile", device=1.5),
        InvalidValueError,
        "device must be a device",
    ),
    "metapath": (
        lambda: nn.MetaPath2Vec(_ring(), None, 1),
        InvalidTypeError,
        "MetaPath2Vec: metapath is a list of edge types, got None",
    ),
    "m": (
        lambda: nn.SetTransformerEncoder(4, 2, 2, 2, block_type="isab", m="3"),
        InvalidTypeError,
        "SetTransformerEncoder: m is an int, got '3'",
    ),
    "out_feats": (
        lambda: nn.GATConv(4, 0, 2),
        InvalidValueError,
        "GATConv: out_feats is at least 1, got 0",
    ),
}


@pytest.mark.parametrize(("call", "error", "text"), CALLS.values(), ids=CALLS)
def test_it_is_refused_by_name(call, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_degrees_of_short_integers_are_taken() -> None:
    degrees = torch.tensor([[[1, 2, 9]], [[0, 3, 1]]])
    encoder = nn.DegreeEncoder(3, 2)
    assert torch.equal(encoder(degrees.to(torch.uint8)), encoder(degrees))
    spatial = nn.SpatialEncoder(2)
    assert torch.equal(spatial(degrees[0].to(torch.int8)), spatial(degrees[0]))
