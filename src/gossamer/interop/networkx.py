"""Conversion from and to networkx."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer._options import integer
from gossamer.errors import (
    InvalidTypeError,
    InvalidValueError,
    OutOfRangeError,
    UnknownKeyError,
)
from gossamer.graph import Frame, Graph, graph
from gossamer.graph.arguments import feature_names, require_graph
from gossamer.interop._common import two_sided

__all__ = ["bipartite_from_networkx", "from_networkx", "to_networkx"]

Device = torch.device | str | None


def from_networkx(
    nx_graph: Any,
    node_attrs: Iterable[str] | None = None,
    edge_attrs: Iterable[str] | None = None,
    edge_id_attr_name: str | None = None,
    idtype: torch.dtype | None = None,
    device: Device = None,
) -> Graph:
    """Make a graph with one node type and one edge type from a networkx graph.

    Parameters
    ----------
    nx_graph : networkx.Graph, DiGraph, MultiGraph or MultiDiGraph
        Nodes are numbered in the sorted order of their labels. An undirected edge becomes one edge
        in each direction; an undirected self-loop becomes one edge.
    node_attrs, edge_attrs : iterable of str, optional
        Attributes to convert to features, ``(N, *)`` and ``(E, *)``. Every node or edge must have
        them: numbers, lists of numbers, arrays or tensors of one shape. `edge_attrs` needs a
        directed graph.
    edge_id_attr_name : str, optional
        Edge attribute with the edge ids ``0 ... E - 1`` of a directed graph. Default: edges come in
        the order of ``nx_graph.edges``.
    idtype : torch.dtype, optional
        torch.int32 or torch.int64. Default: torch.int64.
    device : torch.device or str, optional
        Default: the CPU.

    Returns
    -------
    Graph

    Raises
    ------
    InvalidTypeError
        If `nx_graph` is not a networkx graph, or node labels cannot be sorted.
    InvalidValueError
        If values of an attribute differ in kind or shape, edge ids repeat, or edge attributes of an
        undirected graph are requested.
    UnknownKeyError
        If a node or edge lacks an attribute.
    OutOfRangeError
        If an edge id is not in ``0 ... E - 1``.
    MissingExtraError
        If networkx is not installed.

    Examples
    --------
    >>> import gossamer as gs, networkx
    >>> source = networkx.DiGraph()
    >>> source.add_edge("b", "a", weight=0.5)
    >>> source.add_edge("a", "c", weight=2.0)
    >>> g = gs.from_networkx(source, edge_attrs=["weight"])
    >>> g.edges(), g.edata["weight"]
    ((tensor([1, 0]), tensor([0, 2])), tensor([0.5000, 2.0000]))
    """
    name = "from_networkx"
    _require_networkx(nx_graph, name)
    node_attrs = feature_names(node_attrs, f"{name}: node_attrs")
    edge_attrs = feature_names(edge_attrs, f"{name}: edge_attrs")
    if not nx_graph.is_directed() and (edge_attrs or edge_id_attr_name is not None):
        raise InvalidValueError(
            f"{name}: an undirected edge becomes two edges, so edge_attrs and edge_id_attr_name "
            "need a directed graph. Call nx_graph.to_directed() first."
        )
    labels = _sorted(nx_graph.nodes, name)
    edges, order = _edges(nx_graph, edge_attrs, edge_id_attr_name, name)
    number = {label: i for i, label in enumerate(labels)}
    u, v = _ends(edges, number, number)
    if not nx_graph.is_directed():
        rank = {number[label]: i for i, label in enumerate(nx_graph.nodes)}
        u, v = _both_ways(u, v, [rank[i] for i in range(len(rank))])
    g = graph((u[order], v[order]), num_nodes=len(labels), idtype=idtype, device=device)
    data = nx_graph.nodes
    _take_over(g.ndata, [data[label] for label in labels], node_attrs, "node", g.device, name)
    features = [edges[i][2] for i in order.tolist()] if edge_attrs else []
    _take_over(g.edata, features, edge_attrs, "edge", g.device, name)
    return g


def bipartite_from_networkx(
    nx_graph: Any,
    utype: str,
    etype: str,
    vtype: str,
    u_attrs: Iterable[str] | None = None,
    e_attrs: Iterable[str] | None = None,
    v_attrs: Iterable[str] | None = None,
    edge_id_attr_name: str | None = None,
    idtype: torch.dtype | None = None,
    device: Device = None,
) -> Graph:
    """Make a graph with edges from one node type to another from a bipartite networkx graph.

    Parameters
    ----------
    nx_graph : networkx.DiGraph or MultiDiGraph
        Nodes have networkx's attribute ``bipartite``: 0 for sources and 1 for destinations. Each
        side is numbered in the sorted order of its labels.
    utype, etype, vtype : str
        Source type, relation and destination type.
    u_attrs, e_attrs, v_attrs : iterable of str, optional
        Attributes of sources, edges and destinations to convert to features.
    edge_id_attr_name, idtype, device
        As for :func:`from_networkx`.

    Returns
    -------
    Graph

    Raises
    ------
    InvalidTypeError, UnknownKeyError, OutOfRangeError, MissingExtraError
        As for :func:`from_networkx`.
    InvalidValueError
        If the graph is undirected, a node has no side, or an edge does not go from side 0 to side
        1.

    Examples
    --------
    >>> import gossamer as gs, networkx
    >>> source = networkx.DiGraph()
    >>> source.add_nodes_from(["ann", "bob"], bipartite=0)
    >>> source.add_nodes_from(["tea", "rye"], bipartite=1)
    >>> source.add_edges_from([("ann", "tea"), ("bob", "tea")])
    >>> gs.bipartite_from_networkx(source, "user", "buys", "item").edges()
    (tensor([0, 1]), tensor([1, 1]))
    """
    name = "bipartite_from_networkx"
    _require_networkx(nx_graph, name)
    if not nx_graph.is_directed():
        raise InvalidValueError(f"{name} takes a directed graph, got {type(nx_graph).__name__}.")
    wanted = [
        feature_names(names, f"{name}: {what}")
        for names, what in ((u_attrs, "u_attrs"), (e_attrs, "e_attrs"), (v_attrs, "v_attrs"))
    ]
    sides: tuple[list, list] = ([], [])
    for label, data in nx_graph.nodes(data=True):
        side = data.get("bipartite")
        if side not in (0, 1):
            raise InvalidValueError(
                f"{name}: every node needs the attribute bipartite, 0 or 1; node {label!r} has "
                f"{side!r}."
            )
        sides[side].append(label)
    sides = _sorted(sides[0], name), _sorted(sides[1], name)
    numbers = [{label: i for i, label in enumerate(side)} for side in sides]
    edges, order = _edges(nx_graph, wanted[1], edge_id_attr_name, name)
    for edge in edges:
        if edge[0] not in numbers[0] or edge[1] not in numbers[1]:
            raise InvalidValueError(
                f"{name}: edges go from a node with bipartite=0 to one with bipartite=1, but "
                f"({edge[0]!r}, {edge[1]!r}) does not."
            )
    u, v = _ends(edges, *numbers)
    ends = u[order], v[order]
    counts = len(sides[0]), len(sides[1])
    g = two_sided(ends, (utype, etype, vtype), counts, idtype, device, name)
    data = nx_graph.nodes
    rows = [data[label] for label in sides[0]], [data[label] for label in sides[1]]
    _take_over(g.nodes[utype].data, rows[0], wanted[0], "source node", g.device, name)
    _take_over(g.nodes[vtype].data, rows[1], wanted[2], "destination node", g.device, name)
    features = [edges[i][2] for i in order.tolist()] if wanted[1] else []
    _take_over(g.edata, features, wanted[1], "edge", g.device, name)
    return g


def to_networkx(
    g: Graph,
    node_attrs: Iterable[str] | None = None,
    edge_attrs: Iterable[str] | None = None,
    ntype_attr: str | None = "ntype",
    etype_attr: str | None = "etype",
    eid_attr: str | None = "id",
) -> Any:
    """Convert to a networkx graph with the same nodes and edges.

    Parameters
    ----------
    g : Graph
        Any graph. For a block, destination nodes follow source nodes.
    node_attrs, edge_attrs : iterable of str, optional
        Features to convert to attributes: one row, in CPU memory, per node or edge of the types
        that have the feature.
    ntype_attr, etype_attr : str or None
        Names of the attributes for node type and canonical edge type, used if there are several
        types. None omits them.
    eid_attr : str or None
        Name of the attribute for the edge id, which is numbered over all edge types. None omits it.

    Returns
    -------
    networkx.MultiDiGraph
        Nodes are numbered type by type, as by :func:`gossamer.to_homogeneous`. Edges are in the
        order of their ids.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph.
    UnknownKeyError
        If no type has a requested feature.
    MissingExtraError
        If networkx is not installed.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1], [1, 2]))
    >>> g.edata["w"] = torch.tensor([3, 4])
    >>> list(gs.to_networkx(g, edge_attrs=["w"]).edges(data=True))
    [(0, 1, {'id': 0, 'w': tensor(3)}), (1, 2, {'id': 1, 'w': tensor(4)})]
    """
    require_graph(g, "to_networkx")
    networkx = optional_import("networkx", "gossamer.to_networkx")
    node_attrs = feature_names(node_attrs, "to_networkx: node_attrs")
    edge_attrs = feature_names(edge_attrs, "to_networkx: edge_attrs")
    for what, name in (
        ("ntype_attr", ntype_attr),
        ("etype_attr", etype_attr),
        ("eid_attr", eid_attr),
    ):
        if not isinstance(name, (str, type(None))):
            raise InvalidTypeError(f"to_networkx: {what} is a name or None, got {name!r}.")
    _require_some(g.node_frames, node_attrs)
    _require_some(g.edge_frames, edge_attrs)
    typed = not g.is_homogeneous
    result = networkx.MultiDiGraph()
    first = [0]
    for ntype, frame in zip(g.ntypes, g.node_frames, strict=True):
        fixed = {ntype_attr: ntype} if typed and ntype_attr is not None else {}
        ids = range(first[-1], first[-1] + frame.num_rows)
        result.add_nodes_from(zip(ids, _rows(frame, node_attrs, fixed), strict=True))
        first.append(ids.stop)
    num_edges = 0
    for etype, (src, dst), adjacency, frame in zip(
        g.canonical_etypes, g.schema.endpoints, g.relations, g.edge_frames, strict=True
    ):
        fixed = {etype_attr: etype} if typed and etype_attr is not None else {}
        ids = range(num_edges, num_edges + adjacency.num_edges)
        data = _rows(frame, edge_attrs, fixed, {} if eid_attr is None else {eid_attr: ids})
        u, v = adjacency.coo()
        ends = (u.long() + first[src]).tolist(), (v.long() + first[dst]).tolist()
        result.add_edges_from(zip(*ends, data, strict=True))
        num_edges = ids.stop
    return result


def _require_networkx(nx_graph: Any, name: str) -> None:
    networkx = optional_import("networkx", f"gossamer.{name}")
    if not isinstance(nx_graph, networkx.Graph):
        raise InvalidTypeError(f"{name} takes a networkx graph, got {type(nx_graph).__name__}.")


def _sorted(labels: Iterable, name: str) -> list:
    try:
        return sorted(labels)
    except TypeError:
        raise InvalidTypeError(
            f"{name}: node labels are numbered in sorted order, but these cannot be sorted. "
            "Call networkx.convert_node_labels_to_integers first."
        ) from None


def _edges(
    nx_graph: Any, attributes: list[str], id_name: str | None, name: str
) -> tuple[list[tuple], Tensor]:
    """Return the edges, with data if needed, and their order by edge id."""
    edges = list(nx_graph.edges(data=bool(attributes) or id_name is not None))
    count = len(edges)
    if not nx_graph.is_directed():  # the order of both directions is decided later
        loops = sum(1 for edge in edges if edge[0] == edge[1])
        return edges, torch.arange(2 * count - loops)
    if id_name is None:
        return edges, torch.arange(count)
    missing = next((edge[:2] for edge in edges if id_name not in edge[2]), None)
    if missing is not None:
        raise UnknownKeyError(
            f"{name}: edge {missing} has no attribute {id_name!r}, which should hold its id."
        )
    ids = [integer(edge[2][id_name]) for edge in edges]
    for edge, i in zip(edges, ids, strict=True):
        if i is None or not 0 <= i < count:
            raise OutOfRangeError(
                f"{name}: edge ids are 0 to {count - 1}, each once; got {edge[2][id_name]}."
            )
    places = torch.tensor(ids, dtype=torch.int64)
    if bool((torch.bincount(places, minlength=count) > 1).any()):
        raise InvalidValueError(f"{name}: several edges have the same {id_name!r}: {sorted(ids)}.")
    return edges, torch.argsort(places)


def _ends(edges: list[tuple], src: Mapping, dst: Mapping) -> tuple[Tensor, Tensor]:
    u = torch.tensor([src[edge[0]] for edge in edges], dtype=torch.int64)
    v = torch.tensor([dst[edge[1]] for edge in edges], dtype=torch.int64)
    return u, v


def _both_ways(u: Tensor, v: Tensor, rank: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return both directions of undirected edges, in the order of networkx's directed copy.

    This order is by node (`rank`), then by first occurrence of the neighbor in edges; parallel
    edges are adjacent.
    """
    proper = (u != v).nonzero().squeeze(1)
    edge = torch.cat([torch.arange(len(u)), proper])
    src, dst = torch.cat([u, v[proper]]), torch.cat([v, u[proper]])
    _, pair = torch.unique(torch.stack([u.minimum(v), u.maximum(v)]), dim=1, return_inverse=True)
    first = torch.full((len(u),), len(u)).scatter_reduce(0, pair, torch.arange(len(u)), "amin")
    keys = edge, first[pair[edge]], torch.tensor(rank, dtype=torch.int64)[src]
    order = torch.from_numpy(np.lexsort([key.numpy() for key in keys]))
    return src[order], dst[order]


def _take_over(
    view: Any, rows: Sequence[Mapping], names: list[str], what: str, device: Any, caller: str
) -> None:
    """Set a feature for each name from the attributes of nodes or edges."""
    for name in names:
        missing = next((i for i, row in enumerate(rows) if name not in row), None)
        if missing is not None:
            raise UnknownKeyError(
                f"{caller}: {what} number {missing} has no attribute {name!r}, and all need "
                f"it; it has {list(rows[missing])}."
            )
        view[name] = _stacked([row[name] for row in rows], what, name, caller).to(device)


def _stacked(values: list, what: str, name: str, caller: str) -> Tensor:
    try:
        if values and isinstance(values[0], Tensor):
            return torch.stack(values)
        if values and isinstance(values[0], np.ndarray):
            return torch.from_numpy(np.stack(values))
        return torch.tensor(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InvalidValueError(
            f"{caller}: {what} attribute {name!r} does not make a tensor ({error}). Every value "
            "must be a number, or an array of numbers of one shape."
        ) from None


def _require_some(frames: list[Frame], names: list[str]) -> None:
    for name in names:
        if not any(name in frame for frame in frames):
            there = sorted({known for frame in frames for known in frame})
            raise UnknownKeyError(
                f"to_networkx: there is no {frames[0].kind} feature {name!r}; there are {there}."
            )


def _rows(frame: Frame, names: list[str], fixed: dict, counted: dict | None = None) -> list[dict]:
    """Return the attribute dict of each node or edge."""
    columns: dict[str, Any] = dict(counted or {})
    columns |= {name: frame[name].detach().cpu().unbind() for name in names if name in frame}
    if not columns:
        return [dict(fixed) for _ in range(frame.num_rows)]
    values = zip(*columns.values(), strict=True)
    return [{**fixed, **dict(zip(columns, row, strict=True))} for row in values]
