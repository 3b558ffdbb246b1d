"""Building graphs from edge lists and sparse formats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from gossamer._options import shown
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph.edge_data import EdgeData, checked_count, common_idtype, foreign_kind
from gossamer.graph.graph import Graph
from gossamer.graph.schema import DEFAULT_ETYPE, DEFAULT_NTYPE, CanonicalEType, Schema

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
        ``(u, v)``: sources and destinations as tensors, lists or arrays; a list of ``(u, v)``
        pairs; or ``("coo", (u, v))``, ``("csr", (indptr, indices, edge_ids))`` or
        ``("csc", ...)``, where empty edge ids stand for 0, 1, 2, ...
    num_nodes : int, optional
        Number of nodes. Default: the largest id plus one.
    idtype : torch.dtype, optional
        Type of ids: torch.int32 or torch.int64. Default: that of the given tensors, else
        torch.int64.
    device : torch.device or str, optional
        Device of the graph. Default: that of the given tensors, else the CPU.
    row_sorted, col_sorted : bool
        Whether edges are sorted by source, and by destination within a source. Accepted for
        compatibility and ignored.

    Returns
    -------
    Graph
        A graph in which edge ``i`` goes from ``u[i]`` to ``v[i]``. Duplicate edges and
        self-loops are kept. The ids are copied, so later writes to `data` do not change the graph.

    Raises
    ------
    InvalidTypeError
        If ids are not integers.
    InvalidValueError
        If sources and destinations differ in number or are ragged, or `num_nodes` is too small.
    OutOfRangeError
        If an id is negative.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.graph(([0, 0, 1], [1, 2, 2]), num_nodes=5)
    Graph(num_nodes=5, num_edges=3)
    """
    kind = foreign_kind(data)
    if kind is not None:
        raise InvalidTypeError(
            f"gossamer.graph takes edge lists, got a {kind} object. "
            f"Use gossamer.from_{kind}(...) instead."
        )
    if data is None:
        raise InvalidTypeError("gossamer.graph takes edge data, got None.")
    return Graph(data, num_nodes=num_nodes, idtype=idtype, device=device)


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
        Maps ``(source type, relation, destination type)`` to edge data, as for :func:`graph`.
    num_nodes_dict : dict of str to int, optional
        Number of nodes of each type; required for all types that occur in `data_dict`, if given.
        Default: the largest id plus one.
    idtype, device
        As for :func:`graph`.

    Returns
    -------
    Graph
        A graph whose node types and canonical edge types are in alphabetical order.

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
        _require_counts(num_nodes_dict, "num_nodes_dict")
        missing = [name for name in ntypes if name not in num_nodes_dict]
        if missing:
            raise InvalidValueError(
                f"num_nodes_dict lacks the node types {missing}; all types of edges are required."
            )
        for name in ntypes:
            what = f"num_nodes_dict[{name!r}]"
            counts[name] = checked_count(num_nodes_dict[name], counts[name], what)
        for name in num_nodes_dict:
            if name not in counts:
                counts[name] = checked_count(num_nodes_dict[name], 0, f"num_nodes_dict[{name!r}]")
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
    """Build a block: a bipartite message-flow graph with separate source and destination nodes.

    Parameters
    ----------
    data_dict : edge data, or dict of edge type to edge data
        As for :func:`graph` and :func:`heterograph`.
    num_src_nodes, num_dst_nodes : int or dict of str to int, optional
        Number of nodes on each side. Default: the largest id plus one.
    idtype, device
        As for :func:`graph`.
    node_count_check : bool
        Accepted for compatibility and ignored: ids are always checked against the counts.

    Returns
    -------
    Graph
        A graph with ``is_block`` True; node features are in `srcdata` and `dstdata`.

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
    )
    dst_counts = _side_counts(
        {dst for _, _, dst in relations},
        [(dst, edges.num_dst) for (_, _, dst), edges in relations.items()],
        num_dst_nodes,
        "num_dst_nodes",
    )
    schema = Schema((*src_counts, *dst_counts), tuple(relations), len(src_counts))
    adjacencies = [
        edges.adjacency(src_counts[src], dst_counts[dst])
        for (src, _, dst), edges in relations.items()
    ]
    counts = [*src_counts.values(), *dst_counts.values()]
    return Graph.from_parts(schema, adjacencies, num_nodes=counts)


def _side_counts(types: set[str], needed: list, given: Any, what: str) -> dict[str, int]:
    """Node counts of one side of a block, sorted by type name."""
    if given is not None and not isinstance(given, Mapping):
        if len(types) != 1:
            raise InvalidValueError(f"{what} must be a dict over {sorted(types)}, got {given!r}.")
        given = {next(iter(types)): given}
    if given is not None:
        _require_counts(given, what)
    names = sorted(types | set(given or {}))
    counts = {}
    for name in names:
        if given is not None and name not in given:
            raise InvalidValueError(f"{what} lacks node type {name!r}; it has {list(given)}.")
        least = max((count() for owner, count in needed if owner == name), default=0)
        chosen = least if given is None else given[name]
        counts[name] = checked_count(chosen, least, f"{what}[{name!r}]")
    return counts


def _require_counts(given: Any, what: str) -> None:
    """Raise unless `given` is a dict whose keys are str."""
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise InvalidTypeError(
            f"{what} is a dict from node type to the number of its nodes, got {shown(given)}."
        )


def _relations(
    data_dict: Any, idtype: torch.dtype | None, device: Any
) -> dict[CanonicalEType, EdgeData]:
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
    default = common_idtype(data_dict.values())
    relations = {
        etype: EdgeData(data_dict[etype], idtype, device, default) for etype in sorted(data_dict)
    }
    devices = {edges.device for edges in relations.values()}
    if len(devices) > 1:
        raise InvalidValueError(
            f"The edges are on several devices, {sorted(map(str, devices))}. Pass device=..."
        )
    return relations
