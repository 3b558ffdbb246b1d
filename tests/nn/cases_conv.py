"""The convolutions, for the contract suite."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn

import gossamer.nn
from nn.layer_case import EDGE_WEIGHT, FEAT, WIDTH, Input, LayerCase, guarded

WEIGHTED = (FEAT, EDGE_WEIGHT)

#: Names of modules to which the contract does not apply: they take no graph.
OUTSIDE = {"DenseChebConv", "DenseGraphConv", "DenseSAGEConv", "ShiftedSoftplus"}


def _mlp(aggregator: str, **kwargs: Any) -> gossamer.nn.GINConv:
    mlp = nn.Sequential(nn.Linear(WIDTH, 4), nn.Tanh(), nn.Linear(4, 3))
    return gossamer.nn.GINConv(mlp, aggregator, **kwargs)


def _first_cases() -> list[LayerCase]:
    graphconv, gat, gatv2 = gossamer.nn.GraphConv, gossamer.nn.GATConv, gossamer.nn.GATv2Conv
    cases = [
        guarded(f"GraphConv-{norm}", graphconv, (WIDTH, 3), (3,), norm=norm)
        for norm in ("both", "left", "right", "none")
    ]
    cases += [
        guarded("GraphConv-weighted", graphconv, (WIDTH, 3), (3,), WEIGHTED),
        guarded("GraphConv-widening", graphconv, (WIDTH, 8), (8,), activation=torch.tanh),
        guarded("GATConv", gat, (WIDTH, 3, 2), (2, 3)),
        guarded("GATConv-residual", gat, (WIDTH, 3, 2), (2, 3), residual=True, bias=False),
        guarded("GATConv-linear-residual", gat, (WIDTH, 4, 2), (2, 4), residual=True),
        guarded("GATConv-weighted", gat, (WIDTH, 3, 2), (2, 3), WEIGHTED),
        guarded("GATv2Conv", gatv2, (WIDTH, 3, 2), (2, 3)),
        guarded("GATv2Conv-shared", gatv2, (WIDTH, 3, 2), (2, 3), share_weights=True),
        guarded("GATv2Conv-residual", gatv2, (WIDTH, 4, 2), (2, 4), residual=True),
    ]
    for kind in ("mean", "gcn", "pool", "lstm"):
        build = partial(gossamer.nn.SAGEConv, WIDTH, 3, kind)
        # A user-defined reducer runs once per degree, and the tracer does not know the degrees.
        reading = {"ordered": kind == "lstm", "whole": kind != "lstm"}
        cases.append(LayerCase(f"SAGEConv-{kind}", build, **reading))
        cases.append(LayerCase(f"SAGEConv-{kind}-weighted", build, inputs=WEIGHTED, **reading))
    for kind in ("sum", "max", "mean"):
        cases.append(LayerCase(f"GINConv-{kind}", partial(_mlp, kind)))
    cases.append(
        LayerCase("GINConv-learned", partial(_mlp, "sum", learn_eps=True), inputs=WEIGHTED)
    )
    weights = {"per": "edge", "out": (), "inputs": (EDGE_WEIGHT,)}
    both = partial(gossamer.nn.EdgeWeightNorm, "both")
    right = partial(gossamer.nn.EdgeWeightNorm, "right")
    # "both" looks at the weights: each must be positive.
    cases.append(LayerCase("EdgeWeightNorm-both", both, **weights, whole=False))
    cases.append(LayerCase("EdgeWeightNorm-right", right, **weights))
    return cases


def _hop_cases() -> list[LayerCase]:
    """Layers that send messages several times, or over the same nodes at both ends."""
    gnn, square = gossamer.nn, {"pair": False}
    sizes, own = (WIDTH, 3), (FEAT, Input("feat_0"))
    return [
        LayerCase("TAGConv", partial(gnn.TAGConv, *sizes), **square),
        LayerCase("TAGConv-weighted", partial(gnn.TAGConv, *sizes, 3), inputs=WEIGHTED, **square),
        guarded("SGConv", gnn.SGConv, (*sizes, 2), (3,), case=square),
        guarded("SGConv-widening", gnn.SGConv, (WIDTH, 8, 2), (8,), WEIGHTED, square),
        guarded("SGConv-norm", gnn.SGConv, sizes, (3,), case=square, norm=torch.tanh),
        LayerCase("APPNPConv", partial(gnn.APPNPConv, 3, 0.2), out=(WIDTH,), **square),
        LayerCase(
            "APPNPConv-weighted",
            partial(gnn.APPNPConv, 3, 0.2),
            out=(WIDTH,),
            inputs=WEIGHTED,
            **square,
        ),
        LayerCase("ChebConv", partial(gnn.ChebConv, *sizes, 3, torch.tanh), **square),
        guarded("GCN2Conv", gnn.GCN2Conv, (WIDTH, 2), (WIDTH,), own, square),
        guarded(
            "GCN2Conv-two",
            gnn.GCN2Conv,
            (WIDTH, 1),
            (WIDTH,),
            (*own, EDGE_WEIGHT),
            square,
            project_initial_features=False,
            activation=torch.tanh,
        ),
        LayerCase(
            "GatedGraphConv",
            partial(gnn.GatedGraphConv, WIDTH, 7, 2, 3),
            out=(7,),
            inputs=(FEAT, Input("etypes", "edge", (), types=3)),
            **square,
        ),
        LayerCase(
            "GatedGraphConv-one", partial(gnn.GatedGraphConv, WIDTH, 7, 2, 1), out=(7,), **square
        ),
    ]


def _edge_cases() -> list[LayerCase]:
    """Layers that take edge features, or compare the ends of an edge."""
    gnn, sizes = gossamer.nn, (WIDTH, 3)
    pseudo = (FEAT, Input("pseudo", "edge", (2,)))
    efeat = (FEAT, Input("efeat", "edge", (2,)))
    edge_feats = (Input("node_feats"), Input("edge_feats", "edge", (2,)))
    cases = [
        guarded("EdgeConv", gnn.EdgeConv, sizes, (3,)),
        LayerCase(
            "EdgeConv-batch-norm",
            lambda: gnn.EdgeConv(*sizes, batch_norm=True, allow_zero_in_degree=True).eval(),
        ),
        guarded("AGNNConv", gnn.AGNNConv, (), (WIDTH,)),
        guarded("AGNNConv-fixed", gnn.AGNNConv, (2.0, False), (WIDTH,)),
        LayerCase("CFConv", partial(gnn.CFConv, WIDTH, 2, 4, 3), inputs=edge_feats),
        LayerCase(
            "GINEConv",
            lambda: gnn.GINEConv(nn.Linear(*sizes), learn_eps=True),
            inputs=(Input("node_feat"), Input("edge_feat", "edge")),
        ),
    ]
    for kind in ("sum", "mean", "max"):
        args = (*sizes, 2, 4, kind)
        residual = kind == "mean"
        case = guarded(f"GMMConv-{kind}", gnn.GMMConv, args, (3,), pseudo, residual=residual)
        cases.append(case)
        cases.append(
            LayerCase(
                f"NNConv-{kind}",
                partial(_nnconv, kind, residual=residual),
                inputs=efeat,
                foreign=("edge_func",),
            )
        )
    gated = {"inputs": (FEAT, Input("edge_feat", "edge", (2,))), "pair": False}
    for pick, per in enumerate(("node", "edge")):
        unreached = ("A", "B", "bn_node") if per == "edge" else ("bn_edge",)
        cases.append(
            LayerCase(
                f"GatedGCNConv-{per}",
                lambda: gnn.GatedGCNConv(WIDTH, 2, 3, activation=torch.tanh).eval(),
                per=per,
                pick=pick,
                unreached=unreached,
                **gated,
            )
        )
    return cases


def _nnconv(kind: str, **kwargs: Any) -> gossamer.nn.NNConv:
    return gossamer.nn.NNConv(WIDTH, 3, nn.Linear(2, 3 * WIDTH), kind, **kwargs)


CASES = [*_first_cases(), *_hop_cases(), *_edge_cases()]
