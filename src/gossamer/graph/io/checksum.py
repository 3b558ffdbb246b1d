"""Checksums of values, quick enough to be compared whenever values are read."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor

__all__ = ["checksum", "checksum_of_bytes"]

_PAGE = 4096


def checksum(tensor: Tensor) -> int:
    """A number that changes when a part of the values is lost or replaced.

    It is the CRC-32 of the sums of the 64-bit words of each 4096 bytes, and of the bytes after the
    last 4096. The sums take about as long as reading the memory once.

    Parameters
    ----------
    tensor : Tensor
        Contiguous, on the CPU.

    Examples
    --------
    >>> checksum(torch.arange(3)) == checksum(torch.arange(3)) != checksum(torch.zeros(3).long())
    True
    """
    # The stride of no or one element can be anything.
    values = tensor.as_strided((tensor.numel(),), (1,))
    # NumPy has no bfloat16.
    return checksum_of_bytes(values.view(torch.uint8).numpy())


def checksum_of_bytes(data: np.ndarray, found: int = 0) -> int:
    """The checksum of values whose bytes are `data`, (N,) uint8.

    Values may come in several parts, all but the last of whole pages of 4096 bytes: `found` is the
    checksum of those before.
    """
    whole = len(data) - len(data) % _PAGE
    if whole:
        sums = data[:whole].view(np.int64).reshape(-1, _PAGE // 8).sum(1)
        found = zlib.crc32(sums, found)
    return zlib.crc32(data[whole:], found)
