"""Edges by row, and the candidates among them that may be drawn."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.rows import row_starts

__all__ = [
    "BadWeightsError",
    "Candidates",
    "Drawn",
    "Relation",
    "candidates_of",
    "edges_in",
]


class BadWeightsError(Exception):
    """Raised if a row has weights that are negative or not finite."""

    def __init__(self, relation: int) -> None:
        super().__init__(relation)
        self.relation = relation


class Candidates(NamedTuple):
    """The slots of each row that may be drawn.

    Row ``r`` owns the candidates ``indptr[r]`` to ``indptr[r + 1] - 1``; candidate ``c`` is the
    slot ``slots[c]``, or ``c`` if `slots` is None. `sums` has the running sums of their weights,
    scaled so that the largest weight of the row is 1; None for equal weights. The last sum of a row
    with invalid weights is NaN. `weights` are the unscaled weights by edge id.
    """

    indptr: Tensor
    slots: Tensor | None
    sums: Tensor | None
    weights: Tensor | None
    local: bool  # row i is the i-th row to draw for, not row number i


class Relation(NamedTuple):
    """The edges of one relation by row, and the rows for which to draw edges."""

    indptr: Tensor
    indices: Tensor
    eids: Tensor | None
    rows: Tensor
    fanout: int  # -1 for all
    key: int
    candidates: Candidates | None = None
    excluded: Tensor | None = None  # edge ids, ascending int64

    @property
    def pool(self) -> Candidates:
        """The candidates; by default, all slots."""
        return self.candidates or Candidates(self.indptr, None, None, None, False)


Drawn = tuple[Tensor, Tensor, Tensor]  # starts, neighbors, edge ids


@kernel("candidates_of", operands=("indptr",))
def candidates_of(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    rows: Tensor | None,
    weights: Tensor | None,
) -> Candidates:
    """Return the slots with a nonzero weight.

    Parameters
    ----------
    rows : Tensor, optional
        Rows to include; row ``i`` of the result is ``rows[i]``. Default: all rows.
    weights : Tensor, optional
        By edge id: float32, float64, or uint8 for a mask.
    """
    every = torch.arange(len(indptr) - 1, device=indptr.device) if rows is None else rows.long()
    first, last = indptr[every].long(), indptr[every + 1].long()
    owner = torch.arange(len(every), device=indptr.device).repeat_interleave(last - first)
    behind = torch.arange(len(owner), device=indptr.device)
    slots = first[owner] + behind - ((last - first).cumsum(0) - (last - first))[owner]
    edges = slots if eids is None else eids[slots].long()
    if weights is not None:
        kept = weights[edges] != 0
        owner, slots, edges = owner[kept], slots[kept], edges[kept]
    starts = row_starts(torch.bincount(owner, minlength=len(every))).to(indptr.dtype)
    everything = rows is None and len(slots) == len(indices)
    sums = None
    if weights is not None and weights.dtype != torch.uint8:
        sums = _running_sums(weights[edges].double(), starts)
    else:
        weights = None
    return Candidates(
        indptr if everything else starts,
        None if everything else slots.to(indptr.dtype),
        sums,
        weights,
        rows is not None,
    )


def _running_sums(weights: Tensor, starts: Tensor) -> Tensor:
    sums = torch.empty_like(weights)
    bounds = starts.tolist()
    for begin, end in pairwise(bounds):
        if begin == end:
            continue
        row = weights[begin:end]
        sums[begin:end] = (row / row.max()).cumsum(0)
        if not bool((row.isfinite() & (row > 0)).all()):
            sums[end - 1] = math.nan
    return sums


def edges_in(relation: Relation, owner: Tensor, slots: Tensor) -> Drawn:
    """Return the edges in `slots` by row, without the excluded edges."""
    rows = relation.rows
    edges = slots if relation.eids is None else relation.eids[slots].long()
    if relation.excluded is not None:
        kept = torch.isin(edges, relation.excluded, invert=True)
        owner, slots, edges = owner[kept], slots[kept], edges[kept]
    starts = row_starts(torch.bincount(owner, minlength=len(rows)))
    return starts, relation.indices[slots].to(rows.dtype), edges.to(rows.dtype)
