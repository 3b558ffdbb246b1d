"""Attributes of a mini-batch for node pairs, as in GraphBolt 2.1."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidValueError
from gossamer.graphbolt.arguments import as_pairs
from gossamer.graphbolt.types import ByType, map_by_type

__all__ = ["NodePairs", "Pair", "joined", "positive"]

#: Source and destination nodes.
Pair = tuple[Tensor, Tensor]


class NodePairs:
    """Pairs of a :class:`MiniBatch` as tuples ``(u, v)``, with separate negative pairs.

    They are views of `seeds` and `compacted_seeds`, in which the negative pairs follow the positive
    pairs. Each is None if the seeds are not pairs; those of negative pairs also if there are none.
    """

    seeds: ByType | None
    compacted_seeds: ByType | None
    indexes: ByType | None
    labels: ByType | None

    @property
    def node_pairs(self) -> Pair | dict[str, Pair] | None:
        """The positive pairs, in the ids of the graph."""
        return self._by_type(self.seeds, _positive)

    @node_pairs.setter
    def node_pairs(self, pairs: ByType | Pair | dict[str, Pair]) -> None:
        self.seeds = (
            {etype: _stacked(own) for etype, own in pairs.items()}
            if isinstance(pairs, dict)
            else _stacked(pairs)
        )

    @property
    def compacted_node_pairs(self) -> Pair | dict[str, Pair] | None:
        """The positive pairs, as positions among the output nodes of the last layer."""
        return self._by_type(self.compacted_seeds, _positive)

    @property
    def positive_node_pairs(self) -> Pair | dict[str, Pair] | None:
        """The same as `compacted_node_pairs`."""
        return self.compacted_node_pairs

    @property
    def negative_node_pairs(self) -> Pair | dict[str, Pair] | None:
        """The negative pairs, ``(P, K)`` for `P` positive pairs, as positions."""
        return self._by_type(self.compacted_seeds, _negative)

    @property
    def negative_srcs(self) -> ByType | None:
        """Sources of the negative pairs, ``(P, K)``; None if all equal the positive sources."""
        return _sources(self.node_pairs, self._by_type(self.seeds, _negative))

    @property
    def compacted_negative_srcs(self) -> ByType | None:
        """The same as `negative_srcs`, as positions."""
        return _sources(self.compacted_node_pairs, self.negative_node_pairs)

    @property
    def negative_dsts(self) -> ByType | None:
        """Destinations of the negative pairs, ``(P, K)``, in the ids of the graph."""
        return map_by_type(itemgetter(1), self._by_type(self.seeds, _negative))

    @negative_dsts.setter
    def negative_dsts(self, negative_dsts: ByType) -> None:
        if isinstance(self.seeds, dict):
            parts = {
                etype: _with_negatives(own, negative_dsts[etype])
                if etype in negative_dsts
                else (own, None, None)
                for etype, own in self.seeds.items()
            }
        else:
            parts = _with_negatives(self.seeds, negative_dsts)
        self.seeds, self.labels, self.indexes = (
            map_by_type(itemgetter(i), parts) for i in range(3)
        )

    @property
    def compacted_negative_dsts(self) -> ByType | None:
        """Destinations of the negative pairs, ``(P, K)``, as positions."""
        return map_by_type(itemgetter(1), self.negative_node_pairs)

    @property
    def node_pairs_with_labels(self) -> tuple[Any, ByType | None] | None:
        """All pairs, as positions, and their labels: those of the batch, or 1 and 0."""
        pairs = self._by_type(self.compacted_seeds, _all)
        return None if pairs is None else (pairs, map_by_type(_as_numbers, self.labels))

    def _by_type(self, seeds: ByType | None, function: Callable[..., Pair | None]) -> Any:
        if not isinstance(seeds, dict):
            return None if seeds is None else function(seeds, self.labels, self.indexes)
        labels, indexes = self.labels or {}, self.indexes or {}
        found = {
            etype: function(pairs, labels.get(etype), indexes.get(etype))
            for etype, pairs in seeds.items()
        }
        return None if None in found.values() else found


def _sources(positive: Any, negative: Any) -> ByType | None:
    """Return the sources of negative pairs, None if all equal those of the positive pairs."""
    if negative is None:
        return None
    typed = isinstance(negative, dict)
    pairs = [(positive[k], negative[k]) for k in negative] if typed else [(positive, negative)]
    if all(bool((own[0].unsqueeze(1) == other[0]).all()) for own, other in pairs):
        return None
    return map_by_type(itemgetter(0), negative)


def _stacked(pairs: Any) -> Any:
    """Convert pairs ``(u, v)`` to ``(N, 2)``; return anything else unchanged."""
    return as_pairs(pairs, "node_pairs") if isinstance(pairs, tuple) else pairs


def _all(pairs: Tensor, labels: Tensor | None, indexes: Tensor | None) -> Pair | None:
    if pairs.dim() != 2 or pairs.shape[1] != 2:
        return None
    return pairs[:, 0], pairs[:, 1]


def _positive(pairs: Tensor, labels: Tensor | None, indexes: Tensor | None) -> Pair | None:
    return _all(positive(pairs, labels, indexes), labels, indexes)


def positive(pairs: Tensor, labels: Tensor | None, indexes: Tensor | None) -> Tensor:
    """Return the pairs without the negative pairs that a sampler added."""
    return pairs if labels is None or indexes is None else pairs[labels.bool()]


def _negative(pairs: Tensor, labels: Tensor | None, indexes: Tensor | None) -> Pair | None:
    """Return the negative pairs, one row per positive pair; None if the rows differ in length."""
    if labels is None or indexes is None:
        return None
    negative = ~labels.bool()
    rows, count = len(labels) - int(negative.sum()), int(negative.sum())
    if not rows or count % rows:
        return None
    together = indexes[negative].argsort(stable=True)
    found = _all(pairs[negative][together], labels, indexes)
    return None if found is None else (found[0].reshape(rows, -1), found[1].reshape(rows, -1))


def _with_negatives(pairs: Any, dsts: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Append pairs with negative destinations to the positive pairs; see :func:`joined`."""
    pairs = as_pairs(pairs, "negative_dsts")
    if not isinstance(dsts, Tensor) or dsts.dim() != 2 or len(dsts) != len(pairs):
        came = tuple(dsts.shape) if isinstance(dsts, Tensor) else type(dsts).__name__
        raise InvalidValueError(
            f"negative_dsts have the shape (P, K), a row for each of the {len(pairs)} node pairs, "
            f"got {came}."
        )
    each = dsts.shape[1]
    src = pairs[:, 0].repeat_interleave(each)
    return joined(pairs, torch.stack([src, dsts.reshape(-1).to(pairs.dtype)], 1), each)


def joined(pairs: Tensor, negatives: Tensor, each: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return pairs followed by `each` negative pairs for each, and their labels and indexes."""
    count = len(pairs)
    labels = torch.zeros(count + len(negatives), dtype=torch.bool, device=pairs.device)
    labels[:count] = True
    number = torch.arange(count, device=pairs.device)
    indexes = torch.cat([number, number.repeat_interleave(each)])
    return torch.cat([pairs, negatives.to(pairs.dtype)]), labels, indexes


def _as_numbers(labels: Tensor) -> Tensor:
    return labels.float() if labels.dtype == torch.bool else labels
