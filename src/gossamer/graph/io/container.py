"""Save graphs to files and load them, without pickle."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from torch import Tensor

from gossamer._files import replacing
from gossamer._optional import optional_import
from gossamer._options import as_int
from gossamer.errors import FileError, InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.graph.graph import Graph
from gossamer.graph.io.dgl_archive import DGLArchive
from gossamer.graph.io.dgl_first_format import FirstArchive
from gossamer.graph.io.dgl_stream import MAGIC
from gossamer.graph.io.layout import KEY
from gossamer.graph.io.packing import pack
from gossamer.graph.io.tensor_file import TensorFile
from gossamer.graph.io.unpacking import Contents, NewerVersionError
from gossamer.ops.adjacency import FORMATS

__all__ = ["load_graphs", "load_labels", "save_graphs", "write_graphs"]

# Files of up to this many bytes are read at once, which is faster than reading tensor by tensor.
_SMALL = 1 << 18

T = TypeVar("T")

Archive = DGLArchive | FirstArchive


def save_graphs(
    filename: str | os.PathLike[str],
    g_list: Graph | Sequence[Graph],
    labels: Mapping[str, Tensor] | None = None,
    formats: str | Sequence[str] | None = None,
) -> None:
    """Write graphs with their features, and labels, to a file.

    The file is a safetensors file whose metadata describes the graphs, so reading it runs no code.
    Writing is atomic: an existing file of this name is replaced once all content is on disk.

    Parameters
    ----------
    filename : str or path
        File to write; missing folders are created.
    g_list : Graph or list of Graph
        Homogeneous or heterogeneous graphs, batches and blocks, in any combination. They are loaded
        on the CPU. Feature initializers are not saved.
    labels : dict of str to Tensor, optional
        Additional tensors, of any shape.
    formats : str or list of str, optional
        Sparse formats to store, among "coo", "csr" and "csc". Default: one that already exists.

    Raises
    ------
    InvalidTypeError
        If an argument has the wrong type, or a tensor is sparse or quantized.
    InvalidValueError
        If a format is unknown, or a graph is restricted to other formats.
    FileError
        If the file cannot be written.
    MissingExtraError
        If safetensors is not installed.

    Examples
    --------
    >>> import gossamer as gs, os, tempfile, torch
    >>> g = gs.graph(([0, 0], [1, 2]))
    >>> g.ndata["h"] = torch.ones(3, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "graphs.bin")
    ...     gs.save_graphs(path, [g, gs.graph(([0], [1]))], {"y": torch.tensor([1, 0])})
    ...     gs.load_graphs(path, [1])
    ([Graph(num_nodes=2, num_edges=1)], {'y': tensor([1, 0])})
    """
    write_graphs(filename, g_list, labels, formats)


def write_graphs(
    filename: str | os.PathLike[str],
    g_list: Graph | Sequence[Graph],
    labels: Mapping[str, Tensor] | None = None,
    formats: str | Sequence[str] | None = None,
    durable: bool = True,
) -> None:
    """Write graphs as :func:`save_graphs` does.

    If `durable` is False, the function does not wait for the disk. If the machine fails soon after,
    the file may be damaged, which :func:`load_graphs` detects by checksums. This is sufficient for
    a cache.
    """
    safetensors = optional_import("safetensors", "save_graphs")
    save_file = optional_import("safetensors.torch", "save_graphs").save_file
    path = _path(filename)
    tensors, header = pack(_checked_graphs(g_list), _checked_labels(labels), _checked(formats))
    if path.is_dir():
        raise FileError(f"Cannot write {path}: it is a folder. Add a file name.")
    with replacing(path, durable=durable) as temporary:
        try:
            save_file(tensors, temporary, {KEY: header})
        except (OSError, safetensors.SafetensorError) as error:
            raise FileError(f"Cannot write {path}: {_short(error)}.") from None


def load_graphs(
    filename: str | os.PathLike[str], idx_list: Sequence[int] | None = None
) -> tuple[list[Graph], dict[str, Tensor]]:
    """Read graphs and labels written by :func:`save_graphs`, DGL 0.4 or DGL 2.1.0.

    Everything is read into memory, so later changes to the file do not affect the graphs. With
    `idx_list`, only the rows of these graphs are read, and their checksums are not verified.

    Parameters
    ----------
    filename : str or path
        The file.
    idx_list : list of int, optional
        Indices of the graphs to read, in this order. If None or empty, all graphs are read.

    Returns
    -------
    graphs : list of Graph
        The graphs, on the CPU.
    labels : dict of str to Tensor
        All labels; empty if there are none.

    Raises
    ------
    FileError
        If the file is missing, truncated, corrupt, of a newer version, or of another format.
    OutOfRangeError
        If `idx_list` contains the index of a graph that does not exist.
    InvalidTypeError
        If an argument has the wrong type.

    Examples
    --------
    >>> import gossamer as gs, os, tempfile, torch
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([0, 1], [1, 2]))])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "graphs.bin")
    ...     gs.save_graphs(path, bg)
    ...     (back,), labels = gs.load_graphs(path)
    >>> back.batch_num_nodes(), labels
    (tensor([2, 3]), {})
    """
    wanted = _numbers(idx_list)

    def take(contents: Contents | Archive) -> tuple[list[Graph], dict[str, Tensor]]:
        wrong = [number for number in wanted if not 0 <= number < len(contents)]
        if wrong:
            raise OutOfRangeError(
                f"load_graphs: idx_list names graph {wrong[0]}, but {filename} has "
                f"{len(contents)} graphs, counted from 0."
            )
        return contents.graphs(wanted or None), contents.labels()

    return _read(filename, take)


def load_labels(filename: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read only the labels of a file written by :func:`save_graphs`, DGL 0.4 or DGL 2.1.0.

    Raises
    ------
    FileError
        As for :func:`load_graphs`.

    Examples
    --------
    >>> import gossamer as gs, os, tempfile, torch
    >>> from gossamer.data.utils import load_labels
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "graphs.bin")
    ...     gs.save_graphs(path, gs.graph(([0], [1])), {"y": torch.tensor([1.5])})
    ...     load_labels(path)
    {'y': tensor([1.5000])}
    """
    return _read(filename, lambda contents: contents.labels())


# ------------------------------------------------------------------------------------- reading


def _read(filename: Any, take: Callable[[Contents | Archive], T]) -> T:
    """Apply `take` to the contents of a file; an invalid file raises FileError."""
    path = _path(filename)
    try:
        if not path.is_file():
            if not path.exists():
                raise FileError(f"There is no file {path}.")
            raise FileError(f"Cannot read {path}: it is a folder or a device, not a file.")
        with open(path, "rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                version = int.from_bytes(file.read(8), "little")
                return _read_dgl(path, file, take, FirstArchive if version == 1 else DGLArchive)
            if file.seek(0, os.SEEK_END) <= _SMALL:
                file.seek(0)
                return _read_own(path, io.BytesIO(file.read()), take)
            return _read_own(path, file, take)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"Cannot read {path}: {error.strerror}.") from None


def _read_own(path: Path, file: BinaryIO, take: Callable[[Contents], T]) -> T:
    try:
        tensors = TensorFile(file)
        if KEY in tensors.metadata:
            return take(Contents(tensors.metadata[KEY], tensors.__getitem__))
    except (FileError, OutOfRangeError):
        raise
    except NewerVersionError as error:
        raise FileError(
            f"{path} was written by a newer Gossamer: it is of {error}. Update Gossamer."
        ) from None
    except _SIGNS_OF_DAMAGE as error:
        raise FileError(
            f"{path} is damaged, or was not written by save_graphs of Gossamer or DGL "
            f"({_short(error)})."
        ) from None
    raise FileError(
        f"{path} is a safetensors file, but not one that save_graphs wrote: its metadata lacks "
        f"'{KEY}'."
    )


def _read_dgl(
    path: Path,
    file: BinaryIO,
    take: Callable[[Archive], T],
    archive: type[Archive],
) -> T:
    try:
        return take(archive(file))
    except (FileError, OutOfRangeError):
        raise
    except _SIGNS_OF_DAMAGE as error:
        raise FileError(
            f"{path} was written by DGL, but cannot be read: {_short(error)}."
        ) from None


# Exceptions that reading an invalid file can raise.
_SIGNS_OF_DAMAGE = (
    ArithmeticError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def _short(error: BaseException) -> str:
    return str(error).partition("\n")[0][:300].rstrip(".") or type(error).__name__


# ------------------------------------------------------------------------------------ arguments


def _path(filename: Any) -> Path:
    if not isinstance(filename, (str, os.PathLike)) or not os.fspath(filename):
        raise InvalidTypeError(f"A file name is a str or a path, got {filename!r}.")
    return Path(filename)


def _checked_graphs(g_list: Any) -> list[Graph]:
    graphs = [g_list] if isinstance(g_list, Graph) else g_list
    if not isinstance(graphs, (list, tuple)):
        raise InvalidTypeError(
            f"save_graphs: g_list is a graph or a list of graphs, got {type(g_list).__name__}."
        )
    for i, graph in enumerate(graphs):
        if not isinstance(graph, Graph):
            raise InvalidTypeError(
                f"save_graphs: g_list holds graphs, but element {i} is of type "
                f"{type(graph).__name__}."
            )
    return list(graphs)


def _checked_labels(labels: Any) -> Mapping[str, Tensor]:
    labels = {} if labels is None else labels
    if not isinstance(labels, Mapping):
        raise InvalidTypeError(
            f"save_graphs: labels are a dict from str to tensors, got {type(labels).__name__}."
        )
    for name, label in labels.items():
        if not isinstance(name, str) or not isinstance(label, Tensor):
            raise InvalidTypeError(
                "save_graphs: labels are a dict from str to tensors, got "
                f"{type(name).__name__} to {type(label).__name__}."
            )
    return labels


def _checked(formats: Any) -> tuple[str, ...] | None:
    if formats is None or (isinstance(formats, (list, tuple)) and not formats):
        return None
    names = [formats] if isinstance(formats, str) else formats
    if not isinstance(names, (list, tuple)) or any(name not in FORMATS for name in names):
        raise InvalidValueError(f"save_graphs: formats are among {list(FORMATS)}, got {formats!r}.")
    return tuple(name for name in FORMATS if name in names)


def _numbers(idx_list: Any) -> list[int]:
    if isinstance(idx_list, (Tensor, np.ndarray)):
        idx_list = idx_list.tolist()
    if idx_list is None:
        return []
    if not isinstance(idx_list, (list, tuple, range)):
        raise InvalidTypeError(
            f"load_graphs: idx_list is a list of int, got {type(idx_list).__name__}. "
            "For one graph, pass [number]."
        )
    return [as_int(number, "load_graphs", "each element of idx_list") for number in idx_list]
