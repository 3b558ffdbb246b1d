"""Build and read CSR, also under torch.compile.

Outside tracing, these functions call the kernels. Under tracing, they call registered operators.
The structure of the outputs of an operator must not depend on data, so it always returns edge ids;
the kernels return None if edges are in order.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.errors import InvalidValueError
from gossamer.ops import _torch
from gossamer.ops._register import opaque, traced

__all__ = ["coo_to_csr", "gather_neighbors", "gather_rows", "refuse_transformed", "transpose"]


def refuse_transformed(ids: Tensor, what: str) -> None:
    """Raise if `ids` were computed inside a `torch.func` transform, which wraps its tensors.

    Graphs outlive the transform, and kernels cannot read wrapped tensors.

    Raises
    ------
    InvalidValueError
        If this is the case.
    """
    if (
        _torch.under_transform()
        and not torch.compiler.is_compiling()
        and _torch.is_transform_wrapper(ids)
    ):
        raise InvalidValueError(
            f"The {what} were computed inside a torch.func transform (grad, vmap, jvp ...). "
            "Build graphs and ids outside and pass them in."
        )


def coo_to_csr(
    row: Tensor, col: Tensor, num_rows: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Group edges by row; see `gossamer.kernels.reference.coo_to_csr`."""
    row, col = row.contiguous(), col.contiguous()
    if traced():
        return _coo_to_csr(row, col, num_rows, dtype)
    try:
        return kernels.coo_to_csr(row, col, num_rows, dtype=dtype)
    except RuntimeError as error:
        raise _explained(error, num_rows) from None


def transpose(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, num_cols: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Transpose CSR; see `gossamer.kernels.reference.transpose`."""
    if traced():
        return _transpose(indptr, indices, eids, num_cols)
    try:
        return kernels.transpose(indptr, indices, eids, num_cols)
    except RuntimeError as error:
        raise _explained(error, num_cols) from None


def _explained(error: RuntimeError, num_rows: int) -> RuntimeError | InvalidValueError:
    """`error`, or an error with advice if there is too little memory for the row pointers."""
    if "can't allocate memory" not in str(error):
        return error
    return InvalidValueError(
        f"There is not enough memory to group edges by {num_rows:,} nodes, which takes 8 bytes for "
        "each node. If the ids are not 0, 1, 2 and so on, renumber the nodes, as with "
        "gossamer.compact_graphs."
    )


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
