"""What layers with typed edges share: each source once for each type of its out-edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.ops.adjacency import Adjacency

if TYPE_CHECKING:
    from torch import nn

__all__ = ["TypedSources", "check_types", "count_types", "typed_sources"]


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
    """The pairs of source and edge type, kept until the same graph comes with other types."""
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
    pairs, place = torch.unique(types.long() * span + row.long(), return_inverse=True)
    found = pairs // span
    joined = Adjacency(len(pairs), adjacency.num_dst, torch.int64, coo=(place, col.long()))
    return TypedSources(joined, pairs % span, found, count_types(found, num_types))


def _all_edges(adjacency: Adjacency, types: Tensor, num_types: int) -> TypedSources:
    """A pair for each edge: a tracer does not know how many distinct ones there are."""
    row, col = adjacency.coo()
    order = types.long().argsort(stable=True)
    place = order.scatter(0, order, torch.arange(order.shape[0], device=order.device))
    joined = Adjacency(order.shape[0], adjacency.num_dst, torch.int64, coo=(place, col.long()))
    found = types.long()[order]
    return TypedSources(joined, row.long()[order], found, count_types(found, num_types))


def count_types(types: Tensor, num_types: int) -> Tensor:
    """How many there are of each type, ``(num_types,)``."""
    ones = torch.ones_like(types)
    return types.new_zeros(num_types).scatter_add(0, types, ones)


def check_types(owner: nn.Module, argument: str, types: Any, rows: int, num_types: int) -> None:
    """Raise unless `types` has one type below `num_types` for each of `rows` rows."""
    name = type(owner).__name__
    if not isinstance(types, Tensor) or types.dtype not in (torch.int32, torch.int64):
        kind = types.dtype if isinstance(types, Tensor) else type(types).__name__
        raise InvalidTypeError(f"{name}: {argument} must be an int64 or int32 tensor, got {kind}.")
    if tuple(types.shape) != (rows,):
        raise InvalidValueError(
            f"{name}: {argument} must have shape ({rows},), a type for each row, got "
            f"{tuple(types.shape)}."
        )
    if torch.compiler.is_compiling():
        fits = ((types >= 0) & (types < num_types)).all()
        torch._assert_async(fits, f"{name}: {argument} must lie in 0 ... {num_types - 1}.")
    elif rows:
        low, high = (int(x) for x in torch.aminmax(types))
        if low < 0 or high >= num_types:
            raise OutOfRangeError(
                f"{name}: {argument} must lie in 0 ... {num_types - 1}, as the layer was built for "
                f"{num_types} types, got {low} ... {high}."
            )
