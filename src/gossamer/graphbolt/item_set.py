"""Sets of items for batches: nodes, node pairs and labels, by type or of one type."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._options import as_int, integer, shown
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError

__all__ = ["HeteroItemSet", "ItemSet", "ItemSetDict", "Items"]


class ItemSet:
    """Items of one type, with a name for each of their parts.

    Parameters
    ----------
    items : int, Tensor, sequence or tuple of sequences
        An integer n (or a 0-dimensional tensor) means the ids 0, ..., n - 1. A tuple contains one
        sequence per part, such as ``(node ids, labels)``.
    names : str or tuple of str, optional
        A name for each part: ``"seeds"``, ``"labels"``, ``"indexes"`` or another attribute of
        `MiniBatch`.

    Raises
    ------
    InvalidTypeError
        If a part has no length or cannot be indexed, a number is not an integer, or an index is
        neither integers, nor a slice, nor a bool mask.
    InvalidValueError
        If the numbers of names and parts differ, parts differ in length, or a mask does not have
        one entry per item.
    OutOfRangeError
        If an index is out of range. Negative indices count from the end.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> items = gb.ItemSet((torch.arange(10, 13), torch.tensor([0, 1, 1])), ("seeds", "labels"))
    >>> items[1]
    (tensor(11), tensor(1))
    >>> gb.ItemSet(5)[2:4]
    tensor([2, 3])
    """

    def __init__(
        self, items: int | Tensor | Iterable | tuple, names: str | tuple[str, ...] | None = None
    ) -> None:
        self._count: int | None = None
        self._dtype = torch.int64
        if isinstance(items, Tensor) and items.dim() == 0:
            self._dtype = items.dtype
            items = items.item()
        if _number(items) is not None or isinstance(items, float):
            self._count = as_int(items, "ItemSet", "items", 0)
            self._items: tuple = ()
        else:
            self._items = items if isinstance(items, tuple) else (items,)
            self._check_items()
        self._names = _as_names(names)
        parts = max(len(self._items), 1)
        if self._names is not None and len(self._names) != parts:
            raise InvalidValueError(
                f"ItemSet: there are {parts} parts but {len(self._names)} names, "
                f"{shown(self._names)}. Give each part a name."
            )

    def _check_items(self) -> None:
        if not self._items:
            raise InvalidValueError(
                "ItemSet: a tuple holds one sequence per part, got an empty one. Give 0 for no "
                "items."
            )
        for part in self._items:
            if not hasattr(part, "__len__") or not hasattr(part, "__getitem__"):
                raise InvalidTypeError(
                    f"ItemSet: items must be a number or have a length and an index, got "
                    f"{type(part).__name__}. Turn it into a tensor or a list."
                )
        lengths = [len(part) for part in self._items]
        if len(set(lengths)) > 1:
            raise InvalidValueError(f"ItemSet: the parts differ in length: {lengths}.")

    @property
    def names(self) -> tuple[str, ...] | None:
        """Name of each part."""
        return self._names

    @property
    def num_items(self) -> int:
        """Number of parts of an item."""
        return max(len(self._items), 1)

    def __len__(self) -> int:
        return len(self._items[0]) if self._count is None else self._count

    def __iter__(self) -> Iterator[Any]:
        if self._count is not None:
            yield from torch.arange(self._count, dtype=self._dtype)
        elif len(self._items) == 1:
            yield from self._items[0]
        else:
            yield from zip(*self._items, strict=True)

    def __getitem__(self, index: int | slice | Iterable[int] | Tensor) -> Any:
        index = _checked(index, len(self))
        if self._count is not None:
            return self._numbers(index)
        parts = tuple(_pick(part, index) for part in self._items)
        return parts[0] if len(parts) == 1 else parts

    def _numbers(self, index: int | slice | Tensor) -> Any:
        if isinstance(index, slice):
            return torch.arange(*index.indices(self._count), dtype=self._dtype)
        return index if isinstance(index, int) else index.to(self._dtype)

    def __repr__(self) -> str:
        items = self._count if self._count is not None else self._items
        inner = f"items={items},\nnames={self._names},"
        return f"ItemSet(\n{textwrap.indent(inner, '    ')}\n)"


def _checked(index: Any, count: int) -> int | slice | Tensor:
    """Convert `index` to a position, a slice with a positive step, or ``(n,)`` int64 positions."""
    number = _number(index)
    if number is not None:
        if not -count <= number < count:
            raise OutOfRangeError(f"Item {number} is not among the {count} items.")
        return number % count
    if isinstance(index, slice):
        if index.step is None or index.step > 0:
            return index
        return torch.arange(*index.indices(count))
    positions = _as_tensor(index)
    if positions.dtype == torch.bool:
        if len(positions) != count:
            raise InvalidValueError(
                f"A mask has an entry for each of the {count} items, got {len(positions)}."
            )
        return positions.nonzero().flatten()
    positions = positions.long()
    if len(positions):
        least, most = (int(end) for end in positions.aminmax())
        if least < -count or most >= count:
            wrong = least if least < -count else most
            raise OutOfRangeError(f"Item {wrong} is not among the {count} items.")
        if least < 0:
            positions = torch.where(positions < 0, positions + count, positions)
    return positions


def _number(value: Any) -> int | None:
    """Return `value` as an int if it is a single integer (not a sequence), otherwise None."""
    return None if getattr(value, "ndim", 0) else integer(value)


def _as_tensor(index: Any) -> Tensor:
    """Convert to a one-dimensional tensor of integers or bools."""
    found: Tensor | None = None
    if isinstance(index, (Tensor, np.ndarray, Sequence)) and not isinstance(index, str):
        try:
            found = torch.as_tensor(index)
        except (TypeError, ValueError, RuntimeError):
            found = None
    if found is not None and found.numel() == 0 and not isinstance(index, Tensor):
        found = found.long()  # an empty list has no dtype of its own
    if found is None or found.dim() != 1 or found.is_floating_point() or found.is_complex():
        dtype = "" if found is None else f" of {found.dtype} with {found.dim()} dimensions"
        raise InvalidTypeError(
            f"Items are chosen by an integer, a slice, a bool mask or a sequence of integers, got "
            f"{shown(index) if found is None else type(index).__name__}{dtype}."
        )
    return found


def _pick(part: Any, index: int | slice | Tensor) -> Any:
    if isinstance(index, (int, slice)) or isinstance(part, Tensor):
        return part[index]
    if hasattr(part, "dtype"):  # numpy
        return part[index.numpy()]
    return [part[i] for i in index.tolist()]


def _as_names(names: Any) -> tuple[str, ...] | None:
    if names is None or isinstance(names, str):
        return names if names is None else (names,)
    if not isinstance(names, (tuple, list)) or not all(isinstance(n, str) for n in names):
        raise InvalidTypeError(f"ItemSet: names are texts, one for each part, got {shown(names)}.")
    return tuple(names)


class HeteroItemSet:
    """Items by node type or edge type.

    Parameters
    ----------
    itemsets : dict of str to ItemSet
        Item sets by type, all with the same names.

    Raises
    ------
    InvalidTypeError
        If a value is not an `ItemSet`, or an index has a type that `ItemSet` does not support.
    InvalidValueError
        If the item sets have different names, or a mask does not have one entry per item.
    OutOfRangeError
        If an index is out of range.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> items = gb.HeteroItemSet({"user": gb.ItemSet(2, "seeds"), "item": gb.ItemSet(3, "seeds")})
    >>> len(items)
    5
    >>> items[1:4]
    {'user': tensor([1]), 'item': tensor([0, 1])}
    """

    def __init__(self, itemsets: dict[str, ItemSet]) -> None:
        if not isinstance(itemsets, Mapping):
            raise InvalidTypeError(
                "HeteroItemSet: itemsets is a dict from type to ItemSet, got "
                f"{type(itemsets).__name__}."
            )
        self._itemsets = dict(itemsets)
        for key, itemset in self._itemsets.items():
            if not isinstance(itemset, ItemSet):
                raise InvalidTypeError(
                    f"HeteroItemSet: {key!r} must have an ItemSet, got {type(itemset).__name__}."
                )
        names = {itemset.names for itemset in self._itemsets.values()}
        if len(names) > 1:
            raise InvalidValueError(
                "HeteroItemSet: all item sets must have the same names, got "
                f"{sorted(map(str, names))}."
            )
        self._names = next(iter(names), None)
        lengths = [len(itemset) for itemset in self._itemsets.values()]
        self._ends = torch.tensor(lengths, dtype=torch.int64).cumsum(0)

    @property
    def names(self) -> tuple[str, ...] | None:
        """Name of each part of an item."""
        return self._names

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for key, itemset in self._itemsets.items():
            for item in itemset:
                yield {key: item}

    def __getitem__(self, index: int | slice | Iterable[int] | Tensor) -> dict[str, Any]:
        index = _checked(index, len(self))
        if isinstance(index, int):
            which = int(torch.searchsorted(self._ends, index, right=True))
            key, itemset = list(self._itemsets.items())[which]
            return {key: itemset[index - int(self._ends[which]) + len(itemset)]}
        if isinstance(index, slice):
            index = torch.arange(*index.indices(len(self)))
        which = torch.searchsorted(self._ends, index, right=True)
        picked = {}
        for i, (key, itemset) in enumerate(self._itemsets.items()):
            own = index[which == i]
            if len(own):
                picked[key] = itemset[own - (self._ends[i] - len(itemset))]
        return picked

    def __repr__(self) -> str:
        inner = f"itemsets={self._itemsets},\nnames={self._names},"
        return f"HeteroItemSet(\n{textwrap.indent(inner, '    ')}\n)"


#: Former name of `HeteroItemSet`.
ItemSetDict = HeteroItemSet

Items = ItemSet | HeteroItemSet
