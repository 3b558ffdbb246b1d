"""Layer-neighbor sampling, in which all rows share the random number of a source node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.kernels.rows import row_starts
from gossamer.kernels.splitmix import random_unit
from gossamer.ops.adjacency import Compressed
from gossamer.sampling import _core

__all__ = ["by_weight", "labor_layer"]


def labor_layer(relations: Sequence[_core.Relation]) -> list[_core.Drawn]:
    """Draw edges for the rows of all relations; those with the same key share random numbers.

    Without weights, an edge is drawn if the random number of its source is less than
    fanout / degree; with weights, see :func:`by_weight`. Returns the same as
    :func:`gossamer.sampling._core.layer`.
    """
    weights = [None if r.candidates is None else r.candidates.weights for r in relations]
    plain = [r for r, own in zip(relations, weights, strict=True) if own is None]
    drawn = iter(kernels.sample_labors(plain[0].rows, plain) if plain else [])
    found = []
    for number, (r, own) in enumerate(zip(relations, weights, strict=True)):
        if own is None:
            found.append(next(drawn))
            continue
        csc, numbers = Compressed(r.indptr, r.indices, r.eids), partial(random_unit, r.key)
        try:
            found.append(by_weight(csc, r.rows, r.fanout, own, r.excluded, numbers)[0])
        except _core.BadWeightsError:
            raise _core.BadWeightsError(number) from None
    return found


def by_weight(
    csc: Compressed,
    rows: Tensor,
    fanout: int,
    weights: Tensor | None,
    excluded: Tensor | None,
    numbers: Callable[[Tensor], Tensor],
    rounds: int = 0,
) -> tuple[_core.Drawn, Tensor]:
    """Draw edges with the probabilities of `gossamer.kernels.labor_chances`.

    Parameters
    ----------
    csc, rows, fanout, excluded
        As for :func:`gossamer.sampling._core.relation`.
    weights : Tensor, optional
        Weights by edge id. Default: equal weights.
    numbers : callable
        ``numbers(nodes)`` returns the random number of each source, in [0, 1).
    rounds : int
        Number of iterations that improve the importances of sources; -1 to iterate until they
        converge.

    Returns
    -------
    drawn : (starts, neighbors, edges)
        As from :func:`gossamer.sampling._core.layer`.
    importance : Tensor
        Weight of each edge in the weighted mean of its row, float32; the mean over a row is 1.

    Raises
    ------
    BadWeightsError
        If a row has weights that are negative or not finite.
    """
    owner, neighbor, edges = csc.gather_rows(rows)
    starts = row_starts(torch.bincount(owner, minlength=len(rows)))
    w = torch.ones(len(edges), dtype=torch.float64, device=rows.device)
    if weights is not None:
        w = _core.as_weights(weights).index_select(0, edges).double()
        if not bool((w.isfinite() & (w >= 0)).all()):
            raise _core.BadWeightsError(0)
        starts, (neighbor, edges, w) = _chosen(w > 0, starts, neighbor, edges, w)
    if fanout == 0 or not len(edges):
        starts, (neighbor, edges, w) = _chosen(w < 0, starts, neighbor, edges, w)
        return (starts, neighbor.to(rows.dtype), edges.to(rows.dtype)), w.float()
    (nodes,), ((place,),), _ = _core.number_nodes(
        [[neighbor]], [int(neighbor.max()) + 1], torch.int32
    )
    most = len(edges) if fanout < 0 else fanout
    chance = kernels.labor_chances(starts, place, w, len(nodes), most, rounds)
    kept = numbers(nodes).index_select(0, place) < chance
    if excluded is not None:
        kept &= torch.isin(edges, excluded, invert=True)
    starts, (neighbor, edges, w, chance) = _chosen(kept, starts, neighbor, edges, w, chance)
    importance = w / chance
    counts = starts.diff()
    owner = torch.arange(len(counts), device=rows.device).repeat_interleave(counts)
    total = torch.zeros(len(counts), dtype=w.dtype, device=rows.device)
    total.index_add_(0, owner, importance)
    importance *= (counts / total).index_select(0, owner)
    return (starts, neighbor.to(rows.dtype), edges.to(rows.dtype)), importance.float()


def _chosen(kept: Tensor, starts: Tensor, *columns: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The entries that are kept, and the offsets of each row."""
    positions = kept.nonzero().squeeze(1)
    if len(positions) == len(kept):
        return starts, list(columns)
    return torch.searchsorted(positions, starts), [x.index_select(0, positions) for x in columns]
