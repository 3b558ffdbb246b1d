"""Checks and pieces that several doors share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph, heterograph
from gossamer.graph.schema import CanonicalEType

__all__ = ["attribute_names", "require_graph", "two_sided"]


def require_graph(graph: Any, name: str) -> None:
    """Raise unless `graph` is a graph."""
    if not isinstance(graph, Graph):
        raise InvalidTypeError(f"{name} takes a graph, got {type(graph).__name__}.")


def attribute_names(names: Any, what: str, caller: str) -> list[str]:
    """A list of names; one str is a list of one."""
    if names is None:
        return []
    if isinstance(names, str):
        return [names]
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise InvalidTypeError(f"{caller}: {what} is a list of names, got {names!r}.")
    return list(names)


def two_sided(
    ends: tuple[Tensor, Tensor],
    etype: CanonicalEType,
    counts: tuple[int, int],
    idtype: torch.dtype | None,
    device: torch.device | str | None,
    name: str,
) -> Graph:
    """A graph of one relation; one node type on both sides needs as many nodes on each."""
    if not all(isinstance(part, str) for part in etype):
        raise InvalidTypeError(f"An edge type is three str, got {etype}.")
    src, _, dst = etype
    if src == dst and counts[0] != counts[1]:
        raise InvalidValueError(
            f"{name}: both sides are called {src!r} but have {counts[0]} and {counts[1]} nodes. "
            "Give them different names."
        )
    sizes = {src: counts[0], dst: counts[1]}
    return heterograph({etype: ends}, sizes, idtype=idtype, device=device)
