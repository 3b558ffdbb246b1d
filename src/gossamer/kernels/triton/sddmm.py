"""Computation of edge values: one program for each tile of edges and of the result's columns."""

from __future__ import annotations

from math import prod

import torch
import triton
import triton.language as tl
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.triton._common import (
    FLOATS,
    Config,
    accumulator,
    broadcast_shape,
    column_map,
    combine,
    contiguous,
    edge_ids,
    launch,
    operand_columns,
    operand_plan,
)


@triton.jit(do_not_specialize=["first"])
def sddmm_kernel(
    first, p_lhs_ids, p_rhs_ids, p_eids, p_lhs, p_rhs, p_lhs_table, p_rhs_table, p_out,
    lhs_width, rhs_width, width, num_edges,
    OP: tl.constexpr, ACC: tl.constexpr, LHS_MAP: tl.constexpr, RHS_MAP: tl.constexpr,
    BLOCK_E: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Combine the operands column by column."""
    program = tl.program_id(0).to(tl.int64) + first
    tiles = tl.cdiv(width, BLOCK_F)
    b_slot = (program // tiles) * BLOCK_E + tl.arange(0, BLOCK_E)  # (E,)
    b_col = (program % tiles) * BLOCK_F + tl.arange(0, BLOCK_F)  # (F,)
    m_slot = b_slot < num_edges  # (E,)
    m_col = b_col < width  # (F,)
    m_x = m_slot[:, None] & m_col[None, :]  # (E, F)
    b_lhs = tl.zeros((BLOCK_E, BLOCK_F), ACC)  # (E, F)
    b_rhs = tl.zeros((BLOCK_E, BLOCK_F), ACC)  # (E, F)
    if p_lhs is not None:
        b_id = edge_ids(p_lhs_ids, b_slot, m_slot)  # (E,)
        b_own = operand_columns(p_lhs_table, b_col, m_col, LHS_MAP)  # (F,)
        b_at = b_id[:, None] * lhs_width + b_own[None, :]  # (E, F)
        b_lhs = tl.load(p_lhs + b_at, mask=m_x, other=0.0).to(ACC)  # (E, F)
    if p_rhs is not None:
        b_id = edge_ids(p_rhs_ids, b_slot, m_slot)  # (E,)
        b_own = operand_columns(p_rhs_table, b_col, m_col, RHS_MAP)  # (F,)
        b_at = b_id[:, None] * rhs_width + b_own[None, :]  # (E, F)
        b_rhs = tl.load(p_rhs + b_at, mask=m_x, other=1.0).to(ACC)  # (E, F)
    b_x = combine(b_lhs, b_rhs, OP)  # (E, F)
    b_at = edge_ids(p_eids, b_slot, m_slot)[:, None] * width + b_col[None, :]  # (E, F)
    tl.store(p_out + b_at, b_x.to(p_out.dtype.element_ty), mask=m_x)


@triton.jit(do_not_specialize=["first"])
def sddmm_dot_kernel(
    first, p_lhs_ids, p_rhs_ids, p_eids, p_lhs, p_rhs, p_lhs_table, p_rhs_table, p_out,
    lhs_width, rhs_width, width, length, num_edges,
    ACC: tl.constexpr, LHS_MAP: tl.constexpr, RHS_MAP: tl.constexpr,
    LHS_REPEATS: tl.constexpr, RHS_REPEATS: tl.constexpr,
    BLOCK_E: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Sum products over vectors; a repeated operand has one number instead of each vector."""
    program = tl.program_id(0).to(tl.int64) + first
    column = program % width
    b_slot = (program // width) * BLOCK_E + tl.arange(0, BLOCK_E)  # (E,)
    m_slot = b_slot < num_edges  # (E,)
    lhs_at = operand_columns(p_lhs_table, column, column < width, LHS_MAP)
    rhs_at = operand_columns(p_rhs_table, column, column < width, RHS_MAP)
    lhs_at = lhs_at if LHS_REPEATS else lhs_at * length
    rhs_at = rhs_at if RHS_REPEATS else rhs_at * length
    b_lhs_row = edge_ids(p_lhs_ids, b_slot, m_slot) * lhs_width + lhs_at  # (E,)
    b_rhs_row = edge_ids(p_rhs_ids, b_slot, m_slot) * rhs_width + rhs_at  # (E,)
    b_acc = tl.zeros((BLOCK_E, BLOCK_F), ACC)  # (E, F)
    for start in range(0, length, BLOCK_F):
        b_f = start + tl.arange(0, BLOCK_F)  # (F,)
        m_x = m_slot[:, None] & (b_f < length)[None, :]  # (E, F)
        b_at = b_lhs_row[:, None] + (b_f * 0 if LHS_REPEATS else b_f)[None, :]  # (E, F)
        b_lhs = tl.load(p_lhs + b_at, mask=m_x, other=0.0).to(ACC)  # (E, F)
        b_at = b_rhs_row[:, None] + (b_f * 0 if RHS_REPEATS else b_f)[None, :]  # (E, F)
        b_acc += b_lhs * tl.load(p_rhs + b_at, mask=m_x, other=0.0).to(ACC)
    b_x = tl.sum(b_acc, 1)  # (E,)
    b_at = edge_ids(p_eids, b_slot, m_slot) * width + column  # (E,)
    tl.store(p_out + b_at, b_x.to(p_out.dtype.element_ty), mask=m_slot)


def configurations(width: int) -> list[Config]:
    """Return the sizes of blocks for columns or vectors of this width, the default first."""
    block = min(triton.next_power_of_2(max(width, 1)), 128)
    sizes = dict.fromkeys(max(1, min(256, area // block)) for area in (2048, 1024))
    return [
        {"BLOCK_F": block, "BLOCK_E": size, "num_warps": warps}
        for warps in (4, 8)
        for size in sizes
    ]


@kernel("sddmm", device="cuda", dtypes=FLOATS)
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
    src, dst, eids, lhs, rhs = contiguous(src, dst, eids, lhs, rhs)
    like = rhs if lhs is None else lhs
    if op == "dot" and like.dim() == 1:
        op = "mul"  # without a feature dimension there is nothing to sum over
    run = _dot if op == "dot" else _elementwise
    return run(src, dst, eids, lhs, rhs, op, (lhs_target, rhs_target))


def _elementwise(
    src: Tensor,
    dst: Tensor,
    eids: Tensor | None,
    lhs: Tensor | None,
    rhs: Tensor | None,
    op: str,
    targets: tuple[str, str],
) -> Tensor:
    like, ids = rhs if lhs is None else lhs, {"u": src, "v": dst, "e": eids}
    shape = broadcast_shape(lhs, rhs)
    out = torch.empty((src.shape[0], *shape), dtype=like.dtype, device=like.device)
    if out.numel():
        lhs_map, lhs_table, lhs_width = operand_plan(lhs, shape, like)
        rhs_map, rhs_table, rhs_width = operand_plan(rhs, shape, like)
        edges, width = out.shape[0], prod(shape)
        launch(
            sddmm_kernel,
            like,
            lambda c: triton.cdiv(edges, c["BLOCK_E"]) * triton.cdiv(width, c["BLOCK_F"]),
            configurations(width),
            *(ids[targets[0]], ids[targets[1]], eids, lhs, rhs, lhs_table, rhs_table, out),
            *(lhs_width, rhs_width, width, edges),
            OP=op,
            ACC=accumulator(like)[1],
            LHS_MAP=lhs_map,
            RHS_MAP=rhs_map,
        )
    return out


def _dot(
    src: Tensor,
    dst: Tensor,
    eids: Tensor | None,
    lhs: Tensor,
    rhs: Tensor,
    op: str,
    targets: tuple[str, str],
) -> Tensor:
    ids = {"u": src, "v": dst, "e": eids}
    lhs_length, rhs_length = lhs.shape[-1], rhs.shape[-1]
    length = rhs_length if lhs_length == 1 else lhs_length
    shape = torch.broadcast_shapes(lhs.shape[1:-1], rhs.shape[1:-1])
    out = torch.empty((src.shape[0], *shape, 1), dtype=lhs.dtype, device=lhs.device)
    if out.numel():
        lhs_map, lhs_table = column_map(lhs.shape[1:-1], shape, lhs)
        rhs_map, rhs_table = column_map(rhs.shape[1:-1], shape, lhs)
        edges, width = out.shape[0], prod(shape)
        launch(
            sddmm_dot_kernel,
            lhs,
            lambda c: triton.cdiv(edges, c["BLOCK_E"]) * width,
            configurations(length),
            *(ids[targets[0]], ids[targets[1]], eids, lhs, rhs, lhs_table, rhs_table, out),
            *(prod(lhs.shape[1:]), prod(rhs.shape[1:]), width, length, edges),
            ACC=accumulator(lhs)[1],
            LHS_MAP=lhs_map,
            RHS_MAP=rhs_map,
            LHS_REPEATS=lhs_length != length,
            RHS_REPEATS=rhs_length != length,
        )
    return out
