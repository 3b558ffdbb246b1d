"""Compact storage of features: 16-bit numbers, or 8-bit ones with a scale for each row.

A compact file is an ``.npy`` file of records, which numpy reads as well:

=============  ====================================================================
``float16``    a field ``float16``
``bfloat16``   a field ``bfloat16`` with the bits as uint16, as numpy has no bfloat16
``int8``       ``scale`` in float32 and ``int8``: the row is ``scale * int8``
=============  ====================================================================
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._options import one_of
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graphbolt.npy import write_header

__all__ = ["STORAGES", "decode", "row_shape", "write_compact"]

#: Names of the compact forms.
STORAGES = ("float16", "bfloat16", "int8")
_STORED = {"float16": np.float16, "bfloat16": np.uint16, "int8": np.int8}

_PIECE = 64 << 20  # bytes that are converted at once


def write_compact(feature: Any, path: str | Path, storage: str) -> None:
    """Write a feature in a compact form, a few rows at a time.

    `DiskBasedFeature` reads the file as float32. The maximum relative error of a value is 2^-11 for
    ``"float16"`` and 2^-8 for ``"bfloat16"``; the maximum absolute error for ``"int8"`` is 1/254 of
    the largest absolute value in the row.

    Parameters
    ----------
    feature : array_like
        ``(N, *f)`` floating-point numbers; may be a memory-mapped array.
    path : str or Path
        The ``.npy`` file to write; it is replaced when it is complete.
    storage : {"float16", "bfloat16", "int8"}

    Raises
    ------
    InvalidTypeError
        If the feature is not floating point.
    InvalidValueError
        If it has no dimensions, or values that the storage cannot represent.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, numpy, tempfile, torch
    >>> folder = tempfile.TemporaryDirectory()
    >>> gb.write_compact(numpy.array([[0.5, -1.27]]), f"{folder.name}/x.npy", "int8")
    >>> gb.DiskBasedFeature(f"{folder.name}/x.npy").read(torch.tensor([0]))
    tensor([[ 0.5000, -1.2700]])
    >>> folder.cleanup()
    """
    storage = one_of(storage, "write_compact", "storage", STORAGES)
    values = feature.numpy() if isinstance(feature, Tensor) else np.asanyarray(feature)
    if values.dtype.kind != "f":
        raise InvalidTypeError(
            f"write_compact: the feature must be floating point, got {values.dtype}."
        )
    if values.ndim < 1:
        raise InvalidValueError("write_compact: the feature must have a row for each id.")
    path, shape = Path(path), values.shape[1:] or (1,)
    dtype = _record(storage, shape)
    temporary = path.with_name(path.name + ".partial")
    rows = max(_PIECE // max(4 * int(np.prod(shape)), 1), 1)
    try:
        with open(temporary, "wb") as file:
            write_header(file, dtype, (len(values),))
            for first in range(0, len(values), rows):
                piece = np.asarray(values[first : first + rows], np.float32).reshape(-1, *shape)
                file.write(_encode(piece, dtype, storage, first).data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _encode(piece: np.ndarray, dtype: np.dtype, storage: str, first: int) -> np.ndarray:
    records = np.empty(len(piece), dtype)
    flat = piece.reshape(len(piece), -1)
    limit = np.inf if storage == "int8" else torch.finfo(getattr(torch, storage)).max
    largest = np.abs(flat).max(1, initial=0)
    wrong = ~(largest <= limit) | np.isinf(largest)
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidValueError(
            f"write_compact: row {first + row} has the value {largest[row]}, which {storage} "
            "cannot hold. Replace NaN and infinity; bfloat16 holds numbers up to 3.38e38."
        )
    if storage == "float16":
        records[storage] = piece
    elif storage == "bfloat16":
        rounded = torch.from_numpy(piece).to(torch.bfloat16)
        records[storage] = rounded.view(torch.int16).numpy().view(np.uint16)
    else:
        records["scale"] = largest / 127
        scale = np.where(largest > 0, records["scale"], 1).reshape(-1, *[1] * (piece.ndim - 1))
        records[storage] = np.rint(piece / scale).clip(-127, 127)
    return records


def _record(storage: str, shape: tuple[int, ...]) -> np.dtype:
    scale = [("scale", np.float32)] if storage == "int8" else []
    return np.dtype([*scale, (storage, _STORED[storage], shape)])


def row_shape(dtype: np.dtype) -> tuple[int, ...] | None:
    """Return the shape of a row of a compact file with this dtype; None for any other file."""
    storage = dtype.names[-1] if dtype.names else None
    if storage not in STORAGES or dtype != _record(storage, dtype[storage].shape):
        return None
    return dtype[storage].shape


def decode(records: np.ndarray) -> Tensor:
    """Convert the rows of a compact file to float32."""
    storage = records.dtype.names[-1]
    stored = records[storage].copy()
    if storage == "bfloat16":
        return torch.from_numpy(stored.view(np.int16)).view(torch.bfloat16).float()
    values = torch.from_numpy(stored).float()
    if storage == "int8":
        scale = torch.from_numpy(records["scale"].copy())
        values *= scale.view(-1, *[1] * (values.dim() - 1))
    return values
