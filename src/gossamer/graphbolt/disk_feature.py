"""Features that stay on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.errors import FileError, InvalidValueError, OutOfRangeError
from gossamer.graphbolt.feature_store import Feature
from gossamer.graphbolt.npy import read_header
from gossamer.graphbolt.torch_feature import TorchBasedFeature

__all__ = ["DiskBasedFeature"]

#: Rows that one task of the thread pool reads.
_ROWS = 1024


class DiskBasedFeature(Feature):
    """A feature in an ``.npy`` file, of which only the rows that are asked for are read.

    Rows are read by several threads in the order of their position, neighboring ones at once.

    Parameters
    ----------
    path : str or Path
        The file: a C-contiguous array ``(N, *f)``.
    metadata : dict, optional
        What else is known of the feature.
    num_threads : int, optional
        Threads that read. Default: 4 times the number of processors, at most 32.

    Raises
    ------
    FileError
        If the file is missing, not an ``.npy`` file, or truncated.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, numpy, tempfile, torch
    >>> folder = tempfile.TemporaryDirectory()
    >>> numpy.save(f"{folder.name}/feat.npy", numpy.arange(6.0).reshape(3, 2))
    >>> gb.DiskBasedFeature(f"{folder.name}/feat.npy").read(torch.tensor([2, 0]))
    tensor([[4., 5.],
            [0., 1.]], dtype=torch.float64)
    >>> folder.cleanup()
    """

    def __init__(
        self,
        path: str | Path,
        metadata: dict[str, Any] | None = None,
        num_threads: int | None = None,
    ) -> None:
        self._path = Path(path)
        self._metadata = metadata or {}
        threads = min(4 * (os.cpu_count() or 1), 32) if num_threads is None else num_threads
        self._threads = as_int(threads, "DiskBasedFeature", "num_threads", 1)
        shape, self._dtype, self._start = read_header(self._path)
        self._shape = shape if len(shape) > 1 else (*shape, 1)
        self._row_bytes = int(np.prod(self._shape[1:])) * self._dtype.itemsize
        self._file: int | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._process = -1

    def _open(self) -> tuple[int, ThreadPoolExecutor]:
        # Neither threads nor the position of a file survive a fork.
        if self._process != os.getpid():
            self._file = os.open(self._path, os.O_RDONLY)
            self._pool = ThreadPoolExecutor(self._threads, "gossamer.graphbolt.DiskBasedFeature")
            self._process = os.getpid()
        return self._file, self._pool

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None, "_pool": None, "_process": -1}

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None and self._process == os.getpid():
            self._pool.shutdown(wait=False)
            os.close(self._file)

    def read(self, ids: Tensor | None = None) -> Tensor:
        """Read the rows `ids`, or all rows."""
        if ids is None:
            return self.read_into_memory()._tensor
        return self._submit(ids).wait()

    def read_async(self, ids: Tensor) -> Iterator[Any]:
        """Start reading; the value yielded has ``wait()``, which returns the rows."""
        yield self._submit(ids)

    def _submit(self, ids: Tensor) -> _Reading:
        if len(ids) and (int(ids.min()) < 0 or int(ids.max()) >= self._shape[0]):
            raise OutOfRangeError(
                f"Ids from {int(ids.min())} to {int(ids.max())} were asked of {self._path}, which "
                f"has {self._shape[0]} rows."
            )
        file, pool = self._open()
        out = np.empty((len(ids), *self._shape[1:]), self._dtype)
        order = ids.cpu().argsort()
        sorted_ids, places = ids.cpu()[order].tolist(), order.tolist()
        flat = out.reshape(len(ids), -1).view(np.uint8) if len(ids) and self._row_bytes else None
        futures = []
        for first in range(0, len(sorted_ids) if flat is not None else 0, _ROWS):
            chosen = slice(first, first + _ROWS)
            futures.append(pool.submit(self._fill, file, flat, sorted_ids[chosen], places[chosen]))
        return _Reading(futures, torch.from_numpy(out), ids.device)

    def _fill(self, file: int, out: np.ndarray, ids: list[int], places: list[int]) -> None:
        """Read rows in the order of their position; runs of neighboring rows at once."""
        begin = 0
        while begin < len(ids):
            end = begin + 1
            while end < len(ids) and ids[end] - ids[end - 1] <= 1:
                end += 1
            first = ids[begin]
            count = ids[end - 1] - first + 1
            size = count * self._row_bytes
            data = os.pread(file, size, self._start + first * self._row_bytes)
            if len(data) != size:
                raise FileError(f"{self._path} ended early: it was truncated while it was open.")
            rows = np.frombuffer(data, np.uint8).reshape(count, self._row_bytes)
            out[places[begin:end]] = rows[[i - first for i in ids[begin:end]]]
            begin = end

    def size(self) -> torch.Size:
        """Shape of one row."""
        return torch.Size(self._shape[1:])

    def count(self) -> int:
        """Number of rows."""
        return self._shape[0]

    def metadata(self) -> dict[str, Any]:
        """What else is known of the feature."""
        return self._metadata

    def update(self, value: Tensor, ids: Tensor | None = None) -> None:
        """Raise: features on disk are read only."""
        raise InvalidValueError(
            f"The feature {self._path} is on disk and read only. Use read_into_memory() first."
        )

    def read_into_memory(self) -> TorchBasedFeature:
        """Return the whole feature in memory."""
        array = np.load(self._path, allow_pickle=False)
        return TorchBasedFeature(torch.from_numpy(array).view(self._shape), self._metadata)

    def pin_memory_(self) -> DiskBasedFeature:
        """Return the feature itself: it is not in memory."""
        return self

    def to(self, device: torch.device | str = "cpu") -> TorchBasedFeature:
        """Return the whole feature on a device."""
        return self.read_into_memory().to(device)

    def __repr__(self) -> str:
        return f"DiskBasedFeature({str(self._path)!r}, shape={self._shape})"


class _Reading:
    """Rows that are being read."""

    def __init__(self, futures: list[Future], out: Tensor, device: torch.device) -> None:
        self._futures, self._out, self._device = futures, out, device

    def wait(self) -> Tensor:
        """Wait for all rows and return them."""
        for future in self._futures:
            future.result()
        return self._out.to(self._device)
