"""The steps of the kernels of attention: reading and writing heads, scores and their derivatives.

Names of tensors and their shapes are as in `gossamer.kernels.triton.attention`.
"""

from __future__ import annotations

import triton
import triton.language as tl

from gossamer.kernels.triton._common import edge_ids, random_bits

__all__ = [
    "dropped", "key_slope", "leaky", "plus_edges", "score_gradients", "scores", "slots",
    "store_edges", "store_vector", "vector", "vectors",
]  # fmt: skip


@triton.jit
def leaky(b_x, SLOPE: tl.constexpr):
    return tl.where(b_x > 0, b_x, b_x * SLOPE)


@triton.jit
def vectors(p_x, b_row, m_row, head, heads, dim, ACC: tl.constexpr, BLOCK: tl.constexpr):
    """Load a head's features of some rows: (N, BLOCK)."""
    b_f = tl.arange(0, BLOCK)  # (F,)
    b_at = ((b_row * heads + head) * dim)[:, None] + b_f[None, :]  # (N, F)
    m_x = m_row[:, None] & (b_f < dim)[None, :]  # (N, F)
    return tl.load(p_x + b_at, mask=m_x, other=0.0).to(ACC)


@triton.jit
def plus_edges(
    b_x, p_edge, b_edge, m_slot, head, heads, dim, ACC: tl.constexpr, BLOCK: tl.constexpr
):  # fmt: skip
    """Add a head's edge features, if any, to those of the endpoints: (N, F) or (1, F)."""
    if p_edge is not None:
        b_x = b_x + vectors(p_edge, b_edge, m_slot, head, heads, dim, ACC, BLOCK)  # (N, F)
    return b_x


@triton.jit
def vector(p_x, row, head, heads, dim, ACC: tl.constexpr, BLOCK: tl.constexpr):
    """Load a head's features of one row: (BLOCK,), zero without an operand."""
    b_f = tl.arange(0, BLOCK)  # (F,)
    if p_x is None:
        b_x = tl.zeros((BLOCK,), ACC)
    else:
        b_x = tl.load(p_x + (row * heads + head) * dim + b_f, mask=b_f < dim, other=0.0).to(ACC)
    return b_x


@triton.jit
def store_vector(p_x, b_x, row, head, heads, dim, BLOCK: tl.constexpr):
    b_f = tl.arange(0, BLOCK)  # (F,)
    p_at = p_x + (row * heads + head) * dim + b_f  # (F,)
    tl.store(p_at, b_x.to(p_x.dtype.element_ty), mask=b_f < dim)


@triton.jit
def store_edges(p_x, b_x, b_edge, m_slot, head, heads, dim, BLOCK: tl.constexpr):
    """Store a head's edge features, (N, F), if there is an output for them."""
    if p_x is not None:
        b_f = tl.arange(0, BLOCK)  # (F,)
        p_at = p_x + ((b_edge * heads + head) * dim)[:, None] + b_f[None, :]  # (N, F)
        m_x = m_slot[:, None] & (b_f < dim)[None, :]  # (N, F)
        tl.store(p_at, b_x.to(p_x.dtype.element_ty), mask=m_x)


@triton.jit
def slots(p_indices, p_eids, start, end, BLOCK: tl.constexpr):
    """Return a mask of slots, their neighbors and their edge ids: (N,)."""
    b_slot = start + tl.arange(0, BLOCK)  # (N,)
    m_slot = b_slot < end  # (N,)
    b_id = tl.load(p_indices + b_slot, mask=m_slot, other=0).to(tl.int64)  # (N,)
    return m_slot, b_id, edge_ids(p_eids, b_slot, m_slot)


@triton.jit
def scores(
    b_far, b_own, b_weight, p_bias, b_edge, m_slot, head, heads,
    SCORE: tl.constexpr, SLOPE: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Return the scores of slots from both ends' keys; those of ``add`` before the activation.

    The row's own key is (1, K), or (N, K) with keys of edges.
    """
    if SCORE == "add":
        b_score = tl.sum(b_far + b_own, 1)  # (N,)
    elif SCORE == "dot":
        b_score = tl.sum(b_far * b_own, 1)  # (N,)
    else:
        b_score = tl.sum(b_weight[None, :] * leaky(b_far + b_own, SLOPE), 1)  # (N,)
    if p_bias is not None:
        b_score += tl.load(p_bias + b_edge * heads + head, mask=m_slot, other=0.0).to(ACC)
    return b_score


@triton.jit
def key_slope(b_far, b_own, b_weight, SCORE: tl.constexpr, SLOPE: tl.constexpr):
    """Return the derivative of `scores` by the row's own key: (N, K)."""
    if SCORE == "add":
        b_slope = tl.full(b_far.shape, 1.0, b_far.dtype)
    elif SCORE == "dot":
        b_slope = b_far
    else:
        b_weight = b_weight[None, :]  # (1, K)
        b_slope = tl.where(b_far + b_own > 0, b_weight, b_weight * SLOPE)
    return b_slope


@triton.jit
def dropped(b_x, b_edge, head, heads, seed, THRESHOLD: tl.constexpr, SCALE: tl.constexpr):
    """Multiply by dropout's factors; see `reference.attention.dropout_mask`."""
    if THRESHOLD > 0:
        b_z = random_bits(seed.to(tl.int64), b_edge * heads + head) >> 11
        b_x = tl.where(b_z.to(tl.int64) >= THRESHOLD, b_x * SCALE, 0.0)
    return b_x


@triton.jit
def score_gradients(
    b_score, b_inner, b_peak, b_total, b_mean, b_edge, m_slot, head, heads, seed,
    SCORE: tl.constexpr, SLOPE: tl.constexpr, THRESHOLD: tl.constexpr, SCALE: tl.constexpr,
):  # fmt: skip
    """Return the gradients of scores, and the softmax with dropout: (N,) and (N,)."""
    b_x = leaky(b_score, SLOPE) if SCORE == "add" else b_score  # (N,)
    b_p = tl.where(m_slot, tl.exp(b_x - b_peak) / b_total, 0.0)  # (N,)
    b_kept = dropped(b_p, b_edge, head, heads, seed, THRESHOLD, SCALE)  # (N,)
    b_d = b_kept * b_inner - b_p * b_mean  # (N,)
    if SCORE == "add":
        b_d = tl.where(b_score > 0, b_d, b_d * SLOPE)
    return b_d, b_kept
