"""The items of a loader, and their order in an epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Sized
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph.ids import as_id_tensor

__all__ = ["Batch", "Batches", "Items", "Share"]


class Batch(NamedTuple):
    """One batch as sent to a worker: NumPy arrays are sent without shared memory."""

    key: int  # of the epoch
    number: int
    ids: Any

    def indices(self) -> Any:
        """The argument of the sampler."""
        if isinstance(self.ids, dict):
            return {name: torch.from_numpy(ids) for name, ids in self.ids.items()}
        return torch.from_numpy(self.ids) if isinstance(self.ids, np.ndarray) else self.ids


class Items:
    """The items of a loader: ids, ids by type, or any sequence."""

    def __init__(self, indices: Any, name: str) -> None:
        self._names: list[Any] | None = None
        self._objects: Sequence[Any] | None = None
        if isinstance(indices, Mapping):
            self._names = list(indices)
            parts = [_ids(own, f"indices of {t!r}") for t, own in indices.items()]
            kinds = [np.full(len(part), k) for k, part in enumerate(parts)]
            self._ids = np.concatenate(parts or [np.empty(0, np.int64)])
            self._kinds = np.concatenate(kinds or [np.empty(0, np.int64)])
        elif _is_ids(indices):
            self._ids = _ids(indices, f"indices of {name}")
        elif isinstance(indices, Sized) and hasattr(indices, "__getitem__"):
            self._objects = indices
        else:
            raise InvalidTypeError(
                f"{name}: indices are ids, a dict of type to ids, or a sequence, got "
                f"{type(indices).__name__}."
            )

    def __len__(self) -> int:
        return len(self._ids if self._objects is None else self._objects)

    def take(self, positions: np.ndarray) -> Any:
        """Return the items at `positions`; for ids by type, a dict of the types that occur."""
        if self._objects is not None:
            return [self._objects[int(i)] for i in positions]
        ids = self._ids[positions]
        if self._names is None:
            return ids
        kinds = self._kinds[positions]
        return {
            name: ids[kinds == k] for k, name in enumerate(self._names) if bool((kinds == k).any())
        }


def _is_ids(indices: Any) -> bool:
    if isinstance(indices, (Tensor, np.ndarray, range)):
        return True
    return isinstance(indices, (list, tuple)) and all(
        isinstance(i, (int, np.integer)) for i in indices
    )


def _ids(indices: Any, what: str) -> np.ndarray:
    if isinstance(indices, Tensor) and indices.dtype == torch.bool:
        indices = indices.nonzero()[:, 0]
    return as_id_tensor(indices, what).detach().cpu().numpy()


class Share(NamedTuple):
    """Which part of the items belongs to this process."""

    rank: int
    size: int

    @classmethod
    def of_this_process(cls) -> Share:
        """Return the share of this process in the torch.distributed group."""
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            raise InvalidValueError(
                "use_ddp=True needs torch.distributed. Call "
                "torch.distributed.init_process_group first."
            )
        return cls(torch.distributed.get_rank(), torch.distributed.get_world_size())

    def count(self, items: int, drop_last: bool) -> int:
        """Return the number of items per process, which is the same for all."""
        return items // self.size if drop_last else math.ceil(items / self.size)

    def of(self, order: Tensor, drop_last: bool) -> Tensor:
        """Return this process's part of `order`, which is repeated if it is too short."""
        if self.size == 1 or not len(order):
            return order
        count = self.count(len(order), drop_last)
        return order[(torch.arange(count) * self.size + self.rank) % len(order)]


class Batches:
    """The batches of an epoch, in order; the sampler of a torch loader.

    :meth:`start` begins an epoch. Iterating again without it repeats the same epoch.
    """

    def __init__(
        self, items: Items, batch_size: int, shuffle: bool, drop_last: bool, share: Share, name: str
    ) -> None:
        self.items = items
        self.batch_size = as_int(batch_size, name, "batch_size", 1)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.share = share
        self._key = 0
        self._order: Tensor | None = None

    def start(self, key: int, seed: int) -> None:
        """Begin an epoch: `key` seeds its random numbers, `seed` the order of its items."""
        count = len(self.items)
        if self.shuffle:
            order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
        else:
            order = torch.arange(count)
        self._order = self.share.of(order, self.drop_last)
        self._key = key

    def __len__(self) -> int:
        count = self.share.count(len(self.items), self.drop_last)
        return count // self.batch_size if self.drop_last else math.ceil(count / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        order = torch.arange(len(self.items)) if self._order is None else self._order
        return self._batches(self._key, order.numpy(), len(self))

    def _batches(self, key: int, order: np.ndarray, count: int) -> Iterator[Batch]:
        for number in range(count):
            positions = order[number * self.batch_size : (number + 1) * self.batch_size]
            yield Batch(key, number, self.items.take(positions))
