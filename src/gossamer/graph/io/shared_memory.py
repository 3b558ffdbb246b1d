"""The structure of a graph in memory that other processes access by name."""

from __future__ import annotations

import os
import re
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gossamer._files import replacing
from gossamer._optional import optional_import
from gossamer.errors import FileError, InvalidTypeError, InvalidValueError
from gossamer.graph.graph import Graph
from gossamer.graph.io.layout import KEY
from gossamer.graph.io.packing import pack
from gossamer.graph.io.tensor_file import TensorFile
from gossamer.graph.io.unpacking import Contents

__all__ = ["hetero_from_shared_memory", "remove_shared", "share", "shared_path"]

_FOLDER = "/dev/shm"


def share(graph: Graph, name: str, formats: Sequence[str]) -> Graph:
    """See :meth:`Graph.shared_memory`."""
    path = shared_path(name, "shared_memory", "graph")
    if path.exists():
        raise InvalidValueError(
            f"shared_memory: the name {name!r} is in use. Choose another one, or delete {path} if "
            "the process that made it is gone."
        )
    names = [formats] if isinstance(formats, str) else list(formats)
    allowed = graph.relations[0].allowed
    kept = tuple(form for form in names if form in allowed)
    if not kept:
        raise InvalidValueError(
            f"shared_memory: formats are among {list(allowed)} for this graph, got {names}."
        )
    save_file = optional_import("safetensors.torch", "Graph.shared_memory").save_file
    counts = [frame.num_rows for frame in graph.node_frames]
    structure = Graph.from_parts(graph.schema, graph.relations, num_nodes=counts)
    tensors, header = pack([structure], {}, kept, in_place=True)
    with replacing(path) as temporary:
        save_file(tensors, temporary, {KEY: header})
    shared = _mapped(path)
    weakref.finalize(shared, remove_shared, path, os.getpid())
    return shared


def hetero_from_shared_memory(name: str) -> Graph:
    """Return the graph that a process on this machine put into shared memory under `name`.

    Parameters
    ----------
    name : str
        Name passed to :meth:`Graph.shared_memory`.

    Returns
    -------
    Graph
        The graph without features. Its structure is in memory shared with the other process.

    Raises
    ------
    FileError
        If there is no such graph.
    InvalidValueError
        If `name` has characters other than letters, digits, ``_``, ``-`` and ``.``.

    Examples
    --------
    >>> import gossamer as gs
    >>> shared = gs.graph(([0, 1], [1, 2])).shared_memory("example")
    >>> gs.hetero_from_shared_memory("example")
    Graph(num_nodes=3, num_edges=2)
    """
    path = shared_path(name, "hetero_from_shared_memory", "graph")
    if not path.is_file():
        raise FileError(
            f"There is no graph in shared memory under the name {name!r}. Call "
            "Graph.shared_memory first, and keep the graph that it returns."
        )
    try:
        return _mapped(path)
    except ValueError as error:
        raise FileError(f"{path} holds no graph: {error}.") from None


def shared_path(name: Any, caller: str, kind: str) -> Path:
    """The file of a name in shared memory; `caller` is named in errors."""
    if not isinstance(name, str):
        raise InvalidTypeError(f"{caller}: name is a str, got {type(name).__name__}.")
    if not re.fullmatch(r"[\w.-]{1,200}", name, re.ASCII):
        raise InvalidValueError(
            f"{caller}: name has letters, digits, '_', '-' and '.', got {name!r}."
        )
    folder = Path(_FOLDER)
    return (folder if folder.is_dir() else Path(tempfile.gettempdir())) / f"gossamer-{kind}-{name}"


def _mapped(path: Path) -> Graph:
    """The graph of a file; its tensors are views of the mapped file."""
    with open(path, "rb") as file:
        tensors = TensorFile(file)
    # Copy-on-write, so that accidental writes do not affect other processes.
    memory = torch.from_numpy(np.memmap(path, dtype=np.uint8, mode="c"))
    header = tensors.metadata.get(KEY)
    if header is None:
        raise ValueError("its metadata lacks a header")
    contents = Contents(header, lambda name: tensors[name].view_of(memory))
    (graph,) = contents.graphs(None)
    return graph


def remove_shared(path: Path, owner: int) -> None:
    """Remove a file from shared memory if this process is the `owner`, which created it."""
    # A forked process has a copy of the graph, but the name belongs to the process that made it.
    if os.getpid() == owner:
        with suppress(OSError):
            path.unlink()
