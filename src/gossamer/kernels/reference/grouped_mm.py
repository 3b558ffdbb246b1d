"""Matrix products with one weight per group of rows."""

from __future__ import annotations

import torch
from torch import Tensor


def segment_mm(a: Tensor, b: Tensor, seglen: Tensor, out: Tensor | None = None) -> Tensor:
    """Multiply consecutive segments of rows by their own matrix: ``out[i] = a[i] @ b[r]``.

    Parameters
    ----------
    a : Tensor
        ``(N, D1)``; the first ``seglen[0]`` rows belong to segment 0, and so on.
    b : Tensor
        ``(R, D1, D2)``, one matrix per segment.
    seglen : Tensor
        ``(R,)`` lengths that add up to ``N``.
    out : Tensor, optional
        Where to write the result, contiguous.

    Returns
    -------
    Tensor
        ``(N, D2)``.
    """
    group = torch.arange(len(b), device=b.device).repeat_interleave(seglen.to(b.device).long())
    products = gather_mm(a, b, group)
    return products if out is None else out.copy_(products)


def gather_mm(a: Tensor, b: Tensor, idx: Tensor) -> Tensor:
    """Multiply each row by the matrix that it names: ``out[i] = a[i] @ b[idx[i]]``.

    Parameters
    ----------
    a : Tensor
        ``(N, D1)``.
    b : Tensor
        ``(R, D1, D2)``.
    idx : Tensor
        ``(N,)`` ids of matrices.

    Returns
    -------
    Tensor
        ``(N, D2)``.
    """
    return torch.bmm(a.unsqueeze(1), b[idx.long()]).squeeze(1)
