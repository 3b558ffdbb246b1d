"""Graphs to sample from, as one CSC of all edge types."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graphbolt import arguments, draws
from gossamer.graphbolt.fused_csc import FusedCSC
from gossamer.graphbolt.sampled_subgraph import CSCFormatBase, Done, SampledSubgraphImpl
from gossamer.graphbolt.types import ByType, etype_str_to_tuple
from gossamer.sampling import _core

__all__ = ["ORIGINAL_EDGE_ID", "FusedCSCSamplingGraph"]

#: Edge attribute with the ids of the edges in the original graph.
ORIGINAL_EDGE_ID = "_ORIGINAL_EDGE_ID"


class FusedCSCSamplingGraph(FusedCSC):
    """A graph as one CSC over the nodes of all types.

    Nodes are numbered type by type: node ``i`` of type ``t`` is ``node_type_offset[t] + i``.
    Build a graph with :func:`fused_csc_sampling_graph` or :func:`from_graph`. Do not write to
    its tensors.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> graph = gb.fused_csc_sampling_graph(torch.tensor([0, 2, 3]), torch.tensor([0, 1, 1]))
    >>> graph.sample_neighbors(torch.tensor([0]), torch.tensor([-1])).sampled_csc.indices
    tensor([0, 1])
    """

    # ------------------------------------------------------------------------------------ sampling

    def sample_neighbors(
        self,
        seeds: ByType,
        fanouts: Tensor,
        replace: bool = False,
        probs_name: str | None = None,
        returning_indices_and_original_edge_ids_are_optional: bool = False,
        async_op: bool = False,
    ) -> Any:
        """Draw in-edges of some nodes.

        Parameters
        ----------
        seeds : Tensor or dict of str to Tensor
            Nodes, by type in a heterogeneous graph.
        fanouts : Tensor
            ``(1,)``: the number of edges to draw per node, over all edge types; or one number for
            each edge type, in the order of `edge_type_to_id`. -1 means all edges.
        replace : bool
            Whether an edge may be drawn more than once.
        probs_name : str, optional
            Edge attribute with weights or a mask. Default: all edges are equally likely.
        returning_indices_and_original_edge_ids_are_optional : bool
            Ignored: both are returned.
        async_op : bool
            Whether to return an object whose ``wait()`` returns the result.

        Returns
        -------
        SampledSubgraphImpl
            The sampled edges, with ids of the graph as indices.

        Raises
        ------
        InvalidTypeError, InvalidValueError, OutOfRangeError, UnknownKeyError
            If nodes, fanouts or weights are not valid for the graph.
        """
        subgraph = self._draw("sample_neighbors", seeds, fanouts, replace, probs_name)
        return Done(subgraph) if async_op else subgraph

    def sample_layer_neighbors(
        self,
        seeds: ByType,
        fanouts: Tensor,
        replace: bool = False,
        probs_name: str | None = None,
        returning_indices_and_original_edge_ids_are_optional: bool = False,
        random_seed: Tensor | None = None,
        seed2_contribution: float = 0.0,
        async_op: bool = False,
    ) -> Any:
        """Draw in-edges by layer-neighbor sampling (LABOR), which shares sources between nodes.

        The expected number of edges of a node is its fanout (with weights, see
        :func:`gossamer.sampling.sample_labors`); there are fewer distinct sources than with
        :meth:`sample_neighbors`.

        Parameters
        ----------
        seeds, fanouts, replace, probs_name, async_op
            See :meth:`sample_neighbors`. With `replace`, edges are drawn independently.
        random_seed : Tensor, optional
            One or two integers. Calls with the same numbers share the random number of each source.
        seed2_contribution : float
            In [0, 1]: the first number is used if this is less than 0.5, otherwise the last.

        References
        ----------
        Balin and Catalyurek, "Layer-neighbor sampling: defusing neighborhood explosion in GNNs",
        NeurIPS 2023.
        """
        key = None if replace else draws.labor_key(random_seed, seed2_contribution)
        name = "sample_layer_neighbors"
        subgraph = self._draw(name, seeds, fanouts, replace, probs_name, key)
        return Done(subgraph) if async_op else subgraph

    def in_subgraph(self, nodes: ByType) -> SampledSubgraphImpl:
        """Return all in-edges of some nodes.

        Edge ids are those of the original graph if they are an attribute of this graph, otherwise
        positions in `indices`.

        Examples
        --------
        >>> import gossamer.graphbolt as gb, torch
        >>> graph = gb.fused_csc_sampling_graph(torch.tensor([0, 2, 3]), torch.tensor([0, 1, 1]))
        >>> graph.in_subgraph(torch.tensor([1, 0])).sampled_csc.indptr
        tensor([0, 1, 3])
        """
        every = torch.tensor([-1])
        return self._draw("in_subgraph", nodes, every, False, None, positions=True)

    def temporal_sample_neighbors(
        self,
        seeds: ByType,
        seeds_timestamp: ByType,
        fanouts: Tensor,
        replace: bool = False,
        seeds_pre_time_window: ByType | None = None,
        probs_name: str | None = None,
        node_timestamp_attr_name: str | None = None,
        edge_timestamp_attr_name: str | None = None,
    ) -> SampledSubgraphImpl:
        """Draw in-edges that are earlier than the time of each node.

        Parameters
        ----------
        seeds, fanouts, replace, probs_name
            See :meth:`sample_neighbors`.
        seeds_timestamp : Tensor or dict of str to Tensor
            The time of each seed. Edges and sources must be strictly earlier.
        seeds_pre_time_window : Tensor or dict of str to Tensor, optional
            Edges and sources must not be more than this much earlier than the seed.
        node_timestamp_attr_name, edge_timestamp_attr_name : str, optional
            Attributes with the times of nodes and edges.
        """
        names = node_timestamp_attr_name, edge_timestamp_attr_name
        times = draws.PastEdges(self, seeds_timestamp, seeds_pre_time_window, *names)
        name = "temporal_sample_neighbors"
        return self._draw(name, seeds, fanouts, replace, probs_name, None, times)

    def temporal_sample_layer_neighbors(
        self,
        seeds: ByType,
        seeds_timestamp: ByType,
        fanouts: Tensor,
        replace: bool = False,
        seeds_pre_time_window: ByType | None = None,
        probs_name: str | None = None,
        node_timestamp_attr_name: str | None = None,
        edge_timestamp_attr_name: str | None = None,
        random_seed: Tensor | None = None,
        seed2_contribution: float = 0.0,
    ) -> SampledSubgraphImpl:
        """Draw earlier in-edges by layer-neighbor sampling.

        See :meth:`temporal_sample_neighbors` and :meth:`sample_layer_neighbors`.
        """
        names = node_timestamp_attr_name, edge_timestamp_attr_name
        times = draws.PastEdges(self, seeds_timestamp, seeds_pre_time_window, *names)
        key = None if replace else draws.labor_key(random_seed, seed2_contribution)
        name = "temporal_sample_layer_neighbors"
        return self._draw(name, seeds, fanouts, replace, probs_name, key, times)

    def sample_negative_edges_uniform(
        self,
        edge_type: str | None,
        node_pairs: Tensor | tuple[Tensor, Tensor],
        negative_ratio: int,
    ) -> Tensor | tuple[None, Tensor]:
        """Draw negative destinations uniformly for the sources of some pairs.

        Parameters
        ----------
        edge_type : str or None
            Edge type of the pairs; None in a homogeneous graph.
        node_pairs : Tensor or pair of Tensor
            ``(N, 2)``, or ``(u, v)`` as in version 2.1.
        negative_ratio : int
            Number of destinations to draw per pair.

        Returns
        -------
        Tensor, or (None, Tensor)
            ``(N * negative_ratio, 2)``, grouped by pair. For ``(u, v)``, the destinations only,
            with None for the sources, which are those of the pairs.
        """
        ratio = as_int(negative_ratio, "sample_negative_edges_uniform", "negative_ratio", 1)
        apart = isinstance(node_pairs, tuple)
        node_pairs = arguments.as_pairs(node_pairs, "sample_negative_edges_uniform")
        if self.is_heterogeneous != (edge_type is not None):
            wanted = "one of the edge types" if self.is_heterogeneous else "None"
            raise InvalidTypeError(
                f"sample_negative_edges_uniform: edge_type of this graph is {wanted}, got "
                f"{edge_type!r}."
            )
        limit = self.total_num_nodes
        if edge_type is not None:
            arguments.lookup(self.edge_type_to_id, edge_type, "edge type")
            limit = self.num_nodes[etype_str_to_tuple(edge_type)[2]]
        if not limit and len(node_pairs):
            raise InvalidValueError(
                "sample_negative_edges_uniform: there is no destination node to draw."
            )
        src = node_pairs[:, 0].repeat_interleave(ratio)
        dst = _core.random_integers(limit, len(src), src.dtype, src.device)
        return (None, dst) if apart else torch.stack([src, dst], 1)

    def _draw(
        self,
        op: str,
        seeds: ByType,
        fanouts: Tensor,
        replace: bool,
        probs_name: str | None,
        labor_key: int | None = None,
        times: draws.PastEdges | None = None,
        positions: bool = False,
    ) -> SampledSubgraphImpl:
        """Draw neighbors; if `labor_key` is given, by layer-neighbor sampling."""
        seeds = arguments.check_seeds(self, seeds)
        counts = arguments.check_fanouts(self, fanouts, op)
        if times is not None:
            times.check(seeds)
        drawing = draws.Drawing(self, op, replace, probs_name, labor_key, times)
        if not self.is_heterogeneous:
            starts, ids, edges = drawing.of_nodes(seeds, counts[0])
            return SampledSubgraphImpl(
                CSCFormatBase(starts, ids),
                original_column_node_ids=seeds,
                original_edge_ids=self._original_ids(edges, positions),
            )
        if len(counts) > 1:
            drawn = drawing.by_edge_type(seeds, counts)
        else:
            drawn = drawing.across_edge_types(seeds, counts[0])
        eids = {
            etype: self._original_ids(edges, positions) for etype, (_, _, edges) in drawn.items()
        }
        return SampledSubgraphImpl(
            {etype: CSCFormatBase(starts, ids) for etype, (starts, ids, _) in drawn.items()},
            original_column_node_ids=seeds,
            original_edge_ids=None if None in eids.values() else eids,
        )

    def _original_ids(self, edges: Tensor, positions: bool) -> Tensor | None:
        original = self.edge_attributes.get(ORIGINAL_EDGE_ID)
        if original is None:
            return edges.long() if positions else None
        return original.index_select(0, edges)

    def copy_to_shared_memory(self, shared_memory_name: str) -> FusedCSCSamplingGraph:
        """Copy the graph to shared memory, where other processes can open it by name.

        The memory is freed when the returned graph is garbage-collected.
        """
        from gossamer.graphbolt.shared_memory import share

        return share(self, shared_memory_name)

    def __repr__(self) -> str:
        parts = [f"csc_indptr={self.csc_indptr}", f"indices={self.indices}"]
        parts.append(f"total_num_nodes={self.total_num_nodes}, num_edges={self.num_edges}")
        for name in ("node_type_offset", "type_per_edge", "node_type_to_id", "edge_type_to_id"):
            if getattr(self, name) is not None:
                parts.append(f"{name}={getattr(self, name)}")
        for name in ("node_attributes", "edge_attributes"):
            if getattr(self, name):
                parts.append(f"{name}={getattr(self, name)}")
        return "FusedCSCSamplingGraph(" + (",\n" + " " * 22).join(parts) + ",)"
