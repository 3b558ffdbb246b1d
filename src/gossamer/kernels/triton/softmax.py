"""Softmax over the edges of each row: one program for each row and tile of features."""

from __future__ import annotations

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
)


@triton.jit(do_not_specialize=["first"])
def softmax_kernel(
    first, p_indptr, p_eids, p_x, p_out, width,
    ACC: tl.constexpr, BLOCK_K: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Find the maximum and the sum of exponentials in one pass, then store the quotients."""
    program = tl.program_id(0).to(tl.int64) + first
    tiles = tl.cdiv(width, BLOCK_F)
    row = program // tiles
    b_col = (program % tiles) * BLOCK_F + tl.arange(0, BLOCK_F)  # (F,)
    m_col = b_col < width  # (F,)
    start = tl.load(p_indptr + row).to(tl.int64)
    end = tl.load(p_indptr + row + 1).to(tl.int64)
    b_peak = tl.full((BLOCK_K, BLOCK_F), float("-inf"), ACC)  # (K, F)
    b_sum = tl.zeros((BLOCK_K, BLOCK_F), ACC)  # (K, F)
    for k in range(start, end, BLOCK_K):
        b_slot = k + tl.arange(0, BLOCK_K)  # (K,)
        m_slot = b_slot < end  # (K,)
        m_x = m_slot[:, None] & m_col[None, :]  # (K, F)
        b_at = edge_ids(p_eids, b_slot, m_slot)[:, None] * width + b_col[None, :]  # (K, F)
        b_x = tl.load(p_x + b_at, mask=m_x, other=float("-inf")).to(ACC)  # (K, F)
        b_new = tl.maximum(b_peak, b_x)  # (K, F)
        # In a lane with only -inf so far, the sum is 0.
        b_shift = tl.where(b_new == float("-inf"), 0.0, b_new)  # (K, F)
        b_sum = b_sum * tl.exp(b_peak - b_shift) + tl.exp(b_x - b_shift)
        b_peak = b_new
    b_top = tl.max(b_peak, 0)  # (F,)
    b_shift = tl.where(b_top == float("-inf"), 0.0, b_top)  # (F,)
    b_total = tl.sum(b_sum * tl.exp(b_peak - b_shift[None, :]), 0)  # (F,)
    for k in range(start, end, BLOCK_K):
        b_slot = k + tl.arange(0, BLOCK_K)  # (K,)
        m_slot = b_slot < end  # (K,)
        m_x = m_slot[:, None] & m_col[None, :]  # (K, F)
        b_at = edge_ids(p_eids, b_slot, m_slot)[:, None] * width + b_col[None, :]  # (K, F)
        b_x = tl.load(p_x + b_at, mask=m_x, other=0.0).to(ACC)  # (K, F)
        b_y = divide(tl.exp(b_x - b_shift[None, :]), tl.broadcast_to(b_total[None, :], b_x.shape))
        tl.store(p_out + b_at, b_y.to(p_out.dtype.element_ty), mask=m_x)


@triton.jit(do_not_specialize=["first"])
def softmax_backward_kernel(
    first, p_indptr, p_eids, p_y, p_grad, p_out, width,
    ACC: tl.constexpr, BLOCK_K: tl.constexpr, BLOCK_F: tl.constexpr,
):  # fmt: skip
    """Sum the products of result and gradient over the row, then store the gradients."""
    program = tl.program_id(0).to(tl.int64) + first
    tiles = tl.cdiv(width, BLOCK_F)
    row = program // tiles
    b_col = (program % tiles) * BLOCK_F + tl.arange(0, BLOCK_F)  # (F,)
    m_col = b_col < width  # (F,)
    start = tl.load(p_indptr + row).to(tl.int64)
    end = tl.load(p_indptr + row + 1).to(tl.int64)
    b_acc = tl.zeros((BLOCK_K, BLOCK_F), ACC)  # (K, F)
    for k in range(start, end, BLOCK_K):
        b_slot = k + tl.arange(0, BLOCK_K)  # (K,)
        m_slot = b_slot < end  # (K,)
        m_x = m_slot[:, None] & m_col[None, :]  # (K, F)
        b_at = edge_ids(p_eids, b_slot, m_slot)[:, None] * width + b_col[None, :]  # (K, F)
        b_y = tl.load(p_y + b_at, mask=m_x, other=0.0).to(ACC)  # (K, F)
        b_acc += b_y * tl.load(p_grad + b_at, mask=m_x, other=0.0).to(ACC)
    b_inner = tl.sum(b_acc, 0)  # (F,)
    for k in range(start, end, BLOCK_K):
        b_slot = k + tl.arange(0, BLOCK_K)  # (K,)
        m_slot = b_slot < end  # (K,)
        m_x = m_slot[:, None] & m_col[None, :]  # (K, F)
        b_at = edge_ids(p_eids, b_slot, m_slot)[:, None] * width + b_col[None, :]  # (K, F)
        b_y = tl.load(p_y + b_at, mask=m_x, other=0.0).to(ACC)  # (K, F)
        b_g = tl.load(p_grad + b_at, mask=m_x, other=0.0).to(ACC)  # (K, F)
        b_x = b_y * (b_g - b_inner[None, :])  # (K, F)
        tl.store(p_out + b_at, b_x.to(p_out.dtype.element_ty), mask=m_x)


def configurations(width: int) -> list[Config]:
    """Return the sizes of blocks for features of this width, the default first."""
    block = min(triton.next_power_of_2(width), 64)
    sizes = dict.fromkeys(max(1, min(32, area // block)) for area in (512, 1024))
    return [
        {"BLOCK_F": block, "BLOCK_K": size, "num_warps": warps}
        for warps in (2, 4)
        for size in sizes
    ]


@kernel("edge_softmax", device="cuda", dtypes=FLOATS)
def edge_softmax(indptr: Tensor, eids: Tensor | None, logits: Tensor) -> Tensor:
    """Normalize the logits of each row; see `gossamer.kernels.reference.edge_softmax`."""
    return _run(softmax_kernel, indptr, eids, logits)


@kernel("edge_softmax_backward", device="cuda", dtypes=FLOATS)
def edge_softmax_backward(indptr: Tensor, eids: Tensor | None, out: Tensor, grad: Tensor) -> Tensor:
    """Return the gradient of the logits; see `reference.edge_softmax_backward`."""
    return _run(softmax_backward_kernel, indptr, eids, out, grad)


def _run(
    function: triton.JITFunction, indptr: Tensor, eids: Tensor | None, *features: Tensor
) -> Tensor:
    indptr, eids, *features = contiguous(indptr, eids, *features)
    x = features[0]
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    if out.numel():
        width = out.numel() // out.shape[0]
        rows, args = indptr.shape[0] - 1, (indptr, eids, *features, out, width)

        def programs(config: Config) -> int:
            return rows * triton.cdiv(width, config["BLOCK_F"])

        launch(function, x, programs, configurations(width), *args, ACC=accumulator(x)[1])
    return out
