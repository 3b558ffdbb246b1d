"""Reading features ahead, with caching decisions based on the sampled batches.

The rows that a window of batches reads are known once the batches are sampled. For each feature

- a cache keeps the rows that are needed again soonest (Belady's rule, which minimizes the number of
  misses),
- all other rows of the window are read in one pass over the file, in the order of the file, and
  stored batch by batch: in memory if there is enough, otherwise in a temporary file.

Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems Journal
1966. Park et al., "Ginex", VLDB 2022, and Liu et al., "DiskGNN", SIGMOD 2025, use it for training.
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import FileError
from gossamer.graphbolt.caches import CPUCachedFeature
from gossamer.graphbolt.disk_feature import DiskBasedFeature
from gossamer.graphbolt.feature_store import check_rows

__all__ = ["PlannedFeature", "plan_for"]

#: Bytes of the default cache, for a feature without a cache.
CACHE_BYTES = 256 << 20

_NEVER = torch.iinfo(torch.int32).max
#: Rows that are read in one step of a pass.
_STEP = 1 << 20


@dataclass
class _Batch:
    """The plan that assembles the rows of one batch."""

    slots: Tensor  # for each row, its slot in the cache; 0 if it is laid out
    missing: Tensor  # which rows are laid out
    laid_out: Tensor  # for each of these, its position among the laid-out rows of the batch
    rows: Tensor  # ids of the rows that are laid out
    kept: Tensor  # which of those are put into the cache
    kept_slots: Tensor  # their slots in the cache
    stored: Tensor | None = None  # the rows that are laid out


class PlannedFeature:
    """A feature on disk whose rows are read for known batches.

    Parameters
    ----------
    feature : DiskBasedFeature
    capacity : int
        Number of rows in the cache. Up to this many rows of a window are laid out in memory, more
        in a temporary file in the folder of the feature.

    Attributes
    ----------
    total_queries, total_miss : int
        Number of rows that batches requested, and how many of them were not in the cache.
    """

    def __init__(self, feature: DiskBasedFeature, capacity: int) -> None:
        count = feature.count()
        self.feature = feature
        self.total_queries = self.total_miss = 0
        self._capacity = min(capacity, count)
        self._row_bytes = feature.row_bytes
        self._cache = torch.empty((self._capacity, self._row_bytes), dtype=torch.uint8)
        # Planning runs ahead of reading, so the plan keeps its own record of the cache.
        self._slot_of = torch.full((count,), -1, dtype=torch.int32)
        self._row_in = torch.full((self._capacity,), -1, dtype=torch.int64)
        self._use_of = torch.full((self._capacity,), _NEVER, dtype=torch.int32)
        self._next = torch.full((count,), _NEVER, dtype=torch.int32)
        self._filled = 0

    # -------------------------------------------------------------------------------- planning

    def prepare(self, window: list[Tensor], known: list[Tensor]) -> list[_Batch]:
        """Plan for a window of batches and read its rows.

        Parameters
        ----------
        window : list of Tensor
            The ids that each batch reads.
        known : list of Tensor
            The ids that the following batches read, as far as known.
        """
        for ids in (*window, *known):
            check_rows(ids, self.feature.count(), repr(self.feature))
        uses = self._next_uses([*window, *known])
        batches = [self._plan(ids, use) for ids, use in zip(window, uses, strict=False)]
        self._lay_out(batches)
        return batches

    def _next_uses(self, batches: list[Tensor]) -> list[Tensor]:
        """Return for each row of each batch the number of the next batch that reads it."""
        uses = []
        for number in reversed(range(len(batches))):
            ids = batches[number]
            uses.append(self._next[ids])
            self._next[ids] = number
        held = self._row_in[: self._filled]
        self._use_of[: self._filled] = self._next[held]
        for ids in batches:
            self._next[ids] = _NEVER
        return uses[::-1]

    def _plan(self, ids: Tensor, use: Tensor) -> _Batch:
        slots = self._slot_of[ids]
        hit = slots >= 0
        missing = (~hit).nonzero().squeeze(1)
        self._use_of[slots[hit].long()] = use[hit]
        # A row may occur more than once in a batch; it is read once.
        rows, inverse = torch.unique(ids[missing], return_inverse=True)
        first = torch.empty_like(rows)
        first[inverse] = missing
        self.total_queries += len(ids)
        self.total_miss += len(missing)
        kept, kept_slots = self._keep(rows, use[first])
        return _Batch(slots.clamp_(min=0), missing, inverse, rows, kept, kept_slots)

    def _keep(self, rows: Tensor, use: Tensor) -> tuple[Tensor, Tensor]:
        """Choose the new rows to keep and their slots, replacing rows that are needed later."""
        order = use.argsort(stable=True)
        room = min(self._capacity - self._filled, len(rows))
        slots = torch.arange(self._filled, self._filled + room)
        self._filled += room
        self._place(rows[order[:room]], use[order[:room]], slots)
        rest = order[room:]
        rest = rest[use[rest] < _NEVER][: self._capacity]
        latest, victims = self._use_of.topk(len(rest))
        # One is in ascending and the other in descending order, so better rows come first.
        better = int((use[rest] < latest).sum())
        rest, victims = rest[:better], victims[:better]
        self._slot_of[self._row_in[victims]] = -1
        self._place(rows[rest], use[rest], victims)
        return torch.cat([order[:room], rest]), torch.cat([slots, victims])

    def _place(self, rows: Tensor, use: Tensor, slots: Tensor) -> None:
        self._slot_of[rows] = slots.int()
        self._row_in[slots] = rows
        self._use_of[slots] = use

    # --------------------------------------------------------------------------------- reading

    def _lay_out(self, batches: list[_Batch]) -> None:
        """Read the rows of all batches in the order of the file, and lay them out by batch."""
        ids = torch.cat([batch.rows for batch in batches])
        room = _room(len(ids), self._row_bytes, self._capacity, self.feature)
        ordered, places = ids.sort()
        for first in range(0, len(ids), _STEP):
            piece = slice(first, first + _STEP)
            self.feature.read_into(ordered[piece], places[piece], room)
        sizes = [len(batch.rows) for batch in batches]
        for batch, stored in zip(batches, room.split(sizes), strict=True):
            batch.stored = stored

    def collect(self, batch: _Batch) -> Tensor:
        """Return the rows of a batch; batches must be collected in the order of their plans."""
        laid_out, cache = _wide(batch.stored), _wide(self._cache)
        rows = cache.index_select(0, batch.slots)
        rows[batch.missing] = laid_out.index_select(0, batch.laid_out)
        cache[batch.kept_slots] = laid_out.index_select(0, batch.kept)
        batch.stored = None
        return self.feature.decode(rows.view(torch.uint8))


def plan_for(feature: Any) -> PlannedFeature | None:
    """Return the plan of a feature on disk, cached or not; None for any other feature."""
    if isinstance(feature, CPUCachedFeature) and isinstance(feature.fallback, DiskBasedFeature):
        return PlannedFeature(feature.fallback, feature.cache_rows)
    if isinstance(feature, DiskBasedFeature):
        return PlannedFeature(feature, max(CACHE_BYTES // max(feature.row_bytes, 1), 1))
    return None


def _wide(rows: Tensor) -> Tensor:
    """View rows of bytes as rows of the widest possible integers, which torch copies faster."""
    size = math.gcd(rows.shape[1] or 1, 8)
    return rows.view({1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[size])


def _room(count: int, row_bytes: int, in_memory: int, feature: DiskBasedFeature) -> Tensor:
    """Allocate memory for rows, in an unnamed temporary file if there are many."""
    size = count * row_bytes
    if count <= in_memory or not size:
        return torch.empty((count, row_bytes), dtype=torch.uint8)
    with tempfile.TemporaryFile(dir=feature.folder) as file:
        _allocate(file.fileno(), size, feature.folder)
        mapped = mmap.mmap(file.fileno(), size)
    return torch.frombuffer(mapped, dtype=torch.uint8).view(count, row_bytes)


def _allocate(file: int, size: int, folder: Path) -> None:
    """Allocate the disk blocks of a file: writing to a mapped page without one kills the process.

    Raises
    ------
    FileError
        If the disk does not have enough space.
    """
    if not hasattr(os, "posix_fallocate"):
        os.truncate(file, size)
        return
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as error:
        raise FileError(
            f"Cannot lay out {size / 1e6:,.0f} MB of rows in {folder}: {error.strerror}. Free "
            "space on the disk, or choose a smaller lookahead."
        ) from None
