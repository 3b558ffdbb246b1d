"""The convolutions, for the contract suite."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn

import gossamer.nn
from nn.layer_case import EDGE_WEIGHT, FEAT, WIDTH, LayerCase, guarded

WEIGHTED = (FEAT, EDGE_WEIGHT)

#: Names of modules to which the contract does not apply.
OUTSIDE: set[str] = set()


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


CASES = _first_cases()
