"""What layers with typed edges share: each source once for each type of its out-edges."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gossamer.ops.adjacency import Adjacency

__all__ = ["TypedSources", "count_types", "typed_sources"]


class TypedSources(NamedTuple):
    """The pairs (source node, edge type) that occur, sorted by type.

    A message depends on its source and the type of its edge alone, so a layer transforms a row for
    each pair instead of one for each edge, and sums along `adjacency`, which leads from pairs to
    destinations and has the edges of the graph in their order.
    """

    adjacency: Adjacency
    nodes: Tensor
    types: Tensor
    lengths: Tensor  # pairs of each type


def typed_sources(adjacency: Adjacency, types: Tensor, num_types: int) -> TypedSources:
    """The pairs of source and edge type, kept until the same graph comes with other types.

    `types` are int64, as `check_types` returns them.
    """
    if torch.compiler.is_compiling():
        return _all_edges(adjacency, types, num_types)
    kept: list[tuple[Tensor, TypedSources]] = adjacency.memo(("typed_sources", num_types), list)
    if not (kept and torch.equal(kept[0][0], types)):
        with torch.inference_mode(False):
            types = types.clone()
            kept[:] = [(types, _distinct(adjacency, types, num_types))]
    return kept[0][1]


def _distinct(adjacency: Adjacency, types: Tensor, num_types: int) -> TypedSources:
    row, col = adjacency.coo()
    span = max(adjacency.num_src, 1)
    pairs, place = torch.unique(types * span + row.long(), return_inverse=True)
    found = pairs // span
    joined = Adjacency(len(pairs), adjacency.num_dst, torch.int64, coo=(place, col.long()))
    return TypedSources(joined, pairs % span, found, count_types(found, num_types))


def _all_edges(adjacency: Adjacency, types: Tensor, num_types: int) -> TypedSources:
    """A pair for each edge: a tracer does not know how many distinct ones there are."""
    row, col = adjacency.coo()
    order = types.argsort(stable=True)
    place = order.scatter(0, order, torch.arange(order.shape[0], device=order.device))
    joined = Adjacency(order.shape[0], adjacency.num_dst, torch.int64, coo=(place, col.long()))
    found = types[order]
    return TypedSources(joined, row.long()[order], found, count_types(found, num_types))


def count_types(types: Tensor, num_types: int) -> Tensor:
    """How many there are of each type, ``(num_types,)``."""
    ones = torch.ones_like(types)
    return types.new_zeros(num_types).scatter_add(0, types, ones)
