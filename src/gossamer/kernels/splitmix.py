"""Random numbers by counter: number `counter` of the stream `key`, in any order, on any device.

Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (SplitMix64), 2014.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["random_bits", "random_unit", "row_keys", "shift"]


def random_bits(key: int | Tensor, counter: Tensor) -> Tensor:
    """Return value number `counter` of the stream `key`, as a signed int64."""
    # int64 arithmetic wraps around, as in the generator; the shifts of the generator are logical.
    key = key if isinstance(key, Tensor) else _signed(key)
    x = (counter.long() + 1) * _signed(0x9E3779B97F4A7C15) + key
    x = (x ^ shift(x, 30)) * _signed(0xBF58476D1CE4E5B9)
    x = (x ^ shift(x, 27)) * _signed(0x94D049BB133111EB)
    return x ^ shift(x, 31)


def shift(x: Tensor, count: int) -> Tensor:
    """Shift int64 to the right, with zeros on the left."""
    return (x >> count) & ((1 << (64 - count)) - 1)


def _signed(x: int) -> int:
    x %= 1 << 64
    return x - (1 << 64) if x >= 1 << 63 else x


def random_unit(key: int | Tensor, counter: Tensor) -> Tensor:
    """Return float64 numbers, uniform on [0, 1), multiples of ``2**-53``."""
    return shift(random_bits(key, counter), 11).double() * 2.0**-53


def row_keys(key: int, rows: Tensor) -> Tensor:
    """Return the key of each row, which depends only on `key` and the row's position."""
    return random_bits(key, torch.arange(len(rows), device=rows.device))
