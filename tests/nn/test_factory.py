"""Modules that build graphs do what the functions do."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn import KNNGraph, RadiusGraph, SegmentedKNNGraph
from helpers.compare import assert_graph_equal


def test_nearest_neighbors() -> None:
    x = torch.rand(2, 5, 3)
    options = {"algorithm": "bruteforce", "dist": "cosine", "exclude_self": True}
    assert_graph_equal(KNNGraph(2)(x, **options), gs.knn_graph(x, 2, **options))
    assert_graph_equal(KNNGraph(2)(x[0]), gs.knn_graph(x[0], 2))


def test_nearest_neighbors_in_segments() -> None:
    x, sizes = torch.rand(7, 3), [3, 4]
    found = SegmentedKNNGraph(2)(x, sizes, exclude_self=True)
    assert_graph_equal(found, gs.segmented_knn_graph(x, 2, sizes, exclude_self=True))


def test_radius() -> None:
    x = torch.rand(6, 3)
    options = {"p": 1, "self_loop": True}
    found, dist = RadiusGraph(0.8, **options)(x, get_distances=True)
    wanted, wanted_dist = gs.radius_graph(x, 0.8, get_distances=True, **options)
    assert_graph_equal(found, wanted)
    torch.testing.assert_close(dist, wanted_dist)
    assert_graph_equal(RadiusGraph(0.8)(x), gs.radius_graph(x, 0.8))


def test_bad_options() -> None:
    with pytest.raises(InvalidValueError, match="KNNGraph: k is at least 1"):
        KNNGraph(0)
    with pytest.raises(InvalidTypeError, match="SegmentedKNNGraph: k is an int"):
        SegmentedKNNGraph(1.5)
    with pytest.raises(InvalidValueError, match="RadiusGraph: r is a number"):
        RadiusGraph(-1.0)
