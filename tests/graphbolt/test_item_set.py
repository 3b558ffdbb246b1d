"""Item sets and the batches cut from them."""

from __future__ import annotations

import pytest
import torch

import gossamer.graphbolt as gb
from gossamer import InvalidTypeError, InvalidValueError, OutOfRangeError


@pytest.mark.parametrize(
    "items",
    [torch.arange(5, 12), list(range(5, 12)), range(5, 12), torch.arange(5, 12).numpy()],
    ids=["tensor", "list", "range", "numpy"],
)
def test_one_part(items) -> None:
    item_set = gb.ItemSet(items, "seeds")
    assert len(item_set) == 7
    assert item_set.num_items == 1
    assert [int(item) for item in item_set] == list(range(5, 12))
    assert int(item_set[2]) == int(item_set[-5]) == 7
    assert [int(i) for i in item_set[1:3]] == [6, 7]
    assert [int(i) for i in item_set[torch.tensor([6, 0])]] == [11, 5]


def test_numbers_and_tuples() -> None:
    assert gb.ItemSet(5)[torch.tensor([3, 1])].tolist() == [3, 1]
    assert gb.ItemSet(torch.tensor(5, dtype=torch.int32))[1:3].dtype == torch.int32
    pairs = gb.ItemSet((torch.arange(3), torch.arange(3) * 10), ("seeds", "labels"))
    assert [tuple(map(int, item)) for item in pairs] == [(0, 0), (1, 10), (2, 20)]
    assert pairs.names == ("seeds", "labels")


def test_by_type() -> None:
    items = gb.HeteroItemSet({"a": gb.ItemSet(3, "seeds"), "b": gb.ItemSet(2, "seeds")})
    assert len(items) == len(list(items)) == 5
    assert items[3] == {"b": 0}
    picked = items[torch.tensor([4, 1, 3])]
    assert picked["a"].tolist() == [1]
    assert picked["b"].tolist() == [1, 0]
    assert gb.ItemSetDict is gb.HeteroItemSet


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gb.ItemSet(3, ("a", "b")), InvalidValueError, "1 parts but 2 names"),
        (lambda: gb.ItemSet(([1, 2], [1])), InvalidValueError, r"differ in length: \[2, 1\]"),
        (lambda: gb.ItemSet(iter([1])), InvalidTypeError, "a length and an index"),
        (lambda: gb.ItemSet(3)[3], OutOfRangeError, "Item 3 is not among the 3 items"),
        (lambda: gb.ItemSampler([1], 1), InvalidTypeError, "item_set must be an ItemSet"),
        (lambda: gb.ItemSampler(gb.ItemSet(3), 0), InvalidValueError, "batch_size is at least 1"),
        (
            lambda: gb.HeteroItemSet({"a": gb.ItemSet(1, "x"), "b": gb.ItemSet(1, "y")}),
            InvalidValueError,
            "same names",
        ),
        (
            lambda: gb.DistributedItemSampler(gb.ItemSet(3), 1),
            InvalidValueError,
            "init_process_group",
        ),
    ],
)
def test_wrong_input(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("drop_last", [False, True])
def test_batches(drop_last) -> None:
    sampler = gb.ItemSampler(gb.ItemSet(7, "seeds"), 3, drop_last=drop_last)
    sizes = [len(batch.seeds) for batch in sampler]
    assert sizes == ([3, 3] if drop_last else [3, 3, 1])
    assert len(sampler) == len(sizes)


def test_permutations_follow_the_seed() -> None:
    def epochs(seed: int) -> list:
        sampler = gb.ItemSampler(gb.ItemSet(20, "seeds"), 6, shuffle=True, seed=seed)
        return [[batch.seeds.tolist() for batch in sampler] for _ in range(2)]

    first, second = epochs(1)
    assert first != second
    assert sorted(item for batch in first for item in batch) == list(range(20))
    assert [first, second] == epochs(1) != epochs(2)


def test_names_become_attributes() -> None:
    batch = gb.minibatcher_default((torch.tensor([1]), torch.tensor([2])), ("seeds", "weight"))
    assert batch.weight.tolist() == [2]
    assert batch.to("cpu").weight.tolist() == [2]
    assert gb.minibatcher_default(torch.tensor([1]), None).tolist() == [1]
