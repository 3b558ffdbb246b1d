"""The text format of graph-classification papers (DGCNN, GIN): one block of lines per graph."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from gossamer.data._build import graph_pieces
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import corrupt
from gossamer.data.readers._tables import check_ids, read_table, read_text


class _Nodes(NamedTuple):
    """All nodes: tag, neighbors (numbered within their graph), further attributes."""

    tags: list[int]
    degrees: list[int]
    neighbors: list[int]
    attributes: list[list[str]]


def dgcnn(raw: RawFolder, name: str, self_loop: bool, degree_as_nlabel: bool) -> Contents:
    """Read ``<name>.txt``. Tags and classes are numbered in the order of their first occurrence.

    ``label`` is the number of the tag, or the degree; ``attr`` is the same in one-hot form, or the
    attributes in the file. Each graph has the number of its fold.
    """
    path = raw.path(f"{name}.txt")
    sizes, classes, nodes = _parse(path)
    num_nodes = np.array(sizes)
    degrees, target = np.array(nodes.degrees), np.array(nodes.neighbors, dtype=np.int64)
    source = np.repeat(np.arange(len(degrees)), degrees)
    target = target + np.repeat(num_nodes.cumsum() - num_nodes, num_nodes)[source]
    if self_loop:
        # The loop of a node comes after its other edges.
        loops = np.arange(len(degrees))
        source, target = np.concatenate([source, loops]), np.concatenate([target, loops])
        order = source.argsort(kind="stable")
        source, target = source[order], target[order]
    tags, num_tags = _numbered(nodes.tags)
    has_tags = num_tags > 1
    attr = _attributes(path, nodes.attributes)
    label = tags
    if degree_as_nlabel or (not has_tags and attr is None):
        label = np.bincount(target, minlength=len(degrees))
        values, position = np.unique(label, return_inverse=True)
        attr = np.eye(len(values), dtype=np.float32)[position]
    elif attr is None:
        attr = np.eye(num_tags, dtype=np.float32)[_columns(nodes.tags, tags)]
    graph_of_node = np.repeat(np.arange(len(sizes)), sizes)
    graphs = graph_pieces(
        source,
        target,
        num_nodes,
        np.bincount(graph_of_node[source], minlength=len(sizes)),
        {"label": label, "attr": attr},
        {},
    )
    numbers, num_classes = _numbered(classes)
    info = {"num_classes": num_classes, "num_tags": num_tags, "n": len(degrees), "m": len(source)}
    labels = {"label": numbers, "fold": _folds(raw, len(sizes))}
    return Contents(graphs, {key: torch.from_numpy(row) for key, row in labels.items()}, info)


def _folds(raw: RawFolder, count: int) -> np.ndarray:
    """Return the fold (of ten) that tests each graph, -1 for none, from ``10fold_idx``."""
    fold = np.full(count, -1)
    for number in range(10):
        name = f"10fold_idx/test_idx-{number + 1}.txt"
        if raw.has(name):
            path = raw.path(name)
            graphs = read_table(path, 1)[:, 0]
            check_ids(path, graphs, count, "graph")
            fold[graphs] = number
    return fold


def _parse(path: Path) -> tuple[list[int], list[int], _Nodes]:
    lines = read_text(path).splitlines()
    sizes, classes, nodes, line = [], [], _Nodes([], [], [], []), 0

    def take(count: int | None) -> list[str]:
        nonlocal line
        if line == len(lines):
            raise corrupt(path, f"it ends after line {line}, in the middle of a graph")
        words = lines[line].split()
        line += 1
        if count is not None and len(words) != count:
            raise corrupt(path, f"line {line}: expected {count} numbers, got {len(words)}")
        return words

    try:
        for _ in range(int(take(1)[0])):
            size, number = (int(word) for word in take(2))
            sizes.append(size)
            classes.append(number)
            for _ in range(size):
                words = take(None)
                tag, degree = int(words[0]), int(words[1])
                neighbors = [int(word) for word in words[2 : 2 + degree]]
                if len(neighbors) != degree or degree < 0:
                    raise corrupt(path, f"line {line}: expected {degree} neighbors")
                if neighbors and not 0 <= min(neighbors) <= max(neighbors) < size:
                    raise corrupt(path, f"line {line}: a neighbor is not in 0 ... {size - 1}")
                nodes.tags.append(tag)
                nodes.degrees.append(degree)
                nodes.neighbors.extend(neighbors)
                nodes.attributes.append(words[2 + degree :])
    except (ValueError, IndexError):
        raise corrupt(path, f"line {line}: expected integers") from None
    return sizes, classes, nodes


def _attributes(path: Path, rows: list[list[str]]) -> np.ndarray | None:
    width = len(rows[0]) if rows else 0
    if {len(row) for row in rows} - {width}:
        raise corrupt(path, f"some nodes have {width} attributes, others not")
    try:
        return np.array(rows, dtype=np.float32) if width else None
    except ValueError as error:
        raise corrupt(path, error) from None


def _columns(tags: list[int], numbers: np.ndarray) -> np.ndarray:
    """Return the column of each node in the one-hot form: its number, unless tags are 0 ... T-1.

    In that case, it is the number of the tag that equals the node's number, as in DGL 2.1.0.
    """
    number = dict(zip(tags, numbers.tolist(), strict=True))
    if set(number) != set(number.values()):
        return numbers
    return np.array([number[value] for value in range(len(number))])[numbers]


def _numbered(values: list[int]) -> tuple[np.ndarray, int]:
    """Number values 0, 1, 2 ... in the order of first occurrence; also return their count."""
    number = {value: n for n, value in enumerate(dict.fromkeys(values))}
    return np.array([number[value] for value in values], dtype=np.int64), len(number)
