"""Features that stay on disk."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer import kernels
from gossamer._options import as_int
from gossamer.errors import FileError, InvalidValueError
from gossamer.graphbolt import compact
from gossamer.graphbolt.feature_store import Feature, check_rows
from gossamer.graphbolt.npy import read_header
from gossamer.graphbolt.torch_feature import TorchBasedFeature

__all__ = ["DiskBasedFeature"]

#: Minimum number of rows that a thread reads.
_ROWS = 1024
#: Rows at most this many bytes apart are read together: the system reads whole pages anyway.
_GAP = 4096


class DiskBasedFeature(Feature):
    """A feature in an ``.npy`` file, from which only the requested rows are read.

    Rows are read in the order of their position; neighboring rows are read together. If the system
    has io_uring, many reads run at the same time; otherwise several threads read.

    Parameters
    ----------
    path : str or Path
        A C-contiguous array ``(N, *f)``, or a file written by :func:`write_compact`, whose rows are
        read as float32.
    metadata : dict, optional
        Metadata of the feature.
    num_threads : int, optional
        Number of threads that read. Default: the number of processors; without io_uring, four times
        that number, at most 32.

    Attributes
    ----------
    row_bytes : int
        Bytes of a row in the file.
    bytes_read : int
        Number of bytes read so far, including gaps between rows.

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
        threads = _default_threads() if num_threads is None else num_threads
        self._threads = as_int(threads, "DiskBasedFeature", "num_threads", 1)
        shape, self._dtype, self._start_of_rows = read_header(self._path)
        self._compact = compact.row_shape(self._dtype)
        if self._dtype.names and (self._compact is None or len(shape) > 1):
            raise FileError(
                f"{self._path} must hold numbers, or be a file of write_compact; it holds records "
                f"of {self._dtype.names}."
            )
        self._check_dtype()
        self._shape = (shape[0], *(self._compact or shape[1:] or (1,)))
        self.row_bytes = self._dtype.itemsize * math.prod(shape[1:])
        self.bytes_read = 0
        self._file: int | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._process = -1

    def _check_dtype(self) -> None:
        if self._compact is not None:
            return
        try:
            torch.from_numpy(np.empty(0, self._dtype))
        except (TypeError, ValueError):
            raise FileError(
                f"{self._path} holds {self._dtype}, which torch does not have. Store numbers, in "
                "the byte order of this machine."
            ) from None

    def _open(self) -> tuple[int, ThreadPoolExecutor]:
        # Threads do not survive a fork, and a forked process must not share the file position.
        if self._process != os.getpid():
            self._file = os.open(self._path, os.O_RDONLY)
            self._pool = ThreadPoolExecutor(self._threads, "gossamer.graphbolt.DiskBasedFeature")
            self._process = os.getpid()
            if hasattr(os, "posix_fadvise"):  # no read-ahead for single rows
                os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_RANDOM)
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
        """Start reading; yield an object whose ``wait()`` returns the rows."""
        yield self._submit(ids)

    def read_stored(self, ids: Tensor) -> Tensor:
        """Read rows as stored: ``(len(ids), bytes of a row)`` uint8; see :meth:`decode`."""
        return self._submit(ids).wait_stored()

    def read_into(self, ids: Tensor, places: Tensor, out: Tensor) -> None:
        """Read stored rows into the rows `places` of `out`; `ids` must be ascending."""
        check_rows(ids, self._shape[0], str(self._path))
        self._start(ids, places, out).wait_stored()

    def decode(self, stored: Tensor) -> Tensor:
        """Convert stored rows to rows of the feature."""
        rows = stored.numpy().view(self._dtype)
        if self._compact is not None:
            return compact.decode(rows.reshape(-1))
        return torch.from_numpy(rows.reshape(len(stored), *self._shape[1:]))

    def _submit(self, ids: Tensor) -> _Reading:
        check_rows(ids, self._shape[0], str(self._path))
        out = torch.empty((len(ids), self.row_bytes), dtype=torch.uint8)
        ordered, places = ids.cpu().to(torch.int64).sort()
        return self._start(ordered, places, out, ids.device)

    def _start(
        self, ids: Tensor, places: Tensor, out: Tensor, device: torch.device | str = "cpu"
    ) -> _Reading:
        file, pool = self._open()
        futures = []
        step = max(_ROWS, -(-len(ids) // self._threads))
        for first in range(0, len(ids) if self.row_bytes else 0, step):
            piece = slice(first, first + step)
            arguments = ids[piece], places[piece], out, file, self._start_of_rows, _GAP
            futures.append(pool.submit(kernels.read_rows, *arguments))
        return _Reading(self, futures, out, device)

    @property
    def folder(self) -> Path:
        """The folder of the file."""
        return self._path.parent

    def size(self) -> torch.Size:
        """Shape of one row."""
        return torch.Size(self._shape[1:])

    def count(self) -> int:
        """Number of rows."""
        return self._shape[0]

    def metadata(self) -> dict[str, Any]:
        """Metadata of the feature."""
        return self._metadata

    def update(self, value: Tensor, ids: Tensor | None = None) -> None:
        """Raise an error: features on disk are read-only."""
        raise InvalidValueError(
            f"The feature {self._path} is on disk and read only. Use read_into_memory() first."
        )

    def read_into_memory(self) -> TorchBasedFeature:
        """Return the whole feature in memory."""
        array = np.load(self._path, allow_pickle=False)
        if self._compact is not None:
            return TorchBasedFeature(compact.decode(array), self._metadata)
        return TorchBasedFeature(torch.from_numpy(array).view(self._shape), self._metadata)

    def pin_memory_(self) -> DiskBasedFeature:
        """Do nothing and return the feature, which is not in memory."""
        return self

    def to(self, device: torch.device | str = "cpu") -> TorchBasedFeature:
        """Return the whole feature on a device."""
        return self.read_into_memory().to(device)

    def __repr__(self) -> str:
        return f"DiskBasedFeature({str(self._path)!r}, shape={self._shape})"


def _default_threads() -> int:
    processors = os.cpu_count() or 1
    native = kernels.native()
    return processors if native and native.core.has_io_uring() else min(4 * processors, 32)


@dataclass
class _Reading:
    """Rows that are being read."""

    feature: DiskBasedFeature
    futures: list[Future]
    out: Tensor
    device: torch.device | str

    def wait_stored(self) -> Tensor:
        """Wait for all rows and return them as stored."""
        for future in self.futures:
            try:
                self.feature.bytes_read += future.result()
            except (EOFError, OSError) as error:
                reason = (
                    "it was truncated while it was open" if isinstance(error, EOFError) else error
                )
                raise FileError(f"{self.feature._path} cannot be read: {reason}.") from None
        self.futures = []
        return self.out

    def wait(self) -> Tensor:
        """Wait for all rows and return them."""
        return self.feature.decode(self.wait_stored()).to(self.device)
