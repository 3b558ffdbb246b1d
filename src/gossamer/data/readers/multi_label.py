"""Graphs with groups of nodes in MATLAB's format."""

from __future__ import annotations

import numpy as np

from gossamer._optional import optional_import
from gossamer.data._build import node_graph
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import corrupt
from gossamer.data.readers._mat import read_mat


def network_and_group(raw: RawFolder, file: str) -> Contents:
    """Read the sparse matrices ``network`` (adjacency) and ``group`` (nodes x labels)."""
    sparse = optional_import("scipy.sparse", "Reading a MATLAB file")
    path = raw.path(file)
    network, group = (sparse.coo_matrix(matrix) for matrix in read_mat(path, ("network", "group")))
    count = network.shape[0]
    if network.shape != (count, count) or group.shape[0] != count:
        raise corrupt(path, f"'network' is {network.shape} and 'group' {group.shape}")
    label = np.zeros(group.shape, dtype=np.float32)
    label[group.row, group.col] = 1
    order = np.lexsort((network.col, network.row))
    g = node_graph(network.row[order], network.col[order], count, {"label": label})
    return Contents([g], info={"num_classes": group.shape[1]})
