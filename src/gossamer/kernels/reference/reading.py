"""Reading rows from a file."""

from __future__ import annotations

import os

from torch import Tensor

from gossamer.kernels._dispatch import kernel

__all__ = ["read_rows"]


@kernel("read_rows", operands=("ids",))
def read_rows(
    ids: Tensor,
    places: Tensor,
    out: Tensor,
    file: int,
    start: int,
    gap: int = 0,
    at_once: bool = True,
) -> int:
    """Read rows of bytes into rows of a tensor.

    Parameters
    ----------
    ids : Tensor
        ``(N,)`` int64, ascending; row ``i`` is at byte ``start + i * out.shape[1]`` of the file.
    places : Tensor
        ``(N,)`` int64: the row of `out` for each row.
    out : Tensor
        ``(M, row bytes)`` uint8.
    file : int
        The descriptor of an open file.
    start : int
        Position of row 0, in bytes.
    gap : int
        Two rows at most this many bytes apart may be read in one request.
    at_once : bool
        Whether many rows may be requested from the operating system at the same time.

    Returns
    -------
    int
        The number of bytes read, including gaps.

    Raises
    ------
    OSError
        If reading fails.
    EOFError
        If the file ends before a row does.
    """
    size = out.shape[1]
    rows = out.numpy()
    for i, place in zip(ids.tolist(), places.tolist(), strict=True):
        data = os.pread(file, size, start + i * size)
        if len(data) != size:
            raise EOFError("The file ends before a row.")
        rows[place] = memoryview(data)
    return size * len(ids)
