"""Digits as a nearest-neighbour graph, compared with scikit-learn's own neighbours."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import pairwise_distances

from gossamer.data import DigitsDataset
from gossamer.errors import InvalidTypeError, InvalidValueError, MissingExtraError


@pytest.mark.parametrize("k", [1, 8])
def test_edges_join_nearest_neighbours(k: int) -> None:
    g = DigitsDataset(k=k)[0]
    distance = pairwise_distances(load_digits().data, metric="sqeuclidean")
    np.fill_diagonal(distance, np.inf)
    nearest = distance.argsort(axis=1, kind="stable")[:, :k]
    expected = {(u, int(v)) for u, row in enumerate(nearest) for v in row}
    expected |= {(v, u) for u, v in expected}
    u, v = g.edges()
    assert list(zip(u.tolist(), v.tolist(), strict=True)) == sorted(expected)


def test_contents() -> None:
    dataset = DigitsDataset()
    g, digits = dataset[0], load_digits()
    assert (g.num_nodes(), g.num_edges(), dataset.num_classes) == (1797, 19858, 10)
    assert (g.ndata["feat"].dtype, g.ndata["label"].dtype) == (torch.float32, torch.int64)
    assert (g.ndata["feat"].min(), g.ndata["feat"].max()) == (0, 1)
    np.testing.assert_allclose(g.ndata["feat"] * 16, digits.data)
    assert g.ndata["label"].tolist() == digits.target.tolist()


@pytest.mark.parametrize(("train", "val"), [(20, 30), (1, 1), (100, 73)])
def test_split_is_stratified(train: int, val: int) -> None:
    g = DigitsDataset(train_per_class=train, val_per_class=val)[0]
    label = g.ndata["label"]
    masks = [g.ndata[f"{part}_mask"] for part in ("train", "val", "test")]
    assert torch.stack(masks).sum(0).eq(1).all()
    assert label[masks[0]].bincount().tolist() == [train] * 10
    assert label[masks[1]].bincount().tolist() == [val] * 10
    assert label[masks[2]].bincount().min() >= 1


def test_seed_decides_the_split() -> None:
    first, same, other = (DigitsDataset(seed=seed)[0].ndata["train_mask"] for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"k": 0}, InvalidValueError, "k must be 1 to 1796, got 0"),
        ({"k": 1797}, InvalidValueError, "k must be 1 to 1796, got 1797"),
        ({"k": 2.5}, InvalidTypeError, "k must be an int, got float"),
        ({"k": True}, InvalidTypeError, "k must be an int, got bool"),
        ({"seed": -1}, InvalidValueError, "seed must be 0 to 4294967295, got -1"),
        ({"train_per_class": 173}, InvalidValueError, "train_per_class must be 1 to 172, got 173"),
        ({"val_per_class": 154}, InvalidValueError, "val_per_class must be 1 to 153, got 154"),
    ],
)
def test_bad_arguments(arguments: dict, kind: type, message: str) -> None:
    with pytest.raises(kind, match=message):
        DigitsDataset(**arguments)


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError, match=r"DigitsDataset needs .* 'sklearn'.* extra 'data'"):
        DigitsDataset()
