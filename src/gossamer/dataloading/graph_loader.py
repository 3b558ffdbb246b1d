"""The loader of minibatches of graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer.dataloading._batches import Share
from gossamer.dataloading._workers import reporting_workers
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph, batch

__all__ = ["GraphCollator", "GraphDataLoader"]


class GraphCollator:
    """Collate samples that contain graphs: batch the graphs and stack the tensors.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0], [1]))
    >>> batched, labels = gs.dataloading.GraphCollator().collate([(g, 1), (g, 0)])
    >>> batched.batch_size, labels
    (2, tensor([1, 0]))
    """

    def collate(self, items: Sequence[Any]) -> Any:
        """Collate the samples `items`.

        Samples are graphs, tensors, numbers, or tuples, lists and dicts of these, all with the same
        structure.
        """
        first = items[0]
        if len({type(item) for item in items}) > 1:
            _check_form(items)
        if isinstance(first, Graph):
            return batch(items)
        if isinstance(first, Mapping):
            return {key: self.collate([item[key] for item in items]) for key in first}
        if isinstance(first, tuple) and hasattr(first, "_fields"):
            return type(first)(*(self.collate(part) for part in zip(*items, strict=True)))
        if isinstance(first, (tuple, list)):
            lengths = {len(item) for item in items}
            if len(lengths) != 1:
                raise InvalidValueError(
                    f"GraphDataLoader: the samples of a batch have different lengths, {lengths}. "
                    "Give a collate_fn that puts them together."
                )
            return [self.collate(part) for part in zip(*items, strict=True)]
        if isinstance(first, Tensor):
            return _stack(items)
        try:
            return torch.utils.data.default_collate(items)
        except TypeError as error:
            raise InvalidTypeError(
                f"GraphDataLoader: samples of type {_types(items)} cannot be put together: {error}."
                " Give a collate_fn that does."
            ) from error

    __call__ = collate


def _types(items: Sequence[Any]) -> str:
    return " and ".join(sorted({type(item).__name__ for item in items}))


def _check_form(items: Sequence[Any]) -> None:
    """Raise if some samples, but not all, are graphs, mappings, sequences or tensors."""
    for kind in (Graph, Mapping, (tuple, list), Tensor):
        if len({isinstance(item, kind) for item in items}) > 1:
            raise InvalidTypeError(
                "GraphDataLoader: the samples of a batch have different forms, "
                f"{_types(items)}. Give a collate_fn that puts them together."
            )


def _stack(items: Sequence[Tensor]) -> Tensor:
    try:
        return torch.utils.data.default_collate(list(items))
    except RuntimeError as error:
        shapes = {tuple(item.shape) for item in items}
        if len(shapes) == 1:
            raise
        raise InvalidValueError(
            f"GraphDataLoader: the tensors of a batch have different shapes, {sorted(shapes)}. "
            "Give a collate_fn that puts them together."
        ) from error


class GraphDataLoader(torch.utils.data.DataLoader):
    """Load minibatches from a dataset of graphs: batch the graphs and stack the labels.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset, IterableDataset or sequence
        Items are graphs, or tuples, lists and dicts of graphs, tensors and numbers.
    collate_fn : callable, optional
        Function that makes a batch from a list of items. Default: that of :class:`GraphCollator`.
    use_ddp : bool
        Whether to divide the items among the processes of torch.distributed.
    ddp_seed : int
        Seed of the order of the items with `use_ddp` and ``shuffle=True``; must be the same in all
        processes.
    **kwargs
        Further arguments of :class:`torch.utils.data.DataLoader`: ``batch_size``, ``shuffle``,
        ``drop_last``, ``num_workers`` and others.

    Raises
    ------
    GossamerError
        If a worker process dies.
    InvalidTypeError
        If `dataset` cannot be indexed, or `use_ddp` is combined with an iterable dataset or a
        sampler.
    InvalidValueError
        If `use_ddp` is True but torch.distributed is not initialized.

    Examples
    --------
    >>> import gossamer as gs
    >>> graphs = [gs.graph(([0] * n, [1] * n)) for n in range(1, 6)]
    >>> loader = gs.dataloading.GraphDataLoader(graphs, batch_size=2)
    >>> [g.num_edges() for g in loader]
    [3, 7, 5]
    """

    def __init__(
        self,
        dataset: Any,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        use_ddp: bool = False,
        ddp_seed: int = 0,
        **kwargs: Any,
    ) -> None:
        iterable = isinstance(dataset, torch.utils.data.IterableDataset)
        if not iterable and not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
            raise InvalidTypeError(
                "GraphDataLoader: dataset is a Dataset or a sequence of items, got "
                f"{type(dataset).__name__}."
            )
        self.use_ddp = use_ddp
        self._turns: torch.utils.data.DistributedSampler | None = None
        if use_ddp:
            if iterable or kwargs.get("sampler") or kwargs.get("batch_sampler"):
                raise InvalidTypeError(
                    "GraphDataLoader: use_ddp=True divides the items of a dataset by index, so it "
                    "supports neither an IterableDataset nor a sampler."
                )
            share = Share.of_this_process()
            self._turns = torch.utils.data.DistributedSampler(
                dataset,
                num_replicas=share.size,
                rank=share.rank,
                shuffle=kwargs.pop("shuffle", False),
                seed=ddp_seed,
                drop_last=kwargs.get("drop_last", False),
            )
            kwargs["sampler"] = self._turns
        super().__init__(dataset, collate_fn=collate_fn or GraphCollator().collate, **kwargs)

    def set_epoch(self, epoch: int) -> None:
        """Set the number of the next epoch, which determines the order of items with `use_ddp`.

        Raises
        ------
        InvalidValueError
            If the loader was made without `use_ddp`.
        """
        if self._turns is None:
            raise InvalidValueError("GraphDataLoader: set_epoch is for loaders with use_ddp=True.")
        self._turns.set_epoch(epoch)

    def __iter__(self) -> Iterator[Any]:
        return reporting_workers(super().__iter__(), self.num_workers)
