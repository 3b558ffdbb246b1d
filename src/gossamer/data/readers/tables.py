"""Graphs described by CSV or Parquet tables and a ``meta.yaml``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._meta import Meta, Table, read_meta
from gossamer.data.readers._tables import read_numbers
from gossamer.errors import FileError, InvalidTypeError
from gossamer.graph import Graph, heterograph

Parser = Callable[[Any], Mapping[str, Any]]


@dataclass
class _Nodes:
    """Nodes of one type, sorted by graph and id."""

    graph: np.ndarray
    ids: Any
    features: dict[str, Tensor]


@dataclass
class _Edges:
    """Edges of one type, sorted by graph; ends are positions among all nodes of their types."""

    graph: np.ndarray
    ends: tuple[np.ndarray, np.ndarray]
    features: dict[str, Tensor]


def tables(raw: RawFolder, parsers: dict[str, Parser | Mapping[Any, Parser] | None]) -> Contents:
    """Read all graphs, and the features of graphs from the graph table.

    Nodes are numbered in ascending order of their ids. Columns other than ids become features.
    """
    meta = read_meta(raw.path("meta.yaml"))
    nodes = {
        table.ntype: _nodes(raw, meta, table, _parser(parsers["ndata"], table.ntype))
        for table in meta.node_data
    }
    edges = {
        table.etype: _edges(raw, meta, table, nodes, _parser(parsers["edata"], table.etype))
        for table in meta.edge_data
    }
    graph_ids, labels = _graph_table(raw, meta, nodes, edges, _parser(parsers["gdata"], None))
    graphs = _graphs(nodes, edges, graph_ids)
    return Contents(graphs, labels, {"keys": list(labels)})


def _wrong(path: Path, why: object) -> FileError:
    return FileError(f"{path}: {why}. Correct the file.")


def _parser(parser: Parser | Mapping[Any, Parser] | None, kind: Any) -> Parser:
    """Return the parser for a node or edge type."""
    if isinstance(parser, Mapping):
        parser = parser.get(kind)
    return _default_parser if parser is None else parser


def _default_parser(frame: Any) -> dict[str, np.ndarray]:
    """Convert each column to an array; texts and lists contain the numbers of a vector."""
    found = {}
    for name in frame.columns:
        column = frame[name]
        if str(name).startswith("Unnamed"):
            continue
        if column.dtype.kind in "biuf":
            missing = column.index[column.isna()]
            if len(missing):
                raise FileError(
                    f"line {missing[0] + 2}: '{name}' has no value, and no parser fills it in"
                )
            found[name] = column.to_numpy()
        else:
            found[name] = _vectors(name, list(column))
    return found


def _vectors(name: str, values: list) -> np.ndarray:
    """Convert rows with equally many values, given as text with commas or lists, to an array."""
    if values and not isinstance(values[0], str):
        try:
            return np.stack([np.asarray(value) for value in values])
        except ValueError as error:
            raise FileError(f"column '{name}': {error}") from None
    return read_numbers(values, f"column '{name}'")


def _tensors(path: Path, parser: Parser, frame: Any) -> dict[str, Tensor]:
    try:
        found = parser(frame)
    except FileError as error:
        raise _wrong(path, error) from None
    if not isinstance(found, Mapping):
        raise InvalidTypeError(f"A parser must return a dict, got {type(found).__name__}.")
    tensors = {}
    for name, values in found.items():
        values = np.ascontiguousarray(values)
        if len(values) != len(frame):
            raise _wrong(path, f"'{name}' has {len(values)} values for {len(frame)} rows")
        if values.dtype.kind not in "biuf":
            raise _wrong(path, f"'{name}' holds {values.dtype}, expected numbers")
        if values.dtype.kind == "f":
            values = values.astype(np.float32)
        tensors[name] = torch.tensor(values)
    return tensors


def _read(raw: RawFolder, meta: Meta, file: str) -> tuple[Path, Any]:
    path = raw.path(file)
    pandas = optional_import("pandas", "CSVDataset", "data")
    try:
        if path.suffix == ".parquet":
            optional_import("pyarrow", "Reading a Parquet file")
            return path, pandas.read_parquet(path)
        _check_first_row(path, meta.separator)
        return path, pandas.read_csv(path, sep=meta.separator)
    except (ValueError, OSError) as error:
        raise _wrong(path, " ".join(str(error).split())) from None


def _check_first_row(path: Path, separator: str) -> None:
    """Raise if the first row is longer than the header: pandas would use values as row names."""
    pandas = optional_import("pandas", "CSVDataset", "data")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            pandas.read_csv(path, sep=separator, index_col=False, nrows=1)
    except pandas.errors.ParserWarning:
        raise ValueError("line 2 has more values than line 1 has names") from None


def _column(path: Path, frame: Any, name: str) -> Any:
    if name not in frame.columns:
        columns = ", ".join(map(repr, frame.columns[:10]))
        raise FileError(
            f"{path} has no column '{name}', only {columns}. Rename it, or name it in meta.yaml."
        )
    column = frame[name]
    if column.isna().any():
        line = int(np.flatnonzero(column.isna())[0]) + 2
        raise _wrong(path, f"line {line}: '{name}' is empty")
    return column


def _graph_numbers(path: Path, frame: Any, field: str) -> np.ndarray:
    if field not in frame.columns:
        return np.zeros(len(frame), dtype=np.int64)
    return _column(path, frame, field).to_numpy()


def _nodes(raw: RawFolder, meta: Meta, table: Table, parser: Parser) -> _Nodes:
    pandas = optional_import("pandas", "CSVDataset", "data")
    path, frame = _read(raw, meta, table.file_name)
    graph = _graph_numbers(path, frame, table.graph_id_field)
    ids = _column(path, frame, table.node_id_field)
    order = np.lexsort((pandas.factorize(ids, sort=True)[0], graph))
    graph, ids = graph[order], ids.to_numpy()[order]
    index = _index(graph, ids)
    if not index.is_unique:
        row = int(np.flatnonzero(index.duplicated())[0])
        line = int(order[row]) + 2
        raise _wrong(path, f"line {line}: '{table.node_id_field}' {ids[row]} occurs twice")
    features = _tensors(path, parser, frame.iloc[order].drop(columns=table.id_columns(frame)))
    return _Nodes(graph, index, features)


def _index(graph: np.ndarray, ids: Any) -> Any:
    """Return an index of nodes by id, or by graph and id if there are several graphs."""
    pandas = optional_import("pandas", "CSVDataset", "data")
    if len(graph) and (graph == graph[0]).all():
        return pandas.Index(ids)
    return pandas.MultiIndex.from_arrays([graph, ids])


def _edges(
    raw: RawFolder, meta: Meta, table: Table, nodes: dict[str, _Nodes], parser: Parser
) -> _Edges:
    path, frame = _read(raw, meta, table.file_name)
    graph = _graph_numbers(path, frame, table.graph_id_field)
    order = graph.argsort(kind="stable")
    ends = []
    for ntype, field in (
        (table.etype[0], table.src_id_field),
        (table.etype[2], table.dst_id_field),
    ):
        if ntype not in nodes:
            known = ", ".join(nodes)
            raise FileError(
                f"{path} joins nodes of type '{ntype}', and meta.yaml has only {known}."
            )
        ids = _column(path, frame, field).to_numpy()
        index = nodes[ntype].ids
        # An index of several graphs looks up pairs of graph and id.
        wanted = ids if index.nlevels == 1 else index.from_arrays([graph, ids])
        found = index.get_indexer(wanted)
        if (found < 0).any():
            row = int(np.flatnonzero(found < 0)[0])
            raise _wrong(path, f"line {row + 2}: '{field}' {ids[row]} is no node of '{ntype}'")
        ends.append(found[order].astype(np.int64))
    frame = frame.drop(columns=table.id_columns(frame))
    if (np.diff(graph) < 0).any():
        frame, graph = frame.iloc[order], graph[order]
    return _Edges(graph, tuple(ends), _tensors(path, parser, frame))


def _graph_table(
    raw: RawFolder,
    meta: Meta,
    nodes: dict[str, _Nodes],
    edges: dict[tuple, _Edges],
    parser: Parser,
) -> tuple[np.ndarray, dict[str, Tensor]]:
    """Return the ids of the graphs in ascending order, and the features of the graphs."""
    used = np.unique(np.concatenate([part.graph for part in (*nodes.values(), *edges.values())]))
    if meta.graph_data is None:
        if len(used) > 1:
            raise FileError(
                f"{raw.folder / 'meta.yaml'} has no graph_data, and the tables hold {len(used)} "
                "graphs. Add a table of graphs."
            )
        return used, {}
    table = meta.graph_data
    path, frame = _read(raw, meta, table.file_name)
    ids = _column(path, frame, table.graph_id_field).to_numpy()
    order = ids.argsort(kind="stable")
    ids = ids[order]
    if (ids[1:] == ids[:-1]).any():
        raise _wrong(path, f"graph {ids[1:][ids[1:] == ids[:-1]][0]} occurs twice")
    missing = np.setdiff1d(used, ids)
    if len(missing):
        raise _wrong(path, f"it lacks graph {missing[0]}, which has nodes or edges")
    found = _tensors(path, parser, frame.iloc[order].drop(columns=table.id_columns(frame)))
    # A single number per graph becomes a vector of length 1.
    return ids, {key: v[:, None] if v.dim() == 1 else v for key, v in found.items()}


def _graphs(
    nodes: dict[str, _Nodes], edges: dict[tuple, _Edges], graph_ids: np.ndarray
) -> list[Graph]:
    def bounds(part: _Nodes | _Edges) -> np.ndarray:
        return np.searchsorted(part.graph, [*graph_ids, graph_ids[-1] + 1])

    node_bounds = {ntype: bounds(part) for ntype, part in nodes.items()}
    edge_bounds = {etype: bounds(part) for etype, part in edges.items()}
    graphs = []
    for number in range(len(graph_ids)):
        node_rows = {n: slice(*b[number : number + 2]) for n, b in node_bounds.items()}
        edge_rows = {e: slice(*b[number : number + 2]) for e, b in edge_bounds.items()}
        data = {}
        for etype, rows in edge_rows.items():
            first = (node_rows[etype[0]].start, node_rows[etype[2]].start)
            ends = zip(edges[etype].ends, first, strict=True)
            data[etype] = tuple(torch.tensor(end[rows] - start) for end, start in ends)
        g = heterograph(data, {n: int(rows.stop - rows.start) for n, rows in node_rows.items()})
        for ntype, rows in node_rows.items():
            for key, values in nodes[ntype].features.items():
                g.nodes[ntype].data[key] = values[rows]
        for etype, rows in edge_rows.items():
            for key, values in edges[etype].features.items():
                g.edges[etype].data[key] = values[rows]
        graphs.append(g)
    return graphs
