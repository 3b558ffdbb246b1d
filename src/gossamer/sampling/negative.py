"""Negative sampling: pairs of nodes without an edge."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int, flag, number_in
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import refuse_block
from gossamer.ops.adjacency import Adjacency
from gossamer.sampling import _core

__all__ = ["global_uniform_negative_sampling"]

_NAME = "global_uniform_negative_sampling"


def global_uniform_negative_sampling(
    g: Graph,
    num_samples: int,
    exclude_self_loops: bool = True,
    replace: bool = False,
    etype: Any = None,
    redundancy: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Draw pairs of nodes that no edge joins, uniformly at random.

    Candidates are drawn uniformly from all pairs; those that are edges and, without replacement,
    duplicates are discarded. Therefore, fewer pairs than requested may be returned.

    Parameters
    ----------
    g : Graph
        Any graph but a block.
    num_samples : int
        Number of pairs to draw.
    exclude_self_loops : bool
        Whether to exclude pairs of a node with itself, if sources and destinations have the same
        type.
    replace : bool
        Whether a pair may be drawn several times.
    etype : str or (str, str, str), optional
        The edge type; may be left out if there is only one.
    redundancy : float, optional
        Factor by which more candidates are drawn than needed on average, at least 1. Default: 1.3.

    Returns
    -------
    (Tensor, Tensor)
        Sources and destinations, at most `num_samples`; without replacement, they are sorted by
        source, then destination.

    Raises
    ------
    InvalidValueError
        If `num_samples` is negative, `redundancy` is below 1, or `g` is a block.
    UnknownKeyError
        If there is no such edge type.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> src, dst = gs.sampling.global_uniform_negative_sampling(g, 1)
    >>> bool(g.has_edges_between(src, dst).any())
    False
    """
    refuse_block(g, _NAME)
    wanted = as_int(num_samples, _NAME, "num_samples", 0)
    redundancy = 1.3 if redundancy is None else number_in(redundancy, _NAME, "redundancy")
    if redundancy < 1:
        raise InvalidValueError(f"{_NAME}: redundancy is at least 1, got {redundancy}.")
    replace = flag(replace, _NAME, "replace")
    position = g.get_etype_id(etype)
    adjacency, (src_type, dst_type) = g.relations[position], g.schema.endpoints[position]
    no_loops = exclude_self_loops and src_type == dst_type
    num_src, num_dst = adjacency.num_src, adjacency.num_dst
    total = num_src * num_dst
    left = total - adjacency.num_edges - (num_src if no_loops else 0)
    if total == 0 or wanted == 0:
        nothing = torch.empty(0, dtype=g.idtype, device=g.device)
        return nothing, nothing
    # On average, this number of candidates gives the requested number of pairs and some more.
    share = max(left, 1) / total
    count = math.ceil(min(min(wanted, max(left, 1)) / share * redundancy, 2.0**62))
    if not replace:
        count = min(count, 4 * total)
    src = _core.random_integers(num_src, count, torch.int64, g.device)
    dst = _core.random_integers(num_dst, count, torch.int64, g.device)
    kept = ~_are_edges(adjacency, src, dst)
    if no_loops:
        kept &= src != dst
    src, dst = src[kept], dst[kept]
    if not replace:
        keys = adjacency.pair_keys(src, dst).unique()
        if len(keys) > wanted:
            # The keys are sorted, so taking the first ones would be biased.
            order = _core.random_units(len(keys), g.device).argsort()
            keys = keys[order[:wanted].sort().values]
        src = torch.div(keys, num_dst, rounding_mode="floor")
        dst = keys - src * num_dst
    return src[:wanted].to(g.idtype), dst[:wanted].to(g.idtype)


def _are_edges(adjacency: Adjacency, src: Tensor, dst: Tensor) -> Tensor:
    """Whether an edge joins each pair."""
    pairs, _ = adjacency.edges_between(src, dst)
    joined = torch.zeros(len(src), dtype=torch.bool, device=src.device)
    joined[pairs] = True
    return joined
