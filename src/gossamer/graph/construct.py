"""Building graphs from edge lists and sparse formats."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.graph.devices import as_device
from gossamer.graph.graph import Graph
from gossamer.graph.ids import INT32_MAX, as_id_tensor, check_range, in_idtype
from gossamer.graph.schema import DEFAULT_ETYPE, DEFAULT_NTYPE, CanonicalEType, Schema
from gossamer.ops.adjacency import Adjacency, Compressed

__all__ = ["create_block", "graph", "heterograph"]


def graph(
    data: Any,
    *,
    num_nodes: int | None = None,
    idtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    row_sorted: bool = False,
    col_sorted: bool = False,
) -> Graph:
    """Build a graph with one node type and one edge type.

    Parameters
    ----------
    data : edge data
        ``(u, v)`` with sources and destinations as tensors, lists or arrays; a list of ``(u, v)``
        pairs; or ``("coo", (u, v))``, ``("csr", (indptr, indices, edge_ids))`` and
        ``("csc", ...)``, where empty edge ids mean 0, 1, 2, ...
    num_nodes : int, optional
        Default: the largest id plus one.
    idtype : torch.dtype, optional
        torch.int32 or torch.int64. Default: that of the given tensors, else torch.int64.
    device : torch.device or str, optional
        Default: that of the given tensors, else the CPU.
    row_sorted, col_sorted : bool
        Whether edges come sorted by source, and by destination within a source. Accepted for
        compatibility: sortedness is found out at no cost.

    Returns
    -------
    Graph
        Edge ``i`` goes from ``u[i]`` to ``v[i]``. Duplicate edges and self-loops are kept. The ids
        are copied, so later writes to `data` do not change the graph.

    Raises
    ------
    InvalidTypeError
        If ids are not integers.
    InvalidValueError
        If both ends differ in length, are ragged, or `num_nodes` is too small.
    OutOfRangeError
        If an id is negative.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.graph(([0, 0, 1], [1, 2, 2]), num_nodes=5)
    Graph(num_nodes=5, num_edges=3)
    """
    edges = _Edges(data, idtype, device)
    count = edges.num_nodes()
    if num_nodes is not None:
        count = _checked_count(num_nodes, count, "num_nodes")
    return Graph.from_parts(
        Schema.homogeneous(), [edges.adjacency(count, count)], num_nodes=[count]
    )


def heterograph(
    data_dict: Mapping[CanonicalEType, Any],
    num_nodes_dict: Mapping[str, int] | None = None,
    idtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Graph:
    """Build a graph with several node or edge types.

    Parameters
    ----------
    data_dict : dict
        ``(source type, relation, destination type)`` to edge data, as for :func:`graph`.
    num_nodes_dict : dict of str to int, optional
        Number of nodes of each type; all types that occur. Default: the largest id plus one.
    idtype, device
        As for :func:`graph`.

    Returns
    -------
    Graph
        Node types and canonical edge types are in alphabetical order.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.heterograph({
    ...     ("user", "follows", "user"): ([0, 1], [1, 2]),
    ...     ("user", "plays", "game"): ([0, 3], [1, 1]),
    ... })
    Graph(2 node types, 2 edge types)
      nodes  game                      2
             user                      4
      edges  user -[follows]-> user    2
             user -[plays]-> game      2
    """
    relations = _relations(data_dict, idtype, device)
    ntypes = tuple(sorted({name for src, _, dst in relations for name in (src, dst)}))
    counts = dict.fromkeys(ntypes, 0)
    for (src, _, dst), edges in relations.items():
        counts[src] = max(counts[src], edges.num_src())
        counts[dst] = max(counts[dst], edges.num_dst())
    if num_nodes_dict is not None:
        missing = [name for name in ntypes if name not in num_nodes_dict]
        if missing:
            raise InvalidValueError(
                f"num_nodes_dict lacks the node types {missing}; it needs every type of the edges."
            )
        for name in ntypes:
            what = f"num_nodes_dict[{name!r}]"
            counts[name] = _checked_count(num_nodes_dict[name], counts[name], what)
        for name in num_nodes_dict:
            if name not in counts:
                counts[name] = _checked_count(num_nodes_dict[name], 0, f"num_nodes_dict[{name!r}]")
        ntypes = tuple(sorted(counts))
    adjacencies = [e.adjacency(counts[src], counts[dst]) for (src, _, dst), e in relations.items()]
    schema = Schema(ntypes, tuple(relations))
    return Graph.from_parts(schema, adjacencies, num_nodes=[counts[name] for name in ntypes])


def create_block(
    data_dict: Any,
    num_src_nodes: int | Mapping[str, int] | None = None,
    num_dst_nodes: int | Mapping[str, int] | None = None,
    idtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    node_count_check: bool = True,
) -> Graph:
    """Build a block: a bipartite message-flow graph whose two sides are kept apart.

    Parameters
    ----------
    data_dict : edge data, or dict of edge type to edge data
        As for :func:`graph` and :func:`heterograph`.
    num_src_nodes, num_dst_nodes : int or dict of str to int, optional
        Nodes on each side. Default: the largest id plus one.
    idtype, device
        As for :func:`graph`.
    node_count_check : bool
        If False, ids are trusted to be smaller than the given counts.

    Returns
    -------
    Graph
        With ``is_block`` True; features are in `srcdata` and `dstdata`.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.create_block(([0, 1, 2], [0, 0, 1]), num_src_nodes=4)
    Block(num_src_nodes=4, num_dst_nodes=2, num_edges=3)
    """
    if not isinstance(data_dict, Mapping):
        data_dict = {(DEFAULT_NTYPE, DEFAULT_ETYPE, DEFAULT_NTYPE): data_dict}
    relations = _relations(data_dict, idtype, device)
    src_counts = _side_counts(
        {src for src, _, _ in relations},
        [(src, edges.num_src) for (src, _, _), edges in relations.items()],
        num_src_nodes,
        "num_src_nodes",
        node_count_check,
    )
    dst_counts = _side_counts(
        {dst for _, _, dst in relations},
        [(dst, edges.num_dst) for (_, _, dst), edges in relations.items()],
        num_dst_nodes,
        "num_dst_nodes",
        node_count_check,
    )
    schema = Schema((*src_counts, *dst_counts), tuple(relations), len(src_counts))
    adjacencies = [
        edges.adjacency(src_counts[src], dst_counts[dst])
        for (src, _, dst), edges in relations.items()
    ]
    counts = [*src_counts.values(), *dst_counts.values()]
    return Graph.from_parts(schema, adjacencies, num_nodes=counts)


def _side_counts(
    types: set[str], needed: list, given: Any, what: str, check: bool
) -> dict[str, int]:
    """Node counts of one side of a block, in the order of type names."""
    if given is not None and not isinstance(given, Mapping):
        if len(types) != 1:
            raise InvalidValueError(f"{what} must be a dict over {sorted(types)}, got {given!r}.")
        given = {next(iter(types)): given}
    names = sorted(types | set(given or {}))
    counts = {}
    for name in names:
        if given is not None and name not in given:
            raise InvalidValueError(f"{what} lacks node type {name!r}; it has {list(given)}.")
        least = 0
        if check or given is None:
            least = max((count() for owner, count in needed if owner == name), default=0)
        chosen = least if given is None else given[name]
        counts[name] = _checked_count(chosen, least, f"{what}[{name!r}]")
    return counts


def _checked_count(count: Any, least: int, what: str) -> int:
    if isinstance(count, Tensor) and count.numel() == 1:
        count = count.item()
    try:
        number = None if isinstance(count, bool) else operator.index(count)
    except TypeError:
        number = None
    if number is None:
        raise InvalidTypeError(f"{what} must be an int, got {count!r}.")
    count = number
    if count < 0:
        raise InvalidValueError(f"{what} cannot be negative, got {count}.")
    if count < least:
        raise InvalidValueError(
            f"{what} is {count}, but the edges name node {least - 1}. It must be at least {least}."
        )
    return count


def _relations(
    data_dict: Any, idtype: torch.dtype | None, device: Any
) -> dict[CanonicalEType, _Edges]:
    """Checked edge data of each relation, in the order of canonical edge types."""
    if not isinstance(data_dict, Mapping) or not data_dict:
        raise InvalidValueError(
            "Expected a dict from (source type, relation, destination type) to edge data with at "
            f"least one entry, got {data_dict!r}."
        )
    for etype in data_dict:
        well_formed = isinstance(etype, tuple) and len(etype) == 3
        if not well_formed or not all(isinstance(name, str) for name in etype):
            raise InvalidTypeError(
                "An edge type is a (source type, relation, destination type) tuple of str, "
                f"got {etype!r}."
            )
    if idtype is None:
        idtype = _common_idtype(data_dict.values())
    relations = {etype: _Edges(data_dict[etype], idtype, device) for etype in sorted(data_dict)}
    devices = {edges.device for edges in relations.values()}
    if len(devices) > 1:
        raise InvalidValueError(
            f"The edges are on several devices, {sorted(map(str, devices))}. Pass device=..."
        )
    return relations


def _common_idtype(parts: Any) -> torch.dtype:
    """int32 if every tensor is int32 and there is one, otherwise int64."""
    found = set()
    for data in parts:
        arrays = data[1] if isinstance(data, tuple) and isinstance(data[0], str) else data
        if not isinstance(arrays, Iterable):
            continue  # what it is instead is told later
        found |= {x.dtype for x in arrays if isinstance(x, Tensor) and x.numel()}
    return torch.int32 if found == {torch.int32} else torch.int64


class _Edges:
    """Checked edges of one relation, before the number of nodes is known."""

    def __init__(self, data: Any, idtype: torch.dtype | None, device: Any) -> None:
        if idtype not in (None, torch.int32, torch.int64):
            raise InvalidTypeError(f"idtype is torch.int32 or torch.int64, got {idtype!r}.")
        self.fmt, arrays = _split(data)
        names = ("source ids", "destination ids")
        if self.fmt != "coo":
            names = ("row pointers", "column ids", "edge ids")
        tensors = [as_id_tensor(x, name) for x, name in zip(arrays, names, strict=True)]
        self._check_agreement(arrays, tensors)
        if idtype is None:
            given = [t for x, t in zip(arrays, tensors, strict=True) if isinstance(x, Tensor)]
            # An empty tensor says nothing: torch makes them of floating-point numbers.
            given = [t for t in given if t.numel()] or given
            idtype = given[0].dtype if given else torch.int64
        device = tensors[0].device if device is None else as_device(device)
        # COO is kept as it is, so it is copied: the caller may write to the tensors later.
        copy = self.fmt == "coo"
        self.tensors = [
            in_idtype(tensor, idtype, name, copy=copy).to(device)
            for tensor, name in zip(tensors, names, strict=True)
        ]
        self.idtype = idtype
        self.device = self.tensors[0].device
        if self.fmt == "coo":
            self._check_pair()
        else:
            self._check_compressed()

    @staticmethod
    def _check_agreement(arrays: Any, tensors: list[Tensor]) -> None:
        given = [
            t for x, t in zip(arrays, tensors, strict=True) if isinstance(x, Tensor) and t.numel()
        ]
        if len({t.dtype for t in given}) > 1:
            raise InvalidTypeError(
                f"All ids need one dtype, got {[t.dtype for t in given]}. Convert one with .long()."
            )
        if len({t.device for t in given}) > 1:
            raise InvalidValueError(
                f"All ids need one device, got {[str(t.device) for t in given]}. "
                "Move one with .to(...)."
            )

    def _check_pair(self) -> None:
        u, v = self.tensors
        if u.shape != v.shape:
            raise InvalidValueError(
                f"There are {u.shape[0]} source ids and {v.shape[0]} destination ids; "
                "an edge needs one of each."
            )
        self._src_bound, self._dst_bound = _bound(u, "source"), _bound(v, "destination")

    def _check_compressed(self) -> None:
        indptr, indices, eids = self.tensors
        count = indices.shape[0]
        proper = indptr.numel() > 0 and int(indptr[0]) == 0 and int(indptr[-1]) == count
        if not proper or bool((indptr.diff() < 0).any()):
            raise InvalidValueError(
                f"Row pointers must rise from 0 to the number of edges, {count}, "
                "without falling in between."
            )
        if eids.numel() not in (0, count):
            raise InvalidValueError(f"There are {count} edges but {eids.numel()} edge ids.")
        if eids.numel():
            check_range(eids, count, "edges")
            if bool((torch.bincount(eids, minlength=count) != 1).any()):
                raise InvalidValueError("Edge ids must be 0 ... E - 1, each once.")
        rows, columns = indptr.shape[0] - 1, _bound(indices, "column")
        by_src = self.fmt == "csr"
        self._src_bound, self._dst_bound = (rows, columns) if by_src else (columns, rows)

    def num_src(self) -> int:
        """Source nodes that the edges imply."""
        return self._src_bound

    def num_dst(self) -> int:
        """Destination nodes that the edges imply."""
        return self._dst_bound

    def num_nodes(self) -> int:
        """Nodes that the edges imply if both ends are of one type."""
        return max(self._src_bound, self._dst_bound)

    def adjacency(self, num_src: int, num_dst: int) -> Adjacency:
        """The edges between so many nodes."""
        if self.fmt == "coo":
            return Adjacency(num_src, num_dst, self.idtype, coo=tuple(self.tensors))
        indptr, indices, eids = self.tensors
        rows = num_src if self.fmt == "csr" else num_dst
        padding = indptr.new_full((rows + 1 - indptr.shape[0],), indices.shape[0])
        compact = torch.int32
        if max(num_src, num_dst, indices.shape[0]) >= INT32_MAX:
            compact = torch.int64
        compressed = Compressed(
            torch.cat([indptr, padding]).to(compact),
            indices.to(compact, copy=True),
            eids.to(compact, copy=True) if eids.numel() else None,
        )
        return Adjacency(num_src, num_dst, self.idtype, **{self.fmt: compressed})


def _bound(ids: Tensor, what: str) -> int:
    """One more than the largest id; negative ids are refused."""
    if ids.numel() == 0:
        return 0
    low, high = torch.aminmax(ids)
    if low < 0:
        raise OutOfRangeError(f"A {what} id cannot be negative, got {int(low)}.")
    return int(high) + 1


def _split(data: Any) -> tuple[str, Any]:
    """(format, arrays) of edge data."""
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], str):
        fmt, arrays = data
        if fmt not in ("coo", "csr", "csc"):
            raise InvalidValueError(f"Edge data is 'coo', 'csr' or 'csc', got {fmt!r}.")
        if not isinstance(arrays, (tuple, list)) or len(arrays) != (2 if fmt == "coo" else 3):
            wanted = "(u, v)" if fmt == "coo" else "(indptr, indices, edge_ids)"
            raise InvalidValueError(f"Edge data in {fmt!r} is {wanted}.")
        return fmt, arrays
    kind = type(data).__module__.partition(".")[0]
    if kind in ("networkx", "scipy"):
        raise InvalidTypeError(
            f"gossamer.graph takes edge lists, got a {kind} object. "
            f"Use gossamer.from_{kind}(...) instead."
        )
    if isinstance(data, Tensor) and data.dim() == 2 and data.shape[0] == 2:
        return "coo", (data[0], data[1])
    if isinstance(data, tuple) and len(data) == 2:
        return "coo", data
    if isinstance(data, list):
        if any(not isinstance(pair, (tuple, list)) or len(pair) != 2 for pair in data):
            raise InvalidValueError(
                "A list of edges holds (source, destination) pairs. "
                "For two lists of ids, pass a tuple: ([0, 1], [1, 2])."
            )
        return "coo", ([u for u, _ in data], [v for _, v in data])
    raise InvalidTypeError(
        "Edge data is (u, v), a list of pairs, or ('coo' | 'csr' | 'csc', arrays); "
        f"got {type(data).__name__}."
    )
