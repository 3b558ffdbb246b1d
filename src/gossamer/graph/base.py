"""The state of a graph, and the interface through which other packages read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gossamer.errors import InvalidValueError
from gossamer.graph.frame import Frame
from gossamer.graph.ids import as_id_tensor, check_range, in_idtype, is_all
from gossamer.graph.schema import CanonicalEType, Schema
from gossamer.ops.adjacency import Adjacency

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph

__all__ = ["GraphBase"]

BatchSizes = Mapping[Any, Tensor]


class GraphBase:
    """The parts of a graph: a schema, one adjacency per edge type, and frames of features.

    A *position* is the index of a node type in ``schema.ntypes`` or of an edge type in
    ``schema.canonical_etypes``. Adjacencies and frames are in the order of these positions.

    Code outside :mod:`gossamer.graph` reads a graph through the members of this class and builds
    new graphs with :meth:`from_parts` and :meth:`replaced`. It must not write to the tensors of an
    adjacency, which graphs share.
    """

    _schema: Schema
    _adjacencies: tuple[Adjacency, ...]
    _node_frames: tuple[Frame, ...]
    _edge_frames: tuple[Frame, ...]
    _batch_num_nodes: BatchSizes | None
    _batch_num_edges: BatchSizes | None

    @classmethod
    def from_parts(
        cls,
        schema: Schema,
        relations: Sequence[Adjacency],
        node_frames: Sequence[Frame] | None = None,
        edge_frames: Sequence[Frame] | None = None,
        num_nodes: Sequence[int] | None = None,
    ) -> Graph:
        """Build a graph from valid parts; either `num_nodes` or `node_frames` is required."""
        graph = cls.__new__(cls)
        graph._set_parts(schema, relations, node_frames, edge_frames, num_nodes)
        return graph

    def _set_parts(
        self,
        schema: Schema,
        relations: Sequence[Adjacency],
        node_frames: Sequence[Frame] | None = None,
        edge_frames: Sequence[Frame] | None = None,
        num_nodes: Sequence[int] | None = None,
    ) -> None:
        self._schema = schema
        self._adjacencies = tuple(relations)
        self._node_frames = tuple(node_frames or [Frame(count, "node") for count in num_nodes])
        self._edge_frames = tuple(edge_frames or [Frame(a.num_edges, "edge") for a in relations])
        self._batch_num_nodes = None
        self._batch_num_edges = None

    def replaced(
        self,
        *,
        relations: Sequence[Adjacency] | None = None,
        node_frames: Sequence[Frame] | None = None,
        edge_frames: Sequence[Frame] | None = None,
    ) -> Graph:
        """Return a graph with the given parts replaced; the others are shared with this graph.

        The types, the numbers of nodes and edges, and the batch sizes stay the same.
        """
        graph = type(self).__new__(type(self))
        graph.__dict__.update(self.__dict__)
        if relations is not None:
            graph._adjacencies = tuple(relations)
        if node_frames is not None:
            graph._node_frames = tuple(node_frames)
        if edge_frames is not None:
            graph._edge_frames = tuple(edge_frames)
        return graph

    # -------------------------------------------------------------------------------------- parts

    @property
    def schema(self) -> Schema:
        """The node types and edge types."""
        return self._schema

    @property
    def relations(self) -> tuple[Adjacency, ...]:
        """The adjacency of each edge type."""
        return self._adjacencies

    @property
    def node_frames(self) -> tuple[Frame, ...]:
        """The features of each node type. Writing to a frame changes this graph."""
        return self._node_frames

    @property
    def edge_frames(self) -> tuple[Frame, ...]:
        """The features of each edge type. Writing to a frame changes this graph."""
        return self._edge_frames

    @property
    def adjacency(self) -> Adjacency:
        """The adjacency of the only edge type."""
        return self._adjacencies[self._schema.etype_id(None)]

    def relation(self, etype: str | CanonicalEType | None = None) -> Adjacency:
        """The adjacency of one edge type."""
        return self._adjacencies[self._schema.etype_id(etype)]

    @property
    def is_batch(self) -> bool:
        """Whether the graph has batch sizes."""
        return self._batch_num_nodes is not None

    @property
    def device(self) -> torch.device:
        """The device of the structure and of all features."""
        return self._adjacencies[0].device

    @property
    def idtype(self) -> torch.dtype:
        """torch.int32 or torch.int64: the type of ids."""
        return self._adjacencies[0].idtype

    # ---------------------------------------------------------------------------------------- ids

    def checked_nodes(self, nodes: Any, position: int) -> Tensor:
        """Ids of `nodes` (ids, a mask or ALL) of one node type, in range and in :attr:`idtype`.

        The result shares no memory with `nodes`.
        """
        count, ntype = self._node_frames[position].num_rows, self._schema.ntypes[position]
        return self._checked(nodes, count, f"nodes of type '{ntype}'")

    def checked_edges(self, edges: Any, position: int) -> Tensor:
        """Ids of `edges` (ids, a mask or ALL) of one edge type, in range and in :attr:`idtype`.

        The result shares no memory with `edges`.
        """
        etype = self._schema.canonical_etypes[position]
        return self._checked(edges, self._adjacencies[position].num_edges, f"edges of type {etype}")

    def _checked(self, ids: Any, count: int, what: str) -> Tensor:
        if is_all(ids):
            return torch.arange(count, dtype=self.idtype, device=self.device)
        if not isinstance(ids, Tensor) and _is_mask(ids):
            ids = torch.as_tensor(ids, device=self.device)
        if isinstance(ids, Tensor) and ids.dtype == torch.bool:
            if ids.shape != (count,):
                raise InvalidValueError(
                    f"A mask over the {what} needs {count} values, got shape {tuple(ids.shape)}."
                )
            return ids.nonzero().squeeze(1).to(self.idtype)
        tensor = as_id_tensor(ids, f"ids of {what}", self.device)
        check_range(tensor, count, what)
        return tensor.to(self.idtype, copy=isinstance(ids, Tensor))

    def _as_ids(self, ids: Any, what: str) -> Tensor:
        """Ids in :attr:`idtype` that share no memory with `ids`; their range is not checked."""
        return in_idtype(as_id_tensor(ids, what, self.device), self.idtype, what, copy=True)


def _is_mask(ids: Any) -> bool:
    if isinstance(ids, np.ndarray):
        return ids.dtype == np.bool_
    return isinstance(ids, list) and bool(ids) and all(isinstance(x, bool) for x in ids)
