"""Checksums of values, fast enough to be compared whenever values are read."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor

__all__ = ["checksum", "checksum_of_bytes"]

_PAGE = 4096


def checksum(tensor: Tensor) -> int:
    """Compute a checksum, which changes if some of the values are lost or replaced.

    It is the CRC-32 of the sum of the 64-bit words of each block of 4096 bytes, followed by the
    remaining bytes. The sums take about as long as reading the memory once.

    Parameters
    ----------
    tensor : Tensor
        Contiguous, on the CPU.

    Examples
    --------
    >>> checksum(torch.arange(3)) == checksum(torch.arange(3)) != checksum(torch.zeros(3).long())
    True
    """
    # The stride of a tensor with at most one element is arbitrary.
    values = tensor.as_strided((tensor.numel(),), (1,))
    # NumPy has no bfloat16.
    return checksum_of_bytes(values.view(torch.uint8).numpy())


def checksum_of_bytes(data: np.ndarray, found: int = 0) -> int:
    """Compute the checksum of values whose bytes are `data`, ``(N,)`` uint8.

    Values may be passed in several parts. The length of all but the last must be a multiple of 4096
    bytes, and `found` is the checksum of the parts before.
    """
    whole = len(data) - len(data) % _PAGE
    if whole:
        sums = data[:whole].view(np.int64).reshape(-1, _PAGE // 8).sum(1)
        found = zlib.crc32(sums, found)
    return zlib.crc32(data[whole:], found)
