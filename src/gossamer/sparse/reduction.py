"""Reductions and softmax over the entries of rows and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer import ops
from gossamer._options import one_of
from gossamer.errors import InvalidValueError
from gossamer.sparse._check import as_axis, check_matrix

if TYPE_CHECKING:
    from gossamer.sparse.matrix import SparseMatrix

__all__ = ["reduce", "smax", "smean", "smin", "softmax", "sprod", "sum"]

_REDUCERS = {"sum": "sum", "smean": "mean", "smax": "max", "smin": "min", "sprod": "prod"}


def reduce(input: SparseMatrix, dim: Any = None, rtype: str = "sum") -> Tensor:
    """Reduce the entries of a sparse matrix; positions without an entry are ignored.

    Parameters
    ----------
    input : SparseMatrix
        ``(N, M)``, with values of shape ``(*)``.
    dim : int, optional
        0 for a result per column, 1 for a result per row. Default: one result for all entries.
    rtype : {"sum", "smean", "smax", "smin", "sprod"}
        The reduction.

    Returns
    -------
    Tensor
        ``(*)``, ``(M, *)`` or ``(N, *)``; 0 for a row or column without entries. The mean of
        integers is floating-point.

    Raises
    ------
    InvalidValueError
        If `dim` or `rtype` is unknown, or a maximum or minimum of no entries is requested.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.spmatrix(torch.tensor([[0, 1, 1], [0, 0, 2]]), torch.tensor([1.0, 1.0, 2.0]))
    >>> gsp.reduce(A, 0, "sum")
    tensor([2., 0., 2.])
    >>> A.smax(1)
    tensor([1., 2.])
    """
    check_matrix(input, "reduce", "input")
    one_of(rtype, "reduce", "rtype", tuple(_REDUCERS))
    if dim is None:
        return _reduce_all(input, rtype)
    axis = as_axis(dim, "reduce")
    if rtype == "sprod":
        return _product(input, axis)
    relation = input.adjacency if axis == 0 else input.adjacency.reverse()
    if rtype == "sum" and input.explicit_values is None:
        degrees = relation.in_degrees()
        return degrees.to(input.dtype)
    if input.dtype == torch.bool and rtype in ("smax", "smin"):  # operators need numbers
        values = input.val.to(torch.uint8)
        return ops.gspmm(relation, "copy_rhs", _REDUCERS[rtype], None, values).bool()
    return ops.gspmm(relation, "copy_rhs", _REDUCERS[rtype], None, input.val)


def _reduce_all(a: SparseMatrix, rtype: str) -> Tensor:
    if rtype == "sum":
        return a.val.sum(0)
    if rtype == "sprod":
        return a.val.prod(0)
    if rtype == "smean":
        values = a.val
        if not values.is_floating_point():
            values = values.to(torch.get_default_dtype())
        return values.mean(0)
    if a.nnz == 0:
        raise InvalidValueError(f"{rtype}: a matrix without entries has no maximum or minimum.")
    return a.val.amax(0) if rtype == "smax" else a.val.amin(0)


def _product(a: SparseMatrix, axis: int) -> Tensor:
    ids = a.adjacency.coo()[1 - axis].long()
    count = a.shape[1 - axis]
    index = ids.view(-1, *(1 for _ in a.value_shape)).expand_as(a.val)
    ones = a.val.new_ones((count, *a.value_shape))
    product = ones.scatter_reduce(0, index, a.val, "prod")
    relation = a.adjacency if axis == 0 else a.adjacency.reverse()
    empty = (relation.in_degrees() == 0).view(-1, *(1 for _ in a.value_shape))
    return product.masked_fill(empty, 0)


def sum(input: SparseMatrix, dim: Any = None) -> Tensor:
    """Sum the entries; see :func:`reduce`.

    Examples
    --------
    >>> import gossamer.sparse as gsp
    >>> gsp.sum(gsp.identity((3, 3)))
    tensor(3.)
    """
    return reduce(input, dim, "sum")


def smax(input: SparseMatrix, dim: Any = None) -> Tensor:
    """Find the maximum of the entries; see :func:`reduce`."""
    return reduce(input, dim, "smax")


def smin(input: SparseMatrix, dim: Any = None) -> Tensor:
    """Find the minimum of the entries; see :func:`reduce`."""
    return reduce(input, dim, "smin")


def smean(input: SparseMatrix, dim: Any = None) -> Tensor:
    """Compute the mean of the entries; see :func:`reduce`."""
    return reduce(input, dim, "smean")


def sprod(input: SparseMatrix, dim: Any = None) -> Tensor:
    """Multiply the entries; see :func:`reduce`."""
    return reduce(input, dim, "sprod")


def softmax(input: SparseMatrix, dim: Any = 1) -> SparseMatrix:
    r"""Apply a softmax to the entries of each row or column.

    .. math:: out_{ij} = \frac{\exp A_{ij}}{\sum_{k : (i, k) \in A} \exp A_{ik}}

    Parameters
    ----------
    input : SparseMatrix
        ``(N, M)``. Vector values are normalized elementwise.
    dim : int
        1 (or -1) to normalize rows, 0 to normalize columns.

    Returns
    -------
    SparseMatrix
        Matrix with the pattern of `input`.

    Raises
    ------
    InvalidValueError
        If `dim` is not an axis.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.spmatrix(torch.tensor([[0, 0, 1], [1, 2, 0]]), torch.ones(3))
    >>> gsp.softmax(A).val
    tensor([0.5000, 0.5000, 1.0000])
    """
    check_matrix(input, "softmax", "input")
    norm_by = "src" if as_axis(dim, "softmax") == 1 else "dst"
    values = input.val
    if not values.is_floating_point():
        values = values.to(torch.get_default_dtype())
    return input.like(input.adjacency, ops.edge_softmax(input.adjacency, values, norm_by=norm_by))
