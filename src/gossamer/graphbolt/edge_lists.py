"""Reading edge lists from files, in pieces of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gossamer._optional import optional_import
from gossamer.errors import FileError
from gossamer.graphbolt.npy import read_header

__all__ = ["FORMATS", "count_edges", "read_edges"]

#: Formats of edge lists.
FORMATS = ("csv", "numpy", "parquet")

_EDGES = 1 << 20  # edges in a piece


def read_edges(path: Path, kind: str, skip: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the sources and destinations of an edge list, in pieces, as int64.

    Parameters
    ----------
    path : Path
        A CSV file with two columns and no header, an ``.npy`` file of shape ``(2, E)``, or a
        Parquet file whose first two columns are sources and destinations.
    kind : {"csv", "numpy", "parquet"}
    skip : int
        Number of edges to skip at the beginning.

    Raises
    ------
    FileError
        If the file is malformed. For CSV, the message has the reason that pyarrow gives.
    """
    if kind == "numpy":
        yield from _read_numpy(path, skip)
        return
    for src, dst in _read_csv(path) if kind == "csv" else _read_parquet(path):
        if skip < len(src):
            yield src[skip:], dst[skip:]
        skip = max(skip - len(src), 0)


def count_edges(path: Path, kind: str) -> int:
    """Return the number of edges in a list; for CSV, an estimate that is usually too low."""
    if kind == "numpy":
        return _numpy_header(path)[0][1]
    if kind == "parquet":
        return _parquet_file(path).metadata.num_rows
    size = path.stat().st_size
    with open(path, "rb") as file:
        sample = file.read(1 << 20)
        file.seek(max(size - (1 << 20), 0))
        last = file.read()
    longest = max((len(line) + 1 for line in (sample + last).splitlines()), default=1)
    return size // longest


def _read_csv(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    pyarrow = optional_import("pyarrow", "Reading CSV edge lists", "graphbolt")
    csv = optional_import("pyarrow.csv", "Reading CSV edge lists", "graphbolt")
    try:
        reader = csv.open_csv(
            path,
            read_options=csv.ReadOptions(column_names=["src", "dst"], block_size=16 * _EDGES),
            convert_options=csv.ConvertOptions(
                column_types={"src": pyarrow.int64(), "dst": pyarrow.int64()}
            ),
        )
        for batch in reader:
            yield _column(batch.column(0), path), _column(batch.column(1), path)
    except pyarrow.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise FileError(
            f"{path}: every line must hold a source and a destination id, as in '0,1', without a "
            f"header ({str(error).splitlines()[0]})."
        ) from None


def _column(column: Any, path: Path) -> np.ndarray:
    if column.null_count:
        raise FileError(f"{path}: an edge lacks its source or its destination.")
    return column.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)


def _parquet_file(path: Path) -> Any:
    pyarrow = optional_import("pyarrow", "Reading Parquet edge lists", "graphbolt")
    parquet = optional_import("pyarrow.parquet", "Reading Parquet edge lists", "graphbolt")
    try:
        file = parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise _not_parquet(path, error) from None
    names = file.schema_arrow.names
    if len(names) < 2:
        raise FileError(f"{path} has the columns {names}; two are needed.")
    return file


def _not_parquet(path: Path, error: Exception) -> FileError:
    return FileError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}")


def _read_parquet(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    file = _parquet_file(path)
    pyarrow = optional_import("pyarrow", "Reading Parquet edge lists", "graphbolt")
    names = file.schema_arrow.names
    try:
        for batch in file.iter_batches(_EDGES, columns=names[:2]):
            for name, column in zip(names, batch.columns, strict=False):
                if not pyarrow.types.is_integer(column.type):
                    raise FileError(
                        f"{path}: column {name!r} must hold integers, not {column.type}."
                    )
            yield _column(batch.column(0), path), _column(batch.column(1), path)
    except FileError:
        raise
    except (pyarrow.ArrowException, OSError) as error:
        raise _not_parquet(path, error) from None


def _numpy_header(path: Path) -> tuple[tuple[int, int], np.dtype, int]:
    """Return the shape, the dtype and the data offset of an array of edges."""
    shape, dtype, start = read_header(path)
    if len(shape) != 2 or shape[0] != 2 or dtype.kind not in "iu":
        raise FileError(f"{path} must hold integers of shape (2, E), got {dtype} of shape {shape}.")
    return shape, dtype, start


def _read_numpy(path: Path, skip: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    # Not mapped: the pages of a mapped file would count as memory of the process.
    (_, count), dtype, start = _numpy_header(path)
    for first in range(skip, count, _EDGES):
        size = min(_EDGES, count - first)
        ends = (
            np.fromfile(path, dtype, size, offset=start + (row * count + first) * dtype.itemsize)
            for row in (0, 1)
        )
        src, dst = (end.astype(np.int64, copy=False) for end in ends)
        yield src, dst
