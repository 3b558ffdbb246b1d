"""Read a safetensors file without mapping it, so later changes to the file have no effect.

The format is an 8-byte little-endian length, a JSON header of that length that maps each name to
its dtype, shape and byte offsets, and the values of all tensors one after another. The header is
checked against the size of the file; invalid content raises ValueError.
"""

from __future__ import annotations

import json
import math
import os
from typing import Any, BinaryIO

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.graph.io.checksum import checksum_of_bytes
from gossamer.graph.io.layout import checked

__all__ = ["StoredTensor", "TensorFile", "read_exactly"]

_MAX_HEADER = 100_000_000
_CPU = torch.device("cpu")
_PART = 1 << 20

_DTYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}


def read_exactly(file: BinaryIO, position: int, count: int) -> bytes:
    """Read `count` bytes, starting at `position`."""
    file.seek(position)
    content = file.read(count)
    if len(content) != count:
        raise ValueError(f"{count - len(content)} bytes are missing at byte {position}")
    return content


class TensorFile:
    """The tensors of an open file, by name.

    Parameters
    ----------
    file : binary file
        An open file at any position, which must stay open while tensors are read.

    Attributes
    ----------
    metadata : dict of str to str
        The free text of the header.
    """

    def __init__(self, file: BinaryIO) -> None:
        size = file.seek(0, os.SEEK_END)
        length = int.from_bytes(read_exactly(file, 0, 8), "little")
        if length > min(size - 8, _MAX_HEADER):
            raise ValueError(f"the header cannot have {length} bytes")
        header = checked(json.loads(read_exactly(file, 8, length)), dict)
        self.metadata = checked(header.pop("__metadata__", {}), dict)
        self._tensors = {
            name: StoredTensor(file, 8 + length, checked(entry, dict))
            for name, entry in header.items()
        }
        end = 0
        for start, stop in sorted(tensor.span for tensor in self._tensors.values()):
            if start != end:
                raise ValueError(f"byte {min(start, end)} of the values is in no or two tensors")
            end = stop
        if 8 + length + end != size:
            raise ValueError(f"{8 + length + end} bytes are described, the file has {size}")

    def names(self) -> list[str]:
        """Names of the tensors."""
        return list(self._tensors)

    def __getitem__(self, name: str) -> StoredTensor:
        return self._tensors[name]


class StoredTensor:
    """A tensor in a file; slicing it along the first dimension reads the rows into memory.

    Attributes
    ----------
    dtype : torch.dtype
    shape : tuple of int
    span : (int, int)
        Position of the first byte, and end, relative to the values of the file.
    checksum : int, optional
        If set, it is verified when all rows are read.
    """

    checksum: int | None = None

    def __init__(self, file: BinaryIO, start: int, entry: dict[str, Any]) -> None:
        name = checked(entry.get("dtype"), str)
        if name not in _DTYPES:
            raise ValueError(f"there is no dtype {name!r}")
        self.dtype = _DTYPES[name]
        self.shape = tuple(checked(n, int) for n in checked(entry.get("shape"), list))
        offsets = checked(entry.get("data_offsets"), list, length=2)
        first, end = (checked(offset, int) for offset in offsets)
        size = math.prod(self.shape) * self.dtype.itemsize
        if min(first, *self.shape, 0) < 0 or end - first != size:
            raise ValueError(f"shape {list(self.shape)} does not have {end - first} bytes")
        self.span = first, end
        self._file = file
        self._start = start + first

    def dim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Tensor:
        if not self.shape or rows == slice(None):
            return self._read(0, self.shape)
        start, stop, _ = rows.indices(self.shape[0])
        width = math.prod(self.shape[1:]) * self.dtype.itemsize
        return self._read(start * width, (max(stop - start, 0), *self.shape[1:]))

    def view_of(self, memory: Tensor) -> Tensor:
        """The tensor as a view of `memory`, the bytes of the file."""
        size = self.span[1] - self.span[0]
        values = memory[self._start : self._start + size]
        if values.numel() != size:
            raise ValueError(f"values are missing at byte {self._start}")
        if not size:
            return torch.empty(self.shape, dtype=self.dtype, device="cpu")
        return values.view(self.dtype).reshape(self.shape)

    def _read(self, offset: int, shape: tuple[int, ...]) -> Tensor:
        tensor = kernels.empty(shape, self.dtype, _CPU)
        # NumPy has no bfloat16, so bytes are read.
        target = tensor.view(-1).view(torch.uint8).numpy()
        self._file.seek(self._start + offset)
        verify = self.checksum is not None and shape == self.shape
        found = 0
        # Process parts that are still in the processor's cache when the checksum is computed.
        for start in range(0, len(target), _PART):
            part = target[start : start + _PART]
            if self._file.readinto(part) != len(part):
                raise ValueError(f"values are missing at byte {self._start + offset + start}")
            found = checksum_of_bytes(part, found) if verify else 0
        if verify and found != self.checksum:
            raise ValueError(f"values from byte {self._start} on are not those that were written")
        return tensor
