"""Sorting edge lists into a CSC on disk, in bounded memory.

Edges are first distributed over buckets of destination nodes, each a file that fits in memory; then
the buckets are sorted one by one and appended to the CSC. The progress is saved in ``state.json``,
so that an interrupted build can be resumed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gossamer import kernels
from gossamer._optional import optional_import
from gossamer._options import shown
from gossamer.errors import FileError
from gossamer.graphbolt.build_state import read_state, stamp, write_state
from gossamer.graphbolt.edge_lists import FORMATS, count_edges, read_edges
from gossamer.graphbolt.metadata import OnDiskMetaData, inside
from gossamer.graphbolt.npy import write_header
from gossamer.graphbolt.types import etype_str_to_tuple

__all__ = ["Builder", "Layout", "Source"]

#: Bytes of a bucket; sorting needs about ten times as much.
BUCKET_BYTES = 64 << 20
#: Number of edges to distribute before the progress is saved again.
NOTE_EVERY = 32 << 20
_MAX_BUCKETS = 512
#: Optional files of a graph, with the column of a record that each contains.
_COLUMNS = {"eids": "eid", "types": "type"}


@dataclass
class Source:
    """An edge list: its edge type, the file, and first id and number of nodes of both ends."""

    etype: str | None
    path: Path
    kind: str
    first: tuple[int, int]
    counts: tuple[int, int]


class Layout:
    """The ``graph`` section of the metadata."""

    def __init__(self, folder: Path, content: dict[str, Any]) -> None:
        self.file = folder / "metadata.yaml"
        graph = content.get("graph")
        if not isinstance(graph, dict):
            raise FileError(
                f"{self.file} has no 'graph' with nodes and edges, from which the graph is built. "
                "Datasets that another library has preprocessed need their raw files."
            )
        nodes, edges = graph.get("nodes") or [], graph.get("edges") or []
        for name, rows in (("nodes", nodes), ("edges", edges)):
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise FileError(f"{self.file}: '{name}' of 'graph' must be a list of mappings.")
        if not nodes or any(not _is_count(row.get("num")) for row in nodes):
            raise FileError(f"{self.file}: every entry of 'nodes' needs 'num', a number of nodes.")
        self.typed = any(row.get("type") is not None for row in nodes)
        for name, rows in (("nodes", nodes), ("edges", edges)):
            self._check_names([row.get("type") for row in rows], name)
        ordered = sorted(nodes, key=lambda row: row.get("type") or "")
        self.counts = {row.get("type"): row["num"] for row in ordered}
        self.offsets = [0, *np.cumsum(list(self.counts.values())).tolist()]
        self.first = dict(zip(self.counts, self.offsets, strict=False))
        rows = sorted(edges, key=lambda row: row.get("type") or "")
        self.sources = [self._source(folder, row) for row in rows]
        if len(self.sources) > 255:
            raise FileError(f"{self.file}: more than 255 edge types are not supported.")
        features = OnDiskMetaData.from_dict(graph, self.file).feature_data
        self.attributes = [row for row in features if row.domain.value in ("node", "edge")]
        names = [*(row["path"] for row in rows), *(row.path for row in self.attributes)]
        self._files = {name: inside(folder, name, self.file) for name in names}

    def _check_names(self, types: list[Any], where: str) -> None:
        """Raise unless all types are distinct, or there are none."""
        if self.typed and not all(isinstance(name, str) and name for name in types):
            raise FileError(
                f"{self.file}: the node types have names, so every entry of '{where}' needs a text "
                f"as 'type'; got {shown(types)}."
            )
        if not self.typed and any(name is not None for name in types):
            raise FileError(
                f"{self.file}: entries of '{where}' have a 'type', but 'nodes' have none. Give "
                "both, or neither."
            )
        if len(set(types)) < len(types):
            twice = next(name for name in types if types.count(name) > 1)
            raise FileError(
                f"{self.file}: '{where}' has {types.count(twice)} entries of type {twice!r}. Put "
                "them into one."
            )

    def stamps(self) -> dict[str, list[int]]:
        """The stamps of all files that the graph is built from."""
        return {name: stamp(path) for name, path in self._files.items()}

    def _source(self, folder: Path, row: dict[str, Any]) -> Source:
        kind, etype = row.get("format"), row.get("type")
        if kind not in FORMATS or "path" not in row:
            raise FileError(
                f"{self.file}: an entry of 'edges' needs 'path' and a 'format' of {list(FORMATS)}, "
                f"got {shown(row)}."
            )
        ends: tuple[Any, Any] = (None, None)
        if self.typed:
            src, _, dst = etype_str_to_tuple(etype)
            ends = src, dst
        for ntype in ends:
            if ntype not in self.counts:
                raise FileError(f"{self.file}: edges of type {etype!r} join an unknown node type.")
        return Source(
            etype,
            inside(folder, row["path"], self.file),
            kind,
            (self.first[ends[0]], self.first[ends[1]]),
            (self.counts[ends[0]], self.counts[ends[1]]),
        )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


class Builder:
    """One build, from edge lists to CSC files.

    Parameters
    ----------
    layout : Layout
    work : Path
        The folder for all output.
    start : dict
        The initial state of the build.
    edge_ids : bool
        Whether to store the positions of edges in their lists.
    compact : bool
        Whether ids are stored as int32 where they fit.
    progress : bool
        Whether to show a progress bar.
    """

    def __init__(
        self,
        layout: Layout,
        work: Path,
        start: dict[str, Any],
        edge_ids: bool,
        compact: bool,
        progress: bool,
    ) -> None:
        self.layout, self.work = layout, work
        self.edge_ids, self.compact, self.progress = edge_ids, compact, progress
        self.num_nodes = layout.offsets[-1]
        self.state = read_state(work) or dict(start)
        node = np.int32 if self.num_nodes < 2**31 else np.int64
        fields = [("dst", node), ("src", node)]
        if edge_ids or any(row.domain.value == "edge" for row in layout.attributes):
            fields.append(("eid", np.int64))
        if layout.typed:
            fields.append(("type", np.uint8))
        self.record = np.dtype(fields)

    def save(self, **changes: Any) -> None:
        """Save the progress of the build."""
        self.state.update(changes)
        write_state(self.work, self.state)

    def run(self) -> None:
        """Build all files that are still missing."""
        if "bucket" not in self.state:
            self.distribute()
        self.sort()
        self.finish()

    # ------------------------------------------------------------------------------ first pass

    def distribute(self) -> None:
        """Write each edge to the bucket of its destination."""
        sources = self.layout.sources
        if "counts" not in self.state:
            edges = sum(count_edges(source.path, source.kind) for source in sources)
            self._check_space(edges)
            size = edges * self.record.itemsize
            buckets = int(min(max(1, -(-size // BUCKET_BYTES)), _MAX_BUCKETS))
            width = max(-(-self.num_nodes // buckets), 1)
            buckets = max(-(-self.num_nodes // width), 1)
            for old in self.work.glob("bucket-*"):
                old.unlink()
            self.save(buckets=buckets, width=width, source=0, count=0, counts=[0] * buckets)
        counts = self.state["counts"]
        with ExitStack() as stack:
            files = []
            for b, count in enumerate(counts):
                path = self.work / f"bucket-{b}"
                path.touch()
                file = stack.enter_context(open(path, "r+b"))
                # Edges written after the state was last saved are written again.
                file.truncate(count * self.record.itemsize)
                file.seek(0, os.SEEK_END)
                files.append(file)
            bar = stack.enter_context(self._bar("distributing edges", None, sum(counts)))
            since = 0
            for number in range(self.state["source"], len(sources)):
                count = self.state["count"]
                for src, dst in read_edges(sources[number].path, sources[number].kind, count):
                    self._scatter(number, count, src, dst, files, counts)
                    count += len(src)
                    since += len(src)
                    bar.update(len(src))
                    if since >= NOTE_EVERY:
                        since = self._note(files, number, count)
                since = self._note(files, number + 1, 0)
        self.save(bucket=0, written=0, edges=sum(counts))

    def _note(self, files: list, source: int, count: int) -> int:
        for file in files:
            file.flush()
        self.save(source=source, count=count)
        return 0

    def _scatter(
        self, number: int, first: int, src: np.ndarray, dst: np.ndarray, files: list, counts: list
    ) -> None:
        source = self.layout.sources[number]
        _check_ends(source, src, dst, first)
        records = np.empty(len(src), self.record)
        dst = dst + source.first[1]
        bucket = torch.from_numpy((dst // self.state["width"]).astype(np.int32))
        positions = torch.arange(len(src), dtype=torch.int32)
        starts, order, _ = kernels.coo_to_csr(bucket, positions, len(files))
        order = order.numpy()
        records["dst"] = dst[order]
        records["src"] = (src + source.first[0])[order]
        if "eid" in self.record.names:
            records["eid"] = order + np.int64(first)
        if "type" in self.record.names:
            records["type"] = number
        starts = starts.tolist()
        for b, file in enumerate(files):
            if starts[b] < starts[b + 1]:
                file.write(records[starts[b] : starts[b + 1]].data)
                counts[b] += starts[b + 1] - starts[b]

    def _check_space(self, edges: int) -> None:
        """Raise if the disk has too little space for the build."""
        outputs = sum(dtype.itemsize for dtype in self._outputs(edges).values())
        needed = edges * (self.record.itemsize + outputs) + 8 * self.num_nodes
        for row in self.layout.attributes:
            needed += inside(self.layout.file.parent, row.path, self.layout.file).stat().st_size
        free = shutil.disk_usage(self.work).free
        if needed > free:
            raise FileError(
                f"Building the graph of {self.layout.file} needs about {needed / 1e6:,.0f} MB, but "
                f"the disk has {free / 1e6:,.0f} MB free. Free space and run again."
            )

    # ----------------------------------------------------------------------------- second pass

    def _outputs(self, edges: int) -> dict[str, np.dtype]:
        """Return the files of the CSC, with the column of a record and the dtype of each."""
        small = self.compact and max(self.num_nodes, edges) < 2**31
        ids = np.dtype(np.int32 if small else np.int64)
        outputs = {"indices": ids, "eids": ids, "types": np.dtype(np.uint8)}
        return {n: d for n, d in outputs.items() if _COLUMNS.get(n, "src") in self.record.names}

    def sort(self) -> None:
        """Sort the buckets one by one and append them to the CSC."""
        state, outputs = self.state, self._outputs(self.state["edges"])
        with ExitStack() as stack:

            def opened(name: str, dtype: np.dtype, total: int, done: int) -> Any:
                path = self.work / f"{name}.npy"
                path.touch()
                file = stack.enter_context(open(path, "r+b"))
                write_header(file, dtype, (total,))
                # The part of the next bucket that an interrupted run wrote is written again.
                file.truncate(file.tell() + done * dtype.itemsize)
                file.seek(0, os.SEEK_END)
                return file

            files = {
                name: opened(name, dtype, state["edges"], state["written"])
                for name, dtype in outputs.items()
            }
            done = min(state["bucket"] * state["width"], self.num_nodes)
            degrees = opened("degrees", np.dtype(np.int64), self.num_nodes, done)
            bar = self._bar("sorting edges", state["edges"], state["written"])
            stack.enter_context(bar)
            for bucket in range(state["bucket"], state["buckets"]):
                count = self._sort_bucket(bucket, files, outputs, degrees)
                for file in (*files.values(), degrees):
                    file.flush()
                self.save(bucket=bucket + 1, written=state["written"] + count)
                bar.update(count)
                kernels.release_memory()  # the next bucket has another size

    def _sort_bucket(self, bucket: int, files: dict, outputs: dict, degrees: Any) -> int:
        total = 0
        for first, last, records in self._parts(bucket):
            dst, src = records["dst"] - self.record["dst"].type(first), records["src"].copy()
            indptr, indices, order = kernels.coo_to_csr(
                torch.from_numpy(dst), torch.from_numpy(src), last - first
            )
            degrees.write(indptr.diff().to(torch.int64).numpy().data)
            columns = {"indices": indices.numpy()}
            for name, column in _COLUMNS.items():
                if name in files:
                    values = records[column].copy()
                    columns[name] = values if order is None else values[order.numpy()]
            for name, file in files.items():
                file.write(columns[name].astype(outputs[name], copy=False).data)
            total += len(records)
        return total

    def _parts(self, bucket: int) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield ``(first node, end, records)`` of a bucket, in parts if it is too large."""
        path = self.work / f"bucket-{bucket}"
        first = min(bucket * self.state["width"], self.num_nodes)
        end = min(first + self.state["width"], self.num_nodes)
        limit = max(2 * BUCKET_BYTES // self.record.itemsize, 1)
        count = path.stat().st_size // self.record.itemsize
        if count <= limit:
            yield first, end, np.fromfile(path, self.record)
            return

        def pieces() -> Iterator[np.ndarray]:
            for at in range(0, count, limit):
                yield np.fromfile(path, self.record, limit, offset=at * self.record.itemsize)

        before = np.zeros(end - first, np.int64)  # edges of the previous nodes and of this one
        for piece in pieces():
            before += np.bincount(piece["dst"] - first, minlength=end - first)
        np.cumsum(before, out=before)
        low = 0
        while low < end - first:
            done = before[low - 1] if low else 0
            high = max(int(np.searchsorted(before, done + limit, "right")), low + 1)
            own = [p[(p["dst"] >= first + low) & (p["dst"] < first + high)] for p in pieces()]
            yield first + low, first + high, np.concatenate(own)
            low = high

    def finish(self) -> None:
        """Write `indptr`, the positions of the columns."""
        indptr = np.zeros(self.num_nodes + 1, dtype=np.int64)
        np.cumsum(np.load(self.work / "degrees.npy"), out=indptr[1:])
        dtype = self._outputs(self.state["edges"])["indices"]
        np.save(self.work / "indptr.npy", indptr.astype(dtype, copy=False))
        ntypes = {ntype: i for i, ntype in enumerate(self.layout.counts)}
        etypes = {source.etype: i for i, source in enumerate(self.layout.sources)}
        for name in ("buckets", "width", "source", "count", "counts", "bucket", "written"):
            self.state.pop(name, None)
        self.state.update(
            typed=self.layout.typed,
            offsets=self.layout.offsets,
            node_types=ntypes if self.layout.typed else None,
            edge_types=etypes if self.layout.typed else None,
            edge_ids=self.edge_ids,
        )

    def _bar(self, text: str, total: int | None, initial: int) -> Any:
        tqdm = optional_import("tqdm", "gossamer preprocess", "graphbolt")
        return tqdm.tqdm(
            desc=text,
            total=total,
            initial=initial,
            unit=" edges",
            unit_scale=True,
            disable=None if self.progress else True,  # None: no bar unless stderr is a terminal
        )


def _check_ends(source: Source, src: np.ndarray, dst: np.ndarray, first: int) -> None:
    for ids, limit, what in (
        (src, source.counts[0], "source"),
        (dst, source.counts[1], "destination"),
    ):
        if len(ids) and (ids.min() < 0 or ids.max() >= limit):
            at = int(np.argmax((ids < 0) | (ids >= limit)))
            raise FileError(
                f"{source.path}: edge {first + at} has the {what} {ids[at]}, but there are {limit} "
                f"nodes, 0 to {limit - 1}."
            )
