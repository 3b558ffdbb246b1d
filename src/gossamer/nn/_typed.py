"""Functions shared by typed layers: type checks, counts, pairs of source and edge type."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.ops._torch import assert_async
from gossamer.ops.adjacency import Adjacency

__all__ = ["TypedSources", "check_types", "count_types", "inverse_counts", "typed_sources"]


def check_types(
    owner: nn.Module, types: Tensor, rows: int, count: int, role: str = "edge"
) -> Tensor:
    """Return `types` as int64; check for one type, 0 ... `count` - 1, per edge or node."""
    name = type(owner).__name__
    if not isinstance(types, Tensor) or types.is_floating_point() or types.is_complex():
        kind = types.dtype if isinstance(types, Tensor) else type(types).__name__
        raise InvalidTypeError(f"{name}: {role} types must be an integer tensor, but got {kind}.")
    if tuple(types.shape) != (rows,):
        raise InvalidValueError(
            f"{name}: {role} types must have shape ({rows},), one type per {role}, "
            f"but got {tuple(types.shape)}."
        )
    types = types.long()
    if torch.compiler.is_compiling():
        fits = ((types >= 0) & (types < count)).all()
        assert_async(fits, f"{name}: {role} types must be 0 ... {count - 1}.")
    elif rows:
        low, high = (int(bound) for bound in torch.aminmax(types))
        if low < 0 or high >= count:
            raise OutOfRangeError(
                f"{name}: {role} types must be 0 ... {count - 1}, as the layer was built for "
                f"{count} types, but got {low} ... {high}."
            )
    return types


class TypedSources(NamedTuple):
    """The distinct pairs (source node, edge type), sorted by type.

    A message depends only on its source and the type of its edge, so a layer transforms one row per
    pair instead of one per edge, and sums along `adjacency`, which leads from pairs to destinations
    and keeps the edge order of the graph.
    """

    adjacency: Adjacency
    nodes: Tensor
    types: Tensor
    lengths: Tensor  # pairs of each type


def typed_sources(adjacency: Adjacency, types: Tensor, num_types: int) -> TypedSources:
    """Return the pairs of source and edge type, cached until the types of the graph change.

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
    """Return one pair per edge: the number of distinct pairs is unknown while tracing."""
    row, col = adjacency.coo()
    order = types.argsort(stable=True)
    place = order.scatter(0, order, torch.arange(order.shape[0], device=order.device))
    joined = Adjacency(order.shape[0], adjacency.num_dst, torch.int64, coo=(place, col.long()))
    found = types[order]
    return TypedSources(joined, row.long()[order], found, count_types(found, num_types))


def count_types(types: Tensor, num_types: int) -> Tensor:
    """Count the items of each type, ``(num_types,)``."""
    ones = torch.ones_like(types)
    return types.new_zeros(num_types).scatter_add(0, types, ones)


def inverse_counts(
    adjacency: Adjacency, types: Tensor, num_types: int, dtype: torch.dtype
) -> Tensor:
    """Return, for each edge, 1 / (number of in-edges of its type at its destination)."""
    group = adjacency.coo()[1].long() * num_types + types
    counts = count_types(group, adjacency.num_dst * num_types)
    return counts[group].to(torch.float64).reciprocal().to(dtype)
