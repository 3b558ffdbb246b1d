"""Build tasks from the user's tables: `gossamer train --edges FILE --nodes FILE`."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

import gossamer
from gossamer.cli.build import graph_task, link_task, node_task
from gossamer.cli.catalogued import as_features
from gossamer.cli.columns import encode, fit_columns
from gossamer.cli.config import TrainConfig
from gossamer.cli.labels import given_masks, known_labels, read_labels
from gossamer.cli.splits import random_masks
from gossamer.cli.tables import (
    column_named,
    edge_files,
    load_pandas,
    node_files,
    read_table,
    require_column,
)
from gossamer.cli.targets import Target
from gossamer.cli.task import PARTS, Task
from gossamer.errors import FileError, InvalidValueError, UnknownKeyError
from gossamer.interop import from_edge_table

__all__ = ["OwnGraph", "load_tables", "read_graph"]

_SOURCE = ("source", "src", "src_id", "source_id", "from", "head", "u")
_DESTINATION = ("destination", "dst", "dst_id", "destination_id", "target", "to", "tail", "v")
_NODE = ("id", "node_id", "node", "name")
_GRAPH = ("graph_id", "graph")


@dataclass
class OwnGraph:
    """The content of the tables: a graph, and the tables, ids and features by node type."""

    graph: Any
    frames: dict[str, Any]
    ids: dict[str, np.ndarray]
    feat: dict[str, Tensor]
    columns: dict[str, list[dict[str, Any]]]
    id_columns: dict[str, str]
    unused: list[str] = field(default_factory=list)
    graph_ids: np.ndarray | None = None
    graph_table: Any = None
    sizes: tuple[Tensor, Tensor] | None = None

    def table(self, target: tuple[str, ...]) -> tuple[str, Any]:
        """Return type and table of the nodes with the columns `target`."""
        if self.graph_table is not None:
            return "_graph", self.graph_table
        found = [t for t, frame in self.frames.items() if set(target) <= set(frame.columns)]
        if len(found) != 1:
            where = {t: "" if t == "_N" else f"{t}: " for t in self.frames}
            tables = "; ".join(
                where[t] + ", ".join(map(str, f.columns)) for t, f in self.frames.items()
            )
            if found:
                problem = f"{len(found)} tables of nodes have the column {', '.join(target)}"
            elif tables:
                problem = f"No table of nodes has the column {', '.join(target)}, only {tables}"
            else:
                raise FileError(
                    f"There is no table with the column {', '.join(target)}. Give the table of "
                    "nodes with --nodes."
                )
            raise FileError(f"{problem}. Choose another column with --target.")
        return found[0], self.frames[found[0]]


def load_tables(
    config: TrainConfig,
    device: torch.device,
    columns: dict | None = None,
    trained: Target | None = None,
) -> Task:
    """Read the tables of `config` as a task.

    Parameters
    ----------
    config : TrainConfig
        Uses edges, nodes, graphs, target, task, split and the names of columns.
    device : torch.device
        Device of the tensors.
    columns : dict, optional
        The columns of a trained model. Default: derived from the tables.
    trained : Target, optional
        The target of that model; labels may then be missing.

    Raises
    ------
    FileError
        If a table cannot be read, or lacks a column.
    InvalidValueError
        If there is no target, or labels or splits are invalid.
    UnknownKeyError
        If the table of nodes lacks a node of an edge.
    """
    own = read_graph(config, columns)
    more: dict[str, Any] = {"columns": {"types": own.columns, "vectors": _vectors(own)}}
    name = config.dataset
    if config.task == "links":
        etype = own.graph.canonical_etypes[0]
        return link_task(name, own.graph, own.feat, etype, config, device, **more)
    if not config.target:
        raise InvalidValueError(
            "There is nothing to predict. Choose a column with --target, or give --task links."
        )
    if columns is not None and trained is not None:
        return _to_predict(own, config, device, trained, columns)
    end, frame = own.table(config.target)
    label, target, masks = _split(frame, config, *read_labels(frame, config))
    more["columns"]["end"] = end
    if own.graph_table is not None:
        more["ids"] = own.graph_ids
        return graph_task(name, _apart(own), label, masks, target, config, device, **more)
    more["ids"] = own.ids[end]
    return node_task(name, own.graph, own.feat, end, label, masks, target, config, device, **more)


def _split(frame: Any, config: TrainConfig, label: Tensor, target: Any) -> Any:
    masks = given_masks(frame, config.split)
    known = target.known(label) if isinstance(target, Target) else ~label.isnan().all(1)
    if masks is None:
        masks = random_masks(label if label.dim() == 1 else torch.where(known, 0, -1))
    masks = {part: mask & known[:, None] for part, mask in masks.items()}
    if not isinstance(target, Target):
        target = target(label, masks["train"][:, 0])
    return label, target, masks


def _to_predict(
    own: OwnGraph, config: TrainConfig, device: torch.device, target: Target, columns: dict
) -> Task:
    """Build a task for prediction: all items are in all parts, and labels may be missing."""
    whole, end = own.graph_table is not None, columns["end"]
    ids = own.graph_ids if whole else own.ids.get(end)
    if ids is None:
        raise FileError(f"The tables have no nodes of type '{end}', which the model predicts.")
    frame = own.graph_table if whole else own.frames.get(end)
    if frame is None:
        frame = load_pandas().DataFrame(index=range(len(ids)))
    masks = dict.fromkeys(PARTS, torch.ones(len(ids), 1, dtype=torch.bool))
    label = known_labels(frame, config.target, target)
    common = (label, masks, target, config, device)
    more = {"ids": ids, "columns": {"types": own.columns, "vectors": _vectors(own)}}
    if whole:
        return graph_task(config.dataset, _apart(own), *common, **more)
    return node_task(config.dataset, own.graph, own.feat, end, *common, **more)


def _vectors(own: OwnGraph) -> dict[str, int]:
    """Return a checksum of the ids of each type without features (with trainable vectors)."""
    return {
        ntype: zlib.crc32("\n".join(map(str, ids)).encode())
        for ntype, ids in own.ids.items()
        if ntype not in own.feat and own.graph_table is None
    }


def read_graph(config: TrainConfig, columns: dict | None = None) -> OwnGraph:
    """Read tables of edges and nodes, and of graphs if there is one."""
    if config.graphs:
        return _read_graphs(config, columns)
    edges, unused = {}, []
    for etype, file in edge_files(config.edges).items():
        frame = read_table(file)
        source = config.source or column_named(frame, _SOURCE, 0)
        destination = config.destination or column_named(frame, _DESTINATION, 1)
        require_column(frame, source, file, "--source")
        require_column(frame, destination, file, "--destination")
        if source == destination:
            raise FileError(f"{file} needs two columns, for sources and destinations of edges.")
        unused += [f"{file}: {c}" for c in frame.columns if c not in (source, destination)]
        for end in (source, destination):
            _require_values(frame, end, file)
        frame = frame[[source, destination]]
        edges[etype] = frame.set_axis(["source", "destination"], axis=1)
    frames, id_columns = {}, {}
    for ntype, file in node_files(config.nodes).items():
        frames[ntype] = read_table(file)
        id_columns[ntype] = config.node_id or column_named(frames[ntype], _NODE, 0)
        ids = frames[ntype][require_column(frames[ntype], id_columns[ntype], file, "--node-id")]
        _require_values(frames[ntype], id_columns[ntype], file)
        if ids.duplicated().any():
            again = ids[ids.duplicated()].iloc[0]
            raise FileError(
                f"{file}: the id '{again}' occurs twice in '{ids.name}'. See --node-id."
            )
    ends = {t for src, _, dst in edges for t in (src, dst)}
    for ntype in frames:
        if ntype not in ends:
            raise InvalidValueError(
                f"--nodes has the type '{ntype}', which no table of edges has. They have "
                f"{', '.join(sorted(ends))}. Name types as in --edges user:plays:game=plays.csv."
            )
    ids = _ids(edges, frames, id_columns)
    pandas = load_pandas()
    try:
        graph = from_edge_table(edges, nodes={t: pandas.DataFrame({"id": ids[t]}) for t in ids})
    except UnknownKeyError as error:
        raise _unknown_node(config, edges, ids) or error from None
    graph = _with_reverse(graph) if config.reverse else graph
    feat, found = _features(config, frames, id_columns, columns)
    return OwnGraph(graph, frames, ids, feat, found, id_columns, unused)


def _require_values(frame: Any, column: str, file: str) -> None:
    missing = frame[column].isna().to_numpy()
    if missing.any():
        raise FileError(
            f"{file}: {int(missing.sum()):,} of {len(frame):,} rows have no value in '{column}', "
            f"the first is row {int(missing.argmax()) + 1}. Drop these rows."
        )


def _unknown_node(
    config: TrainConfig, edges: dict, ids: dict[str, np.ndarray]
) -> UnknownKeyError | None:
    """Return the error for the first end of an edge that is not in the table of nodes."""
    node_tables = node_files(config.nodes)
    for etype, file in edge_files(config.edges).items():
        for ntype, column in ((etype[0], "source"), (etype[2], "destination")):
            ends = edges[etype][column]
            unknown = ends[~ends.isin(ids[ntype])]
            if len(unknown):
                others = unknown.nunique() - 1
                more = f", and {others:,} others are not either" if others else ""
                return UnknownKeyError(
                    f"{file}: {column} '{unknown.iloc[0]}' in row {unknown.index[0] + 1} is not in "
                    f"{node_tables[ntype]}{more}. Add the nodes or drop the edges."
                )
    return None


def _ids(edges: dict, frames: dict, id_columns: dict) -> dict[str, np.ndarray]:
    """Return the ids of the nodes of each type, from its table or from the edges.

    Ids that are numbers in one table and text in another are converted to text.
    """
    pandas = load_pandas()
    ids = {}
    for ntype in sorted({t for src, _, dst in edges for t in (src, dst)}):
        sides = [
            (frame, column)
            for (src, _, dst), frame in edges.items()
            for t, column in ((src, "source"), (dst, "destination"))
            if t == ntype
        ]
        own = frames[ntype][id_columns[ntype]] if ntype in frames else None
        all_of = [frame[column] for frame, column in sides] + ([] if own is None else [own])
        if len({pandas.api.types.is_numeric_dtype(values) for values in all_of}) > 1:
            for frame, column in sides:
                frame[column] = frame[column].astype(str)
            own = None if own is None else own.astype(str)
        if own is None:
            joined = pandas.concat([frame[column] for frame, column in sides]).dropna()
            own = joined.drop_duplicates().sort_values()
        ids[ntype] = own.to_numpy()
    return ids


def _with_reverse(graph: Any) -> Any:
    """Add the reverse of each edge, in separate edge types if there are several types.

    Duplicate edges of a homogeneous graph are merged.
    """
    if len(graph.canonical_etypes) == 1 and len(graph.ntypes) == 1:
        return gossamer.to_bidirected(graph)
    edges = {}
    for src, name, dst in graph.canonical_etypes:
        u, v = graph.edges(etype=(src, name, dst), order="eid")
        edges[src, name, dst] = (u, v)
        edges[dst, f"reverse {name}", src] = (v, u)
    return gossamer.heterograph(edges, {t: graph.num_nodes(t) for t in graph.ntypes})


def _features(
    config: TrainConfig, frames: dict, id_columns: dict, given: dict | None
) -> tuple[dict[str, Tensor], dict[str, list]]:
    files = node_files(config.nodes)
    masks = [f"{part}_mask" for part in PARTS]
    out = {*config.target, *config.ignore, config.split or "split", *masks}
    feat, columns = {}, {}
    for ntype, frame in frames.items():
        leave = {*out, id_columns[ntype]} | (set(_GRAPH) if config.graphs else set())
        if given is not None:
            columns[ntype] = given["types"].get(ntype, [])
        else:
            columns[ntype] = fit_columns(frame, tuple(leave))
        rows = encode(frame, columns[ntype], files[ntype])
        if rows is not None:
            feat[ntype] = torch.from_numpy(rows)
    return feat, columns


def _read_graphs(config: TrainConfig, columns: dict | None) -> OwnGraph:
    """Read many graphs; each row of the tables of nodes and edges names its graph."""
    files = [*edge_files(config.edges).values(), *node_files(config.nodes).values()]
    if len(files) != 2 or len(config.nodes) != 1:
        raise InvalidValueError("--graphs needs one table of edges and one of nodes.")
    table = read_table(config.graphs)
    graph_id = column_named(table, (*_GRAPH, *_NODE), 0)
    if table[graph_id].duplicated().any():
        again = table[graph_id][table[graph_id].duplicated()].iloc[0]
        raise FileError(f"{config.graphs}: graph '{again}' occurs twice.")
    (edges, of_edge), (nodes, of_node) = (_by_graph(file, table[graph_id]) for file in files)
    node_id = config.node_id or column_named(nodes, _NODE, 1)
    require_column(nodes, node_id, files[1], "--node-id")
    graph = _joined(config, files, edges, of_edge, nodes[node_id], of_node)
    if config.reverse:
        graph = _with_reverse(graph)
        # Sorted by source, so that the edges of a graph are contiguous.
        of_edge = of_node[graph.edges(order="eid")[0].numpy()]
    frames, id_columns = {"_N": nodes}, {"_N": node_id}
    feat, found = _features(config, frames, id_columns, columns)
    sizes = tuple(
        torch.from_numpy(np.bincount(of, minlength=len(table))) for of in (of_node, of_edge)
    )
    return OwnGraph(
        graph, frames, {"_N": nodes[node_id].to_numpy()}, feat, found, id_columns,
        graph_ids=table[graph_id].to_numpy(), graph_table=table, sizes=sizes,
    )  # fmt: skip


def _by_graph(file: str, graph_ids: Any) -> tuple[Any, np.ndarray]:
    """Read a table; return it sorted by graph, and the graph number of each row."""
    frame = read_table(file)
    column = column_named(frame, (str(graph_ids.name).lower(), *_GRAPH), 0)
    number = load_pandas().Index(graph_ids).get_indexer(frame[column])
    if (number < 0).any():
        row = int(np.flatnonzero(number < 0)[0])
        raise FileError(f"{file}: there is no graph '{frame[column].iloc[row]}'.")
    order = np.argsort(number, kind="stable")
    return frame.iloc[order], number[order]


def _joined(
    config: TrainConfig,
    files: list[str],
    edges: Any,
    of_edge: np.ndarray,
    node_ids: Any,
    of_node: np.ndarray,
) -> Any:
    """Join all graphs into one; node ids are unique only within a graph."""
    index = load_pandas().MultiIndex
    places = index.from_arrays([of_node, node_ids])
    if not places.is_unique:
        raise FileError(f"{files[1]}: a node id occurs twice in one graph.")
    ends = []
    for usual, chosen, position in (
        (_SOURCE, config.source, 1),
        (_DESTINATION, config.destination, 2),
    ):
        column = chosen or column_named(edges, usual, position)
        require_column(edges, column, files[0], f"--{usual[0]}")
        end = places.get_indexer(index.from_arrays([of_edge, edges[column]]))
        if (end < 0).any():
            row = int(np.flatnonzero(end < 0)[0])
            raise FileError(
                f"{files[0]}: '{column}' {edges[column].iloc[row]} is not a node of its graph."
            )
        ends.append(torch.from_numpy(end))
    return gossamer.graph(tuple(ends), num_nodes=len(node_ids))


def _apart(own: OwnGraph) -> list[Any]:
    """Split into the single graphs, with features."""
    graph = own.graph
    graph.ndata["feat"] = own.feat["_N"] if own.feat else as_features(graph.in_degrees())
    return gossamer.unbatch(graph, *own.sizes)
