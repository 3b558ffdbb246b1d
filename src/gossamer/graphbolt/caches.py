"""Features with a cache of rows in front of a slower store."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int, one_of
from gossamer.errors import InvalidTypeError
from gossamer.graphbolt.feature_store import Feature, FeatureKey, bytes_to_number_of_items
from gossamer.graphbolt.sampled_subgraph import Done

__all__ = [
    "POLICIES",
    "CPUCachedFeature",
    "CPUFeatureCache",
    "GPUCachedFeature",
    "cpu_cached_feature",
    "gpu_cached_feature",
]


class _LRU:
    """Drops the row that was not read for the longest time."""

    def __init__(self, capacity: int) -> None:
        self._slots: OrderedDict[int, int] = OrderedDict()
        self._free = list(range(capacity))[::-1]

    def find(self, key: int) -> int | None:
        slot = self._slots.get(key)
        if slot is not None:
            self._slots.move_to_end(key)
        return slot

    def insert(self, key: int) -> int:
        slot = self._free.pop() if self._free else self._slots.popitem(last=False)[1]
        self._slots[key] = slot
        return slot


class _Clock:
    """Second chance: a hand passes rows that were read since it came by."""

    def __init__(self, capacity: int) -> None:
        self._slots: dict[int, int] = {}
        self._keys: list[int | None] = [None] * capacity
        self._used = [False] * capacity
        self._hand = 0

    def find(self, key: int) -> int | None:
        slot = self._slots.get(key)
        if slot is not None:
            self._used[slot] = True
        return slot

    def insert(self, key: int) -> int:
        while self._used[self._hand]:
            self._used[self._hand] = False
            self._hand = (self._hand + 1) % len(self._keys)
        slot = self._hand
        old = self._keys[slot]
        if old is not None:
            del self._slots[old]
        self._keys[slot], self._slots[key] = key, slot
        self._hand = (slot + 1) % len(self._keys)
        return slot


class _Sieve:
    """SIEVE: a queue in which rows keep their place; a hand moves from old to new.

    Zhang et al., "SIEVE is simpler than LRU", NSDI 2024.
    """

    def __init__(self, capacity: int) -> None:
        self._slots: OrderedDict[int, int] = OrderedDict()  # old to new
        self._used: dict[int, bool] = {}
        self._free = list(range(capacity))[::-1]
        self._after: Iterator[int] = iter(())

    def find(self, key: int) -> int | None:
        slot = self._slots.get(key)
        if slot is not None:
            self._used[key] = True
        return slot

    def insert(self, key: int) -> int:
        slot = self._free.pop() if self._free else self._evict()
        self._slots[key], self._used[key] = slot, False
        return slot

    def _evict(self) -> int:
        while True:
            for key in self._after:
                if key not in self._slots:
                    continue
                if self._used[key]:
                    self._used[key] = False
                    continue
                del self._used[key]
                return self._slots.pop(key)
            self._after = iter(list(self._slots))


class _S3FIFO:
    """S3-FIFO: rows read once leave a small queue early; those read again move to the main one.

    Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023.
    """

    def __init__(self, capacity: int) -> None:
        self._small: deque[int] = deque()
        self._main: deque[int] = deque()
        self._ghost: OrderedDict[int, None] = OrderedDict()
        self._slots: dict[int, int] = {}
        self._reads: dict[int, int] = {}
        self._free = list(range(capacity))[::-1]
        self._small_capacity = max(capacity // 10, 1)
        self._ghost_capacity = capacity

    def find(self, key: int) -> int | None:
        slot = self._slots.get(key)
        if slot is not None:
            self._reads[key] = min(self._reads[key] + 1, 3)
        return slot

    def insert(self, key: int) -> int:
        slot = self._free.pop() if self._free else self._evict()
        if key in self._ghost:
            del self._ghost[key]
            self._main.append(key)
        else:
            self._small.append(key)
        self._slots[key], self._reads[key] = slot, 0
        return slot

    def _evict(self) -> int:
        while True:
            if len(self._small) > self._small_capacity or not self._main:
                key = self._small.popleft()
                if self._reads[key] > 0:
                    self._reads[key] = 0
                    self._main.append(key)
                    continue
                self._ghost[key] = None
                if len(self._ghost) > self._ghost_capacity:
                    self._ghost.popitem(last=False)
                return self._drop(key)
            key = self._main.popleft()
            if self._reads[key] == 0:
                return self._drop(key)
            self._reads[key] -= 1
            self._main.append(key)

    def _drop(self, key: int) -> int:
        del self._reads[key]
        return self._slots.pop(key)


#: Replacement policies by name.
POLICIES = {"s3-fifo": _S3FIFO, "sieve": _Sieve, "lru": _LRU, "clock": _Clock}


class CPUFeatureCache:
    """Rows by id in a block of memory of fixed size.

    Parameters
    ----------
    cache_shape : tuple of int
        ``(capacity, *f)``.
    dtype : torch.dtype
    policy : {"s3-fifo", "sieve", "lru", "clock"}, optional
        Which row makes room for a new one. Default: S3-FIFO.
    pin_memory : bool
        Whether the block is in pinned memory.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> cache = gb.CPUFeatureCache((2, 1), torch.float32, "lru")
    >>> cache.replace(torch.tensor([7]), torch.tensor([[1.0]]))
    >>> values, missing = cache.query(torch.tensor([7, 8]))
    >>> missing
    tensor([1])
    """

    def __init__(
        self,
        cache_shape: tuple[int, ...],
        dtype: torch.dtype,
        policy: str | None = None,
        pin_memory: bool = False,
    ) -> None:
        policy = one_of(policy or "s3-fifo", "CPUFeatureCache", "policy", tuple(POLICIES))
        capacity = as_int(cache_shape[0], "CPUFeatureCache", "cache_shape[0]", 1)
        self._rows = torch.zeros(cache_shape, dtype=dtype, pin_memory=pin_memory)
        self._policy = POLICIES[policy](capacity)
        self.total_queries = 0
        self.total_miss = 0

    @property
    def capacity(self) -> int:
        """Number of rows."""
        return len(self._rows)

    @property
    def max_size_in_bytes(self) -> int:
        """Size of the block."""
        return self._rows.numel() * self._rows.element_size()

    @property
    def miss_rate(self) -> float:
        """Share of the rows asked for so far that were not there."""
        return self.total_miss / self.total_queries if self.total_queries else 1.0

    def is_pinned(self) -> bool:
        """Whether the block is in pinned memory."""
        return self._rows.is_pinned()

    def query(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Return rows for all keys, and the positions of those that are not in the cache.

        Rows at these positions have no meaning.
        """
        found = [self._policy.find(key) for key in keys.tolist()]
        slots = torch.tensor([-1 if slot is None else slot for slot in found], dtype=torch.int64)
        missing = (slots < 0).nonzero().squeeze(1)
        self.total_queries += len(slots)
        self.total_miss += len(missing)
        return self._rows.index_select(0, slots.clamp_(min=0)), missing

    def replace(self, keys: Tensor, values: Tensor) -> None:
        """Put rows into the cache, in place of others if it is full."""
        slots, rows = {}, keys.tolist()
        for position, key in enumerate(rows):
            slot = self._policy.find(key)
            slots[self._policy.insert(key) if slot is None else slot] = position
        places = torch.tensor(list(slots), dtype=torch.int64)
        self._rows[places] = values[torch.tensor(list(slots.values()), dtype=torch.int64)]


class CPUCachedFeature(Feature):
    """A feature with a cache in memory.

    Parameters
    ----------
    fallback_feature : Feature
        The slower store, such as a `DiskBasedFeature`.
    cache : CPUFeatureCache
        May be shared by several features with different offsets.
    offset : int
        Added to ids before they are looked up in the cache.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> slow = gb.TorchBasedFeature(torch.eye(4))
    >>> feature = gb.cpu_cached_feature(slow, 32)
    >>> _ = feature.read(torch.tensor([0, 1])), feature.read(torch.tensor([1, 1]))
    >>> feature.miss_rate
    0.5
    """

    def __init__(self, fallback_feature: Feature, cache: CPUFeatureCache, offset: int = 0) -> None:
        if not isinstance(fallback_feature, Feature):
            raise InvalidTypeError(
                f"{type(self).__name__}: fallback_feature must be a Feature, got "
                f"{type(fallback_feature).__name__}."
            )
        self._fallback_feature = fallback_feature
        self._feature = cache
        self._offset = offset

    def read(self, ids: Tensor | None = None) -> Tensor:
        """Read the rows `ids`, or all rows."""
        if ids is None:
            return self._fallback_feature.read()
        keys = ids.cpu() + self._offset
        values, missing = self._feature.query(keys)
        if len(missing):
            rows = self._fallback_feature.read_stored(ids.cpu()[missing])
            values[missing] = rows
            self._feature.replace(keys[missing], rows)
        return self._fallback_feature.decode(values).to(ids.device)

    def read_async(self, ids: Tensor) -> Iterator[Any]:
        """Read rows; the value yielded has ``wait()``, which returns them."""
        yield Done(self.read(ids))

    def size(self) -> torch.Size:
        """Shape of one row."""
        return self._fallback_feature.size()

    def count(self) -> int:
        """Number of rows."""
        return self._fallback_feature.count()

    def update(self, value: Tensor, ids: Tensor | None = None) -> None:
        """Write rows, to the store and to the cache."""
        self._fallback_feature.update(value, ids)
        keys = torch.arange(len(value)) if ids is None else ids.cpu()
        self._feature.replace(keys + self._offset, value)

    def metadata(self) -> dict[str, Any]:
        """What else is known of the feature."""
        return self._fallback_feature.metadata()

    def is_pinned(self) -> bool:
        """Whether the cache is in pinned memory."""
        return self._feature.is_pinned()

    @property
    def fallback(self) -> Feature:
        """The slower store."""
        return self._fallback_feature

    @property
    def cache_rows(self) -> int:
        """Number of rows that fit the cache, which other features may share."""
        return self._feature.capacity

    @property
    def cache_size_in_bytes(self) -> int:
        """Size of the cache."""
        return self._feature.max_size_in_bytes

    @property
    def miss_rate(self) -> float:
        """Share of the rows asked for so far that were not in the cache."""
        return self._feature.miss_rate


class GPUCachedFeature(CPUCachedFeature):
    """A feature with a cache on the GPU, or in memory where there is none.

    Parameters
    ----------
    fallback_feature : Feature
        The slower store.
    cache : CPUFeatureCache
    offset : int
        Added to ids before they are looked up in the cache.
    """


def _cached(kind: type, fallback: Any, size: int, policy: str | None, pin_memory: bool) -> Any:
    """A cache in front of one feature, or one cache shared by several of a shape."""
    size = as_int(size, kind.__name__, "max_cache_size_in_bytes", 1)
    features = fallback if isinstance(fallback, dict) else {None: fallback}
    shared: dict[tuple, CPUFeatureCache] = {}
    offsets: dict[tuple, int] = {}
    alike: dict[tuple, int] = {}
    samples = {key: _sample(feature) for key, feature in features.items()}
    for sample in samples.values():
        form = (*sample.shape[1:], sample.dtype)
        alike[form] = alike.get(form, 0) + 1
    result: dict[FeatureKey | None, Any] = {}
    for key, feature in features.items():
        sample = samples[key]
        form = (*sample.shape[1:], sample.dtype)
        if form not in shared:
            share = size * alike[form] // len(features)
            rows = bytes_to_number_of_items(share, sample)
            shape = (rows, *sample.shape[1:])
            shared[form] = CPUFeatureCache(shape, sample.dtype, policy, pin_memory)
        result[key] = kind(feature, shared[form], offsets.get(form, 0))
        offsets[form] = offsets.get(form, 0) + feature.count()
    return result if isinstance(fallback, dict) else result[None]


def _sample(feature: Any) -> Tensor:
    if not isinstance(feature, Feature):
        raise InvalidTypeError(f"A Feature is expected, got {type(feature).__name__}.")
    return feature.read_stored(torch.zeros(1, dtype=torch.int64))


def cpu_cached_feature(
    fallback_features: Any,
    max_cache_size_in_bytes: int,
    policy: str | None = None,
    pin_memory: bool = False,
) -> Any:
    """Put a cache in memory in front of one feature or of several.

    Parameters
    ----------
    fallback_features : Feature or dict of keys to Feature
    max_cache_size_in_bytes : int
        Size of all caches together; features of one shape share a cache.
    policy : {"s3-fifo", "sieve", "lru", "clock"}, optional
        Which row makes room for a new one. Default: S3-FIFO.
    pin_memory : bool
        Whether the caches are in pinned memory.

    Returns
    -------
    CPUCachedFeature or dict of keys to CPUCachedFeature
    """
    return _cached(CPUCachedFeature, fallback_features, max_cache_size_in_bytes, policy, pin_memory)


def gpu_cached_feature(fallback_features: Any, max_cache_size_in_bytes: int) -> Any:
    """Put a cache on the GPU, or in memory where there is none, in front of features.

    Parameters
    ----------
    fallback_features : Feature or dict of keys to Feature
    max_cache_size_in_bytes : int
        Size of all caches together.

    Returns
    -------
    GPUCachedFeature or dict of keys to GPUCachedFeature
    """
    return _cached(GPUCachedFeature, fallback_features, max_cache_size_in_bytes, None, False)
