"""Negative node pairs for link prediction."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.errors import InvalidValueError
from gossamer.graphbolt.arguments import as_pairs, require_sampling_graph
from gossamer.graphbolt.minibatch import MiniBatch, random_numbers, require_seeds
from gossamer.graphbolt.node_pairs import joined
from gossamer.graphbolt.pipeline import Stage
from gossamer.graphbolt.types import map_by_type

__all__ = ["NegativeSampler", "UniformNegativeSampler"]


class NegativeSampler(Stage):
    """Add negative pairs to the seeds of each batch; subclasses define ``_sample_with_etype``.

    Seeds become the positive pairs followed by `negative_ratio` negative pairs for each. ``labels``
    are 1 for positive and 0 for negative pairs; ``indexes`` hold the number of the positive pair
    that each pair belongs to.

    Parameters
    ----------
    datapipe : Stage
    negative_ratio : int
        Negative pairs per positive pair.

    Notes
    -----
    As in version 2.1, a method ``_sample_with_etype(self, node_pairs, etype)`` gets the pairs as
    ``(u, v)`` and gives sources and destinations of `negative_ratio` pairs for each of them, such
    as ``(P, K)``; None are those of the positive pair.
    """

    def __init__(self, datapipe: Stage, negative_ratio: int) -> None:
        super().__init__(datapipe)
        self.negative_ratio = as_int(negative_ratio, type(self).__name__, "negative_ratio", 1)

    def __iter__(self) -> Iterator[MiniBatch]:
        for batch in self.datapipe:
            require_seeds(batch, type(self).__name__)
            # A number of its own, so that samplers of the same batch draw other numbers.
            with random_numbers(batch, 1):
                done = self._add_negatives(batch)
            yield done  # outside of the stream, which is the caller's as well

    def _add_negatives(self, batch: MiniBatch) -> MiniBatch:
        if isinstance(batch.seeds, dict):
            parts = {etype: self._combine(pairs, etype) for etype, pairs in batch.seeds.items()}
        else:
            parts = self._combine(batch.seeds, None)
        batch.seeds, batch.labels, batch.indexes = (
            map_by_type(itemgetter(i), parts) for i in range(3)
        )
        return batch

    def _combine(self, pairs: Tensor, etype: str | None) -> tuple[Tensor, Tensor, Tensor]:
        pairs = as_pairs(pairs, type(self).__name__)
        given = tuple(pairs.unbind(1)) if _takes_ends(self._sample_with_etype) else pairs
        drawn: Any = self._sample_with_etype(given, etype)
        if isinstance(drawn, tuple):
            drawn = self._paired(pairs, drawn)
        return joined(pairs, drawn, self.negative_ratio)

    def _paired(self, pairs: Tensor, drawn: tuple[Tensor | None, ...]) -> Tensor:
        """Negative pairs from their sources and destinations, of which one may be missing."""
        columns = []
        for positive, ends in zip(pairs.unbind(1), drawn, strict=True):
            column = positive.repeat_interleave(self.negative_ratio)
            if ends is not None:
                if ends.numel() != len(column):
                    raise InvalidValueError(
                        f"{type(self).__name__}: {self.negative_ratio} negative pairs for each of "
                        f"{len(pairs)} pairs have {len(column)} ends, got {tuple(ends.shape)}."
                    )
                column = ends.reshape(-1).to(column.dtype)
            columns.append(column)
        return torch.stack(columns, 1)

    def _sample_with_etype(self, seeds: Tensor, etype: str | None = None) -> Tensor:
        """``(N * negative_ratio, 2)`` negative pairs, those of each positive pair together."""
        raise NotImplementedError(f"{type(self).__name__} does not define _sample_with_etype.")


def _takes_ends(function: Callable[..., Any]) -> bool:
    """Whether a method has the form of version 2.1, whose first argument is ``node_pairs``."""
    return next(iter(inspect.signature(function).parameters), None) == "node_pairs"


class UniformNegativeSampler(NegativeSampler):
    """Draw negative destinations uniformly for the source of each positive pair.

    Parameters
    ----------
    datapipe : Stage
    graph : FusedCSCSamplingGraph
    negative_ratio : int
        Negative pairs per positive pair.

    Notes
    -----
    A negative pair may be an edge of the graph: in a sparse graph that is rare.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> graph = gb.fused_csc_sampling_graph(torch.tensor([0, 1, 2]), torch.tensor([1, 0]))
    >>> pipe = gb.ItemSampler(gb.ItemSet(torch.tensor([[0, 1], [1, 0]]), "seeds"), batch_size=2)
    >>> batch = next(iter(pipe.sample_uniform_negative(graph, 2)))
    >>> batch.seeds.shape, batch.indexes
    (torch.Size([6, 2]), tensor([0, 1, 0, 0, 1, 1]))
    """

    def __init__(self, datapipe: Stage, graph: Any, negative_ratio: int) -> None:
        super().__init__(datapipe, negative_ratio)
        require_sampling_graph(graph, type(self).__name__)
        self.graph = graph

    def _sample_with_etype(self, seeds: Tensor, etype: str | None = None) -> Tensor:
        return self.graph.sample_negative_edges_uniform(etype, seeds, self.negative_ratio)
