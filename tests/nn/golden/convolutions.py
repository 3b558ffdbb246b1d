"""Cases of the convolutions after the first six."""

from __future__ import annotations

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


GROUPS: dict[str, dict[str, Case]] = {
    "edgeconv": _edgeconv(),
    "hops": _hops(),
    "agnnconv": _agnnconv(),
    "gmmconv": _gmmconv(),
    "nnconv": _nnconv(),
    "edge-features": _with_edge_features(),
    "gatedgraphconv": _gatedgraphconv(),
    "dense": _dense(),
}

CASES = flat(GROUPS)
