"""Random walks, with the same random numbers as the native kernels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference.candidates import Relation
from gossamer.kernels.splitmix import random_bits, random_unit, row_keys

__all__ = ["node2vec", "random_walk"]


@kernel("random_walk", operands=("seeds",))
def random_walk(
    relations: Sequence[Relation],
    path: Sequence[int],
    stops: Sequence[float] | None,
    seeds: Tensor,
    key: int,
) -> tuple[Tensor, Tensor]:
    """Walk at random from `seeds` along the relations in `path`.

    Parameters
    ----------
    relations : sequence of Relation
        Rows are sources; `rows`, `fanout` and `key` are ignored.
    stops : sequence of float, optional
        The probability of stopping before each step.

    Returns
    -------
    nodes : Tensor
        ``(R, L + 1)``; -1 after the end of a walk.
    edges : Tensor
        ``(R, L)``; likewise.
    """
    keys = row_keys(key, seeds)
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
    """Return the slot that each walk takes, or -1."""
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
    """Walk with node2vec's bias: 1 / p for a step back, 1 / q for a step away from the neighbors.

    Steps are proposed by weight and accepted in proportion to that bias; after 32 rejections, the
    bias of all neighbors is computed. The result has the form of that of :func:`random_walk`.

    Parameters
    ----------
    sorted_indices : Tensor
        The neighbors of each row in ascending order.
    """
    nodes = torch.full((len(seeds), length + 1), -1, dtype=torch.int64, device=seeds.device)
    edges = torch.full((len(seeds), length), -1, dtype=torch.int64, device=seeds.device)
    nodes[:, 0] = seeds
    for i, own in enumerate(row_keys(key, seeds)):
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
