"""Products of two sparse matrices, with gradients for the values of both.

A matrix is an adjacency, rows as sources and columns as destinations, and a tensor of values by
edge id.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.ops._register import plain
from gossamer.ops.adjacency import Adjacency, Compressed

__all__ = ["masked_product", "merge_patterns", "product_pattern"]


def product_pattern(left: Adjacency, right: Adjacency) -> Adjacency:
    """Return where the product of two matrices can differ from 0, each place once.

    Parameters
    ----------
    left, right : Adjacency
        ``(I, K)`` and ``(K, J)``.

    Returns
    -------
    Adjacency
        ``(I, J)``, edges grouped by row.
    """
    first, second = left.csr(), right.csr()
    dtype = torch.promote_types(first.indptr.dtype, second.indptr.dtype)
    parts = (part.to(dtype) for part in (*first[:2], *second[:2]))
    indptr, indices = kernels.spgemm_pattern(*parts, right.num_dst)
    idtype = torch.promote_types(left.idtype, right.idtype)
    csr = Compressed(indptr, indices, None)
    return Adjacency(left.num_src, right.num_dst, idtype, csr=csr)


def merge_patterns(a: Adjacency, b: Adjacency) -> tuple[Adjacency, Tensor, Tensor]:
    """Return the union of two patterns, and the place of each entry of both in it.

    Parameters
    ----------
    a, b : Adjacency
        Of one shape; edges sorted by row and column, without duplicates.

    Returns
    -------
    union : Adjacency
        Edges sorted by row and column.
    from_a, from_b : Tensor
        An edge of the union for each edge of `a` and `b`.
    """
    first, second = a.csr(), b.csr()
    dtype = torch.promote_types(first.indptr.dtype, second.indptr.dtype)
    parts = (None if part is None else part.to(dtype) for part in (*first, *second))
    indptr, indices, from_a, from_b = kernels.csr_union(*parts)
    idtype = torch.promote_types(a.idtype, b.idtype)
    union = Adjacency(a.num_src, a.num_dst, idtype, csr=Compressed(indptr, indices, None))
    return union, from_a, from_b


def masked_product(
    mask: Adjacency, left: Adjacency, right: Adjacency, x: Tensor, y: Tensor
) -> Tensor:
    r"""Multiply two sparse matrices and keep the entries on a pattern.

    .. math:: out_{(i, j)} = \sum_k x_{(i, k)} \, y_{(j, k)}

    With the pattern of the product as the mask this is the whole product. All gradients are
    products of the same kind, so it can be differentiated any number of times.

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
        x, y = ctx.saved_tensors
        mask, left, right = ctx.patterns
        grad_x = grad_y = None
        if ctx.needs_input_grad[0]:
            grad_x = masked_product(left, mask, right.reverse(), grad, y)
        if ctx.needs_input_grad[1]:
            grad_y = masked_product(right, mask.reverse(), left.reverse(), grad, x)
        return grad_x, grad_y, None, None, None


def _compute(mask: Adjacency, left: Adjacency, right: Adjacency, x: Tensor, y: Tensor) -> Tensor:
    dtype = x.dtype
    if dtype in (torch.float16, torch.bfloat16):
        x, y = x.float(), y.float()
    # Either form reads a row of `right` for each entry of `left` or of `mask`: of the mean length
    # of its rows, by inner or by outer index.
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
