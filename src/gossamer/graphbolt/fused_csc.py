"""Graphs with several types as one CSC: attributes, checks and moves between devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer.graphbolt import arguments
from gossamer.graphbolt.dataset import SamplingGraph
from gossamer.graphbolt.types import etype_str_to_tuple, map_by_type
from gossamer.ops.adjacency import INT32_MAX, Adjacency, Compressed

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["FusedCSC"]


class FusedCSC(SamplingGraph):
    """One CSC over the nodes of all types; `FusedCSCSamplingGraph` adds sampling."""

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
        self._checked: list[tuple[int, int]] | None = None

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
        """Device of the structure."""
        return self.indices.device

    def node_attribute(self, name: str) -> Tensor:
        """Return an attribute of the nodes of all types."""
        return arguments.lookup(self.node_attributes, name, "node attribute")

    def edge_attribute(self, name: str) -> Tensor:
        """Return an attribute of the edges of all types, in the order of the CSC."""
        return arguments.lookup(self.edge_attributes, name, "edge attribute")

    def add_node_attribute(self, name: str, tensor: Tensor) -> None:
        """Add an attribute of the nodes of all types."""
        arguments.check_rows(tensor, self.total_num_nodes, f"node attribute {name!r}")
        self.node_attributes[name] = tensor

    def add_edge_attribute(self, name: str, tensor: Tensor) -> None:
        """Add an attribute of the edges of all types, in the order of the CSC."""
        arguments.check_rows(tensor, self.total_num_edges, f"edge attribute {name!r}")
        self.edge_attributes[name] = tensor

    # ---------------------------------------------------------------------------------- structure

    def structure(self, etype: str | None = None) -> Adjacency:
        """Return the in-edges of one edge type, with node ids of its types, or of all edge types.

        Edge ids are positions in `indices`. The user may change `csc_indptr` and `indices` in
        place, so they are checked again after a change.
        """
        if self._versions() != self._checked:
            self.check()
        if etype not in self._structures:
            if etype is None:
                self._structures[None] = _whole(self.csc_indptr, self.indices)
            else:
                src, _, dst = etype_str_to_tuple(etype)
                self._structures[etype] = _split_type(
                    self.structure().csc(),
                    self.type_per_edge,
                    self.edge_type_to_id[etype],
                    (self.first_node(src), self.num_nodes[src]),
                    (self.first_node(dst), self.num_nodes[dst]),
                )
        return self._structures[etype]

    def check(self) -> None:
        """Raise unless the tensors of the structure are consistent."""
        arguments.check_csc(self.csc_indptr, self.indices)
        types = self.node_type_offset, self.type_per_edge
        names = self.node_type_to_id, self.edge_type_to_id
        if any(part is not None for part in (*types, *names)):
            arguments.check_types(self.csc_indptr, self.indices, *types, *names)
        self.assume_checked()

    def assume_checked(self) -> Self:
        """Skip the checks until a tensor of the structure changes; return the graph."""
        self._structures.clear()
        self._checked = self._versions()
        return self

    def _versions(self) -> list[tuple[int, int]]:
        """Return a value that changes if a tensor is replaced or modified in place."""
        tensors = self.csc_indptr, self.indices, self.node_type_offset, self.type_per_edge
        return [(id(t), 0 if t is None or t.is_inference() else t._version) for t in tensors]

    def first_node(self, ntype: str) -> int:
        """Return the number of the first node of a type among the nodes of all types."""
        return int(self.node_type_offset[self.node_type_to_id[ntype]])

    # ------------------------------------------------------------------------------------- moving

    def _apply(self, function: Callable[[Tensor], Tensor]) -> Self:
        moved = type(self)(
            function(self.csc_indptr),
            function(self.indices),
            map_by_type(function, self.node_type_offset),
            map_by_type(function, self.type_per_edge),
            self.node_type_to_id,
            self.edge_type_to_id,
            map_by_type(function, self.node_attributes),
            map_by_type(function, self.edge_attributes),
        )
        return moved.assume_checked() if self._checked == self._versions() else moved

    def __getstate__(self) -> dict[str, Any]:
        # In another process, the same tensors have other ids.
        return {**self.__dict__, "_checked": self._checked == self._versions()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._checked = self._versions() if state["_checked"] else None

    def to(self, device: torch.device | str) -> Self:
        """Return the graph on a device."""
        return self._apply(lambda x: x.to(device))

    def pin_memory_(self) -> Self:
        """Move the tensors to pinned memory, in place."""
        self.__dict__.update(self._apply(lambda x: x.pin_memory()).__dict__)
        return self


def _whole(indptr: Tensor, indices: Tensor) -> Adjacency:
    """Return the in-edges of all nodes; tensors are shared if they have the same dtype."""
    nodes = len(indptr) - 1
    if indptr.dtype != indices.dtype:
        dtype = torch.int32 if max(nodes, len(indices)) < INT32_MAX else torch.int64
        indptr, indices = indptr.to(dtype), indices.to(dtype)
    return Adjacency(nodes, nodes, torch.int64, csc=Compressed(indptr, indices, None))


def _split_type(
    csc: Compressed, types: Tensor, etype: int, src: tuple[int, int], dst: tuple[int, int]
) -> Adjacency:
    """Return the edges of one type, with node ids of its types; edge ids are positions in `csc`.

    `src` and `dst` are the first node and the number of nodes of the types.
    """
    chosen = types == etype
    positions = chosen.nonzero().squeeze(1)
    before = torch.zeros(len(types) + 1, dtype=torch.int64, device=types.device)
    torch.cumsum(chosen, 0, out=before[1:])
    first, count = dst
    indptr = before[csc.indptr[first : first + count + 1].long()]
    dtype = csc.indices.dtype
    sources = csc.indices.index_select(0, positions) - src[0]
    parts = Compressed((indptr - indptr[0]).to(dtype), sources, positions.to(dtype))
    return Adjacency(src[1], count, torch.int64, csc=parts)
