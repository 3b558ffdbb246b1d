"""Read the first format of DGL's graph files, which DGL 0.4 wrote.

The layout was determined from files that DGL 2.1.0 reads. Everything is little-endian; see
`dgl_archive` for text, array and features::

    file      u64 magic, u64 version 1, u64 kind 1 (homogeneous), anything up to byte 4096,
              u64 number of graphs, u64 n and n u64 positions of graphs,
              u64 n and n u64 numbers of nodes, u64 n and n u64 numbers of edges,
              u64 number of labels, labels (text, array), graphs
    graph     arrays indptr, indices, edge ids (rows are destinations),
              u64 number of node features, node features (text, array),
              u64 number of edge features, edge features (text, array)

Invalid content raises ValueError.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from torch import Tensor

from gossamer.graph.graph import Graph
from gossamer.graph.io.checks import assemble, check_compressed
from gossamer.graph.io.dgl_stream import ID_TYPES, MAGIC, START, Stream, check_size, features
from gossamer.graph.schema import Schema
from gossamer.ops.adjacency import FORMATS, Compressed

__all__ = ["FirstArchive"]


class FirstArchive:
    """The graphs and labels of a file.

    Parameters
    ----------
    file : binary file
        An open file, which must stay open while graphs are read. Only the bytes of these graphs are
        read.
    """

    def __init__(self, file: BinaryIO) -> None:
        end = os.fstat(file.fileno()).st_size
        header = Stream(file, len(MAGIC), end)
        version, kind = header.u64(), header.u64()
        if (version, kind) != (1, 1):
            raise ValueError(f"there is no reader for version {version} and kind {kind}")
        stream = Stream(file, START, end)
        count = stream.u64()
        tables = [stream.many(stream.u64) for _ in range(3)]
        if any(len(table) != count for table in tables):
            raise ValueError(f"{count} graphs have {[len(table) for table in tables]} entries")
        self._entries = list(zip(*tables, strict=True))
        self._labels = stream

    def __len__(self) -> int:
        return len(self._entries)

    def labels(self) -> dict[str, Tensor]:
        """The labels by name."""
        return Stream(self._labels.file, self._labels.position, self._labels.end).arrays()

    def graphs(self, wanted: Sequence[int] | None) -> list[Graph]:
        """The graphs with the numbers `wanted`, in that order. None: all of them."""
        numbers = range(len(self)) if wanted is None else wanted
        return [self._graph(*self._entries[number]) for number in numbers]

    def _graph(self, position: int, num_nodes: int, num_edges: int) -> Graph:
        stream = Stream(self._labels.file, position, self._labels.end)
        indptr, indices, eids = (stream.array() for _ in range(3))
        nodes, edges = stream.arrays(), stream.arrays()
        check_size(num_nodes)
        if any(t.dim() != 1 or t.dtype not in ID_TYPES for t in (indptr, indices, eids)):
            raise ValueError("the edges are not one-dimensional arrays of integers")
        sizes = len(indptr), len(indices), len(eids)
        if sizes != (num_nodes + 1, num_edges, num_edges):
            raise ValueError(f"{num_nodes} nodes and {num_edges} edges have arrays of {sizes}")
        bounds = np.array([num_nodes]), np.array([num_edges])
        check_compressed([indptr], [indices], [eids], *bounds)
        in_edges = Compressed(indptr, indices, eids)
        adjacency = assemble(num_nodes, num_nodes, indices.dtype, FORMATS, {"csc": in_edges})
        return Graph.from_parts(
            Schema.homogeneous(),
            [adjacency],
            [features(num_nodes, nodes, "node")],
            [features(num_edges, edges, "edge")],
        )
