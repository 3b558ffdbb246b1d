"""Aggregation over rows, and the gradient of max and min through the argmax."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import DTYPES, FLOATS, OPS, REDUCES, address, broadcast, core


@kernel("spmm", device="cpu", dtypes=FLOATS)
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
    """Reduce the messages of each row; see `gossamer.kernels.reference.spmm`."""
    like = e if u is None else u
    plan = broadcast(None if u is None else u.shape[1:], None if e is None else e.shape[1:])
    num_rows = indptr.shape[0] - 1
    shape = (num_rows, *plan.shape)
    out = _common.empty(shape, like.dtype)
    recorded = return_argmax and reduce in ("max", "min")
    arg = _common.empty(shape, indptr.dtype) if recorded else None
    if out.numel():
        core.spmm(
            indptr=indptr.data_ptr(),
            indices=indices.data_ptr(),
            eids=address(eids),
            wide=indptr.dtype is torch.int64,
            num_rows=num_rows,
            num_slots=indices.shape[0],
            u=address(u),
            u_width=plan.lhs_width,
            e=address(e),
            e_width=plan.rhs_width,
            outer=plan.outer,
            inner=plan.inner,
            u_offsets=plan.lhs_offsets,
            e_offsets=plan.rhs_offsets,
            u_step=plan.lhs_step,
            e_step=plan.rhs_step,
            dtype=DTYPES[like.dtype],
            op=OPS[op],
            reduce=REDUCES[reduce],
            out=out.data_ptr(),
            arg=address(arg),
            threads=torch.get_num_threads(),
        )
    return out, arg


@kernel("scaled_sum", device="cpu", dtypes=FLOATS)
def scaled_sum(
    indptr: Tensor,
    indices: Tensor,
    x: Tensor,
    neighbor_scale: Tensor | None,
    row_scale: Tensor | None,
    self_scale: Tensor | None = None,
) -> Tensor:
    """Sum scaled neighbors; see `gossamer.kernels.reference.scaled_sum`."""
    num_rows = indptr.shape[0] - 1
    out = _common.empty((num_rows, *x.shape[1:]), x.dtype)
    if out.numel():
        core.scaled_sum(
            indptr=indptr.data_ptr(),
            indices=indices.data_ptr(),
            wide=indptr.dtype is torch.int64,
            num_rows=num_rows,
            num_slots=indices.shape[0],
            x=x.data_ptr(),
            width=prod(x.shape[1:]),
            neighbor_scale=address(neighbor_scale),
            row_scale=address(row_scale),
            self_scale=address(self_scale),
            self_rows=x.shape[0],
            dtype=DTYPES[x.dtype],
            out=out.data_ptr(),
            threads=torch.get_num_threads(),
        )
    return out


@kernel("spmm_arg_backward", device="cpu", dtypes=FLOATS)
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
    """Return the gradients of a max or min; see `reference.spmm_arg_backward`."""
    u_shape = grad.shape[1:] if u is None else u.shape[1:]
    e_shape = grad.shape[1:] if e is None else e.shape[1:]
    plan = broadcast(u_shape, e_shape)
    columns = prod(plan.shape)

    def total(rows: int, shape: torch.Size, width: int) -> Tensor:
        # 16-bit gradients are summed in float32, those of a broadcast operand in float64.
        wide = grad.dtype is torch.float64 or width != columns
        return _common.zeros((rows, *shape), torch.float64 if wide else torch.float32)

    grad_u = total(num_u, u_shape, plan.lhs_width) if want_u else None
    grad_e = total(num_e, e_shape, plan.rhs_width) if want_e else None
    if grad.numel():
        core.spmm_backward(
            indices=indices.data_ptr(),
            eids=address(eids),
            wide=indices.dtype is torch.int64,
            arg=arg.data_ptr(),
            grad=grad.data_ptr(),
            num_rows=grad.shape[0],
            u=address(u),
            u_width=plan.lhs_width,
            e=address(e),
            e_width=plan.rhs_width,
            outer=plan.outer,
            inner=plan.inner,
            u_offsets=plan.lhs_offsets,
            e_offsets=plan.rhs_offsets,
            u_step=plan.lhs_step,
            e_step=plan.rhs_step,
            dtype=DTYPES[grad.dtype],
            op=OPS[op],
            grad_u=address(grad_u),
            grad_e=address(grad_e),
            threads=torch.get_num_threads(),
        )
    return (
        None if grad_u is None else grad_u.to(grad.dtype),
        None if grad_e is None else grad_e.to(grad.dtype),
    )
