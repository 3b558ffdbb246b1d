"""Loaders with the arguments of DGL's loaders of distributed graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from gossamer.dataloading._batches import Batches, Items, Share
from gossamer.dataloading.dataloader import DataLoader
from gossamer.dataloading.edge_prediction import as_edge_prediction_sampler
from gossamer.sampling import _core

__all__ = ["DistDataLoader", "DistEdgeDataLoader", "DistNodeDataLoader"]


class DistDataLoader:
    """Load batches of ids and apply a function to each, in this process.

    Parameters
    ----------
    dataset : ids or sequence
        The items of this process.
    batch_size : int
        Number of items in a batch.
    shuffle : bool
        Whether to shuffle the items in each epoch.
    collate_fn : callable, optional
        Function of a batch that returns what the loader yields. Default: the batch itself.
    drop_last : bool
        Whether to omit the last batch if it is smaller.
    queue_size : int, optional
        Accepted as in DGL; batches are made when they are requested.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> loader = gs.dataloading.DistDataLoader(torch.arange(5), 2, collate_fn=torch.sum)
    >>> list(loader)
    [tensor(1), tensor(5), tensor(4)]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        shuffle: bool = False,
        collate_fn: Callable[[Any], Any] | None = None,
        drop_last: bool = False,
        queue_size: int | None = None,
    ) -> None:
        self.dataset = dataset
        self.collate_fn = collate_fn
        self.queue_size = queue_size
        items = Items(dataset, "DistDataLoader")
        self._batches = Batches(
            items, batch_size, shuffle, drop_last, Share(0, 1), "DistDataLoader"
        )
        self.batch_size, self.shuffle, self.drop_last = batch_size, shuffle, drop_last

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Any]:
        key = _core.next_key()
        self._batches.start(key, _core.mix(key, 0))
        return self._made(iter(self._batches))

    def _made(self, batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            with _core.stream(batch.key, batch.number):
                indices = batch.indices()
                made = indices if self.collate_fn is None else self.collate_fn(indices)
            yield made


class DistNodeDataLoader(DataLoader):
    """Load blocks for batches of nodes, sampled from this process's part of a graph.

    Parameters
    ----------
    g : Graph
        This process's part of the graph.
    nids : ids, or dict of str to ids
        The nodes of this process.
    graph_sampler : BlockSampler
        The sampler of the blocks.
    device : torch.device or str, optional
        Device of the batches. Default: that of the graph.
    **kwargs
        Arguments of :class:`DataLoader`, such as ``batch_size``, ``shuffle`` and ``drop_last``.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> sampler = gs.dataloading.NeighborSampler([1])
    >>> loader = gs.dataloading.DistNodeDataLoader(g, torch.arange(3), sampler, batch_size=2)
    >>> [output_nodes for _, output_nodes, _ in loader]
    [tensor([0, 1]), tensor([2])]
    """

    def __init__(
        self,
        g: Any,
        nids: Any,
        graph_sampler: Any,
        device: torch.device | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(g, nids, graph_sampler, device, **kwargs)


class DistEdgeDataLoader(DataLoader):
    """Load pairs and blocks for batches of edges, sampled from this process's part of a graph.

    Parameters
    ----------
    g : Graph
        This process's part of the graph.
    eids : ids, or dict of edge type to ids
        The edges of this process.
    graph_sampler : BlockSampler
        The sampler of blocks for their endpoints.
    device : torch.device or str, optional
        Device of the batches. Default: that of the graph.
    **kwargs
        ``exclude``, ``reverse_eids``, ``reverse_etypes`` and ``negative_sampler`` of
        :func:`as_edge_prediction_sampler`, and those of :class:`DataLoader`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> sampler = gs.dataloading.NeighborSampler([1])
    >>> loader = gs.dataloading.DistEdgeDataLoader(g, torch.arange(3), sampler, batch_size=2)
    >>> [pairs.num_edges() for _, pairs, _ in loader]
    [2, 1]
    """

    def __init__(
        self,
        g: Any,
        eids: Any,
        graph_sampler: Any,
        device: torch.device | str | None = None,
        **kwargs: Any,
    ) -> None:
        names = ("exclude", "reverse_eids", "reverse_etypes", "negative_sampler")
        options = {name: kwargs.pop(name) for name in names if name in kwargs}
        super().__init__(
            g, eids, as_edge_prediction_sampler(graph_sampler, **options), device, **kwargs
        )
