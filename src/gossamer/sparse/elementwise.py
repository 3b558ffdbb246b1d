"""Elementwise arithmetic: with numbers and between matrices."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer._options import shown
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.ops.adjacency import Adjacency
from gossamer.ops.spgemm import match, sparse_sum
from gossamer.sparse._base import MatrixBase
from gossamer.sparse._check import (
    check_matrix,
    check_not_bool,
    check_number,
    check_same_shape,
    is_scalar,
)

if TYPE_CHECKING:
    from gossamer.sparse.matrix import SparseMatrix

__all__ = ["add", "div", "mul", "power", "sub"]


def add(A: SparseMatrix, B: SparseMatrix) -> SparseMatrix:
    """Add two sparse matrices.

    Parameters
    ----------
    A, B : SparseMatrix
        Matrices of the same shape, with values of the same shape.

    Returns
    -------
    SparseMatrix
        Coalesced matrix, with an entry wherever `A` or `B` has one.

    Raises
    ------
    InvalidTypeError
        If an operand is not a sparse matrix.
    InvalidValueError
        If shapes or devices differ.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.spmatrix(torch.tensor([[0], [1]]), torch.tensor([2.0]), (2, 2))
    >>> gsp.add(A, gsp.identity((2, 2))).to_dense()
    tensor([[1., 2.],
            [0., 1.]])
    """
    return _union(A, B, "add", B.val if isinstance(B, MatrixBase) else None)


def sub(A: SparseMatrix, B: SparseMatrix) -> SparseMatrix:
    """Subtract a sparse matrix from another; see :func:`add`.

    Examples
    --------
    >>> import gossamer.sparse as gsp
    >>> gsp.sub(gsp.identity((2, 2), dtype=None) * 3, gsp.identity((2, 2))).val
    tensor([2., 2.])
    """
    check_matrix(B, "sub", "B")
    return _union(A, B, "sub", -check_not_bool(B.val, "sub", "B"))


def _union(a: SparseMatrix, b: SparseMatrix, op: str, b_values: Tensor | None) -> SparseMatrix:
    check_matrix(a, op, "A")
    check_matrix(b, op, "B")
    check_same_shape(a, b, op)
    dtype = torch.promote_types(a.dtype, b.dtype)
    a, b = a.coalesce(), b.like(b.adjacency, b_values).coalesce()
    if a.adjacency is b.adjacency:
        return a.like(a.adjacency, a.val + b.val)
    return a.like(*sparse_sum(a.adjacency, b.adjacency, a.val.to(dtype), b.val.to(dtype)))


def mul(A: Any, B: Any) -> SparseMatrix:
    """Multiply a sparse matrix by a number, or two sparse matrices elementwise.

    Parameters
    ----------
    A, B : SparseMatrix, number or zero-dimensional tensor
        At least one must be a sparse matrix.

    Returns
    -------
    SparseMatrix
        For a number, a matrix with the same pattern. For two matrices, a coalesced matrix with the
        entries that both have.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        For other operands, and for matrices whose shapes or devices differ.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.spmatrix(torch.tensor([[0, 1], [1, 1]]), torch.tensor([2.0, 3.0]))
    >>> gsp.mul(A, 2).val
    tensor([4., 6.])
    >>> gsp.mul(A, gsp.identity((2, 2))).to_dense()
    tensor([[0., 0.],
            [0., 3.]])
    """
    if is_scalar(A):
        A, B = B, A
    check_matrix(A, "mul", "A")
    if is_scalar(B):
        check_number(B, "mul")
        return A.like(A.adjacency, A.val * B)
    check_matrix(B, "mul", "B")
    check_same_shape(A, B, "mul")
    a, b = A.coalesce(), B.coalesce()
    if a.adjacency is b.adjacency:
        return a.like(a.adjacency, a.val * b.val)
    in_b = match(a.adjacency, b.adjacency)
    in_a = (in_b >= 0).nonzero().squeeze(1)
    in_b = in_b.index_select(0, in_a)
    row, col = a.adjacency.coo()
    pattern = Adjacency(*a.shape, a.adjacency.idtype, coo=(row[in_a], col[in_a]))
    return a.like(pattern, a.val[in_a] * b.val[in_b])


def div(A: SparseMatrix, B: Any) -> SparseMatrix:
    """Divide a sparse matrix by a number or by a matrix with the same pattern.

    Parameters
    ----------
    A : SparseMatrix
    B : SparseMatrix, number or zero-dimensional tensor
        A matrix must have entries at the same positions as `A`, in any order. Neither may have
        duplicates.

    Returns
    -------
    SparseMatrix
        Matrix with the pattern of `A`.

    Raises
    ------
    InvalidTypeError
        If `A` is not a sparse matrix, or `B` is neither a matrix nor a number.
    InvalidValueError
        If the patterns differ: a quotient would be infinite or undefined outside of `B`.

    Examples
    --------
    >>> import gossamer.sparse as gsp
    >>> gsp.div(gsp.identity((2, 2)), 4).val
    tensor([0.2500, 0.2500])
    """
    check_matrix(A, "div", "A")
    if is_scalar(B):
        check_number(B, "div")
        return A.like(A.adjacency, A.val / B)
    check_matrix(B, "div", "B")
    check_same_shape(A, B, "div")
    if A.has_duplicate() or B.has_duplicate():
        raise InvalidValueError(
            "div: a matrix has several entries in one place. Call coalesce() on it first."
        )
    if A.adjacency is B.adjacency:
        return A.like(A.adjacency, A.val / B.val)
    at_b, entry = B.adjacency.edges_between(*A.adjacency.coo())
    if not len(at_b) == A.nnz == B.nnz:
        raise InvalidValueError(
            "div: the matrices must have entries in the same places. Of the "
            f"{A.nnz} entries of A, {len(at_b)} are among the {B.nnz} of B."
        )
    return A.like(A.adjacency, A.val / B.val[entry.long()])


def power(A: SparseMatrix, scalar: Any) -> SparseMatrix:
    """Raise each value of a sparse matrix to a power.

    Parameters
    ----------
    A : SparseMatrix
    scalar : number or zero-dimensional tensor
        The exponent.

    Returns
    -------
    SparseMatrix
        Matrix with the pattern of `A`.

    Raises
    ------
    InvalidTypeError
        If `scalar` is not a number.
    InvalidValueError
        If the exponent is negative and the values are integers.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.power(gsp.diag(torch.tensor([1.0, 4.0])), -0.5).val
    tensor([1.0000, 0.5000])
    """
    check_matrix(A, "power", "A")
    if not is_scalar(scalar):
        raise InvalidTypeError(f"power: the exponent must be a number, got {shown(scalar)}.")
    check_number(scalar, "power")
    # torch.compile cannot trace `torch.result_type`.
    if _is_integer(A.val) and _is_integer(scalar) and scalar < 0:
        raise InvalidValueError(
            f"power: integers have no negative powers, got the exponent {int(scalar)} for "
            f"{A.dtype}. Give {float(scalar)}, or convert the matrix with .to(dtype=torch.float32)."
        )
    return A.like(A.adjacency, A.val**scalar)


def _is_integer(x: Any) -> bool:
    if isinstance(x, Tensor):
        return not (x.is_floating_point() or x.is_complex())
    return isinstance(x, Integral)
