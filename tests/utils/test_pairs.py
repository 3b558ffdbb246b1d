"""Features for both sides of a graph."""

from __future__ import annotations

import torch

import gossamer as gs
from gossamer.utils import expand_as_pair
from helpers.compare import assert_tensor_equal


def test_a_pair_stays_a_pair() -> None:
    pair = torch.ones(3), torch.zeros(2)
    assert expand_as_pair(pair) is pair
    assert expand_as_pair(pair, gs.create_block(([0, 2], [0, 1]))) is pair


def test_one_tensor_serves_both_sides() -> None:
    x = torch.ones(3)
    for g in (None, gs.graph(([0, 1], [1, 2])), gs.heterograph({("a", "r", "b"): ([0], [0])})):
        src, dst = expand_as_pair(x, g)
        assert src is x and dst is x


def test_destinations_of_a_block_are_its_first_sources() -> None:
    x = torch.arange(6.0).reshape(3, 2)
    src, dst = expand_as_pair(x, gs.create_block(([0, 2], [0, 1])))

    assert src is x
    assert_tensor_equal(dst, x[:2])


def test_features_by_type_are_cut_by_type() -> None:
    block = gs.create_block({("a", "r", "b"): ([0, 2], [0, 0]), ("b", "s", "a"): ([1], [1])})
    features = {"a": torch.arange(3.0), "b": torch.arange(2.0)}
    src, dst = expand_as_pair(features, block)

    assert src is features
    assert_tensor_equal(dst["a"], torch.tensor([0.0, 1.0]))
    assert_tensor_equal(dst["b"], torch.tensor([0.0]))
