"""From checked arrays to a graph for node classification."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from gossamer.graph import Graph, graph

MASKS = ("train_mask", "val_mask", "test_mask")


def node_graph(
    source: np.ndarray, target: np.ndarray, num_nodes: int, features: Mapping[str, np.ndarray]
) -> Graph:
    """Graph with the given edges and node features; edge ids follow the order of the arrays."""
    u, v = (torch.from_numpy(np.ascontiguousarray(end, dtype=np.int64)) for end in (source, target))
    g = graph((u, v), num_nodes=num_nodes)
    for name, values in features.items():
        g.ndata[name] = torch.from_numpy(np.ascontiguousarray(values))
    return g


def both_directions(source: np.ndarray, target: np.ndarray, num_nodes: int) -> tuple:
    """Edges and their reverses, each once, sorted by source, then target."""
    forward, backward = source * num_nodes + target, target * num_nodes + source
    keys = np.unique(np.concatenate([forward, backward]))
    return keys // num_nodes, keys % num_nodes


def index_mask(indices: np.ndarray | range, num_nodes: int) -> np.ndarray:
    """Boolean array of length `num_nodes`, true at `indices`."""
    mask = np.zeros(num_nodes, dtype=bool)
    mask[indices] = True
    return mask
