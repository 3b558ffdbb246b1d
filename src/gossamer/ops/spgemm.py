"""Products and sums of two sparse matrices, with gradients for the values of both.

A matrix consists of an adjacency, whose sources are rows and whose destinations are columns, and a
tensor of values by edge id.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.ops._register import plain
from gossamer.ops.adjacency import Adjacency, Compressed

__all__ = ["masked_product", "match", "sparse_product", "sparse_sum"]


def sparse_product(
    left: Adjacency, right: Adjacency, x: Tensor, y: Tensor
) -> tuple[Adjacency, Tensor]:
    """Multiply two matrices.

    Parameters
    ----------
    left, right : Adjacency
        ``(I, K)`` and ``(K, J)``.
    x, y : Tensor
        Values of `left` and `right`, one-dimensional, of one dtype.

    Returns
    -------
    pattern : Adjacency
        The entries that can be nonzero, ``(I, J)``, without duplicates, grouped by row.
    values : Tensor
        Differentiable any number of times.
    """
    return _Product.apply(x, y, left, right)


def sparse_sum(a: Adjacency, b: Adjacency, x: Tensor, y: Tensor) -> tuple[Adjacency, Tensor]:
    """Add two matrices.

    Parameters
    ----------
    a, b : Adjacency
        Matrices of the same shape. Edges are sorted by row and column, without duplicates.
    x, y : Tensor
        Values of `a` and `b`, ``(nnz, *f)`` of the same `f` and dtype.

    Returns
    -------
    union : Adjacency
        The entries of both matrices, sorted.
    values : Tensor
        Differentiable any number of times.
    """
    return _Sum.apply(x, y, a, b)


def match(a: Adjacency, b: Adjacency) -> Tensor:
    """For each edge of `a`, the edge of `b` in the same place, or -1; both as in `sparse_sum`."""
    return kernels.csr_match(*_of_one_dtype(*_sorted_rows(a), *_sorted_rows(b)), a.num_dst)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, left: Adjacency, right: Adjacency
    ) -> tuple[Adjacency, Tensor]:
        operands = _by_slot(left, x), _by_slot(right, y)
        pattern, values = _combine(kernels.csr_product, *operands, left, right)
        ctx.save_for_backward(x, y)
        ctx.patterns = pattern, left, right.reverse()
        return pattern, values

    @staticmethod
    def backward(ctx: Any, _: None, grad: Tensor) -> tuple[Tensor | None, ...]:
        return *_product_gradients(ctx, grad), None, None


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, a: Adjacency, b: Adjacency
    ) -> tuple[Adjacency, Tensor]:
        union, values = _combine(
            kernels.csr_sum, (*_sorted_rows(a), x), (*_sorted_rows(b), y), a, b
        )
        ctx.patterns = union, a, b
        return union, values

    @staticmethod
    def backward(ctx: Any, _: None, grad: Tensor) -> tuple[Tensor | None, ...]:
        union, *parts = ctx.patterns
        wanted = zip(parts, ctx.needs_input_grad, strict=False)
        grads = (
            grad.index_select(0, match(part, union)) if want else None for part, want in wanted
        )
        return *grads, None, None


def _combine(
    kernel: Any,
    first: tuple[Tensor, Tensor, Tensor],
    second: tuple[Tensor, Tensor, Tensor],
    a: Adjacency,
    b: Adjacency,
) -> tuple[Adjacency, Tensor]:
    """Run a kernel that combines two matrices, given as ``(indptr, indices, values by slot)``."""
    (*rows, x), (*others, y) = first, second
    ids = _of_one_dtype(*rows, *others)
    dtype = x.dtype
    x, y = _wide(x), _wide(y)
    indptr, indices, values = kernel(*ids[:2], plain(x), *ids[2:], plain(y), b.num_dst)
    idtype = torch.promote_types(a.idtype, b.idtype)
    pattern = Adjacency(a.num_src, b.num_dst, idtype, csr=Compressed(indptr, indices, None))
    return pattern, values.to(dtype)


def _by_slot(adjacency: Adjacency, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    indptr, indices, eids = adjacency.csr()
    return indptr, indices, values if eids is None else values.index_select(0, eids)


def _sorted_rows(adjacency: Adjacency) -> tuple[Tensor, Tensor]:
    """Row pointers and columns of edges that are sorted by row and column."""
    indptr, indices, eids = adjacency.csr()
    return indptr, indices if eids is None else adjacency.coo()[1]


def _of_one_dtype(*ids: Tensor) -> tuple[Tensor, ...]:
    narrow = all(part.dtype is torch.int32 for part in ids)
    return ids if narrow else tuple(part.to(torch.int64) for part in ids)


def _wide(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def masked_product(
    mask: Adjacency, left: Adjacency, right: Adjacency, x: Tensor, y: Tensor
) -> Tensor:
    r"""Multiply two sparse matrices and keep only the entries of a pattern.

    .. math:: out_{(i, j)} = \sum_k x_{(i, k)} \, y_{(j, k)}

    All gradients are products of the same kind, so the result can be differentiated any number of
    times.

    Parameters
    ----------
    mask, left, right : Adjacency
        ``(I, J)``, ``(I, K)`` and ``(J, K)``.
    x, y : Tensor
        Values of `left` and `right`, one-dimensional, of one dtype.

    Returns
    -------
    Tensor
        A value for each entry of `mask`.
    """
    return _MaskedProduct.apply(x, y, mask, left, right)


class _MaskedProduct(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, mask: Adjacency, left: Adjacency, right: Adjacency
    ) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.patterns = mask, left, right
        return _compute(mask, left, right, x, y)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        return *_product_gradients(ctx, grad), None, None, None


def _product_gradients(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
    x, y = ctx.saved_tensors
    mask, left, right = ctx.patterns
    grad_x = grad_y = None
    if ctx.needs_input_grad[0]:
        grad_x = masked_product(left, mask, right.reverse(), grad, y)
    if ctx.needs_input_grad[1]:
        grad_y = masked_product(right, mask.reverse(), left.reverse(), grad, x)
    return grad_x, grad_y


def _compute(mask: Adjacency, left: Adjacency, right: Adjacency, x: Tensor, y: Tensor) -> Tensor:
    dtype = x.dtype
    x, y = _wide(x), _wide(y)
    # The two forms read a row of `right`, by inner or outer index, for each entry of `left` or
    # `mask`. Compare the numbers of entries read, given the mean lengths of these rows.
    by_inner = left.num_edges * right.num_src <= mask.num_edges * right.num_dst
    out = kernels.masked_product(
        tuple(mask.csr()),
        tuple(left.csr()),
        tuple(right.csc() if by_inner else right.csr()),
        plain(x),
        plain(y),
        right.num_dst,
        mask.num_dst,
        by_inner,
    )
    return out.to(dtype)
