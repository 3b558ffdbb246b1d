"""The loader of minibatches of a graph."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch

from gossamer._options import as_device
from gossamer.dataloading._ahead import ahead
from gossamer.dataloading._batches import Batch, Batches, Items, Share
from gossamer.dataloading._travel import pack, unpack
from gossamer.dataloading._workers import reporting_workers
from gossamer.dataloading.lazy import fetch
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import require_graph
from gossamer.sampling import _core
from gossamer.utils import recursive_apply

__all__ = ["DataLoader"]

_DECIDED = ("dataset", "sampler", "batch_sampler", "collate_fn")


class _Whole(torch.utils.data.Dataset):
    """A dataset whose indices are its items: each batch is one item."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, batch: Batch) -> Batch:
        return batch

    def __getstate__(self) -> dict:
        return {"_items": ()}  # workers get their batches from the main process


class _Sampling:
    """Samples a batch, in a worker or in the main process."""

    def __init__(self, graph: Any, sampler: Any) -> None:
        self.graph = graph
        self.sampler = sampler

    def __call__(self, batch: Batch) -> Any:
        with _core.stream(batch.key, batch.number):
            sampled = self.sampler.sample(self.graph, batch.indices())
        if torch.utils.data.get_worker_info() is None:
            return sampled
        return pack(sampled, self.graph)


class DataLoader(torch.utils.data.DataLoader):
    """Load minibatches: call a sampler for each batch of ids.

    The same seed (:func:`gossamer.seed`) gives the same batches for any number of workers or
    threads.

    Parameters
    ----------
    graph : Graph
        The graph to sample.
    indices : ids, bool mask, sequence, or dict of type to ids
        The items: nodes, edges or anything else that the sampler accepts. If this is a dict, each
        batch is a dict with the types that occur in it.
    graph_sampler : Sampler
        Its ``sample(graph, batch)`` returns what the loader yields, such as ``(input_nodes,
        output_nodes, blocks)``.
    device : torch.device or str, optional
        Device of the batches. Default: that of the graph.
    use_ddp : bool
        Whether to divide the items among the processes of torch.distributed, which all get the
        same number of batches; see :meth:`set_epoch`.
    ddp_seed : int
        Seed of the order of the items with `use_ddp`; must be the same in all processes.
    batch_size : int
        Number of items in a batch.
    drop_last : bool
        Whether to omit the last batch if it is smaller.
    shuffle : bool
        Whether to shuffle the items in each epoch.
    use_prefetch_thread : bool, optional
        Whether a thread samples up to two batches ahead, and fetches their features, while the
        caller computes. Default: False. If True, a sampler that uses torch's generator shares it
        with the caller, and features may be read before the caller changes them.
    use_alternate_streams : bool, optional
        Accepted as in DGL. Copies to a GPU are ordered by torch's current stream.
    pin_prefetcher : bool, optional
        Requires ``device="cuda"``, to which features are copied through pinned memory.
    use_uva : bool
        Requires ``device="cuda"``. The graph stays in CPU memory and is sampled on the CPU.
    gpu_cache : dict, optional
        Accepted as in DGL; features are not cached on the GPU.
    **kwargs
        Further arguments of :class:`torch.utils.data.DataLoader`: ``num_workers``,
        ``persistent_workers``, ``multiprocessing_context`` and others.

    Raises
    ------
    GossamerError
        If a worker process dies.
    InvalidTypeError
        If `graph` is not a graph but the sampler needs one, `graph_sampler` has no method
        ``sample``, or `indices` is neither ids nor a sequence of items.
    InvalidValueError
        If `batch_size` is less than 1, or an argument needs another device.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph((torch.arange(6), (torch.arange(6) + 1) % 6))
    >>> sampler = gs.dataloading.NeighborSampler([2, 2])
    >>> loader = gs.dataloading.DataLoader(g, torch.arange(6), sampler, batch_size=4)
    >>> for input_nodes, output_nodes, blocks in loader:
    ...     print(output_nodes.tolist(), [block.num_edges() for block in blocks])
    [0, 1, 2, 3] [5, 4]
    [4, 5] [3, 2]
    """

    def __init__(
        self,
        graph: Any,
        indices: Any,
        graph_sampler: Any,
        device: torch.device | str | None = None,
        use_ddp: bool = False,
        ddp_seed: int = 0,
        batch_size: int = 1,
        drop_last: bool = False,
        shuffle: bool = False,
        use_prefetch_thread: bool | None = None,
        use_alternate_streams: bool | None = None,
        pin_prefetcher: bool | None = None,
        use_uva: bool = False,
        gpu_cache: dict[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        _check_sampler(graph_sampler, graph)
        for name in _DECIDED:
            if kwargs.pop(name, None) is not None:
                raise InvalidTypeError(
                    f"DataLoader decides {name} itself. Change the sampler to change the batches."
                )
        self.graph = graph
        self.indices = indices
        self.graph_sampler = graph_sampler
        self.device = None if device is None else as_device(device, "device")
        self.use_ddp = use_ddp
        self.ddp_seed = ddp_seed
        self.shuffle = shuffle
        self.use_uva = use_uva
        self.use_prefetch_thread = bool(use_prefetch_thread)
        self.use_alternate_streams = bool(use_alternate_streams)
        self.pin_prefetcher = bool(pin_prefetcher)
        self.gpu_cache = gpu_cache
        self.other_storages: dict[str, Any] = {}
        self._check_device()
        share = Share.of_this_process() if use_ddp else Share(0, 1)
        _check_masks(graph, indices)
        items = Items(indices, "DataLoader")
        self._batches = Batches(items, batch_size, shuffle, drop_last, share, "DataLoader")
        self._epoch = 0
        self._cores: list[int] = []  # of the workers; filled in place, since workers hold it
        if kwargs.get("num_workers", 0):
            kwargs["worker_init_fn"] = partial(
                _start_worker, self._cores, kwargs.get("worker_init_fn")
            )
            prepare = getattr(graph_sampler, "prepare", None)
            if prepare is not None:
                prepare(graph)
        super().__init__(
            _Whole(items),
            batch_size=None,
            sampler=self._batches,
            collate_fn=_Sampling(graph, graph_sampler),
            **kwargs,
        )

    def _check_device(self) -> None:
        for name, value in (("use_uva", self.use_uva), ("pin_prefetcher", self.pin_prefetcher)):
            if value and (self.device is None or self.device.type != "cuda"):
                raise InvalidValueError(
                    f"DataLoader: {name}=True needs device='cuda', got device={self.device}. "
                    f"Leave {name} out on a CPU."
                )

    def set_epoch(self, epoch: int) -> None:
        """Set the number of the next epoch, which determines the order of items with `use_ddp`.

        The number increases by one with each epoch that starts.
        """
        self._epoch = epoch

    def attach_data(self, name: str, data: Any) -> None:
        """Add features that are not in the graph, to be fetched by name.

        Parameters
        ----------
        name : str
            Their name in a sampler's ``prefetch_node_feats`` or in a :class:`LazyFeature`.
        data : Tensor
            One row per node or edge; or an object with a method ``fetch(ids, device)``.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> g = gs.graph(([0, 1], [1, 0]))
        >>> sampler = gs.dataloading.NeighborSampler([1], prefetch_node_feats=["x"])
        >>> loader = gs.dataloading.DataLoader(g, [1], sampler)
        >>> loader.attach_data("x", torch.tensor([[3.0], [4.0]]))
        >>> next(iter(loader))[2][0].srcdata["x"]
        tensor([[4.],
                [3.]])
        """
        self.other_storages[name] = data

    def __iter__(self) -> Iterator[Any]:
        # Drawn here, so that workers and threads do not affect the caller's random numbers.
        key = _core.next_key()
        seed = _core.mix(self.ddp_seed, self._epoch) if self.use_ddp else _core.mix(key, 0)
        self._batches.start(_core.mix(key, self._batches.share.rank), seed)
        self._epoch += 1
        source = super().__iter__()
        if self.use_prefetch_thread:
            return reporting_workers(ahead(lambda: self._finished(source)), self.num_workers)
        return reporting_workers(self._finished(source), self.num_workers)

    def _finished(self, source: Iterator[Any]) -> Iterator[Any]:
        """Yield batches on their device, with their features."""
        for batch in source:
            batch = unpack(batch, self.graph)
            batch = fetch(batch, self.graph, self.other_storages)
            if self.device is not None:
                batch = recursive_apply(batch, _move, self.device)
            yield batch

    @contextmanager
    def enable_cpu_affinity(
        self,
        loader_cores: Sequence[int] | None = None,
        compute_cores: Sequence[int] | None = None,
        verbose: bool = True,
    ) -> Iterator[None]:
        """Run workers and computation on different cores inside a ``with`` block.

        Parameters
        ----------
        loader_cores : sequence of int, optional
            Cores of the workers, one per worker. Default: the first ``num_workers``.
        compute_cores : sequence of int, optional
            Cores of this process. Default: all others.
        verbose : bool
            Whether to print which cores are used.

        Raises
        ------
        InvalidValueError
            If the loader has no workers, too few cores are given or left, or the system is not
            Linux.
        """
        if not hasattr(os, "sched_setaffinity"):
            raise InvalidValueError("enable_cpu_affinity needs Linux, where cores can be chosen.")
        available = sorted(os.sched_getaffinity(0))
        loader = list(available[: self.num_workers] if loader_cores is None else loader_cores)
        rest = [core for core in available if core not in loader]
        compute = list(rest if compute_cores is None else compute_cores)
        if self.num_workers == 0 or len(loader) < self.num_workers or not compute:
            raise InvalidValueError(
                "enable_cpu_affinity needs at least one worker, a core for each and one to compute "
                f"on; got num_workers={self.num_workers}, loader_cores={loader}, "
                f"compute_cores={compute}."
            )
        threads = torch.get_num_threads()
        if verbose:
            print(f"{self.num_workers} workers on cores {loader}, computing on cores {compute}.")
        try:
            self._cores[:] = loader
            os.sched_setaffinity(0, compute)
            torch.set_num_threads(len(compute))
            yield
        finally:
            self._cores.clear()
            os.sched_setaffinity(0, available)
            torch.set_num_threads(threads)


def _check_sampler(sampler: Any, graph: Any) -> None:
    if not callable(getattr(sampler, "sample", None)):
        raise InvalidTypeError(
            "DataLoader: graph_sampler needs a method sample(graph, indices), got "
            f"{type(sampler).__name__}."
        )
    if getattr(sampler, "needs_graph", False):
        require_graph(graph, "DataLoader")


def _check_masks(graph: Any, indices: Any) -> None:
    """Raise if the length of a mask is neither the number of nodes nor that of edges."""
    if not isinstance(graph, Graph):
        return
    masks = indices if isinstance(indices, Mapping) else {None: indices}
    for kind, mask in masks.items():
        if getattr(mask, "dtype", None) not in (torch.bool, np.dtype(bool)):
            continue
        if not getattr(mask, "ndim", 0):
            continue  # reported when the ids are read
        counts = {}
        if kind is None or kind in graph.ntypes:
            counts["nodes"] = graph.num_nodes(kind)
        if kind is None or kind not in graph.ntypes:
            counts["edges"] = graph.num_edges(kind)
        if len(mask) not in counts.values():
            wanted = " or ".join(f"{count} {what}" for what, count in counts.items())
            raise InvalidValueError(
                f"DataLoader: a mask has an entry for each of {wanted}, got {len(mask)}."
            )


def _start_worker(cores: list[int], then: Callable[[int], None] | None, worker: int) -> None:
    """Pin a worker to its core, if cores were chosen, and call the user's `worker_init_fn`."""
    if cores:
        os.sched_setaffinity(0, [cores[worker]])
    if then is not None:
        then(worker)


def _move(value: Any, device: torch.device) -> Any:
    return value.to(device) if hasattr(value, "to") else value
