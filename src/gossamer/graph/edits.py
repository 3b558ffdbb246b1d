"""Adding and removing nodes and edges in place: the graph gets new structure, shared parts stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.graph.adjacency import Adjacency
from gossamer.graph.ids import EID, NID

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph

__all__ = ["Edits"]


class Edits:
    """The part of :class:`Graph` that changes structure in place."""

    def add_nodes(
        self: Graph, num: int, data: Mapping[str, Tensor] | None = None, ntype: str | None = None
    ) -> None:
        """Add nodes at the end.

        Parameters
        ----------
        num : int
            How many.
        data : dict of str to Tensor, optional
            Their features, ``(num, *)``; features not given come from the initializer (zeros).
        ntype : str, optional
            Node type; may be left out if there is only one.

        Examples
        --------
        >>> import gossamer as gs
        >>> g = gs.graph(([0], [1]))
        >>> g.add_nodes(2)
        >>> g.num_nodes()
        4
        """
        self._require_editable()
        if not isinstance(num, int) or isinstance(num, bool):
            raise InvalidTypeError(f"The number of new nodes is an int, got {num!r}.")
        if num < 0:
            raise InvalidValueError(f"The number of new nodes cannot be negative, got {num}.")
        position = self._schema.ntype_id(ntype)
        frames = [frame.copy() for frame in self._node_frames]
        frames[position].append(num, data, self.device)
        self._node_frames = frames
        self._resize()

    def add_edges(
        self: Graph, u: Any, v: Any, data: Mapping[str, Tensor] | None = None, etype: Any = None
    ) -> None:
        """Add the edges ``u[i] -> v[i]`` at the end; missing nodes are added first.

        Parameters
        ----------
        u, v : int or ids
            Sources and destinations; one id is paired with each of the other side.
        data : dict of str to Tensor, optional
            Their features; features not given come from the initializer (zeros).
        etype : str or (str, str, str), optional
            Edge type; may be left out if there is only one.

        Examples
        --------
        >>> import gossamer as gs
        >>> g = gs.graph(([0], [1]))
        >>> g.add_edges([1, 2], [0, 0])
        >>> g.edges()
        (tensor([0, 1, 2]), tensor([1, 0, 0]))
        """
        self._require_editable()
        position = self._schema.etype_id(etype)
        sources, targets = self._as_ids(u, "source ids"), self._as_ids(v, "destination ids")
        if sources.shape != targets.shape and 1 not in (sources.shape[0], targets.shape[0]):
            raise InvalidValueError(
                f"Sources and destinations must pair up, got {sources.shape[0]} and "
                f"{targets.shape[0]} ids."
            )
        sources, targets = torch.broadcast_tensors(sources, targets)
        src, dst = self._schema.endpoints[position]
        node_frames = [frame.copy() for frame in self._node_frames]
        for end, ids in ((src, sources), (dst, targets)):
            if ids.numel() == 0:
                continue
            if int(ids.min()) < 0:
                raise OutOfRangeError(f"Node ids cannot be negative, got {int(ids.min())}.")
            missing = int(ids.max()) + 1 - node_frames[end].num_rows
            if missing > 0:
                node_frames[end].append(missing, None, self.device)
        edge_frames = [frame.copy() for frame in self._edge_frames]
        edge_frames[position].append(sources.shape[0], data, self.device)
        row, col = self._adjacencies[position].coo()
        edges = {position: (torch.cat([row, sources]), torch.cat([col, targets]))}
        self._node_frames, self._edge_frames = node_frames, edge_frames
        self._resize(edges)

    def remove_edges(self: Graph, eids: Any, etype: Any = None, store_ids: bool = False) -> None:
        """Remove edges; the others keep their order and features and are renumbered.

        Parameters
        ----------
        eids : int or ids
            Edges to remove.
        etype : str or (str, str, str), optional
            Edge type; may be left out if there is only one.
        store_ids : bool
            If True, edge feature ``gossamer.EID`` holds the former id of each edge left.

        Examples
        --------
        >>> import gossamer as gs
        >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
        >>> g.remove_edges([1], store_ids=True)
        >>> g.edata[gs.EID]
        tensor([0, 2])
        """
        self._require_editable()
        position = self._schema.etype_id(etype)
        keep = torch.ones(self._adjacencies[position].num_edges, dtype=torch.bool)
        keep = keep.to(self.device).index_fill_(0, self._edge_ids(eids, position).long(), False)
        self._keep_edges({position: keep}, store_ids)
        self._resize()

    def remove_nodes(
        self: Graph, nids: Any, ntype: str | None = None, store_ids: bool = False
    ) -> None:
        """Remove nodes and every edge that touches them; the others are renumbered in order.

        Parameters
        ----------
        nids : int or ids
            Nodes to remove.
        ntype : str, optional
            Node type; may be left out if there is only one.
        store_ids : bool
            If True, features ``gossamer.NID`` and ``gossamer.EID`` hold the former ids of the nodes
            of this type and of the edges that are left.

        Examples
        --------
        >>> import gossamer as gs
        >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
        >>> g.remove_nodes([0], store_ids=True)
        >>> g.edges(), g.ndata[gs.NID]
        ((tensor([0]), tensor([1])), tensor([1, 2]))
        """
        self._require_editable()
        position = self._schema.ntype_id(ntype)
        frame = self._node_frames[position]
        stays = torch.ones(frame.num_rows, dtype=torch.bool, device=self.device)
        stays[self._node_ids(nids, position).long()] = False
        keep, renumber = {}, stays.long().cumsum(0) - 1
        for i, (src, dst) in enumerate(self._schema.endpoints):
            if position in (src, dst):
                row, col = (end.long() for end in self._adjacencies[i].coo())
                mask = torch.ones(row.shape[0], dtype=torch.bool, device=self.device)
                mask = mask & stays[row] if src == position else mask
                keep[i] = mask & stays[col] if dst == position else mask
        self._keep_edges(keep, store_ids)
        edges = {}
        for i in keep:
            src, dst = self._schema.endpoints[i]
            row, col = self._adjacencies[i].coo()
            edges[i] = (
                renumber[row.long()].to(self.idtype) if src == position else row,
                renumber[col.long()].to(self.idtype) if dst == position else col,
            )
        left = stays.nonzero().squeeze(1)
        frames = list(self._node_frames)
        frames[position] = frame.gather(left)
        if store_ids:
            frames[position][NID] = left.to(self.idtype)
        self._node_frames = frames
        self._resize(edges)

    def _require_editable(self: Graph) -> None:
        if self.is_block:
            raise InvalidValueError(
                "A block cannot be edited: its nodes are fixed by the graph it was cut from. "
                "Edit that graph and cut the block again."
            )

    def _keep_edges(self: Graph, masks: Mapping[int, Tensor], store_ids: bool) -> None:
        frames, adjacencies = list(self._edge_frames), list(self._adjacencies)
        for position, mask in masks.items():
            left = mask.nonzero().squeeze(1)
            frames[position] = frames[position].gather(left)
            if store_ids:
                frames[position][EID] = left.to(self.idtype)
            adjacencies[position] = adjacencies[position].edge_subset(left)
        self._edge_frames, self._adjacencies = frames, adjacencies

    def _resize(self: Graph, edges: Mapping[int, tuple[Tensor, Tensor]] | None = None) -> None:
        """Rebuild adjacencies from new edges, or where the number of nodes changed."""
        edges = dict(edges or {})
        adjacencies = list(self._adjacencies)
        for i, (src, dst) in enumerate(self._schema.endpoints):
            old = adjacencies[i]
            sizes = self._node_frames[src].num_rows, self._node_frames[dst].num_rows
            if i in edges or sizes != (old.num_src, old.num_dst):
                coo = edges.get(i) or old.coo()
                adjacencies[i] = Adjacency(*sizes, old.idtype, coo=coo, allowed=old.allowed)
        self._adjacencies = adjacencies
        # An edited graph is no longer the batch that it was.
        self._batch_num_nodes = self._batch_num_edges = None
