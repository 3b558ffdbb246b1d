"""Replacement policies, which choose the rows that a cache of fixed size keeps."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

import torch
from torch import Tensor

from gossamer import kernels

__all__ = ["POLICIES", "NativePolicy", "ReferencePolicy", "make_policy"]


class _LRU:
    """LRU: evicts the least recently read row."""

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
    """CLOCK (second chance): a pointer cycles over the rows and skips those read recently."""

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
    """SIEVE: a queue in which rows keep their position; a pointer moves from old to new.

    Zhang et al., "SIEVE is simpler than LRU", NSDI 2024.
    """

    def __init__(self, capacity: int) -> None:
        self._slots: OrderedDict[int, int] = OrderedDict()  # old to new
        self._used: dict[int, bool] = {}
        self._free = list(range(capacity))[::-1]
        self._hand: int | None = None

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
        keys = list(self._slots)
        at = 0 if self._hand is None else keys.index(self._hand)
        while self._used[keys[at]]:
            self._used[keys[at]] = False
            at = (at + 1) % len(keys)
        self._hand = keys[at + 1] if at + 1 < len(keys) else None
        del self._used[keys[at]]
        return self._slots.pop(keys[at])


class _S3FIFO:
    """S3-FIFO: rows read once are soon evicted from a small queue; others move to the main queue.

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


class ReferencePolicy:
    """A policy of this module that takes tensors of keys."""

    def __init__(self, name: str, capacity: int) -> None:
        self._policy = POLICIES[name](capacity)

    def find(self, keys: Tensor) -> Tensor:
        """Return the slot of each key, -1 for keys that are not in the cache."""
        found = [self._policy.find(key) for key in keys.tolist()]
        return torch.tensor([-1 if slot is None else slot for slot in found], dtype=torch.int64)

    def insert(self, keys: Tensor) -> Tensor:
        """Insert keys and return their slots; keys already in the cache keep their slot."""
        slots = []
        for key in keys.tolist():
            slot = self._policy.find(key)
            slots.append(self._policy.insert(key) if slot is None else slot)
        return torch.tensor(slots, dtype=torch.int64)


class NativePolicy:
    """A policy of the native core that takes tensors of keys. A copy is empty at first."""

    def __init__(self, name: str, capacity: int) -> None:
        self._options = name, capacity
        self._policy = kernels.native().core.cache_policy(name, capacity)

    def find(self, keys: Tensor) -> Tensor:
        """Return the slot of each key, -1 for keys that are not in the cache."""
        return self._run(self._policy.find, keys)

    def insert(self, keys: Tensor) -> Tensor:
        """Insert keys and return their slots; keys already in the cache keep their slot."""
        return self._run(self._policy.insert, keys)

    def _run(self, function: Callable[[int, int, int], None], keys: Tensor) -> Tensor:
        keys = keys.to(torch.int64).contiguous()
        slots = torch.empty_like(keys)
        function(keys.data_ptr(), len(keys), slots.data_ptr())
        return slots

    def __reduce__(self) -> tuple[type, tuple[str, int]]:
        return NativePolicy, self._options


def make_policy(name: str, capacity: int) -> ReferencePolicy | NativePolicy:
    """Create the policy `name` for a cache with `capacity` slots."""
    return (ReferencePolicy if kernels.native() is None else NativePolicy)(name, capacity)
