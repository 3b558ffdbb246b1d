"""Read the elements of DGL's graph files: numbers, texts, arrays and features."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from gossamer.graph.frame import Frame
from gossamer.graph.io.tensor_file import read_exactly

__all__ = ["ID_TYPES", "MAGIC", "START", "Stream", "check_size", "features"]

#: The first eight bytes of a file.
MAGIC = (0xDD2E4FF046B4A13F).to_bytes(8, "little")

#: Where the content starts.
START = 4096

ID_TYPES = (torch.int32, torch.int64)

_ARRAY = 0xDD5E40F096B4A13F
_MOST_DIMENSIONS = 32

# (kind of number, bits) -> dtype, and the NumPy dtype used for reading.
_DTYPES = {
    (0, 8): (torch.int8, "i1"),
    (0, 16): (torch.int16, "<i2"),
    (0, 32): (torch.int32, "<i4"),
    (0, 64): (torch.int64, "<i8"),
    (1, 8): (torch.uint8, "u1"),
    (2, 16): (torch.float16, "<f2"),
    (2, 32): (torch.float32, "<f4"),
    (2, 64): (torch.float64, "<f8"),
    (4, 16): (torch.bfloat16, "<i2"),
    (5, 64): (torch.complex64, "<c8"),
    (5, 128): (torch.complex128, "<c16"),
}


class Stream:
    """The bytes of a file, starting at `position`; reading past `end` raises ValueError."""

    def __init__(self, file: BinaryIO, position: int, end: int) -> None:
        self.file = file
        self.position = position
        self.end = end

    def take(self, count: int) -> bytes:
        """Read the next `count` bytes."""
        if not 0 <= self.position <= self.end - count or count < 0:
            raise ValueError(f"{count} bytes are missing at byte {self.position}")
        taken = read_exactly(self.file, self.position, count)
        self.position += count
        return taken

    def number(self, size: int) -> int:
        """Read the next `size` bytes as an unsigned integer."""
        return int.from_bytes(self.take(size), "little")

    def u64(self) -> int:
        """Read the next unsigned integer of 64 bits."""
        return self.number(8)

    def expect(self, magic: int, what: str) -> None:
        """Raise unless the next 8 bytes are `magic`, the start of `what`."""
        at = self.position
        if self.u64() != magic:
            raise ValueError(f"there is no {what} at byte {at}")

    def many(self, read: Callable[[], Any]) -> list[Any]:
        """Read a list, preceded by its length, whose items each have at least 8 bytes."""
        count = self.u64()
        if count > (self.end - self.position) // 8:
            raise ValueError(f"{count} items do not fit after byte {self.position}")
        return [read() for _ in range(count)]

    def text(self) -> str:
        """Read the next text."""
        return str(self.take(self.u64()), "utf-8")

    def arrays(self) -> dict[str, Tensor]:
        """Read the next arrays by name."""
        pairs = self.many(lambda: (self.text(), self.array()))
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name occurs twice")
        return dict(pairs)

    def array(self) -> Tensor:
        """Read the next array as a tensor."""
        self.expect(_ARRAY, "array")
        self.take(16)
        dimensions, kind, bits, lanes = (self.number(size) for size in (4, 1, 1, 2))
        if (kind, bits) not in _DTYPES or lanes != 1:
            raise ValueError(f"there are no numbers of kind {kind} with {bits} bits x {lanes}")
        if dimensions > _MOST_DIMENSIONS:
            raise ValueError(f"an array cannot have {dimensions} dimensions")
        shape = [self.u64() for _ in range(dimensions)]
        size = self.u64()
        if size != math.prod(shape) * bits // 8 or max(shape, default=0) >= 2**62:
            raise ValueError(f"an array of shape {shape} does not have {size} bytes")
        dtype, form = _DTYPES[kind, bits]
        # A copy, because memory made from bytes is read-only.
        values = np.array(np.frombuffer(self.take(size), dtype=form)).reshape(shape)
        tensor = torch.from_numpy(values.astype(values.dtype.newbyteorder("="), copy=False))
        return tensor.view(dtype)


def features(num_rows: int, tensors: dict[str, Tensor], kind: str) -> Frame:
    """Build a frame of `tensors`, which must have `num_rows` rows."""
    frame = Frame(num_rows, kind)
    for name, value in tensors.items():
        if value.dim() == 0 or len(value) != num_rows:
            raise ValueError(f"{kind} feature {name!r} needs {num_rows} rows, one for each {kind}")
        frame[name] = value
    return frame


def check_size(count: int) -> None:
    """Raise if `count` is too large for a number of nodes."""
    if count >= 2**62:
        raise ValueError(f"there cannot be {count} nodes")
