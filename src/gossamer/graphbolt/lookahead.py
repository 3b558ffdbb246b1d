"""Reading features ahead: which rows to keep and which to read is decided with the batches known.

The rows that a window of batches reads are known once the batches are drawn. For each feature

- a cache keeps the rows that are needed again soonest (Belady's rule, which no cache that does not
  know the future can beat),
- all other rows of the window are read in one pass over the file, in the order of the file, and
  laid out batch after batch: in memory if there is room, else in a temporary file.

Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems Journal
1966. Park et al., "Ginex", VLDB 2022, and Liu et al., "DiskGNN", SIGMOD 2025, do so for training.
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

#: Bytes of the cache of a feature that has none.
CACHE_BYTES = 256 << 20

_NEVER = torch.iinfo(torch.int32).max
#: Rows that are read in one step of a pass.
_STEP = 1 << 20


@dataclass
class _Batch:
    """How the rows of one batch are put together."""

    slots: Tensor  # for each row its place in the cache; 0 if it is laid out
    missing: Tensor  # which rows are laid out
    laid_out: Tensor  # and for each its place among those of the batch
    rows: Tensor  # ids of the rows that are laid out
    kept: Tensor  # which of those go into the cache
    kept_slots: Tensor  # and where
    stored: Tensor | None = None  # the rows that are laid out


class PlannedFeature:
    """A feature on disk of which the rows of known batches are read.

    Parameters
    ----------
    feature : DiskBasedFeature
    capacity : int
        Rows in the cache. As many rows of a window are laid out in memory, more than that in a
        temporary file in the folder of the feature.

    Attributes
    ----------
    total_queries, total_miss : int
        Rows that batches requested, and those that were not in the cache.
    """

    def __init__(self, feature: DiskBasedFeature, capacity: int) -> None:
        count = feature.count()
        self.feature = feature
        self.total_queries = self.total_miss = 0
        self._capacity = min(capacity, count)
        self._row_bytes = feature.row_bytes
        self._cache = torch.empty((self._capacity, self._row_bytes), dtype=torch.uint8)
        # Planning runs ahead of reading, so the plan has a view of the cache of its own.
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
            Those of batches that follow, as far as they are known.
        """
        for ids in (*window, *known):
            check_rows(ids, self.feature.count(), repr(self.feature))
        uses = self._next_uses([*window, *known])
        batches = [self._plan(ids, use) for ids, use in zip(window, uses, strict=False)]
        self._lay_out(batches)
        return batches

    def _next_uses(self, batches: list[Tensor]) -> list[Tensor]:
        """For each row of each batch the number of the next batch that reads it."""
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
        # A row may stand more than once in a batch; it is read once.
        rows, inverse = torch.unique(ids[missing], return_inverse=True)
        first = torch.empty_like(rows)
        first[inverse] = missing
        self.total_queries += len(ids)
        self.total_miss += len(missing)
        kept, kept_slots = self._keep(rows, use[first])
        return _Batch(slots.clamp_(min=0), missing, inverse, rows, kept, kept_slots)

    def _keep(self, rows: Tensor, use: Tensor) -> tuple[Tensor, Tensor]:
        """Choose which new rows to keep, and their places: where no row is needed sooner."""
        order = use.argsort(stable=True)
        room = min(self._capacity - self._filled, len(rows))
        slots = torch.arange(self._filled, self._filled + room)
        self._filled += room
        self._place(rows[order[:room]], use[order[:room]], slots)
        rest = order[room:]
        rest = rest[use[rest] < _NEVER][: self._capacity]
        latest, victims = self._use_of.topk(len(rest))
        # One is sorted up, the other down, so those that are better come first.
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
        """The rows of the next batch, in order; batches are collected as they were prepared."""
        laid_out, cache = _wide(batch.stored), _wide(self._cache)
        rows = cache.index_select(0, batch.slots)
        rows[batch.missing] = laid_out.index_select(0, batch.laid_out)
        cache[batch.kept_slots] = laid_out.index_select(0, batch.kept)
        batch.stored = None
        return self.feature.decode(rows.view(torch.uint8))


def plan_for(feature: Any) -> PlannedFeature | None:
    """The plan of a feature on disk, cached or not; None for any other."""
    if isinstance(feature, CPUCachedFeature) and isinstance(feature.fallback, DiskBasedFeature):
        return PlannedFeature(feature.fallback, feature.cache_rows)
    if isinstance(feature, DiskBasedFeature):
        return PlannedFeature(feature, max(CACHE_BYTES // max(feature.row_bytes, 1), 1))
    return None


def _wide(rows: Tensor) -> Tensor:
    """Rows of bytes as rows of the widest integers that fit: torch copies these faster."""
    size = math.gcd(rows.shape[1] or 1, 8)
    return rows.view({1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[size])


def _room(count: int, row_bytes: int, in_memory: int, feature: DiskBasedFeature) -> Tensor:
    """Memory for rows; in a temporary file without a name if they are many."""
    size = count * row_bytes
    if count <= in_memory or not size:
        return torch.empty((count, row_bytes), dtype=torch.uint8)
    with tempfile.TemporaryFile(dir=feature.folder) as file:
        _allocate(file.fileno(), size, feature.folder)
        mapped = mmap.mmap(file.fileno(), size)
    return torch.frombuffer(mapped, dtype=torch.uint8).view(count, row_bytes)


def _allocate(file: int, size: int, folder: Path) -> None:
    """Give the file its blocks on the disk: a store to a mapped one without would end the process.

    Raises
    ------
    FileError
        If the disk has no room for them.
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
