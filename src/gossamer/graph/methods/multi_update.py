"""Methods of Graph for message passing along several edge types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.function.execute import aggregate
from gossamer.function.message import MessageFunction
from gossamer.function.reducer import ReduceFunction
from gossamer.graph.ids import ALL

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph

__all__ = ["MultiUpdate"]


class MultiUpdate:
    """Methods of :class:`Graph` that send messages along several edge types."""

    def multi_update_all(
        self: Graph,
        etype_dict: Mapping[Any, tuple],
        cross_reducer: str | Callable[[list[Tensor]], Tensor],
        apply_node_func: Callable | None = None,
    ) -> None:
        """Send and reduce along several edge types, then reduce across them at each node type.

        Parameters
        ----------
        etype_dict : dict
            Maps edge types to ``(message_func, reduce_func)`` or
            ``(message_func, reduce_func, apply_node_func)``.
        cross_reducer : {"sum", "mean", "min", "max", "stack"} or callable
            How results with the same name and node type are combined. "stack" inserts a second
            dimension over the edge types, in the order of their ids. A callable is given the list
            of tensors in the order of `etype_dict`. An edge type without edges to a node
            contributes 0, except that "max" with :func:`fn.max` and "min" with :func:`fn.min`
            ignore it.
        apply_node_func : callable, optional
            Applied to each destination type afterwards.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> from gossamer import function as fn
        >>> g = gs.heterograph({("a", "r", "b"): ([0], [1]), ("a", "s", "b"): ([0], [1])})
        >>> g.nodes["a"].data["h"] = torch.ones(1, 1)
        >>> pair = fn.copy_u("h", "m"), fn.sum("m", "h")
        >>> g.multi_update_all({"r": pair, "s": pair}, "sum")
        >>> g.nodes["b"].data["h"].flatten()
        tensor([0., 2.])
        """
        if not isinstance(etype_dict, Mapping):
            raise InvalidTypeError(
                "multi_update_all takes a dict from edge type to functions, got "
                f"{type(etype_dict).__name__}."
            )
        combine = _cross_reducer(cross_reducer)
        arrived: dict[int, dict[str, list[tuple[int, Tensor, Tensor | None]]]] = {}
        for etype, functions in etype_dict.items():
            if not isinstance(functions, (tuple, list)) or len(functions) not in (2, 3):
                raise InvalidValueError(
                    f"multi_update_all: edge type {etype!r} needs (message, reduce) or "
                    f"(message, reduce, apply) functions, got {functions!r}."
                )
            position = self._schema.etype_id(etype)
            target = self._schema.endpoints[position][1]
            result = aggregate(self._relation(position), functions[0], functions[1])
            if len(functions) == 3 and functions[2] is not None:
                frame = self._node_frames[target]
                result = self._applied(functions[2], target, frame, result, None)
            reached = self._reached(position, functions, cross_reducer)
            for name, value in result.items():
                arrived.setdefault(target, {}).setdefault(name, []).append(
                    (position, value, reached)
                )
        for target, features in arrived.items():
            for name, parts in features.items():
                if cross_reducer == "stack":
                    parts.sort(key=itemgetter(0))
                positions, values, masks = map(list, zip(*parts, strict=True))
                if not callable(cross_reducer):
                    self._require_one_shape(name, positions, values)
                if any(mask is not None for mask in masks):
                    self._node_frames[target][name] = _fold_reached(combine, values, masks)
                else:
                    self._node_frames[target][name] = combine(values)
            if apply_node_func is not None:
                self._apply_nodes(apply_node_func, target, ALL)

    def _update_all_types(self: Graph, message: Any, reduce: Any, apply: Callable | None) -> None:
        if not (isinstance(message, MessageFunction) and isinstance(reduce, ReduceFunction)):
            raise InvalidTypeError(
                "On a graph with several edge types, update_all without etype takes built-in "
                "functions only. Name the edge type, or use multi_update_all."
            )
        if reduce.name == "mean":
            raise InvalidValueError(
                "A mean over several edge types is ambiguous. Name the edge type, or use "
                "multi_update_all with a cross-type reducer."
            )
        pairs = dict.fromkeys(self.canonical_etypes, (message, reduce))
        self.multi_update_all(pairs, reduce.name, apply)

    def _require_one_shape(
        self: Graph, name: str, positions: list[int], values: list[Tensor]
    ) -> None:
        """Raise an error if the results of several edge types for a node type differ in shape."""
        for position, value in zip(positions, values, strict=True):
            if value.shape != values[0].shape:
                first, other = (self.canonical_etypes[p] for p in (positions[0], position))
                raise InvalidValueError(
                    f"'{name}' has shape {tuple(values[0].shape[1:])} along {first}, but "
                    f"{tuple(value.shape[1:])} along {other}. Give the sources features of one "
                    "width, or name the edge type."
                )

    def _reached(self: Graph, position: int, functions: tuple, cross_reducer: Any) -> Tensor | None:
        """Mask of the destinations that an edge type reaches, for max and min; None for all."""
        reduce = functions[1]
        is_extreme = isinstance(reduce, ReduceFunction) and reduce.name in ("max", "min")
        if not is_extreme or reduce.name != cross_reducer:
            return None
        adjacency = self._adjacencies[position]
        return adjacency.in_degrees() > 0 if adjacency.has_zero_in_degree() else None


def _cross_reducer(reducer: Any) -> Callable[[list[Tensor]], Tensor]:
    if callable(reducer):
        return reducer
    named: dict[str, Callable[[list[Tensor]], Tensor]] = {
        "sum": lambda values: _fold(torch.add, values),
        "mean": lambda values: _fold(torch.add, values) / len(values),
        "max": lambda values: _fold(torch.maximum, values),
        "min": lambda values: _fold(torch.minimum, values),
        "stack": lambda values: torch.stack(values, dim=1),
    }
    if not isinstance(reducer, str) or reducer not in named:
        raise InvalidValueError(
            f"A cross-type reducer is one of {list(named)} or a callable, got {reducer!r}."
        )
    return named[reducer]


def _fold_reached(
    combine: Callable[[list[Tensor]], Tensor], values: list[Tensor], masks: list[Tensor | None]
) -> Tensor:
    """Combine the values whose mask is True in each row; use the first value if there is none."""
    total, seen = values[0], masks[0]
    for value, mask in zip(values[1:], masks[1:], strict=True):
        shape = (-1, *[1] * (value.dim() - 1))
        both = combine([total, value])
        if seen is not None:
            both = torch.where(seen.reshape(shape), both, value)
        if mask is not None:
            both = torch.where(mask.reshape(shape), both, total)
        total, seen = both, None if seen is None or mask is None else seen | mask
    return total


def _fold(operator: Callable, values: list[Tensor]) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = operator(total, value)
    return total
