"""Aggregation over rows, and the gradient of max and min through the recorded winners."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference._common import combine, narrow, sum_rows, take, widen
from gossamer.kernels.rows import row_of_slot


@kernel("spmm", operands=("u", "e"))
def spmm(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    u: Tensor | None,
    e: Tensor | None,
    op: str,
    reduce: str,
    return_argmax: bool = True,
) -> tuple[Tensor, Tensor | None]:
    r"""Reduce the messages of each row: ``out[r] = reduce_k op(u[indices[k]], e[eids[k]])``.

    Parameters
    ----------
    indptr, indices, eids : Tensor
        Compressed adjacency; slot ``k`` is edge ``k`` when `eids` is None.
    u, e : Tensor or None
        Features ``(N, *f_u)`` of the neighbors and ``(E, *f_e)`` of the edges.
    op : str
        One of copy_lhs, copy_rhs, add, sub, mul, div.
    reduce : str
        One of sum, mean, max, min. mean divides by the number of slots, including duplicates.
    return_argmax : bool
        Whether to return the argmax of max and min.

    Returns
    -------
    out : Tensor
        ``(R, *f_out)``; zero in rows without slots.
    arg : Tensor or None
        For max and min with `return_argmax`, the slot of the extremum, ``(R, *f_out)`` in the dtype
        of `indices`: the first of equal values, -1 in rows without slots. NaN is the extremum.
    """
    num_rows = len(indptr) - 1
    rows = row_of_slot(indptr)
    lhs = None if u is None else widen(u).index_select(0, indices)
    # There may be more edge features than slots; if `eids` is None, the leading ones are used.
    rhs = None if e is None else take(widen(e), eids)[: len(indices)]
    messages = combine(op, lhs, rhs)
    like = u if u is not None else e
    if reduce in ("sum", "mean"):
        whole = not (messages.is_floating_point() or messages.is_complex())
        if reduce == "mean" and whole:
            messages = messages.long()  # a sum of int8 may overflow where the mean does not
        out = sum_rows(messages, rows, num_rows)
        if reduce == "mean":
            degree = indptr.diff().clamp(min=1)
            out = out / degree.view(-1, *[1] * (out.dim() - 1)).to(out.dtype)
        return narrow(out, like), None
    out, arg = _extreme(messages, rows, num_rows, largest=reduce == "max")
    return narrow(out, like), arg.to(indices.dtype) if return_argmax else None


def _extreme(messages: Tensor, rows: Tensor, num_rows: int, largest: bool) -> tuple[Tensor, Tensor]:
    """Return each row's extreme value and the first slot that has it."""
    shape = (num_rows, *messages.shape[1:])
    index = rows.view(-1, *[1] * (messages.dim() - 1)).expand_as(messages)
    name = "amax" if largest else "amin"
    best = messages.new_zeros(shape).scatter_reduce_(0, index, messages, name, include_self=False)
    is_best = messages == best.index_select(0, rows)
    if messages.is_floating_point():
        # NaN is the extremum of a row that has one, and the first NaN is recorded.
        is_nan = messages.isnan()
        row_has_nan = torch.zeros(shape, dtype=torch.long, device=rows.device)
        row_has_nan.scatter_reduce_(0, index, is_nan.long(), "amax")
        best = best.masked_fill(row_has_nan.bool(), float("nan"))
        is_best = torch.where(row_has_nan.index_select(0, rows).bool(), is_nan, is_best)
    slots = torch.arange(len(rows), device=rows.device).view_as(rows)
    slots = slots.view(-1, *[1] * (messages.dim() - 1)).expand_as(messages)
    slots = slots.masked_fill(~is_best, len(rows))
    arg = torch.full(shape, -1, dtype=torch.long, device=rows.device)
    arg.scatter_reduce_(0, index, slots, "amin", include_self=False)
    return best, arg


@kernel("scaled_sum", operands=("x",))
def scaled_sum(
    indptr: Tensor,
    indices: Tensor,
    x: Tensor,
    neighbor_scale: Tensor | None,
    row_scale: Tensor | None,
    self_scale: Tensor | None = None,
) -> Tensor:
    r"""Sum scaled neighbors: ``out_r = b_r \sum_{k \in row} a_{indices_k} x_{indices_k} + c x_r``.

    Parameters
    ----------
    x : Tensor
        ``(N, *f)``.
    neighbor_scale, row_scale : Tensor or None
        ``(N,)`` and ``(R,)`` in the dtype of `x`; None is 1.
    self_scale : Tensor or None
        :math:`c`, ``(1,)`` in the dtype of `x`; None is 0. Not added to rows ``r >= N``.

    Returns
    -------
    Tensor
        ``(R, *f)``; a sum over no slots is 0.
    """
    ones = (1,) * (x.dim() - 1)
    messages = widen(x).index_select(0, indices)
    if neighbor_scale is not None:
        messages = messages * widen(neighbor_scale).index_select(0, indices).view(-1, *ones)
    out = sum_rows(messages, row_of_slot(indptr), len(indptr) - 1)
    if row_scale is not None:
        out = out * widen(row_scale).view(-1, *ones)
    if self_scale is not None:
        both = min(len(out), len(x))
        out[:both] += widen(self_scale) * widen(x[:both])
    return narrow(out, x)


@kernel("spmm_arg_backward", operands=("grad", "u", "e"))
def spmm_arg_backward(
    indices: Tensor,
    eids: Tensor | None,
    arg: Tensor,
    grad: Tensor,
    u: Tensor | None,
    e: Tensor | None,
    op: str,
    num_u: int,
    num_e: int,
    want_u: bool,
    want_e: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients of the operands of a max or min, through its argmax.

    Parameters
    ----------
    arg : Tensor
        ``(R, *f_out)``, the argmax that `spmm` returned.
    grad : Tensor
        ``(R, *f_out)``, the gradient of its output.
    u, e : Tensor or None
        The operands of the forward call; one that `op` ignores may be None.
    num_u, num_e : int
        Numbers of rows of the gradients.

    Returns
    -------
    tuple of (Tensor or None)
        Gradients in the shapes of `u` and `e`; slots that are not an extremum contribute zero.
    """
    rows, *feature = torch.where(arg >= 0)
    where = (rows, *feature)
    slot = arg[where].long()
    flow = widen(grad)[where]
    neighbor = indices[slot].long()
    edge = slot if eids is None else eids[slot].long()

    def pick(x: Tensor | None, ids: Tensor) -> Tensor | None:
        if op not in ("mul", "div"):
            return None
        return widen(x).expand(x.shape[0], *grad.shape[1:])[(ids, *feature)]

    def scatter(values: Tensor, ids: Tensor, count: int, x: Tensor | None) -> Tensor:
        full = values.new_zeros((count, *grad.shape[1:]))
        full.index_put_((ids, *feature), values, accumulate=True)
        shape = full.shape if x is None else (count, *x.shape[1:])
        return narrow(full.sum_to_size(shape), grad)

    x, w = pick(u, neighbor), pick(e, edge)
    grad_u = grad_e = None
    if want_u:
        slope = {"mul": lambda: w, "div": lambda: 1 / w}.get(op, lambda: 1)()
        grad_u = scatter(flow * slope, neighbor, num_u, u)
    if want_e:
        slopes = {"sub": lambda: -1, "mul": lambda: x, "div": lambda: -x / (w * w)}
        slope = slopes.get(op, lambda: 1)()
        grad_e = scatter(flow * slope, edge, num_e, e)
    return grad_u, grad_e
