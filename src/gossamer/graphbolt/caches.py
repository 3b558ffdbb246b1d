"""Features with a cache of rows for a slower store."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int, one_of, require, shown
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graphbolt.cache_policies import POLICIES, make_policy
from gossamer.graphbolt.feature_store import (
    Feature,
    FeatureKey,
    bytes_to_number_of_items,
    check_rows,
)

__all__ = [
    "CPUCachedFeature",
    "CPUFeatureCache",
    "GPUCachedFeature",
    "cpu_cached_feature",
    "gpu_cached_feature",
]


class CPUFeatureCache:
    """A cache of rows by id, with a fixed size.

    Parameters
    ----------
    cache_shape : tuple of int
        ``(capacity, *f)``.
    dtype : torch.dtype
        Dtype of the rows.
    policy : {"s3-fifo", "sieve", "lru", "clock"}, optional
        Policy that chooses the row to evict for a new one. Default: S3-FIFO.
    pin_memory : bool
        Whether the cache is in pinned memory.

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
        if not isinstance(cache_shape, (tuple, list)) or not cache_shape:
            raise InvalidTypeError(
                f"CPUFeatureCache: cache_shape is (rows, *shape of a row), got "
                f"{shown(cache_shape)}."
            )
        capacity = as_int(cache_shape[0], "CPUFeatureCache", "cache_shape[0]", 1)
        self._rows = torch.zeros(cache_shape, dtype=dtype, pin_memory=pin_memory)
        self._policy = make_policy(policy, capacity)
        self.total_queries = 0
        self.total_miss = 0

    @property
    def capacity(self) -> int:
        """Number of rows."""
        return len(self._rows)

    @property
    def max_size_in_bytes(self) -> int:
        """Size of the cache in bytes."""
        return self._rows.numel() * self._rows.element_size()

    @property
    def miss_rate(self) -> float:
        """Fraction of the rows requested so far that were not in the cache."""
        return self.total_miss / self.total_queries if self.total_queries else 1.0

    def is_pinned(self) -> bool:
        """Whether the cache is in pinned memory."""
        return self._rows.is_pinned()

    def query(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Return rows for all keys, and the positions of the keys that are not in the cache.

        The values of the rows at these positions are arbitrary.
        """
        slots = self._policy.find(keys)
        missing = (slots < 0).nonzero().squeeze(1)
        self.total_queries += len(slots)
        self.total_miss += len(missing)
        return self._rows.index_select(0, slots.clamp_(min=0)), missing

    def replace(self, keys: Tensor, values: Tensor) -> None:
        """Put rows into the cache, replacing others if it is full."""
        slots = self._policy.insert(keys).tolist()
        # A later row may have replaced an earlier one.
        last = dict(zip(slots, range(len(slots)), strict=True))
        places = torch.tensor(list(last), dtype=torch.int64)
        self._rows[places] = values[torch.tensor(list(last.values()), dtype=torch.int64)]


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
        name = type(self).__name__
        fix = "Use cpu_cached_feature(feature, bytes), which makes both."
        require(fallback_feature, Feature, name, "fallback_feature", fix)
        require(cache, CPUFeatureCache, name, "cache", fix)
        self._fallback_feature = fallback_feature
        self._feature = cache
        self._offset = as_int(offset, name, "offset", 0)

    def read(self, ids: Tensor | None = None) -> Tensor:
        """Read the rows `ids`, or all rows."""
        if ids is None:
            return self._fallback_feature.read()
        # Before the look-up, in which an invalid id may be the key of another feature's row.
        check_rows(ids, self.count())
        keys = ids.cpu() + self._offset
        values, missing = self._feature.query(keys)
        if len(missing):
            rows = self._fallback_feature.read_stored(ids.cpu()[missing])
            values[missing] = rows
            self._feature.replace(keys[missing], rows)
        return self._fallback_feature.decode(values).to(ids.device)

    def size(self) -> torch.Size:
        """Shape of one row."""
        return self._fallback_feature.size()

    def count(self) -> int:
        """Number of rows."""
        return self._fallback_feature.count()

    def update(self, value: Tensor, ids: Tensor | None = None) -> None:
        """Write rows to the store and to the cache; the number of rows cannot change."""
        require(value, Tensor, "update", "value", "Give the rows as a tensor.")
        if ids is None and len(value) != self.count():
            raise InvalidValueError(
                f"update: a feature with a cache keeps its {self.count()} rows, got {len(value)}."
            )
        self._fallback_feature.update(value, ids)
        rows = torch.arange(len(value)) if ids is None else ids.cpu()
        # Read back from the store, whose dtype may differ from that of `value`.
        self._feature.replace(rows + self._offset, self._fallback_feature.read_stored(rows))

    def metadata(self) -> dict[str, Any]:
        """Metadata of the feature."""
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
        """Number of rows that fit in the cache, which other features may share."""
        return self._feature.capacity

    @property
    def cache_size_in_bytes(self) -> int:
        """Size of the cache in bytes."""
        return self._feature.max_size_in_bytes

    @property
    def miss_rate(self) -> float:
        """Fraction of the rows requested so far that were not in the cache."""
        return self._feature.miss_rate


class GPUCachedFeature(CPUCachedFeature):
    """A feature with a cache on the GPU, or in CPU memory if there is no GPU.

    Parameters
    ----------
    fallback_feature : Feature
        The slower store.
    cache : CPUFeatureCache
    offset : int
        Added to ids before they are looked up in the cache.
    """


def _cached(kind: type, fallback: Any, size: int, policy: str | None, pin_memory: bool) -> Any:
    """Create a cache for one feature, or one shared cache for several features of one shape."""
    size = as_int(size, kind.__name__, "max_cache_size_in_bytes", 1)
    features = fallback if isinstance(fallback, dict) else {None: fallback}
    samples = {key: _sample(feature) for key, feature in features.items()}
    forms = {key: (sample.shape[1:], sample.dtype) for key, sample in samples.items()}
    alike, offsets = Counter(forms.values()), Counter()
    shared: dict[tuple, CPUFeatureCache] = {}
    result: dict[FeatureKey | None, Any] = {}
    for key, feature in features.items():
        form = shape, dtype = forms[key]
        if form not in shared:
            share = size * alike[form] // len(features)
            rows = bytes_to_number_of_items(share, samples[key])
            shared[form] = CPUFeatureCache((rows, *shape), dtype, policy, pin_memory)
        result[key] = kind(feature, shared[form], offsets[form])
        offsets[form] += feature.count()
    return result if isinstance(fallback, dict) else result[None]


def _sample(feature: Any) -> Tensor:
    fix = "Give Feature objects, such as DiskBasedFeature(path)."
    require(feature, Feature, "A cache", "the feature behind it", fix)
    return feature.read_stored(torch.zeros(1, dtype=torch.int64))


def cpu_cached_feature(
    fallback_features: Any,
    max_cache_size_in_bytes: int,
    policy: str | None = None,
    pin_memory: bool = False,
) -> Any:
    """Cache one feature or several features in CPU memory.

    Parameters
    ----------
    fallback_features : Feature or dict of keys to Feature
    max_cache_size_in_bytes : int
        Total size of all caches; features of one shape share a cache.
    policy : {"s3-fifo", "sieve", "lru", "clock"}, optional
        Policy that chooses the row to evict for a new one. Default: S3-FIFO.
    pin_memory : bool
        Whether the caches are in pinned memory.

    Returns
    -------
    CPUCachedFeature or dict of keys to CPUCachedFeature
    """
    return _cached(CPUCachedFeature, fallback_features, max_cache_size_in_bytes, policy, pin_memory)


def gpu_cached_feature(fallback_features: Any, max_cache_size_in_bytes: int) -> Any:
    """Cache features on the GPU, or in CPU memory if there is no GPU.

    Parameters
    ----------
    fallback_features : Feature or dict of keys to Feature
    max_cache_size_in_bytes : int
        Total size of all caches.

    Returns
    -------
    GPUCachedFeature or dict of keys to GPUCachedFeature
    """
    return _cached(GPUCachedFeature, fallback_features, max_cache_size_in_bytes, None, False)
