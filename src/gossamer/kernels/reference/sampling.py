"""Random neighbors, with the same random numbers as the native kernels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference.candidates import BadWeightsError, Drawn, Relation, edges_in
from gossamer.kernels.splitmix import random_unit, row_keys

__all__ = ["sample_neighbors"]

_FEW = 64  # up to this fanout, edges are drawn one by one; above it, by exponential times


@kernel("sample_neighbors", operands=("like",))
def sample_neighbors(like: Tensor, relations: Sequence[Relation], replace: bool) -> list[Drawn]:
    """Draw edges for the rows of each relation.

    Without replacement, all candidates of a row are drawn if there are at most `fanout`, and the
    slots of a row are ascending. Draw ``n`` of the row at position ``i`` depends only on the key,
    ``i`` and ``n``.

    Parameters
    ----------
    like : Tensor
        A tensor with the dtype and device of the rows.

    Returns
    -------
    list of (starts, neighbors, edges)
        For each relation: the position of the first edge of each row, ``(R + 1,)`` int64, and the
        neighbor and id of each edge, in the dtype of `rows`.

    Raises
    ------
    BadWeightsError
        If a row has weights that are negative or not finite.
    """
    return [_draw(relation, number, replace) for number, relation in enumerate(relations)]


def _draw(relation: Relation, number: int, replace: bool) -> Drawn:
    indptr, slots_of, sums, _, local = relation.pool
    rows, fanout = relation.rows, relation.fanout
    at = torch.arange(len(rows), device=rows.device) if local else rows.long()
    first = indptr[at].long()
    degrees = indptr[at + 1].long() - first
    keys = row_keys(relation.key, rows)
    picked: list[Tensor] = []
    for row, (start, degree) in enumerate(zip(first.tolist(), degrees.tolist(), strict=True)):
        own = None if sums is None or not degree else sums[start : start + degree]
        if own is not None and bool(own[-1].isnan()):
            raise BadWeightsError(number)
        if fanout < 0 or (not replace and degree <= fanout):
            chosen = torch.arange(degree, device=rows.device)
        elif not degree:
            chosen = torch.empty(0, dtype=torch.int64, device=rows.device)
        elif replace:
            chosen = _any(keys[row], degree, fanout, own)
        elif own is not None:
            chosen = _by_weight(keys[row], own, fanout, _weights(relation, start, degree))
        else:
            chosen = _choose(keys[row], degree, fanout)
        picked.append(start + chosen)
    candidate = torch.cat([first.new_empty(0), *picked])
    counts = torch.tensor([len(p) for p in picked], dtype=torch.int64, device=rows.device)
    owner = torch.arange(len(rows), device=rows.device).repeat_interleave(counts)
    return edges_in(relation, owner, candidate if slots_of is None else slots_of[candidate].long())


def _weights(relation: Relation, start: int, degree: int) -> Tensor:
    """Return the unscaled weights of the candidates of a row."""
    candidate = torch.arange(start, start + degree, device=relation.rows.device)
    slots_of = relation.candidates.slots
    slots = candidate if slots_of is None else slots_of[candidate].long()
    edges = slots if relation.eids is None else relation.eids[slots].long()
    return relation.candidates.weights[edges].double()


def _any(key: Tensor, degree: int, fanout: int, sums: Tensor | None) -> Tensor:
    """Draw candidates independently, with replacement."""
    units = random_unit(key, torch.arange(fanout, device=key.device))
    if sums is None:
        return (units * degree).long()
    return torch.searchsorted(sums, units * sums[-1], right=True).clamp(max=degree - 1)


def _choose(key: Tensor, degree: int, fanout: int) -> Tensor:
    """Draw distinct candidates, each set equally likely, by Floyd's method."""
    units = random_unit(key, torch.arange(fanout, device=key.device)).tolist()
    chosen: set[int] = set()
    for unit, largest in zip(units, range(degree - fanout, degree), strict=True):
        pick = int(unit * (largest + 1))
        chosen.add(largest if pick in chosen else pick)
    return torch.tensor(sorted(chosen), dtype=torch.int64, device=key.device)


def _by_weight(key: Tensor, sums: Tensor, fanout: int, weights: Tensor) -> Tensor:
    """Draw distinct candidates one by one, in proportion to their share of the remaining weight."""
    bounds = [0.0, *sums.tolist()]
    units = random_unit(key, torch.arange(fanout, device=key.device)).tolist()
    chosen: list[int] = []
    left = bounds[-1]
    while fanout <= _FEW and len(chosen) < fanout and left > bounds[-1] * 2.0**-20:
        point = units[len(chosen)] * left
        for drawn in chosen:
            if point < bounds[drawn]:
                break
            point += bounds[drawn + 1] - bounds[drawn]
        pick = int(torch.searchsorted(sums, point, right=True))
        if pick == len(sums) or pick in chosen:
            break
        chosen = sorted([*chosen, pick])
        left -= bounds[pick + 1] - bounds[pick]
    if len(chosen) < fanout:
        # The order of exponential times, with weights as rates, is distributed as such draws.
        counter = fanout + torch.arange(len(sums), device=key.device)
        times = -torch.log(1 - random_unit(key, counter)) / weights
        times[chosen] = -1
        chosen = sorted(times.argsort()[:fanout].tolist())
    return torch.tensor(chosen, dtype=torch.int64, device=key.device)
