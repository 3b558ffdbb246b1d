"""One value per edge from the features at its ends."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import DTYPES, FLOATS, OPS, address, broadcast, core


@kernel("sddmm", device="cpu", dtypes=FLOATS)
def sddmm(
    src: Tensor,
    dst: Tensor,
    eids: Tensor | None,
    lhs: Tensor | None,
    rhs: Tensor | None,
    op: str,
    lhs_target: str,
    rhs_target: str,
) -> Tensor:
    """Combine two operands on each edge; see `gossamer.kernels.reference.sddmm`."""
    like = rhs if lhs is None else lhs
    if op == "dot" and like.dim() == 1:
        op = "mul"  # without a feature dimension there is nothing to sum over
    plan = broadcast(
        None if lhs is None else lhs.shape[1:],
        None if rhs is None else rhs.shape[1:],
        op == "dot",
    )
    num_slots = src.shape[0]
    out = _common.empty((num_slots, *plan.shape), like.dtype)
    if out.numel():
        ids = {"u": src, "v": dst, "e": eids}
        core.sddmm(
            address(ids[lhs_target]),
            address(ids[rhs_target]),
            address(eids),
            src.dtype is torch.int64,
            num_slots,
            address(lhs),
            plan.lhs_width,
            address(rhs),
            plan.rhs_width,
            *plan.layout,
            DTYPES[like.dtype],
            OPS[op],
            out.data_ptr(),
            torch.get_num_threads(),
        )
    return out
