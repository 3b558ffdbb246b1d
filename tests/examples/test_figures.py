"""Shortened reproductions: each comes close to the published figure.

A new example adds a line to RUNS: its name, the folder of its data, the options that shorten it,
and the range of its figure. docs/results.md has the figures of whole runs.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

RUNS = [
    ("gcn_planetoid", "planetoid", ["--seeds", "2"], (80.0, 83.0)),
    ("gat_planetoid", "planetoid", ["--seeds", "1"], (81.0, 85.0)),
    ("citation", "planetoid", ["--model", "sgc", "--seeds", "1"], (80.0, 82.0)),
    ("citation", "planetoid", ["--model", "appnp", "--seeds", "2"], (82.0, 85.0)),
    ("dgi", "planetoid", ["--seeds", "2"], (81.0, 84.0)),
    ("heterophilous", "heterophilous-graphs", ["--model", "gat-sep", "--seeds", "1"], (92.5, 95.5)),
    (
        "graph_classification",
        "graph-classification",
        ["--select", "epoch", "--epochs", "15", "--seeds", "3"],
        (80.0, 100.0),
    ),
    ("entity_classification", "AIFB", ["--seeds", "3"], (94.0, 98.0)),
    ("molecules", "moleculenet", ["--seeds", "1", "--epochs", "60"], (0.7, 0.95)),
    (
        "heterogeneous_nodes",
        "DBLP",
        ["--model", "rgcn", "--seeds", "1", "--epochs", "20"],
        (93, 97),
    ),
    ("vgae", "planetoid", ["--seeds", "2"], (90.0, 94.5)),
    ("seal", "seal-link-prediction", ["--seeds", "1", "--epochs", "20"], (96.0, 100.0)),
    ("minibatch", "planetoid", ["--sampler", "cluster", "--seeds", "2"], (79.0, 83.0)),
    ("compgcn", "kg-small", ["--dataset", "umls", "--epochs", "30", "--batch", "128"], (0.75, 1.0)),
    ("gcmc", "ml-100k", ["--seeds", "1", "--epochs", "400"], (0.905, 0.935)),
    ("recommendation", "ml-100k", ["--seeds", "1", "--epochs", "15"], (0.43, 0.5)),
    (
        "recommendation",
        "ml-100k",
        ["--model", "pinsage", "--seeds", "1", "--epochs", "15"],
        (0.43, 0.5),
    ),
    ("node_embeddings", "blogcatalog", ["--epochs", "4"], (20.0, 45.0)),
    ("tgn", "CollegeMsg", ["--seeds", "1", "--epochs", "2"], (88.0, 97.0)),
    ("forecast", "spatiotemporal", ["--seeds", "1", "--epochs", "1"], (0.9, 1.05)),
    ("signed_links", "bitcoin", ["--seeds", "1", "--epochs", "100"], (93.5, 97.0)),
    ("graphbolt_nodes", "planetoid", ["--seeds", "2"], (77.0, 83.0)),
    ("graphbolt_links", "seal-link-prediction", ["--seeds", "3"], (86.0, 93.0)),
    ("link_prediction", "seal-link-prediction", ["--seeds", "3"], (86.0, 94.0)),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "folder", "argv", "bounds"), RUNS, ids=[" ".join([run[0], *run[2]]) for run in RUNS]
)
def test_figure(
    figures: Callable,
    linked: Callable,
    name: str,
    folder: str,
    argv: list[str],
    bounds: tuple[float, float],
) -> None:
    _, figure = figures(name, "--raw-dir", linked(folder), *argv)
    lowest, highest = bounds
    assert lowest <= figure <= highest
