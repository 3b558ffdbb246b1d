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


def take(x: Tensor, ids: Tensor | None) -> Tensor:
    """Return rows `ids` of `x`, or all of them in order when `ids` is None."""
    return x if ids is None else x.index_select(0, ids)


def sum_rows(values: Tensor, rows: Tensor, num_rows: int) -> Tensor:
    """Add the values of each row: ``out[rows[k]] += values[k]``."""
    out = values.new_zeros((num_rows, *values.shape[1:]))
    return out.index_add_(0, rows, values)
