"""Batches of items: the first stage of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch.utils.data import get_worker_info

from gossamer._options import as_int, require, require_function
from gossamer.errors import InvalidValueError
from gossamer.graphbolt.item_set import HeteroItemSet, ItemSet
from gossamer.graphbolt.minibatch import MiniBatch
from gossamer.graphbolt.pipeline import Stage
from gossamer.sampling import _core

__all__ = ["DistributedItemSampler", "ItemSampler", "minibatcher_default"]


def minibatcher_default(batch: Any, names: tuple[str, ...] | None) -> Any:
    """Make a `MiniBatch` from the named parts of a batch.

    Parameters
    ----------
    batch : Tensor, tuple or dict of them
        The items of the batch, as indexing the item set returns them.
    names : tuple of str, optional
        Names of the parts. Without names, the batch is returned unchanged.

    Returns
    -------
    MiniBatch
        Parts whose names are not attributes of `MiniBatch` become new attributes.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> gb.minibatcher_default((torch.tensor([4]), torch.tensor([1])), ("seeds", "labels"))
    MiniBatch(labels=tensor([1]),
              seeds=tensor([4]))
    """
    if names is None:
        return batch
    minibatch = MiniBatch()
    # Negative destinations are appended to the pairs, which must be set first.
    for position, name in sorted(enumerate(names), key=lambda item: item[1] == "negative_dsts"):
        if isinstance(batch, dict):
            part = {key: item if len(names) == 1 else item[position] for key, item in batch.items()}
        else:
            part = batch if len(names) == 1 else batch[position]
        setattr(minibatch, name, part)
    return minibatch


class ItemSampler(Stage):
    """Divide an item set into batches.

    Parameters
    ----------
    item_set : ItemSet or HeteroItemSet
    batch_size : int
    minibatcher : callable, optional
        ``minibatcher(batch, names)`` returns the batch for the next stage.
    drop_last : bool
        Whether to omit the last batch if it is smaller.
    shuffle : bool
        Whether to shuffle the items in each epoch.
    seed : int, optional
        Seed of the permutations and of the random numbers of the following samplers. Default: drawn
        from torch's generator. The batches do not depend on the number of workers.
    use_indexing, buffer_size : optional
        Arguments of GraphBolt 2.1 without effect: shuffling always permutes all items.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If `item_set` is not an item set, or `batch_size` is not positive.

    Examples
    --------
    >>> import gossamer.graphbolt as gb
    >>> pipe = gb.ItemSampler(gb.ItemSet(5, "seeds"), batch_size=2)
    >>> [batch.seeds.tolist() for batch in pipe]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        item_set: ItemSet | HeteroItemSet,
        batch_size: int,
        minibatcher: Callable[[Any, tuple[str, ...] | None], Any] | None = minibatcher_default,
        drop_last: bool = False,
        shuffle: bool = False,
        seed: int | None = None,
        use_indexing: bool = True,
        buffer_size: int = -1,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        fix = "Make one with ItemSet(items, names='seeds')."
        require(item_set, (ItemSet, HeteroItemSet), name, "item_set", fix)
        self.item_set = item_set
        self.batch_size = as_int(batch_size, name, "batch_size", 1)
        require_function(minibatcher, name, "minibatcher")
        self.minibatcher = minibatcher or minibatcher_default
        self.drop_last = drop_last
        self.shuffle = shuffle
        self.seed = None if seed is None else as_int(seed, name, "seed")
        self._epoch = 0
        self._drawn_seed: int | None = None

    def __len__(self) -> int:
        return len(self._batches(len(self.item_set)))

    def _batches(self, count: int) -> range:
        """Return the start positions of the batches among `count` items."""
        end = count - count % self.batch_size if self.drop_last else count
        return range(0, end, self.batch_size)

    def base_seed(self) -> int:
        """Return the seed of all epochs: `seed`, or one drawn on the first call."""
        if self.seed is not None:
            return self.seed
        worker = get_worker_info()
        if self._drawn_seed is None and worker is not None:
            return worker.seed - worker.id
        if self._drawn_seed is None:
            self._drawn_seed = int(torch.empty((), dtype=torch.int64).random_())
        return self._drawn_seed

    def count_epoch(self) -> int:
        """Return the number of the epoch that begins."""
        self._epoch += 1
        return self._epoch - 1

    def _order(self, key: int) -> torch.Tensor | None:
        """Return the order of the items in this epoch; None means all items in their own order."""
        if not self.shuffle:
            return None
        generator = torch.Generator().manual_seed(key)
        return torch.randperm(len(self.item_set), generator=generator)

    def __iter__(self) -> Iterator[Any]:
        seed, epoch = self.base_seed(), self.count_epoch()
        order = self._order(_core.mix(seed, epoch))
        worker = get_worker_info()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        starts = self._batches(len(self.item_set) if order is None else len(order))
        for number in range(first, len(starts), step):
            chosen = slice(starts[number], starts[number] + self.batch_size)
            index = slice(*chosen.indices(len(self.item_set))) if order is None else order[chosen]
            batch = self.minibatcher(self.item_set[index], self.item_set.names)
            if isinstance(batch, MiniBatch):
                batch._stream = (seed, epoch, number)
            yield batch


class DistributedItemSampler(ItemSampler):
    """Divide this process's share of an item set into batches.

    All processes of the group use the same permutation of the items, and each takes every
    ``world_size``-th item. With `drop_uneven_inputs`, all processes get the same number of batches.

    Parameters
    ----------
    item_set : ItemSet or HeteroItemSet
    batch_size : int
        Batch size per process.
    minibatcher, drop_last, shuffle
        See `ItemSampler`.
    drop_uneven_inputs : bool
        Whether to omit the last batches of processes that have more batches than others.
    seed : int, optional
        Must be the same in all processes. Default: drawn by the first process.
    buffer_size : optional
        An argument of GraphBolt 2.1 without effect: shuffling always permutes all items.

    Raises
    ------
    InvalidValueError
        If torch.distributed is not initialized.
    """

    def __init__(
        self,
        item_set: ItemSet | HeteroItemSet,
        batch_size: int,
        minibatcher: Callable[[Any, tuple[str, ...] | None], Any] | None = minibatcher_default,
        drop_last: bool = False,
        shuffle: bool = False,
        drop_uneven_inputs: bool = False,
        seed: int | None = None,
        buffer_size: int = -1,
    ) -> None:
        super().__init__(item_set, batch_size, minibatcher, drop_last, shuffle, seed)
        if not (dist.is_available() and dist.is_initialized()):
            raise InvalidValueError(
                "DistributedItemSampler: call torch.distributed.init_process_group first."
            )
        self.drop_uneven_inputs = drop_uneven_inputs
        self._rank, self._world_size = dist.get_rank(), dist.get_world_size()
        if self.seed is None:
            shared = [int(torch.empty((), dtype=torch.int64).random_())]
            dist.broadcast_object_list(shared, src=0)
            self.seed = shared[0]

    def __len__(self) -> int:
        share = range(self._rank, len(self.item_set), self._world_size)
        return len(self._batches(len(share)))

    def _batches(self, count: int) -> range:
        batches = super()._batches(count)
        if self.drop_uneven_inputs:
            fewest = len(super()._batches(len(self.item_set) // self._world_size))
            batches = batches[:fewest]
        return batches

    def _order(self, key: int) -> torch.Tensor:
        order = super()._order(key)
        if order is None:
            order = torch.arange(len(self.item_set))
        return order[self._rank :: self._world_size]
