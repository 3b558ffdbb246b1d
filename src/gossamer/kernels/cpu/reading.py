"""Reading rows from a file, many at a time if the system has io_uring."""

from __future__ import annotations

import os

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu._common import core

__all__ = ["read_rows"]

_TRUNCATED = -(2**63)


@kernel("read_rows", device="cpu", dtypes=(torch.int64,))
def read_rows(
    ids: Tensor,
    places: Tensor,
    out: Tensor,
    file: int,
    start: int,
    gap: int = 0,
    at_once: bool = True,
) -> int:
    """Read rows into a tensor; see `gossamer.kernels.reference.read_rows`."""
    done = core.read_rows(
        file=file,
        use_ring=at_once,
        start=start,
        row_bytes=out.shape[1],
        count=ids.shape[0],
        gap=gap,
        ids=ids.data_ptr(),
        places=places.data_ptr(),
        out=out.data_ptr(),
    )
    if done == _TRUNCATED:
        raise EOFError("The file ends before a row.")
    if done < 0:
        raise OSError(-done, os.strerror(-done))
    return done
