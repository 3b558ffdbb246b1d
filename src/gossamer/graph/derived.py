"""Transforms as methods of Graph: the functions themselves live in `gossamer.transforms`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph

__all__ = ["DerivedGraphs"]


class DerivedGraphs:
    """The part of :class:`Graph` that returns new graphs.

    Imports stand inside the methods because transforms are built on graphs.
    """

    def add_self_loop(
        self: Graph,
        edge_feat_names: Sequence[str] | None = None,
        fill_data: float | Tensor | str = 1.0,
        etype: Any = None,
    ) -> Graph:
        """See :func:`gossamer.add_self_loop`."""
        from gossamer import transforms

        return transforms.add_self_loop(self, edge_feat_names, fill_data, etype)

    def remove_self_loop(self: Graph, etype: Any = None) -> Graph:
        """See :func:`gossamer.remove_self_loop`."""
        from gossamer import transforms

        return transforms.remove_self_loop(self, etype)
