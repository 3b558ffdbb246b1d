"""Build graphs from the tensors and the header of an untrusted file.

Invalid content raises ValueError. Structure is checked here, because kernels do not check it. Only
the rows of the requested graphs are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer.graph.frame import Frame
from gossamer.graph.graph import Graph
from gossamer.graph.io.checks import Kept, assemble, check_compressed, check_ids, joined
from gossamer.graph.io.layout import STORED_DIRECTLY, VERSION, Feature, Layout, Relation, checked
from gossamer.graph.io.tensor_file import StoredTensor
from gossamer.ops.adjacency import Compressed

__all__ = ["Contents", "NewerVersionError"]

Read = Callable[[str], StoredTensor]


class NewerVersionError(ValueError):
    """The file was written by a newer version of Gossamer."""


class Contents:
    """The graphs and labels of a file; tensors are read when graphs or labels are requested.

    Parameters
    ----------
    header : str
        The header as JSON.
    read : callable
        Function that returns the stored tensor of a given name.
    """

    def __init__(self, header: str, read: Read) -> None:
        content = checked(json.loads(header), dict)
        version = checked(content.get("version"), int)
        if version > VERSION:
            raise NewerVersionError(f"version {version}, and this one reads up to {VERSION}")
        self._stored = read
        self._checksums = checked(content.get("checksums", {}), dict)
        self._layouts = [Layout.from_json(v) for v in checked(content.get("groups"), list)]
        self._labels = [Feature.from_json(v) for v in checked(content.get("labels"), list)]
        self._sizes = [_sizes(layout, i, self._read) for i, layout in enumerate(self._layouts)]
        self._order = self._checked_order(content.get("order"))

    def __len__(self) -> int:
        return len(self._order)

    def _read(self, name: str) -> StoredTensor:
        stored = self._stored(name)
        if name in self._checksums:
            stored.checksum = checked(self._checksums[name], int)
        return stored

    def labels(self) -> dict[str, Tensor]:
        """The labels by name."""
        return {
            label.name: _restored(_of_form(self._read(f"label{i}"), label, label.shape)[:], label)
            for i, label in enumerate(self._labels)
        }

    def graphs(self, wanted: Sequence[int] | None) -> list[Graph]:
        """The graphs with the numbers `wanted`, in that order. None: all of them."""
        if wanted is None and len(self._layouts) == 1:
            return _Group("0.", self._layouts[0], self._read, *self._sizes[0], None).graphs()
        group, member = self._order.T
        if wanted is not None:
            group, member = group[list(wanted)], member[list(wanted)]
        result: dict[int, Graph] = {}
        for number, layout in enumerate(self._layouts):
            positions = np.flatnonzero(group == number)
            if len(positions):
                chosen = None if wanted is None else member[positions]
                part = _Group(f"{number}.", layout, self._read, *self._sizes[number], chosen)
                result.update(zip(positions.tolist(), part.graphs(), strict=True))
        return [result[position] for position in range(len(group))]

    def _checked_order(self, runs: Any) -> np.ndarray:
        """(group, number within the group) of each graph, from runs of graphs of one group."""
        used = [0] * len(self._sizes)
        rows = []
        for run in checked(runs, list):
            number, count = (checked(value, int) for value in checked(run, list, length=2))
            if not 0 <= number < len(used) or not 0 < count <= len(self._sizes[number][0]):
                raise ValueError(f"there are no {count} graphs of group {number}")
            members = np.arange(used[number], used[number] + count)
            rows.append(np.stack([np.full_like(members, number), members], axis=1))
            used[number] += count
            if used[number] > len(self._sizes[number][0]):
                break
        if used != [len(num_nodes) for num_nodes, _ in self._sizes]:
            raise ValueError("the order of graphs does not name each of them once")
        return np.concatenate([np.empty((0, 2), np.int64), *rows])


def _sizes(layout: Layout, number: int, read: Read) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of nodes and of edges of each graph of a group, one column for each type.

    They are NumPy arrays, which are faster than tensors for few numbers.
    """
    tables = []
    widths = len(layout.schema.ntypes), len(layout.schema.canonical_etypes)
    for name, width in zip(("num_nodes", "num_edges"), widths, strict=True):
        table = read(f"{number}.{name}")[:].numpy()
        if table.dtype != np.int64 or table.ndim != 2 or table.shape[1] != width:
            raise ValueError(f"{name} has shape {table.shape} and {table.dtype}")
        if len(table) == 0:
            raise ValueError("a group has no graphs")
        low, high = (int(table.min()), int(table.max())) if table.size else (0, 0)
        # Sums must not overflow. No real file is near this limit.
        if low < 0 or high >= 2**62 // len(table):
            raise ValueError(f"{name} cannot be {low} ... {high}")
        tables.append(table)
    if len(tables[0]) != len(tables[1]):
        raise ValueError(f"there are {len(tables[0])} or {len(tables[1])} graphs in a group")
    return tables[0], tables[1]


def _of_form(tensor: StoredTensor, feature: Feature, shape: tuple[int, ...]) -> StoredTensor:
    """Return `tensor` if it has the shape and dtype given in the header; else, raise ValueError."""
    dtype, stored_shape = feature.dtype, shape
    if dtype not in STORED_DIRECTLY:
        dtype, stored_shape = torch.uint8, (*shape, feature.dtype.itemsize)
    if tensor.dtype != dtype or tensor.shape != stored_shape:
        raise ValueError(
            f"'{feature.name}' has shape {tensor.shape} and {tensor.dtype}, the header says "
            f"{stored_shape} and {dtype}"
        )
    return tensor


def _restored(tensor: Tensor, feature: Feature) -> Tensor:
    """The original values: some dtypes are stored as bytes, with one more dimension."""
    if tensor.dtype == feature.dtype:
        return tensor
    # Slices may start at an address that the dtype does not allow.
    return tensor.flatten().clone().view(feature.dtype).reshape(tensor.shape[:-1])


class _Group:
    """Some or all graphs of a group, each tensor of which holds a part of every graph."""

    def __init__(
        self,
        prefix: str,
        layout: Layout,
        read: Read,
        num_nodes: np.ndarray,
        num_edges: np.ndarray,
        chosen: np.ndarray | None,
    ) -> None:
        self._prefix = prefix
        self._layout = layout
        self._read = read
        self._num_nodes = num_nodes
        self._num_edges = num_edges
        self._all = chosen is None
        self._chosen = slice(None) if chosen is None else chosen

    def graphs(self) -> list[Graph]:
        """The chosen graphs."""
        layout = self._layout
        nodes = [
            self._frames(f"ndata{i}", features, self._num_nodes[:, i], "node")
            for i, features in enumerate(layout.nodes)
        ]
        edges = [
            self._frames(f"edata{i}", relation.features, self._num_edges[:, i], "edge")
            for i, relation in enumerate(layout.relations)
        ]
        adjacencies = [self._adjacencies(i) for i in range(len(layout.relations))]
        by_graph = (zip(*column, strict=True) for column in (adjacencies, nodes, edges))
        graphs = [
            Graph.from_parts(layout.schema, *map(list, parts))
            for parts in zip(*by_graph, strict=True)
        ]
        for kind, batched in zip(("nodes", "edges"), layout.batched, strict=True):
            if batched:
                self._set_batch(graphs, kind)
        return graphs

    def _column(self, name: str, dtypes: Sequence[torch.dtype], counts: np.ndarray) -> list[Tensor]:
        """The part of a one-dimensional tensor that belongs to each chosen graph."""
        tensor = self._read(self._prefix + name)
        if tensor.dtype not in dtypes or tensor.dim() != 1:
            raise ValueError(f"{name} has shape {tensor.shape} and {tensor.dtype}")
        return self._split(name, tensor, counts)

    def _split(self, name: str, stored: StoredTensor, counts: np.ndarray) -> list[Tensor]:
        """The rows of each chosen graph."""
        if self._all and len(counts) == 1 and len(stored) == counts[0]:
            return [stored[:]]
        ends = counts.cumsum()
        if len(stored) != int(ends[-1]):
            raise ValueError(f"{name} has {len(stored)} rows, the graphs {int(ends[-1])}")
        starts = ends - counts
        tensor = stored[:] if self._all else stored
        bounds = starts[self._chosen].tolist(), ends[self._chosen].tolist()
        return [tensor[start:end] for start, end in zip(*bounds, strict=True)]

    def _frames(
        self, prefix: str, features: tuple[Feature, ...], counts: np.ndarray, kind: str
    ) -> list[Frame]:
        frames = [Frame(count, kind) for count in counts[self._chosen].tolist()]
        total = int(counts.sum())
        for k, feature in enumerate(features):
            name = f"{prefix}.{k}"
            stored = _of_form(self._read(self._prefix + name), feature, (total, *feature.shape))
            for frame, part in zip(frames, self._split(name, stored, counts), strict=True):
                frame[feature.name] = _restored(part, feature)
        return frames

    def _adjacencies(self, i: int) -> list[Any]:
        """The edges of type `i` of each chosen graph, checked."""
        relation, idtype = self._layout.relations[i], self._layout.idtype
        src, dst = (self._num_nodes[:, end] for end in self._layout.schema.endpoints[i])
        kept: list[dict[str, Kept]] = [{} for _ in range(len(src[self._chosen]))]
        for form in relation.stored:
            if form == "coo":
                values = self._coo(i, src, dst)
            else:
                rows, cols = (src, dst) if form == "csr" else (dst, src)
                values = self._compressed(i, form, relation, rows, cols)
            for own, value in zip(kept, values, strict=True):
                own[form] = value
        sizes = src[self._chosen].tolist(), dst[self._chosen].tolist()
        return [
            assemble(num_src, num_dst, idtype, relation.allowed, own)
            for num_src, num_dst, own in zip(*sizes, kept, strict=True)
        ]

    def _coo(self, i: int, src: np.ndarray, dst: np.ndarray) -> list[Kept]:
        counts, idtype = self._num_edges[:, i], self._layout.idtype
        ends = []
        for name, bounds in (("src", src), ("dst", dst)):
            # Version 1 stored node ids in the id type of the graph.
            parts = self._column(f"edges{i}.coo.{name}", (torch.int32, idtype), counts)
            check_ids(parts, bounds[self._chosen], "node ids")
            ends.append(parts)
        return list(zip(*ends, strict=True))

    def _compressed(
        self, i: int, form: str, relation: Relation, rows: np.ndarray, cols: np.ndarray
    ) -> list[Kept]:
        counts, dtypes = self._num_edges[:, i], (torch.int32, torch.int64)
        indptr = self._column(f"edges{i}.{form}.indptr", dtypes, rows + 1)
        indices = self._column(f"edges{i}.{form}.indices", dtypes, counts)
        eids = None
        if form in relation.with_eids:
            eids = self._column(f"edges{i}.{form}.eids", dtypes, counts)
        check_compressed(indptr, indices, eids, cols[self._chosen], counts[self._chosen])
        none = [None] * len(indptr)
        return list(map(Compressed, indptr, indices, none if eids is None else eids))

    def _set_batch(self, graphs: list[Graph], kind: str) -> None:
        """Set the batch sizes of each graph."""
        schema, table = self._layout.schema, getattr(self, f"_num_{kind}")
        keys = schema.ntype_ids
        if kind == "edges":
            keys = {etype: i for i, etype in enumerate(schema.canonical_etypes)}
        sizes: list[dict[Any, Tensor]] = [{} for _ in graphs]
        for number, (key, position) in enumerate(keys.items()):
            name = f"batch_{kind}{number}"
            counts = self._read(f"{self._prefix}{name}.count")[:].numpy()
            if counts.dtype != np.int64 or counts.shape != (len(table),) or counts.min() < 0:
                raise ValueError(f"{name} has impossible lengths")
            parts = self._column(name, (self._layout.idtype,), counts)
            totals = table[self._chosen, position]
            check_ids(parts, totals + 1, f"the sizes in {name}")
            owner = np.arange(len(parts)).repeat(counts[self._chosen])
            sums = np.zeros_like(totals)
            np.add.at(sums, owner, joined(parts).numpy())
            if not np.array_equal(sums, totals):
                raise ValueError(f"the sizes in {name} do not add up")
            for own, part in zip(sizes, parts, strict=True):
                own[key] = part
        for graph, own in zip(graphs, sizes, strict=True):
            setattr(graph, f"_batch_num_{kind}", own)
