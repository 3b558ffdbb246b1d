"""Cases of the convolutions after the first six."""

from __future__ import annotations

import torch
from torch import nn

from nn.golden.layers import Case, Extra, flat

PAIR = {"graph": "bipartite", "feat_dst": (5,)}
WEIGHT = {"edge_weight": Extra(positive=True)}


def _edgeconv() -> dict[str, Case]:
    allow = {"allow_zero_in_degree": True}
    return {
        "homogeneous": Case("EdgeConv", (5, 3)),
        "pair": Case("EdgeConv", (5, 3), **PAIR),
        "block": Case("EdgeConv", (5, 3), graph="block"),
        "sparse": Case("EdgeConv", (5, 3), allow, "sparse"),
        "deep": Case("EdgeConv", (5, 3), feat=(4, 5)),
        "batch-norm": Case("EdgeConv", (5, 3), {"batch_norm": True}),
        "batch-norm-evaluation": Case("EdgeConv", (5, 3), {"batch_norm": True}, evaluation=True),
    }


def _hops() -> dict[str, Case]:
    """TAGConv, SGConv, APPNPConv, ChebConv, GCN2Conv."""
    cases = {
        "tag": Case("TAGConv", (5, 3)),
        "tag-sparse": Case("TAGConv", (5, 3, 3), {"activation": "relu"}, "sparse"),
        "tag-weighted": Case("TAGConv", (5, 3), {"bias": False}, extra=WEIGHT),
        "tag-deep": Case("TAGConv", (5, 3), feat=(4, 5)),
        "sg": Case("SGConv", (5, 3, 2)),
        "sg-wide": Case("SGConv", (3, 5, 2), feat=(3,)),
        "sg-weighted": Case("SGConv", (5, 3, 2), {"bias": False}, extra=WEIGHT),
        "sg-norm": Case("SGConv", (5, 3, 2), {"norm": "elu", "cached": True}),
        "sg-sparse": Case("SGConv", (5, 3), {"allow_zero_in_degree": True}, "sparse"),
        "appnp": Case("APPNPConv", (3, 0.2)),
        "appnp-sparse": Case("APPNPConv", (2, 0.1), {}, "sparse"),
        "appnp-weighted": Case("APPNPConv", (3, 0.2), extra=WEIGHT),
        "appnp-deep": Case("APPNPConv", (3, 0.2), feat=(4, 5)),
    }
    for k in (1, 2, 4):
        cases[f"cheb-{k}"] = Case("ChebConv", (5, 3, k), fixed={"lambda_max": [1.7]})
    batch = {"lambda_max": [1.7, 2.0, 1.9, 1.5]}
    cases["cheb-batch"] = Case("ChebConv", (5, 3, 3), {"bias": False}, "batch", fixed=batch)
    plain = {"activation": None}
    cases["cheb-sparse"] = Case("ChebConv", (5, 3, 3), plain, "sparse", fixed={"lambda_max": [2.0]})
    initial = {"feat_0": Extra("node", (5,))}
    for project in (True, False):
        kwargs = {"alpha": 0.3, "lambda_": 0.7, "project_initial_features": project}
        cases[f"gcn2-{project}"] = Case("GCN2Conv", (5, 2), kwargs, extra=initial)
        cases[f"gcn2-{project}-weighted"] = Case(
            "GCN2Conv", (5, 1), kwargs | {"bias": False}, extra=initial | WEIGHT
        )
    cases["gcn2-sparse"] = Case(
        "GCN2Conv",
        (5, 3),
        {"allow_zero_in_degree": True, "activation": "elu"},
        "sparse",
        extra=initial,
    )
    return cases


def _agnnconv() -> dict[str, Case]:
    return {
        "homogeneous": Case("AGNNConv"),
        "pair": Case("AGNNConv", (0.5,), **PAIR),
        "block": Case("AGNNConv", (2.0, False), graph="block"),
        "sparse": Case("AGNNConv", (), {"allow_zero_in_degree": True}, "sparse"),
        "deep": Case("AGNNConv", (1.5,), feat=(4, 5)),
    }


def _gmmconv() -> dict[str, Case]:
    pseudo = {"pseudo": Extra(shape=(2,))}
    cases = {}
    for kind in ("sum", "mean", "max"):
        args = (5, 3, 2, 4, kind)
        cases[kind] = Case("GMMConv", args, extra=pseudo)
        cases[f"{kind}-sparse"] = Case(
            "GMMConv", args, {"allow_zero_in_degree": True}, "sparse", extra=pseudo
        )
    linear = {"residual": True}
    cases["residual-pair"] = Case(
        "GMMConv", ((5, 4), 3, 2, 4), linear, "bipartite", feat_dst=(4,), extra=pseudo
    )
    cases["residual-block"] = Case("GMMConv", (3, 3, 2, 4), linear, "block", (3,), extra=pseudo)
    cases["no-bias"] = Case("GMMConv", (5, 3, 2, 4), {"bias": False}, extra=pseudo)
    return cases


def _nnconv() -> dict[str, Case]:
    efeat = {"efeat": Extra(shape=(2,))}

    def args(kind: str, sizes: tuple = (5, 3)) -> tuple:
        return (*sizes, lambda: nn.Linear(2, 15), kind)

    cases = {}
    for kind in ("sum", "mean", "max"):
        cases[kind] = Case("NNConv", args(kind), extra=efeat)
        cases[f"{kind}-sparse"] = Case("NNConv", args(kind), {}, "sparse", extra=efeat)
    cases["residual-pair"] = Case(
        "NNConv",
        args("mean", ((5, 4), 3)),
        {"residual": True},
        "bipartite",
        feat_dst=(4,),
        extra=efeat,
    )
    cases["residual-block"] = Case(
        "NNConv", (3, 3, lambda: nn.Linear(2, 9)), {"residual": True}, "block", (3,), extra=efeat
    )
    cases["no-bias"] = Case("NNConv", args("sum"), {"bias": False}, extra=efeat)
    return cases


def _with_edge_features() -> dict[str, Case]:
    """CFConv, GatedGCNConv, GINEConv."""
    cases = {}
    for graph in ("homogeneous", "block", "sparse"):
        extra = {"edge_feats": Extra(shape=(2,))}
        cases[f"cf-{graph}"] = Case("CFConv", (5, 2, 4, 3), {}, graph, extra=extra)
        extra = {"edge_feat": Extra(shape=(5,))}
        mlp = (lambda: nn.Linear(5, 3),)
        cases[f"gine-{graph}"] = Case("GINEConv", mlp, {"init_eps": 0.3}, graph, extra=extra)
    cases["gine-pair"] = Case("GINEConv", (None, 0.2, True), **PAIR, extra=extra)
    cases["gine-column"] = Case("GINEConv", extra={"edge_feat": Extra(shape=(1,))})
    narrow, full = {"edge_feat": Extra(shape=(2,))}, {"edge_feat": Extra(shape=(5,))}
    cases["gatedgcn"] = Case("GatedGCNConv", (5, 2, 5), extra=narrow)
    cases["gatedgcn-evaluation"] = Case("GatedGCNConv", (5, 5, 5), extra=full, evaluation=True)
    for graph in ("homogeneous", "sparse"):
        for residual in (True, False):
            kwargs = {"batch_norm": False, "residual": residual, "activation": "elu"}
            cases[f"gatedgcn-{graph}-{residual}"] = Case(
                "GatedGCNConv", (5, 5, 5), kwargs, graph, extra=full
            )
    cases["gatedgcn-narrowing"] = Case("GatedGCNConv", (5, 2, 3), extra=narrow)
    return cases


def _gatedgraphconv() -> dict[str, Case]:
    etypes = {"etypes": Extra(types=3)}
    return {
        "typed": Case("GatedGraphConv", (5, 7, 3, 3), extra=etypes),
        "typed-sparse": Case(
            "GatedGraphConv", (5, 5, 2, 3), {"bias": False}, "sparse", extra=etypes
        ),
        "one-type": Case("GatedGraphConv", (5, 6, 2, 1)),
        "one-type-named": Case("GatedGraphConv", (5, 6, 2, 1), extra={"etypes": Extra(types=1)}),
        "batch": Case(
            "GatedGraphConv", (5, 6, 2, 2), {}, "batch", extra={"etypes": Extra(types=2)}
        ),
    }


def _dense() -> dict[str, Case]:
    cases = {
        f"graph-{norm}": Case("DenseGraphConv", (5, 3, norm), graph="dense")
        for norm in ("both", "right", "none")
    }
    cases["graph-wide"] = Case(
        "DenseGraphConv", (3, 5), {"activation": "elu", "bias": False}, "dense", (3,)
    )
    cases["sage"] = Case("DenseSAGEConv", (5, 3), graph="dense")
    after = {"activation": "relu", "norm": "minus_one", "bias": False}
    cases["sage-after"] = Case("DenseSAGEConv", (5, 3), after, "dense")
    for k in (1, 2, 4):
        cases[f"cheb-{k}"] = Case(
            "DenseChebConv", (5, 3, k), {}, "dense", fixed={"lambda_max": 1.7}
        )
    cases["cheb-no-bias"] = Case(
        "DenseChebConv", (5, 3, 3), {"bias": False}, "dense", fixed={"lambda_max": 2.0}
    )
    return cases


def _attention() -> dict[str, Case]:
    """DotGatConv, EGATConv, EdgeGATConv."""
    efeats, edge_feat = {"efeats": Extra(shape=(2,))}, {"edge_feat": Extra(shape=(2,))}
    pair = {"graph": "bipartite", "feat_dst": (4,)}
    attention = {"get_attention": True}
    cases = {
        "dot": Case("DotGatConv", (5, 3, 2), **attention),
        "dot-fused": Case("DotGatConv", (5, 3, 2)),
        "dot-pair": Case("DotGatConv", ((5, 4), 3, 2), **pair),
        "dot-block": Case("DotGatConv", (5, 3, 2), graph="block", **attention),
        "dot-sparse": Case("DotGatConv", (5, 3, 2), {"allow_zero_in_degree": True}, "sparse"),
        "egat": Case("EGATConv", (5, 2, 3, 4, 2), extra=efeats),
        "egat-attention": Case("EGATConv", (5, 2, 3, 4, 2), extra=efeats, **attention),
        "egat-weighted": Case("EGATConv", (5, 2, 3, 4, 2), extra=efeats | WEIGHT, **attention),
        "egat-pair": Case("EGATConv", ((5, 4), 2, 3, 4, 2), extra=efeats, **pair),
        "edgegat": Case("EdgeGATConv", (5, 2, 3, 2), extra=edge_feat),
        "edgegat-attention": Case(
            "EdgeGATConv", (5, 2, 3, 2), {"residual": False}, extra=edge_feat, **attention
        ),
        "edgegat-square": Case("EdgeGATConv", (6, 2, 3, 2), feat=(6,), extra=edge_feat),
        "edgegat-pair": Case("EdgeGATConv", ((5, 4), 2, 3, 2), extra=edge_feat, **pair),
        "edgegat-block": Case("EdgeGATConv", (5, 2, 3, 2), graph="block", extra=edge_feat),
    }
    options = {"negative_slope": 0.6, "bias": False, "activation": "elu"}
    sparse = options | {"allow_zero_in_degree": True}
    cases["edgegat-sparse"] = Case("EdgeGATConv", (5, 2, 3, 2), sparse, "sparse", extra=edge_feat)
    return cases


def _atomicconv() -> dict[str, Case]:
    distances = {"distances": Extra(shape=(1,), positive=True)}

    def args(*features: float) -> tuple:
        radial = [(12.0, 1.2), (0.0, 2.0), (4.0, 0.3)]
        values = [lambda row=row: torch.tensor(row) for row in radial]
        return (*values, lambda: torch.tensor(features)) if features else tuple(values)

    return {
        "one": Case("AtomicConv", args(), feat=(1,), extra=distances),
        "several": Case("AtomicConv", args(), {}, "sparse", extra=distances),
        "types": Case("AtomicConv", args(6.0, 8.0, 0.0), feat=(1,), extra=distances),
    }


def _towers() -> dict[str, Case]:
    """PNAConv, DGNConv."""
    scalers = ["identity", "amplification", "attenuation"]
    eigen, edges = {"eig_vec": Extra("node", (3,))}, {"edge_feat": Extra(shape=(2,))}
    cases = {}
    for name in ("mean", "max", "min", "sum", "var"):
        cases[f"pna-{name}"] = Case("PNAConv", (5, 3, [name], ["identity"], 1.3))
    # Roots amplify the rounding noise of moments that are 0, so each node has several messages.
    for name in ("std", "moment3", "moment4", "moment5"):
        cases[f"pna-{name}"] = Case("PNAConv", (5, 3, [name], ["identity"], 1.3), graph="thick")
    cases["pna-all"] = Case(
        "PNAConv", (5, 3, ["std", "mean", "moment3", "var"], scalers, 1.3), graph="thick"
    )
    several = ["mean", "max", "var", "min"]
    cases["pna-sparse"] = Case("PNAConv", (5, 5, several, scalers, 1.3), {}, "sparse")
    cases["pna-batch"] = Case("PNAConv", (5, 5, several, scalers, 0.8), {}, "batch")
    towers = {"num_towers": 2, "edge_feat_size": 2}
    wide = {"feat": (6,), "extra": edges}
    cases["pna-towers"] = Case("PNAConv", (6, 6, several, scalers, 1.3), towers, **wide)
    cases["pna-towers-evaluation"] = Case(
        "PNAConv", (6, 4, several, scalers, 1.3), towers, evaluation=True, **wide
    )
    cases["pna-plain"] = Case("PNAConv", (5, 5, several, scalers, 1.3), {"residual": False})
    for name in ("dir1-av", "dir2-dx", "dir3-av"):
        cases[f"dgn-{name}"] = Case("DGNConv", (5, 3, [name], ["identity"], 1.3), extra=eigen)
    mixed = ["dir1-dx", "mean", "dir2-av", "max", "dir3-dx"]
    cases["dgn-mixed"] = Case("DGNConv", (5, 5, mixed, scalers, 1.3), extra=eigen)
    cases["dgn-batch"] = Case("DGNConv", (5, 5, mixed, scalers, 1.3), {}, "batch", extra=eigen)
    both = {"feat": (6,), "extra": edges | eigen}
    cases["dgn-towers"] = Case("DGNConv", (6, 6, mixed, scalers, 1.3), towers, **both)
    cases["dgn-sparse"] = Case("DGNConv", (5, 3, mixed, scalers, 1.3), {}, "sparse", extra=eigen)
    return cases


def _egnnconv() -> dict[str, Case]:
    coordinates = {"coord_feat": Extra("node", (3,))}
    plane = {"coord_feat": Extra("node", (2,)), "edge_feat": Extra(shape=(2,))}
    return {
        "space": Case("EGNNConv", (5, 4, 3), graph="no_loops", extra=coordinates),
        "plane": Case("EGNNConv", (5, 4, 3, 2), graph="no_loops", extra=plane),
        "sparse": Case("EGNNConv", (5, 4, 3), graph="sparse", extra=coordinates),
    }


def _twirls() -> dict[str, Case]:
    def unfolding(graph: str = "homogeneous", lam: float = 0.7, **kwargs: object) -> Case:
        return Case("TWIRLSUnfoldingAndAttention", (5, 0.3, lam, 4), kwargs, graph)

    cases = {
        "unfolding": unfolding(),
        "unfolding-sparse": unfolding("sparse"),
        "unfolding-plain": unfolding(precond=False),
        "unfolding-attention": unfolding("no_loops", attn_aft=2),
        "unfolding-attention-plain": unfolding("no_loops", attn_aft=1, precond=False, p=0.5),
        "unfolding-eta": unfolding("no_loops", attn_aft=1, use_eta=True, init_att=True, tau=0.5),
        "unfolding-cut": unfolding("no_loops", attn_aft=2, T=3.0, tau=0.01),
        "unfolding-default-step": Case("TWIRLSUnfoldingAndAttention", (5, 0, 1.5, 3)),
    }
    for before, after in ((1, 1), (2, 2), (0, 1), (1, 0), (0, 2), (3, 0), (0, 0)):
        for norm in ("none", "batch", "layer"):
            kwargs = {"num_mlp_before": before, "num_mlp_after": after, "norm": norm}
            cases[f"{before}-{after}-{norm}"] = Case("TWIRLSConv", (5, 3, 4, 2), kwargs)
    attention = {"attention": True, "use_eta": True, "attn_bef": True}
    cases["attention"] = Case("TWIRLSConv", (5, 3, 4, 5), attention, "no_loops")
    return cases


GROUPS: dict[str, dict[str, Case]] = {
    "edgeconv": _edgeconv(),
    "hops": _hops(),
    "agnnconv": _agnnconv(),
    "gmmconv": _gmmconv(),
    "nnconv": _nnconv(),
    "edge-features": _with_edge_features(),
    "gatedgraphconv": _gatedgraphconv(),
    "dense": _dense(),
    "attention": _attention(),
    "atomicconv": _atomicconv(),
    "towers": _towers(),
    "egnnconv": _egnnconv(),
    "twirls": _twirls(),
}

CASES = flat(GROUPS)
