"""Computation of edge values from the features of the endpoints."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference._common import combine, narrow, take, widen


@kernel("sddmm", operands=("lhs", "rhs"))
def sddmm(
    src: Tensor,
    dst: Tensor,
    eids: Tensor | None,
    lhs: Tensor | None,
    rhs: Tensor | None,
    op: str,
    lhs_target: str,
    rhs_target: str,
) -> Tensor:
    """Combine two operands on each edge: ``out[eids[k]] = op(lhs[.], rhs[.])``.

    Parameters
    ----------
    src, dst, eids : Tensor
        Edge ``src[k] -> dst[k]`` has id ``eids[k]``, or ``k`` when `eids` is None.
    lhs, rhs : Tensor or None
        Operands; a copy ignores one of them, which may be None.
    op : str
        One of add, sub, mul, div, dot, copy_lhs, copy_rhs. dot sums over the last dimension,
        which is kept with size 1.
    lhs_target, rhs_target : str
        What an operand belongs to: ``"u"`` (source), ``"v"`` (destination) or ``"e"`` (edge).

    Returns
    -------
    Tensor
        ``(E, *f_out)``, ordered by edge id.
    """
    ids = {"u": src, "v": dst, "e": eids}
    num_edges = len(src)

    def gather(x: Tensor | None, target: str) -> Tensor | None:
        return None if x is None else take(widen(x), ids[target])

    values = combine(op, gather(lhs, lhs_target), gather(rhs, rhs_target))
    values = narrow(values, lhs if lhs is not None else rhs)
    if eids is None:
        # Otherwise, copying an edge operand would return the operand itself.
        return values.clone() if values is lhs or values is rhs else values
    out = values.new_empty((num_edges, *values.shape[1:]))
    return torch.index_copy(out, 0, eids.long(), values)
