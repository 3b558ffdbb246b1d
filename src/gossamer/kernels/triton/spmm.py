"""Aggregation over rows: one program for each row and tile of features.

A row with many slots is split: slots are divided into windows of `WINDOW` slots, and each window
within one row is reduced by a separate program. The row's program then combines the results of its
windows in order. The result does not depend on the order in which programs run.
"""

from __future__ import annotations

from math import prod
from typing import Any

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
    combine,
    contiguous,
    divide,
    edge_ids,
    launch,
    operand_columns,
    operand_plan,
)

#: Number of slots in a window.
WINDOW = 1024

#: Larger than any slot.
_NO_SLOT = tl.constexpr(2**62)


@triton.jit
def _take_largest(b_best, b_arg, b_x, b_slot):
    """Update the largest values: NaN exceeds all numbers; of equal values, the first is kept."""
    both_nan = (b_x != b_x) & (b_best != b_best)
    larger = (b_x > b_best) | ((b_x != b_x) & (b_best == b_best))
    earlier = ((b_x == b_best) | both_nan) & (b_slot < b_arg)
    b_arg = tl.where(larger | earlier, b_slot, b_arg)
    return tl.where(larger, b_x, b_best), b_arg


@triton.jit
def _largest_of_lanes(b_best, b_arg):
    """Reduce the first dimension: (K, F) to (F,)."""
    b_nan = b_best != b_best  # (K, F)
    b_any = tl.max(b_nan.to(tl.int32), 0) > 0  # (F,)
    b_top = tl.max(tl.where(b_nan, float("-inf"), b_best), 0)  # (F,)
    b_is_top = tl.where(b_any[None, :], b_nan, b_best == b_top[None, :])  # (K, F)
    b_arg = tl.min(tl.where(b_is_top, b_arg, _NO_SLOT), 0)  # (F,)
    return tl.where(b_any, float("nan"), b_top), b_arg


@triton.jit
def _reduce_slots(
    p_indices, p_eids, p_u, p_e, u_width, e_width, b_u_col, b_e_col, m_col,
    start, head, gap, count,
    OP: tl.constexpr, REDUCE: tl.constexpr, ACC: tl.constexpr,
    BLOCK_K: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Reduce `head` slots from `start` on and, after a gap, the rest of `count` slots.

    Returns the value and the slot of each column; a minimum is the maximum of the negatives.
    """
    ADDS: tl.constexpr = REDUCE == "sum" or REDUCE == "mean"
    neutral = 0.0 if ADDS else float("-inf")
    b_acc = tl.full((BLOCK_K, BLOCK_F), neutral, ACC)  # (K, F)
    b_arg = tl.full((BLOCK_K, BLOCK_F), _NO_SLOT, tl.int64)  # (K, F)
    for k in range(0, count, BLOCK_K):
        b_k = k + tl.arange(0, BLOCK_K)  # (K,)
        m_k = b_k < count  # (K,)
        m_x = m_k[:, None] & m_col[None, :]  # (K, F)
        b_slot = start + b_k + tl.where(b_k < head, 0, gap)  # (K,)
        b_u = tl.zeros((BLOCK_K, BLOCK_F), ACC)  # (K, F)
        b_e = tl.zeros((BLOCK_K, BLOCK_F), ACC)  # (K, F)
        if p_u is not None:
            b_id = tl.load(p_indices + b_slot, mask=m_k, other=0).to(tl.int64)  # (K,)
            b_at = b_id[:, None] * u_width + b_u_col[None, :]  # (K, F)
            b_u = tl.load(p_u + b_at, mask=m_x, other=0.0).to(ACC)  # (K, F)
        if p_e is not None:
            b_id = edge_ids(p_eids, b_slot, m_k)  # (K,)
            b_at = b_id[:, None] * e_width + b_e_col[None, :]  # (K, F)
            b_e = tl.load(p_e + b_at, mask=m_x, other=1.0).to(ACC)  # (K, F)
        b_x = combine(b_u, b_e, OP)  # (K, F)
        if ADDS:
            b_acc += tl.where(m_x, b_x, 0.0)
        else:
            b_x = -b_x if REDUCE == "min" else b_x
            b_at = tl.where(m_x, b_slot[:, None], _NO_SLOT)  # (K, F)
            b_x = tl.where(m_x, b_x, float("-inf"))
            b_acc, b_arg = _take_largest(b_acc, b_arg, b_x, b_at)
    if ADDS:
        return tl.sum(b_acc, 0), tl.full((BLOCK_F,), _NO_SLOT, tl.int64)
    else:
        return _largest_of_lanes(b_acc, b_arg)


@triton.jit(do_not_specialize=["first"])
def spmm_window_kernel(
    first, p_indptr, p_window_row, p_indices, p_eids, p_u, p_e, p_u_table, p_e_table,
    p_partial, p_partial_arg, u_width, e_width, width,
    OP: tl.constexpr, REDUCE: tl.constexpr, ACC: tl.constexpr,
    U_MAP: tl.constexpr, E_MAP: tl.constexpr, WINDOW: tl.constexpr,
    BLOCK_K: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Reduce the windows within one row; results stored for other windows are never read."""
    program = tl.program_id(0).to(tl.int64) + first
    tiles = tl.cdiv(width, BLOCK_F)
    window = program // tiles
    b_col = (program % tiles) * BLOCK_F + tl.arange(0, BLOCK_F)  # (F,)
    m_col = b_col < width  # (F,)
    b_u_col = operand_columns(p_u_table, b_col, m_col, U_MAP)  # (F,)
    b_e_col = operand_columns(p_e_table, b_col, m_col, E_MAP)  # (F,)
    row = tl.load(p_window_row + window).to(tl.int64)
    start = window * WINDOW
    end = tl.load(p_indptr + row + 1).to(tl.int64)
    count = tl.where(end >= start + WINDOW, WINDOW, 0)
    b_x, b_arg = _reduce_slots(
        p_indices, p_eids, p_u, p_e, u_width, e_width, b_u_col, b_e_col, m_col,
        start, count, 0, count, OP, REDUCE, ACC, BLOCK_K, BLOCK_F,
    )  # fmt: skip
    tl.store(p_partial + window * width + b_col, b_x, mask=m_col)
    if p_partial_arg is not None:
        tl.store(p_partial_arg + window * width + b_col, b_arg, mask=m_col)


@triton.jit(do_not_specialize=["first"])
def spmm_row_kernel(
    first, p_indptr, p_indices, p_eids, p_u, p_e, p_u_table, p_e_table,
    p_partial, p_partial_arg, p_out, p_arg, p_row_scale, p_self_scale,
    u_width, e_width, width, num_self,
    OP: tl.constexpr, REDUCE: tl.constexpr, ACC: tl.constexpr,
    U_MAP: tl.constexpr, E_MAP: tl.constexpr, WINDOW: tl.constexpr,
    BLOCK_K: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Reduce a row's slots outside of whole windows, then the results of its windows."""
    program = tl.program_id(0).to(tl.int64) + first
    tiles = tl.cdiv(width, BLOCK_F)
    row = program // tiles
    b_col = (program % tiles) * BLOCK_F + tl.arange(0, BLOCK_F)  # (F,)
    m_col = b_col < width  # (F,)
    b_u_col = operand_columns(p_u_table, b_col, m_col, U_MAP)  # (F,)
    b_e_col = operand_columns(p_e_table, b_col, m_col, E_MAP)  # (F,)
    start = tl.load(p_indptr + row).to(tl.int64)
    end = tl.load(p_indptr + row + 1).to(tl.int64)
    low = (start + WINDOW - 1) // WINDOW
    windows = tl.maximum(end // WINDOW - low, 0)
    head = tl.where(windows > 0, low * WINDOW - start, end - start)
    gap = windows * WINDOW
    b_x, b_slot = _reduce_slots(
        p_indices, p_eids, p_u, p_e, u_width, e_width, b_u_col, b_e_col, m_col,
        start, head, gap, end - start - gap, OP, REDUCE, ACC, BLOCK_K, BLOCK_F,
    )  # fmt: skip
    for window in range(low, low + windows):
        b_part = tl.load(p_partial + window * width + b_col, mask=m_col, other=0.0)  # (F,)
        if REDUCE == "sum" or REDUCE == "mean":
            b_x += b_part
        else:
            b_at = tl.full((BLOCK_F,), _NO_SLOT, tl.int64)  # (F,)
            if p_partial_arg is not None:
                b_at = tl.load(p_partial_arg + window * width + b_col, mask=m_col, other=0)
            b_x, b_slot = _take_largest(b_x, b_slot, b_part, b_at)
    if REDUCE == "mean":
        b_x = divide(b_x, tl.full((BLOCK_F,), tl.maximum(end - start, 1), tl.int64).to(ACC))
    if REDUCE == "max" or REDUCE == "min":
        b_x = tl.where(end > start, -b_x if REDUCE == "min" else b_x, 0.0)
    if p_row_scale is not None:
        b_x *= tl.load(p_row_scale + row).to(ACC)
    if p_self_scale is not None:
        m_own = m_col & (row + b_col * 0 < num_self)  # (F,)
        b_own = tl.load(p_u + row * u_width + b_u_col, mask=m_own, other=0.0).to(ACC)  # (F,)
        b_x = tl.where(m_own, b_x + tl.load(p_self_scale).to(ACC) * b_own, b_x)
    p_at = row * width + b_col  # (F,)
    tl.store(p_out + p_at, b_x.to(p_out.dtype.element_ty), mask=m_col)
    if p_arg is not None:
        b_slot = tl.where(end > start, b_slot, -1)
        tl.store(p_arg + p_at, b_slot.to(p_arg.dtype.element_ty), mask=m_col)


def configurations(width: int, op: str) -> list[Config]:
    """Return the sizes of blocks for features of this width, the default first."""
    block = min(triton.next_power_of_2(width), 128)
    # A division needs many registers.
    areas = (256, 512) if op == "div" else (512, 1024, 2048)
    sizes = dict.fromkeys(max(1, min(32, area // block)) for area in areas)
    return [
        {"BLOCK_F": block, "BLOCK_K": size, "num_warps": warps}
        for warps in (2, 4)
        for size in sizes
    ]


@kernel("spmm", device="cuda", dtypes=FLOATS)
def spmm(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    u: Tensor | None,
    e: Tensor | None,
    op: str,
    reduce: str,
    return_argmax: bool = True,
) -> tuple[Tensor, Tensor | None]:
    """Reduce the messages of each row; see `gossamer.kernels.reference.spmm`."""
    return _reduce(indptr, indices, eids, u, e, op, reduce, return_argmax)


@kernel("scaled_sum", device="cuda", dtypes=FLOATS)
def scaled_sum(
    indptr: Tensor,
    indices: Tensor,
    x: Tensor,
    neighbor_scale: Tensor | None,
    row_scale: Tensor | None,
    self_scale: Tensor | None = None,
) -> Tensor:
    """Sum scaled neighbors; see `gossamer.kernels.reference.scaled_sum`."""
    scales = row_scale, self_scale
    if neighbor_scale is None:
        return _reduce(indptr, indices, None, x, None, "copy_lhs", "sum", False, scales)[0]
    # With neighbors instead of edge ids, the factor of an edge is that of its neighbor.
    factor = neighbor_scale.view(-1, *[1] * (x.dim() - 1))
    return _reduce(indptr, indices, indices, x, factor, "mul", "sum", False, scales)[0]


def _reduce(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    u: Tensor | None,
    e: Tensor | None,
    op: str,
    reduce: str,
    recorded: bool,
    scales: tuple[Tensor | None, Tensor | None] = (None, None),
) -> tuple[Tensor, Tensor | None]:
    """Run both kernels; `scales` are the factors of rows and of a row's own features."""
    indptr, indices, eids, u, e, *scales = contiguous(indptr, indices, eids, u, e, *scales)
    like = e if u is None else u
    num_rows, num_windows = indptr.shape[0] - 1, indices.shape[0] // WINDOW
    shape = broadcast_shape(u, e)
    width = prod(shape)
    recorded = recorded and reduce in ("max", "min")
    acc, acc_type = accumulator(like)
    out = torch.empty((num_rows, *shape), dtype=like.dtype, device=like.device)
    arg = torch.empty(out.shape, dtype=indptr.dtype, device=like.device) if recorded else None
    if not out.numel():
        return out, arg
    u_map, u_table, u_width = operand_plan(u, shape, like)
    e_map, e_table, e_width = operand_plan(e, shape, like)
    partial = torch.empty((num_windows, width), dtype=acc, device=like.device)
    partial_arg = None
    if recorded:
        partial_arg = torch.empty((num_windows, width), dtype=torch.int64, device=like.device)
    sizes = (u_width, e_width, width)
    constants = {"OP": op, "REDUCE": reduce, "ACC": acc_type, "U_MAP": u_map, "E_MAP": e_map}
    constants |= {"WINDOW": WINDOW}
    operands = (indices, eids, u, e, u_table, e_table, partial, partial_arg)

    def start(function: Any, rows: int, *args: Any) -> None:
        def programs(config: Config) -> int:
            return rows * triton.cdiv(width, config["BLOCK_F"])

        launch(function, like, programs, configurations(width, op), *args, **constants)

    if num_windows:
        starts = torch.arange(num_windows, dtype=indptr.dtype, device=like.device) * WINDOW
        window_row = torch.searchsorted(indptr, starts, right=True) - 1
        start(spmm_window_kernel, num_windows, indptr, window_row, *operands, *sizes)
    num_self = 0 if u is None else u.shape[0]
    start(spmm_row_kernel, num_rows, indptr, *operands, out, arg, *scales, *sizes, num_self)
    return out, arg
