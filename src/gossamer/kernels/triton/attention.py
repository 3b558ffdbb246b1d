"""Attention over edges: one program for each row and head, and no tensor of edges times features.

The gradients of destinations are computed in a pass over destinations, those of sources in a pass
over sources. Both recompute the scores. No two programs write to one address.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from gossamer.kernels import reference
from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference.attention import dropout_threshold
from gossamer.kernels.triton._attention import (
    dropped,
    key_slope,
    leaky,
    plus_edges,
    score_gradients,
    scores,
    slots,
    store_edges,
    store_vector,
    vector,
    vectors,
)
from gossamer.kernels.triton._common import (
    FLOATS,
    Config,
    accumulator,
    contiguous,
    launch,
    signed,
)

#: Maximum number of features per head in one program; wider heads use the reference.
MAX_FEATURES = 1024


@triton.jit(do_not_specialize=["first", "seed"])
def attention_kernel(
    first, p_indptr, p_indices, p_eids, p_value, p_key, p_query, p_weight, p_bias, p_out_bias,
    p_edge_key, p_edge_value, p_out, p_norms, seed, heads, dim, key_dim,
    SCORE: tl.constexpr, SLOPE: tl.constexpr, THRESHOLD: tl.constexpr, SCALE: tl.constexpr,
    ACC: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Sum the values of a row with online softmax."""
    program = tl.program_id(0).to(tl.int64) + first
    row, head = program // heads, program % heads
    start = tl.load(p_indptr + row).to(tl.int64)
    end = tl.load(p_indptr + row + 1).to(tl.int64)
    b_query = vector(p_query, row, head, heads, key_dim, ACC, BLOCK_K)[None, :]  # (1, K)
    b_weight = vector(p_weight, 0, head, heads, key_dim, ACC, BLOCK_K)  # (K,)
    b_acc = tl.zeros((BLOCK_D,), ACC)  # (D,)
    peak = tl.full((), float("-inf"), ACC)
    total = tl.full((), 0.0, ACC)
    for k in range(start, end, BLOCK_N):
        m_slot, b_id, b_edge = slots(p_indices, p_eids, k, end, BLOCK_N)  # (N,)
        b_key = vectors(p_key, b_id, m_slot, head, heads, key_dim, ACC, BLOCK_K)  # (N, K)
        b_key = plus_edges(b_key, p_edge_key, b_edge, m_slot, head, heads, key_dim, ACC, BLOCK_K)
        b_x = scores(
            b_key, b_query, b_weight, p_bias, b_edge, m_slot, head, heads, SCORE, SLOPE, ACC
        )  # (N,)
        b_x = tl.where(m_slot, leaky(b_x, SLOPE) if SCORE == "add" else b_x, float("-inf"))
        new = tl.maximum(peak, tl.max(b_x, 0))
        shift = tl.where(new == float("-inf"), 0.0, new)  # the sums are 0 before a finite score
        shrink = tl.exp(peak - shift)
        b_p = tl.exp(b_x - shift)  # (N,)
        total = total * shrink + tl.sum(b_p, 0)
        b_p = dropped(b_p, b_edge, head, heads, seed, THRESHOLD, SCALE)  # (N,)
        b_value = vectors(p_value, b_id, m_slot, head, heads, dim, ACC, BLOCK_D)  # (N, D)
        b_value = plus_edges(b_value, p_edge_value, b_edge, m_slot, head, heads, dim, ACC, BLOCK_D)
        b_acc = b_acc * shrink + tl.sum(b_p[:, None] * b_value, 0)
        peak = new
    b_acc = tl.where(end > start, b_acc / total, 0.0)  # (D,)
    b_acc += vector(p_out_bias, 0, head, heads, dim, ACC, BLOCK_D)
    store_vector(p_out, b_acc, row, head, heads, dim, BLOCK_D)
    tl.store(p_norms + row * 2 * heads + head, tl.where(end > start, peak, 0.0))
    tl.store(p_norms + (row * 2 + 1) * heads + head, total)


@triton.jit(do_not_specialize=["first", "seed"])
def attention_dst_kernel(
    first, p_indptr, p_indices, p_eids, p_value, p_key, p_query, p_weight, p_bias, p_out_bias,
    p_edge_key, p_edge_value, p_out, p_norms, p_grad, p_mean, p_grad_query, p_grad_weight,
    p_grad_bias, p_grad_edge_key, p_grad_edge_value, seed, heads, dim, key_dim,
    SCORE: tl.constexpr, SLOPE: tl.constexpr, THRESHOLD: tl.constexpr, SCALE: tl.constexpr,
    ACC: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Compute the gradients of a destination's query and edges, and its part of that of weight.

    Also store the mean of the values' products with the gradient, which the sources need.
    """
    program = tl.program_id(0).to(tl.int64) + first
    row, head = program // heads, program % heads
    start = tl.load(p_indptr + row).to(tl.int64)
    end = tl.load(p_indptr + row + 1).to(tl.int64)
    b_query = vector(p_query, row, head, heads, key_dim, ACC, BLOCK_K)[None, :]  # (1, K)
    b_weight = vector(p_weight, 0, head, heads, key_dim, ACC, BLOCK_K)  # (K,)
    b_grad = vector(p_grad, row, head, heads, dim, ACC, BLOCK_D)  # (D,)
    b_out = vector(p_out, row, head, heads, dim, ACC, BLOCK_D)  # (D,)
    b_out -= vector(p_out_bias, 0, head, heads, dim, ACC, BLOCK_D)
    mean = tl.sum(b_grad * b_out, 0)
    tl.store(p_mean + row * heads + head, mean)
    peak = tl.load(p_norms + row * 2 * heads + head)
    total = tl.load(p_norms + (row * 2 + 1) * heads + head)
    b_grad_query = tl.zeros((BLOCK_K,), ACC)  # (K,)
    b_grad_weight = tl.zeros((BLOCK_K,), ACC)  # (K,)
    for k in range(start, end, BLOCK_N):
        m_slot, b_id, b_edge = slots(p_indices, p_eids, k, end, BLOCK_N)  # (N,)
        b_key = vectors(p_key, b_id, m_slot, head, heads, key_dim, ACC, BLOCK_K)  # (N, K)
        b_key = plus_edges(b_key, p_edge_key, b_edge, m_slot, head, heads, key_dim, ACC, BLOCK_K)
        b_x = scores(
            b_key, b_query, b_weight, p_bias, b_edge, m_slot, head, heads, SCORE, SLOPE, ACC
        )  # (N,)
        b_value = vectors(p_value, b_id, m_slot, head, heads, dim, ACC, BLOCK_D)  # (N, D)
        b_value = plus_edges(b_value, p_edge_value, b_edge, m_slot, head, heads, dim, ACC, BLOCK_D)
        b_inner = tl.sum(b_value * b_grad[None, :], 1)  # (N,)
        b_d, b_kept = score_gradients(
            b_x, b_inner, peak, total, mean, b_edge, m_slot, head, heads, seed,
            SCORE, SLOPE, THRESHOLD, SCALE,
        )  # fmt: skip
        b_slope = key_slope(b_key, b_query, b_weight, SCORE, SLOPE)  # (N, K)
        b_grad_query += tl.sum(b_d[:, None] * b_slope, 0)
        if p_grad_weight is not None:
            b_z = leaky(b_key + b_query, SLOPE)  # (N, K)
            b_grad_weight += tl.sum(b_d[:, None] * b_z, 0)
        store_edges(p_grad_bias, b_d[:, None], b_edge, m_slot, head, heads, 1, 1)
        b_grad_key = b_d[:, None] * (b_query if SCORE == "dot" else b_slope)  # (N, K)
        store_edges(p_grad_edge_key, b_grad_key, b_edge, m_slot, head, heads, key_dim, BLOCK_K)
        b_grad_value = b_kept[:, None] * b_grad[None, :]  # (N, D)
        store_edges(p_grad_edge_value, b_grad_value, b_edge, m_slot, head, heads, dim, BLOCK_D)
    store_vector(p_grad_query, b_grad_query, row, head, heads, key_dim, BLOCK_K)
    if p_grad_weight is not None:
        store_vector(p_grad_weight, b_grad_weight, row, head, heads, key_dim, BLOCK_K)


@triton.jit(do_not_specialize=["first", "seed"])
def attention_src_kernel(
    first, p_indptr, p_indices, p_eids, p_value, p_key, p_query, p_weight, p_bias,
    p_edge_key, p_edge_value, p_norms, p_grad, p_mean, p_grad_value, p_grad_key,
    seed, heads, dim, key_dim,
    SCORE: tl.constexpr, SLOPE: tl.constexpr, THRESHOLD: tl.constexpr, SCALE: tl.constexpr,
    ACC: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Compute the gradients of a source's value and key."""
    program = tl.program_id(0).to(tl.int64) + first
    row, head = program // heads, program % heads
    start = tl.load(p_indptr + row).to(tl.int64)
    end = tl.load(p_indptr + row + 1).to(tl.int64)
    b_key = vector(p_key, row, head, heads, key_dim, ACC, BLOCK_K)[None, :]  # (1, K)
    b_weight = vector(p_weight, 0, head, heads, key_dim, ACC, BLOCK_K)  # (K,)
    b_value = vector(p_value, row, head, heads, dim, ACC, BLOCK_D)[None, :]  # (1, D)
    b_grad_key = tl.zeros((BLOCK_K,), ACC)  # (K,)
    b_grad_value = tl.zeros((BLOCK_D,), ACC)  # (D,)
    for k in range(start, end, BLOCK_N):
        m_slot, b_id, b_edge = slots(p_indices, p_eids, k, end, BLOCK_N)  # (N,)
        b_query = vectors(p_query, b_id, m_slot, head, heads, key_dim, ACC, BLOCK_K)  # (N, K)
        b_own = plus_edges(b_key, p_edge_key, b_edge, m_slot, head, heads, key_dim, ACC, BLOCK_K)
        b_x = scores(
            b_query, b_own, b_weight, p_bias, b_edge, m_slot, head, heads, SCORE, SLOPE, ACC
        )  # (N,)
        b_peak = tl.load(p_norms + b_id * 2 * heads + head, mask=m_slot, other=0.0)  # (N,)
        b_total = tl.load(p_norms + (b_id * 2 + 1) * heads + head, mask=m_slot, other=1.0)  # (N,)
        b_mean = tl.load(p_mean + b_id * heads + head, mask=m_slot, other=0.0)  # (N,)
        b_grad = vectors(p_grad, b_id, m_slot, head, heads, dim, ACC, BLOCK_D)  # (N, D)
        b_sum = plus_edges(b_value, p_edge_value, b_edge, m_slot, head, heads, dim, ACC, BLOCK_D)
        b_inner = tl.sum(b_grad * b_sum, 1)  # (N,)
        b_d, b_kept = score_gradients(
            b_x, b_inner, b_peak, b_total, b_mean, b_edge, m_slot, head, heads, seed,
            SCORE, SLOPE, THRESHOLD, SCALE,
        )  # fmt: skip
        b_slope = key_slope(b_query, b_own, b_weight, SCORE, SLOPE)  # (N, K)
        b_grad_key += tl.sum(b_d[:, None] * b_slope, 0)
        b_grad_value += tl.sum(b_kept[:, None] * b_grad, 0)
    store_vector(p_grad_key, b_grad_key, row, head, heads, key_dim, BLOCK_K)
    store_vector(p_grad_value, b_grad_value, row, head, heads, dim, BLOCK_D)


@kernel("attention", device="cuda", dtypes=FLOATS)
def attention(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    value: Tensor,
    key: Tensor,
    query: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    out_bias: Tensor | None,
    seed: int,
    score: str,
    slope: float,
    dropout: float,
    edge_key: Tensor | None = None,
    edge_value: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Sum values weighted by the softmax of scores; see `gossamer.kernels.reference.attention`."""
    tensors = (indptr, indices, eids, value, key, query, weight, bias, out_bias)
    edges = (edge_key, edge_value)
    if not _fits(value, query, score):
        return reference.attention(*tensors, seed, score, slope, dropout, *edges)
    tensors = contiguous(*tensors, *edges)
    num_rows, heads = indptr.shape[0] - 1, value.shape[1]
    out = value.new_empty((num_rows, *value.shape[1:]))
    norms = torch.empty((num_rows, 2, heads), dtype=accumulator(value)[0], device=value.device)
    sizes, configs, constants = _plan(value, query, score, slope, dropout)
    args = (*tensors, out, norms, signed(seed), *sizes)
    launch(attention_kernel, value, lambda _: num_rows * heads, configs, *args, **constants)
    return out, norms


@kernel("attention_backward", device="cuda", dtypes=FLOATS)
def attention_backward(
    by_dst: tuple[Tensor, Tensor, Tensor | None],
    by_src: tuple[Tensor, Tensor, Tensor | None],
    value: Tensor,
    key: Tensor,
    query: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    out_bias: Tensor | None,
    seed: int,
    score: str,
    slope: float,
    dropout: float,
    out: Tensor,
    norms: Tensor,
    grad: Tensor,
    edge_key: Tensor | None = None,
    edge_value: Tensor | None = None,
    overwrite: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of all operands; see `reference.attention_backward`."""
    operands = (value, key, query, weight, bias)
    if not _fits(value, query, score):
        options = (seed, score, slope, dropout)
        return reference.attention_backward(
            by_dst, by_src, *operands, out_bias, *options, out, norms, grad, edge_key, edge_value
        )
    operands = contiguous(*operands)
    edges = contiguous(edge_key, edge_value)
    out_bias, out, norms, grad = contiguous(out_bias, out, norms, grad)
    mean = torch.empty((out.shape[0], out.shape[1]), dtype=norms.dtype, device=out.device)
    grad_value, grad_key, grad_query = (torch.empty_like(x) for x in operands[:3])
    by_edge = [None if x is None else torch.empty_like(x) for x in (operands[4], *edges)]
    parts = None  # the gradient of weight for each row
    if weight is not None:
        parts = torch.empty(grad_query.shape, dtype=norms.dtype, device=out.device)
    sizes, configs, constants = _plan(value, query, score, slope, dropout)
    rest = (signed(seed), *sizes)
    results = (mean, grad_query, parts, *by_edge)
    args = (*contiguous(*by_dst), *operands, out_bias, *edges, out, norms, grad, *results, *rest)
    launch(attention_dst_kernel, value, lambda _: mean.numel(), configs, *args, **constants)
    results = (mean, grad_value, grad_key)
    args = (*contiguous(*by_src), *operands, *edges, norms, grad, *results, *rest)
    programs = value.shape[0] * value.shape[1]
    launch(attention_src_kernel, value, lambda _: programs, configs, *args, **constants)
    grad_weight = None if parts is None else parts.sum(0).to(weight.dtype)
    return grad_value, grad_key, grad_query, grad_weight, *by_edge


def _fits(value: Tensor, query: Tensor, score: str) -> bool:
    return max(value.shape[2], 1 if score == "add" else query.shape[2]) <= MAX_FEATURES


def _plan(
    value: Tensor, query: Tensor, score: str, slope: float, dropout: float
) -> tuple[tuple[int, int, int], list[Config], dict[str, Any]]:
    """Return (heads, features, key features), configurations, and constants of the kernels."""
    heads, dim = value.shape[1:]
    key_dim = 1 if score == "add" else query.shape[2]
    block_d, block_k = (triton.next_power_of_2(max(size, 1)) for size in (dim, key_dim))
    constants = {
        "SCORE": score,
        "SLOPE": slope,
        "THRESHOLD": dropout_threshold(dropout),
        "SCALE": 1 / (1 - dropout) if dropout < 1 else 0.0,
        "ACC": accumulator(value)[1],
        "BLOCK_D": block_d,
        "BLOCK_K": block_k,
    }
    return (heads, dim, key_dim), configurations(max(block_d, block_k)), constants


def configurations(block: int) -> list[Config]:
    """Return the block sizes for heads with up to `block` features, the default first."""
    sizes = dict.fromkeys(max(1, min(32, area // block)) for area in (512, 256))
    # Wide heads on few warps need so many registers that some are spilled.
    choices = (4, 2) if block <= 256 else (8, 4)
    # Without a limit, NVIDIA's assembler spills some registers of small kernels for more occupancy.
    limit = {} if torch.version.hip else {"maxnreg": 128 if block <= 256 else 255}
    return [{"BLOCK_N": size, "num_warps": warps, **limit} for warps in choices for size in sizes]
