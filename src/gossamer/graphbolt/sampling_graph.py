"""Graphs to sample from: fused CSC of all edge types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.graphbolt import draws
from gossamer.graphbolt.dataset import SamplingGraph
from gossamer.graphbolt.sampled_subgraph import CSCFormatBase, Done, SampledSubgraphImpl
from gossamer.graphbolt.types import ByType, etype_str_to_tuple, map_by_type
from gossamer.ops.adjacency import Adjacency
from gossamer.sampling import _core

__all__ = ["ORIGINAL_EDGE_ID", "FusedCSCSamplingGraph"]

#: Edge attribute with the ids that edges had in the graph they come from.
ORIGINAL_EDGE_ID = "_ORIGINAL_EDGE_ID"


class FusedCSCSamplingGraph(SamplingGraph):
    """A graph as one CSC over the nodes of all types.

    Nodes are numbered type after type: node ``i`` of type ``t`` is ``node_type_offset[t] + i``.
    Build a graph with :func:`fused_csc_sampling_graph` or :func:`from_graph`. Do not write to
    its tensors.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> graph = gb.fused_csc_sampling_graph(torch.tensor([0, 2, 3]), torch.tensor([0, 1, 1]))
    >>> graph.sample_neighbors(torch.tensor([0]), torch.tensor([-1])).sampled_csc.indices
    tensor([0, 1])
    """

    def __init__(
        self,
        csc_indptr: Tensor,
        indices: Tensor,
        node_type_offset: Tensor | None = None,
        type_per_edge: Tensor | None = None,
        node_type_to_id: dict[str, int] | None = None,
        edge_type_to_id: dict[str, int] | None = None,
        node_attributes: dict[str, Tensor] | None = None,
        edge_attributes: dict[str, Tensor] | None = None,
    ) -> None:
        self.csc_indptr = csc_indptr
        self.indices = indices
        self.node_type_offset = node_type_offset
        self.type_per_edge = type_per_edge
        self.node_type_to_id = node_type_to_id
        self.edge_type_to_id = edge_type_to_id
        self.node_attributes = node_attributes or {}
        self.edge_attributes = edge_attributes or {}
        self._structures: dict[str | None, Adjacency] = {}
        self._checked = self._versions()

    # -------------------------------------------------------------------------------- properties

    @property
    def is_heterogeneous(self) -> bool:
        """Whether there are node and edge types."""
        return self.node_type_offset is not None

    @property
    def total_num_nodes(self) -> int:
        """Number of nodes of all types."""
        return len(self.csc_indptr) - 1

    @property
    def total_num_edges(self) -> int:
        """Number of edges of all types."""
        return len(self.indices)

    @property
    def num_nodes(self) -> int | dict[str, int]:
        """Number of nodes, by type in a heterogeneous graph."""
        if not self.is_heterogeneous:
            return self.total_num_nodes
        counts = self.node_type_offset.diff().tolist()
        return {ntype: counts[i] for ntype, i in self.node_type_to_id.items()}

    @property
    def num_edges(self) -> int | dict[str, int]:
        """Number of edges, by type in a heterogeneous graph."""
        if not self.is_heterogeneous:
            return self.total_num_edges
        counts = torch.bincount(self.type_per_edge, minlength=len(self.edge_type_to_id)).tolist()
        return {etype: counts[i] for etype, i in self.edge_type_to_id.items()}

    @property
    def device(self) -> torch.device:
        """Where the structure is."""
        return self.indices.device

    def node_attribute(self, name: str) -> Tensor:
        """An attribute of the nodes of all types."""
        return draws.lookup(self.node_attributes, name, "node attribute")

    def edge_attribute(self, name: str) -> Tensor:
        """An attribute of the edges of all types, in the order of the CSC."""
        return draws.lookup(self.edge_attributes, name, "edge attribute")

    def add_node_attribute(self, name: str, tensor: Tensor) -> None:
        """Add an attribute of the nodes of all types."""
        draws.check_rows(tensor, self.total_num_nodes, f"node attribute {name!r}")
        self.node_attributes[name] = tensor

    def add_edge_attribute(self, name: str, tensor: Tensor) -> None:
        """Add an attribute of the edges of all types, in the order of the CSC."""
        draws.check_rows(tensor, self.total_num_edges, f"edge attribute {name!r}")
        self.edge_attributes[name] = tensor

    # ---------------------------------------------------------------------------------- structure

    def structure(self, etype: str | None = None) -> Adjacency:
        """In-edges by destination; of one edge type with node ids of its types, else of all types.

        Edge ids are positions in `indices`. `csc_indptr` and `indices` belong to the user, who may
        change them in place, so they are checked again after a change.
        """
        versions = self._versions()
        if versions != self._checked:
            draws.check_csc(self.csc_indptr, self.indices)
            self._structures.clear()
            self._checked = versions
        if etype not in self._structures:
            if etype is None:
                self._structures[None] = draws.whole(self.csc_indptr, self.indices)
            else:
                src, _, dst = etype_str_to_tuple(etype)
                self._structures[etype] = draws.split_type(
                    self.structure().csc(),
                    self.type_per_edge,
                    self.edge_type_to_id[etype],
                    (self.first_node(src), self.num_nodes[src]),
                    (self.first_node(dst), self.num_nodes[dst]),
                )
        return self._structures[etype]

    def _versions(self) -> list[tuple[int, int]]:
        """Changes when a tensor of the structure is replaced or written to in place."""
        tensors = (self.csc_indptr, self.indices)
        return [(id(t), 0 if t.is_inference() else t._version) for t in tensors]

    def first_node(self, ntype: str) -> int:
        """The first node of a type in the numbers of all types."""
        return int(self.node_type_offset[self.node_type_to_id[ntype]])

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
            ``(1,)``: how many edges to draw for each node, whatever their types, or one number for
            each edge type, in the order of `edge_type_to_id`. -1 stands for all edges.
        replace : bool
            Whether an edge may be drawn more than once.
        probs_name : str, optional
            Edge attribute with weights or a mask. Default: all edges are equally likely.
        returning_indices_and_original_edge_ids_are_optional : bool
            Ignored: both are returned.
        async_op : bool
            Whether to return an object whose ``wait()`` gives the result.

        Returns
        -------
        SampledSubgraphImpl
            With ids of the graph as indices.

        Raises
        ------
        InvalidTypeError, InvalidValueError, OutOfRangeError, UnknownKeyError
            For nodes, fanouts or weights that do not fit the graph.
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

        The expected number of edges of a node is its fanout, or with weights as
        :func:`gossamer.sampling.sample_labors` says; there are fewer distinct sources than from
        :meth:`sample_neighbors`.

        Parameters
        ----------
        seeds, fanouts, replace, probs_name, async_op
            See :meth:`sample_neighbors`. With `replace`, edges are drawn independently.
        random_seed : Tensor, optional
            One or two integers. Calls with the same numbers share the random number of each source.
        seed2_contribution : float
            From 0 to 1: the first number is used below 0.5, else the second.

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

        Edge ids are those of the graph that this one was made of, if it has them as an attribute,
        and else positions in `indices`.

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
        """Draw in-edges that lie in the past of each node.

        Parameters
        ----------
        seeds, fanouts, replace, probs_name
            See :meth:`sample_neighbors`.
        seeds_timestamp : Tensor or dict of str to Tensor
            The time of each seed. Edges and sources must come strictly before it.
        seeds_pre_time_window : Tensor or dict of str to Tensor, optional
            Edges and sources must not come more than this time before the seed.
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
        """Draw in-edges of the past by layer-neighbor sampling.

        See :meth:`temporal_sample_neighbors` and :meth:`sample_layer_neighbors`.
        """
        names = node_timestamp_attr_name, edge_timestamp_attr_name
        times = draws.PastEdges(self, seeds_timestamp, seeds_pre_time_window, *names)
        key = None if replace else draws.labor_key(random_seed, seed2_contribution)
        name = "temporal_sample_layer_neighbors"
        return self._draw(name, seeds, fanouts, replace, probs_name, key, times)

    def sample_negative_edges_uniform(
        self, edge_type: str | None, node_pairs: Tensor, negative_ratio: int
    ) -> Tensor:
        """Draw destinations uniformly for the sources of some pairs.

        Parameters
        ----------
        edge_type : str or None
            Edge type of the pairs; None in a homogeneous graph.
        node_pairs : Tensor
            ``(N, 2)``.
        negative_ratio : int
            How many destinations to draw for each pair.

        Returns
        -------
        Tensor
            ``(N * negative_ratio, 2)``, the pairs of each source together.
        """
        ratio = as_int(negative_ratio, "sample_negative_edges_uniform", "negative_ratio", 1)
        if isinstance(node_pairs, tuple):
            node_pairs = torch.stack(node_pairs, 1)
        limit = self.total_num_nodes
        if edge_type is not None:
            limit = self.num_nodes[etype_str_to_tuple(edge_type)[2]]
        src = node_pairs[:, 0].repeat_interleave(ratio)
        return torch.stack([src, _core.random_integers(limit, len(src), src.dtype, src.device)], 1)

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
        """Draw neighbors; with a key, by layer-neighbor sampling."""
        seeds, counts = draws.check_seeds(self, seeds), draws.check_fanouts(self, fanouts, op)

        draw, key = draws.drawing(self, op, replace, probs_name, labor_key)
        if not self.is_heterogeneous:
            (drawn,) = draw([draws.relation(self, None, seeds, counts[0], probs_name, key, times)])
            return SampledSubgraphImpl(
                CSCFormatBase(drawn[0], drawn[1]),
                original_column_node_ids=seeds,
                original_edge_ids=self._original_ids(drawn[2], positions),
            )
        parts = draws.by_edge_type if len(counts) > 1 else draws.across_edge_types
        drawn = parts(self, seeds, counts, probs_name, draw, key, times)
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

    # ------------------------------------------------------------------------------------- moving

    def _apply(self, function: Callable[[Tensor], Tensor]) -> FusedCSCSamplingGraph:
        return FusedCSCSamplingGraph(
            function(self.csc_indptr),
            function(self.indices),
            map_by_type(function, self.node_type_offset),
            map_by_type(function, self.type_per_edge),
            self.node_type_to_id,
            self.edge_type_to_id,
            map_by_type(function, self.node_attributes),
            map_by_type(function, self.edge_attributes),
        )

    def to(self, device: torch.device | str) -> FusedCSCSamplingGraph:
        """Return the graph on a device."""
        return self._apply(lambda x: x.to(device))

    def pin_memory_(self) -> FusedCSCSamplingGraph:
        """Move the tensors to pinned memory, in place."""
        self.__dict__.update(self._apply(lambda x: x.pin_memory()).__dict__)
        return self

    def copy_to_shared_memory(self, shared_memory_name: str) -> FusedCSCSamplingGraph:
        """Return the graph in shared memory, where other processes find it by name.

        The memory is freed when the graph that this returns is garbage-collected.
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
