"""Building and turning compressed adjacencies."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import address, core


def coo_to_csr(
    row: Tensor, col: Tensor, num_rows: int, dtype: torch.dtype | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Group edges by row; see `gossamer.kernels.reference.coo_to_csr`."""
    dtype = dtype or row.dtype
    count, threads = row.shape[0], torch.get_num_threads()
    wide = row.dtype is torch.int64
    indptr = _common.empty((num_rows + 1,), dtype)
    indices = _common.empty((count,), dtype)
    in_order = core.is_sorted(row.data_ptr(), wide, count, threads)
    eids = None if in_order else _common.empty((count,), dtype)
    core.coo_to_csr(
        row.data_ptr(),
        col.data_ptr(),
        wide,
        count,
        num_rows,
        indptr.data_ptr(),
        indices.data_ptr(),
        address(eids),
        dtype is torch.int64,
        threads,
    )
    return indptr, indices, eids


def transpose(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, num_cols: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Turn an adjacency around; see `gossamer.kernels.reference.transpose`."""
    count, threads = indices.shape[0], torch.get_num_threads()
    wide = indices.dtype is torch.int64
    indptr_t = _common.empty((num_cols + 1,), indices.dtype)
    indices_t = _common.empty((count,), indices.dtype)
    eids_t = _common.empty((count,), indices.dtype)
    core.transpose(
        indptr.data_ptr(),
        indices.data_ptr(),
        address(eids),
        wide,
        indptr.shape[0] - 1,
        count,
        num_cols,
        indptr_t.data_ptr(),
        indices_t.data_ptr(),
        eids_t.data_ptr(),
        threads,
    )
    in_order = core.is_identity(eids_t.data_ptr(), wide, count, threads)
    return indptr_t, indices_t, None if in_order else eids_t
