"""Selection of the smallest entries of each row of a matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import core

__all__ = ["topk"]


@kernel("topk", device="cpu", dtypes=(torch.float32, torch.float64))
def topk(values: Tensor, k: int) -> Tensor:
    """Find the smallest entries of each row; see `gossamer.kernels.reference.topk`."""
    *rows, columns = values.shape
    out = _common.empty((*rows, k), torch.int64)
    core.topk(
        values=values.data_ptr(),
        is_double=values.dtype is torch.float64,
        rows=values.numel() // max(columns, 1),
        columns=columns,
        k=k,
        out=out.data_ptr(),
        threads=torch.get_num_threads(),
    )
    return out
