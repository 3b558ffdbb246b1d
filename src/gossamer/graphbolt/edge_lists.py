"""Edge lists in files, read in pieces of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gossamer._optional import optional_import
from gossamer.errors import FileError

__all__ = ["FORMATS", "read_edges"]

#: Formats of edge lists.
FORMATS = ("csv", "numpy", "parquet")

_EDGES = 1 << 20  # edges in a piece


def read_edges(path: Path, kind: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the sources and destinations of an edge list, some at a time, as int64.

    Parameters
    ----------
    path : Path
        A CSV file with two columns and no header, an ``.npy`` file of shape ``(2, E)``, or a
        Parquet file whose first two columns are sources and destinations.
    kind : {"csv", "numpy", "parquet"}

    Raises
    ------
    FileError
        If the file is malformed; the message names it and, for CSV, the reason that pyarrow gives.
    """
    readers = {"csv": _read_csv, "numpy": _read_numpy, "parquet": _read_parquet}
    yield from readers[kind](path)


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


def _read_parquet(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    pyarrow = optional_import("pyarrow", "Reading Parquet edge lists", "graphbolt")
    parquet = optional_import("pyarrow.parquet", "Reading Parquet edge lists", "graphbolt")
    try:
        file = parquet.ParquetFile(path)
        names = file.schema_arrow.names
        if len(names) < 2:
            raise FileError(f"{path} has the columns {names}; two are needed.")
        for batch in file.iter_batches(_EDGES, columns=names[:2]):
            for name, column in zip(names, batch.columns, strict=False):
                if not pyarrow.types.is_integer(column.type):
                    raise FileError(
                        f"{path}: column {name!r} must hold integers, not {column.type}."
                    )
            yield _column(batch.column(0), path), _column(batch.column(1), path)
    except pyarrow.ArrowException as error:
        raise FileError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from None


def _read_numpy(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    try:
        edges = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError) as error:
        raise FileError(f"{path} cannot be read as .npy: {error}") from None
    if edges.ndim != 2 or edges.shape[0] != 2 or edges.dtype.kind not in "iu":
        raise FileError(
            f"{path} must hold integers of shape (2, E), got {edges.dtype} of shape {edges.shape}."
        )
    for first in range(0, edges.shape[1], _EDGES):
        piece = np.asarray(edges[:, first : first + _EDGES], dtype=np.int64)
        yield piece[0], piece[1]
