"""Relabeling: map ids of a large graph to positions in a list of selected ids, and back.

A lookup table with one entry per node is the fastest map, but filling it takes time; for few ids
of a large graph, sorting is faster.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gossamer import kernels

__all__ = ["IdMap", "compact_ends", "distinct", "relabel"]

# Sorting one id costs as much as filling a few hundred entries of a table.
_TABLE_PER_ID = 512


def _table_pays(num_ids: int, limit: int) -> bool:
    return limit <= _TABLE_PER_ID * (num_ids + 1)


def _position_dtype(count: int) -> torch.dtype:
    return torch.int32 if count < 2**31 - 1 else torch.int64


class IdMap:
    """The position of each id in the list `ids`; -1 for ids that are not in it.

    Parameters
    ----------
    ids : Tensor
        Ids from 0 to ``limit - 1``.
    limit : int
        Number of possible ids.
    last : bool
        Whether a repeated id is mapped to its last position; otherwise, to its first.
    """

    def __init__(self, ids: Tensor, limit: int, *, last: bool = False) -> None:
        self._ids, self._limit, self._last = ids, limit, last
        self._table: Tensor | None = None

    def __call__(self, queries: Tensor) -> Tensor:
        """The position of each of `queries`."""
        table = self.table(len(queries))
        return self._search(queries) if table is None else table.index_select(0, queries)

    def table(self, num_queries: int) -> Tensor | None:
        """The position of every possible id, or None if a table does not pay for so few queries."""
        if self._table is None and not _table_pays(len(self._ids) + num_queries, self._limit):
            return None
        if self._table is None:
            count = len(self._ids)
            form = {"dtype": _position_dtype(count), "device": self._ids.device}
            self._table = torch.full((self._limit,), -1, **form)
            places = torch.arange(count, **form)
            which = "amax" if self._last else "amin"
            self._table.scatter_reduce_(0, self._ids.long(), places, which, include_self=False)
        return self._table

    def _search(self, queries: Tensor) -> Tensor:
        if len(self._ids) == 0:
            return queries.new_full(queries.shape, -1)
        ids, order = torch.sort(self._ids, stable=True)
        if self._last:
            at = torch.searchsorted(ids, queries, right=True).sub_(1).clamp_(min=0)
        else:
            at = torch.searchsorted(ids, queries).clamp_(max=len(ids) - 1)
        return torch.where(ids[at] == queries, order[at], -1)


def distinct(ids: Tensor, limit: int) -> Tensor:
    """The distinct `ids`, ascending; all are below `limit`."""
    if not _table_pays(len(ids), limit):
        return torch.unique(ids)
    present = torch.zeros(limit, dtype=torch.bool, device=ids.device)
    present.index_fill_(0, ids.long(), True)
    return present.nonzero().squeeze(1).to(ids.dtype)


def relabel(parts: Sequence[Tensor], limit: int) -> tuple[Tensor, list[Tensor]]:
    """Number the ids in `parts` in the order of their first appearance.

    Returns
    -------
    (Tensor, list of Tensor)
        The distinct ids in that order, and each part with ids replaced by their positions.
    """
    ids = torch.cat(list(parts))
    if _table_pays(len(ids), limit):
        fresh, places = kernels.unique_relabel(ids, limit)
    else:
        values, inverse = torch.unique(ids, return_inverse=True)
        fresh, places = kernels.unique_relabel(inverse, len(values))
        fresh = values.index_select(0, fresh)
    return fresh, list(places.to(ids.dtype).split([len(part) for part in parts]))


def compact_ends(
    endpoints: Sequence[tuple[int, int]],
    ends: Sequence[tuple[Tensor, Tensor]],
    counts: Sequence[int],
    preserved: Sequence[Tensor] | None = None,
) -> tuple[list[Tensor], list[tuple[Tensor, Tensor]]]:
    """Number the nodes of each type in the order in which they occur in edges, sources first.

    Parameters
    ----------
    endpoints : list of (int, int)
        Positions of the source and destination type of each relation.
    ends : list of (Tensor, Tensor)
        Sources and destinations of each relation; at least one.
    counts : list of int
        Number of nodes of each type.
    preserved : list of Tensor, optional
        Nodes of each type that come first.

    Returns
    -------
    (list of Tensor, list of (Tensor, Tensor))
        The nodes of each type in their new order, and the renumbered ends.
    """
    no_ids = ends[0][0].new_empty(0)
    parts = [[no_ids] if preserved is None else [ids] for ids in preserved or counts]
    for (src, dst), (row, col) in zip(endpoints, ends, strict=True):
        parts[src].append(row)
        parts[dst].append(col)
    nodes, queues = [], []
    for ids, count in zip(parts, counts, strict=True):
        fresh, renumbered = relabel(ids, count)
        nodes.append(fresh)
        queues.append(iter(renumbered[1:]))
    return nodes, [(next(queues[src]), next(queues[dst])) for src, dst in endpoints]
