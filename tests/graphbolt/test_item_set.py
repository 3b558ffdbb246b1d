"""Item sets and the batches cut from them."""

from __future__ import annotations

import numpy as np
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


ITEMS = {
    "number": gb.ItemSet(6),
    "tensor": gb.ItemSet(torch.arange(6)),
    "numpy": gb.ItemSet(np.arange(6)),
    "list": gb.ItemSet(list(range(6))),
    "parts": gb.ItemSet((torch.arange(6), list(range(6)))),
    "types": gb.HeteroItemSet({"a": gb.ItemSet(2), "b": gb.ItemSet(torch.arange(2, 6))}),
}


def picked(kind: str, index) -> list[int]:
    """The items, of which each has its position as its value, whatever holds them."""
    found = ITEMS[kind][index]
    if kind == "types":
        own, rest = found.get("a", []), found.get("b", [])
        return sorted(int(i) for part in (own, rest) for i in torch.as_tensor(part).reshape(-1))
    if kind == "parts":
        assert [int(i) for i in torch.as_tensor(found[1]).reshape(-1)] == torch.as_tensor(
            found[0]
        ).reshape(-1).tolist()
        found = found[0]
    return sorted(torch.as_tensor(found).reshape(-1).tolist())


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (-1, [5]),
        (np.int64(4), [4]),
        (torch.tensor(3), [3]),
        (slice(-2, None), [4, 5]),
        (slice(4, 99), [4, 5]),
        (slice(None, None, -1), [0, 1, 2, 3, 4, 5]),
        (slice(None, None, 2), [0, 2, 4]),
        ([1, -1], [1, 5]),
        ((1, 2), [1, 2]),
        ([], []),
        (np.array([0, 5], dtype=np.int32), [0, 5]),
        (torch.tensor([-6, 2], dtype=torch.int32), [0, 2]),
        (torch.tensor([True, False, False, False, False, True]), [0, 5]),
        ([False, True, False, False, False, True], [1, 5]),
    ],
)
def test_ways_to_choose_items(kind: str, index, expected: list[int]) -> None:
    if kind == "types" and isinstance(index, list) and not index:
        assert ITEMS[kind][index] == {}
    else:
        assert picked(kind, index) == expected


def test_the_order_of_an_index_is_kept() -> None:
    for kind in ("number", "tensor", "numpy", "list"):
        assert [int(i) for i in ITEMS[kind][[4, -6, 4]]] == [4, 0, 4]
        assert [int(i) for i in ITEMS[kind][::-2]] == [5, 3, 1]


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (6, OutOfRangeError, "Item 6 is not among the 6 items"),
        (-7, OutOfRangeError, "Item -7 is not among the 6 items"),
        (np.int64(6), OutOfRangeError, "Item 6 is not among"),
        (torch.tensor(6), OutOfRangeError, "Item 6 is not among"),
        (torch.tensor([5, 6]), OutOfRangeError, "Item 6 is not among the 6 items"),
        ([0, -7], OutOfRangeError, "Item -7 is not among the 6 items"),
        (np.array([9]), OutOfRangeError, "Item 9 is not among the 6 items"),
        (torch.tensor([True, False]), InvalidValueError, "each of the 6 items, got 2"),
        (np.ones(7, dtype=bool), InvalidValueError, "each of the 6 items, got 7"),
        (1.0, InvalidTypeError, "Items are chosen by an integer, a slice, .* got 1.0"),
        (True, InvalidTypeError, "got True"),
        ("a", InvalidTypeError, "got 'a'"),
        (None, InvalidTypeError, "got None"),
        (["a"], InvalidTypeError, "got \\['a'\\]"),
        ({0}, InvalidTypeError, "got {0}"),
        (torch.tensor([1.0]), InvalidTypeError, "got Tensor of torch.float32 with 1 dim"),
        (torch.tensor([[1]]), InvalidTypeError, "got Tensor of torch.int64 with 2 dim"),
    ],
)
def test_wrong_choices_of_items(kind: str, index, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        ITEMS[kind][index]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gb.ItemSet(()), InvalidValueError, "one sequence per part, got an empty one"),
        (lambda: gb.ItemSet(-1), InvalidValueError, "items is at least 0, got -1"),
        (lambda: gb.ItemSet(True), InvalidTypeError, "got bool"),
        (lambda: gb.ItemSet(torch.tensor(2.5)), InvalidTypeError, "items is an int, got 2.5"),
        (lambda: gb.ItemSet(0)[0], OutOfRangeError, "Item 0 is not among the 0 items"),
        (lambda: gb.HeteroItemSet({})[0], OutOfRangeError, "Item 0 is not among the 0 items"),
        (lambda: gb.HeteroItemSet({"a": [1]}), InvalidTypeError, "'a' must have an ItemSet"),
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
