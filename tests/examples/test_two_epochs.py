"""Two epochs of each example on real data: it runs, and prints its figure.

A new example adds a line to RUNS: its name, the folder of its data, and what makes it quick.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

RECOMMENDERS = ("lightgcn", "pinsage", "matrix", "popular")
WALKERS = ("deepwalk", "node2vec")
WALKS = ["--size", "8", "--length", "5", "--window", "2", "--batch", "2048"]

RUNS = [
    ("gcn_planetoid", "planetoid", []),
    ("gat_planetoid", "planetoid", ["--dataset", "citeseer"]),
    ("citation", "planetoid", ["--model", "sgc"]),
    ("citation", "planetoid", ["--model", "appnp", "--dataset", "citeseer"]),
    ("citation", "planetoid", ["--model", "gcnii"]),
    ("dgi", "planetoid", []),
    *(
        ("heterophilous", "heterophilous-graphs", ["--dataset", "cornell", "--model", model])
        for model in ("resnet", "sgc", "gcn", "sage", "gat", "gat-sep", "gt", "gt-sep")
    ),
    ("heterophilous", "heterophilous-graphs", ["--layers", "1"]),
    *(
        ("graph_classification", "graph-classification", ["--steps", "2", *argv])
        for argv in (
            ["--select", "epoch"],
            ["--model", "dgcnn", "--dataset", "PTC"],
            ["--model", "diffpool"],
        )
    ),
    ("graph_classification", "ENZYMES", ["--dataset", "ENZYMES", "--steps", "2"]),
    ("entity_classification", "AIFB", []),
    *(("molecules", "moleculenet", ["--model", m]) for m in ("gcn", "attentivefp", "mpnn")),
    *(("heterogeneous_nodes", "DBLP", ["--model", model]) for model in ("hgt", "rgcn")),
    ("vgae", "planetoid", []),
    ("vgae", "planetoid", ["--model", "gae"]),
    ("seal", "seal-link-prediction", ["--hops", "2", "--pairs", "200"]),
    ("minibatch", "planetoid", ["--sampler", "neighbor"]),
    ("minibatch", "planetoid", ["--sampler", "labor"]),
    ("minibatch", "planetoid", ["--sampler", "cluster"]),
    ("minibatch", "heterophilous-graphs", ["--dataset", "texas", "--sampler", "saint"]),
    ("minibatch", "planetoid", ["--dataset", "synthetic", "--nodes", "1000"]),
    ("compgcn", "kg-small", ["--dataset", "nations", "--batch", "64"]),
    ("gcmc", "ml-100k", []),
    *(("recommendation", "ml-100k", ["--model", model]) for model in RECOMMENDERS),
    *(("node_embeddings", "blogcatalog", ["--model", model, *WALKS]) for model in WALKERS),
    ("tgn", "CollegeMsg", ["--batch", "1000", "--events", "5000"]),
    ("forecast", "spatiotemporal", ["--dataset", "pedalme_london"]),
    ("signed_links", "bitcoin", []),
    ("graphbolt_nodes", "planetoid", ["--sampler", "labor", "--storage", "int8"]),
    ("graphbolt_links", "seal-link-prediction", ["--negatives", "source"]),
    ("link_prediction", "seal-link-prediction", ["--sampler", "labor"]),
    ("link_prediction", "planetoid", ["--dataset", "cora", "--negatives", "source"]),
    ("link_prediction", "ml-100k", ["--dataset", "ml-100k", "--batch-size", "8192"]),
]


@pytest.mark.parametrize(
    ("name", "folder", "argv"), RUNS, ids=[" ".join([name, *argv]) for name, _, argv in RUNS]
)
def test_two_epochs(
    figures: Callable, linked: Callable, name: str, folder: str, argv: list[str]
) -> None:
    where = linked(folder)
    _, figure = figures(name, "--raw-dir", where, "--epochs", "2", "--seeds", "1", *argv)
    assert math.isfinite(figure)
