"""Preprocessing of on-disk datasets: building the graph and opening it."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer.errors import FileError, InvalidTypeError, InvalidValueError
from gossamer.graphbolt.build_state import checksum, read_state, stamp, write_state
from gossamer.graphbolt.compact import write_compact
from gossamer.graphbolt.csc_build import Builder, Layout
from gossamer.graphbolt.metadata import OnDiskFeatureData, inside
from gossamer.graphbolt.npy import write_header
from gossamer.graphbolt.sampling_graph import ORIGINAL_EDGE_ID, FusedCSCSamplingGraph

__all__ = ["check_graph", "compact_feature", "download", "open_graph", "preprocess_graph"]

BUILT = "gossamer_preprocessed"
_VERSION = 2
_CHECKED_ON_OPENING = 64 << 20  # bytes: larger files take too long to check
_PIECE = 4 << 20  # edges whose attributes are reordered at once


def preprocess_graph(
    folder: Path,
    content: dict[str, Any],
    *,
    include_original_edge_id: bool = False,
    force: bool | None = None,
    compact: bool = True,
    progress: bool = False,
) -> Path:
    """Build the CSC of a dataset if it does not exist; return its folder.

    Parameters
    ----------
    folder : Path
        The folder of the dataset.
    content : dict
        Its metadata.
    include_original_edge_id : bool
        Whether to store edge ids.
    force : bool, optional
        Whether to build it again; False to use an existing CSC unconditionally. Default: only if
        the metadata, the options, or the size or time of a source file have changed. Deleted source
        files are ignored.
    compact : bool
        Whether to store ids as int32 if they fit.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    FileError
        If a file is malformed, has ids out of range, or the disk is full. A graph built before is
        then kept.
    """
    built = folder / BUILT
    key = _key(content, include_original_edge_id, compact)
    # A graph with edge ids is also used if no edge ids are needed.
    accepted = {key, _key(content, True, compact)}
    if _is_built(folder, accepted, force):
        return built
    layout = Layout(folder, content)
    start = {"key": key, "sources": layout.stamps()}
    work = folder / f".{BUILT}.partial"
    try:
        with _locked(folder):
            if _is_built(folder, accepted, force):
                return built  # by the process that held the lock
            if not start.items() <= read_state(work).items():
                shutil.rmtree(work, ignore_errors=True)
            work.mkdir(exist_ok=True)
            if not read_state(work).get("done"):
                builder = Builder(layout, work, start, include_original_edge_id, compact, progress)
                builder.run()
                _complete(layout, folder, work, builder.state)
            _replace(work, built)
    except FileError:
        raise
    except OSError as error:
        fix = "Free space on the disk and run again: what is done so far is kept."
        raise FileError(
            f"Cannot preprocess {folder}: {error.strerror or error}. {_fix(error, folder, fix)}"
        ) from None
    return built


def _is_built(folder: Path, keys: set[str], force: bool | None) -> bool:
    state = read_state(folder / BUILT)
    if force or not state.get("done"):
        return False
    changed = any(
        (folder / name).exists() and stamp(folder / name) != before
        for name, before in state.get("sources", {}).items()
    )
    return force is False or (state["key"] in keys and not changed)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder so that one process at a time builds in it; a dead process holds no lock."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def compact_feature(folder: Path, row: OnDiskFeatureData) -> Path | None:
    """Return the compact copy of a feature; make it if it is missing or out of date.

    Returns
    -------
    Path or None
        None if the feature has no ``storage``.

    Raises
    ------
    FileError
        If the feature cannot be read, its storage cannot hold it, or the disk is full.
    """
    if row.storage is None:
        return None
    from gossamer.graphbolt.ondisk_dataset import read_tensor

    file = folder / "metadata.yaml"
    source = inside(folder, row.path, file)
    name = "-".join(str(part) for part in (row.domain.value, row.type, row.name) if part)
    name = hashlib.sha256(f"{name} {row.path}".encode()).hexdigest()[:16]
    target = folder / BUILT / f"feature-{name}.{row.storage}"
    changed = source.stat().st_mtime_ns  # the copy has the modification time of its source
    if target.exists() and target.stat().st_mtime_ns == changed:
        return target
    try:
        with _locked(folder):
            write_compact(read_tensor(source, row.format, in_memory=False), target, row.storage)
            os.utime(target, ns=(changed, changed))
    except FileError:
        raise
    except OSError as error:
        fix = _fix(error, folder, "Free space on the disk.")
        raise FileError(f"Cannot write {target}: {error.strerror}. {fix}") from None
    except (InvalidValueError, InvalidTypeError) as error:
        raise FileError(f"{file}: storage {row.storage!r} of {row.path}: {error}") from None
    return target


def _fix(error: OSError, folder: Path, otherwise: str) -> str:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Copy the dataset to a folder that you may write to, or make {folder} writable."
    return otherwise


def _replace(work: Path, built: Path) -> None:
    """Move a finished build to its final folder."""
    for temporary in (*work.glob("bucket-*"), work / "degrees.npy"):
        temporary.unlink(missing_ok=True)
    old = built.with_name(f".{BUILT}.old")
    shutil.rmtree(old, ignore_errors=True)
    if built.exists():
        os.replace(built, old)
    os.replace(work, built)
    shutil.rmtree(old, ignore_errors=True)


def _key(content: dict[str, Any], include_original_edge_id: bool, compact: bool) -> str:
    graph = json.dumps(content.get("graph"), sort_keys=True, default=str)
    text = f"{_VERSION} {include_original_edge_id} {compact} {graph}"
    return hashlib.sha256(text.encode()).hexdigest()


def _complete(layout: Layout, folder: Path, work: Path, state: dict[str, Any]) -> None:
    """Store the attributes that samplers use, and record sizes and checksums of all files."""
    from gossamer.graphbolt.ondisk_dataset import read_tensor

    stored: dict[str, str] = {}
    by_name: dict[tuple[str, str], dict[str | None, Tensor]] = {}
    for row in layout.attributes:
        values = read_tensor(inside(folder, row.path, layout.file), row.format, in_memory=False)
        by_name.setdefault((row.domain.value, row.name), {})[row.type] = values
    for (domain, name), values in by_name.items():
        file = f"{domain}-{len(stored)}.npy"
        if domain == "node":
            np.save(work / file, np.concatenate(_parts(values, layout.counts, name, layout)))
        else:
            parts = _parts(values, _edge_counts(layout, work), name, layout)
            _store_edge_attribute(layout, parts, work, work / file)
        stored[f"{domain}:{name}"] = file
    files = sorted(path for path in work.glob("*.npy") if path.name != "degrees.npy")
    state["attributes"] = stored
    state["sizes"] = {path.name: path.stat().st_size for path in files}
    state["checksums"] = {path.name: checksum(path) for path in files}
    state["done"] = True
    write_state(work, state)


def _edge_counts(layout: Layout, work: Path) -> dict[str | None, int]:
    """Return the number of edges by type."""
    if not layout.typed:
        return {None: len(np.load(work / "eids.npy", mmap_mode="r"))}
    types = np.load(work / "types.npy", mmap_mode="r")
    counts = np.zeros(len(layout.sources), np.int64)
    for first in range(0, len(types), _PIECE):
        counts += np.bincount(types[first : first + _PIECE], minlength=len(counts))
    return {source.etype: int(n) for source, n in zip(layout.sources, counts, strict=True)}


def _parts(
    values: dict[str | None, Tensor], counts: dict[str | None, int], name: str, layout: Layout
) -> list[np.ndarray]:
    """Return the attribute `name` of each type; raise unless its shapes and dtypes are valid."""
    found, where = [], f"{layout.file}: the attribute {name!r}"
    unknown = [kind for kind in values if kind not in counts]
    if unknown:
        raise FileError(
            f"{where} is given for an unknown type {unknown[0]!r}; the types are {list(counts)}."
        )
    for kind, count in counts.items():
        of_type = "" if kind is None else f" of type {kind!r}"
        if kind not in values:
            raise FileError(f"{where} is not given for type {kind!r}.")
        value = values[kind]
        if value.dim() == 0 or len(value) != count:
            raise FileError(
                f"{where}{of_type} must have {count} rows, got shape {tuple(value.shape)}."
            )
        try:
            found.append(value.numpy())
        except TypeError:
            raise FileError(
                f"{where}{of_type} has the dtype {value.dtype}, which NumPy does not have. Store "
                "it as float32."
            ) from None
    forms = {(str(value.dtype), value.shape[1:]) for value in found}
    if len(forms) > 1:
        raise FileError(
            f"{where} must have one dtype and shape of rows for all types, got {sorted(forms)}."
        )
    return found


def _store_edge_attribute(
    layout: Layout, sources: list[np.ndarray], work: Path, target: Path
) -> None:
    """Write an attribute in the order of the CSC, in pieces."""
    eids = np.load(work / "eids.npy", mmap_mode="r")
    types = np.load(work / "types.npy", mmap_mode="r") if layout.typed else None
    shape = (len(eids), *sources[0].shape[1:])
    # Written, not mapped: on a full disk, a store to a mapped file kills the process.
    with open(target, "wb") as file:
        write_header(file, sources[0].dtype, shape)
        for first in range(0, len(eids), _PIECE):
            piece = slice(first, first + _PIECE)
            out = np.empty((len(eids[piece]), *shape[1:]), sources[0].dtype)
            for number, value in enumerate(sources):
                own = slice(None) if types is None else types[piece] == number
                out[own] = value[eids[piece][own]]
            file.write(out.data)


def open_graph(built: Path) -> FusedCSCSamplingGraph:
    """Open a graph that :func:`preprocess_graph` built; its arrays are mapped from disk.

    Raises
    ------
    FileError
        If a file is missing, its size has changed since it was built, or it is small and its
        checksum has changed; :func:`check_graph` compares the checksums of all files.
    """
    state = read_state(built)
    if not state.get("done"):
        raise FileError(f"{built} is not complete. Delete it and open the dataset again.")
    for name, size in state["sizes"].items():
        path = built / name
        found = path.stat().st_size if path.exists() else 0
        if found != size:
            raise _damaged(path, f"has {found} bytes instead of {size}")
        if size <= _CHECKED_ON_OPENING:
            _check(path, state)

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
    ).assume_checked()


def check_graph(built: Path) -> None:
    """Compare all files of a graph with the checksums recorded when it was built.

    Raises
    ------
    FileError
        If a file has changed.
    """
    state = read_state(built)
    open_graph(built)
    for name in state["sizes"]:
        _check(built / name, state)


def _check(path: Path, state: dict[str, Any]) -> None:
    if checksum(path) != state["checksums"][path.name]:
        raise _damaged(path, "has changed since it was built")


def _damaged(path: Path, what: str) -> FileError:
    return FileError(f"{path} {what}. Delete {path.parent} and open the dataset again.")


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
