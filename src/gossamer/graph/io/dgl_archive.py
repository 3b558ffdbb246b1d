"""Read graphs written by ``save_graphs`` of DGL 2.1.0.

The layout was determined from files that it writes. Everything is little-endian::

    file      u64 magic, u64 version 2, u64 kind 2 (heterogeneous), u64 number of graphs,
              anything up to byte 4096,
              u64 position of the first graph, u64 number of labels, labels (text, array),
              graphs,
              u64 size of the index, index (u64 number of graphs, u64 position of each), u64 size
    graph     u64 magic, types, u64 number of relations, relations,
              u64 n and n u64 numbers of nodes, node frames, edge frames,
              u64 n and n texts (node types), u64 n and n texts (relation names)
    types     u64 magic, CSR of the graph whose nodes are node types and whose edges are relations
    relation  u64 magic, u64 formats stored, u64 formats allowed (1 COO, 2 CSR, 4 CSC; bit 32 set),
              for each stored one, in this order: types, COO or CSR
    COO       u64 magic, u64 columns, u64 rows, arrays row, column, edge ids, 2 flags of a byte
    CSR       u64 magic, u64 columns, u64 rows, arrays indptr, indices, edge ids, 1 flag of a byte
              (CSC is the CSR of the reverse; empty edge ids are 0, 1, 2 ...)
    frames    u64 number of types, for each u64 number of features, features (text, array)
    text      u64 length, UTF-8
    array     u64 magic, u64 0, i32 device type, i32 device number, i32 dimensions,
              u8 kind of number, u8 bits, u16 lanes 1, i64 shape, i64 bytes, content

Every size in a file is compared with the number of remaining bytes. Invalid content raises
ValueError.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from gossamer.graph.graph import Graph
from gossamer.graph.io.checks import Kept, assemble, check_compressed, check_ids
from gossamer.graph.io.dgl_stream import ID_TYPES, MAGIC, START, Stream, check_size, features
from gossamer.graph.schema import Schema
from gossamer.ops.adjacency import FORMATS, Adjacency, Compressed

__all__ = ["DGLArchive"]

_GRAPH = 0xDD589FBE35224ABF
_TYPES = 0xDD3C5FFE20046ABF
_RELATION = 0xDD2E60F0F6B4A127
_COO = 0xDD61FFD305DFF127
_CSR = 0xDD6CD31205DFF127


class DGLArchive:
    """The graphs and labels of a file.

    Parameters
    ----------
    file : binary file
        An open file, which must stay open while graphs are read. Only the bytes of these graphs are
        read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = os.fstat(file.fileno()).st_size
        stream = self._stream(len(MAGIC))
        version, kind, self._count = stream.u64(), stream.u64(), stream.u64()
        if (version, kind) != (2, 2):
            raise ValueError(f"there is no reader for version {version} and kind {kind}")
        stream.position = START
        self._first = stream.u64()
        self._labels_at = stream.position

    def __len__(self) -> int:
        return self._count

    def _stream(self, position: int) -> Stream:
        return Stream(self._file, position, self._end)

    def labels(self) -> dict[str, Tensor]:
        """The labels by name."""
        stream = self._stream(self._labels_at)
        labels = stream.arrays()
        if stream.position != self._first:
            raise ValueError("the labels do not end where the graphs start")
        return labels

    def graphs(self, wanted: Sequence[int] | None) -> list[Graph]:
        """The graphs with the numbers `wanted`, in that order. None: all of them."""
        positions = self._positions()
        chosen = positions if wanted is None else [positions[number] for number in wanted]
        return [_graph(self._stream(position)) for position in chosen]

    def _positions(self) -> list[int]:
        """The position of each graph, from the index at the end of the file."""
        size = self._stream(self._end - 8).u64()
        if size != 8 * (self._count + 1) or size + 16 > self._end:
            raise ValueError("it ends without an index of its graphs")
        stream = self._stream(self._end - size - 8)
        if stream.u64() != self._count:
            raise ValueError("its index lists another number of graphs")
        return [stream.u64() for _ in range(self._count)]


def _graph(stream: Stream) -> Graph:
    stream.expect(_GRAPH, "graph")
    ends = _types(stream)
    relations = stream.many(lambda: _relation(stream))
    num_nodes = stream.many(stream.u64)
    node_data, edge_data = (stream.many(stream.arrays) for _ in range(2))
    ntypes, names = (stream.many(stream.text) for _ in range(2))
    if not len(num_nodes) == len(node_data) == len(ntypes) == len(set(ntypes)):
        raise ValueError(f"{len(num_nodes)} node types have {len(ntypes)} names {ntypes}")
    if not len(ends) == len(relations) == len(edge_data) == len(names) > 0:
        raise ValueError(f"{len(relations)} edge types have {len(names)} names {names}")
    if any(max(pair) >= len(ntypes) for pair in ends):
        raise ValueError("an edge type joins node types that do not exist")
    etypes = tuple((ntypes[s], name, ntypes[d]) for (s, d), name in zip(ends, names, strict=True))
    if len(set(etypes)) != len(etypes):
        raise ValueError("an edge type occurs twice")
    for (src, dst), adjacency in zip(ends, relations, strict=True):
        if (num_nodes[src], num_nodes[dst]) != (adjacency.num_src, adjacency.num_dst):
            raise ValueError("edges and node features disagree on the number of nodes")
    if len({adjacency.idtype for adjacency in relations}) > 1:
        raise ValueError("edge types differ in the type of ids")
    return Graph.from_parts(
        Schema(tuple(ntypes), etypes),
        relations,
        [features(*pair, "node") for pair in zip(num_nodes, node_data, strict=True)],
        [features(a.num_edges, data, "edge") for a, data in zip(relations, edge_data, strict=True)],
    )


def _types(stream: Stream) -> list[tuple[int, int]]:
    """Source and destination type of each relation."""
    stream.expect(_TYPES, "list of types")
    num_src, num_dst, types = _compressed(stream)
    src, dst = Adjacency(num_src, num_dst, torch.int64, csr=types).coo()
    return list(zip(src.tolist(), dst.tolist(), strict=True))


def _relation(stream: Stream) -> Adjacency:
    stream.expect(_RELATION, "relation")
    stored, allowed = stream.u64(), stream.u64()
    if not allowed >> 32:
        raise ValueError("it was written by an older DGL; load it with DGL 2.1.0 and save it again")
    kept: dict[str, Kept] = {}
    sizes = set()
    for name in _formats(stored):
        _types(stream)
        num_rows, num_cols, kept[name] = (_coo if name == "coo" else _compressed)(stream)
        sizes.add((num_cols, num_rows) if name == "csc" else (num_rows, num_cols))
    idtypes = {values[1].dtype for values in kept.values()}
    if len(sizes) != 1 or len(idtypes) != 1:
        raise ValueError(f"the formats {list(kept)} differ in size or type of ids")
    (num_src, num_dst), (idtype,) = sizes.pop(), idtypes
    return assemble(num_src, num_dst, idtype, _formats(allowed), kept)


def _formats(code: int) -> tuple[str, ...]:
    formats = tuple(name for bit, name in enumerate(FORMATS) if code >> bit & 1)
    if not formats or code & 0xFFFFFFFF > 7:
        raise ValueError(f"there are no formats with the code {code & 0xFFFFFFFF}")
    return formats


def _coo(stream: Stream) -> tuple[int, int, tuple[Tensor, Tensor]]:
    stream.expect(_COO, "edge list")
    num_cols, num_rows = stream.u64(), stream.u64()
    row, col, eids = (stream.array() for _ in range(3))
    stream.take(2)
    wrong = [t for t in (row, col) if t.dim() != 1 or t.dtype not in ID_TYPES]
    if wrong or row.shape != col.shape or row.dtype != col.dtype or eids.numel():
        raise ValueError("the two ends of edges differ in form, or come with ids")
    for ids, bound in ((row, num_rows), (col, num_cols)):
        check_size(bound)
        check_ids([ids], np.array([bound]), "node ids")
    return num_rows, num_cols, (row, col)


def _compressed(stream: Stream) -> tuple[int, int, Compressed]:
    stream.expect(_CSR, "compressed edge list")
    num_cols, num_rows = stream.u64(), stream.u64()
    indptr, indices, eids = (stream.array() for _ in range(3))
    stream.take(1)
    check_size(num_cols)
    wrong = [t for t in (indptr, indices, eids) if t.dim() != 1 or t.dtype not in ID_TYPES]
    if wrong or len(indptr) != num_rows + 1:
        raise ValueError(f"{num_rows} rows have {len(indptr)} pointers")
    num_edges = np.array([len(indices)])
    if len(eids) not in (0, len(indices)):
        raise ValueError(f"{len(indices)} edges have {len(eids)} ids")
    ids = [eids] if len(eids) else None
    check_compressed([indptr], [indices], ids, np.array([num_cols]), num_edges)
    return num_rows, num_cols, Compressed(indptr, indices, eids if len(eids) else None)
