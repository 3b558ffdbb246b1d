"""Edge weights computed from degrees."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from gossamer.graph import Graph
from gossamer.graph.arguments import require_graph

__all__ = ["norm_by_dst"]


def norm_by_dst(g: Graph, etype: Any = None) -> Tensor:
    r"""Compute edge weights that turn a sum over in-edges into a mean.

    .. math:: w_{u \to v} = 1 / d^{in}_v

    Parameters
    ----------
    g : Graph
        Any graph.
    etype : str or (str, str, str), optional
        Edge type; may be left out if there is only one.

    Returns
    -------
    Tensor
        ``(E,)`` float32; the weights of the in-edges of a node add up to 1.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph.
    InvalidValueError
        If there are several edge types and `etype` is None.
    UnknownKeyError
        If there is no such edge type.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.norm_by_dst(gs.graph(([0, 1, 2], [1, 0, 1])))
    tensor([0.5000, 1.0000, 0.5000])
    """
    require_graph(g, "norm_by_dst")
    relation = g.relation(etype)
    _, targets = relation.coo()
    return relation.in_degrees().float().reciprocal().index_select(0, targets)
