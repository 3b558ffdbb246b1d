"""Building graphs from checked arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from gossamer.graph import Graph, graph

MASKS = ("train_mask", "val_mask", "test_mask")


def node_graph(
    source: np.ndarray, target: np.ndarray, num_nodes: int, features: Mapping[str, np.ndarray]
) -> Graph:
    """Build a graph with these edges and node features; edge ids follow the array order."""
    u, v = (torch.from_numpy(np.ascontiguousarray(end, dtype=np.int64)) for end in (source, target))
    g = graph((u, v), num_nodes=num_nodes)
    for name, values in features.items():
        g.ndata[name] = torch.from_numpy(np.ascontiguousarray(values))
    return g


def both_directions(source: np.ndarray, target: np.ndarray, num_nodes: int) -> tuple:
    """Return edges and their reverses, each once, sorted by source, then target."""
    forward, backward = source * num_nodes + target, target * num_nodes + source
    keys = np.unique(np.concatenate([forward, backward]))
    return keys // num_nodes, keys % num_nodes


def index_mask(indices: np.ndarray | range, num_nodes: int) -> np.ndarray:
    """Return a boolean array of length `num_nodes` that is True at `indices`."""
    mask = np.zeros(num_nodes, dtype=bool)
    mask[indices] = True
    return mask


class GraphPieces(Sequence):
    """The graphs of a batch of homogeneous graphs, each built when it is first requested.

    Building a list of ten thousand graphs takes a second; with the batch, this time is saved.

    Parameters
    ----------
    batch : Graph
        A graph with `batch_num_nodes` and `batch_num_edges`.
    """

    def __init__(self, batch: Graph) -> None:
        self.batch = batch
        self._nodes = [0, *batch.batch_num_nodes().cumsum(0).tolist()]
        self._edges = [0, *batch.batch_num_edges().cumsum(0).tolist()]
        self._ends = batch.edges(order="eid")
        self._made: dict[int, Graph] = {}

    def __len__(self) -> int:
        return len(self._nodes) - 1

    def __getitem__(self, idx: int) -> Graph:
        """Return graph `idx`, the same object each time."""
        number = range(len(self))[idx]
        if number not in self._made:
            self._made[number] = self._build(number)
        return self._made[number]

    def _build(self, number: int) -> Graph:
        first, last = self._nodes[number : number + 2]
        edges = slice(*self._edges[number : number + 2])
        u, v = (end[edges] - first for end in self._ends)
        g = graph((u, v), num_nodes=last - first)
        for name, values in self.batch.ndata.items():
            g.ndata[name] = values[first:last]
        for name, values in self.batch.edata.items():
            g.edata[name] = values[edges]
        return g


def graph_pieces(
    source: np.ndarray,
    target: np.ndarray,
    num_nodes: np.ndarray,
    num_edges: np.ndarray,
    ndata: Mapping[str, np.ndarray],
    edata: Mapping[str, np.ndarray],
) -> GraphPieces:
    """Build graphs from concatenated arrays; endpoints are numbered over all graphs."""
    batch = node_graph(source, target, int(num_nodes.sum()), ndata)
    for name, values in edata.items():
        batch.edata[name] = torch.from_numpy(np.ascontiguousarray(values))
    for setter, sizes in (
        (batch.set_batch_num_nodes, num_nodes),
        (batch.set_batch_num_edges, num_edges),
    ):
        setter(torch.from_numpy(sizes.astype(np.int64)))
    return GraphPieces(batch)
