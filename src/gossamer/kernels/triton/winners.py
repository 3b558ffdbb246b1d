"""The gradient of max and min: no two programs write different values to one address."""

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
    contiguous,
    divide,
    edge_ids,
    launch,
    operand_columns,
    operand_plan,
)
from gossamer.kernels.triton.csr import starts_of


@triton.jit
def _flow(
    b_grad, p_u, p_e, b_u_at, b_e_at, m_x, ACC: tl.constexpr, OP: tl.constexpr,
    OF_EDGE: tl.constexpr,
):  # fmt: skip
    """Multiply gradients by the derivative of messages by the neighbor or by the edge: (K, F)."""
    if OP == "mul" and OF_EDGE:
        b_grad *= tl.load(p_u + b_u_at, mask=m_x, other=0.0).to(ACC)
    elif OP == "mul":
        b_grad *= tl.load(p_e + b_e_at, mask=m_x, other=0.0).to(ACC)
    elif OP == "div":
        b_e = tl.load(p_e + b_e_at, mask=m_x, other=1.0).to(ACC)  # (K, F)
        if OF_EDGE:
            b_u = tl.load(p_u + b_u_at, mask=m_x, other=0.0).to(ACC)  # (K, F)
            b_grad *= -divide(b_u, b_e * b_e)
        else:
            b_grad = divide(b_grad, b_e)
    elif OP == "sub" and OF_EDGE:
        b_grad = -b_grad
    return b_grad


@triton.jit(do_not_specialize=["first"])
def winners_kernel(
    first, p_indices, p_eids, p_arg, p_grad, p_u, p_e, p_u_table, p_e_table, p_row_of, p_grad_e,
    u_width, e_width, width, num_rows,
    OP: tl.constexpr, ACC: tl.constexpr, U_MAP: tl.constexpr, E_MAP: tl.constexpr,
    BLOCK_K: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Write the row of each slot that is an extremum, and the gradient of its edge."""
    program = tl.program_id(0).to(tl.int64) + first
    tiles = tl.cdiv(width, BLOCK_F)
    b_row = (program // tiles) * BLOCK_K + tl.arange(0, BLOCK_K)  # (K,)
    b_col = (program % tiles) * BLOCK_F + tl.arange(0, BLOCK_F)  # (F,)
    m_col = b_col < width  # (F,)
    b_at = b_row[:, None] * width + b_col[None, :]  # (K, F)
    m_x = (b_row < num_rows)[:, None] & m_col[None, :]  # (K, F)
    b_slot = tl.load(p_arg + b_at, mask=m_x, other=-1).to(tl.int64)  # (K, F)
    m_x = m_x & (b_slot >= 0)
    if p_row_of is not None:
        b_rows = tl.broadcast_to(b_row[:, None], m_x.shape)  # (K, F)
        tl.store(p_row_of + b_slot, b_rows.to(p_row_of.dtype.element_ty), mask=m_x)
    if p_grad_e is not None:
        b_edge = edge_ids(p_eids, b_slot, m_x)  # (K, F)
        b_id = tl.load(p_indices + b_slot, mask=m_x, other=0).to(tl.int64)  # (K, F)
        b_u_at = b_id * u_width + operand_columns(p_u_table, b_col, m_col, U_MAP)[None, :]
        b_e_at = b_edge * e_width + operand_columns(p_e_table, b_col, m_col, E_MAP)[None, :]
        b_g = tl.load(p_grad + b_at, mask=m_x, other=0.0).to(ACC)  # (K, F)
        b_g = _flow(b_g, p_u, p_e, b_u_at, b_e_at, m_x, ACC, OP, True)
        p_to = p_grad_e + b_edge * width + b_col[None, :]  # (K, F)
        tl.store(p_to, b_g.to(p_grad_e.dtype.element_ty), mask=m_x)


@triton.jit(do_not_specialize=["first"])
def winners_of_neighbor_kernel(
    first, p_indptr, p_order, p_row_of, p_eids, p_arg, p_grad, p_e, p_e_table, p_grad_u,
    e_width, width,
    OP: tl.constexpr, ACC: tl.constexpr, E_MAP: tl.constexpr,
    BLOCK_K: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Add the gradients of the rows in which a neighbor's slot is the extremum."""
    program = tl.program_id(0).to(tl.int64) + first
    tiles = tl.cdiv(width, BLOCK_F)
    neighbor = program // tiles
    b_col = (program % tiles) * BLOCK_F + tl.arange(0, BLOCK_F)  # (F,)
    m_col = b_col < width  # (F,)
    b_e_col = operand_columns(p_e_table, b_col, m_col, E_MAP)  # (F,)
    end = tl.load(p_indptr + neighbor + 1).to(tl.int64)
    b_acc = tl.zeros((BLOCK_K, BLOCK_F), ACC)  # (K, F)
    for k in range(tl.load(p_indptr + neighbor).to(tl.int64), end, BLOCK_K):
        b_k = k + tl.arange(0, BLOCK_K)  # (K,)
        m_k = b_k < end  # (K,)
        b_slot = tl.load(p_order + b_k, mask=m_k, other=0)  # (K,)
        b_row = tl.load(p_row_of + b_slot, mask=m_k, other=0).to(tl.int64)  # (K,)
        b_at = b_row[:, None] * width + b_col[None, :]  # (K, F)
        m_x = m_k[:, None] & m_col[None, :]  # (K, F)
        m_x = m_x & (tl.load(p_arg + b_at, mask=m_x, other=-1) == b_slot[:, None])
        b_edge = edge_ids(p_eids, b_slot, m_k)  # (K,)
        b_e_at = b_edge[:, None] * e_width + b_e_col[None, :]  # (K, F)
        b_g = tl.load(p_grad + b_at, mask=m_x, other=0.0).to(ACC)  # (K, F)
        b_g = _flow(b_g, None, p_e, None, b_e_at, m_x, ACC, OP, False)
        b_acc += tl.where(m_x, b_g, 0.0)
    p_to = p_grad_u + neighbor * width + b_col  # (F,)
    tl.store(p_to, tl.sum(b_acc, 0).to(p_grad_u.dtype.element_ty), mask=m_col)


def configurations(width: int) -> list[Config]:
    """Return the sizes of blocks for features of this width, the default first."""
    block = min(triton.next_power_of_2(width), 64)
    sizes = dict.fromkeys(max(1, min(32, area // block)) for area in (512, 256))
    return [{"BLOCK_F": block, "BLOCK_K": size, "num_warps": 2} for size in sizes]


@kernel("spmm_arg_backward", device="cuda", dtypes=FLOATS)
def spmm_arg_backward(
    indices: Tensor,
    eids: Tensor | None,
    arg: Tensor,
    grad: Tensor,
    u: Tensor | None,
    e: Tensor | None,
    op: str,
    num_u: int,
    num_e: int,
    want_u: bool,
    want_e: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients of a max or min; see `gossamer.kernels.reference.spmm_arg_backward`.

    Slots that are an extremum are sorted by neighbor, so that one program adds the gradients of
    one neighbor.
    """
    indices, eids, arg, grad, u, e = contiguous(indices, eids, arg, grad, u, e)
    shape, width = grad.shape[1:], prod(grad.shape[1:])
    acc, acc_type = accumulator(grad)
    u_map, u_table, u_width = operand_plan(u if op in ("mul", "div") else None, shape, grad)
    e_map, e_table, e_width = operand_plan(e if op in ("mul", "div") else None, shape, grad)
    constants = {"OP": op, "ACC": acc_type, "E_MAP": e_map}

    def zeros(rows: int, x: Tensor | None) -> Tensor:
        # Gradients of a broadcast operand are summed over its dimensions before they are rounded.
        same = x is None or x.shape[1:] == shape
        return torch.zeros((rows, *shape), dtype=grad.dtype if same else acc, device=grad.device)

    grad_u = zeros(num_u, u) if want_u else None
    grad_e = zeros(num_e, e) if want_e else None
    row_of = torch.full_like(indices, -1) if want_u else None

    def start(function: triton.JITFunction, rows: int, by_rows: bool, *args: Any, **more: Any):
        def programs(config: Config) -> int:
            count = triton.cdiv(rows, config["BLOCK_K"]) if by_rows else rows
            return count * triton.cdiv(width, config["BLOCK_F"])

        launch(function, grad, programs, configurations(width), *args, **constants, **more)

    if grad.numel() and indices.shape[0]:
        operands = (indices, eids, arg, grad, u, e, u_table, e_table)
        sizes = (u_width, e_width, width, grad.shape[0])
        start(winners_kernel, grad.shape[0], True, *operands, row_of, grad_e, *sizes, U_MAP=u_map)
        if want_u:
            keys, order = torch.sort(torch.where(row_of >= 0, indices, num_u), stable=True)
            args = (starts_of(keys, num_u, indices.dtype), order, row_of, eids, arg, grad)
            args = (*args, e, e_table, grad_u, e_width, width)
            start(winners_of_neighbor_kernel, num_u, False, *args)
    return _summed(grad_u, u, grad), _summed(grad_e, e, grad)


def _summed(x: Tensor | None, operand: Tensor | None, grad: Tensor) -> Tensor | None:
    """Sum a gradient over the dimensions in which its operand was broadcast."""
    if x is None or operand is None:
        return x
    return x.sum_to_size((x.shape[0], *operand.shape[1:])).to(grad.dtype)
