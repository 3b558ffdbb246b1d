"""Random neighbors and walks, with the same random numbers as the native kernels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference._common import random_bits, shift

__all__ = [
    "BadWeightsError", "Candidates", "Relation", "Times", "candidates_of", "node2vec",
    "number_nodes", "random_bits", "random_unit", "random_walk", "sample_labors",
    "sample_neighbors",
]  # fmt: skip

_FEW = 64  # fanouts up to it are drawn one by one, larger ones in a race


class BadWeightsError(Exception):
    """A row to draw for has weights that are negative or not finite."""

    def __init__(self, relation: int) -> None:
        super().__init__(relation)
        self.relation = relation


class Candidates(NamedTuple):
    """The slots of each row that may be drawn.

    Row ``r`` owns the candidates ``indptr[r]`` to ``indptr[r + 1]``; candidate ``c`` is the slot
    ``slots[c]``, or ``c`` when `slots` is None. `sums` holds the running sums of their weights,
    scaled so that the largest weight of the row is 1; None for equal weights. Rows that cannot be
    drawn by their weights end with NaN. `weights` are the unscaled ones, by edge id.
    """

    indptr: Tensor
    slots: Tensor | None
    sums: Tensor | None
    weights: Tensor | None
    local: bool  # row i is the i-th row to draw for, not row number i


class Times(NamedTuple):
    """What happened before a row's time may be drawn: times by position, edge id and node id."""

    rows: Tensor
    edges: Tensor | None
    nodes: Tensor | None


class Relation(NamedTuple):
    """The edges of one relation by row, and the rows to draw some of them for."""

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
        """The candidates; without a choice, all slots."""
        return self.candidates or Candidates(self.indptr, None, None, None, False)


Drawn = tuple[Tensor, Tensor, Tensor]  # starts, neighbors, edge ids


# -------------------------------------------------------------------------------- random numbers


def random_unit(key: int | Tensor, counter: Tensor) -> Tensor:
    """Uniform on [0, 1), float64, a multiple of ``2**-53``."""
    return shift(random_bits(key, counter), 11).double() * 2.0**-53


def _row_keys(key: int, rows: Tensor) -> Tensor:
    """The key of each row: it depends on the row's position alone."""
    return random_bits(key, torch.arange(len(rows), device=rows.device))


# ------------------------------------------------------------------------------------ candidates


@kernel("candidates_of", operands=("indptr",))
def candidates_of(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    rows: Tensor | None,
    weights: Tensor | None,
    times: Times | None = None,
) -> Candidates:
    """The slots with a nonzero weight and a time before the row's.

    Parameters
    ----------
    rows : Tensor, optional
        Rows to look at; the result is local to them. Default: all.
    weights : Tensor, optional
        By edge id: float32, float64, or uint8 for a mask.
    times : Times, optional
        Needs `rows`. All int64 or all float64.
    """
    every = torch.arange(len(indptr) - 1, device=indptr.device) if rows is None else rows.long()
    first, last = indptr[every].long(), indptr[every + 1].long()
    owner = torch.arange(len(every), device=indptr.device).repeat_interleave(last - first)
    behind = torch.arange(len(owner), device=indptr.device)
    slots = first[owner] + behind - ((last - first).cumsum(0) - (last - first))[owner]
    edges = slots if eids is None else eids[slots].long()
    kept = torch.ones(len(slots), dtype=torch.bool, device=indptr.device)
    if weights is not None:
        kept &= weights[edges] != 0
    if times is not None and times.edges is not None:
        kept &= times.edges[edges] < times.rows[owner]
    if times is not None and times.nodes is not None:
        kept &= times.nodes[indices[slots].long()] < times.rows[owner]
    owner, slots, edges = owner[kept], slots[kept], edges[kept]
    starts = _starts(torch.bincount(owner, minlength=len(every))).to(indptr.dtype)
    everything = rows is None and bool(kept.all())
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


def _starts(counts: Tensor) -> Tensor:
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


# ------------------------------------------------------------------------------------- neighbors


@kernel("sample_neighbors", operands=("like",))
def sample_neighbors(like: Tensor, relations: Sequence[Relation], replace: bool) -> list[Drawn]:
    """Draw edges for the rows of each relation.

    Without replacement, a row with no more candidates than the fanout gives all of them, and the
    slots of a row are ascending. Draw ``n`` of the row in position ``i`` depends on the key, `i`
    and `n` alone.

    Parameters
    ----------
    like : Tensor
        Ids with the dtype and device of the rows.

    Returns
    -------
    list of (starts, neighbors, edges)
        For each relation: where those of each row begin, ``(R + 1,)`` int64, and the neighbor and
        id of each edge, in the dtype of `rows`.

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
    keys = _row_keys(relation.key, rows)
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
    return _edges(relation, owner, candidate if slots_of is None else slots_of[candidate].long())


def _edges(relation: Relation, owner: Tensor, slots: Tensor) -> Drawn:
    """The edges in `slots` by row, without the excluded ones."""
    rows = relation.rows
    edges = slots if relation.eids is None else relation.eids[slots].long()
    if relation.excluded is not None:
        kept = torch.isin(edges, relation.excluded, invert=True)
        owner, slots, edges = owner[kept], slots[kept], edges[kept]
    starts = _starts(torch.bincount(owner, minlength=len(rows)))
    return starts, relation.indices[slots].to(rows.dtype), edges.to(rows.dtype)


def _weights(relation: Relation, start: int, degree: int) -> Tensor:
    """Unscaled weights of candidates."""
    candidate = torch.arange(start, start + degree, device=relation.rows.device)
    slots_of = relation.candidates.slots
    slots = candidate if slots_of is None else slots_of[candidate].long()
    edges = slots if relation.eids is None else relation.eids[slots].long()
    return relation.candidates.weights[edges].double()


def _any(key: Tensor, degree: int, fanout: int, sums: Tensor | None) -> Tensor:
    """Independent draws."""
    units = random_unit(key, torch.arange(fanout, device=key.device))
    if sums is None:
        return (units * degree).long()
    return torch.searchsorted(sums, units * sums[-1], right=True).clamp(max=degree - 1)


def _choose(key: Tensor, degree: int, fanout: int) -> Tensor:
    """Different ones, each set equally likely: Floyd's method."""
    units = random_unit(key, torch.arange(fanout, device=key.device)).tolist()
    chosen: set[int] = set()
    for unit, largest in zip(units, range(degree - fanout, degree), strict=True):
        pick = int(unit * (largest + 1))
        chosen.add(largest if pick in chosen else pick)
    return torch.tensor(sorted(chosen), dtype=torch.int64, device=key.device)


def _by_weight(key: Tensor, sums: Tensor, fanout: int, weights: Tensor) -> Tensor:
    """Distinct ones; each next one with the probability of its share of the remaining weight."""
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
        # Exponential times with the weights as rates end in the same order as such draws come.
        counter = fanout + torch.arange(len(sums), device=key.device)
        times = -torch.log(1 - random_unit(key, counter)) / weights
        times[chosen] = -1
        chosen = sorted(times.argsort()[:fanout].tolist())
    return torch.tensor(chosen, dtype=torch.int64, device=key.device)


@kernel("sample_labors", operands=("like",))
def sample_labors(like: Tensor, relations: Sequence[Relation]) -> list[Drawn]:
    """Layer-neighbor sampling: edges whose source's random number is below fanout / degree.

    The number depends on the key and the source alone, so rows tend to share sources. Returns what
    :func:`sample_neighbors` does.
    """
    drawn = []
    for relation in relations:
        rows = relation.rows
        indptr, slots_of, _, _, local = relation.pool
        at = torch.arange(len(rows), device=rows.device) if local else rows.long()
        first = indptr[at].long()
        degrees = indptr[at + 1].long() - first
        owner = torch.arange(len(rows), device=rows.device).repeat_interleave(degrees)
        behind = torch.arange(len(owner), device=rows.device)
        slots = first[owner] + behind - (degrees.cumsum(0) - degrees)[owner]
        slots = slots if slots_of is None else slots_of[slots].long()
        units = random_unit(relation.key, relation.indices[slots])
        kept = units < (relation.fanout / degrees.double())[owner]
        if relation.fanout < 0:
            kept = torch.ones_like(kept)
        kept |= (degrees <= relation.fanout)[owner]
        drawn.append(_edges(relation, owner[kept], slots[kept]))
    return drawn


# ------------------------------------------------------------------------------------- numbering


@kernel("number_nodes", operands=("like",))
def number_nodes(
    like: Tensor, lists: Sequence[Sequence[Tensor]], limits: Sequence[int], dtype: torch.dtype
) -> tuple[list[Tensor], list[list[Tensor]], list[int]]:
    """Number ids in the order in which they appear, for several kinds of ids.

    Parameters
    ----------
    like : Tensor
        Ids with the dtype and device of those of the lists.
    lists : sequence of sequences of Tensor
        For each kind the lists of ids, one after another; at least one list.
    limits : sequence of int
        Ids are below it, by kind.
    dtype : torch.dtype
        That of the numbers.

    Returns
    -------
    nodes : list of Tensor
        The distinct ids of each kind, in order of appearance.
    places : list of list of Tensor
        The position of each id among them.
    first : list of int
        How many distinct ids the first list of each kind has.
    """
    nodes, places, first = [], [], []
    for parts in lists:
        known: dict[int, int] = {}
        numbered = []
        for k, part in enumerate(parts):
            numbers = [known.setdefault(i, len(known)) for i in part.tolist()]
            numbered.append(torch.tensor(numbers, dtype=dtype, device=part.device))
            if k == 0:
                first.append(len(known))
        nodes.append(parts[0].new_tensor(list(known)))
        places.append(numbered)
    return nodes, places, first


# ----------------------------------------------------------------------------------------- walks


@kernel("random_walk", operands=("seeds",))
def random_walk(
    relations: Sequence[Relation],
    path: Sequence[int],
    stops: Sequence[float] | None,
    seeds: Tensor,
    key: int,
) -> tuple[Tensor, Tensor]:
    """Walks from `seeds` along the relations that `path` lists.

    Parameters
    ----------
    relations : sequence of Relation
        Rows are sources; `rows`, `fanout` and `key` do not count.
    stops : sequence of float, optional
        The probability of stopping before each step.

    Returns
    -------
    nodes : Tensor
        ``(R, L + 1)``; -1 after the end of a walk.
    edges : Tensor
        ``(R, L)``; likewise.
    """
    keys = _row_keys(key, seeds)
    nodes = [seeds.long()]
    edges = []
    for s, number in enumerate(path):
        at = nodes[-1]
        going = at >= 0
        if stops is not None:
            going &= random_unit(keys, torch.full_like(at, 2 * s)) >= stops[s]
        unit = random_unit(keys, torch.full_like(at, 2 * s + 1))
        slot = _step(relations[number], at, going, unit)
        gone = slot >= 0
        neighbor, edge = torch.full_like(at, -1), torch.full_like(at, -1)
        eids = relations[number].eids
        neighbor[gone] = relations[number].indices[slot[gone]].long()
        edge[gone] = slot[gone] if eids is None else eids[slot[gone]].long()
        nodes.append(neighbor)
        edges.append(edge)
    taken = torch.stack(edges, 1) if edges else seeds.new_empty((len(seeds), 0))
    return torch.stack(nodes, 1).to(seeds.dtype), taken.to(seeds.dtype)


def _step(relation: Relation, at: Tensor, going: Tensor, unit: Tensor) -> Tensor:
    """The slot that each walk takes, or -1."""
    indptr, slots_of, sums, _, _ = relation.pool
    taken = torch.full_like(at, -1)
    for i in going.nonzero().flatten().tolist():
        first, last = int(indptr[at[i]]), int(indptr[at[i] + 1])
        if first == last:
            continue
        if sums is None:
            c = int(unit[i] * (last - first))
        else:
            row = sums[first:last]
            c = min(int(torch.searchsorted(row, unit[i] * row[-1], right=True)), len(row) - 1)
        taken[i] = first + c if slots_of is None else slots_of[first + c]
    return taken


@kernel("node2vec", operands=("seeds",))
def node2vec(
    relation: Relation,
    sorted_indices: Tensor,
    p: float,
    q: float,
    seeds: Tensor,
    length: int,
    key: int,
) -> tuple[Tensor, Tensor]:
    """Walks that weigh a step back by 1 / p, and one away from the neighbors by 1 / q.

    Steps are proposed by weight and accepted in proportion to that bias; after 32 refusals all
    neighbors are weighed. Returns what :func:`random_walk` does.

    Parameters
    ----------
    sorted_indices : Tensor
        The neighbors of each row in ascending order.
    """
    nodes = torch.full((len(seeds), length + 1), -1, dtype=torch.int64, device=seeds.device)
    edges = torch.full((len(seeds), length), -1, dtype=torch.int64, device=seeds.device)
    nodes[:, 0] = seeds
    for i, own in enumerate(_row_keys(key, seeds)):
        for s in range(length):
            at, before = nodes[i, s], nodes[i, s - 1] if s else None
            slot = _biased_step(
                relation, at, before, p, q, random_bits(own, torch.tensor(s, device=seeds.device))
            )
            if slot < 0:
                break
            nodes[i, s + 1] = relation.indices[slot]
            edges[i, s] = slot if relation.eids is None else relation.eids[slot]
    return nodes.to(seeds.dtype), edges.to(seeds.dtype)


def _unit(key: Tensor, counter: int) -> Tensor:
    return random_unit(key, torch.tensor(counter, device=key.device))


def _biased_step(
    relation: Relation, at: Tensor, before: Tensor | None, p: float, q: float, key: Tensor
) -> int:
    def propose(counter: int) -> int:
        unit = _unit(key, counter).view(1)
        return int(_step(relation, at.view(1), at.view(1) >= 0, unit))

    if before is None or propose(0) < 0:
        return propose(0)
    start, end = int(relation.indptr[before]), int(relation.indptr[before + 1])
    near = set(relation.indices[start:end].tolist())

    def bias(node: int) -> float:
        return 1 / p if node == int(before) else 1.0 if node in near else 1 / q

    most = max(1.0, 1 / p, 1 / q)
    for n in range(32):
        slot = propose(2 * n)
        unit = float(_unit(key, 2 * n + 1))
        if unit * most < bias(int(relation.indices[slot])):
            return slot
    indptr, slots_of, sums, _, _ = relation.pool
    first, last = int(indptr[at]), int(indptr[at + 1])
    every = torch.arange(first, last, device=at.device)
    slots = every if slots_of is None else slots_of[first:last].long()
    weights = every.new_tensor(
        [bias(int(node)) for node in relation.indices[slots]], dtype=torch.float64
    )
    if sums is not None:
        weights = weights * sums[first:last].diff(prepend=sums.new_zeros(1))
    total = weights.cumsum(0)
    point = float(_unit(key, 64)) * total[-1]
    c = int(torch.searchsorted(total, point, right=True))
    return int(slots[min(c, len(slots) - 1)])
