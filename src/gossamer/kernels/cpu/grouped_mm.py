"""Matrix products with one weight per group of rows, through torch's BLAS."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels.cpu import _common


def segment_mm(a: Tensor, b: Tensor, seglen: Tensor) -> Tensor:
    """Multiply segments of rows by their matrix; see `gossamer.kernels.reference.segment_mm`."""
    a, b, lengths = a.detach(), b.detach(), seglen.tolist()
    out = _common.empty((a.shape[0], b.shape[2]), a.dtype)
    for rows, matrix, to in zip(a.split(lengths), b.unbind(), out.split(lengths), strict=True):
        torch.mm(rows, matrix, out=to)
    return out


def gather_mm(a: Tensor, b: Tensor, idx: Tensor) -> Tensor:
    """Multiply each row by the matrix that it names; see `gossamer.kernels.reference.gather_mm`."""
    # Rows of one matrix are brought together, so that each product is a single large one.
    order = torch.argsort(idx, stable=True)
    seglen = torch.bincount(idx, minlength=b.shape[0])
    out = _common.empty((a.shape[0], b.shape[2]), a.dtype)
    out[order] = segment_mm(a.detach()[order], b, seglen)
    return out
