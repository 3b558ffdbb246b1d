"""Building and reading CSR, also under torch.compile.

Outside of tracing these functions call the kernels. Under tracing they are registered operators.
The structure of their outputs may not depend on data, so edge ids are always returned; the kernels
return None if edges are in order.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.ops import _torch
from gossamer.ops._register import opaque, traced

__all__ = ["coo_to_csr", "gather_neighbors", "gather_rows", "ids_outside_transforms", "transpose"]


def ids_outside_transforms(ids: Tensor) -> Tensor:
    """`ids` without the wrapper that `torch.func.grad` puts around all tensors computed inside it.

    Integers have no gradient, so nothing is lost.
    """
    if _torch.under_transform() and not torch.compiler.is_compiling():
        while _torch.is_grad_wrapper(ids):
            ids = _torch.unwrapped(ids)
    return ids


def coo_to_csr(
    row: Tensor, col: Tensor, num_rows: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Group edges by row; see `gossamer.kernels.reference.coo_to_csr`."""
    row, col = row.contiguous(), col.contiguous()
    if traced():
        return _coo_to_csr(row, col, num_rows, dtype)
    return kernels.coo_to_csr(row, col, num_rows, dtype=dtype)


def transpose(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, num_cols: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Transpose CSR; see `gossamer.kernels.reference.transpose`."""
    if traced():
        return _transpose(indptr, indices, eids, num_cols)
    return kernels.transpose(indptr, indices, eids, num_cols)


def gather_rows(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    rows: Tensor,
    places: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gather the slots of some rows; see `gossamer.kernels.reference.gather_rows`."""
    kernel = (kernels.reference if traced() else kernels).gather_rows
    return kernel(indptr, indices, eids, rows.contiguous(), places)


def gather_neighbors(indptr: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    """Gather the neighbors of some rows; see `gossamer.kernels.reference.gather_neighbors`."""
    kernel = (kernels.reference if traced() else kernels).gather_neighbors
    return kernel(indptr, indices, rows.contiguous())


def _with_ids(
    indptr: Tensor, indices: Tensor, eids: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    if eids is None:
        eids = torch.arange(indices.shape[0], dtype=indices.dtype, device=indices.device)
    return indptr, indices, eids


def _coo_to_csr_kernel(
    row: Tensor, col: Tensor, num_rows: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    return _with_ids(*kernels.coo_to_csr(row.contiguous(), col.contiguous(), num_rows, dtype))


def _coo_to_csr_fake(
    row: Tensor, col: Tensor, num_rows: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    edges = row.new_empty(row.shape, dtype=dtype)
    return row.new_empty((num_rows + 1,), dtype=dtype), edges, torch.empty_like(edges)


def _transpose_kernel(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, num_cols: int
) -> tuple[Tensor, Tensor, Tensor]:
    return _with_ids(*kernels.transpose(indptr, indices, eids, num_cols))


def _transpose_fake(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, num_cols: int
) -> tuple[Tensor, Tensor, Tensor]:
    edges = torch.empty_like(indices)
    return indptr.new_empty((num_cols + 1,)), edges, torch.empty_like(indices)


_coo_to_csr = opaque(
    "coo_to_csr",
    "(Tensor row, Tensor col, SymInt num_rows, ScalarType dtype) -> (Tensor, Tensor, Tensor)",
    kernel=_coo_to_csr_kernel,
    fake=_coo_to_csr_fake,
)
_transpose = opaque(
    "transpose",
    "(Tensor indptr, Tensor indices, Tensor? eids, SymInt num_cols) -> (Tensor, Tensor, Tensor)",
    kernel=_transpose_kernel,
    fake=_transpose_fake,
)
