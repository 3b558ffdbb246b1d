"""Random matrices for the tests of sparse matrices."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer import sparse


def random_matrix(
    rows: int,
    cols: int,
    nnz: int,
    *,
    seed: int = 0,
    width: int | None = None,
    duplicates: bool = True,
    dtype: torch.dtype = torch.float64,
    idtype: torch.dtype = torch.int64,
) -> sparse.SparseMatrix:
    """A matrix with entries in random order, at random places."""
    generator = torch.Generator().manual_seed(seed)
    if duplicates:
        places = torch.randint(0, rows * cols, (nnz,), generator=generator)
    else:
        places = torch.randperm(rows * cols, generator=generator)[:nnz]
    shape = (nnz,) if width is None else (nnz, width)
    val = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
    indices = torch.stack([places // cols, places % cols]).to(idtype)
    return sparse.spmatrix(indices, val, (rows, cols))


def with_grad(a: sparse.SparseMatrix) -> tuple[sparse.SparseMatrix, Tensor]:
    """The same matrix over values that want a gradient, and the values."""
    val = a.val.detach().clone().requires_grad_()
    return sparse.val_like(a, val), val
