"""Rows of slots, as in CSR: the start of each row, and the row of each slot."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["row_of_slot", "row_starts"]


def row_starts(counts: Tensor) -> Tensor:
    """Return the start of each row and the end of the last one, for rows of `counts` slots."""
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def row_of_slot(indptr: Tensor) -> Tensor:
    """Return the row that owns each slot, as int64."""
    rows = torch.arange(len(indptr) - 1, device=indptr.device)
    return rows.repeat_interleave(indptr.diff().long())
