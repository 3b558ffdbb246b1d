"""Building the CSC of an on-disk dataset from edge lists, in bounded memory.

Edges are first distributed over buckets of destination nodes, each a file that fits memory; then
the buckets are sorted one after another and appended to the CSC. A build that was interrupted goes
on with the first bucket that is not done.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._options import shown
from gossamer.errors import FileError
from gossamer.graphbolt.edge_lists import FORMATS, read_edges
from gossamer.graphbolt.metadata import inside
from gossamer.graphbolt.sampling_graph import ORIGINAL_EDGE_ID, FusedCSCSamplingGraph
from gossamer.graphbolt.types import etype_str_to_tuple

__all__ = ["download", "open_graph", "preprocess_graph"]

BUILT = "gossamer_preprocessed"
_VERSION = 1
#: Bytes of a bucket; sorting needs a few times as much.
BUCKET_BYTES = 256 << 20


@dataclass
class _Source:
    """An edge list: its edge type, the file, and the first global id of both node types."""

    etype: str | None
    path: Path
    kind: str
    first: tuple[int, int]
    counts: tuple[int, int]


class _Layout:
    """What the ``graph`` part of the metadata says."""

    def __init__(self, folder: Path, content: dict[str, Any]) -> None:
        self.file = folder / "metadata.yaml"
        graph = content.get("graph")
        if not isinstance(graph, dict):
            raise FileError(
                f"{self.file} has no 'graph' with nodes and edges, from which the graph is built. "
                "Datasets that another library has preprocessed need their raw files."
            )
        nodes = graph.get("nodes") or []
        edges = graph.get("edges") or []
        if not nodes or any("num" not in row for row in nodes):
            raise FileError(f"{self.file}: every entry of 'nodes' needs 'num'.")
        self.typed = any(row.get("type") is not None for row in nodes)
        ordered = sorted(nodes, key=lambda row: row.get("type") or "")
        self.counts = {row.get("type"): int(row["num"]) for row in ordered}
        self.offsets = [0, *np.cumsum(list(self.counts.values())).tolist()]
        self.first = dict(zip(self.counts, self.offsets, strict=False))
        rows = sorted(edges, key=lambda row: row.get("type") or "")
        self.sources = [self._source(folder, row) for row in rows]
        self.attributes = [
            row for row in graph.get("feature_data") or [] if row.get("domain") in ("node", "edge")
        ]

    def _source(self, folder: Path, row: dict[str, Any]) -> _Source:
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
        return _Source(
            etype,
            inside(folder, row["path"], self.file),
            kind,
            (self.first[ends[0]], self.first[ends[1]]),
            (self.counts[ends[0]], self.counts[ends[1]]),
        )


def preprocess_graph(
    folder: Path,
    content: dict[str, Any],
    *,
    include_original_edge_id: bool = False,
    force: bool | None = None,
    compact: bool = True,
    progress: bool = False,
) -> Path:
    """Build the CSC of a dataset if it is not there; return its folder.

    Parameters
    ----------
    folder : Path
        The dataset.
    content : dict
        Its metadata.
    include_original_edge_id : bool
        Whether to store edge ids.
    force : bool, optional
        Whether to build in any case; False to take whatever is there. Default: if metadata or
        options changed.
    compact : bool
        Whether ids are stored as int32 where they fit.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    FileError
        If a file is malformed, has ids out of range, or the disk is full. Nothing replaces a graph
        that was built before.
    """
    built = folder / BUILT
    key = _key(content, include_original_edge_id, compact)
    state = _read_state(built)
    done = state.get("done", False)
    if done and not force and (force is False or state["key"] == key):
        return built
    layout = _Layout(folder, content)
    work = folder / f".{BUILT}.partial"
    if _read_state(work).get("key") != key:
        shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(exist_ok=True)
        _Builder(layout, work, key, include_original_edge_id, compact, progress).run()
        _store_attributes(layout, folder, work)
        if built.exists():
            shutil.rmtree(built)
        os.replace(work, built)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(
            f"Cannot preprocess {folder}: {error.strerror or error}. Free space on the disk and "
            "run again: what is done so far is kept."
        ) from None
    return built


def _key(content: dict[str, Any], include_original_edge_id: bool, compact: bool) -> str:
    graph = json.dumps(content.get("graph"), sort_keys=True, default=str)
    text = f"{_VERSION} {include_original_edge_id} {compact} {graph}"
    return hashlib.sha256(text.encode()).hexdigest()


def _read_state(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


class _Builder:
    """One build, from edge lists to CSC files."""

    def __init__(
        self, layout: _Layout, work: Path, key: str, edge_ids: bool, compact: bool, progress: bool
    ) -> None:
        self.layout, self.work, self.key = layout, work, key
        self.edge_ids, self.progress = edge_ids, progress
        self.num_nodes = layout.offsets[-1]
        self.compact = compact
        self.state = _read_state(work) or {"key": key}

    def save(self, **changes: Any) -> None:
        self.state.update(changes)
        path = self.work / "state.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.state), encoding="utf-8")
        os.replace(temporary, path)

    def run(self) -> None:
        if "buckets" not in self.state:
            self.distribute()
        self.sort()
        self.finish()

    # ------------------------------------------------------------------------------ first pass

    def distribute(self) -> None:
        """Write each edge to the bucket of its destination."""
        if len(self.layout.sources) > 255:
            raise FileError(f"{self.layout.file}: more than 255 edge types are not supported.")
        for old in self.work.glob("bucket-*"):
            old.unlink()
        size = sum(_edge_bytes(source) for source in self.layout.sources)
        buckets = int(min(max(1, -(-size // BUCKET_BYTES)), 512, max(self.num_nodes, 1)))
        width = -(-self.num_nodes // buckets) if self.num_nodes else 1
        total = 0
        names = ("dst", "src", "eid", "type")
        with ExitStack() as stack:
            files = [
                [
                    stack.enter_context(open(self.work / f"bucket-{b}-{name}", "wb"))
                    for name in names
                ]
                for b in range(buckets)
            ]
            for number, source in enumerate(self.layout.sources):
                count = 0
                for src, dst in read_edges(source.path, source.kind):
                    _check_ends(source, src, dst, count)
                    eid = np.arange(count, count + len(src), dtype=np.int64)
                    count += len(src)
                    kind = np.full(len(src), number, dtype=np.uint8)
                    columns = dst + source.first[1], src + source.first[0], eid, kind
                    bucket = columns[0] // width
                    for b in np.unique(bucket):
                        own = bucket == b
                        for file, column in zip(files[b], columns, strict=True):
                            column[own].tofile(file)
                total += count
        self.save(buckets=buckets, width=width, edges=total, bucket=0, written=0)

    # ----------------------------------------------------------------------------- second pass

    def sort(self) -> None:
        """Sort bucket after bucket and append it to the CSC."""
        state = self.state
        small = self.compact and max(self.num_nodes, state["edges"]) < 2**31
        ids = np.dtype(np.int32 if small else np.int64)
        names = {"indices": ids, "eids": ids, "types": np.dtype(np.uint8)}
        if not self.edge_ids and not self.layout.attributes:
            del names["eids"]
        if not self.layout.typed:
            del names["types"]
        counts_file = self.work / "degrees.bin"
        with ExitStack() as stack:
            files = {}
            for name, dtype in names.items():
                path = self.work / f"{name}.bin"
                path.touch()
                files[name] = stack.enter_context(open(path, "r+b"))
                # What an interrupted run wrote of the next bucket is written again.
                files[name].truncate(state["written"] * dtype.itemsize)
                files[name].seek(0, os.SEEK_END)
            counts_file.touch()
            degrees = stack.enter_context(open(counts_file, "r+b"))
            degrees.truncate(min(state["bucket"] * state["width"], self.num_nodes) * 8)
            degrees.seek(0, os.SEEK_END)
            for bucket in self._shown(range(state["bucket"], state["buckets"])):
                written = self._sort_bucket(bucket, files, names, degrees)
                for file in (*files.values(), degrees):
                    file.flush()
                self.save(bucket=bucket + 1, written=state["written"] + written)

    def _sort_bucket(self, bucket: int, files: dict, names: dict, degrees: Any) -> int:
        first = bucket * self.state["width"]
        last = min(first + self.state["width"], self.num_nodes)

        def column(name: str, dtype: Any) -> np.ndarray:
            return np.fromfile(self.work / f"bucket-{bucket}-{name}", dtype=dtype)

        dst = column("dst", np.int64) - first
        order = np.argsort(dst, kind="stable")
        np.bincount(dst, minlength=max(last - first, 0)).astype(np.int64).tofile(degrees)
        columns = {
            "indices": ("src", np.int64),
            "eids": ("eid", np.int64),
            "types": ("type", np.uint8),
        }
        for name, file in files.items():
            column(*columns[name])[order].astype(names[name]).tofile(file)
        return len(dst)

    def finish(self) -> None:
        """Write the CSC as ``.npy`` files and remove the buckets."""
        degrees = np.fromfile(self.work / "degrees.bin", dtype=np.int64)
        indptr = np.zeros(self.num_nodes + 1, dtype=np.int64)
        np.cumsum(degrees, out=indptr[1:])
        small = self.compact and max(self.num_nodes, self.state["edges"]) < 2**31
        np.save(self.work / "indptr.npy", indptr.astype(np.int32 if small else np.int64))
        for name in ("indices", "eids", "types"):
            raw = self.work / f"{name}.bin"
            if raw.exists():
                dtype = np.uint8 if name == "types" else (np.int32 if small else np.int64)
                _prepend_header(raw, self.work / f"{name}.npy", np.dtype(dtype))
        for old in (*self.work.glob("bucket-*"), self.work / "degrees.bin"):
            old.unlink(missing_ok=True)
        ntypes = {ntype: i for i, ntype in enumerate(self.layout.counts)}
        etypes = {source.etype: i for i, source in enumerate(self.layout.sources)}
        self.save(
            done=True,
            typed=self.layout.typed,
            offsets=self.layout.offsets,
            node_types=ntypes if self.layout.typed else None,
            edge_types=etypes if self.layout.typed else None,
            edge_ids=self.edge_ids,
            sizes={path.name: path.stat().st_size for path in self.work.glob("*.npy")},
        )

    def _shown(self, items: range) -> Any:
        if not self.progress:
            return items
        from gossamer._optional import optional_import

        tqdm = optional_import("tqdm", "gossamer preprocess", "graphbolt")
        return tqdm.tqdm(items, desc="sorting edges", unit="bucket")


def _edge_bytes(source: _Source) -> int:
    """An estimate of the bytes that the edges of a list take in buckets."""
    size = source.path.stat().st_size
    per_edge = {"csv": 8, "numpy": 16, "parquet": 6}[source.kind]
    return 25 * (size // per_edge + 1)


def _check_ends(source: _Source, src: np.ndarray, dst: np.ndarray, first: int) -> None:
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


def _prepend_header(raw: Path, target: Path, dtype: np.dtype) -> None:
    """Turn a file of numbers into an ``.npy`` file, without reading it into memory."""
    count = raw.stat().st_size // dtype.itemsize
    with open(target, "wb") as out, open(raw, "rb") as data:
        header = {"descr": dtype.str, "fortran_order": False, "shape": (count,)}
        np.lib.format.write_array_header_1_0(out, header)
        shutil.copyfileobj(data, out, 16 << 20)
    raw.unlink()


def _store_attributes(layout: _Layout, folder: Path, work: Path) -> None:
    """Store the attributes that samplers use, those of edges in the order of the CSC."""
    from gossamer.graphbolt.metadata import OnDiskFeatureDataFormat
    from gossamer.graphbolt.ondisk_dataset import read_tensor

    state = _read_state(work)
    stored: dict[str, str] = {}
    by_name: dict[tuple[str, str], dict[str | None, Tensor]] = {}
    for row in layout.attributes:
        kind = OnDiskFeatureDataFormat(row.get("format"))
        value = read_tensor(inside(folder, row["path"], layout.file), kind, in_memory=True)
        by_name.setdefault((row["domain"], row["name"]), {})[row.get("type")] = value
    for (domain, name), values in by_name.items():
        if domain == "node":
            rows = [_of_type(values, ntype, name, layout) for ntype in layout.counts]
            value = torch.cat(rows)
        else:
            eids = torch.from_numpy(np.load(work / "eids.npy").astype(np.int64))
            if layout.typed:
                types = torch.from_numpy(np.load(work / "types.npy"))
                first = next(iter(values.values()))
                value = first.new_zeros((len(eids), *first.shape[1:]))
                for number, source in enumerate(layout.sources):
                    own = types == number
                    value[own] = _of_type(values, source.etype, name, layout)[eids[own]]
            else:
                value = values[None][eids]
        file = f"{domain}-{len(stored)}.npy"
        np.save(work / file, value.numpy())
        stored[f"{domain}:{name}"] = file
    state["attributes"] = stored
    state["sizes"] = {path.name: path.stat().st_size for path in work.glob("*.npy")}
    (work / "state.json").write_text(json.dumps(state), encoding="utf-8")


def _of_type(values: dict, kind: str | None, name: str, layout: _Layout) -> Tensor:
    if kind not in values:
        raise FileError(f"{layout.file}: the attribute {name!r} is not given for type {kind!r}.")
    return values[kind]


def open_graph(built: Path) -> FusedCSCSamplingGraph:
    """Open a graph that :func:`preprocess_graph` built; its arrays are mapped from disk.

    Raises
    ------
    FileError
        If a file is missing or has another size than when it was built.
    """
    state = _read_state(built)
    if not state.get("done"):
        raise FileError(f"{built} is not complete. Delete it and open the dataset again.")
    for name, size in state["sizes"].items():
        path = built / name
        found = path.stat().st_size if path.exists() else 0
        if found != size:
            raise FileError(
                f"{path} has {found} bytes instead of {size}. Delete {built} and open the dataset "
                "again."
            )

    def load(name: str) -> Tensor:
        return torch.from_numpy(np.load(built / name, mmap_mode="c", allow_pickle=False))

    attributes: dict[str, dict[str, Tensor]] = {"node": {}, "edge": {}}
    for key, file in state.get("attributes", {}).items():
        domain, name = key.split(":", 1)
        attributes[domain][name] = load(file)
    if state["edge_ids"]:
        attributes["edge"][ORIGINAL_EDGE_ID] = load("eids.npy")
    return FusedCSCSamplingGraph(
        load("indptr.npy"),
        load("indices.npy"),
        torch.tensor(state["offsets"]) if state["typed"] else None,
        load("types.npy") if state["typed"] else None,
        state["node_types"],
        state["edge_types"],
        attributes["node"],
        attributes["edge"],
    )


def download(name: str, root: Path) -> None:
    """Download and unpack the archive of a built-in dataset."""
    from gossamer.data._archive import extract_archive
    from gossamer.data._download import download as fetch

    address = f"https://data.dgl.ai/dataset/graphbolt/{name}.zip"
    archive = root / f"{name}.zip"
    root.mkdir(parents=True, exist_ok=True)
    if not archive.exists():
        fetch(address, archive)
    extract_archive(archive, root)
