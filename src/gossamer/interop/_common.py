"""Shared helpers of the conversions."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph, heterograph
from gossamer.graph.schema import CanonicalEType

__all__ = ["two_sided"]


def two_sided(
    ends: tuple[Tensor, Tensor],
    etype: CanonicalEType,
    counts: tuple[int, int],
    idtype: torch.dtype | None,
    device: torch.device | str | None,
    name: str,
) -> Graph:
    """Make a graph of one relation; if both sides have one type, their counts must be equal."""
    if not all(isinstance(part, str) for part in etype):
        raise InvalidTypeError(f"An edge type consists of three str, got {etype}.")
    src, _, dst = etype
    if src == dst and counts[0] != counts[1]:
        raise InvalidValueError(
            f"{name}: both sides have type {src!r} but {counts[0]} and {counts[1]} nodes. "
            "Give them different names."
        )
    sizes = {src: counts[0], dst: counts[1]}
    return heterograph({etype: ends}, sizes, idtype=idtype, device=device)
