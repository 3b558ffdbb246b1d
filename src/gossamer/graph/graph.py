"""The graph: a schema, one adjacency per relation, and frames of features."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer.graph import display, type_slicing
from gossamer.graph.base import GraphBase
from gossamer.graph.edge_data import EdgeData, checked_count, foreign_edges, foreign_kind
from gossamer.graph.frame import Initializer, Scheme
from gossamer.graph.methods import (
    Batch,
    Edits,
    Matrices,
    MessagePassing,
    MultiUpdate,
    Queries,
    Storage,
    TransformMethods,
)
from gossamer.graph.schema import CanonicalEType, Schema
from gossamer.graph.views import EdgeView, Features, FeatureView, NodeView, TypedFeatureView
from gossamer.ops.adjacency import Adjacency

__all__ = ["Graph"]


class Graph(
    Queries,
    Matrices,
    MessagePassing,
    MultiUpdate,
    Edits,
    TransformMethods,
    Storage,
    Batch,
    GraphBase,
):
    """A graph, homogeneous, bipartite or heterogeneous, with features on nodes and edges.

    Build graphs with :func:`gossamer.graph`, :func:`gossamer.heterograph` or
    :func:`gossamer.create_block`. ``Graph(data)`` accepts the same data as :func:`gossamer.graph`,
    and also a scipy sparse matrix or a networkx graph. ``Graph()`` has no nodes.

    A graph can be pickled, deep-copied, sent to worker processes and moved between devices.
    Structure is immutable and shared between graphs; methods that edit a graph replace its
    structure. Ids passed to a graph are copied, and ids that it returns are new tensors, so writing
    to them does not change the graph. Feature tensors are shared with the caller.

    Parameters
    ----------
    data, num_nodes, idtype, device
        See :func:`gossamer.graph`.
    multigraph, readonly, sort_csr : bool, optional
        Accepted for compatibility and ignored: every graph may have parallel edges.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 0, 1], [1, 2, 2]))
    >>> g.ndata["h"] = torch.ones(3, 4)
    >>> g
    Graph(num_nodes=3, num_edges=3)
      ndata  h  float32 (4,)
    """

    def __init__(
        self,
        data: Any = None,
        *,
        num_nodes: int | None = None,
        idtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        multigraph: bool | None = None,
        readonly: bool | None = None,
        sort_csr: bool | None = None,
    ) -> None:
        data = ([], []) if data is None else data
        if foreign_kind(data) is not None:
            data, least = foreign_edges(data)
            num_nodes = least if num_nodes is None else num_nodes
        edges = EdgeData(data, idtype, device)
        count = edges.num_nodes()
        if num_nodes is not None:
            count = checked_count(num_nodes, count, "num_nodes")
        self._set_parts(Schema.homogeneous(), [edges.adjacency(count, count)], num_nodes=[count])

    def __copy__(self) -> Graph:
        return self.clone()

    def __deepcopy__(self, memo: dict) -> Graph:
        return self.replaced(
            node_frames=[copy.deepcopy(frame, memo) for frame in self._node_frames],
            edge_frames=[copy.deepcopy(frame, memo) for frame in self._edge_frames],
        )

    def __repr__(self) -> str:
        return display.text(self)

    def _repr_html_(self) -> str:
        return display.html(self)

    # ------------------------------------------------------------------------------------ schema

    @property
    def ntypes(self) -> list[str]:
        """Node types; in a block, source types, then destination types."""
        return list(self._schema.ntypes)

    @property
    def etypes(self) -> list[str]:
        """Relation name of each edge type."""
        return list(self._schema.etypes)

    @property
    def canonical_etypes(self) -> list[CanonicalEType]:
        """Edge types as (source type, relation, destination type)."""
        return list(self._schema.canonical_etypes)

    @property
    def srctypes(self) -> list[str]:
        """Node types on the source side; all node types unless the graph is unibipartite."""
        return list(self._schema.src_ids)

    @property
    def dsttypes(self) -> list[str]:
        """Node types on the destination side; all node types unless the graph is unibipartite."""
        return list(self._schema.dst_ids)

    @property
    def is_block(self) -> bool:
        """Whether source and destination nodes are separate, as in a message-flow graph."""
        return self._schema.is_block

    @property
    def is_homogeneous(self) -> bool:
        """Whether there is one node type and one edge type."""
        return len(self._schema.ntypes) == 1 and len(self._schema.canonical_etypes) == 1

    @property
    def is_unibipartite(self) -> bool:
        """Whether no node type is both a source and a destination."""
        return self._schema.is_unibipartite

    @property
    def is_multigraph(self) -> bool:
        """Whether any edge type has parallel edges."""
        return any(adjacency.has_duplicates() for adjacency in self._adjacencies)

    def get_ntype_id(self, ntype: str | None) -> int:
        """Position of a node type in :attr:`ntypes`."""
        return self._schema.ntype_id(ntype)

    def get_etype_id(self, etype: Any) -> int:
        """Position of an edge type in :attr:`canonical_etypes`."""
        return self._schema.etype_id(etype)

    def to_canonical_etype(self, etype: Any) -> CanonicalEType:
        """The (source type, relation, destination type) of an edge type, given by any name."""
        return self._schema.canonical_etypes[self._schema.etype_id(etype)]

    def metagraph(self) -> Any:
        """The node types and the edge types between them, as a networkx.MultiDiGraph."""
        networkx = optional_import("networkx", "Graph.metagraph")
        meta = networkx.MultiDiGraph()
        meta.add_nodes_from(self._schema.ntypes)
        for src, relation, dst in self._schema.canonical_etypes:
            meta.add_edge(src, dst, key=relation)
        return meta

    # `__getitem__` takes edge types, so Python must not iterate with 0, 1 ...
    __iter__ = None

    def __getitem__(self, key: Any) -> Graph:
        """The subgraph of one edge type, or of all edge types that match ``(src, relation, dst)``.

        ``:`` matches any name. The subgraph of a single edge type shares features with this graph.
        Several edge types are merged into one: their nodes and edges are concatenated, with the
        features that all of them have.

        Examples
        --------
        >>> import gossamer as gs
        >>> g = gs.heterograph({("a", "r", "b"): ([0], [1]), ("b", "s", "b"): ([0], [1])})
        >>> g["r"].canonical_etypes
        [('a', 'r', 'b')]
        >>> g[:, :, "b"].canonical_etypes
        [('a+b', 'r+s', 'b')]
        """
        return type_slicing.slice_types(self, key)

    # -------------------------------------------------------------------------------------- sizes

    def num_nodes(self, ntype: str | None = None) -> int:
        """Number of nodes of a type; of all types together if `ntype` is None.

        A type on both sides of a block selects the source nodes; see :meth:`num_dst_nodes`.
        """
        if ntype is None:
            return sum(frame.num_rows for frame in self._node_frames)
        return self._node_frames[self._schema.ntype_id(ntype)].num_rows

    def num_src_nodes(self, ntype: str | None = None) -> int:
        """Number of source nodes of a type; of all source types if `ntype` is None."""
        return self._count(self._schema.src_ids, ntype, "src")

    def num_dst_nodes(self, ntype: str | None = None) -> int:
        """Number of destination nodes of a type; of all destination types if `ntype` is None."""
        return self._count(self._schema.dst_ids, ntype, "dst")

    def _count(self, ids: Mapping[str, int], ntype: str | None, side: str) -> int:
        if ntype is None:
            return sum(self._node_frames[i].num_rows for i in ids.values())
        return self._node_frames[self._schema.ntype_id(ntype, side)].num_rows

    def num_edges(self, etype: Any = None) -> int:
        """Number of edges of a type; of all types together if `etype` is None."""
        if etype is None:
            return sum(adjacency.num_edges for adjacency in self._adjacencies)
        return self._adjacencies[self._schema.etype_id(etype)].num_edges

    number_of_nodes = num_nodes
    number_of_edges = num_edges
    number_of_src_nodes = num_src_nodes
    number_of_dst_nodes = num_dst_nodes

    # ----------------------------------------------------------------------------------- features

    @property
    def nodes(self) -> NodeView:
        """Node ids, ``g.nodes("user")``, and node features, ``g.nodes["user"].data``."""
        return NodeView(self)

    @property
    def srcnodes(self) -> NodeView:
        """Source nodes; see :attr:`nodes`."""
        return NodeView(self, "src")

    @property
    def dstnodes(self) -> NodeView:
        """Destination nodes; see :attr:`nodes`."""
        return NodeView(self, "dst")

    @property
    def edges(self) -> EdgeView:
        """Edges, ``g.edges()``, and edge features, ``g.edges["plays"].data``."""
        return EdgeView(self)

    @property
    def ndata(self) -> Features:
        """Node features by name; with several node types, ``{type: tensor}`` by name.

        A type on both sides of a block selects the source nodes; see :attr:`dstdata`.
        """
        if len(self._node_frames) == 1:
            return FeatureView(self, "node", 0)
        return TypedFeatureView(self, "node", self._schema.ntype_ids)

    @property
    def srcdata(self) -> Features:
        """Features of source nodes; see :attr:`ndata`."""
        return self._side_data(self._schema.src_ids)

    @property
    def dstdata(self) -> Features:
        """Features of destination nodes; see :attr:`ndata`."""
        return self._side_data(self._schema.dst_ids)

    def _side_data(self, ids: Mapping[str, int]) -> Features:
        if len(ids) == 1:
            return FeatureView(self, "node", next(iter(ids.values())))
        return TypedFeatureView(self, "node", ids)

    @property
    def edata(self) -> Features:
        """Edge features by name; with several edge types, ``{canonical type: tensor}`` by name."""
        if len(self._edge_frames) == 1:
            return FeatureView(self, "edge", 0)
        positions = {etype: i for i, etype in enumerate(self._schema.canonical_etypes)}
        return TypedFeatureView(self, "edge", positions)

    def node_attr_schemes(self, ntype: str | None = None) -> dict[str, Scheme]:
        """Row shape and dtype of each node feature."""
        return self._node_frames[self._schema.ntype_id(ntype)].schemes()

    def edge_attr_schemes(self, etype: Any = None) -> dict[str, Scheme]:
        """Row shape and dtype of each edge feature."""
        return self._edge_frames[self._schema.etype_id(etype)].schemes()

    def set_n_initializer(
        self, initializer: Initializer, field: str | None = None, ntype: str | None = None
    ) -> None:
        """Set how node features of new nodes are filled.

        Parameters
        ----------
        initializer : callable
            ``initializer(shape, dtype, ctx, id_range) -> Tensor``.
        field : str, optional
            Feature name. Default: all features without their own initializer.
        ntype : str, optional
            Node type; may be left out if there is only one.
        """
        self._node_frames[self._schema.ntype_id(ntype)].set_initializer(initializer, field)

    def set_e_initializer(
        self, initializer: Initializer, field: str | None = None, etype: Any = None
    ) -> None:
        """Set how edge features of new edges are filled; see :meth:`set_n_initializer`."""
        self._edge_frames[self._schema.etype_id(etype)].set_initializer(initializer, field)

    @contextmanager
    def local_scope(self) -> Iterator[None]:
        """Undo changes to the graph at the end of the ``with`` block.

        This covers features that are set or removed, and nodes and edges that are added or removed.
        In-place operations on feature tensors are not undone.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> g = gs.graph(([0], [1]))
        >>> with g.local_scope():
        ...     g.ndata["h"] = torch.ones(2)
        >>> "h" in g.ndata
        False
        """
        frames = self._node_frames, self._edge_frames
        structure = self._adjacencies, self._batch_num_nodes, self._batch_num_edges
        self._node_frames = tuple(frame.copy() for frame in frames[0])
        self._edge_frames = tuple(frame.copy() for frame in frames[1])
        try:
            yield
        finally:
            self._node_frames, self._edge_frames = frames
            self._adjacencies, self._batch_num_nodes, self._batch_num_edges = structure

    def local_var(self) -> Graph:
        """Return a copy that shares tensors; setting features of one does not affect the other."""
        return self.replaced(
            node_frames=[frame.copy() for frame in self._node_frames],
            edge_frames=[frame.copy() for frame in self._edge_frames],
        )

    def clone(self) -> Graph:
        """Return a new graph with the same structure and the same feature tensors."""
        return self.local_var()

    # --------------------------------------------------------------------------- relations, ids

    def merged_relation(self, etypes: list[Any]) -> Adjacency:
        """The edges of several edge types, concatenated into one adjacency."""
        positions = [self._schema.etype_id(etype) for etype in etypes]
        return type_slicing.merge(self, positions).adjacency

    def edge_id_tensor(self, edges: Any, etype: Any = None) -> Tensor:
        """Ids of `edges`, given as ids or as ``(sources, destinations)``."""
        return self._edges_to_ids(edges, self._schema.etype_id(etype))

    def _edges_to_ids(self, edges: Any, position: int) -> Tensor:
        if isinstance(edges, tuple) and len(edges) == 2:
            etype = self._schema.canonical_etypes[position]
            eids = self.edge_ids(*edges, etype=etype)
            return torch.as_tensor(eids, dtype=self.idtype, device=self.device).reshape(-1)
        return self.checked_edges(edges, position)
