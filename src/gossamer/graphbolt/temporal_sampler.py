"""Temporal samplers, which draw earlier neighbors only."""

from __future__ import annotations

from typing import Any

from gossamer.errors import InvalidValueError
from gossamer.graphbolt.arguments import as_fanouts, require_sampling_graph
from gossamer.graphbolt.compacting import compact_csc_format
from gossamer.graphbolt.draws import PastEdges
from gossamer.graphbolt.pipeline import Stage
from gossamer.graphbolt.sampled_subgraph import SampledSubgraphImpl
from gossamer.graphbolt.subgraph_sampler import SubgraphSampler
from gossamer.graphbolt.types import ByType

__all__ = ["TemporalLayerNeighborSampler", "TemporalNeighborSampler"]


class TemporalNeighborSampler(SubgraphSampler):
    """Draw neighbors that are earlier than the time of their seed, layer by layer.

    Items need a part named ``"timestamp"``. A source node gets the time of its destination, so
    every layer is earlier than the seed; a node at two times occurs twice.

    Parameters
    ----------
    datapipe : Stage
    graph : FusedCSCSamplingGraph
    fanouts : list of int or Tensor
        See `NeighborSampler`.
    replace : bool
        Whether an edge may be drawn more than once.
    prob_name : str, optional
        Edge attribute with weights or a mask.
    node_timestamp_attr_name, edge_timestamp_attr_name : str, optional
        Attributes with the times of nodes and edges; at least one is required.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> graph = gb.fused_csc_sampling_graph(torch.tensor([0, 2, 2, 2]), torch.tensor([1, 2]))
    >>> graph.add_edge_attribute("t", torch.tensor([3, 8]))
    >>> items = gb.ItemSet((torch.tensor([0]), torch.tensor([5])), ("seeds", "timestamp"))
    >>> pipe = gb.ItemSampler(items, batch_size=1)
    >>> pipe = gb.TemporalNeighborSampler(pipe, graph, [-1], edge_timestamp_attr_name="t")
    >>> next(iter(pipe)).input_nodes
    tensor([0, 1])
    """

    def __init__(
        self,
        datapipe: Stage,
        graph: Any,
        fanouts: Any,
        replace: bool = False,
        prob_name: str | None = None,
        node_timestamp_attr_name: str | None = None,
        edge_timestamp_attr_name: str | None = None,
    ) -> None:
        super().__init__(datapipe)
        require_sampling_graph(graph, type(self).__name__)
        PastEdges.require_times(node_timestamp_attr_name, edge_timestamp_attr_name)
        self.graph = graph
        self.fanouts = as_fanouts(fanouts, graph, type(self).__name__)
        self.replace = replace
        self.prob_name = prob_name
        self.node_timestamp_attr_name = node_timestamp_attr_name
        self.edge_timestamp_attr_name = edge_timestamp_attr_name

    def _draw(self, *arguments: Any) -> SampledSubgraphImpl:
        return self.graph.temporal_sample_neighbors(*arguments)

    def sample_subgraphs(
        self,
        seeds: ByType,
        seeds_timestamp: ByType | None,
        seeds_pre_time_window: ByType | None = None,
    ) -> tuple[ByType, list[SampledSubgraphImpl]]:
        """Draw a subgraph of earlier edges for each layer, starting from the seeds."""
        if seeds_timestamp is None:
            raise InvalidValueError(
                f"{type(self).__name__}: the batch has no timestamps. Give the items a part named "
                "'timestamp'."
            )
        names = self.node_timestamp_attr_name, self.edge_timestamp_attr_name
        times, window, subgraphs = seeds_timestamp, seeds_pre_time_window, []
        for fanout in reversed(self.fanouts):
            subgraph = self._draw(
                seeds, times, fanout, self.replace, window, self.prob_name, *names
            )
            seeds, subgraph.sampled_csc, times = compact_csc_format(
                subgraph.sampled_csc, seeds, times
            )
            subgraph.original_row_node_ids = seeds
            subgraphs.insert(0, subgraph)
            window = None  # applies to the seeds only; further layers are bounded by the time alone
        return seeds, subgraphs


class TemporalLayerNeighborSampler(TemporalNeighborSampler):
    """Draw earlier neighbors by layer-neighbor sampling; see `TemporalNeighborSampler`."""

    def _draw(self, *arguments: Any) -> SampledSubgraphImpl:
        return self.graph.temporal_sample_layer_neighbors(*arguments)
