"""Relational and heterogeneous layers, pooling and other modules, for the contract suite."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

import gossamer.nn
from nn.layer_case import FEAT, WIDTH, Input, LayerCase

#: Names of modules to which the contract does not apply: they take no graph, or features by type,
#: or each node attends to all of its graph.
OUTSIDE = {
    "APPNP",
    "ComplEx",
    "DistMult",
    "GAT",
    "GATv2",
    "GCN",
    "GCNII",
    "GIN",
    "GPS",
    "GraphSAGE",
    "HAN",
    "HGT",
    "LightGCN",
    "Model",
    "PNA",
    "RGCN",
    "RotatE",
    "DeepWalk",
    "MetaPath2Vec",
    "GNNExplainer",
    "HeteroGNNExplainer",
    "HeteroPGExplainer",
    "HeteroSubgraphX",
    "PGExplainer",
    "SubgraphX",
    "EdgePredictor",
    "JumpingKnowledge",
    "KNNGraph",
    "LabelPropagation",
    "RadiusGraph",
    "SegmentedKNNGraph",
    "Sequential",
    "TransE",
    "TransR",
    "WeightBasis",
    "BiasedMHA",
    "DegreeEncoder",
    "EGTLayer",
    "GraphormerLayer",
    "HeteroEmbedding",
    "HeteroGraphConv",
    "HeteroLinear",
    "LapPosEncoder",
    "PathEncoder",
    "SetTransformerEncoder",
    "SpatialEncoder",
    "SpatialEncoder3d",
    "TypedLinear",
}

ETYPES = Input("etypes", "edge", (), types=3)
NORM = Input("norm", "edge", (1,), positive=True)


def _relational() -> list[LayerCase]:
    build = partial(gossamer.nn.RelGraphConv, WIDTH, 4, 3)
    options = {
        "": {},
        "-basis": {"regularizer": "basis", "num_bases": 2, "layer_norm": True},
        "-blocks": {"regularizer": "bdd", "num_bases": 2, "self_loop": False},
    }
    cases = [
        LayerCase(
            f"RelGraphConv{name}{'-weighted' if more else ''}",
            partial(build, **kwargs),
            out=(4,),
            inputs=(FEAT, ETYPES, *more),
        )
        for name, kwargs in options.items()
        for more in ((), (NORM,))
    ]
    typed = Input("x"), Input("ntype", "node", (), types=3), Input("etype", "edge", (), types=2)
    for name, sizes, norm in (("", (3, 2), False), ("-widening", (4, 2), True)):
        hgt = partial(gossamer.nn.HGTConv, WIDTH, *sizes, 3, 2, dropout=0.0, use_norm=norm)
        out = (sizes[0] * sizes[1],)
        cases.append(LayerCase(f"HGTConv{name}", hgt, out=out, inputs=typed))
    return cases


def _readout(name: str, build: Callable, *args: Any, width: int = WIDTH, **case: Any) -> LayerCase:
    return LayerCase(name, partial(build, *args), per="graph", out=(width,), **case)


def _gated(values: bool) -> nn.Module:
    feat_nn = nn.Sequential(nn.Linear(WIDTH, 3), nn.Tanh()) if values else None
    return gossamer.nn.GlobalAttentionPooling(nn.Linear(WIDTH, 1), feat_nn)


def _readouts() -> list[LayerCase]:
    library = gossamer.nn
    cases = [
        _readout(name, getattr(library, name))
        for name in ("SumPooling", "AvgPooling", "MaxPooling")
    ]
    foreign = {"foreign": ("gate_nn", "feat_nn")}
    cases += [
        _readout("SortPooling", library.SortPooling, 2, width=2 * WIDTH),
        # A constant added to all scores of a softmax changes nothing.
        _readout("GlobalAttentionPooling", _gated, False, unreached=("gate_nn.bias",), **foreign),
        _readout(
            "GlobalAttentionPooling-values",
            _gated,
            True,
            width=3,
            unreached=("gate_nn.bias",),
            **foreign,
        ),
        _readout("WeightAndSum", library.WeightAndSum, WIDTH, inputs=(Input("feats"),)),
        # torch traces no LSTM.
        _readout("Set2Set", library.Set2Set, WIDTH, 2, 1, width=2 * WIDTH, whole=False),
        _readout("Set2Set-layers", library.Set2Set, WIDTH, 2, 2, width=2 * WIDTH, whole=False),
    ]
    sizes = WIDTH, 2, 3, 5
    cases += [
        # Graphs are filled up to the largest one, whose size a tracer does not know.
        _readout(
            "SetTransformerDecoder",
            library.SetTransformerDecoder,
            *sizes,
            1,
            2,
            width=12,
            whole=False,
        ),
    ]
    return cases


CASES = [*_relational(), *_readouts()]
