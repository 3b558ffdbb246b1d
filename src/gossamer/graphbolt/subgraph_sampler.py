"""The stage that samples subgraphs for each batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graphbolt.compacting import unique_and_compact
from gossamer.graphbolt.minibatch import MiniBatch, random_numbers, require_seeds
from gossamer.graphbolt.pipeline import Stage
from gossamer.graphbolt.types import ByType, map_by_type, seed_type_str_to_ntypes

__all__ = ["SubgraphSampler"]


class SubgraphSampler(Stage):
    """Draw the subgraphs of each batch; subclasses define :meth:`sample_subgraphs`.

    Seeds of shape ``(N, 2)`` are node pairs: the subgraph is drawn for their distinct endpoints,
    and ``compacted_seeds`` contains the pairs as positions among the output nodes.

    Parameters
    ----------
    datapipe : Stage
    *args, **kwargs
        Further arguments of :meth:`sample_subgraphs`.
    """

    #: Whether the same node at different times of the batch is a different seed.
    _at_times = True

    def __init__(self, datapipe: Stage, *args: Any, **kwargs: Any) -> None:
        super().__init__(datapipe)
        self.args, self.kwargs = args, kwargs

    def __iter__(self) -> Iterator[MiniBatch]:
        yield from self.sampling_stages(self.datapipe)

    def sampling_stages(self, datapipe: Any) -> Iterator[MiniBatch]:
        """Sample subgraphs for each batch of `datapipe`."""
        for batch in datapipe:
            require_seeds(batch, type(self).__name__)
            with random_numbers(batch):
                done = self._sample(batch)
            yield done

    def _sample(self, batch: MiniBatch) -> MiniBatch:
        times = batch.timestamp if self._at_times else None
        seeds, times, batch.compacted_seeds = _output_nodes(batch.seeds, times)
        batch.input_nodes, batch.sampled_subgraphs = self.sample_subgraphs(
            seeds, times, *self.args, **self.kwargs
        )
        return batch

    def sample_subgraphs(
        self,
        seeds: ByType,
        seeds_timestamp: ByType | None,
        seeds_pre_time_window: ByType | None = None,
    ) -> tuple[ByType, list[Any]]:
        """Draw the subgraphs for distinct seeds.

        Returns
        -------
        input_nodes : Tensor or dict of str to Tensor
        sampled_subgraphs : list of SampledSubgraphImpl
            The outermost layer first.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define sample_subgraphs.")


def _output_nodes(
    seeds: ByType, times: ByType | None
) -> tuple[ByType, ByType | None, ByType | None]:
    """Return the output nodes, their times, and the seeds as positions among them."""
    parts = list(seeds.values()) if isinstance(seeds, dict) else [seeds]
    for part in parts:
        if not isinstance(part, Tensor):
            raise InvalidTypeError(
                f"Seeds must be an int32 or int64 tensor, got {type(part).__name__}. Make the item "
                "set of a tensor."
            )
    pairs = [part for part in parts if part.dim() == 2]
    if times is not None:
        return (
            _timed_ends(seeds, times) if pairs else (seeds, times, map_by_type(_positions, seeds))
        )
    if not isinstance(seeds, dict):
        unique, (flat,) = unique_and_compact([seeds.reshape(-1)])
        return unique, None, flat.view(seeds.shape)
    lists, where = _by_node_type(seeds)
    unique, places = unique_and_compact(lists)
    return unique, None, _pairs(where, places)


def _positions(ids: Tensor) -> Tensor:
    return torch.arange(len(ids), device=ids.device)


def _typed_columns(key: str, seeds: Tensor) -> Iterator[tuple[Tensor, str]]:
    """Yield the columns of seeds, each with its node type."""
    columns = [seeds] if seeds.dim() == 1 else seeds.unbind(1)
    ntypes = seed_type_str_to_ntypes(key, len(columns))
    if len(ntypes) != len(columns):
        raise InvalidValueError(
            f"Seeds of the edge type {key!r} must be node pairs of shape (N, 2), got "
            f"{tuple(seeds.shape)}."
        )
    return zip(columns, ntypes, strict=True)


def _timed_ends(seeds: ByType, times: ByType) -> tuple[ByType, ByType, ByType]:
    """Return every endpoint of every pair as a separate node, at the time of the pair."""
    if not isinstance(seeds, dict):
        nodes = seeds.reshape(-1)
        return nodes, times.repeat_interleave(seeds.shape[1]), _positions(nodes).view(seeds.shape)
    lists, where = _by_node_type(seeds)
    when: dict[str, list[Tensor]] = {ntype: [] for ntype in lists}
    for key, ends in where.items():
        for ntype, _ in ends:
            when[ntype].append(times[key])
    nodes = {ntype: torch.cat(parts) for ntype, parts in lists.items()}
    places = {
        ntype: _positions(nodes[ntype]).split([len(part) for part in parts])
        for ntype, parts in lists.items()
    }
    return nodes, {ntype: torch.cat(parts) for ntype, parts in when.items()}, _pairs(where, places)


_Where = dict[str, list[tuple[str, int]]]


def _by_node_type(seeds: dict[str, Tensor]) -> tuple[dict[str, list[Tensor]], _Where]:
    """Return the columns of seeds by node type, and the location of each column."""
    lists: dict[str, list[Tensor]] = {}
    where: _Where = {key: [] for key in seeds}
    for key, part in seeds.items():
        for column, ntype in _typed_columns(key, part):
            where[key].append((ntype, len(lists.setdefault(ntype, []))))
            lists[ntype].append(column.contiguous())
    return lists, where


def _pairs(where: _Where, places: dict[str, Sequence[Tensor]]) -> dict[str, Tensor]:
    """Assemble seeds or pairs from their columns by node type."""
    found = {key: [places[ntype][i] for ntype, i in ends] for key, ends in where.items()}
    return {key: torch.stack(own, 1) if len(own) > 1 else own[0] for key, own in found.items()}
