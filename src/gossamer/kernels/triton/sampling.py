"""Random neighbors: the same random numbers, and the same order of rounding, as on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from gossamer.kernels import reference
from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference.candidates import BadWeightsError, Drawn, Relation
from gossamer.kernels.rows import row_starts
from gossamer.kernels.triton._common import (
    IDS,
    Config,
    edge_ids,
    launch,
    random_bits,
    random_unit,
    signed,
)
from gossamer.kernels.triton.rows import choice_of, draw_all, row_slots, without_excluded

#: Maximum number of distinct edges that one program draws; larger fanouts use the reference.
MAX_FANOUT = 1024

#: Up to this fanout, weighted edges are drawn one by one; above it, by exponential times.
_FEW = tl.constexpr(64)

#: Larger than any candidate.
_NONE = tl.constexpr(2**62)


@triton.jit
def upper_bound(p_sums, b_first, b_count, b_point):
    """Return how many of a row's ascending sums do not exceed `point`; the row may be empty."""
    b_low, b_high = b_count * 0, b_count
    while tl.max((b_low < b_high).to(tl.int32)) > 0:
        m_open = b_low < b_high
        b_middle = (b_low + b_high) // 2
        b_sum = tl.load(p_sums + b_first + b_middle, mask=m_open, other=0.0)
        b_low = tl.where(m_open & (b_sum <= b_point), b_middle + 1, b_low)
        b_high = tl.where(m_open & (b_sum > b_point), b_middle, b_high)
    return b_low


@triton.jit
def _store_drawn(
    p_slots, p_indices, p_eids, p_neighbors, p_edges, b_candidate, b_to, m_to
):  # fmt: skip
    """Write the neighbor and the edge of candidates."""
    b_slot = edge_ids(p_slots, b_candidate, m_to)
    b_neighbor = tl.load(p_indices + b_slot, mask=m_to, other=0)
    tl.store(p_neighbors + b_to, b_neighbor.to(p_neighbors.dtype.element_ty), mask=m_to)
    b_edge = edge_ids(p_eids, b_slot, m_to)
    tl.store(p_edges + b_to, b_edge.to(p_edges.dtype.element_ty), mask=m_to)


@triton.jit(do_not_specialize=["first", "key", "fanout"])
def draw_any_kernel(
    first, p_indptr, p_indices, p_eids, p_rows, p_slots, p_sums, p_starts, p_neighbors, p_edges,
    key, num_rows, fanout, LOCAL: tl.constexpr, BLOCK_R: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Draw with replacement: all draws are independent."""
    b_row = (tl.program_id(0).to(tl.int64) + first) * BLOCK_R + tl.arange(0, BLOCK_R)  # (R,)
    m_row = b_row < num_rows  # (R,)
    b_begin, b_degree = row_slots(p_indptr, p_rows, b_row, m_row, LOCAL)  # (R,)
    b_to = tl.load(p_starts + b_row, mask=m_row, other=0)  # (R,)
    b_key = random_bits(key.to(tl.int64), b_row)  # (R,)
    for n in range(0, fanout, BLOCK_K):
        b_n = n + tl.arange(0, BLOCK_K)  # (K,)
        m_x = (m_row & (b_degree > 0))[:, None] & (b_n < fanout)[None, :]  # (R, K)
        b_unit = random_unit(b_key[:, None], b_n.to(tl.int64)[None, :])  # (R, K)
        b_degrees = tl.broadcast_to(b_degree[:, None], b_unit.shape)  # (R, K)
        if p_sums is None:
            b_pick = (b_unit * b_degrees.to(tl.float64)).to(tl.int64)  # (R, K)
        else:
            m_drawn = b_degree > 0  # (R,)
            b_all = tl.load(p_sums + b_begin + b_degree - 1, mask=m_drawn, other=0.0)  # (R,)
            b_begins = tl.broadcast_to(b_begin[:, None], b_unit.shape)  # (R, K)
            b_pick = upper_bound(p_sums, b_begins, b_degrees, b_unit * b_all[:, None])  # (R, K)
            b_pick = tl.minimum(b_pick, b_degrees - 1)
        _store_drawn(
            p_slots, p_indices, p_eids, p_neighbors, p_edges,
            b_begin[:, None] + b_pick, b_to[:, None] + b_n[None, :], m_x,
        )  # fmt: skip


@triton.jit(do_not_specialize=["first", "key", "fanout"])
def draw_different_kernel(
    first, p_indptr, p_indices, p_eids, p_rows, p_slots, p_starts, p_neighbors, p_edges,
    key, num_rows, fanout, LOCAL: tl.constexpr, BLOCK_R: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Draw without replacement, each set of edges equally likely: Floyd's method."""
    b_row = (tl.program_id(0).to(tl.int64) + first) * BLOCK_R + tl.arange(0, BLOCK_R)  # (R,)
    m_row = b_row < num_rows  # (R,)
    b_begin, b_degree = row_slots(p_indptr, p_rows, b_row, m_row, LOCAL)  # (R,)
    b_key = random_bits(key.to(tl.int64), b_row)  # (R,)
    b_n = tl.arange(0, BLOCK_K)  # (K,)
    b_chosen = tl.full((BLOCK_R, BLOCK_K), _NONE, tl.int64)  # (R, K)
    for n in range(fanout):
        b_largest = b_degree - fanout + n  # (R,)
        b_unit = random_unit(b_key, b_row * 0 + n)  # (R,)
        b_pick = (b_unit * (b_largest + 1).to(tl.float64)).to(tl.int64)  # (R,)
        b_again = tl.max((b_chosen == b_pick[:, None]).to(tl.int32), 1) > 0  # (R,)
        b_pick = tl.where(b_again, b_largest, b_pick)
        b_pick = tl.where(b_degree <= fanout, n, b_pick)  # a short row: all are drawn
        m_x = (b_n == n)[None, :] & (n < b_degree)[:, None]  # (R, K)
        b_chosen = tl.where(m_x, b_pick[:, None], b_chosen)
    b_chosen = tl.sort(b_chosen, 1)  # (R, K)
    b_to = tl.load(p_starts + b_row, mask=m_row, other=0)[:, None] + b_n[None, :]  # (R, K)
    b_at = b_begin[:, None] + b_chosen  # (R, K)
    m_x = m_row[:, None] & (b_chosen < _NONE)  # (R, K)
    _store_drawn(p_slots, p_indices, p_eids, p_neighbors, p_edges, b_at, b_to, m_x)


@triton.jit
def _weighed(p_sums, begin, degree, key, fanout, BLOCK_K: tl.constexpr):
    """Draw candidates one by one, each in proportion to its share of the remaining weight.

    A point in the remaining weight skips the intervals of drawn candidates. The loop stops when the
    remaining weight is mostly rounding error. Returns the candidates and their number.
    """
    b_n = tl.arange(0, BLOCK_K)  # (K,)
    b_chosen = tl.full((BLOCK_K,), _NONE, tl.int64)  # (K,)
    total = tl.load(p_sums + begin + degree - 1)
    left = total
    drawn = begin * 0
    going = (fanout <= _FEW) & (left > total * 9.5367431640625e-07)
    while going:
        point = random_unit(key, drawn) * left
        last = begin * 0 - 1
        before = point >= 0
        for _ in range(drawn):
            last = tl.min(tl.where(b_chosen > last, b_chosen, _NONE), 0)
            below = tl.load(p_sums + begin + last - 1, mask=last > 0, other=0.0)
            before = before & (point >= below)
            point = tl.where(before, point + (tl.load(p_sums + begin + last) - below), point)
        pick = tl.sum(upper_bound(p_sums, begin, tl.zeros((1,), tl.int64) + degree, point), 0)
        again = tl.max((b_chosen == pick).to(tl.int32), 0) > 0
        going = (pick < degree) & (again == 0)
        b_chosen = tl.where((b_n == drawn) & going, pick, b_chosen)
        below = tl.load(p_sums + begin + pick - 1, mask=going & (pick > 0), other=0.0)
        share = tl.load(p_sums + begin + pick, mask=going, other=0.0) - below
        left = tl.where(going, left - share, left)
        drawn += going.to(tl.int64)
        going = going & (drawn < fanout) & (left > total * 9.5367431640625e-07)
    return b_chosen, drawn


@triton.jit
def _raced(
    p_slots, p_eids, p_weights, begin, degree, key, fanout, b_chosen, drawn,
    BLOCK_K: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    """Add the candidates whose exponential times, with their weights as rates, end first."""
    b_n = tl.arange(0, BLOCK_K)  # (K,)
    b_early = b_chosen
    last_time = tl.full((), -1.0, tl.float64)
    last = begin * 0 - 1
    for n in range(drawn, fanout):
        best_time = tl.full((), float("inf"), tl.float64)
        best = begin * 0 + _NONE
        for start in range(0, degree, BLOCK_C):
            b_c = (start + tl.arange(0, BLOCK_C)).to(tl.int64)  # (C,)
            m_c = b_c < degree  # (C,)
            for j in range(drawn):
                m_c &= b_c != tl.sum(tl.where(b_n == j, b_early, 0), 0)
            b_slot = edge_ids(p_slots, begin + b_c, m_c)  # (C,)
            b_edge = edge_ids(p_eids, b_slot, m_c)  # (C,)
            b_weight = tl.load(p_weights + b_edge, mask=m_c, other=1.0).to(tl.float64)  # (C,)
            b_time = -tl.log(1.0 - random_unit(key, fanout + b_c)) / b_weight  # (C,)
            m_c &= (b_time > last_time) | ((b_time == last_time) & (b_c > last))
            time = tl.min(tl.where(m_c, b_time, float("inf")), 0)
            c = tl.min(tl.where(m_c & (b_time == time), b_c, _NONE), 0)
            earlier = (time < best_time) | ((time == best_time) & (c < best))
            best = tl.where(earlier, c, best)
            best_time = tl.where(earlier, time, best_time)
        b_chosen = tl.where(b_n == n, best, b_chosen)
        last, last_time = best, best_time
    return b_chosen


@triton.jit(do_not_specialize=["first", "key", "fanout"])
def draw_by_weight_kernel(
    first, p_indptr, p_indices, p_eids, p_rows, p_slots, p_sums, p_weights, p_starts, p_neighbors,
    p_edges, key, fanout, LOCAL: tl.constexpr, BLOCK_K: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    """Draw without replacement by weight, one row in each program."""
    row = tl.program_id(0).to(tl.int64) + first
    fanout = fanout.to(tl.int64)
    begin, degree = row_slots(p_indptr, p_rows, row, row >= 0, LOCAL)
    row_key = random_bits(key.to(tl.int64), row)
    b_n = tl.arange(0, BLOCK_K).to(tl.int64)  # (K,)
    b_chosen = tl.where(b_n < degree, b_n, _NONE)  # (K,)
    if degree > fanout:
        b_chosen, drawn = _weighed(p_sums, begin, degree, row_key, fanout, BLOCK_K)
        b_chosen = _raced(
            p_slots, p_eids, p_weights, begin, degree, row_key, fanout, b_chosen, drawn,
            BLOCK_K, BLOCK_C,
        )  # fmt: skip
        b_chosen = tl.sort(b_chosen, 0)
    m_n = (b_n < fanout) & (b_chosen < _NONE)  # (K,)
    b_to = tl.load(p_starts + row) + b_n  # (K,)
    b_at = begin + b_chosen  # (K,)
    _store_drawn(p_slots, p_indices, p_eids, p_neighbors, p_edges, b_at, b_to, m_n)


def configurations(fanout: int, kind: str) -> list[Config]:
    """Return the sizes of blocks for a fanout, the default first."""
    block = triton.next_power_of_2(max(fanout, 2))
    if kind == "weights":
        return [{"BLOCK_K": block, "BLOCK_C": 128, "num_warps": 1}]
    if kind == "replace":
        block = min(block, 32)
    rows = [max(1, area // block) for area in (256, 512)]
    return [{"BLOCK_K": block, "BLOCK_R": count, "num_warps": 2} for count in dict.fromkeys(rows)]


@kernel("sample_neighbors", device="cuda", dtypes=IDS)
def sample_neighbors(like: Tensor, relations: Sequence[Relation], replace: bool) -> list[Drawn]:
    """Draw edges for rows; see `gossamer.kernels.reference.sampling.sample_neighbors`."""
    if all(r.fanout < 0 and not _weighted(r) for r in relations):
        return draw_all([choice_of(r) for r in relations], relations)
    if not replace and any(r.fanout > MAX_FANOUT for r in relations):
        return reference.sample_neighbors(like, relations, replace)
    starts, facts = [], []
    for relation in relations:
        start, bad = _starts(relation, replace)
        starts.append(start)
        facts += [start[-1], bad]
    known = torch.stack(facts).tolist()  # the only wait for the GPU, unless edges are excluded
    if any(known[1::2]):
        raise BadWeightsError(known[1::2].index(1))
    drawn = []
    for relation, start, total in zip(relations, starts, known[::2], strict=True):
        neighbors, edges = (relation.rows.new_empty(total) for _ in range(2))
        if total:
            _draw(relation, replace, start, neighbors, edges)
        drawn.append(without_excluded(relation, start, neighbors, edges))
    return drawn


def _weighted(relation: Relation) -> bool:
    return relation.candidates is not None and relation.candidates.sums is not None


def _starts(relation: Relation, replace: bool) -> tuple[Tensor, Tensor]:
    """Return the start of the edges of each row, and 1 if a row has invalid weights."""
    choice, rows = choice_of(relation), relation.rows
    at = torch.arange(rows.shape[0], device=rows.device) if choice.local else rows.long()
    first, end = choice.indptr[at].long(), choice.indptr[at + 1].long()
    counts = end - first
    if relation.fanout >= 0:
        counts = (
            counts.clamp(max=1) * relation.fanout if replace else counts.clamp(max=relation.fanout)
        )
    starts = row_starts(counts)
    bad = starts.new_zeros(())
    if _weighted(relation) and relation.candidates.sums.shape[0]:
        ends = relation.candidates.sums[(end - 1).clamp(min=0)]
        bad = (ends.isnan() & (end > first)).any().long()
    return starts, bad


def _draw(
    relation: Relation, replace: bool, starts: Tensor, neighbors: Tensor, edges: Tensor
) -> None:
    choice, fanout = choice_of(relation), relation.fanout
    if fanout < 0:
        choice.fill(starts, None, neighbors, edges, None)
        return
    num_rows = choice.num_rows
    tensors: tuple[Tensor | None, ...] = choice[:5]
    results: tuple[Any, ...] = (starts, neighbors, edges, signed(relation.key))
    sums = relation.candidates.sums if _weighted(relation) else None

    def programs(config: Config) -> int:
        return triton.cdiv(num_rows, config.get("BLOCK_R", 1))

    def start(function: triton.JITFunction, kind: str, *args: Any) -> None:
        constants = {"LOCAL": choice.local, "enable_fp_fusion": False}
        launch(function, starts, programs, configurations(fanout, kind), *args, **constants)

    if replace:
        start(draw_any_kernel, "replace", *tensors, sums, *results, num_rows, fanout)
    elif sums is None:
        start(draw_different_kernel, "different", *tensors, *results, num_rows, fanout)
    else:
        weights = relation.candidates.weights
        start(draw_by_weight_kernel, "weights", *tensors, sums, weights, *results, fanout)
