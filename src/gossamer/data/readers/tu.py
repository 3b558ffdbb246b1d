"""The text files of the TU collection of graph kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gossamer.data._build import GraphPieces, graph_pieces
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import corrupt
from gossamer.data.readers._tables import check_ids, read_table


def tu(raw: RawFolder, name: str) -> Contents:
    """Read classes, numbered from 0, and node and edge labels and attributes, if any."""
    indicator = _graph_of_node(raw, name)
    source, target = _edges(raw, name, len(indicator))
    ndata, edata = {}, {}
    for data, count, labels, attributes, keys in (
        (ndata, len(indicator), "node_labels", "node_attributes", ("node_labels", "node_attr")),
        (edata, len(source), "edge_labels", "edge_attributes", ("edge_labels", "edge_attr")),
    ):
        if raw.has(_file(name, labels)):
            data[keys[0]] = _numbered(_rows(raw, name, labels, count, 1, np.int64))
        if raw.has(_file(name, attributes)):
            data[keys[1]] = _rows(raw, name, attributes, count, None, np.float64)
    if "edge_attr" in edata:
        # The name of the edge attributes in DGL 2.1.0.
        edata["node_labels"] = edata["edge_attr"]
    label, num_classes = _classes(raw, name, indicator)
    graphs = _pieces(raw, name, indicator, source, target, ndata, edata)
    return Contents(graphs, {"label": label}, {"num_classes": num_classes, **_largest(indicator)})


def tu_legacy(raw: RawFolder, name: str, hidden_size: int, max_allow_node: int | None) -> Contents:
    """Read graphs with one feature ``feat``: attributes, one-hot labels or `hidden_size` ones."""
    indicator = _graph_of_node(raw, name)
    count = len(indicator)
    source, target = _edges(raw, name, count)
    if raw.has(_file(name, "node_attributes")):
        mode = "node_attr"
        feat = _rows(raw, name, "node_attributes", count, None, np.float64).astype(np.float32)
    elif raw.has(_file(name, "node_labels")):
        mode = "node_label"
        value = _rows(raw, name, "node_labels", count, 1, np.int64)[:, 0]
        feat = np.eye(int(value.max() - value.min()) + 1, dtype=np.float32)[value - value.min()]
    else:
        mode = "constant"
        feat = np.ones((count, hidden_size), dtype=np.float32)
    path = raw.path(_file(name, "graph_labels"))
    label = _graph_labels(raw, name, indicator)
    label = torch.from_numpy(label - label.min())
    graphs = _pieces(raw, name, indicator, source, target, {"feat": feat}, {})
    if max_allow_node is not None:
        sizes = np.bincount(indicator)
        kept = np.flatnonzero(sizes <= max_allow_node).tolist()
        if not kept:
            raise corrupt(path, f"no graph has at most {max_allow_node} nodes")
        graphs, label = [graphs[number] for number in kept], label[kept]
        indicator = indicator[np.isin(indicator, kept)]
    info = {"num_classes": int(label.max()) + 1, "data_mode": mode, **_largest(indicator)}
    return Contents(graphs, {"label": label}, info)


def _file(name: str, part: str) -> str:
    return f"{name}_{part}.txt"


def _largest(indicator: np.ndarray) -> dict[str, int]:
    return {"max_num_node": int(np.unique(indicator, return_counts=True)[1].max())}


def _rows(
    raw: RawFolder, name: str, part: str, count: int, columns: int | None, dtype: type
) -> np.ndarray:
    path = raw.path(_file(name, part))
    table = read_table(path, columns, dtype)
    if len(table) != count:
        raise corrupt(path, f"it has {len(table)} rows, expected {count}")
    if not np.isfinite(table).all():
        line = int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0]) + 1
        raise corrupt(path, f"line {line} holds a value that is not finite")
    return table


def _graph_of_node(raw: RawFolder, name: str) -> np.ndarray:
    """Return the graph of each node, from 0; the nodes of a graph are contiguous in the file."""
    path = raw.path(_file(name, "graph_indicator"))
    indicator = read_table(path, 1)[:, 0] - 1
    steps = np.diff(indicator, prepend=0)
    bad = np.flatnonzero((steps < 0) | (steps > 1))
    if not len(indicator) or len(bad):
        line = int(bad[0]) + 1 if len(bad) else 1
        raise corrupt(path, f"line {line}: graph numbers do not count up from 1")
    return indicator


def _edges(raw: RawFolder, name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    path = raw.path(_file(name, "A"))
    pairs = read_table(path, 2) - 1
    check_ids(path, pairs, count, "node (counted from 0)")
    return pairs[:, 0], pairs[:, 1]


def _graph_labels(raw: RawFolder, name: str, indicator: np.ndarray) -> np.ndarray:
    return _rows(raw, name, "graph_labels", int(indicator[-1]) + 1, 1, np.int64)[:, 0]


def _classes(raw: RawFolder, name: str, indicator: np.ndarray) -> tuple[torch.Tensor, int]:
    """Return classes, (graphs, 1), numbered in ascending order of their labels."""
    values, label = np.unique(_graph_labels(raw, name, indicator), return_inverse=True)
    return torch.from_numpy(label.reshape(-1, 1)), len(values)


def _numbered(labels: np.ndarray) -> np.ndarray:
    """Subtract the smallest label from all labels."""
    return labels - labels.min() if labels.size else labels


def _pieces(
    raw: RawFolder,
    name: str,
    indicator: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    ndata: dict[str, np.ndarray],
    edata: dict[str, np.ndarray],
) -> GraphPieces:
    path: Path = raw.path(_file(name, "A"))
    owner = indicator[source]
    across = np.flatnonzero(owner != indicator[target])
    if len(across):
        raise corrupt(path, f"line {across[0] + 1}: the edge joins two graphs")
    # Edges are sorted by source, and so by graph.
    order = source.argsort(kind="stable")
    source, target, owner = source[order], target[order], owner[order]
    edata = {key: values[order] for key, values in edata.items()}
    num_graphs = int(indicator[-1]) + 1
    return graph_pieces(
        source,
        target,
        np.bincount(indicator, minlength=num_graphs),
        np.bincount(owner, minlength=num_graphs),
        ndata,
        edata,
    )
