"""The class of sparse matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.sparse import coalescing, elementwise, products, reduction, selection
from gossamer.sparse._base import MatrixBase
from gossamer.sparse._check import check_not_bool

__all__ = ["SparseMatrix"]


class SparseMatrix(MatrixBase):
    """A sparse matrix whose entries are numbers or vectors.

    Create one with :func:`spmatrix`, :func:`from_coo`, :func:`from_csr`, :func:`from_csc`,
    :func:`diag`, :func:`identity` or :func:`val_like`. Duplicate entries represent their sum.

    The pattern is immutable and shared between matrices that differ in their values only. COO, CSR
    and CSC are built from one another on first use and cached. Gradients flow into the values.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.spmatrix(torch.tensor([[0, 1, 1], [1, 0, 2]]), torch.tensor([1.0, 2.0, 3.0]))
    >>> A
    SparseMatrix(indices=tensor([[0, 1, 1],
                                 [1, 0, 2]]),
                 values=tensor([1., 2., 3.]),
                 shape=(2, 3), nnz=3)
    >>> A @ torch.ones(3)
    tensor([1., 5.])
    """

    __slots__ = ()

    def coalesce(self) -> SparseMatrix:
        """Sort the entries by row and column, and sum duplicates.

        Sums have the dtype of the values, as in torch. Convert small integers first if their sums
        may overflow.

        Examples
        --------
        >>> import gossamer.sparse as gsp, torch
        >>> A = gsp.spmatrix(torch.tensor([[1, 0, 1], [0, 0, 0]]), torch.tensor([1.0, 2.0, 3.0]))
        >>> A.coalesce().val
        tensor([2., 4.])
        """
        return coalescing.coalesce(self)

    def has_duplicate(self) -> bool:
        """Return whether two entries have the same row and column."""
        return coalescing.has_duplicate(self)

    def is_diag(self) -> bool:
        """Return whether the entries are exactly the main diagonal, in order."""
        return coalescing.is_diag(self)

    # -------------------------------------------------------------------------------- operators

    def __add__(self, B: SparseMatrix) -> SparseMatrix:
        """Return the sum of two matrices; see :func:`add`."""
        return elementwise.add(self, B)

    def __sub__(self, B: SparseMatrix) -> SparseMatrix:
        """Return the difference of two matrices; see :func:`sub`."""
        return elementwise.sub(self, B)

    def __mul__(self, B: Any) -> SparseMatrix:
        """Multiply by a number or, elementwise, by a matrix; see :func:`mul`."""
        return elementwise.mul(self, B)

    __rmul__ = __mul__

    def __truediv__(self, B: Any) -> SparseMatrix:
        """Divide by a number or by a matrix with the same pattern; see :func:`div`."""
        return elementwise.div(self, B)

    def __pow__(self, scalar: Any) -> SparseMatrix:
        """Raise each value to a power; see :func:`power`."""
        return elementwise.power(self, scalar)

    def __neg__(self) -> SparseMatrix:
        """Negate the values."""
        return self.neg()

    def __matmul__(self, B: Any) -> Any:
        """Multiply by a dense tensor or a sparse matrix; see :func:`matmul`."""
        return products.matmul(self, B)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        # `torch.compile` calls this for an operator on a matrix and a tensor, and passes the tensor
        # first in either order. In torch 2.15, it cannot look up the name of a wrapped function.
        operator = _REVERSED.get(getattr(func, "__wrapped__", func).__name__)
        if operator is None or not isinstance(args[0], Tensor):
            return NotImplemented
        x, matrix = args
        if operator is products.matmul and not _is_right_factor(x, matrix):
            return NotImplemented
        return operator(matrix, x)

    def neg(self) -> SparseMatrix:
        """Return the matrix with negated values."""
        return self.like(self._adjacency, -check_not_bool(self.val, "neg", "the matrix"))

    def inv(self) -> SparseMatrix:
        """Return the inverse of a square diagonal matrix with scalar values.

        Raises
        ------
        InvalidValueError
            If the matrix is not diagonal, not square, or has vectors as values.
        """
        if not self.is_diag() or self.shape[0] != self.shape[1] or self.value_shape:
            raise InvalidValueError(
                "inv: only a square diagonal matrix with scalar values has an inverse here, got "
                f"shape {self.shape} with {self.nnz} entries of shape {self.value_shape}."
            )
        return self.like(self._adjacency, self.val.reciprocal())

    # ------------------------------------------------------------------- reductions and selections

    def reduce(self, dim: Any = None, rtype: str = "sum") -> Tensor:
        """Reduce the entries of each row or column; see :func:`gossamer.sparse.reduce`."""
        return reduction.reduce(self, dim, rtype)

    def sum(self, dim: Any = None) -> Tensor:
        """Return the sum of the entries; see :meth:`reduce`."""
        return reduction.reduce(self, dim, "sum")

    def smax(self, dim: Any = None) -> Tensor:
        """Return the maximum of the entries; see :meth:`reduce`."""
        return reduction.reduce(self, dim, "smax")

    def smin(self, dim: Any = None) -> Tensor:
        """Return the minimum of the entries; see :meth:`reduce`."""
        return reduction.reduce(self, dim, "smin")

    def smean(self, dim: Any = None) -> Tensor:
        """Return the mean of the entries; see :meth:`reduce`."""
        return reduction.reduce(self, dim, "smean")

    def sprod(self, dim: Any = None) -> Tensor:
        """Return the product of the entries; see :meth:`reduce`."""
        return reduction.reduce(self, dim, "sprod")

    def softmax(self, dim: Any = 1) -> SparseMatrix:
        """Apply softmax to each row or column; see :func:`gossamer.sparse.softmax`."""
        return reduction.softmax(self, dim)

    def index_select(self, dim: Any, index: Tensor) -> SparseMatrix:
        """Return the given rows or columns, in order; see `selection.index_select`."""
        return selection.index_select(self, dim, index)

    def range_select(self, dim: Any, index: slice) -> SparseMatrix:
        """Return a range of rows or columns; see `selection.range_select`."""
        return selection.range_select(self, dim, index)

    def sample(
        self,
        dim: Any,
        fanout: Any,
        ids: Tensor | None = None,
        replace: bool = False,
        bias: bool = False,
    ) -> SparseMatrix:
        """Draw entries of each row or column at random; see `selection.sample`."""
        return selection.sample(self, dim, fanout, ids, replace, bias)

    def compact(
        self, dim: Any, leading_indices: Tensor | None = None
    ) -> tuple[SparseMatrix, Tensor]:
        """Drop empty rows or columns; see `selection.compact`."""
        return selection.compact(self, dim, leading_indices)


#: Tensor's method that ``A op x`` of a matrix and a tensor is traced as, and what it is.
_REVERSED: dict[str, Callable[[Any, Any], Any]] = {
    "matmul": products.matmul,
    "mul": elementwise.mul,
    "__rdiv__": elementwise.div,
    "__rpow__": elementwise.power,
}


def _is_right_factor(x: Tensor, matrix: SparseMatrix) -> bool:
    """Return whether a product is ``matrix @ x``; ``x @ matrix`` is not supported."""
    if not torch.compiler.is_dynamo_compiling():
        return False
    if x.shape[-1] == matrix.shape[0]:
        raise InvalidTypeError(
            "matmul: torch.compile cannot distinguish A @ X from X @ A; these shapes fit both. "
            "Write gossamer.sparse.spmm(A, X)."
        )
    return True
