"""The convolutions, for the contract suite."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

import gossamer.nn
from nn.layer_case import EDGE_WEIGHT, FEAT, WIDTH, Input, LayerCase, guarded

WEIGHTED = (FEAT, EDGE_WEIGHT)

#: Names of modules to which the contract does not apply: they take no graph.
OUTSIDE = {
    "DGNConvTower",
    "DenseChebConv",
    "DenseGraphConv",
    "DenseSAGEConv",
    "MLP",
    "PNAConvTower",
    "RadialPooling",
    "ShiftedSoftplus",
}


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


def _attention_cases() -> list[LayerCase]:
    gnn, sizes = gossamer.nn, (WIDTH, 2, 3, 2)
    edge_feat = (FEAT, Input("edge_feat", "edge", (2,)))
    egat = (Input("nfeats"), Input("efeats", "edge", (2,)))
    cases = [
        guarded("DotGatConv", gnn.DotGatConv, (WIDTH, 3, 2), (2, 3)),
        guarded("EdgeGATConv", gnn.EdgeGATConv, sizes, (2, 3), edge_feat),
        guarded(
            "EdgeGATConv-plain",
            gnn.EdgeGATConv,
            sizes,
            (2, 3),
            edge_feat,
            residual=False,
            activation=torch.tanh,
        ),
        LayerCase("CuGraphGATConv", partial(gnn.CuGraphGATConv, WIDTH, 3, 2), out=(2, 3)),
    ]
    for pick, per in enumerate(("node", "edge")):
        cases.append(
            LayerCase(
                f"EGATConv-{per}",
                partial(_egat, allowed=True),
                per=per,
                out=(2, 3) if per == "node" else (2, 4),
                inputs=(*egat, EDGE_WEIGHT) if per == "node" else egat,
                pick=pick,
                unreached=() if per == "node" else ("fc_node_src", "attn"),
                strict=partial(_egat, allowed=False),
            )
        )
    return cases


def _egat(*, allowed: bool) -> gossamer.nn.EGATConv:
    layer = gossamer.nn.EGATConv(WIDTH, 2, 3, 4, 2)
    layer.set_allow_zero_in_degree(allowed)
    return layer


def _tower_cases() -> list[LayerCase]:
    """PNAConv and DGNConv, in evaluation mode for their batch normalization."""
    gnn, scalers = gossamer.nn, ["identity", "amplification", "attenuation"]
    square = {"pair": False, "counts_nodes": True}
    feat = Input("node_feat")
    edges, eigen = Input("edge_feat", "edge", (2,)), Input("eig_vec", "node", (3,))
    directed = ["mean", "dir1-av", "dir3-dx", "max"]

    def pna(aggregators: list[str], **kwargs: Any) -> Callable[[], nn.Module]:
        return lambda: gnn.PNAConv(WIDTH, 4, aggregators, scalers, 1.3, **kwargs).eval()

    def dgn(**kwargs: Any) -> Callable[[], nn.Module]:
        return lambda: gnn.DGNConv(WIDTH, WIDTH, directed, scalers, 1.3, **kwargs).eval()

    towers = {"num_towers": 2, "edge_feat_size": 2}
    return [
        LayerCase(
            "PNAConv", pna(["mean", "max", "min", "sum"]), out=(4,), inputs=(feat,), **square
        ),
        LayerCase(
            "PNAConv-edges",
            pna(["mean", "var"], **towers),
            out=(4,),
            inputs=(feat, edges),
            **square,
        ),
        LayerCase("DGNConv", dgn(), out=(WIDTH,), inputs=(feat, eigen), **square),
        LayerCase(
            "DGNConv-edges", dgn(**towers), out=(WIDTH,), inputs=(feat, edges, eigen), **square
        ),
    ]


def _other_cases() -> list[LayerCase]:
    gnn = gossamer.nn
    radial = [torch.tensor(row) for row in ([12.0, 2.0], [0.0, 1.0], [0.5, 0.3])]
    coordinates = (Input("node_feat"), Input("coord_feat", "node", (3,)))
    cases = [
        LayerCase(
            "AtomicConv",
            partial(gnn.AtomicConv, *radial),
            out=(2 * WIDTH,),
            inputs=(FEAT, Input("distances", "edge", (1,), positive=True)),
        ),
        LayerCase(
            "GroupRevRes",
            lambda: gnn.GroupRevRes(gnn.GraphConv(3, 3, allow_zero_in_degree=True)),
            out=(WIDTH,),
            inputs=(Input("x"),),
            pair=False,
            named="GroupRevRes|GraphConv",
            whole=False,  # a custom backward pass that runs the layer again
        ),
        LayerCase(
            "TWIRLSConv",
            lambda: gnn.TWIRLSConv(WIDTH, 3, 4, 4, attention=True, use_eta=True),
            pair=False,
            whole=False,  # how many self-loops to leave out depends on the edges
        ),
        LayerCase(
            "TWIRLSUnfoldingAndAttention",
            partial(gnn.TWIRLSUnfoldingAndAttention, WIDTH, 0.3, 0.7, 2, precond=False),
            out=(WIDTH,),
            inputs=(Input("X"),),
            pair=False,
        ),
    ]
    typed = (Input("feat"), Input("etypes", "edge", (), types=3))
    build = partial(gnn.CuGraphRelGraphConv, WIDTH, 3, 3, "basis", 2, apply_norm=True)
    cases.append(LayerCase("CuGraphRelGraphConv", build, inputs=typed))
    for kind in ("mean", "max"):
        build = partial(gnn.CuGraphSAGEConv, WIDTH, 3, kind)
        cases.append(LayerCase(f"CuGraphSAGEConv-{kind}", build))
    for pick, out in enumerate((3, 3)):
        cases.append(
            LayerCase(
                f"EGNNConv-{('features', 'coordinates')[pick]}",
                partial(gnn.EGNNConv, WIDTH, 4, out),
                inputs=coordinates,
                pick=pick,
                pair=False,
                unreached=("coord_mlp",) if pick == 0 else ("node_mlp",),
            )
        )
    return cases


CASES = [
    *_first_cases(),
    *_hop_cases(),
    *_edge_cases(),
    *_attention_cases(),
    *_tower_cases(),
    *_other_cases(),
]
