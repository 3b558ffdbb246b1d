"""Matrix products with one weight per group of rows."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel


@kernel("segment_mm", operands=("a", "b"))
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
        Contiguous tensor for the result.

    Returns
    -------
    Tensor
        ``(N, D2)``.
    """
    group = torch.arange(len(b), device=b.device).repeat_interleave(seglen.to(b.device).long())
    products = torch.bmm(a.unsqueeze(1), b[group]).squeeze(1)
    return products if out is None else out.copy_(products)


@kernel("segment_outer", operands=("a", "b"))
def segment_outer(a: Tensor, b: Tensor, seglen: Tensor) -> Tensor:
    """Multiply the transpose of each segment of `a` by that of `b`: ``out[r] = a_r.T @ b_r``.

    Parameters
    ----------
    a, b : Tensor
        ``(N, D1)`` and ``(N, D2)``; the first ``seglen[0]`` rows belong to segment 0, and so on.
    seglen : Tensor
        ``(R,)`` lengths that add up to ``N``.

    Returns
    -------
    Tensor
        ``(R, D1, D2)``, zero for a segment without rows.
    """
    lengths = seglen.tolist()
    out = a.new_empty((len(lengths), a.shape[1], b.shape[1]))
    for x, y, to in zip(a.split(lengths), b.split(lengths), out.unbind(), strict=True):
        torch.mm(x.t(), y, out=to)
    return out
