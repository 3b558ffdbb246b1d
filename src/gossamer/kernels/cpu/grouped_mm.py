"""Matrix products with one weight per group of rows, through torch's BLAS."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels.cpu import _common


def segment_mm(a: Tensor, b: Tensor, seglen: Tensor) -> Tensor:
    """Multiply segments of rows by their matrix; see `gossamer.kernels.reference.segment_mm`."""
    a, b = a.detach(), b.detach()
    out = _common.empty((a.shape[0], b.shape[2]), a.dtype)
    start = 0
    for length, weight in zip(seglen.tolist(), b, strict=True):
        if length:
            stop = start + length
            torch.mm(a[start:stop], weight, out=out[start:stop])
            start = stop
    return out


def gather_mm(a: Tensor, b: Tensor, idx: Tensor) -> Tensor:
    """Multiply each row by the matrix that it names; see `gossamer.kernels.reference.gather_mm`."""
    # Rows of one matrix are brought together, so that each product is a single large one.
    order = torch.argsort(idx, stable=True)
    seglen = torch.bincount(idx, minlength=b.shape[0])
    out = _common.empty((a.shape[0], b.shape[2]), a.dtype)
    out[order] = segment_mm(a.detach()[order], b, seglen)
    return out
