"""Convert floating-point features to another precision."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.graph import Graph
from gossamer.graph.arguments import require_graph

__all__ = ["to_bfloat16", "to_double", "to_float", "to_half"]


def to_half(g: Graph) -> Graph:
    """Convert floating-point node and edge features to float16; see :func:`to_float`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0], [1]))
    >>> g.ndata["x"], g.ndata["label"] = torch.ones(2), torch.tensor([0, 1])
    >>> [feature.dtype for feature in gs.to_half(g).ndata.values()]
    [torch.float16, torch.int64]
    """
    return _cast(g, torch.float16, "to_half")


def to_bfloat16(g: Graph) -> Graph:
    """Convert floating-point node and edge features to bfloat16; see :func:`to_float`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0], [1]))
    >>> g.ndata["x"] = torch.ones(2)
    >>> gs.to_bfloat16(g).ndata["x"].dtype
    torch.bfloat16
    """
    return _cast(g, torch.bfloat16, "to_bfloat16")


def to_float(g: Graph) -> Graph:
    """Convert floating-point node and edge features to float32.

    Integer, bool and complex features, structure, ids and batch sizes do not change.
    Gradients flow through the conversion.

    Parameters
    ----------
    g : Graph
        Any graph. It is not modified.

    Returns
    -------
    Graph
        A new graph that shares its structure with `g`.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0], [1]))
    >>> g.edata["w"] = torch.ones(1, dtype=torch.float64)
    >>> gs.to_float(g).edata["w"].dtype, g.edata["w"].dtype
    (torch.float32, torch.float64)
    """
    return _cast(g, torch.float32, "to_float")


def to_double(g: Graph) -> Graph:
    """Convert floating-point node and edge features to float64; see :func:`to_float`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0], [1]))
    >>> g.ndata["x"] = torch.ones(2)
    >>> gs.to_double(g).ndata["x"].dtype
    torch.float64
    """
    return _cast(g, torch.float64, "to_double")


def _cast(g: Graph, dtype: torch.dtype, name: str) -> Graph:
    require_graph(g, name)

    def convert(feature: Tensor) -> Tensor:
        return feature.to(dtype) if feature.is_floating_point() else feature

    return g.replaced(
        node_frames=[frame.apply(convert) for frame in g.node_frames],
        edge_frames=[frame.apply(convert) for frame in g.edge_frames],
    )
