"""Conversion from and to tables of edges: pandas data frames and Arrow tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError, UnknownKeyError
from gossamer.graph import NID, Graph, graph, heterograph
from gossamer.graph.arguments import feature_names, require_graph
from gossamer.graph.schema import DEFAULT_ETYPE, DEFAULT_NTYPE, CanonicalEType
from gossamer.interop._node_ids import LARGEST, distinct, numbered

__all__ = ["from_edge_table", "to_edge_table"]


def from_edge_table(
    edges: Any,
    source: str = "source",
    destination: str = "destination",
    edge_type: str | None = None,
    nodes: Any = None,
    node_id: str = "id",
    features: Iterable[str] | None = None,
    relabel: bool = False,
    idtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Graph | tuple[Graph, dict[str, np.ndarray]]:
    """Make a graph from a table with one row per edge.

    Parameters
    ----------
    edges : pandas.DataFrame, pyarrow.Table, or dict
        Columns for sources, destinations and features. A dict from canonical edge type to table
        gives a graph with these types.
    source, destination : str
        Columns with node ids: integers ``0 ... N - 1``, or anything that can be sorted if `relabel`
        or `nodes` is given.
    edge_type : str, optional
        Column with the relation of each edge, as in a table of triples: one edge type per relation,
        all between nodes of one type.
    nodes : pandas.DataFrame, pyarrow.Table, or dict from node type to either, optional
        One row per node: its id is in column `node_id`, other columns are features. Node ``i`` is
        row ``i``.
    node_id : str
        See `nodes`.
    features : iterable of str, optional
        Columns to convert to edge features: numbers, bools, or lists of numbers of one length.
        Default: all other columns.
    relabel : bool
        Whether to number the occurring ids in sorted order, and to return these ids.
    idtype : torch.dtype, optional
        torch.int32 or torch.int64. Default: torch.int64.
    device : torch.device or str, optional
        Default: the CPU.

    Returns
    -------
    Graph, or (Graph, dict of str to numpy.ndarray)
        With `relabel`, the former ids of each node type, indexed by new id. Integers less than
        2**63 are also in feature ``gossamer.NID``.

    Raises
    ------
    InvalidTypeError
        If an argument is not a table, node ids are not integers, a column is not numeric, or
        integer ids of more than 53 bits are mixed with floating-point ids.
    InvalidValueError
        If a value is missing, ids in `nodes` repeat, or `nodes` and `relabel` are both given.
    UnknownKeyError
        If a column or a node type does not exist, or an edge names a node that is not in `nodes`.
    OutOfRangeError
        If a node id is negative, or does not fit int64.

    Examples
    --------
    >>> import gossamer as gs, pandas
    >>> table = pandas.DataFrame(
    ...     {"source": ["ann", "bob"], "destination": ["bob", "cid"], "w": [0.5, 2.0]}
    ... )
    >>> g, ids = gs.interop.from_edge_table(table, relabel=True)
    >>> g.edges(), g.edata["w"]
    ((tensor([0, 1]), tensor([1, 2])), tensor([0.5000, 2.0000], dtype=torch.float64))
    >>> ids["_N"].tolist()
    ['ann', 'bob', 'cid']
    """
    if relabel and nodes is not None:
        raise InvalidValueError(
            "from_edge_table: the table of nodes already numbers the nodes. Omit relabel."
        )
    tables = _by_type(edges, edge_type)
    names = None if features is None else feature_names(features, "from_edge_table: features")
    drop = {source, destination, edge_type}
    ends, data = {}, {}
    for etype, table in tables.items():
        ends[etype] = [_column(table, source), _column(table, destination)]
        wanted = [name for name in _columns(table) if name not in drop] if names is None else names
        data[etype] = {name: _feature(table, name) for name in wanted}
    ntypes = sorted({end for src, _, dst in tables for end in (src, dst)})
    node_tables = _node_tables(nodes, ntypes)
    ids: dict[str, np.ndarray] = {}
    if relabel or nodes is not None:
        for ntype in ntypes:
            ids[ntype] = _node_ids(ntype, ends, node_tables.get(ntype), node_id)
        for (src, _, dst), pair in ends.items():
            pair[:] = [numbered(ids[t], end, t) for t, end in zip((src, dst), pair, strict=True)]
    g = _build(ends, {ntype: len(known) for ntype, known in ids.items()}, idtype, device)
    for etype, columns in data.items():
        for name, column in columns.items():
            g.edges[etype].data[name] = column.to(g.device)
    for ntype, table in node_tables.items():
        for name in _columns(table):
            if name != node_id:
                g.nodes[ntype].data[name] = _feature(table, name).to(g.device)
    if not relabel:
        return g
    for ntype, known in ids.items():
        if known.dtype.kind in "iu" and int(known.max(initial=0)) <= LARGEST:
            known_ids = torch.from_numpy(known.astype(np.int64))
            g.nodes[ntype].data[NID] = known_ids.to(g.device)
    return g, ids


def to_edge_table(
    g: Graph,
    source: str = "source",
    destination: str = "destination",
    etype: str | CanonicalEType | None = None,
    features: Iterable[str] | None = None,
    library: str = "pandas",
) -> Any:
    """Convert edges to a table with one row per edge, in the order of ids.

    Parameters
    ----------
    g : Graph
        Any graph.
    source, destination : str
        Names of the columns of sources and destinations.
    etype : str or (str, str, str), optional
        Edge type. Default: all, as a dict if there are several.
    features : iterable of str, optional
        Edge features to convert to columns; a feature with several values per row becomes a column
        of lists. Default: all.
    library : {"pandas", "pyarrow"}
        Type of the table: ``pandas.DataFrame`` or ``pyarrow.Table``.

    Returns
    -------
    DataFrame or Table, or dict from canonical edge type to these

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph.
    InvalidValueError
        If `library` is unknown, or a feature has the name of the source or destination column.
    UnknownKeyError
        If the edge type or a feature does not exist.
    MissingExtraError
        If the library is not installed.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1], [1, 2]))
    >>> g.edata["w"] = torch.tensor([3, 4])
    >>> gs.interop.to_edge_table(g)
       source  destination  w
    0       0            1  3
    1       1            2  4
    """
    require_graph(g, "to_edge_table")
    if library not in ("pandas", "pyarrow"):
        raise InvalidValueError(f"library is 'pandas' or 'pyarrow', got {library!r}.")
    make = optional_import(library, "gossamer.interop.to_edge_table")
    make = make.DataFrame if library == "pandas" else make.table
    names = None if features is None else feature_names(features, "to_edge_table: features")
    if etype is None and len(g.canonical_etypes) > 1:
        etypes = g.canonical_etypes
        return {e: make(_edge_columns(g, e, source, destination, names)) for e in etypes}
    return make(_edge_columns(g, g.to_canonical_etype(etype), source, destination, names))


def _edge_columns(
    g: Graph, etype: CanonicalEType, source: str, destination: str, names: list[str] | None
) -> dict[str, Any]:
    u, v = g.edges(etype=etype)
    columns: dict[str, Any] = {source: u.cpu().numpy(), destination: v.cpu().numpy()}
    frame = g.edges[etype].data
    for name in frame if names is None else names:
        if name in columns:
            raise InvalidValueError(
                f"to_edge_table: {name!r} is an edge feature and an end column. Choose "
                "other column names with source and destination."
            )
        value = frame[name].detach().cpu()
        if value.dtype == torch.bfloat16:  # which NumPy does not have
            value = value.float()
        columns[name] = value.numpy() if value.dim() == 1 else value.tolist()
    return columns


# --- tables: a pandas.DataFrame or a pyarrow.Table ------------------------------------------------


def _require_table(table: Any, what: str) -> None:
    kind = type(table).__module__.partition(".")[0]
    if kind not in ("pandas", "pyarrow") or not hasattr(table, "columns"):
        raise InvalidTypeError(
            f"from_edge_table: {what} must be a pandas.DataFrame or a pyarrow.Table, got "
            f"{type(table).__name__}."
        )


def _columns(table: Any) -> list[str]:
    return list(getattr(table, "column_names", None) or table.columns)


def _column(table: Any, name: str) -> np.ndarray:
    """Return a column; raise if values are missing."""
    if name not in _columns(table):
        raise UnknownKeyError(
            f"from_edge_table: there is no column {name!r}; there are {_columns(table)}."
        )
    column = table[name]
    if hasattr(column, "null_count"):
        missing, values = column.null_count > 0, column.to_numpy()
    else:
        missing, values = column.isna().any() and column.dtype.kind != "f", column.to_numpy()
    if missing:
        raise InvalidValueError(
            f"from_edge_table: column {name!r} has missing values. Fill them or drop the rows."
        )
    # pandas returns its nullable numeric types as objects.
    plain = getattr(column.dtype, "numpy_dtype", None) if hasattr(column, "dtype") else None
    return values.astype(plain) if plain is not None else values


def _feature(table: Any, name: str) -> Tensor:
    values = _column(table, name)
    if values.dtype == object:
        try:
            values = np.asarray([np.asarray(value) for value in values])
        except ValueError:
            raise InvalidValueError(
                f"from_edge_table: the lists in column {name!r} have different lengths. "
                "Pad them, or drop the column."
            ) from None
    if values.dtype.kind not in "biuf":
        raise InvalidTypeError(
            f"from_edge_table: column {name!r} is {values.dtype}, not numeric, so it "
            "cannot be a feature. Drop it from the table, or list the other columns in features."
        )
    return torch.from_numpy(np.array(values))


def _by_type(edges: Any, edge_type: str | None) -> dict[CanonicalEType, Any]:
    """Return the tables by canonical edge type."""
    if isinstance(edges, Mapping):
        if edge_type is not None or not edges:
            raise InvalidValueError(
                "from_edge_table: a dict from edge type to table must not be empty, and "
                f"edge_type must be None; got {list(edges)} and {edge_type!r}."
            )
        for etype, table in edges.items():
            if not isinstance(etype, tuple) or len(etype) != 3:
                raise InvalidTypeError(
                    "from_edge_table: an edge type is (source type, relation, destination type), "
                    f"got {etype!r}."
                )
            _require_table(table, f"the table of {etype}")
        return dict(edges)
    _require_table(edges, "edges")
    if edge_type is None:
        return {(DEFAULT_NTYPE, DEFAULT_ETYPE, DEFAULT_NTYPE): edges}
    relations, numbers = np.unique(_column(edges, edge_type).astype(str), return_inverse=True)
    if not len(relations):
        raise InvalidValueError(
            "from_edge_table: the table is empty, so the edge types are unknown."
        )
    take = edges.take if hasattr(edges, "column_names") else edges.iloc.__getitem__
    return {
        (DEFAULT_NTYPE, str(relation), DEFAULT_NTYPE): take(np.flatnonzero(numbers == i))
        for i, relation in enumerate(relations)
    }


def _node_tables(nodes: Any, ntypes: list[str]) -> dict[str, Any]:
    if nodes is None:
        return {}
    if not isinstance(nodes, Mapping):
        if len(ntypes) > 1:
            raise InvalidTypeError(
                f"from_edge_table: there are several node types, {ntypes}, so nodes must be a dict "
                "from node type to table."
            )
        nodes = {ntypes[0]: nodes}
    if set(nodes) != set(ntypes):
        raise UnknownKeyError(
            f"from_edge_table: nodes has tables for {list(nodes)}, the node types are {ntypes}."
        )
    for ntype, table in nodes.items():
        _require_table(table, f"the table of nodes {ntype!r}")
    return dict(nodes)


# --- numbers for nodes ----------------------------------------------------------------------------


def _node_ids(ntype: str, ends: Mapping[Any, Sequence], table: Any, node_id: str) -> np.ndarray:
    """Return the former ids of the nodes of one type, in the order of `table` or sorted."""
    if table is not None:
        ids = _column(table, node_id)
        if len(set(ids.tolist())) < len(ids):
            raise InvalidValueError(
                f"from_edge_table: ids of nodes {ntype!r} repeat in column {node_id!r}."
            )
        return ids
    parts = []
    for (src, _, dst), pair in ends.items():
        parts += [end for end, owner in zip(pair, (src, dst), strict=True) if owner == ntype]
    return distinct(parts)


def _build(
    ends: Mapping[CanonicalEType, Sequence], counts: dict[str, int], idtype: Any, device: Any
) -> Graph:
    for pair in ends.values():
        for ids in pair:
            if len(ids) and ids.dtype.kind not in "iu":
                raise InvalidTypeError(
                    f"from_edge_table: node ids are non-negative integers, got {ids.dtype}. Pass "
                    "relabel=True to number other ids, or a table of nodes."
                )
            if ids.dtype.kind == "u" and int(ids.max(initial=0)) > LARGEST:
                raise OutOfRangeError(
                    f"from_edge_table: node id {ids.max()} does not fit int64. Pass relabel=True "
                    "to number the ids, or a table of nodes."
                )
    pairs = {
        etype: tuple(torch.from_numpy(ids.astype(np.int64)) for ids in pair)
        for etype, pair in ends.items()
    }
    if list(pairs) == [(DEFAULT_NTYPE, DEFAULT_ETYPE, DEFAULT_NTYPE)]:
        (pair,) = pairs.values()
        return graph(pair, num_nodes=counts.get(DEFAULT_NTYPE), idtype=idtype, device=device)
    return heterograph(pairs, counts or None, idtype=idtype, device=device)
