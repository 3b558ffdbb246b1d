"""Reading sparse matrices from npz archives as edges."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from gossamer.data._files import npz_names, read_npz
from gossamer.data.readers._checks import corrupt

_MAX_DENSE = 1 << 33


class Entries(NamedTuple):
    """Entries of a sparse matrix, in the order of the file."""

    row: np.ndarray
    column: np.ndarray
    data: np.ndarray
    shape: tuple[int, int]

    def dense(self) -> np.ndarray:
        """Return the matrix as float32; repeated entries are added."""
        if self.shape[0] * self.shape[1] > _MAX_DENSE:
            raise ValueError(f"a matrix of shape {self.shape} is too large to be dense")
        matrix = np.zeros(self.shape, dtype=np.float32)
        np.add.at(matrix, (self.row, self.column), self.data.astype(np.float32))
        return matrix


def read_sparse(path: Path, prefix: str = "") -> Entries:
    """Read a file of scipy's `save_npz` (COO or CSR), or CSR arrays with a name prefix."""
    names = npz_names(path)
    if f"{prefix}indptr" in names:
        wanted = ("indptr", "indices", "data", "shape")
        arrays = read_npz(path, [prefix + name for name in wanted])
        indptr, column, data, shape = (arrays[prefix + name] for name in wanted)
        if indptr.ndim != 1 or indptr.dtype.kind not in "iu" or (np.diff(indptr) < 0).any():
            raise corrupt(path, f"{prefix}indptr is not an increasing list of integers")
        if len(indptr) and (indptr[0] != 0 or indptr[-1] != len(column)):
            raise corrupt(path, f"{prefix}indptr and {prefix}indices do not fit together")
        row = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
        if len(shape) == 2 and len(indptr) != shape[0] + 1:
            raise corrupt(path, f"{prefix}indptr and {prefix}shape do not fit together")
    else:
        wanted = ("row", "col", "data", "shape")
        arrays = read_npz(path, [prefix + name for name in wanted])
        row, column, data, shape = (arrays[prefix + name] for name in wanted)
    if len(shape) != 2 or not len(row) == len(column) == len(data):
        raise corrupt(path, "its arrays do not fit together")
    for ids, count in ((row, shape[0]), (column, shape[1])):
        if ids.dtype.kind not in "iu" or (len(ids) and not 0 <= ids.min() <= ids.max() < count):
            raise corrupt(path, f"a row or column number is not in 0 ... {count - 1}")
    return Entries(
        row.astype(np.int64), column.astype(np.int64), data, (int(shape[0]), int(shape[1]))
    )
