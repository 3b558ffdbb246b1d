"""Random walks, one walk per lane, with the same random numbers as on the CPU."""

from __future__ import annotations

from collections.abc import Sequence

import triton
import triton.language as tl
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference.candidates import Relation
from gossamer.kernels.triton._common import (
    IDS,
    Config,
    as_float,
    edge_ids,
    float_bits,
    launch,
    random_bits,
    random_unit,
    signed,
)
from gossamer.kernels.triton.rows import choice_of, row_slots
from gossamer.kernels.triton.sampling import upper_bound

CONFIGS: list[Config] = [{"BLOCK": 64, "num_warps": 2}, {"BLOCK": 128, "num_warps": 4}]

#: Number of proposals of node2vec before the bias of all neighbors is computed, as on the CPU.
_PROPOSALS = tl.constexpr(32)


@triton.jit
def _step(p_indptr, p_slots, p_sums, b_at, m_at, b_unit):
    """Return the slot that a walk takes, or -1 if there is none."""
    b_first, b_degree = row_slots(p_indptr, None, b_at, m_at, True)  # (B,)
    m_open = b_degree > 0  # (B,)
    if p_sums is None:
        b_c = (b_unit * b_degree.to(tl.float64)).to(tl.int64)  # (B,)
    else:
        b_all = tl.load(p_sums + b_first + b_degree - 1, mask=m_open, other=0.0)  # (B,)
        b_c = upper_bound(p_sums, b_first, b_degree, b_unit * b_all)  # (B,)
        b_c = tl.minimum(b_c, b_degree - 1)
    return tl.where(m_open, edge_ids(p_slots, b_first + b_c, m_open), -1)


@triton.jit
def _store_step(p_indices, p_eids, p_nodes, p_edges, b_walk, m_walk, b_slot, step, length):
    """Write the node and the edge of a step, -1 if there is none."""
    m_gone = m_walk & (b_slot >= 0)  # (B,)
    b_node = tl.load(p_indices + b_slot, mask=m_gone, other=-1)  # (B,)
    b_edge = tl.where(m_gone, edge_ids(p_eids, b_slot, m_gone), -1)  # (B,)
    p_to = p_nodes + b_walk * (length + 1) + step + 1  # (B,)
    tl.store(p_to, b_node.to(p_nodes.dtype.element_ty), mask=m_walk)
    p_to = p_edges + b_walk * length + step  # (B,)
    tl.store(p_to, b_edge.to(p_edges.dtype.element_ty), mask=m_walk)


@triton.jit(do_not_specialize=["first", "key", "stop", "step", "length"])
def walk_kernel(
    first, p_indptr, p_indices, p_eids, p_slots, p_sums, p_nodes, p_edges,
    key, stop, step, length, num_walks, STOPS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Take one step of each walk; `stop` has the bits of the probability of stopping before it."""
    b_walk = (tl.program_id(0).to(tl.int64) + first) * BLOCK + tl.arange(0, BLOCK)  # (B,)
    m_walk = b_walk < num_walks  # (B,)
    b_key = random_bits(key.to(tl.int64), b_walk)  # (B,)
    b_at = tl.load(p_nodes + b_walk * (length + 1) + step, mask=m_walk, other=-1).to(tl.int64)
    m_going = m_walk & (b_at >= 0)  # (B,)
    b_counter = b_walk * 0 + 2 * step  # (B,)
    if STOPS:
        m_going &= random_unit(b_key, b_counter) >= as_float(stop)
    b_unit = random_unit(b_key, b_counter + 1)  # (B,)
    b_slot = _step(p_indptr, p_slots, p_sums, b_at, m_going, b_unit)  # (B,)
    _store_step(p_indices, p_eids, p_nodes, p_edges, b_walk, m_walk, b_slot, step, length)


@triton.jit
def _bias(p_all, p_sorted, b_node, b_before, m, back, away):
    """Return node2vec's factor of steps to `node` of walks that came from `before`."""
    b_first, b_count = row_slots(p_all, None, b_before, m, True)  # (B,)
    b_low, b_high = b_count * 0, b_count  # (B,)
    while tl.max((b_low < b_high).to(tl.int32)) > 0:
        m_open = b_low < b_high  # (B,)
        b_middle = (b_low + b_high) // 2  # (B,)
        b_x = tl.load(p_sorted + b_first + b_middle, mask=m_open, other=0).to(tl.int64)  # (B,)
        b_low = tl.where(m_open & (b_x < b_node), b_middle + 1, b_low)
        b_high = tl.where(m_open & (b_x >= b_node), b_middle, b_high)
    b_x = tl.load(p_sorted + b_first + b_low, mask=m & (b_low < b_count), other=-1).to(tl.int64)
    return tl.where(b_node == b_before, back, tl.where(b_x == b_node, 1.0, away))


@triton.jit
def _weighed_step(
    p_indptr, p_indices, p_slots, p_sums, p_all, p_sorted, b_at, b_before, m_open, b_unit,
    back, away,
):  # fmt: skip
    """Choose among all candidates of a walk: add their weights, then find the walk's point."""
    b_first, b_degree = row_slots(p_indptr, None, b_at, m_open, True)  # (B,)
    b_total = b_unit * 0.0  # (B,)
    b_passed = b_degree * 0  # (B,)
    b_point = b_total
    for turn in tl.static_range(2):
        b_sum = b_unit * 0.0  # (B,)
        b_last = b_unit * 0.0  # (B,)
        for c in range(tl.max(b_degree, 0)):
            m_c = m_open & (c < b_degree)  # (B,)
            b_slot = edge_ids(p_slots, b_first + c, m_c)  # (B,)
            b_node = tl.load(p_indices + b_slot, mask=m_c, other=0).to(tl.int64)  # (B,)
            b_weight = _bias(p_all, p_sorted, b_node, b_before, m_c, back, away)  # (B,)
            if p_sums is not None:
                b_upto = tl.load(p_sums + b_first + c, mask=m_c, other=0.0)  # (B,)
                b_weight = (b_upto - b_last) * b_weight
                b_last = b_upto
            b_sum += tl.where(m_c, b_weight, 0.0)
            if turn == 1:
                b_passed += (m_c & (b_sum <= b_point)).to(tl.int64)
        b_point = b_unit * b_sum
    b_c = tl.minimum(b_passed, b_degree - 1)  # (B,)
    return edge_ids(p_slots, b_first + b_c, m_open & (b_degree > 0))


@triton.jit(do_not_specialize=["first", "key", "back", "away", "step", "length"])
def node2vec_kernel(
    first, p_indptr, p_indices, p_eids, p_slots, p_sums, p_all, p_sorted, p_nodes, p_edges,
    key, back, away, step, length, num_walks, FIRST: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Take one step of each walk: proposals by weight, accepted in proportion to the bias."""
    b_walk = (tl.program_id(0).to(tl.int64) + first) * BLOCK + tl.arange(0, BLOCK)  # (B,)
    m_walk = b_walk < num_walks  # (B,)
    b_zero = b_walk * 0  # (B,)
    b_key = random_bits(random_bits(key.to(tl.int64), b_walk), b_zero + step)  # (B,)
    p_at = p_nodes + b_walk * (length + 1) + step  # (B,)
    b_at = tl.load(p_at, mask=m_walk, other=-1).to(tl.int64)  # (B,)
    m_open = m_walk & (b_at >= 0)  # (B,)
    if FIRST:
        b_slot = _step(p_indptr, p_slots, p_sums, b_at, m_open, random_unit(b_key, b_zero))
    else:
        back, away = as_float(back), as_float(away)
        most = tl.maximum(1.0, tl.maximum(back, away))
        b_before = tl.load(p_at - 1, mask=m_open, other=0).to(tl.int64)  # (B,)
        b_slot = b_zero - 1  # (B,)
        n = tl.full((), 0, tl.int32)
        while (n < _PROPOSALS) & (tl.max(m_open.to(tl.int32), 0) > 0):
            b_unit = random_unit(b_key, b_zero + 2 * n)  # (B,)
            b_next = _step(p_indptr, p_slots, p_sums, b_at, m_open, b_unit)  # (B,)
            m_open &= b_next >= 0
            b_node = tl.load(p_indices + b_next, mask=m_open, other=0).to(tl.int64)  # (B,)
            b_bias = _bias(p_all, p_sorted, b_node, b_before, m_open, back, away)  # (B,)
            m_taken = m_open & (random_unit(b_key, b_zero + 2 * n + 1) * most < b_bias)  # (B,)
            b_slot = tl.where(m_taken, b_next, b_slot)
            m_open = m_open & (m_taken == 0)
            n += 1
        if tl.max(m_open.to(tl.int32), 0) > 0:
            b_unit = random_unit(b_key, b_zero + 2 * _PROPOSALS)  # (B,)
            b_next = _weighed_step(
                p_indptr, p_indices, p_slots, p_sums, p_all, p_sorted, b_at, b_before, m_open,
                b_unit, back, away,
            )  # fmt: skip
            b_slot = tl.where(m_open, b_next, b_slot)
    _store_step(p_indices, p_eids, p_nodes, p_edges, b_walk, m_walk, b_slot, step, length)


def _walks(seeds: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Allocate memory for the nodes of walks, which begin with the seeds, and for the edges."""
    nodes = seeds.new_empty((seeds.shape[0], length + 1))
    nodes[:, 0] = seeds
    return nodes, seeds.new_empty((seeds.shape[0], length))


@kernel("random_walk", device="cuda", dtypes=IDS)
def random_walk(
    relations: Sequence[Relation],
    path: Sequence[int],
    stops: Sequence[float] | None,
    seeds: Tensor,
    key: int,
) -> tuple[Tensor, Tensor]:
    """Walk at random; see `gossamer.kernels.reference.walks.random_walk`."""
    nodes, edges = _walks(seeds, len(path))
    count = seeds.shape[0]
    for step, number in enumerate(path if count else ()):
        relation = relations[number]
        stop = 0.0 if stops is None else stops[step]
        launch(
            walk_kernel,
            seeds,
            lambda c: triton.cdiv(count, c["BLOCK"]),
            CONFIGS,
            *_candidates(relation),
            *(nodes, edges, signed(key), float_bits(stop), step, len(path), count),
            STOPS=stop > 0,
            enable_fp_fusion=False,
        )
    return nodes, edges


@kernel("node2vec", device="cuda", dtypes=IDS)
def node2vec(
    relation: Relation,
    sorted_indices: Tensor,
    p: float,
    q: float,
    seeds: Tensor,
    length: int,
    key: int,
) -> tuple[Tensor, Tensor]:
    """Walk with node2vec's bias; see `gossamer.kernels.reference.walks.node2vec`."""
    nodes, edges = _walks(seeds, length)
    count = seeds.shape[0]
    biases = float_bits(1 / p), float_bits(1 / q)
    for step in range(length if count else 0):
        launch(
            node2vec_kernel,
            seeds,
            lambda c: triton.cdiv(count, c["BLOCK"]),
            CONFIGS,
            *_candidates(relation),
            *(relation.indptr, sorted_indices, nodes, edges, signed(key), *biases),
            *(step, length, count),
            FIRST=step == 0,
            enable_fp_fusion=False,
        )
    return nodes, edges


def _candidates(relation: Relation) -> tuple[Tensor | None, ...]:
    """Return the tensors that `_step` and `_store_step` read."""
    indptr, indices, eids, _, slots, *_ = choice_of(relation)
    sums = None if relation.candidates is None else relation.candidates.sums
    return indptr, indices, eids, slots, sums
