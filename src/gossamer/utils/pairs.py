"""Conversion of one input, or a pair, to source and destination features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["expand_as_pair"]


def expand_as_pair(input_: Any, g: Graph | None = None) -> tuple[Any, Any]:
    """Return the features of source and destination nodes.

    Parameters
    ----------
    input_ : Tensor, dict of Tensor, or pair of either
        A pair is returned unchanged. Anything else is used for both sides.
    g : Graph, optional
        If it is a block, destination features are the leading rows of the source features.

    Returns
    -------
    tuple
        (source features, destination features)

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> from gossamer.utils import expand_as_pair
    >>> block = gs.create_block(([0, 1, 2], [0, 0, 1]))
    >>> [x.shape[0] for x in expand_as_pair(torch.ones(3, 1), block)]
    [3, 2]
    """
    if isinstance(input_, tuple):
        return input_
    if getattr(g, "is_block", False):
        if isinstance(input_, Mapping):
            return input_, {name: x[: g.num_dst_nodes(name)] for name, x in input_.items()}
        return input_, input_[: g.num_dst_nodes()]
    return input_, input_
