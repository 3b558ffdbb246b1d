"""Headers of ``.npy`` files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gossamer.errors import FileError

__all__ = ["read_header", "write_header"]


def read_header(path: Path) -> tuple[tuple[int, ...], np.dtype, int]:
    """Return the shape, the dtype and the data offset (in bytes) of an ``.npy`` file.

    Raises
    ------
    FileError
        If the file is missing, not an ``.npy`` file of numbers in C order, or truncated.
    """
    try:
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            read = getattr(np.lib.format, f"read_array_header_{version[0]}_{version[1]}")
            shape, fortran, dtype = read(file)
            start = file.tell()
    except FileNotFoundError:
        raise FileError(f"There is no file {path}.") from None
    except (ValueError, AttributeError, OSError) as error:
        raise FileError(f"{path} is not an .npy file: {error}") from None
    if dtype.hasobject or fortran or len(shape) < 1:
        raise FileError(
            f"{path} must hold numbers in C order with at least one dimension, got {dtype} of "
            f"shape {shape}."
        )
    size = start + int(np.prod(shape)) * dtype.itemsize
    if os.path.getsize(path) < size:
        raise FileError(
            f"{path} is truncated: it has {os.path.getsize(path)} bytes, but its header announces "
            f"{size}."
        )
    return shape, dtype, start


def write_header(file: BinaryIO, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    """Write the header of an ``.npy`` file for an array in C order, whose data follows."""
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
