"""Checks shared by encodings, neighbor searches and measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph.arguments import refuse_block
from gossamer.ops.adjacency import Adjacency

__all__ = ["edge_weights", "one_relation", "points"]


def one_relation(g: Any, name: str) -> Adjacency:
    """The edges of `g`, whose only edge type must join a node type with itself."""
    refuse_block(g, name)
    etypes = g.canonical_etypes
    if len(etypes) != 1 or etypes[0][0] != etypes[0][2]:
        raise InvalidValueError(
            f"{name} takes a graph with one edge type that joins a node type with itself, got "
            f"{etypes}. Select one, as in g[etype], or use gossamer.to_homogeneous."
        )
    return g.adjacency


def edge_weights(data: Mapping[str, Tensor], feature: Any, name: str) -> Tensor:
    """The edge feature `feature` as a real vector, one number per edge."""
    if feature not in data:
        raise UnknownKeyError(
            f"{name}: there is no edge feature {feature!r}; the graph has {list(data)}."
        )
    weights = data[feature]
    if weights.dim() == 2 and weights.shape[1] == 1:
        weights = weights.squeeze(1)
    if weights.dim() != 1 or weights.is_complex() or weights.dtype == torch.bool:
        raise InvalidValueError(
            f"{name}: edge feature {feature!r} has {weights.dtype} rows of shape "
            f"{tuple(weights.shape[1:])}; weights must be one real number per edge."
        )
    return weights


def points(x: Any, name: str, dims: Sequence[int]) -> Tensor:
    """`x` as floating-point coordinates whose number of dimensions is in `dims`; not empty."""
    shapes = {2: "(N, D)", 3: "(B, N, D)"}
    if not isinstance(x, Tensor):
        raise InvalidTypeError(f"{name} takes points as a tensor, got {type(x).__name__}.")
    if x.is_complex() or x.dtype == torch.bool:
        raise InvalidTypeError(f"{name}: coordinates must be real numbers, got {x.dtype}.")
    if x.dim() not in dims:
        raise InvalidValueError(
            f"{name} takes points of shape {' or '.join(shapes[d] for d in dims)}, got "
            f"{tuple(x.shape)}."
        )
    if x.layout is not torch.strided or (type(x) is Tensor and x.is_meta):
        kind = "the meta device, without values" if x.is_meta else f"the layout {x.layout}"
        raise InvalidTypeError(f"{name}: points are a dense tensor with values, got {kind}.")
    if 0 in x.shape[:-1]:
        raise InvalidValueError(f"{name}: the point set is empty, its shape is {tuple(x.shape)}.")
    if not x.is_floating_point():
        x = x.double()
    # A finite sum implies finite terms and is faster to test, but may overflow.
    if not (bool(torch.isfinite(x.detach().sum())) or bool(torch.isfinite(x).all())):
        raise InvalidValueError(f"{name}: some coordinates are infinite or not a number.")
    return x
