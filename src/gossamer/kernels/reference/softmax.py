"""Softmax over the edges of each row."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference._common import narrow, sum_rows, take, widen
from gossamer.kernels.rows import row_of_slot


@kernel("edge_softmax", operands=("logits",))
def edge_softmax(indptr: Tensor, eids: Tensor | None, logits: Tensor) -> Tensor:
    r"""Normalize the logits of each row: ``out_e = exp(x_e) / sum_{e' in row} exp(x_{e'})``.

    Parameters
    ----------
    indptr, eids : Tensor
        Slots of each row and their edge ids (None: slot ``k`` is edge ``k``).
    logits : Tensor
        ``(E, *f)``; each feature column is normalized separately.

    Returns
    -------
    Tensor
        ``(E, *f)`` in the order of the edge ids.
    """
    rows = row_of_slot(indptr)
    num_rows = len(indptr) - 1
    x = take(widen(logits), eids)
    index = rows.view(-1, *[1] * (x.dim() - 1)).expand_as(x)
    peak = x.new_zeros((num_rows, *x.shape[1:])).scatter_reduce_(
        0, index, x, "amax", include_self=False
    )
    weight = (x - peak.index_select(0, rows)).exp()
    total = sum_rows(weight, rows, num_rows)
    return _by_edge(weight / total.index_select(0, rows), eids, logits)


@kernel("edge_softmax_backward", operands=("out", "grad"))
def edge_softmax_backward(indptr: Tensor, eids: Tensor | None, out: Tensor, grad: Tensor) -> Tensor:
    r"""Return ``out * (grad - sum_{e' in row} out_{e'} grad_{e'})``, the gradient of the logits."""
    rows = row_of_slot(indptr)
    y, g = take(widen(out), eids), take(widen(grad), eids)
    inner = sum_rows(y * g, rows, len(indptr) - 1)
    return _by_edge(y * (g - inner.index_select(0, rows)), eids, out)


def _by_edge(values: Tensor, eids: Tensor | None, like: Tensor) -> Tensor:
    """Put values that are in slot order into the order of the edge ids."""
    values = narrow(values, like)
    if eids is None:
        return values
    return torch.index_copy(torch.zeros_like(like), 0, eids.long(), values)
