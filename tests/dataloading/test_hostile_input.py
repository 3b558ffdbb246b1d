"""Wrong arguments of loaders are refused by name; some changed which edges were left out."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from gossamer import dataloading
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError

SEEDS = torch.tensor([0, 1])


def _ring() -> gs.Graph:
    return gs.graph(([0, 1, 2, 3], [1, 2, 3, 0]))


def _excluded(reverse_eids: object) -> torch.Tensor:
    return dataloading.find_exclude_eids(_ring(), SEEDS, "reverse_id", reverse_eids)


@pytest.mark.parametrize(
    ("reverse_eids", "error", "text"),
    [
        (torch.tensor([0.5, 1.0, 2.0, 3.0]), InvalidTypeError, "reverse_eids .*must be integers"),
        (torch.tensor([9, 0, 0, 0]), OutOfRangeError, r"Id 9 is not among .*\(reverse_eids\)"),
        (torch.tensor([0, -1, 0, 0]), OutOfRangeError, "Id -1 is not among"),
        (True, InvalidTypeError, "reverse_eids .*got bool: True"),
        (torch.zeros(4, 2, dtype=torch.int64), InvalidValueError, "one-dimensional"),
        ([1, 0], InvalidValueError, "need an id for each of the 4 edges"),
    ],
    ids=["floats", "beyond", "negative", "bool", "two dimensions", "too few"],
)
def test_reverse_ids_are_checked(reverse_eids, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        _excluded(reverse_eids)


@pytest.mark.parametrize("kind", [list, torch.tensor, lambda ids: torch.tensor(ids).int()])
def test_reverse_ids_of_any_kind(kind) -> None:
    assert _excluded(kind([1, 0, 3, 2])).tolist() == [0, 1, 1, 0]


def test_spot_target_refuses_a_block() -> None:
    with pytest.raises(InvalidValueError, match="SpotTarget does not take a block"):
        dataloading.SpotTarget(gs.create_block(([0, 1], [0, 0])), "self")


@pytest.mark.parametrize(
    ("layers", "features", "error", "text"),
    [
        (True, torch.ones(4, 2), InvalidTypeError, "layers is a sequence .*, got bool"),
        ([len], {}, InvalidValueError, "there are no features"),
        ([len], torch.tensor(1.0), InvalidTypeError, r"features are dense .* shape \(\)"),
        ([len], torch.eye(4).to_sparse(), InvalidTypeError, "features are dense"),
    ],
    ids=["layers", "no features", "a number", "sparse"],
)
def test_layerwise_inference(layers, features, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"layerwise_inference: {text}"):
        dataloading.layerwise_inference(_ring(), layers, features)


@pytest.mark.parametrize("fanouts", [torch.tensor(3), torch.tensor([[1, 2], [3, 4]]), "12"])
def test_fanouts_are_a_list(fanouts) -> None:
    with pytest.raises(InvalidTypeError, match="fanouts are a list with one int"):
        dataloading.NeighborSampler(fanouts)


def test_fanouts_on_the_meta_device() -> None:
    with pytest.raises(InvalidTypeError, match="NeighborSampler: fanout 0 is an int"):
        dataloading.NeighborSampler(torch.zeros(2, dtype=torch.int64, device="meta"))
