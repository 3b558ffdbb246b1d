"""Converting sparse matrices from and to torch's sparse tensors."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError
from gossamer.sparse._check import check_matrix
from gossamer.sparse.creation import from_csc, from_csr, spmatrix
from gossamer.sparse.matrix import SparseMatrix

__all__ = [
    "from_torch_sparse",
    "to_torch_sparse_coo",
    "to_torch_sparse_csc",
    "to_torch_sparse_csr",
]


def from_torch_sparse(torch_sparse_tensor: Tensor) -> SparseMatrix:
    """Create a sparse matrix from a torch sparse tensor.

    Parameters
    ----------
    torch_sparse_tensor : Tensor
        ``(N, M)`` or ``(N, M, D)`` in COO, CSR or CSC layout.

    Raises
    ------
    InvalidTypeError
        For a tensor of another layout.

    Examples
    --------
    >>> import gossamer.sparse as gsp, torch
    >>> gsp.from_torch_sparse(torch.eye(2).to_sparse()).val
    tensor([1., 1.])
    """
    x = torch_sparse_tensor
    layout = x.layout if isinstance(x, Tensor) else type(x).__name__
    if layout is torch.sparse_coo:
        # The parts of an uncoalesced tensor can be read only without gradient history.
        ready = x if x.is_coalesced() else x.coalesce()
        return spmatrix(ready.indices(), ready.values(), tuple(x.shape[:2]))
    if layout is torch.sparse_csr:
        return from_csr(x.crow_indices(), x.col_indices(), x.values(), tuple(x.shape[:2]))
    if layout is torch.sparse_csc:
        return from_csc(x.ccol_indices(), x.row_indices(), x.values(), tuple(x.shape[:2]))
    raise InvalidTypeError(
        f"from_torch_sparse: a sparse tensor in COO, CSR or CSC layout is expected, got {layout}."
    )


def to_torch_sparse_coo(spmat: SparseMatrix) -> Tensor:
    """Convert to a torch sparse tensor in COO layout.

    Examples
    --------
    >>> import gossamer.sparse as gsp
    >>> gsp.to_torch_sparse_coo(gsp.identity((2, 2))).to_dense()
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_matrix(spmat, "to_torch_sparse_coo", "spmat")
    size = (*spmat.shape, *spmat.value_shape)
    return torch.sparse_coo_tensor(spmat.indices().long(), spmat.val, size, check_invariants=False)


def to_torch_sparse_csr(spmat: SparseMatrix) -> Tensor:
    """Convert to a torch sparse tensor in CSR layout.

    Examples
    --------
    >>> import gossamer.sparse as gsp
    >>> gsp.to_torch_sparse_csr(gsp.identity((2, 2))).crow_indices()
    tensor([0, 1, 2])
    """
    check_matrix(spmat, "to_torch_sparse_csr", "spmat")
    indptr, indices, entries = spmat.csr()
    size = (*spmat.shape, *spmat.value_shape)
    return torch.sparse_csr_tensor(
        indptr, indices, _in_order(spmat, entries), size, check_invariants=False
    )


def to_torch_sparse_csc(spmat: SparseMatrix) -> Tensor:
    """Convert to a torch sparse tensor in CSC layout.

    Examples
    --------
    >>> import gossamer.sparse as gsp
    >>> gsp.to_torch_sparse_csc(gsp.identity((2, 2))).ccol_indices()
    tensor([0, 1, 2])
    """
    check_matrix(spmat, "to_torch_sparse_csc", "spmat")
    indptr, indices, entries = spmat.csc()
    size = (*spmat.shape, *spmat.value_shape)
    return torch.sparse_csc_tensor(
        indptr, indices, _in_order(spmat, entries), size, check_invariants=False
    )


def _in_order(a: SparseMatrix, entries: Tensor | None) -> Tensor:
    return a.val if entries is None else a.val.index_select(0, entries)
