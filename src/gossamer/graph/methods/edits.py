"""Methods of Graph that add and remove nodes and edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.errors import InvalidValueError, OutOfRangeError
from gossamer.graph.ids import EID, NID, paired
from gossamer.ops.adjacency import Adjacency

if TYPE_CHECKING:
    from gossamer.graph.frame import Frame
    from gossamer.graph.graph import Graph

__all__ = ["Edits"]


class Edits:
    """Methods of :class:`Graph` that replace its structure."""

    def add_nodes(
        self: Graph, num: int, data: Mapping[str, Tensor] | None = None, ntype: str | None = None
    ) -> None:
        """Add nodes at the end. Batch sizes are dropped.

        Parameters
        ----------
        num : int
            Number of new nodes.
        data : dict of str to Tensor, optional
            Features of the new nodes, ``(num, *)``. Other features get values from the initializer
            (by default, zeros).
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
        num = as_int(num, "add_nodes", "the number of new nodes", 0)
        position = self._schema.ntype_id(ntype)
        if num == 0:
            return
        frames = [frame.copy() for frame in self._node_frames]
        frames[position].append(num, data, self.device)
        self._resize(frames)
        self._batch_num_nodes = self._batch_num_edges = None

    def add_edges(
        self: Graph, u: Any, v: Any, data: Mapping[str, Tensor] | None = None, etype: Any = None
    ) -> None:
        """Add the edges ``u[i] -> v[i]`` at the end; missing nodes are added first.

        Batch sizes are dropped.

        Parameters
        ----------
        u, v : int or ids
            Sources and destinations; a single id is paired with every id of the other side.
        data : dict of str to Tensor, optional
            Features of the new edges. Other features get values from the initializer (by default,
            zeros).
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
        sources, targets = paired(self._as_ids(u, "source ids"), self._as_ids(v, "destination ids"))
        if sources.numel() == 0:
            return
        src, dst = self._schema.endpoints[position]
        node_frames = [frame.copy() for frame in self._node_frames]
        for end, ids in ((src, sources), (dst, targets)):
            if int(ids.min()) < 0:
                raise OutOfRangeError(f"Node ids cannot be negative, got {int(ids.min())}.")
            missing = int(ids.max()) + 1 - node_frames[end].num_rows
            if missing > 0:
                node_frames[end].append(missing, None, self.device)
        edge_frames = [frame.copy() for frame in self._edge_frames]
        edge_frames[position].append(sources.shape[0], data, self.device)
        row, col = self._adjacencies[position].coo()
        edges = {position: (torch.cat([row, sources]), torch.cat([col, targets]))}
        self._resize(node_frames, edges)
        self._edge_frames = tuple(edge_frames)
        self._batch_num_nodes = self._batch_num_edges = None

    def remove_edges(self: Graph, eids: Any, etype: Any = None, store_ids: bool = False) -> None:
        """Remove edges; the others keep their order and features and get new ids.

        Batch sizes are updated.

        Parameters
        ----------
        eids : int or ids
            Edges to remove.
        etype : str or (str, str, str), optional
            Edge type; may be left out if there is only one.
        store_ids : bool
            If True, edge feature ``gossamer.EID`` stores the original ids of the remaining edges of
            all edge types. If nothing is removed, no ids are stored, as in DGL.

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
        removed = self.checked_edges(eids, position).long()
        if removed.numel() == 0:
            return
        form = {"dtype": torch.bool, "device": self.device}
        stays = [torch.ones(a.num_edges, **form) for a in self._adjacencies]
        stays[position][removed] = False
        left = [mask.nonzero().squeeze(1) for mask in stays]
        self._shrink_batch({}, {self.canonical_etypes[position]: stays[position]})
        self._keep_edges(left, store_ids)

    def remove_nodes(
        self: Graph, nids: Any, ntype: str | None = None, store_ids: bool = False
    ) -> None:
        """Remove nodes and their edges; the others get new ids.

        The remaining nodes keep their order. The remaining edges of all types are sorted by source.
        Batch sizes are updated.

        Parameters
        ----------
        nids : int or ids
            Nodes to remove.
        ntype : str, optional
            Node type; may be left out if there is only one.
        store_ids : bool
            If True, features ``gossamer.NID`` and ``gossamer.EID`` store the original ids of the
            remaining nodes and edges. If nothing is removed, no ids are stored, as in DGL.

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
        removed = self.checked_nodes(nids, position).long()
        if removed.numel() == 0:
            return
        rows = self._node_frames[position].num_rows
        stays = torch.ones(rows, dtype=torch.bool, device=self.device)
        stays.index_fill_(0, removed, False)
        edge_stays = self._edges_between_left(position, stays)
        self._shrink_batch(
            {self.ntypes[position]: stays},
            dict(zip(self.canonical_etypes, edge_stays, strict=True)),
        )
        left = []
        for adjacency, mask in zip(self._adjacencies, edge_stays, strict=True):
            by_source = adjacency.csr().eids
            left.append(
                mask.nonzero().squeeze(1)
                if by_source is None
                else by_source[mask[by_source.long()]]
            )
        self._keep_edges(left, store_ids)
        renumber = stays.long().cumsum(0) - 1
        edges = {}
        for i, ends in enumerate(self._schema.endpoints):
            coo = self._adjacencies[i].coo()
            edges[i] = tuple(
                renumber[ids.long()].to(self.idtype) if end == position else ids
                for ids, end in zip(coo, ends, strict=True)
            )
        frames = [frame.copy() for frame in self._node_frames]
        frames[position] = frames[position].gather(stays.nonzero().squeeze(1))
        if store_ids:
            for frame, kept in zip(frames, self._node_frames, strict=True):
                ids = torch.arange(kept.num_rows, dtype=self.idtype, device=self.device)
                frame[NID] = ids[stays] if frame is frames[position] else ids
        self._resize(frames, edges)

    def _edges_between_left(self: Graph, position: int, stays: Tensor) -> list[Tensor]:
        """For each edge type, a mask of the edges that remain when some nodes are removed."""
        masks = []
        for adjacency, ends in zip(self._adjacencies, self._schema.endpoints, strict=True):
            mask = torch.ones(adjacency.num_edges, dtype=torch.bool, device=self.device)
            for ids, end in zip(adjacency.coo(), ends, strict=True):
                if end == position:
                    mask = mask & stays[ids.long()]
            masks.append(mask)
        return masks

    def _require_editable(self: Graph) -> None:
        if self.is_block:
            raise InvalidValueError(
                "A block cannot be edited. Edit the graph that it was made from and make it again."
            )

    def _keep_edges(self: Graph, left: list[Tensor], store_ids: bool) -> None:
        """Keep only the edges `left` of each edge type, in that order."""
        frames, adjacencies = list(self._edge_frames), list(self._adjacencies)
        for i, eids in enumerate(left):
            frames[i] = frames[i].gather(eids)
            if store_ids:
                frames[i][EID] = eids.to(self.idtype)
            old = adjacencies[i]
            adjacencies[i] = old.edge_subset(eids).restrict(old.allowed)
        self._edge_frames, self._adjacencies = tuple(frames), tuple(adjacencies)

    def _shrink_batch(
        self: Graph, nodes: Mapping[Any, Tensor], edges: Mapping[Any, Tensor]
    ) -> None:
        """Update batch sizes, given masks of the nodes and edges that remain."""
        if self._batch_num_nodes is not None:
            self._batch_num_nodes = _shrunk(self._batch_num_nodes, nodes)
        if self._batch_num_edges is not None:
            self._batch_num_edges = _shrunk(self._batch_num_edges, edges)

    def _resize(
        self: Graph,
        node_frames: list[Frame],
        edges: Mapping[int, tuple[Tensor, Tensor]] | None = None,
    ) -> None:
        """Set node frames and edges, and adapt the relations of node types whose size changes.

        If ids do not fit the id type, an error is raised and nothing changes.
        """
        edges = dict(edges or {})
        adjacencies = list(self._adjacencies)
        for i, (src, dst) in enumerate(self._schema.endpoints):
            old = adjacencies[i]
            sizes = node_frames[src].num_rows, node_frames[dst].num_rows
            if i in edges or sizes != (old.num_src, old.num_dst):
                coo = edges.get(i) or old.coo()
                adjacencies[i] = Adjacency(*sizes, old.idtype, coo=coo).restrict(old.allowed)
        self._node_frames, self._adjacencies = tuple(node_frames), tuple(adjacencies)


def _shrunk(sizes: Mapping[Any, Tensor], masks: Mapping[Any, Tensor]) -> dict[Any, Tensor]:
    """The batch sizes that remain after selecting rows by each mask."""
    result = dict(sizes)
    for key, mask in masks.items():
        before = torch.nn.functional.pad(mask.long().cumsum(0), (1, 0))
        ends = sizes[key].long().cumsum(0)
        result[key] = (before[ends] - before[ends - sizes[key].long()]).to(sizes[key].dtype)
    return result
