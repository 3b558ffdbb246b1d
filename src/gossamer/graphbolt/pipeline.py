"""Stages of a pipeline: each iterates over the one before it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import IterableDataset

from gossamer._options import as_device, require_function
from gossamer.errors import InvalidTypeError
from gossamer.graphbolt.minibatch import MiniBatch

if TYPE_CHECKING:
    from gossamer.graphbolt.feature_store import FeatureStore

__all__ = ["CopyTo", "MiniBatchTransformer", "Stage"]


_NO_STAGE: Any = object()


class Stage(IterableDataset):
    """A stage of a pipeline. Methods add the next stage and return it.

    Parameters
    ----------
    datapipe : Stage, optional
        The previous stage; omitted by the first stage only.
    """

    def __init__(self, datapipe: Any = _NO_STAGE) -> None:
        super().__init__()
        first = datapipe is _NO_STAGE
        if not first and (isinstance(datapipe, str) or not hasattr(datapipe, "__iter__")):
            raise InvalidTypeError(
                f"{type(self).__name__}: datapipe must be a stage of a pipeline, such as an "
                f"ItemSampler, got {type(datapipe).__name__}."
            )
        self.datapipe = None if first else datapipe

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"{type(self).__name__} does not define __iter__.")

    def __len__(self) -> int:
        return len(self.datapipe)

    def stages(self) -> list[Stage]:
        """Return all stages in order, starting with the first."""
        before = self.datapipe.stages() if isinstance(self.datapipe, Stage) else []
        return [*before, self]

    def after(self, stage: Stage, source: Any) -> Any:
        """Return the stages after `stage`, applied to another source."""
        if self is stage:
            return source
        own = copy.copy(self)
        own.datapipe = self.datapipe.after(stage, source)
        return own

    # ------------------------------------------------------------------------- the stages to add

    def sample_neighbor(
        self,
        graph: Any,
        fanouts: Any,
        replace: bool = False,
        prob_name: str | None = None,
        deduplicate: bool = True,
        overlap_fetch: bool = False,
        num_gpu_cached_edges: int = 0,
        gpu_cache_threshold: int = 1,
        cooperative: bool = False,
        asynchronous: bool = False,
    ) -> Stage:
        """Add a `NeighborSampler`."""
        from gossamer.graphbolt.neighbor_sampler import NeighborSampler

        return NeighborSampler(self, graph, fanouts, replace, prob_name, deduplicate)

    def sample_layer_neighbor(
        self,
        graph: Any,
        fanouts: Any,
        replace: bool = False,
        prob_name: str | None = None,
        deduplicate: bool = True,
        layer_dependency: bool = False,
        batch_dependency: int = 1,
        overlap_fetch: bool = False,
        num_gpu_cached_edges: int = 0,
        gpu_cache_threshold: int = 1,
        cooperative: bool = False,
        asynchronous: bool = False,
    ) -> Stage:
        """Add a `LayerNeighborSampler`."""
        from gossamer.graphbolt.neighbor_sampler import LayerNeighborSampler

        options = replace, prob_name, deduplicate, layer_dependency, batch_dependency
        return LayerNeighborSampler(self, graph, fanouts, *options)

    def temporal_sample_neighbor(
        self,
        graph: Any,
        fanouts: Any,
        replace: bool = False,
        prob_name: str | None = None,
        node_timestamp_attr_name: str | None = None,
        edge_timestamp_attr_name: str | None = None,
    ) -> Stage:
        """Add a `TemporalNeighborSampler`."""
        from gossamer.graphbolt.temporal_sampler import TemporalNeighborSampler

        names = node_timestamp_attr_name, edge_timestamp_attr_name
        return TemporalNeighborSampler(self, graph, fanouts, replace, prob_name, *names)

    def temporal_sample_layer_neighbor(
        self,
        graph: Any,
        fanouts: Any,
        replace: bool = False,
        prob_name: str | None = None,
        node_timestamp_attr_name: str | None = None,
        edge_timestamp_attr_name: str | None = None,
    ) -> Stage:
        """Add a `TemporalLayerNeighborSampler`."""
        from gossamer.graphbolt.temporal_sampler import TemporalLayerNeighborSampler

        names = node_timestamp_attr_name, edge_timestamp_attr_name
        return TemporalLayerNeighborSampler(self, graph, fanouts, replace, prob_name, *names)

    def sample_in_subgraph(self, graph: Any) -> Stage:
        """Add an `InSubgraphSampler`."""
        from gossamer.graphbolt.neighbor_sampler import InSubgraphSampler

        return InSubgraphSampler(self, graph)

    def sample_subgraph(self, *args: Any, **kwargs: Any) -> Stage:
        """Add a `SubgraphSampler`."""
        from gossamer.graphbolt.subgraph_sampler import SubgraphSampler

        return SubgraphSampler(self, *args, **kwargs)

    def sample_uniform_negative(self, graph: Any, negative_ratio: int) -> Stage:
        """Add a `UniformNegativeSampler`."""
        from gossamer.graphbolt.negative_sampler import UniformNegativeSampler

        return UniformNegativeSampler(self, graph, negative_ratio)

    def sample_negative(self, negative_ratio: int) -> Stage:
        """Add a `NegativeSampler`."""
        from gossamer.graphbolt.negative_sampler import NegativeSampler

        return NegativeSampler(self, negative_ratio)

    def exclude_seed_edges(
        self,
        include_reverse_edges: bool = False,
        reverse_etypes_mapping: dict[str, str] | None = None,
        asynchronous: bool = False,
    ) -> Stage:
        """Add a stage that removes the seed edges from the subgraphs; see `exclude_seed_edges`."""
        from gossamer.graphbolt.exclude_edges import check_reverse_types, exclude_seed_edges

        check_reverse_types(reverse_etypes_mapping)
        options = {
            "include_reverse_edges": include_reverse_edges,
            "reverse_etypes_mapping": reverse_etypes_mapping,
        }
        return self.transform(partial(exclude_seed_edges, **options))

    def fetch_feature(
        self,
        feature_store: FeatureStore,
        node_feature_keys: Any = None,
        edge_feature_keys: Any = None,
        overlap_fetch: bool = True,
        cooperative: bool = False,
        lookahead: int = 0,
    ) -> Stage:
        """Add a `FeatureFetcher`."""
        from gossamer.graphbolt.feature_fetcher import FeatureFetcher

        keys = node_feature_keys, edge_feature_keys
        return FeatureFetcher(self, feature_store, *keys, lookahead=lookahead)

    def transform(self, transformer: Callable[[MiniBatch], Any] | None = None) -> Stage:
        """Add a `MiniBatchTransformer`."""
        return MiniBatchTransformer(self, transformer)

    def copy_to(
        self,
        device: torch.device | str,
        non_blocking: bool = False,
        extra_attrs: Sequence[str] | None = None,
    ) -> Stage:
        """Add a `CopyTo`."""
        return CopyTo(self, device, non_blocking, extra_attrs)


class MiniBatchTransformer(Stage):
    """Apply a function to each batch.

    Parameters
    ----------
    datapipe : Stage
    transformer : callable, optional
        ``transformer(batch) -> batch``. Default: the identity.

    Examples
    --------
    >>> import gossamer.graphbolt as gb
    >>> pipe = gb.ItemSampler(gb.ItemSet(4, "seeds"), batch_size=2)
    >>> [len(batch) for batch in gb.MiniBatchTransformer(pipe, lambda batch: batch.seeds)]
    [2, 2]
    """

    def __init__(
        self, datapipe: Stage, transformer: Callable[[MiniBatch], Any] | None = None
    ) -> None:
        super().__init__(datapipe)
        require_function(transformer, type(self).__name__, "transformer")
        self.transformer = transformer

    def __iter__(self) -> Iterator[Any]:
        for batch in self.datapipe:
            yield batch if self.transformer is None else self.transformer(batch)


class CopyTo(Stage):
    """Move each batch to a device.

    Parameters
    ----------
    datapipe : Stage
    device : torch.device
    non_blocking : bool
        Whether copies from pinned memory run asynchronously.
    extra_attrs : list of str, optional
        An argument of GraphBolt 2.1 without effect: all attributes are copied.

    Examples
    --------
    >>> import gossamer.graphbolt as gb
    >>> pipe = gb.ItemSampler(gb.ItemSet(2, "seeds"), batch_size=2)
    >>> next(iter(gb.CopyTo(pipe, "cpu"))).seeds
    tensor([0, 1])
    """

    def __init__(
        self,
        datapipe: Stage,
        device: torch.device | str,
        non_blocking: bool = False,
        extra_attrs: Sequence[str] | None = None,
    ) -> None:
        super().__init__(datapipe)
        self.device = as_device(device, "CopyTo: device")
        self.non_blocking = non_blocking

    def __iter__(self) -> Iterator[Any]:
        for batch in self.datapipe:
            yield batch.to(self.device, non_blocking=self.non_blocking)
