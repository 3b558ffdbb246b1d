"""Computation of edge values from the features of the endpoints."""

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
            lhs_ids=address(ids[lhs_target]),
            rhs_ids=address(ids[rhs_target]),
            out_ids=address(eids),
            wide=src.dtype is torch.int64,
            num_slots=num_slots,
            lhs=address(lhs),
            lhs_width=plan.lhs_width,
            rhs=address(rhs),
            rhs_width=plan.rhs_width,
            outer=plan.outer,
            inner=plan.inner,
            lhs_offsets=plan.lhs_offsets,
            rhs_offsets=plan.rhs_offsets,
            lhs_step=plan.lhs_step,
            rhs_step=plan.rhs_step,
            dtype=DTYPES[like.dtype],
            op=OPS[op],
            out=out.data_ptr(),
            threads=torch.get_num_threads(),
        )
    return out
