"""Reductions and matrix products over segments of rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer._options import one_of
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.ops import _torch
from gossamer.ops._check import (
    check_dtype,
    check_lengths,
    checks_later,
    counted,
    outside_transforms,
    requires_grad,
)
from gossamer.ops._products import segment_structure, spmm
from gossamer.ops._register import differentiable, opaque, plain, settled
from gossamer.ops.csr import coo_to_csr, refuse_transformed

__all__ = ["gather_mm", "segment_mm", "segment_reduce"]

_REDUCERS = ("sum", "mean", "max", "min")


def segment_reduce(seglen: Tensor, value: Tensor, reducer: str = "sum") -> Tensor:
    r"""Reduce consecutive segments of rows.

    .. math:: out_i = \operatorname{reduce}_{j = o_i}^{o_{i+1} - 1} x_j, \quad
        o_i = \sum_{k < i} \text{seglen}_k

    Parameters
    ----------
    seglen : Tensor
        ``(B,)``, the length of each segment. Lengths add up to N.
    value : Tensor
        Rows ``(N, *f)``.
    reducer : {"sum", "mean", "max", "min"}
        Reduction. The result of an empty segment is 0.

    Returns
    -------
    Tensor
        ``(B, *f)``. Differentiable; twice for sum and mean. Sums of integers or booleans are int64,
        as in `torch.sum`, and their means are floating-point.

    Examples
    --------
    >>> import torch
    >>> segment_reduce(torch.tensor([2, 0, 1]), torch.tensor([1.0, 2.0, 5.0]))
    tensor([3., 0., 5.])
    """
    one_of(reducer, "segment_reduce", "reducer", _REDUCERS)
    sums = reducer in ("sum", "mean")
    seglen = check_lengths(seglen, value, "segment_reduce", "value", counts=sums)
    if sums:
        value = counted(value)
    structure = segment_structure(seglen, value)
    return spmm(structure, None, value, "copy_rhs", reducer)


def segment_mm(a: Tensor, b: Tensor, seglen_a: Tensor) -> Tensor:
    r"""Multiply each segment of rows by its own matrix.

    .. math:: out_j = a_j \, b_r \quad \text{for every row } j \text{ of segment } r

    Parameters
    ----------
    a : Tensor
        ``(N, D_in)``, rows grouped by segment.
    b : Tensor
        ``(R, D_in, D_out)``, one matrix for each segment.
    seglen_a : Tensor
        ``(R,)``, the number of rows in each segment. Lengths add up to N.

    Returns
    -------
    Tensor
        ``(N, D_out)``; int64 for integers. Differentiable.

    Examples
    --------
    >>> import torch
    >>> a, b = torch.ones(3, 2), torch.tensor([1.0, 2.0]).view(2, 1, 1).expand(2, 2, 1)
    >>> segment_mm(a, b, torch.tensor([1, 2])).flatten()
    tensor([2., 4., 4.])
    """
    a, b = _matched(a, b, "segment_mm")
    seglen_a = check_lengths(seglen_a, a, "segment_mm", "a")
    if b.shape[0] != seglen_a.shape[0]:
        raise InvalidValueError(
            f"segment_mm: {seglen_a.shape[0]} segments need as many matrices, got {b.shape[0]}."
        )
    return _segment_mm(a, b, seglen_a)


def gather_mm(a: Tensor, b: Tensor, *, idx_b: Tensor) -> Tensor:
    r"""Multiply each row by the matrix that its index selects.

    .. math:: out_j = a_j \, b_{idx_j}

    Parameters
    ----------
    a : Tensor
        Rows ``(N, D_in)``.
    b : Tensor
        Matrices ``(R, D_in, D_out)``.
    idx_b : Tensor
        ``(N,)``, the index in `b` of the matrix of each row, from 0 to R - 1. For sorted rows,
        :func:`segment_mm` is faster.

    Returns
    -------
    Tensor
        ``(N, D_out)``; int64 for integers. Differentiable.

    Examples
    --------
    >>> import torch
    >>> a, b = torch.ones(3, 2), torch.tensor([1.0, 2.0]).view(2, 1, 1).expand(2, 2, 1)
    >>> gather_mm(a, b, idx_b=torch.tensor([1, 0, 1])).flatten()
    tensor([4., 2., 4.])
    """
    a, b = _matched(a, b, "gather_mm")
    if not isinstance(idx_b, Tensor) or idx_b.dtype not in (torch.int32, torch.int64):
        raise InvalidTypeError("gather_mm: idx_b must be an int32 or int64 tensor.")
    if idx_b.shape != a.shape[:1]:
        raise InvalidValueError(
            f"gather_mm: idx_b must name one matrix for each of {a.shape[0]} rows, got shape "
            f"{tuple(idx_b.shape)}."
        )
    if idx_b.device != a.device:
        raise InvalidValueError(
            f"gather_mm: idx_b is on {idx_b.device} but a is on {a.device}. "
            "Move one of them with .to(...)."
        )
    refuse_transformed(idx_b, "matrix numbers idx_b of gather_mm")
    if checks_later(idx_b):
        fits = ((idx_b >= 0) & (idx_b < b.shape[0])).all()
        _torch.assert_async(fits, "gather_mm: idx_b must name matrices of b.")
    elif idx_b.numel():
        low, high = (int(x) for x in torch.aminmax(idx_b))
        if low < 0 or high >= b.shape[0]:
            raise OutOfRangeError(
                f"gather_mm: idx_b must be in 0 ... {b.shape[0] - 1}, got {low} ... {high}."
            )
    seglen, order, place = outside_transforms(lambda: _grouping(idx_b, b.shape[0]))
    if order is None:
        return _segment_mm(a, b, seglen)
    if any(requires_grad(a, b)):
        return _rows(_segment_mm(_rows(a, order, place), b, seglen), place, order)
    return _gather_mm(a, b, seglen, order, place)


def _grouping(idx: Tensor, count: int) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Group rows by matrix, so that each group is a single product.

    Returns the number of rows of each matrix, the rows in their new order, and the new position of
    each row; the latter two are None if the rows are already grouped.
    """
    indptr, _, order = coo_to_csr(idx, idx, count, torch.int64)
    if order is None:
        return indptr.diff(), None, None
    place = order.scatter(0, order, torch.arange(order.shape[0], device=order.device))
    return indptr.diff(), order, place


def _matched(a: Any, b: Any, op: str) -> tuple[Tensor, Tensor]:
    """Check that the operands match; under autocast, cast them to the dtype of matrix products.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If an operand is not a tensor of the right shape, or the operands differ in dtype or device.
    """
    for name, x, dims in (("a", a, 2), ("b", b, 3)):
        if not isinstance(x, Tensor):
            raise InvalidTypeError(f"{op}: {name} must be a tensor, got {type(x).__name__}.")
        if x.dim() != dims:
            raise InvalidValueError(
                f"{op}: {name} must be a tensor of {dims} dimensions, got {tuple(x.shape)}."
            )
        check_dtype(x, op, name)
    if a.shape[1] != b.shape[1]:
        raise InvalidValueError(
            f"{op}: rows of a have {a.shape[1]} columns but matrices of b have {b.shape[1]} rows."
        )
    if a.device != b.device:
        raise InvalidValueError(
            f"{op}: a is on {a.device} but b is on {b.device}. Move one of them with .to(...)."
        )
    kind = a.device.type
    if torch.is_autocast_enabled(kind) and torch.float64 not in (a.dtype, b.dtype):
        low = torch.get_autocast_dtype(kind)
        return a.to(low), b.to(low)
    if a.dtype != b.dtype:
        raise InvalidTypeError(
            f"{op}: a is {a.dtype} and b is {b.dtype}; convert one with .to(dtype)."
        )
    return counted(a), counted(b)


def _rows_kernel(x: Tensor, ids: Tensor, back: Tensor) -> Tensor:
    out = kernels.empty((ids.shape[0], *x.shape[1:]), x.dtype, x.device)
    return torch.index_select(x.detach(), 0, ids, out=out)


def _rows_setup(ctx: Any, inputs: tuple, output: Tensor) -> None:
    _, ctx.ids, ctx.back = inputs


def _rows_backward(ctx: Any, grad: Tensor) -> tuple:
    return _rows(grad, ctx.back, ctx.ids), None, None


# The rows of x in the order `ids`; `back` is the inverse permutation.
_rows = differentiable(
    "permute_rows",
    "(Tensor x, Tensor ids, Tensor back) -> Tensor",
    kernel=_rows_kernel,
    fake=lambda x, ids, back: torch.empty_like(x, memory_format=torch.contiguous_format),
    setup=_rows_setup,
    backward=_rows_backward,
    batches=False,
)


def _kernel(a: Tensor, b: Tensor, seglen: Tensor) -> Tensor:
    return kernels.segment_mm(plain(a), settled(b), seglen)


def _fake(a: Tensor, b: Tensor, seglen: Tensor) -> Tensor:
    return a.new_empty((a.shape[0], b.shape[2]))


def _setup(ctx: Any, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx: Any, grad: Tensor) -> tuple:
    a, b, seglen = ctx.saved_tensors
    want_a, want_b, _ = ctx.needs_input_grad
    grad_a = _segment_mm(grad, b.transpose(1, 2), seglen) if want_a else None
    grad_b = _segment_outer(a, grad, seglen) if want_b else None
    return grad_a, grad_b, None


_segment_mm = differentiable(
    "segment_mm",
    "(Tensor a, Tensor b, Tensor seglen) -> Tensor",
    kernel=_kernel,
    fake=_fake,
    setup=_setup,
    backward=_backward,
    batches=False,
)


def _gather_kernel(a: Tensor, b: Tensor, seglen: Tensor, order: Tensor, place: Tensor) -> Tensor:
    rows = kernels.scratch(a.shape, a.dtype, a.device)
    torch.index_select(a.detach(), 0, order, out=rows)
    shape = a.shape[0], b.shape[2]
    products = kernels.segment_mm(
        rows, settled(b), seglen, kernels.scratch(shape, a.dtype, a.device)
    )
    del rows  # The result may reuse its memory.
    return torch.index_select(products, 0, place, out=kernels.empty(shape, a.dtype, a.device))


def _gather_fake(a: Tensor, b: Tensor, seglen: Tensor, order: Tensor, place: Tensor) -> Tensor:
    return _fake(a, b, seglen)


# `_rows`, `_segment_mm` and `_rows` in one operator without a gradient, which frees intermediate
# results.
_gather_mm = opaque(
    "gather_mm",
    "(Tensor a, Tensor b, Tensor seglen, Tensor order, Tensor place) -> Tensor",
    kernel=_gather_kernel,
    fake=_gather_fake,
)


def _outer_kernel(a: Tensor, b: Tensor, seglen: Tensor) -> Tensor:
    return kernels.segment_outer(plain(a).detach(), plain(b).detach(), seglen)


def _outer_fake(a: Tensor, b: Tensor, seglen: Tensor) -> Tensor:
    return a.new_empty((seglen.shape[0], a.shape[1], b.shape[1]))


def _outer_backward(ctx: Any, grad: Tensor) -> tuple:
    a, b, seglen = ctx.saved_tensors
    want_a, want_b, _ = ctx.needs_input_grad
    grad_a = _segment_mm(b, grad.transpose(1, 2), seglen) if want_a else None
    grad_b = _segment_mm(a, grad, seglen) if want_b else None
    return grad_a, grad_b, None


# out[r] = a_r^T b_r, where a_r and b_r are the rows of segment r.
_segment_outer = differentiable(
    "segment_outer",
    "(Tensor a, Tensor b, Tensor seglen) -> Tensor",
    kernel=_outer_kernel,
    fake=_outer_fake,
    setup=_setup,
    backward=_outer_backward,
    batches=False,
)
