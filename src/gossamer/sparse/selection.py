"""Parts of a matrix: selected rows and columns, sampled entries, nonempty rows and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer._options import as_int, flag, integer, shown
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.ops.adjacency import Adjacency, Compressed
from gossamer.sparse._check import as_axis, check_ids, check_matrix

if TYPE_CHECKING:
    from gossamer.sparse.matrix import SparseMatrix

__all__ = ["compact", "index_select", "range_select", "sample"]


def index_select(A: SparseMatrix, dim: Any, index: Tensor) -> SparseMatrix:
    """Return the given rows or columns, in the given order.

    Parameters
    ----------
    A : SparseMatrix
        ``(N, M)``.
    dim : int
        0 for rows, 1 for columns.
    index : Tensor
        ``(L,)``; an index may occur more than once.

    Returns
    -------
    SparseMatrix
        ``(L, M)`` or ``(N, L)``, with entries in the order of `index`.

    Raises
    ------
    OutOfRangeError
        If an index is out of range.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.diag(torch.tensor([1.0, 2.0, 3.0]))
    >>> A.index_select(0, torch.tensor([2, 0])).to_dense()
    tensor([[0., 0., 3.],
            [1., 0., 0.]])
    """
    check_matrix(A, "index_select", "A")
    axis = as_axis(dim, "index_select")
    check_ids(index, "index_select", "index")
    _check_lines(A, axis, index, "index_select")
    lines = _lines(A.adjacency, axis)
    owner, other, entry = lines.gather_rows(index.to(A.adjacency.idtype))
    ends = (owner, other) if axis == 0 else (other, owner)
    shape = (len(index), A.shape[1]) if axis == 0 else (A.shape[0], len(index))
    pattern = Adjacency(*shape, A.adjacency.idtype, coo=ends)
    values = A.explicit_values
    return A.like(pattern, None if values is None else values.index_select(0, entry))


def range_select(A: SparseMatrix, dim: Any, index: slice) -> SparseMatrix:
    """Return a range of rows or columns.

    Parameters
    ----------
    A : SparseMatrix
    dim : int
        0 for rows, 1 for columns.
    index : slice
        Start and stop, without a step.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If `index` is not a slice, or has a step.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.diag(torch.tensor([1.0, 2.0, 3.0])).range_select(0, slice(1, 3)).to_dense()
    tensor([[0., 2., 0.],
            [0., 0., 3.]])
    """
    check_matrix(A, "range_select", "A")
    axis = as_axis(dim, "range_select")
    if not isinstance(index, slice):
        raise InvalidTypeError(f"range_select: index is a slice, got {shown(index)}.")
    if index.step not in (None, 1):
        raise InvalidValueError(f"range_select: a slice with step {index.step} is not supported.")
    for end in (index.start, index.stop):
        if end is not None and integer(end) is None:
            raise InvalidTypeError(f"range_select: a slice has integers, got {shown(index)}.")
    start, stop, _ = index.indices(A.shape[axis])
    return index_select(A, axis, torch.arange(start, max(start, stop), device=A.device))


def sample(
    A: SparseMatrix,
    dim: Any,
    fanout: Any,
    ids: Tensor | None = None,
    replace: bool = False,
    bias: bool = False,
) -> SparseMatrix:
    """Draw entries of each row or column at random.

    Parameters
    ----------
    A : SparseMatrix
    dim : int
        0 to draw from rows, 1 to draw from columns.
    fanout : int
        Number of entries to draw from each row or column; -1 for all. Without replacement, no more
        than it has.
    ids : Tensor, optional
        The rows or columns to draw from. Default: all of them.
    replace : bool
        Whether an entry may be drawn more than once.
    bias : bool
        Whether to draw entries with probabilities proportional to their values, which must not be
        negative. Otherwise all are equally likely.

    Returns
    -------
    SparseMatrix
        ``(len(ids), M)`` or ``(N, len(ids))``, with the values of the drawn entries.

    Raises
    ------
    InvalidValueError
        If `bias` is True and the values are vectors, negative or not finite.
    OutOfRangeError
        If an id is out of range.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.from_coo(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]))
    >>> A.sample(0, 1).sum(1)
    tensor([1., 1.])
    """
    from gossamer.sampling import _core

    check_matrix(A, "sample", "A")
    axis = as_axis(dim, "sample")
    count = as_int(fanout, "sample", "fanout", -1)
    replace, bias = flag(replace, "sample", "replace"), flag(bias, "sample", "bias")
    idtype = A.adjacency.idtype
    if ids is None:
        ids = torch.arange(A.shape[axis], dtype=idtype, device=A.device)
    check_ids(ids, "sample", "ids")
    _check_lines(A, axis, ids, "sample")
    ids = ids.to(idtype)
    candidates = None
    if bias:
        if A.value_shape:
            raise InvalidValueError(
                f"sample: bias needs scalars as values, got vectors of shape {A.value_shape}."
            )
        candidates = _core.edge_candidates(A.adjacency, axis == 1, A.val, ids)
    lines = _lines(A.adjacency, axis)
    relation = _core.relation(lines, ids, count, candidates=candidates)
    try:
        ((starts, other, entry),) = _core.layer([relation], replace)
    except _core.BadWeightsError:
        raise InvalidValueError(
            "sample: values are negative or not finite, so they are no probabilities."
        ) from None
    owner = torch.arange(len(ids), dtype=idtype, device=A.device)
    owner = owner.repeat_interleave(starts.diff(), output_size=len(other))
    shape = (len(ids), A.shape[1]) if axis == 0 else (A.shape[0], len(ids))
    ends = (owner, other) if axis == 0 else (other, owner)
    values = A.explicit_values
    return A.like(
        Adjacency(*shape, idtype, coo=ends),
        None if values is None else values.index_select(0, entry),
    )


def _check_lines(a: SparseMatrix, axis: int, ids: Tensor, op: str) -> None:
    if ids.numel() and int(ids.max()) >= a.shape[axis]:
        raise OutOfRangeError(
            f"{op}: index {int(ids.max())} is not among the {a.shape[axis]} "
            f"{('rows', 'columns')[axis]} of a matrix of shape {a.shape}."
        )


def compact(
    A: SparseMatrix,
    dim: Any,
    leading_indices: Tensor | None = None,
) -> tuple[SparseMatrix, Tensor]:
    """Drop the rows or columns without entries and renumber the others.

    Parameters
    ----------
    A : SparseMatrix
    dim : int
        0 for rows, 1 for columns.
    leading_indices : Tensor, optional
        Rows or columns that come first in the result, in this order, even if they have no entries.

    Returns
    -------
    SparseMatrix
        The entries of `A`, in the same order.
    Tensor
        Original index of each row or column of the result. Those that are not in `leading_indices`
        are in ascending order.

    Raises
    ------
    OutOfRangeError
        If a leading index is out of range.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> A = gsp.spmatrix(torch.tensor([[4, 2], [0, 1]]), torch.tensor([1.0, 2.0]))
    >>> B, ids = A.compact(0, leading_indices=torch.tensor([3]))
    >>> ids
    tensor([3, 2, 4])
    >>> B.row
    tensor([2, 1])
    """
    check_matrix(A, "compact", "A")
    axis = as_axis(dim, "compact")
    ends = list(A.adjacency.coo())
    if leading_indices is None:
        leading_indices = ends[axis][:0]
    check_ids(leading_indices, "compact", "leading_indices")
    _check_lines(A, axis, leading_indices, "compact")
    # Numbers are assigned in the order of first occurrence.
    mentioned = leading_indices.to(A.adjacency.idtype), ends[axis].unique(), ends[axis]
    ids, places = kernels.unique_relabel(torch.cat(mentioned), A.shape[axis])
    ends[axis] = places[len(places) - A.nnz :]
    shape = list(A.shape)
    shape[axis] = len(ids)
    pattern = Adjacency(*shape, A.adjacency.idtype, coo=tuple(ends))
    return A.like(pattern, A.explicit_values), ids


def _lines(adjacency: Adjacency, axis: int) -> Compressed:
    return adjacency.csr() if axis == 0 else adjacency.csc()
