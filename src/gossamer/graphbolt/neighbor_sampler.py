"""Samplers of neighbors, layer by layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.graphbolt.arguments import as_fanouts, require_sampling_graph
from gossamer.graphbolt.compacting import compact_csc_format, unique_and_compact_csc_formats
from gossamer.graphbolt.pipeline import Stage
from gossamer.graphbolt.sampled_subgraph import SampledSubgraphImpl
from gossamer.graphbolt.subgraph_sampler import SubgraphSampler
from gossamer.graphbolt.types import ByType
from gossamer.sampling import _core

__all__ = ["InSubgraphSampler", "LayerNeighborSampler", "NeighborSampler"]


class NeighborSampler(SubgraphSampler):
    """Draw neighbors uniformly or by weight, layer by layer.

    Parameters
    ----------
    datapipe : Stage
    graph : FusedCSCSamplingGraph
    fanouts : list of int or Tensor
        For each layer, the outermost first: the number of in-edges to draw per node, or one number
        for each edge type. -1 means all.
    replace : bool
        Whether an edge may be drawn more than once.
    prob_name : str, optional
        Edge attribute with weights or a mask.
    deduplicate : bool
        Whether each source node occurs once in a subgraph; otherwise once for each edge.
    overlap_fetch, num_gpu_cached_edges, gpu_cache_threshold, cooperative, asynchronous
        Have an effect on a GPU only.

    References
    ----------
    Hamilton, Ying and Leskovec, "Inductive representation learning on large graphs", NeurIPS 2017.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> graph = gb.fused_csc_sampling_graph(torch.tensor([0, 1, 2, 3]), torch.tensor([1, 2, 0]))
    >>> pipe = gb.ItemSampler(gb.ItemSet(1, "seeds"), batch_size=1)
    >>> batch = next(iter(gb.NeighborSampler(pipe, graph, [1, 1])))
    >>> batch.input_nodes
    tensor([0, 1, 2])
    """

    _at_times = False

    def __init__(
        self,
        datapipe: Stage,
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
    ) -> None:
        super().__init__(datapipe)
        require_sampling_graph(graph, type(self).__name__)
        self.graph = graph
        self.fanouts = as_fanouts(fanouts, graph, type(self).__name__)
        self.replace = replace
        self.prob_name = prob_name
        self.deduplicate = deduplicate

    def _draw(self, seeds: ByType, fanout: Tensor) -> SampledSubgraphImpl:
        return self.graph.sample_neighbors(seeds, fanout, self.replace, self.prob_name)

    def sample_subgraphs(
        self,
        seeds: ByType,
        seeds_timestamp: ByType | None = None,
        seeds_pre_time_window: ByType | None = None,
    ) -> tuple[ByType, list[SampledSubgraphImpl]]:
        """Draw a subgraph for each layer, starting from the seeds."""
        subgraphs: list[SampledSubgraphImpl] = []
        for fanout in reversed(self.fanouts):
            subgraph = self._draw(seeds, fanout)
            compact = unique_and_compact_csc_formats if self.deduplicate else compact_csc_format
            seeds, subgraph.sampled_csc = compact(subgraph.sampled_csc, seeds)
            subgraph.original_row_node_ids = seeds
            subgraphs.insert(0, subgraph)
        return seeds, subgraphs


class LayerNeighborSampler(NeighborSampler):
    """Draw neighbors by layer-neighbor sampling (LABOR), which needs fewer distinct nodes.

    Parameters
    ----------
    datapipe, graph, fanouts, replace, prob_name, deduplicate
        See `NeighborSampler`.
    layer_dependency : bool
        Whether all layers share the random number of each node, which reduces the number of
        distinct nodes further.
    batch_dependency : int
        Number of consecutive batches that share their random numbers.
    overlap_fetch, num_gpu_cached_edges, gpu_cache_threshold, cooperative, asynchronous
        Have an effect on a GPU only.

    References
    ----------
    Balin and Catalyurek, "Layer-neighbor sampling: defusing neighborhood explosion in GNNs",
    NeurIPS 2023.
    """

    def __init__(
        self,
        datapipe: Stage,
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
    ) -> None:
        super().__init__(datapipe, graph, fanouts, replace, prob_name, deduplicate)
        self.layer_dependency = layer_dependency
        self.batch_dependency = as_int(
            batch_dependency, "LayerNeighborSampler", "batch_dependency", 1
        )
        self._keys: list[int] = []

    def _sample(self, batch: Any) -> Any:
        # One key for each layer, from a stream that dependent batches share.
        if batch._stream:
            seed, epoch, number = batch._stream
            with _core.stream(seed, epoch, number // self.batch_dependency, 2):
                self._keys = [_core.next_key() for _ in self.fanouts]
        else:
            self._keys = [_core.next_key() for _ in self.fanouts]
        return super()._sample(batch)

    def _draw(self, seeds: ByType, fanout: Tensor) -> SampledSubgraphImpl:
        key = self._keys[0] if self.layer_dependency else self._keys.pop()
        return self.graph.sample_layer_neighbors(
            seeds, fanout, self.replace, self.prob_name, random_seed=torch.tensor([key])
        )


class InSubgraphSampler(SubgraphSampler):
    """Return all in-edges of the seeds.

    Parameters
    ----------
    datapipe : Stage
    graph : FusedCSCSamplingGraph
    """

    _at_times = False

    def __init__(self, datapipe: Stage, graph: Any) -> None:
        super().__init__(datapipe)
        require_sampling_graph(graph, type(self).__name__)
        self.graph = graph

    def sample_subgraphs(
        self,
        seeds: ByType,
        seeds_timestamp: ByType | None = None,
        seeds_pre_time_window: ByType | None = None,
    ) -> tuple[ByType, list[SampledSubgraphImpl]]:
        """Return the in-edges of the seeds as one subgraph."""
        subgraph = self.graph.in_subgraph(seeds)
        rows, subgraph.sampled_csc = unique_and_compact_csc_formats(subgraph.sampled_csc, seeds)
        subgraph.original_row_node_ids = rows
        return rows, [subgraph]
