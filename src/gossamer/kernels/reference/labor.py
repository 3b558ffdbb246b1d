"""Layer-neighbor sampling, and the probabilities of weighted draws."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference.candidates import Drawn, Relation, edges_in
from gossamer.kernels.splitmix import random_unit

__all__ = ["labor_chances", "sample_labors"]

_ROUNDS = 50  # maximum number, until the importances converge
_TOLERANCE = 1e-4


@kernel("labor_chances", operands=("weights",))
def labor_chances(
    starts: Tensor, sources: Tensor, weights: Tensor, num_sources: int, fanout: int, rounds: int
) -> Tensor:
    r"""Return the probability of each edge, :math:`p_{ts} = \min(1, c_s \pi_t)`.

    :math:`c_s` is chosen so that the estimated mean of a row has the variance of `fanout` draws
    with replacement:

    .. math::
        \sum_t w_{ts}^2 / p_{ts} - \sum_t w_{ts}^2
        = \Bigl(\frac{1}{k} - \frac{1}{d_s}\Bigr) \Bigl(\sum_t w_{ts}\Bigr)^2 .

    The importance :math:`\pi_t` of a source is its largest weight, or 1 if all weights are equal;
    each round replaces it by its largest probability.

    Parameters
    ----------
    starts : Tensor
        ``(R + 1,)`` int64: the position of the first edge of each row.
    sources : Tensor
        ``(E,)`` int32, less than `num_sources`.
    weights : Tensor
        ``(E,)`` float64, positive and finite.
    fanout : int
        At least 1. All edges of a row with at most this many edges have probability 1.
    rounds : int
        Number of rounds; -1 to repeat until :math:`\sum_t \pi_t` converges.

    References
    ----------
    Balin and Çatalyürek, "Layer-neighbor sampling: defusing neighborhood explosion in GNNs",
    NeurIPS 2023.
    """
    if not len(weights):
        return torch.empty_like(weights)
    counts = starts.diff()
    owner = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
    place = sources.long()
    pi = torch.ones(num_sources, dtype=weights.dtype, device=weights.device)
    if not bool((weights == weights[:1]).all()):
        pi = torch.zeros_like(pi).scatter_reduce_(0, place, weights, "amax")
    chances = _capped(owner, counts, weights, pi[place], fanout)
    size = None
    for _ in range(_ROUNDS if rounds < 0 else rounds):
        pi = torch.zeros_like(pi).scatter_reduce_(0, place, chances, "amax")
        chances = _capped(owner, counts, weights, pi[place], fanout)
        before, size = size, float(pi.sum())
        if rounds < 0 and before is not None and before - size <= _TOLERANCE * before:
            break
    return chances


def _capped(owner: Tensor, degree: Tensor, w: Tensor, pi: Tensor, fanout: int) -> Tensor:
    """Return ``min(1, c * pi)``.

    `c` is found from below: without clipping at 1 it is too small. Clipping the probabilities above
    1 makes it larger; this is repeated until none is above 1.
    """

    def sums(values: Tensor) -> Tensor:
        return torch.zeros(len(degree), dtype=w.dtype, device=w.device).index_add_(0, owner, values)

    squares, total = sums(w * w), sums(w)
    goal = squares + (1 / fanout - 1 / degree.double()).clamp(min=0) * total**2
    c = torch.zeros_like(goal)
    ratio = w * w / pi
    for _ in range(60):
        capped = c[owner] * pi >= 1
        sure, other = sums(torch.where(capped, w * w, 0)), sums(torch.where(capped, 0, ratio))
        # If edges with probability 1 are fixed, the equation is linear in 1 / c.
        new = torch.where(other > 0, other / (goal - sure).clamp(min=1e-300), c)
        settled = bool(((new - c).abs() <= 1e-12 * new).all())
        c = new
        if settled:
            break
    c = torch.where(degree <= fanout, torch.full_like(c, torch.inf), c)
    return (c[owner] * pi).clamp(max=1)


@kernel("sample_labors", operands=("like",))
def sample_labors(like: Tensor, relations: Sequence[Relation]) -> list[Drawn]:
    """Draw the edges whose source has a random number less than fanout / degree.

    The number depends only on the key and the source, so rows tend to share sources. The result has
    the form of :func:`~gossamer.kernels.reference.sampling.sample_neighbors`.
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
        drawn.append(edges_in(relation, owner[kept], slots[kept]))
    return drawn
