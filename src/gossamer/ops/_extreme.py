"""The gradient of max and min reductions of messages, computed from the argmax."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.ops._register import opaque, plain

__all__ = ["arg_backward", "reduce_features"]


def arg_backward(
    ctx: Any,
    grad: Tensor,
    u: Tensor | None,
    e: Tensor | None,
    arg: Tensor,
    want_u: bool,
    want_e: bool,
) -> tuple[Tensor | None, Tensor | None]:
    shape_u, shape_e = ctx.shapes
    if torch.is_grad_enabled():
        # A second derivative is needed: use operations that torch can differentiate.
        grads = _arg_formula(ctx, grad, u, e, arg, want_u, want_e)
        return tuple(
            None if x is None else reduce_features(x, shape)
            for x, shape in zip(grads, ctx.shapes, strict=True)
        )
    rows_u = shape_u[0] if want_u else -1
    rows_e = shape_e[0] if want_e else -1
    grads = _arg_grad(*ctx.structure[4:6], arg, grad, u, e, ctx.op, rows_u, rows_e)
    return (
        reduce_features(grads[0], shape_u) if want_u else None,
        reduce_features(grads[1], shape_e) if want_e else None,
    )


def _arg_formula(
    ctx: Any,
    grad: Tensor,
    u: Tensor | None,
    e: Tensor | None,
    arg: Tensor,
    want_u: bool,
    want_e: bool,
) -> tuple[Tensor | None, Tensor | None]:
    indices, eids = ctx.structure[4:6]
    feature = grad.shape[1:]
    found = arg >= 0
    flow = grad.masked_fill(~found, 0)  # not a product: the gradient may be infinite there
    if indices.shape[0] == 0:
        # There is no extremum, and there may be no row to read.
        neighbor = edge = arg[:0].long()
        flow, found = flow[:0], found[:0]
    else:
        slot = arg.clamp(min=0).long()
        neighbor = indices[slot].long()
        edge = slot if eids is None else eids[slot].long()

    def pick(x: Tensor, ids: Tensor) -> Tensor:
        # Without an extremum, an arbitrary row was read; ignore its values.
        return x.expand(x.shape[0], *feature).gather(0, ids).masked_fill(~found, 1)

    def scatter(values: Tensor, ids: Tensor, shape: torch.Size) -> Tensor:
        return values.new_zeros((shape[0], *feature)).scatter_add(0, ids, values)

    shape_u, shape_e = ctx.shapes
    grad_u = grad_e = None
    slope = flow
    if ctx.op == "mul":
        slope = flow * pick(e, edge)
    elif ctx.op == "div":
        slope = flow / pick(e, edge)
    if want_u:
        grad_u = scatter(slope, neighbor, shape_u)
    if want_e:
        if ctx.op == "mul":
            slope = flow * pick(u, neighbor)
        elif ctx.op == "div":
            slope = -slope * pick(u, neighbor) / pick(e, edge)
        grad_e = scatter(-slope if ctx.op == "sub" else slope, edge, shape_e)
    return grad_u, grad_e


def _arg_kernel(
    indices: Tensor,
    eids: Tensor | None,
    arg: Tensor,
    grad: Tensor,
    u: Tensor | None,
    e: Tensor | None,
    op: str,
    rows_u: int,
    rows_e: int,
) -> tuple[Tensor, Tensor]:
    wants = rows_u >= 0, rows_e >= 0
    rows = max(rows_u, 0), max(rows_e, 0)
    operands = plain(grad), plain(u), plain(e)
    grads = kernels.spmm_arg_backward(indices, eids, arg, *operands, op, *rows, *wants)
    return tuple(grad.new_empty(0) if x is None else x for x in grads)


def _arg_fake(
    indices: Tensor,
    eids: Tensor | None,
    arg: Tensor,
    grad: Tensor,
    u: Tensor | None,
    e: Tensor | None,
    op: str,
    rows_u: int,
    rows_e: int,
) -> tuple[Tensor, Tensor]:
    def like(x: Tensor | None, rows: int) -> Tensor:
        feature = grad.shape[1:] if x is None else x.shape[1:]
        return grad.new_empty((rows, *feature) if rows >= 0 else (0,))

    return like(u, rows_u), like(e, rows_e)


_arg_grad = opaque(
    "spmm_winners_backward",
    "(Tensor indices, Tensor? eids, Tensor arg, Tensor grad, Tensor? u, Tensor? e, str op,"
    " SymInt rows_u, SymInt rows_e) -> (Tensor, Tensor)",
    kernel=_arg_kernel,
    fake=_arg_fake,
)


def reduce_features(x: Tensor, shape: torch.Size) -> Tensor:
    """Sum `x` over the feature dimensions in which `shape` was broadcast; rows stay."""
    if x.shape[1:] == shape[1:]:
        return x
    return x.sum_to_size((x.shape[0], *shape[1:]))
