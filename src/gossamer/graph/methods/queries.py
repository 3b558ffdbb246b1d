"""Methods of Graph that read structure: degrees, neighbors, edges between nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer._options import integer
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError, UnknownKeyError
from gossamer.graph.ids import ALL, as_id_tensor, is_all, is_single, paired
from gossamer.ops._storage import copied_ids

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph

__all__ = ["Queries"]


def _position(positions: Mapping[str, int], ntype: str | None, side: str) -> int:
    if ntype is None and len(positions) == 1:
        return next(iter(positions.values()))
    if ntype not in positions:
        raise UnknownKeyError(
            f"There is no {side} node type {ntype!r}; there are {list(positions)}."
        )
    return positions[ntype]


class Queries:
    """Methods of :class:`Graph` that read its structure."""

    # ---------------------------------------------------------------------------- nodes, degrees

    def get_ntype_id_from_src(self: Graph, ntype: str | None) -> int:
        """Position in :attr:`ntypes` of a node type on the source side.

        None selects the only one.
        """
        return _position(self._schema.src_ids, ntype, "source")

    def get_ntype_id_from_dst(self: Graph, ntype: str | None) -> int:
        """Position in :attr:`ntypes` of a node type on the destination side.

        In a block, destination types follow source types. None selects the only one.
        """
        return _position(self._schema.dst_ids, ntype, "destination")

    def has_nodes(self: Graph, vid: Any, ntype: str | None = None) -> bool | Tensor:
        """Whether node ids exist.

        Parameters
        ----------
        vid : int or ids
            One id, or several.
        ntype : str, optional
            Node type; may be left out if there is only one.

        Returns
        -------
        bool or Tensor
            A bool for one id, a bool tensor for several.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0], [1])).has_nodes([0, 7])
        tensor([ True, False])
        """
        position = self._schema.ntype_id(ntype)
        ids = as_id_tensor(vid, "node ids", self.device)
        if bool((ids < 0).any()):
            raise OutOfRangeError(f"Node ids cannot be negative, got {int(ids.min())}.")
        found = ids < self._node_frames[position].num_rows
        return bool(found) if is_single(vid) else found

    def in_degrees(self: Graph, v: Any = ALL, etype: Any = None) -> int | Tensor:
        """In-degrees of nodes under one edge type.

        Parameters
        ----------
        v : int or ids, optional
            Destination nodes. Default: all.
        etype : str or (str, str, str), optional
            Edge type; may be left out if there is only one.

        Returns
        -------
        int or Tensor
            An int for one node, a tensor of the graph's id type for several.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0, 1, 2], [2, 2, 0])).in_degrees()
        tensor([1, 0, 2])
        """
        position = self._schema.etype_id(etype)
        adjacency = self._adjacencies[position]
        return self._pick(adjacency.in_degrees(), v, self._schema.endpoints[position][1])

    def out_degrees(self: Graph, u: Any = ALL, etype: Any = None) -> int | Tensor:
        """Out-degrees of nodes under one edge type; see :meth:`in_degrees`.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0, 1, 2], [2, 2, 0])).out_degrees(1)
        1
        """
        position = self._schema.etype_id(etype)
        adjacency = self._adjacencies[position]
        return self._pick(adjacency.out_degrees(), u, self._schema.endpoints[position][0])

    def _pick(self: Graph, degrees: Tensor, nodes: Any, ntype_position: int) -> int | Tensor:
        if is_all(nodes):
            return degrees.clone()
        picked = degrees[self.checked_nodes(nodes, ntype_position).long()]
        return int(picked) if is_single(nodes) else picked

    def successors(self: Graph, v: int, etype: Any = None) -> Tensor:
        """Destinations of the out-edges of node `v`, in the order of edge ids.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0, 0, 1], [2, 1, 0])).successors(0)
        tensor([2, 1])
        """
        return self.out_edges(_one(v, "node"), etype=etype)[1]

    def predecessors(self: Graph, v: int, etype: Any = None) -> Tensor:
        """Sources of the in-edges of node `v`, in the order of edge ids.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0, 0, 1], [2, 1, 0])).predecessors(0)
        tensor([1])
        """
        return self.in_edges(_one(v, "node"), etype=etype)[0]

    # ------------------------------------------------------------------------------------- edges

    def all_edges(
        self: Graph, form: str = "uv", order: str | None = "eid", etype: Any = None
    ) -> Tensor | tuple[Tensor, ...]:
        """Return endpoints and ids of all edges of one type.

        Parameters
        ----------
        form : {"uv", "eid", "all"}
            What to return: ``(source, destination)``, edge ids, or all three.
        order : {"eid", "srcdst"}
            Sort by edge id, or by source, then destination.
        etype : str or (str, str, str), optional
            Edge type; may be left out if there is only one.

        Returns
        -------
        Tensor or tuple of Tensor
            New tensors of the graph's id type; writing to them does not change the graph.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([1, 0], [0, 2])).all_edges(form="all", order="srcdst")
        (tensor([0, 1]), tensor([2, 0]), tensor([1, 0]))
        """
        _check_form(form)
        if order not in ("eid", "srcdst", None):
            raise InvalidValueError(f"The order of edges is 'eid' or 'srcdst', got {order!r}.")
        adjacency = self._adjacencies[self._schema.etype_id(etype)]
        row, col = adjacency.coo()
        if form == "uv" and order != "srcdst":
            return copied_ids(row), copied_ids(col)
        eids = torch.arange(row.shape[0], dtype=self.idtype, device=self.device)
        if order == "srcdst":
            _, sorting = torch.sort(adjacency.pair_keys(row, col), stable=True)
            return _in_form(form, row[sorting], col[sorting], eids[sorting])
        return eids if form == "eid" else (copied_ids(row), copied_ids(col), eids)

    def in_edges(
        self: Graph, v: Any, form: str = "uv", etype: Any = None
    ) -> Tensor | tuple[Tensor, ...]:
        """Return the edges that end at the nodes `v`, node by node, in a form of :meth:`all_edges`.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0, 1, 2], [2, 2, 0])).in_edges([0, 2], form="eid")
        tensor([2, 0, 1])
        """
        _check_form(form)
        position = self._schema.etype_id(etype)
        nodes = self.checked_nodes(v, self._schema.endpoints[position][1])
        return _in_form(form, *self._adjacencies[position].in_slots(nodes))

    def out_edges(
        self: Graph, u: Any, form: str = "uv", etype: Any = None
    ) -> Tensor | tuple[Tensor, ...]:
        """Return the edges that start at the nodes `u`, node by node; see :meth:`all_edges`.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0, 1, 0], [2, 2, 1])).out_edges(0)
        (tensor([0, 0]), tensor([2, 1]))
        """
        _check_form(form)
        position = self._schema.etype_id(etype)
        nodes = self.checked_nodes(u, self._schema.endpoints[position][0])
        return _in_form(form, *self._adjacencies[position].out_slots(nodes))

    def find_edges(self: Graph, eid: Any, etype: Any = None) -> tuple[Tensor, Tensor]:
        """Return sources and destinations of edges given by id.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0, 1], [1, 2])).find_edges([1])
        (tensor([1]), tensor([2]))
        """
        position = self._schema.etype_id(etype)
        eids = self.checked_edges(eid, position).long()
        row, col = self._adjacencies[position].coo()
        return row[eids], col[eids]

    def has_edges_between(self: Graph, u: Any, v: Any, etype: Any = None) -> bool | Tensor:
        """Whether there is an edge ``u[i] -> v[i]``; a single id is paired with all of the others.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0, 1], [1, 2])).has_edges_between([0, 0], [1, 2])
        tensor([ True, False])
        """
        position = self._schema.etype_id(etype)
        sources, targets = self._pairs(u, v, position)
        pair, _ = self._adjacencies[position].edges_between(sources, targets)
        found = torch.zeros(sources.shape[0], dtype=torch.bool, device=self.device)
        found[pair] = True
        return bool(found) if is_single(u) and is_single(v) else found

    def edge_ids(
        self: Graph, u: Any, v: Any, return_uv: bool = False, etype: Any = None
    ) -> int | Tensor | tuple[Tensor, Tensor, Tensor]:
        """Return the ids of the edges ``u[i] -> v[i]``.

        Parameters
        ----------
        u, v : int or ids
            Sources and destinations; a single id is paired with every id of the other side.
        return_uv : bool
            If False, return one id for each pair, the smallest one if there are parallel edges. If
            True, return ``(source, destination, id)`` of every edge between each pair.
        etype : str or (str, str, str), optional
            Edge type; may be left out if there is only one.

        Raises
        ------
        InvalidValueError
            If `return_uv` is False and some pair has no edge.

        Examples
        --------
        >>> import gossamer as gs
        >>> g = gs.graph(([0, 1, 0], [1, 2, 1]))
        >>> g.edge_ids([1, 0], [2, 1])
        tensor([1, 0])
        >>> g.edge_ids(0, 1, return_uv=True)
        (tensor([0, 0]), tensor([1, 1]), tensor([0, 2]))
        """
        position = self._schema.etype_id(etype)
        sources, targets = self._pairs(u, v, position)
        pair, eids = self._adjacencies[position].edges_between(sources, targets)
        if return_uv:
            return sources[pair], targets[pair], eids
        first = torch.full((sources.shape[0],), -1, dtype=self.idtype, device=self.device)
        first.scatter_reduce_(0, pair, eids, reduce="amin", include_self=False)
        missing = (first < 0).nonzero()
        if missing.numel():
            i = int(missing[0])
            raise InvalidValueError(
                f"There is no edge ({int(sources[i])}, {int(targets[i])}) of type "
                f"{self.canonical_etypes[position]}. Check with has_edges_between first."
            )
        return int(first) if is_single(u) and is_single(v) else first

    def _pairs(self: Graph, u: Any, v: Any, position: int) -> tuple[Tensor, Tensor]:
        src, dst = self._schema.endpoints[position]
        return paired(self.checked_nodes(u, src), self.checked_nodes(v, dst))

    def filter_nodes(
        self: Graph, predicate: Callable, nodes: Any = ALL, ntype: str | None = None
    ) -> Tensor:
        """Return the ids of the nodes for which `predicate`, a function of a node batch, is True.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> g = gs.graph(([0, 1], [1, 2]))
        >>> g.ndata["h"] = torch.tensor([1.0, -1.0, 2.0])
        >>> g.filter_nodes(lambda nodes: nodes.data["h"] > 0)
        tensor([0, 2])
        """
        _require_predicate(predicate, "filter_nodes")
        position = self._schema.ntype_id(ntype)
        ids = self.checked_nodes(nodes, position)
        batch = self._node_batch(
            self._node_frames[position], position, None if is_all(nodes) else ids
        )
        mask = predicate(batch)
        return ids[_as_mask(mask, ids.shape[0], "predicate over nodes")]

    def filter_edges(
        self: Graph, predicate: Callable, edges: Any = ALL, etype: Any = None
    ) -> Tensor:
        """Return the ids of the edges for which `predicate`, a function of an edge batch, is True.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> g = gs.graph(([0, 1], [1, 2]))
        >>> g.edata["w"] = torch.tensor([0.5, 2.0])
        >>> g.filter_edges(lambda edges: edges.data["w"] > 1)
        tensor([1])
        """
        _require_predicate(predicate, "filter_edges")
        position = self._schema.etype_id(etype)
        eids = self._edges_to_ids(edges, position)
        mask = predicate(self._part(position, eids).edge_batch())
        return eids[_as_mask(mask, eids.shape[0], "predicate over edges")]


def _one(node: Any, what: str) -> int:
    number = integer(node)
    if number is None:
        raise InvalidValueError(
            f"One {what} id is expected, got {node!r}. For several, use in_edges or out_edges."
        )
    return number


def _check_form(form: str) -> None:
    if form not in ("uv", "eid", "all"):
        raise InvalidValueError(f"The form of edges is 'uv', 'eid' or 'all', got {form!r}.")


def _in_form(form: str, row: Tensor, col: Tensor, eids: Tensor) -> Tensor | tuple[Tensor, ...]:
    if form == "uv":
        return row, col
    return eids if form == "eid" else (row, col, eids)


def _require_predicate(predicate: Any, name: str) -> None:
    if not callable(predicate):
        raise InvalidTypeError(
            f"{name}: the predicate is a function, got {type(predicate).__name__}."
        )


def _as_mask(mask: Any, count: int, what: str) -> Tensor:
    try:
        mask = torch.as_tensor(mask)
    except (RuntimeError, TypeError, ValueError):
        raise InvalidTypeError(
            f"The {what} must return a boolean tensor, got {type(mask).__name__}."
        ) from None
    if mask.dim() == 2 and mask.shape[1] == 1:
        mask = mask[:, 0]
    if mask.shape != (count,):
        raise InvalidValueError(
            f"The {what} must return one boolean for each of {count}, got shape "
            f"{tuple(mask.shape)}."
        )
    return mask.bool()
