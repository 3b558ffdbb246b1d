"""Splits of datasets and nodes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer.data.utils import (
    Subset,
    add_nodepred_split,
    generate_mask_tensor,
    idx2mask,
    mask_nodes_by_property,
    split_dataset,
)
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError


# What DGL 2.1.0 returned.
@pytest.mark.parametrize(
    ("length", "ratios", "shuffle", "expected"),
    [
        (10, None, False, [[0, 1, 2, 3, 4, 5, 6, 7], [8], [9]]),
        (10, [0.5, 0.3, 0.2], False, [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9]]),
        (7, [0.6, 0.2, 0.2], False, [[0, 1, 2, 3], [4], [5, 6]]),
        (10, [0.8, 0.1, 0.1], True, [[2, 8, 4, 9, 1, 6, 7, 3], [0], [5]]),
        (10, [0.5, 0.3, 0.2], True, [[2, 8, 4, 9, 1], [6, 7, 3], [0, 5]]),
    ],
)
def test_split_dataset(
    length: int, ratios: list[float] | None, shuffle: bool, expected: list[list[int]]
) -> None:
    parts = split_dataset(list(range(length)), ratios, shuffle=shuffle, random_state=0)
    assert [list(part) for part in parts] == expected
    assert [list(part.indices) for part in parts] == expected


@pytest.mark.parametrize("ratios", [[0.5, 0.5], [0.5, 0.6, 0.2], [1.2, -0.1, -0.1]])
def test_bad_ratios(ratios: list[float]) -> None:
    with pytest.raises(InvalidValueError, match="split_dataset: expected 3 fractions that add up"):
        split_dataset([1, 2, 3], ratios)


def test_rounding_takes_nothing_away() -> None:
    for length in (10, 100, 1000):
        sizes = [len(part) for part in split_dataset(range(length), [0.7, 0.2, 0.1])]
        assert sizes == [length * 7 // 10, length // 5, length // 10]


def test_subset() -> None:
    subset = Subset("abcdef", torch.tensor([5, 0]))
    assert (len(subset), subset[0], subset[1], subset[-1]) == (2, "f", "a", "a")
    with pytest.raises(IndexError, match="out of bounds"):
        subset[2]


def test_masks() -> None:
    mask = idx2mask([1, 2], 5)
    assert (mask.dtype, mask.tolist()) == (np.float64, [0, 1, 1, 0, 0])
    tensor = generate_mask_tensor(mask)
    assert (tensor.dtype, tensor.tolist()) == (torch.bool, [False, True, True, False, False])
    with pytest.raises(OutOfRangeError, match="idx2mask: index 5 is out of bounds"):
        idx2mask([5], 5)
    with pytest.raises(InvalidTypeError, match="expected a NumPy array, got list"):
        generate_mask_tensor([1, 0])


def test_add_nodepred_split() -> None:
    graphs = [gs.graph(([0], [1]), num_nodes=10), gs.graph(([], []), num_nodes=21)]
    np.random.seed(0)  # noqa: NPY002
    add_nodepred_split(graphs, [0.5, 0.3, 0.2])
    for g in graphs:
        masks = [g.ndata[f"{part}_mask"] for part in ("train", "val", "test")]
        assert torch.stack(masks).sum(0).eq(1).all()
    # What DGL 2.1.0 returned for the first.
    assert graphs[0].ndata["train_mask"].nonzero().flatten().tolist() == [1, 2, 4, 8, 9]
    assert graphs[0].ndata["val_mask"].nonzero().flatten().tolist() == [3, 6, 7]
    assert [int(g.ndata["val_mask"].sum()) for g in graphs] == [3, 6]


def test_add_nodepred_split_of_one_type() -> None:
    g = gs.heterograph({("user", "likes", "item"): ([0, 1], [0, 2])})
    add_nodepred_split([g], [0.5, 0.0, 0.5], ntype="user")
    assert int(g.nodes["user"].data["train_mask"].sum()) == 1
    assert "train_mask" not in g.nodes["item"].data


def test_mask_nodes_by_property() -> None:
    values = np.array([5, 1, 2, 8, 7, 3, 4, 6, 0, 9.0])
    masks = mask_nodes_by_property(values, [0.3, 0.1, 0.1, 0.3, 0.2], random_seed=1)
    assert torch.stack(list(masks.values())).sum(0).eq(1).all()
    assert [int(mask.sum()) for mask in masks.values()] == [3, 1, 1, 3, 2]
    assert sorted(values[masks["out_valid_mask"]]) == [5, 6, 7]
    assert sorted(values[masks["out_test_mask"]]) == [8, 9]
    again = mask_nodes_by_property(values, [0.3, 0.1, 0.1, 0.3, 0.2], random_seed=1)
    assert all(torch.equal(masks[name], again[name]) for name in masks)
    with pytest.raises(InvalidValueError, match="expected 5 fractions"):
        mask_nodes_by_property(values, [0.5, 0.5])


def test_equal_properties_are_ordered_at_random() -> None:
    masks = [
        mask_nodes_by_property(np.zeros(100), [0.2] * 5, random_seed=seed)["out_test_mask"]
        for seed in (0, 1)
    ]
    assert not torch.equal(*masks)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: split_dataset(None), InvalidTypeError, "dataset has a length .*, got None"),
        (lambda: split_dataset([1], True), InvalidTypeError, "fractions are a list of numbers"),
        (lambda: split_dataset([1], "abc"), InvalidTypeError, "fractions are a list of numbers"),
        (
            lambda: split_dataset([1], [0.8, "a", 0.1]),
            InvalidTypeError,
            "split_dataset: a fraction is a number, got 'a'",
        ),
        (
            lambda: split_dataset([1], shuffle=True, random_state=-1),
            InvalidValueError,
            "split_dataset: random_state is at least 0, got -1",
        ),
        (
            lambda: split_dataset([1], shuffle=True, random_state="x"),
            InvalidTypeError,
            "random_state is an int, got 'x'",
        ),
        (
            lambda: split_dataset([1], shuffle=True, random_state=2**32),
            InvalidValueError,
            r"random_state is below 2\*\*32",
        ),
        (lambda: Subset([1], None), InvalidTypeError, "Subset: indices has a length"),
        (
            lambda: mask_nodes_by_property(None, [0.2] * 5),
            InvalidTypeError,
            "mask_nodes_by_property: property_values has a length",
        ),
        (
            lambda: gs.data.AsLinkPredDataset(gs.data.KarateClub(), [0.8, 0.1, 0.1], neg_ratio=0.5),
            InvalidTypeError,
            "AsLinkPredDataset: neg_ratio is an int, got 0.5",
        ),
    ],
)
def test_arguments_of_the_wrong_kind(call, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
