"""Products: sparse times dense, sparse times sparse, and dense times dense on a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.ops.adjacency import Adjacency
from gossamer.ops.spgemm import sparse_product
from gossamer.sparse._base import MatrixBase
from gossamer.sparse._check import check_dense, check_matrix

if TYPE_CHECKING:
    from gossamer.sparse.matrix import SparseMatrix

__all__ = ["bsddmm", "bspmm", "matmul", "sddmm", "spmm", "spspmm"]


def spmm(A: SparseMatrix, X: Tensor) -> Tensor:
    """Multiply a sparse matrix by a dense one.

    Parameters
    ----------
    A : SparseMatrix
        ``(N, M)`` with scalar values. For values of shape ``(D,)``, see :func:`bspmm`.
    X : Tensor
        ``(M,)`` or ``(M, K)``, in the dtype of `A`.

    Returns
    -------
    Tensor
        ``(N,)`` or ``(N, K)``.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        For operands of another type, dtype, device or shape.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.spmatrix(torch.tensor([[0, 1, 1], [1, 0, 1]]), torch.tensor([1.0, 2.0, 3.0]))
    >>> gsp.spmm(A, torch.tensor([[1.0], [10.0]]))
    tensor([[10.],
            [32.]])
    """
    check_matrix(A, "spmm", "A")
    check_dense(X, A, "spmm", "X")
    fits = X.dim() in (1, 2) if not A.value_shape else X.dim() == 3
    fits = fits and X.shape[0] == A.shape[1] and tuple(X.shape[2:]) == A.value_shape
    if not fits:
        rows = A.shape[1]
        wanted = (
            f"({rows}, K, {A.value_shape[0]})" if A.value_shape else f"({rows},) or ({rows}, K)"
        )
        raise InvalidValueError(
            f"spmm: a matrix of shape {A.shape} with values of shape {A.value_shape} is multiplied "
            f"by a tensor of shape {wanted}, got {tuple(X.shape)}."
        )
    relation = _by_row(A.adjacency)
    if A.explicit_values is None:
        return ops.gspmm(relation, "copy_lhs", "sum", X, None)
    weight = A.val.unsqueeze(1) if A.value_shape else A.val
    return ops.gspmm(relation, "mul", "sum", X, weight)


def bspmm(A: SparseMatrix, X: Tensor) -> Tensor:
    r"""Multiply a batch of sparse matrices with one pattern by a batch of dense matrices.

    .. math:: out_{:,:,d} = A_d X_{:,:,d}

    Parameters
    ----------
    A : SparseMatrix
        ``(N, M)`` with values of shape ``(D,)``.
    X : Tensor
        ``(M, K, D)``, in the dtype of `A`.

    Returns
    -------
    Tensor
        ``(N, K, D)``.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        For operands of another type, dtype, device or shape.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.diag(torch.tensor([[1.0, 10.0], [2.0, 20.0]]))
    >>> gsp.bspmm(A, torch.ones(2, 1, 2))
    tensor([[[ 1., 10.]],
    <BLANKLINE>
            [[ 2., 20.]]])
    """
    return spmm(A, X)


def sddmm(A: SparseMatrix, X1: Tensor, X2: Tensor) -> SparseMatrix:
    r"""Multiply two dense matrices at the entries of a sparse matrix, and then by its values.

    .. math:: out_{ij} = A_{ij} \, (X_1 X_2)_{ij}

    Parameters
    ----------
    A : SparseMatrix
        ``(N, M)`` with scalars as values.
    X1, X2 : Tensor
        ``(N, K)`` and ``(K, M)``; or ``(N,)`` and ``(M,)`` for an outer product. Both have the same
        dtype, which is promoted with that of `A` in the result.

    Returns
    -------
    SparseMatrix
        Matrix with the pattern of `A`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        For operands of another type, dtype, device or shape.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.spmatrix(torch.tensor([[0, 1], [1, 0]]), torch.tensor([1.0, 2.0]))
    >>> gsp.sddmm(A, torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0, 4.0]])).val
    tensor([ 4., 12.])
    """
    check_matrix(A, "sddmm", "A")
    _check_factors(A, X1, X2, "sddmm", (1, 2))
    if A.value_shape:
        raise InvalidValueError(
            f"sddmm: A must have scalars as values, got vectors of shape {A.value_shape}. "
            "Use bsddmm."
        )
    if X1.dim() == 1:
        product = ops.gsddmm(A.adjacency, "mul", X1, X2, "u", "v")
    else:
        factors = X1, X2.t()
        product = ops.gsddmm(A.adjacency, "dot", *factors, "u", "v").squeeze(-1)
    return _scaled(A, product)


def bsddmm(A: SparseMatrix, X1: Tensor, X2: Tensor) -> SparseMatrix:
    r"""Multiply batches of dense matrices at the entries of a sparse matrix, then by its values.

    .. math:: out_{ij,d} = A_{ij} \, (X_{1,:,:,d} X_{2,:,:,d})_{ij}

    Parameters
    ----------
    A : SparseMatrix
        ``(N, M)``, with scalar values or values of shape ``(D,)``.
    X1, X2 : Tensor
        ``(N, K, D)`` and ``(K, M, D)``.

    Returns
    -------
    SparseMatrix
        Matrix with the pattern of `A` and values of shape ``(D,)``.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        For operands of another type, dtype, device or shape.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.spmatrix(torch.tensor([[0, 1], [1, 0]]), torch.tensor([1.0, 2.0]))
    >>> gsp.bsddmm(A, torch.ones(2, 3, 2), torch.ones(3, 2, 2)).val
    tensor([[3., 3.],
            [6., 6.]])
    """
    check_matrix(A, "bsddmm", "A")
    _check_factors(A, X1, X2, "bsddmm", (3,))
    if A.value_shape not in ((), tuple(X1.shape[2:])):
        raise InvalidValueError(
            f"bsddmm: A must have scalars or vectors of shape {tuple(X1.shape[2:])} as values, got "
            f"{A.value_shape}."
        )
    left, right = X1.transpose(1, 2), X2.permute(1, 2, 0)
    return _scaled(A, ops.gsddmm(A.adjacency, "dot", left, right, "u", "v").squeeze(-1))


def _check_factors(a: SparseMatrix, x1: Any, x2: Any, op: str, dims: tuple[int, ...]) -> None:
    for name, x in (("X1", x1), ("X2", x2)):
        check_dense(x, a, op, name, any_dtype=True)
    if x1.dtype != x2.dtype and not torch.is_autocast_enabled(x1.device.type):
        raise InvalidTypeError(
            f"{op}: X1 is {x1.dtype} but X2 is {x2.dtype}. Convert one of them with .to(dtype)."
        )
    rows, cols = a.shape
    fits = x1.dim() == x2.dim() and x1.dim() in dims and x1.shape[0] == rows
    if fits and x1.dim() == 1:
        fits = x2.shape[0] == cols
    elif fits:
        fits = x2.shape[1] == cols and x1.shape[1] == x2.shape[0] and x1.shape[2:] == x2.shape[2:]
    if not fits:
        wanted = (
            f"({rows}, K, D) and (K, {cols}, D)" if 3 in dims else f"({rows}, K) and (K, {cols})"
        )
        fix = " Use bsddmm." if 3 not in dims and x1.dim() == x2.dim() == 3 else ""
        raise InvalidValueError(
            f"{op}: X1 and X2 must have shapes {wanted} for a matrix of shape {a.shape}, got "
            f"{tuple(x1.shape)} and {tuple(x2.shape)}.{fix}"
        )


def _scaled(a: SparseMatrix, product: Tensor) -> SparseMatrix:
    if a.explicit_values is not None:
        product = product * (a.val if a.val.dim() == product.dim() else a.val.unsqueeze(-1))
    return a.like(a.adjacency, product)


def spspmm(A: SparseMatrix, B: SparseMatrix) -> SparseMatrix:
    """Multiply two sparse matrices.

    Parameters
    ----------
    A, B : SparseMatrix
        ``(N, K)`` and ``(K, M)``, with scalar values.

    Returns
    -------
    SparseMatrix
        ``(N, M)``, without duplicates, entries grouped by row. If one factor is a square diagonal
        matrix, the result has the pattern of the other factor.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        For operands of another type, dtype, device or shape.

    Notes
    -----
    The number of entries depends on the pattern, so `torch.compile` breaks the graph here.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.spmatrix(torch.tensor([[0, 1, 1], [1, 0, 1]]), torch.tensor([1.0, 2.0, 3.0]))
    >>> gsp.spspmm(A, A).to_dense()
    tensor([[ 2.,  3.],
            [ 6., 11.]])
    """
    check_matrix(A, "spspmm", "A")
    check_matrix(B, "spspmm", "B")
    _check_sparse_factors(A, B)
    if B.is_diag() and B.shape[0] == B.shape[1]:
        return A.like(A.adjacency, A.val * B.val.index_select(0, A.adjacency.coo()[1]))
    if A.is_diag() and A.shape[0] == A.shape[1]:
        return B.like(B.adjacency, A.val.index_select(0, B.adjacency.coo()[0]) * B.val)
    return A.like(*sparse_product(A.adjacency, B.adjacency, A.val, B.val))


def _check_sparse_factors(a: SparseMatrix, b: SparseMatrix) -> None:
    if a.shape[1] != b.shape[0]:
        raise InvalidValueError(
            f"spspmm: A must have as many columns as B has rows, got shapes {a.shape} and "
            f"{b.shape}."
        )
    if a.value_shape or b.value_shape:
        raise InvalidValueError(
            "spspmm: the values must be scalars, got values of shapes "
            f"{a.value_shape} and {b.value_shape}."
        )
    if a.device != b.device:
        raise InvalidValueError(
            f"spspmm: the matrices are on {a.device} and {b.device}. Move one with .to(...)."
        )
    if a.dtype != b.dtype:
        raise InvalidTypeError(
            f"spspmm: the matrices are {a.dtype} and {b.dtype}. Convert one with .to(dtype=...)."
        )


def matmul(A: Any, B: Any) -> Any:
    """Multiply two matrices, sparse or dense.

    Parameters
    ----------
    A : SparseMatrix or Tensor
    B : SparseMatrix or Tensor
        Must be dense if `A` is dense.

    Returns
    -------
    SparseMatrix or Tensor
        The result of :func:`spspmm` for two sparse matrices, :func:`spmm` for a sparse and a dense
        one, and `torch.matmul` for two dense ones.

    Raises
    ------
    InvalidTypeError
        For any other operands.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.matmul(gsp.identity((2, 2)), torch.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    if isinstance(A, Tensor) and isinstance(B, Tensor):
        return torch.matmul(A, B)
    if not isinstance(A, MatrixBase) or not isinstance(B, (Tensor, MatrixBase)):
        raise InvalidTypeError(
            "matmul: a sparse matrix is multiplied by a tensor or by a sparse matrix, got "
            f"{type(A).__name__} and {type(B).__name__}."
        )
    return spmm(A, B) if isinstance(B, Tensor) else spspmm(A, B)


def _by_row(adjacency: Adjacency) -> Adjacency:
    """Return the entries with rows as destinations; cached, so that formats are built once."""
    adjacency.csr()
    return adjacency.memo("by_row", adjacency.reverse)
