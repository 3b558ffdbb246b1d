"""Edge types as strings, and values that are given by type or as a single value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor

from gossamer._options import shown
from gossamer.errors import InvalidValueError

__all__ = [
    "CANONICAL_ETYPE_DELIMITER",
    "ByType",
    "etype_str_to_tuple",
    "etype_tuple_to_str",
    "map_by_type",
    "seed_type_str_to_ntypes",
    "value_of_type",
]

#: Separates the parts of an edge type in a string.
CANONICAL_ETYPE_DELIMITER = ":"

#: A tensor of a homogeneous graph, or tensors by type.
ByType = Tensor | dict[str, Tensor]

Value = TypeVar("Value")


def etype_tuple_to_str(c_etype: tuple[str, str, str]) -> str:
    """Write a canonical edge type as a string.

    Examples
    --------
    >>> import gossamer.graphbolt as gb
    >>> gb.etype_tuple_to_str(("user", "likes", "item"))
    'user:likes:item'
    """
    if not isinstance(c_etype, tuple) or len(c_etype) != 3:
        raise InvalidValueError(
            f"An edge type is a tuple (source type, relation, destination type), got "
            f"{shown(c_etype)}."
        )
    return CANONICAL_ETYPE_DELIMITER.join(c_etype)


def etype_str_to_tuple(c_etype: str) -> tuple[str, str, str]:
    """Read a canonical edge type from a string.

    Examples
    --------
    >>> import gossamer.graphbolt as gb
    >>> gb.etype_str_to_tuple("user:likes:item")
    ('user', 'likes', 'item')
    """
    parts = tuple(c_etype.split(CANONICAL_ETYPE_DELIMITER)) if isinstance(c_etype, str) else ()
    if len(parts) != 3:
        raise InvalidValueError(
            "An edge type is a string 'source type:relation:destination type', got "
            f"{shown(c_etype)}."
        )
    return parts


def seed_type_str_to_ntypes(seed_type: str, seed_size: int) -> list[str]:
    """Return the node types of the columns of seeds, given their node type or edge type.

    Examples
    --------
    >>> import gossamer.graphbolt as gb
    >>> gb.seed_type_str_to_ntypes("user:likes:item", 2)
    ['user', 'item']
    """
    if CANONICAL_ETYPE_DELIMITER in seed_type:
        return list(etype_str_to_tuple(seed_type)[::2])
    return [seed_type] * seed_size


def map_by_type(function: Callable[[Any], Value], value: Any) -> Any:
    """Apply a function to each value of a dict, or to the value itself; None stays None."""
    if value is None:
        return None
    if isinstance(value, dict):
        return {key: function(item) for key, item in value.items()}
    return function(value)


def value_of_type(values: Any, key: str) -> Any:
    """Return the value of a type; None if it has none, or if values are not given by type."""
    return values.get(key) if isinstance(values, dict) else None
