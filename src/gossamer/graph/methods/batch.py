"""The sizes of the graphs in a batch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph

__all__ = ["Batch", "allow_other_totals"]

_other_totals_allowed = False


def allow_other_totals(allowed: bool) -> None:
    """Set whether batch sizes that do not add up give a warning instead of an error.

    DGL accepts such sizes, so the compatibility layer allows them.
    """
    global _other_totals_allowed
    _other_totals_allowed = allowed


class Batch:
    """Sizes of the graphs in a batch."""

    @property
    def batch_size(self: Graph) -> int:
        """Number of graphs in this batch; 1 if it is not a batch."""
        if self._batch_num_nodes is None:
            return 1
        return next(iter(self._batch_num_nodes.values())).shape[0]

    def batch_num_nodes(self: Graph, ntype: str | None = None) -> Tensor:
        """Number of nodes of a type in each graph of the batch, ``(batch_size,)``."""
        position = self._schema.ntype_id(ntype)
        if self._batch_num_nodes is None:
            count = self._node_frames[position].num_rows
            return torch.tensor([count], dtype=self.idtype, device=self.device)
        return self._batch_num_nodes[self._schema.ntypes[position]].clone()

    def batch_num_edges(self: Graph, etype: Any = None) -> Tensor:
        """Number of edges of a type in each graph of the batch, ``(batch_size,)``."""
        position = self._schema.etype_id(etype)
        if self._batch_num_edges is None:
            count = self._adjacencies[position].num_edges
            return torch.tensor([count], dtype=self.idtype, device=self.device)
        return self._batch_num_edges[self._schema.canonical_etypes[position]].clone()

    def set_batch_num_nodes(self: Graph, val: Tensor | Mapping[str, Tensor]) -> None:
        """Set the number of nodes of each graph in the batch: a tensor, or a dict over types."""
        ntypes = list(dict.fromkeys(self._schema.ntypes))
        self._batch_num_nodes = self._checked_sizes(val, ntypes, self.num_nodes)

    def set_batch_num_edges(self: Graph, val: Tensor | Mapping[Any, Tensor]) -> None:
        """Set the number of edges of each graph in the batch: a tensor, or a dict over types."""
        etypes = self._schema.canonical_etypes
        if isinstance(val, Mapping):
            val = {self.to_canonical_etype(etype): sizes for etype, sizes in val.items()}
        self._batch_num_edges = self._checked_sizes(val, etypes, self.num_edges)

    def _checked_sizes(
        self: Graph, val: Any, keys: Sequence[Hashable], total: Callable[[Any], int]
    ) -> dict[Any, Tensor]:
        """The sizes of each type in `keys`, checked to add up to its `total`."""
        if not isinstance(val, Mapping):
            if len(keys) != 1:
                raise InvalidTypeError(
                    f"Batch sizes of several types are a dict over {list(keys)}."
                )
            val = {keys[0]: val}
        sizes = {key: self._as_ids(value, "batch sizes") for key, value in val.items()}
        if set(sizes) != set(keys):
            raise InvalidValueError(f"Batch sizes are needed for {list(keys)}, got {list(sizes)}.")
        for key, value in sizes.items():
            if bool((value < 0).any()):
                raise InvalidValueError(
                    f"Batch sizes of {key!r} cannot be negative, got {int(value.min())}."
                )
            if int(value.sum()) == total(key):
                continue
            message = (
                f"Batch sizes of {key!r} add up to {int(value.sum())}, but there are {total(key)}."
            )
            if not _other_totals_allowed:
                raise InvalidValueError(message)
            warnings.warn(
                f"{message} Functions that use them will fail.", UserWarning, stacklevel=4
            )
        return sizes
