"""Negative node pairs for link prediction."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from torch import Tensor

from gossamer._options import as_int
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
        return joined(pairs, self._sample_with_etype(pairs, etype), self.negative_ratio)

    def _sample_with_etype(self, seeds: Tensor, etype: str | None = None) -> Tensor:
        """``(N * negative_ratio, 2)`` negative pairs, those of each positive pair together."""
        raise NotImplementedError(f"{type(self).__name__} does not define _sample_with_etype.")


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
