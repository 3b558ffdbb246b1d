"""Layer-neighbor sampling, in which nodes that share neighbors tend to draw the same ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import on_device
from gossamer.kernels.splitmix import random_unit
from gossamer.sampling import _core
from gossamer.sampling._blocks import rows_of, subgraph_of
from gossamer.sampling._labor import by_weight, labor_layer
from gossamer.sampling.neighbors import (
    EdgeIds,
    NodeIds,
    Weights,
    bad_weights,
    checked_seeds,
    fanouts_of,
    is_inward,
    no_edges,
    weights_of,
)

__all__ = ["draw_labors", "sample_labors"]

_NAME = "sample_labors"


def sample_labors(
    g: Graph,
    nodes: NodeIds,
    fanout: int | dict[Any, int],
    edge_dir: str = "in",
    prob: Weights | None = None,
    importance_sampling: int = 0,
    random_seed: int | Tensor | None = None,
    seed2_contribution: float = 0,
    copy_ndata: bool = True,
    copy_edata: bool = True,
    exclude_edges: EdgeIds | None = None,
    output_device: torch.device | str | None = None,
) -> tuple[Graph, list[Tensor]]:
    r"""Sample in-edges of nodes at random, so that there are few distinct source nodes.

    Every source :math:`t` has one random number :math:`r_t`, uniform on :math:`[0, 1)`. The edge
    :math:`t \to s` is drawn if :math:`r_t \le c_s \pi_t`. Here, :math:`\pi_t = 1` unless
    `importance_sampling` is used, and :math:`c_s` is chosen so that the mean over the sampled
    neighbors estimates the mean over all neighbors with the variance of `fanout` draws with
    replacement:

    .. math::
        \sum_{t \to s} \frac{w_{ts}^2}{\min(1, c_s \pi_t)} - \sum_{t \to s} w_{ts}^2
        = \Bigl(\frac{1}{k} - \frac{1}{d_s}\Bigr) \Bigl(\sum_{t \to s} w_{ts}\Bigr)^2 .

    where :math:`k` is `fanout`, :math:`d_s` is the in-degree and :math:`w` are the weights. Without
    weights and importances, :math:`c_s = k / d_s`, which gives `fanout` edges on average.

    Parameters
    ----------
    g, nodes, fanout, edge_dir, prob, copy_ndata, copy_edata, exclude_edges, output_device
        As in :func:`sample_neighbors`.
    importance_sampling : int
        Number of iterations that improve the importances :math:`\pi`, so that fewer distinct
        sources are drawn: 0 is LABOR-0, i is LABOR-i, and -1 iterates until convergence,
        ``LABOR-*``.
    random_seed : int or Tensor of one or two ints, optional
        Seed of the random numbers of the sources. Default: drawn from torch's generator.
    seed2_contribution : float
        Number from 0 to 1 by which the random numbers are interpolated between those of the first
        seed, at 0, and those of the second seed, at 1. The default second seed is the first plus 1.

    Returns
    -------
    Graph
        A graph with all nodes of `g` and the edges drawn, as for :func:`sample_neighbors`.
    list of Tensor
        For each edge type, the weights of the edges drawn, with which the weighted mean over the
        edges of a node estimates the mean over all of its edges: `prob` divided by the probability
        of the edge, scaled to a mean of 1 at each node. Empty if neither `prob` nor
        `importance_sampling` is used.

    Raises
    ------
    InvalidValueError
        If `importance_sampling` is less than -1 or `seed2_contribution` is not from 0 to 1; also as
        for :func:`sample_neighbors`.

    References
    ----------
    Balin and Çatalyürek, "Layer-neighbor sampling: defusing neighborhood explosion in GNNs",
    NeurIPS 2023.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 3, 0, 1], [4, 4, 4, 4, 5, 5]))
    >>> sub, _ = gs.sampling.sample_labors(g, [4, 5], 2, random_seed=1)
    >>> sub.in_degrees()[5]
    tensor(2)
    """
    targets, excluded = checked_seeds(g, nodes, exclude_edges, _NAME)
    inward = is_inward(edge_dir, _NAME)
    drawn, weights = draw_labors(
        g,
        targets,
        fanouts_of(g, fanout, _NAME),
        weights_of(g, prob, _NAME),
        excluded,
        inward=inward,
        rounds=as_rounds(importance_sampling, _NAME),
        keys=as_keys(random_seed),
        second=as_share(seed2_contribution),
    )
    sub = subgraph_of(g, targets, drawn, inward, copy_ndata=copy_ndata, copy_edata=copy_edata)
    device = sub.device if output_device is None else output_device
    return on_device(sub, output_device), [w.to(device) for w in weights]


def as_rounds(importance_sampling: Any, name: str) -> int:
    """The number of iterations that improve importances; -1 to iterate until convergence."""
    rounds = as_int(importance_sampling, name, "importance_sampling")
    if rounds < -1:
        raise InvalidValueError(f"{name}: importance_sampling is at least -1, got {rounds}.")
    return rounds


def as_keys(random_seed: Any) -> tuple[int, int]:
    """Keys of the first and the second random number of each source."""
    if random_seed is None:
        key = _core.next_key()
        return key, _core.mix(key, 1)
    seeds = random_seed.flatten().tolist() if isinstance(random_seed, Tensor) else [random_seed]
    if not seeds or len(seeds) > 2:
        raise InvalidTypeError(f"{_NAME}: random_seed is one int, or two; got {random_seed!r}.")
    first = as_int(seeds[0], _NAME, "random_seed")
    last = as_int(seeds[1], _NAME, "random_seed") if len(seeds) == 2 else first + 1
    return _core.mix(first), _core.mix(last)


def as_share(seed2_contribution: Any) -> float:
    """The validated contribution of the second random number, from 0 to 1."""
    share = float(seed2_contribution)
    if not 0 <= share <= 1:
        raise InvalidValueError(f"{_NAME}: seed2_contribution is from 0 to 1, got {share}.")
    return share


# ------------------------------------------------------------------------------------------ draws


def draw_labors(
    g: Graph,
    targets: Sequence[Tensor],
    fanouts: Sequence[int],
    weights: Sequence[Tensor | None],
    excluded: Sequence[Tensor | None],
    *,
    inward: bool,
    rounds: int,
    keys: tuple[int, int],
    second: float,
) -> tuple[list[_core.Drawn], list[Tensor]]:
    """Draw edges of each relation for `targets`; also return their weights unless all are equal."""
    rows = rows_of(g, targets, inward)
    plain, numbers = [], []
    drawn = [no_edges(g, len(own)) for own in rows]
    found: list[Tensor] = [torch.empty(0, device=g.device) for _ in rows]
    for i, own in enumerate(rows):
        if fanouts[i] == 0 or not len(own):
            continue
        adjacency = g.relations[i]
        csc = adjacency.csc() if inward else adjacency.csr()
        far = g.schema.endpoints[i][0 if inward else 1]
        # Relations with the same source type share random numbers.
        own_keys = _core.mix(keys[0], far), _core.mix(keys[1], far)
        if weights[i] is None and rounds == 0 and second == 0:
            plain.append(
                _core.relation(csc, own, fanouts[i], key=own_keys[0], excluded=excluded[i])
            )
            numbers.append(i)
            continue
        units = partial(_numbers, keys=own_keys, second=second)
        try:
            drawn[i], importance = by_weight(
                csc, own, fanouts[i], weights[i], excluded[i], units, rounds
            )
        except _core.BadWeightsError:
            raise bad_weights(g, i, own, weights[i], inward, _NAME) from None
        if weights[i] is not None or rounds != 0:
            found[i] = importance
    for i, result in zip(numbers, labor_layer(plain), strict=True):
        drawn[i] = result
    return drawn, found


def _numbers(nodes: Tensor, keys: tuple[int, int], second: float) -> Tensor:
    """The random number of each node, interpolated between two as normal variables."""
    first = random_unit(keys[0], nodes)
    if second == 0:
        return first
    angle = second * math.pi / 2
    normal = [
        torch.special.ndtri(unit.clamp(min=2.0**-54))
        for unit in (first, random_unit(keys[1], nodes))
    ]
    mixed = math.cos(angle) * normal[0] + math.sin(angle) * normal[1]
    return torch.special.ndtr(mixed)
