"""Graphs of points, farthest points, matchings, homophily and label informativeness.

Neighbors that are equally far may come in any order, so the points below have none.
"""

from __future__ import annotations

import importlib
from typing import Any

import torch

from golden.harness import Difference, Table


def geometry(gs: Any) -> Any:
    """The module of that name, which DGL does not import by itself."""
    return importlib.import_module(f"{gs.__name__}.geometry")


def points(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Points without two equal distances, the same in every version of torch."""
    count = torch.Size(shape).numel()
    scattered = (torch.arange(1, count + 1, dtype=torch.float64) ** 3 * 0.7548776662466927) % 1
    return (scattered.reshape(shape) * 10).to(dtype)


def ordered(g: Any) -> tuple:
    """Edges by destination, then by source, and the sizes of the graphs of a batch."""
    u, v = g.edges()
    order = (v * g.num_nodes() + u).argsort()
    return u[order], v[order], g.batch_num_nodes(), g.batch_num_edges()


# Only the first of these algorithms gives neighbors by distance whatever they are.
_NEAREST = [
    f"gs.knn_graph({call})" if algorithm.endswith("blas") else f"ordered(gs.knn_graph({call}))"
    for algorithm in ("bruteforce-blas", "bruteforce", "kd-tree")
    for call in (
        f"points(9, 3), 3, algorithm='{algorithm}'",
        f"points(9, 3), 3, '{algorithm}', 'cosine'",
        f"points(9, 3), 3, '{algorithm}', exclude_self=True",
        f"points(9, 3), 8, algorithm='{algorithm}', exclude_self=True",
        f"points(9, 1), 2, algorithm='{algorithm}'",
        f"points(9, 20), 4, algorithm='{algorithm}'",
        f"points(3, 7, 2), 4, algorithm='{algorithm}'",
        f"points(3, 7, 2), 2, '{algorithm}', 'cosine', True",
        f"points(6, 3, dtype=torch.float64), 6, algorithm='{algorithm}'",
        f"points(6, 3), 7, algorithm='{algorithm}'",
        f"points(6, 3), 6, algorithm='{algorithm}', exclude_self=True",
        f"points(6, 3), 0, algorithm='{algorithm}'",
    )
]
_NEAREST += [
    f"ordered(gs.segmented_knn_graph({call}))"
    for algorithm in ("bruteforce-blas", "bruteforce", "kd-tree")
    for call in (
        f"points(12, 3), 2, [3, 4, 5], algorithm='{algorithm}'",
        f"points(12, 3), 3, [3, 4, 5], '{algorithm}', 'cosine'",
        f"points(12, 3), 2, [5, 3, 4], '{algorithm}', exclude_self=True",
        f"points(12, 20), 1, [12], algorithm='{algorithm}'",
        f"points(12, 3), 4, [3, 4, 5], algorithm='{algorithm}'",
        f"points(12, 3), 1, [3, 4], algorithm='{algorithm}'",
    )
]
_NEAREST += [
    "gs.knn_graph(points(9, 3), 3, algorithm='bruteforce-sharemem')",
    "gs.knn_graph(points(9, 3), 3, algorithm='nope')",
    "gs.knn_graph(points(9, 3), 3, dist='nope')",
    "gs.knn_graph(points(9, 3), -1)",
    "gs.knn_graph(points(9, 3), 1.5)",
    "gs.knn_graph(points(9, 3).long(), 1)",
    "gs.knn_graph(points(9), 1)",
    "gs.knn_graph(points(0, 3), 1)",
    "gs.knn_graph(points(2, 0, 3), 1)",
    "gs.knn_graph([[0.0, 1.0]], 1)",
    "gs.segmented_knn_graph(points(9, 3), 1, [0, 9])",
    "gs.segmented_knn_graph(points(9, 3), 1, [])",
    "gs.segmented_knn_graph(points(9, 3), 1, [10, -1])",
    "gs.segmented_knn_graph(points(2, 9, 3), 1, [2, 7])",
]

_RADIUS = [
    f"gs.radius_graph({call})"
    for call in (
        "points(9, 3), 5",
        "points(9, 3), 5.0, self_loop=True",
        "points(9, 3), 6, 1",
        "points(9, 3), 3.5, p=float('inf')",
        "points(9, 3), 20, p=0.5",
        "points(9, 3), 2, p=0",
        "points(9, 3), 5, get_distances=True",
        "points(9, 3), 6, 1, True, 'use_mm_for_euclid_dist', True",
        "points(9, 30), 16.5, compute_mode='use_mm_for_euclid_dist_if_necessary'",
        "points(9, 2, dtype=torch.float64), 5, get_distances=True",
        "points(9, 3), 0.01",
        "points(9, 3), 100",
        "points(1, 3), 1, self_loop=True",
        "torch.zeros(3, 2), 0.5, get_distances=True",
        "points(9, 3), 0",
        "points(9, 3), -1",
        "points(9, 3), 'a'",
        "points(9, 3), float('nan')",
        "points(9, 3), 2, p=-1",
        "points(9, 3), 2, compute_mode='nope'",
        "points(0, 3), 1",
        "points(9), 1",
        "points(2, 9, 3), 1",
        "points(9, 3).long(), 1",
        "points(9, 3).half(), 5",
        "[[0.0, 1.0]], 1",
    )
]

_FARTHEST = [
    f"geometry(gs).farthest_point_sampler({call})"
    for call in (
        "points(2, 8, 3), 3, start_idx=0",
        "points(2, 8, 3), 8, 5",
        "points(1, 8, 1), 4, 2",
        "points(3, 5, 2, dtype=torch.float64), 2, 4",
        "points(2, 8, 3).mT.contiguous().mT, 5, 0",
        "torch.zeros(1, 4, 2), 4, 0",
        "points(2, 8, 3), 1, 7",
        "points(2, 8, 3), 3, 8",
        "points(2, 8, 3), 3, -1",
        "points(2, 8, 3), 9, 0",
        "points(2, 8, 3), 1.5, 0",
        "points(8, 3), 3, 0",
        "points(2, 8, 3).long(), 3, 0",
        "points(2, 0, 3), 3, 0",
        "points(0, 8, 3), 3, 0",
        "[[[0.0]]], 1, 0",
    )
]

# Nodes that have one neighbor at most, but for edges of negative weight: no choice to make.
_MATCHING = [
    "b = gs.graph(([0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]), num_nodes=5, idtype=g.idtype); "
    f"geometry(gs).neighbor_matching(b, torch.tensor([1.0, 1, -5, -5, 0, 0]){rest})"
    for rest in ("", ", relabel_idx=False", ", False", ".double()", ".long()")
]
_MATCHING += [
    "geometry(gs).neighbor_matching(g)",
    "geometry(gs).neighbor_matching(g, relabel_idx=False)",
    "geometry(gs).neighbor_matching(g, -torch.ones(g.num_edges()))",
]
_WRONG_MATCHING = [
    "geometry(gs).neighbor_matching(g)",
    "geometry(gs).neighbor_matching(3)",
    "geometry(gs).neighbor_matching(g, torch.ones(3))",
    "geometry(gs).neighbor_matching(g, torch.ones(g.num_edges(), 1))",
    "geometry(gs).neighbor_matching(g, torch.ones(g.num_edges(), dtype=torch.int64))",
    "geometry(gs).neighbor_matching(g, 'w')",
]

_MEASURES = [
    "node_homophily",
    "edge_homophily",
    "linkx_homophily",
    "adjusted_homophily",
    "edge_label_informativeness",
    "node_label_informativeness",
]
_HOMOPHILY = [
    f"gs.{name}(g, {labels})"
    for name in _MEASURES
    for labels in (
        "torch.arange(g.num_nodes()) % 3",
        "torch.arange(g.num_nodes()) // 2",
        "(torch.arange(g.num_nodes()) % 2).int()",
        "torch.zeros(g.num_nodes(), dtype=torch.int64)",
    )
]
_WRONG_LABELS = [
    f"gs.{name}({arguments})"
    for name in _MEASURES
    for arguments in (
        "g, torch.arange(g.num_nodes() - 1)",
        "g, [0] * g.num_nodes()",
        "3, torch.tensor([0])",
        "g, torch.zeros(g.num_nodes(), 1, dtype=torch.int64)",
    )
]
_INFORMATIVENESS = [
    f"gs.{name}(g, torch.arange(g.num_nodes()) % 3, {eps})"
    for name in _MEASURES[4:]
    for eps in ("0.1", "eps=1e-4")
]
_WRONG_GRAPHS = [
    f"gs.{name}(g, torch.zeros(g.num_nodes(), dtype=torch.int64))" for name in _MEASURES
]

_DIFFERENCES = [
    *(
        Difference(
            f"*knn_graph(points({case}*",
            "error",
            "More neighbors than there are points are an error; DGL gives fewer.",
        )
        for case in ("6, 3), 7", "6, 3), 6, algorithm", "12, 3), 4, [3, 4, 5]")
    ),
    Difference(
        "*'bruteforce-sharemem')*",
        "value",
        "Every algorithm that DGL has on some device may be named on all.",
    ),
    Difference("*dist='nope')*", "error", "A distance that does not exist is an error."),
    Difference(
        "*segmented_knn_graph(points(12, 3), 1, [3, 4]*",
        "error",
        "Sizes that do not add up are an error; DGL reads past the end, or not far enough.",
    ),
    Difference("gs.knn_graph(points(2, 0, 3)*", "error", "An empty set of points is an error."),
    Difference(
        "gs.segmented_knn_graph(points(9, 3), 1, [0, 9])*",
        "error",
        "A set without points is an error; DGL gives a graph without nodes.",
    ),
    Difference(
        "gs.radius_graph(*float('nan'))*", "error", "A radius that is no number is an error."
    ),
    Difference("gs.radius_graph(*.half(), 5)*", "value", "Points may be in half precision."),
    Difference("*neighbor_matching(*.long())*", "value", "Weights may be integers."),
    Difference(
        "geometry(gs).neighbor_matching(g, torch.ones(*dtype=torch.int64))*",
        "value",
        "Weights may be integers.",
    ),
    Difference(
        "gs.*_homophily(*zeros(g.num_nodes(), 1*", "error", "Labels are a vector, one label a node."
    ),
    Difference(
        "gs.edge_homophily(* @ bipartite",
        "error",
        "Homophily is about graphs whose only edge type joins a node type with itself.",
    ),
    Difference(
        "gs.node_label_informativeness(*zeros* @ batched",
        "other",
        "A measure that divides by 0, as with a single class or no nodes, is NaN.",
    ),
    *(
        Difference(
            f"gs.{name}(*zeros* @ *",
            "value",
            "A measure that divides by 0, as with a single class or no nodes, is NaN.",
        )
        for name in _MEASURES[2:]
    ),
    *(
        Difference(
            f"gs.{name}_label_informativeness(*{labels}*",
            "other",
            "In label informativeness, a class that has no edges adds nothing; DGL gives NaN or "
            "infinity.",
        )
        for name, labels in (("edge", "// 2"), ("node", "// 2"))
    ),
]

TABLE = Table(
    "geometry",
    [
        *((call, "simple") for call in [*_NEAREST, *_RADIUS, *_FARTHEST]),
        *((call, "simple awkward32") for call in _MATCHING[:5]),
        *((call, "no_edges no_nodes") for call in _MATCHING[5:]),
        (
            "geometry(gs).neighbor_matching(g, -torch.ones(g.num_edges()))",
            "simple awkward awkward32",
        ),
        ("geometry(gs).neighbor_matching(g)", "hetero bipartite"),
        *((call, "simple") for call in _WRONG_MATCHING[1:]),
        *((call, "homo") for call in _HOMOPHILY),
        *((call, "simple awkward32") for call in _INFORMATIVENESS),
        *((call, "simple") for call in _WRONG_LABELS),
        *((call, "het bipartite no_nodes") for call in _WRONG_GRAPHS),
    ],
    differences=_DIFFERENCES,
    names={"points": points, "geometry": geometry, "ordered": ordered},
)
