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

    The new seeds are the positive pairs followed by `negative_ratio` negative pairs for each.
    ``labels`` are 1 for positive and 0 for negative pairs; ``indexes`` are the numbers of the
    positive pairs that the pairs belong to.

    Parameters
    ----------
    datapipe : Stage
    negative_ratio : int
        Negative pairs per positive pair.

    Notes
    -----
    As in version 2.1, a method ``_sample_with_etype(self, node_pairs, etype)`` receives the pairs
    as ``(u, v)`` and returns sources and destinations of `negative_ratio` pairs for each pair, for
    example of shape ``(P, K)``; None means those of the positive pair.
    """

    def __init__(self, datapipe: Stage, negative_ratio: int) -> None:
        super().__init__(datapipe)
        self.negative_ratio = as_int(negative_ratio, type(self).__name__, "negative_ratio", 1)

    def __iter__(self) -> Iterator[MiniBatch]:
        for batch in self.datapipe:
            require_seeds(batch, type(self).__name__)
            # A separate purpose number: samplers of the same batch draw different random numbers.
            with random_numbers(batch, 1):
                done = self._add_negatives(batch)
            yield done  # outside the ``with`` block, whose stream would affect the caller

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
        """Return negative pairs from their sources and destinations, one of which may be None."""
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
        """Return ``(N * negative_ratio, 2)`` negative pairs, grouped by positive pair."""
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
    A negative pair may be an edge of the graph; in a sparse graph, this is rare.

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
