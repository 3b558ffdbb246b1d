"""Creating sparse matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer._options import as_device, as_int, shown
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.ops._storage import copied_ids
from gossamer.ops.adjacency import INT32_MAX, Adjacency, Compressed
from gossamer.sparse._check import check_ids, check_matrix, check_values
from gossamer.sparse.matrix import SparseMatrix

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = [
    "diag",
    "from_coo",
    "from_csc",
    "from_csr",
    "from_graph",
    "identity",
    "spmatrix",
    "val_like",
]

Shape = tuple[int, int]


def spmatrix(
    indices: Tensor, val: Tensor | None = None, shape: Shape | None = None
) -> SparseMatrix:
    """Create a sparse matrix from the positions of its entries.

    Parameters
    ----------
    indices : Tensor
        ``(2, nnz)``, row and column of each entry; int32 or int64.
    val : Tensor, optional
        ``(nnz,)`` or ``(nnz, D)``. Default: ones.
    shape : (int, int), optional
        Number of rows and columns. Default: the largest indices plus 1.

    Returns
    -------
    SparseMatrix
        Matrix with the entries in the given order; duplicates are kept.

    Raises
    ------
    InvalidTypeError, InvalidValueError, OutOfRangeError
        If the indices are not integers, have the wrong shape, or lie outside of `shape`; if `val`
        has the wrong number of entries.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.spmatrix(torch.tensor([[0, 1], [1, 1]])).to_dense()
    tensor([[0., 1.],
            [0., 1.]])
    """
    if not isinstance(indices, Tensor):
        raise InvalidTypeError(
            f"spmatrix: indices must be a torch.Tensor of shape (2, nnz), got {shown(indices)}."
        )
    if indices.dim() != 2 or indices.shape[0] != 2:
        raise InvalidValueError(
            f"spmatrix: indices must have shape (2, nnz), got {tuple(indices.shape)}."
        )
    return _from_ends("spmatrix", indices[0], indices[1], val, shape)


def from_coo(
    row: Tensor, col: Tensor, val: Tensor | None = None, shape: Shape | None = None
) -> SparseMatrix:
    """Create a sparse matrix from rows and columns; see :func:`spmatrix`.

    Parameters
    ----------
    row, col : Tensor
        ``(nnz,)``.
    val : Tensor, optional
        ``(nnz,)`` or ``(nnz, D)``. Default: ones.
    shape : (int, int), optional
        Number of rows and columns. Default: the largest indices plus 1.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.from_coo(torch.tensor([0, 1]), torch.tensor([1, 1])).shape
    (2, 2)
    """
    return _from_ends("from_coo", row, col, val, shape)


def from_csr(
    indptr: Tensor, indices: Tensor, val: Tensor | None = None, shape: Shape | None = None
) -> SparseMatrix:
    """Create a sparse matrix from its rows.

    Parameters
    ----------
    indptr : Tensor
        ``(N + 1,)``: row ``i`` consists of the entries ``indptr[i]`` to ``indptr[i + 1] - 1``.
    indices : Tensor
        ``(nnz,)``, the columns.
    val : Tensor, optional
        ``(nnz,)`` or ``(nnz, D)``. Default: ones.
    shape : (int, int), optional
        Number of rows and columns. Default: N and the largest column plus 1.

    Raises
    ------
    InvalidTypeError, InvalidValueError, OutOfRangeError
        If `indptr` does not increase from 0 to the number of entries, or the arguments are
        inconsistent.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.from_csr(torch.tensor([0, 1, 2]), torch.tensor([1, 0])).to_dense()
    tensor([[0., 1.],
            [1., 0.]])
    """
    rows, parts, idtype = _check_compressed("from_csr", indptr, indices)
    cols = _extent(indices)
    shape = _check_shape("from_csr", shape, (rows, cols), exact_rows=True)
    return _with_values("from_csr", Adjacency(*shape, idtype, csr=parts), val)


def from_csc(
    indptr: Tensor, indices: Tensor, val: Tensor | None = None, shape: Shape | None = None
) -> SparseMatrix:
    """Create a sparse matrix from its columns; see :func:`from_csr`.

    Parameters
    ----------
    indptr : Tensor
        ``(M + 1,)``: column ``j`` consists of the entries ``indptr[j]`` to ``indptr[j + 1] - 1``.
    indices : Tensor
        ``(nnz,)``, the rows.
    val : Tensor, optional
        ``(nnz,)`` or ``(nnz, D)``. Default: ones.
    shape : (int, int), optional
        Number of rows and columns. Default: the largest row plus 1, and M.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.from_csc(torch.tensor([0, 2]), torch.tensor([0, 1])).to_dense()
    tensor([[1.],
            [1.]])
    """
    cols, parts, idtype = _check_compressed("from_csc", indptr, indices)
    rows = _extent(indices)
    if shape is not None:
        shape = _check_shape("from_csc", shape, None)[::-1]
    shape = _check_shape("from_csc", shape, (cols, rows), exact_rows=True, turned=True)[::-1]
    return _with_values("from_csc", Adjacency(*shape, idtype, csc=parts), val)


def val_like(mat: SparseMatrix, val: Tensor) -> SparseMatrix:
    """Create a matrix with the pattern of another matrix and new values.

    Parameters
    ----------
    mat : SparseMatrix
        Matrix whose pattern is shared.
    val : Tensor
        ``(nnz,)`` or ``(nnz, D)``.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If `val` has the wrong number of entries or is on another device.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.val_like(gsp.identity((2, 2)), torch.tensor([5.0, 6.0])).to_dense()
    tensor([[5., 0.],
            [0., 6.]])
    """
    check_matrix(mat, "val_like", "mat")
    return mat.like(mat.adjacency, check_values(val, mat.nnz, mat.device, "val_like"))


def diag(val: Tensor, shape: Shape | None = None) -> SparseMatrix:
    """Create a diagonal matrix.

    Parameters
    ----------
    val : Tensor
        ``(N,)`` or ``(N, D)``, the diagonal.
    shape : (int, int), optional
        Number of rows and columns, the smaller of which must be N. Default: ``(N, N)``.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If `val` is not a tensor of that shape.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.diag(torch.tensor([1.0, 2.0]), (2, 3)).to_dense()
    tensor([[1., 0., 0.],
            [0., 2., 0.]])
    """
    if not isinstance(val, Tensor) or val.dim() not in (1, 2):
        came = f"shape {tuple(val.shape)}" if isinstance(val, Tensor) else shown(val)
        raise InvalidTypeError(f"diag: val must be a tensor of shape (N,) or (N, D), got {came}.")
    count = val.shape[0]
    shape = (count, count) if shape is None else _check_shape("diag", shape, None)
    if min(shape) != count:
        raise InvalidValueError(
            f"diag: a matrix of shape {shape} has a diagonal of {min(shape)} entries, but val has "
            f"{count}."
        )
    return SparseMatrix(_diagonal(shape, val.device), val)


def identity(
    shape: Shape,
    d: int | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> SparseMatrix:
    """Create a matrix with ones on its diagonal.

    Parameters
    ----------
    shape : (int, int)
        Number of rows and columns.
    d : int, optional
        Size of the values, which are then vectors of ones. Default: the values are scalars.
    dtype : torch.dtype, optional
        Dtype of the values. Default: float32.
    device : torch.device, optional
        Default: the CPU.

    Examples
    --------
    >>> import gossamer.sparse as gsp
    >>> gsp.identity((2, 3)).to_dense()
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    shape = _check_shape("identity", shape, None)
    if dtype is not None and not isinstance(dtype, torch.dtype):
        raise InvalidTypeError(f"identity: dtype is a torch.dtype, got {shown(dtype)}.")
    adjacency = _diagonal(shape, as_device("cpu" if device is None else device))
    if d is None and dtype in (None, torch.float32):
        return SparseMatrix(adjacency)
    size = (min(shape),) if d is None else (min(shape), as_int(d, "identity", "d", 0))
    return SparseMatrix(adjacency, torch.ones(size, dtype=dtype, device=adjacency.device))


def from_graph(g: Graph, etype: Any = None, eweight_name: str | None = None) -> SparseMatrix:
    """Create the adjacency matrix of a graph, sharing its structure.

    Parameters
    ----------
    g : Graph
    etype : str or (str, str, str), optional
        Edge type; may be omitted if there is only one.
    eweight_name : str, optional
        Edge feature to use as values; gradients flow into it. Default: ones.

    Returns
    -------
    SparseMatrix
        ``(num_src, num_dst)``: a row per source node, a column per destination node, and an entry
        per edge in the order of edge ids.

    Examples
    --------
    >>> import gossamer as gs, gossamer.sparse as gsp
    >>> gsp.from_graph(gs.graph(([0, 1], [1, 2]))).to_dense()
    tensor([[0., 1., 0.],
            [0., 0., 1.],
            [0., 0., 0.]])
    """
    if not hasattr(g, "relation"):
        raise InvalidTypeError(f"from_graph takes a graph, got {type(g).__name__}.")
    adjacency = g.relation(etype)
    if eweight_name is None:
        return SparseMatrix(adjacency)
    values = g.edges[g.to_canonical_etype(etype)].data[eweight_name]
    if values.dim() == 2 and values.shape[1] == 1:
        values = values.squeeze(1)
    return SparseMatrix(adjacency, check_values(values, adjacency.num_edges, g.device, "adj"))


def _from_ends(
    op: str, row: Tensor, col: Tensor, val: Tensor | None, shape: Shape | None
) -> SparseMatrix:
    check_ids(row, op, "row")
    check_ids(col, op, "col")
    if len(row) != len(col) or row.dtype != col.dtype or row.device != col.device:
        raise InvalidValueError(
            f"{op}: row and col must have one length, dtype and device, got {len(row)} {row.dtype} "
            f"on {row.device} and {len(col)} {col.dtype} on {col.device}."
        )
    shape = _check_shape(op, shape, (_extent(row), _extent(col)))
    # Copies, so that in-place changes of the arguments do not change the matrix.
    adjacency = Adjacency(*shape, row.dtype, coo=(copied_ids(row), copied_ids(col)))
    return _with_values(op, adjacency, val)


def _with_values(op: str, adjacency: Adjacency, val: Tensor | None) -> SparseMatrix:
    if val is not None:
        check_values(val, adjacency.num_edges, adjacency.device, op)
    return SparseMatrix(adjacency, val)


def _extent(ids: Tensor) -> int:
    return int(ids.max()) + 1 if ids.numel() else 0


def _check_shape(
    op: str,
    shape: Any,
    least: Shape | None,
    exact_rows: bool = False,
    turned: bool = False,
) -> Shape:
    """Return the shape as two ints, at least `least`, which is the default unless it is None."""
    if shape is None and least is not None:
        return least
    if not isinstance(shape, (tuple, list)) or len(shape) != 2:
        raise InvalidTypeError(f"{op}: shape is a pair of ints, got {shown(shape)}.")
    shape = tuple(as_int(size, op, "shape", 0) for size in shape)
    if least is None:
        return shape
    names = ("columns", "row") if turned else ("rows", "column")
    if exact_rows and shape[0] != least[0]:
        raise InvalidValueError(
            f"{op}: shape says {shape[0]} {names[0]} but indptr has {least[0]} of them."
        )
    if shape[0] < least[0] or shape[1] < least[1]:
        raise OutOfRangeError(
            f"{op}: there are entries up to index {tuple(size - 1 for size in least)}, outside of "
            f"the shape {shape}."
        )
    return shape


def _check_compressed(
    op: str, indptr: Tensor, indices: Tensor
) -> tuple[int, Compressed, torch.dtype]:
    check_ids(indptr, op, "indptr")
    check_ids(indices, op, "indices")
    if indptr.device != indices.device:
        raise InvalidValueError(
            f"{op}: indptr is on {indptr.device} and indices on {indices.device}. Move one of them."
        )
    rises = len(indptr) > 0 and int(indptr[0]) == 0 and int(indptr[-1]) == len(indices)
    if not rises or bool((indptr.diff() < 0).any()):
        raise InvalidValueError(
            f"{op}: indptr must start at 0, never fall, and end at the number of entries "
            f"({len(indices)})."
        )
    rows = len(indptr) - 1
    compact = max(rows, _extent(indices), len(indices)) < INT32_MAX
    dtype = torch.int32 if compact else torch.int64
    parts = Compressed(indptr.to(dtype, copy=True), indices.to(dtype, copy=True), None)
    return rows, parts, torch.promote_types(indptr.dtype, indices.dtype)


def _diagonal(shape: Shape, device: torch.device) -> Adjacency:
    ids = torch.arange(min(shape), dtype=torch.int64, device=device)
    return Adjacency(*shape, torch.int64, coo=(ids, ids))
