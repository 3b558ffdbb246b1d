"""Undirected graphs given as a sparse adjacency matrix in a MATLAB file."""

from __future__ import annotations

from gossamer._optional import optional_import
from gossamer.data._build import both_directions, node_graph
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import corrupt
from gossamer.data.readers._mat import read_mat


def adjacency(raw: RawFolder, file: str, matrix: str) -> Contents:
    """Read both directions of each nonzero entry, each once, sorted by source and target."""
    sparse = optional_import("scipy.sparse", "Reading an adjacency matrix")
    path = raw.path(file)
    (found,) = read_mat(path, (matrix,))
    if not sparse.issparse(found) or found.shape[0] != found.shape[1] or not found.shape[0]:
        raise corrupt(path, f"'{matrix}' is not a square sparse matrix")
    count = found.shape[0]
    row, column = found.nonzero()
    return Contents([node_graph(*both_directions(row, column, count), count, {})])
