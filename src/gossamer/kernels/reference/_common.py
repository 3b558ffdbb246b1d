"""Helpers of the reference kernels."""

from __future__ import annotations

import torch
from torch import Tensor

_NARROW = (torch.float16, torch.bfloat16)


def widen(x: Tensor) -> Tensor:
    """Cast 16-bit floats to float32, in which they are accumulated; return others unchanged."""
    return x.float() if x.dtype in _NARROW else x


def narrow(x: Tensor, like: Tensor) -> Tensor:
    """Undo `widen`: cast `x` back when `like` is a 16-bit float."""
    return x.to(like.dtype) if like.dtype in _NARROW else x


def combine(op: str, lhs: Tensor | None, rhs: Tensor | None) -> Tensor:
    """Apply the binary operator `op` with broadcasting."""
    if op == "copy_lhs":
        return lhs
    if op == "copy_rhs":
        return rhs
    if op == "add":
        return lhs + rhs
    if op == "sub":
        return lhs - rhs
    if op == "mul":
        return lhs * rhs
    if op == "div":
        return lhs / rhs
    if op == "dot":
        # Without a feature dimension there is nothing to sum over.
        product = lhs * rhs
        return product.sum(-1, keepdim=True) if product.dim() > 1 else product
    raise AssertionError(op)


def random_bits(key: int | Tensor, counter: Tensor) -> Tensor:
    """The value number `counter` of the SplitMix64 stream `key`, as a signed int64.

    Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
    """
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
    """Uniform on [0, 1), float64, a multiple of ``2**-53``."""
    return shift(random_bits(key, counter), 11).double() * 2.0**-53


def row_keys(key: int, rows: Tensor) -> Tensor:
    """The key of each row: it depends on the row's position alone."""
    return random_bits(key, torch.arange(len(rows), device=rows.device))


def row_of_slot(indptr: Tensor) -> Tensor:
    """Return the row that owns each slot, as int64."""
    rows = torch.arange(len(indptr) - 1, device=indptr.device)
    return rows.repeat_interleave(indptr.diff().long())


def row_starts(counts: Tensor) -> Tensor:
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def take(x: Tensor, ids: Tensor | None) -> Tensor:
    """Return rows `ids` of `x`, or all of them in order when `ids` is None."""
    return x if ids is None else x.index_select(0, ids)


def sum_rows(values: Tensor, rows: Tensor, num_rows: int) -> Tensor:
    """Add the values of each row: ``out[rows[k]] += values[k]``."""
    out = values.new_zeros((num_rows, *values.shape[1:]))
    return out.index_add_(0, rows, values)
