"""Arithmetic between the entries of a matrix and a vector over its rows or columns."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gossamer._options import one_of, require
from gossamer.errors import InvalidValueError
from gossamer.sparse._check import check_matrix, check_not_bool

if TYPE_CHECKING:
    from gossamer.sparse.matrix import SparseMatrix

__all__ = ["sp_add_v", "sp_broadcast_v", "sp_div_v", "sp_mul_v", "sp_sub_v"]

_OPERATORS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "truediv": operator.truediv,
    "pow": operator.pow,
}


def sp_broadcast_v(A: SparseMatrix, v: Tensor, op: str) -> SparseMatrix:
    r"""Combine each entry with the element of a vector for its row or its column.

    .. math:: out_{ij} = A_{ij} \circ v_i \quad\text{or}\quad A_{ij} \circ v_j

    Only positions with an entry in `A` are computed; the others stay empty.

    Parameters
    ----------
    A : SparseMatrix
        ``(N, M)``.
    v : Tensor
        ``(N, 1)`` for the rows; ``(1, M)`` or ``(M,)`` for the columns.
    op : {"add", "sub", "mul", "div", "pow"}
        The operator.

    Returns
    -------
    SparseMatrix
        Matrix with the pattern of `A`.

    Raises
    ------
    InvalidValueError
        If the shape of `v` matches neither rows nor columns, or `op` is unknown.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.spmatrix(torch.tensor([[0, 1, 1], [0, 0, 1]]), torch.tensor([1.0, 2.0, 3.0]))
    >>> gsp.sp_broadcast_v(A, torch.tensor([[10.0], [20.0]]), "add").val
    tensor([11., 22., 23.])
    """
    check_matrix(A, "sp_broadcast_v", "A")
    one_of(op, "sp_broadcast_v", "op", tuple(_OPERATORS))
    other = _spread(A, v)
    if op == "sub":
        check_not_bool(A.val, "sp_broadcast_v", "A")
        check_not_bool(other, "sp_broadcast_v", "v")
    return A.like(A.adjacency, _OPERATORS[op](A.val, other))


def sp_add_v(A: SparseMatrix, v: Tensor) -> SparseMatrix:
    """Add a vector to the entries; see :func:`sp_broadcast_v`.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.sp_add_v(gsp.identity((2, 2)), torch.tensor([1.0, 2.0])).val
    tensor([2., 3.])
    """
    return sp_broadcast_v(A, v, "add")


def sp_sub_v(A: SparseMatrix, v: Tensor) -> SparseMatrix:
    """Subtract a vector from the entries; see :func:`sp_broadcast_v`.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.sp_sub_v(gsp.identity((2, 2)), torch.tensor([1.0, 2.0])).val
    tensor([ 0., -1.])
    """
    return sp_broadcast_v(A, v, "sub")


def sp_mul_v(A: SparseMatrix, v: Tensor) -> SparseMatrix:
    """Multiply the entries by a vector; see :func:`sp_broadcast_v`.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.sp_mul_v(gsp.identity((2, 2)), torch.tensor([[3.0], [4.0]])).val
    tensor([3., 4.])
    """
    return sp_broadcast_v(A, v, "mul")


def sp_div_v(A: SparseMatrix, v: Tensor) -> SparseMatrix:
    """Divide the entries by a vector; see :func:`sp_broadcast_v`.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.sp_div_v(gsp.identity((2, 2)), torch.tensor([[2.0], [4.0]])).val
    tensor([0.5000, 0.2500])
    """
    return sp_broadcast_v(A, v, "div")


def _spread(a: SparseMatrix, v: Any) -> Tensor:
    """Return the element of `v` for each entry, with as many dimensions as the values."""
    require(v, Tensor, "sp_broadcast_v", "v")
    rows, cols = a.shape
    shape = tuple(v.shape)
    if v.device != a.device:
        raise InvalidValueError(
            f"sp_broadcast_v: v is on {v.device} but the matrix is on {a.device}. "
            "Move one of them with .to(...)."
        )
    if shape in ((cols,), (1, cols)):
        ids = a.adjacency.coo()[1]
    elif shape == (rows, 1):
        ids = a.adjacency.coo()[0]
    else:
        raise InvalidValueError(
            f"sp_broadcast_v: v must have shape ({rows}, 1) for the rows, or (1, {cols}) or "
            f"({cols},) for the columns of a matrix of shape {a.shape}, got {shape}."
        )
    return v.reshape(-1).index_select(0, ids).reshape(-1, *(1 for _ in a.value_shape))
