"""The state of a sparse matrix: a pattern and values."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer._options import as_device, shown
from gossamer.errors import InvalidTypeError
from gossamer.ops._storage import copied_ids
from gossamer.ops.adjacency import Adjacency, Compressed

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["MatrixBase"]


class MatrixBase:
    """Pattern, values and formats of a sparse matrix; the base of the operators.

    The pattern is immutable and shared between matrices that differ in their values only.
    """

    __slots__ = ("_adjacency", "_values")

    def __init__(self, adjacency: Adjacency, values: Tensor | None = None) -> None:
        # Rows are sources and columns are destinations; None as values means ones.
        self._adjacency = adjacency
        self._values = values

    # ---------------------------------------------------------------------------------- properties

    @property
    def adjacency(self) -> Adjacency:
        """The pattern as an adjacency: rows are sources, columns are destinations."""
        return self._adjacency

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self._adjacency.num_src, self._adjacency.num_dst

    @property
    def nnz(self) -> int:
        """Number of entries, including stored zeros and duplicates."""
        return self._adjacency.num_edges

    @property
    def device(self) -> torch.device:
        """Device of indices and values."""
        return self._adjacency.device

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of the values."""
        return torch.float32 if self._values is None else self._values.dtype

    @property
    def value_shape(self) -> tuple[int, ...]:
        """Shape of the value of one entry: ``()``, or ``(D,)`` for vectors."""
        return () if self._values is None else tuple(self._values.shape[1:])

    @property
    def val(self) -> Tensor:
        """Values of the entries, ``(nnz,)`` or ``(nnz, D)``."""
        if self._values is None:
            self._values = torch.ones(self.nnz, dtype=torch.float32, device=self.device)
        return self._values

    @property
    def row(self) -> Tensor:
        """Row of each entry."""
        return copied_ids(self._adjacency.coo()[0])

    @property
    def col(self) -> Tensor:
        """Column of each entry."""
        return copied_ids(self._adjacency.coo()[1])

    @property
    def explicit_values(self) -> Tensor | None:
        """The values, or None if they are ones and were never read."""
        return self._values

    def like(self, adjacency: Adjacency, values: Tensor | None) -> Self:
        """Return a matrix of this class with another pattern and other values."""
        return type(self)(adjacency, values)

    # ------------------------------------------------------------------------------------- formats

    def indices(self) -> Tensor:
        """Return row and column of each entry, ``(2, nnz)``."""
        return torch.stack(self._adjacency.coo())

    def coo(self) -> tuple[Tensor, Tensor]:
        """Return row and column of each entry, ``(nnz,)`` each."""
        return self.row, self.col

    def csr(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return ``(indptr, indices, value_indices)`` by row.

        Slot ``k`` holds the value ``val[value_indices[k]]``, or ``val[k]`` if it is None.
        """
        return self._compressed(self._adjacency.csr())

    def csc(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return ``(indptr, indices, value_indices)`` by column; see :meth:`csr`."""
        return self._compressed(self._adjacency.csc())

    def _compressed(self, parts: Compressed) -> tuple[Tensor, Tensor, Tensor | None]:
        idtype = self._adjacency.idtype
        indptr, indices, eids = (None if t is None else copied_ids(t, idtype) for t in parts)
        return indptr, indices, eids

    def to_dense(self) -> Tensor:
        """Return a dense tensor, ``(N, M)`` or ``(N, M, D)``; duplicates are summed."""
        row, col = self._adjacency.coo()
        dense = self.val.new_zeros((*self.shape, *self.value_shape))
        return dense.index_put((row.long(), col.long()), self.val, accumulate=True)

    def transpose(self) -> Self:
        """Return the transpose, which shares pattern and values."""
        return self.like(self._adjacency.reverse(), self._values)

    def t(self) -> Self:
        """See :meth:`transpose`."""
        return self.transpose()

    @property
    def T(self) -> Self:
        """See :meth:`transpose`."""
        return self.transpose()

    # --------------------------------------------------------------------------- device and dtype

    def to(self, device: Any = None, dtype: torch.dtype | None = None) -> Self:
        """Return the matrix on `device`, with values of `dtype`."""
        adjacency, values = self._adjacency, self._values
        device = None if device is None else as_device(device)
        if device not in (None, self.device):
            adjacency = adjacency.apply(lambda t: t.to(device))
            values = None if values is None else values.to(device)
        if dtype is not None and not isinstance(dtype, torch.dtype):
            raise InvalidTypeError(f"to: dtype is a torch.dtype, got {shown(dtype)}.")
        if dtype not in (None, self.dtype):
            values = (self.val if values is None else values).to(dtype)
        return self.like(adjacency, values)

    def cuda(self) -> Self:
        """Return the matrix on the current CUDA device."""
        return self.to("cuda")

    def cpu(self) -> Self:
        """Return the matrix on the CPU."""
        return self.to("cpu")

    def float(self) -> Self:
        """Return the matrix with float32 values."""
        return self.to(dtype=torch.float32)

    def double(self) -> Self:
        """Return the matrix with float64 values."""
        return self.to(dtype=torch.float64)

    def int(self) -> Self:
        """Return the matrix with int32 values."""
        return self.to(dtype=torch.int32)

    def long(self) -> Self:
        """Return the matrix with int64 values."""
        return self.to(dtype=torch.int64)

    def __repr__(self) -> str:
        indices = textwrap.indent(repr(self.indices()), " " * 21).strip()
        values = textwrap.indent(repr(self.val), " " * 20).strip()
        size = f", val_size={self.value_shape}" if self.value_shape else ""
        pad = " " * 13
        return (
            f"SparseMatrix(indices={indices},\n{pad}values={values},\n"
            f"{pad}shape={self.shape}, nnz={self.nnz}{size})"
        )

    def __getstate__(self) -> tuple:
        return self._adjacency, self._values

    def __setstate__(self, state: tuple) -> None:
        self._adjacency, self._values = state
