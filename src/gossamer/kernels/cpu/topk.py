"""Choosing among the entries of each row of a matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels import reference
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import core

__all__ = ["topk"]


def topk(values: Tensor, k: int) -> Tensor:
    """Find the smallest entries of each row; see `gossamer.kernels.reference.topk`."""
    if values.dtype not in (torch.float32, torch.float64):
        return reference.topk(values, k)
    *rows, columns = values.shape
    out = _common.empty((*rows, k), torch.int64)
    core.topk(
        values.data_ptr(),
        values.dtype is torch.float64,
        values.numel() // max(columns, 1),
        columns,
        k,
        out.data_ptr(),
        torch.get_num_threads(),
    )
    return out
