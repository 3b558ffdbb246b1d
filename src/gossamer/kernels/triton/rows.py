"""Slots of rows chosen by a condition: neighbor lists, candidates to draw, layer-neighbor sampling.

There is one program per row. A first kernel counts the slots that each row keeps; after the only
wait for the GPU, to read the size of the result, a second kernel writes them in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference.candidates import Candidates, Drawn, Relation
from gossamer.kernels.triton._common import (
    IDS,
    Config,
    divide,
    edge_ids,
    launch,
    random_unit,
    signed,
)


@triton.jit
def row_slots(p_indptr, p_rows, b_i, m_i, LOCAL: tl.constexpr):
    """Return the first slot, and the number of slots, of the rows in positions `i`."""
    b_row = b_i
    if not LOCAL and p_rows is not None:
        b_row = tl.load(p_rows + b_i, mask=m_i, other=0).to(tl.int64)
    b_first = tl.load(p_indptr + b_row, mask=m_i, other=0).to(tl.int64)
    return b_first, tl.load(p_indptr + b_row + 1, mask=m_i, other=0).to(tl.int64) - b_first


@triton.jit
def _kept_slots(
    p_indices, p_eids, p_slots, p_places, p_weights, b_at, m_at, key, bound, LABOR: tl.constexpr,
):  # fmt: skip
    """Return the slot, neighbor and edge of candidates, and which of them are kept: (K,) each."""
    b_slot = edge_ids(p_slots, b_at, m_at)  # (K,)
    b_neighbor = tl.load(p_indices + b_slot, mask=m_at, other=0).to(tl.int64)  # (K,)
    b_edge = edge_ids(p_eids, b_slot, m_at)  # (K,)
    m_kept = m_at
    if p_places is not None:
        b_neighbor = tl.load(p_places + b_neighbor, mask=m_at, other=-1).to(tl.int64)
        m_kept &= b_neighbor >= 0
    if p_weights is not None:
        m_kept &= tl.load(p_weights + b_edge, mask=m_at, other=0) != 0
    if LABOR:
        m_kept &= random_unit(key.to(tl.int64), b_neighbor) < bound
    return b_slot, b_neighbor, b_edge, m_kept


@triton.jit
def _labor_bound(degree, fanout):
    """Return the exclusive upper bound of the random number of a drawn neighbor."""
    share = divide(fanout.to(tl.float64), tl.maximum(degree, 1).to(tl.float64))
    return tl.where((fanout < 0) | (degree <= fanout), 1.0, share)


@triton.jit(do_not_specialize=["first", "key", "fanout"])
def count_slots_kernel(
    first, p_indptr, p_indices, p_eids, p_rows, p_slots, p_places, p_weights, key, fanout, p_counts,
    LOCAL: tl.constexpr, LABOR: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Count the slots that each row keeps."""
    i = tl.program_id(0).to(tl.int64) + first
    begin, degree = row_slots(p_indptr, p_rows, i, i >= 0, LOCAL)
    bound = _labor_bound(degree, fanout.to(tl.int64))
    b_count = tl.zeros((BLOCK_K,), tl.int64)  # (K,)
    for k in range(0, degree, BLOCK_K):
        b_k = k + tl.arange(0, BLOCK_K)  # (K,)
        _, _, _, m_kept = _kept_slots(
            p_indices, p_eids, p_slots, p_places, p_weights,
            begin + b_k, b_k < degree, key, bound, LABOR,
        )  # fmt: skip
        b_count += m_kept.to(tl.int64)
    tl.store(p_counts + i, tl.sum(b_count, 0))


@triton.jit(do_not_specialize=["first", "key", "fanout"])
def fill_slots_kernel(
    first, p_indptr, p_indices, p_eids, p_rows, p_slots, p_places, p_weights, key, fanout,
    p_starts, p_owner, p_neighbor, p_edge, p_slot,
    LOCAL: tl.constexpr, LABOR: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Write the slots that each row keeps; each of the last four tensors may be None."""
    i = tl.program_id(0).to(tl.int64) + first
    begin, degree = row_slots(p_indptr, p_rows, i, i >= 0, LOCAL)
    bound = _labor_bound(degree, fanout.to(tl.int64))
    to = tl.load(p_starts + i).to(tl.int64)
    for k in range(0, degree, BLOCK_K):
        b_k = k + tl.arange(0, BLOCK_K)  # (K,)
        b_slot, b_neighbor, b_edge, m_kept = _kept_slots(
            p_indices, p_eids, p_slots, p_places, p_weights,
            begin + b_k, b_k < degree, key, bound, LABOR,
        )  # fmt: skip
        b_kept = m_kept.to(tl.int64)  # (K,)
        b_to = to + tl.cumsum(b_kept, 0) - 1  # (K,)
        if p_owner is not None:
            tl.store(p_owner + b_to, (b_to * 0 + i).to(p_owner.dtype.element_ty), mask=m_kept)
        if p_neighbor is not None:
            tl.store(p_neighbor + b_to, b_neighbor.to(p_neighbor.dtype.element_ty), mask=m_kept)
        if p_edge is not None:
            tl.store(p_edge + b_to, b_edge.to(p_edge.dtype.element_ty), mask=m_kept)
        if p_slot is not None:
            tl.store(p_slot + b_to, b_slot.to(p_slot.dtype.element_ty), mask=m_kept)
        to += tl.sum(b_kept, 0)


@triton.jit(do_not_specialize=["first"])
def running_sums_kernel(
    first, p_starts, p_slots, p_eids, p_weights, p_sums, num_rows, BLOCK_R: tl.constexpr
):  # fmt: skip
    """Add the scaled weights of each row one by one, in the same order as on the CPU.

    Each lane processes one row.

    The last sum of a row with weights that are negative or not finite is NaN.
    """
    b_row = (tl.program_id(0).to(tl.int64) + first) * BLOCK_R + tl.arange(0, BLOCK_R)  # (R,)
    m_row = b_row < num_rows  # (R,)
    b_begin, b_count = row_slots(p_starts, None, b_row, m_row, True)  # (R,)
    b_top = tl.zeros((BLOCK_R,), tl.float64)  # (R,)
    b_fine = m_row
    longest = tl.max(b_count, 0)
    for k in range(longest):
        m_k = k < b_count  # (R,)
        b_edge = edge_ids(p_eids, edge_ids(p_slots, b_begin + k, m_k), m_k)  # (R,)
        b_w = tl.load(p_weights + b_edge, mask=m_k, other=1.0).to(tl.float64)  # (R,)
        b_fine &= (b_w > 0) & (b_w < float("inf"))
        b_top = tl.where(m_k & (b_w > b_top), b_w, b_top)
    b_sum = tl.zeros((BLOCK_R,), tl.float64)  # (R,)
    for k in range(longest):
        m_k = k < b_count  # (R,)
        b_edge = edge_ids(p_eids, edge_ids(p_slots, b_begin + k, m_k), m_k)  # (R,)
        b_w = tl.load(p_weights + b_edge, mask=m_k, other=0.0).to(tl.float64)  # (R,)
        b_sum += divide(b_w, tl.where(m_k, b_top, 1.0))
        b_stored = tl.where(b_fine | (k + 1 < b_count), b_sum, float("nan"))  # (R,)
        tl.store(p_sums + b_begin + k, b_stored, mask=m_k)


#: Number of slots that the program of a row reads at a time.
CONFIGS: list[Config] = [{"BLOCK_K": 32, "num_warps": 1}, {"BLOCK_K": 128, "num_warps": 4}]

#: Number of rows whose weights each program adds.
SUM_CONFIGS: list[Config] = [{"BLOCK_R": 32, "num_warps": 1}]


class Choice(NamedTuple):
    """Rows, and the condition on their slots; fields that are None are ignored."""

    indptr: Tensor
    indices: Tensor
    eids: Tensor | None
    rows: Tensor | None  # None: all
    slots: Tensor | None = None  # of candidates, which `indptr` counts
    places: Tensor | None = None
    weights: Tensor | None = None
    key: int = 0
    fanout: int = -1
    local: bool = False
    labor: bool = False

    @property
    def num_rows(self) -> int:
        return self.indptr.shape[0] - 1 if self.rows is None else self.rows.shape[0]

    def starts(self) -> Tensor:
        """Return the start of each row's kept slots in the result, int64, without waiting."""
        counts = torch.zeros(self.num_rows + 1, dtype=torch.int64, device=self.indptr.device)
        self._launch(count_slots_kernel, counts[1:])
        return counts.cumsum(0)

    def fill(self, starts: Tensor, *into: Tensor | None) -> None:
        """Write the owner, neighbor, edge and slot of each kept slot."""
        self._launch(fill_slots_kernel, starts, *into)

    def _launch(self, function: triton.JITFunction, *results: Tensor | None) -> None:
        if not self.num_rows or not self.indices.shape[0]:
            return
        *tensors, key, fanout, local, labor = self
        args = (*tensors, signed(key), fanout, *results)
        constants = {"LOCAL": local, "LABOR": labor, "enable_fp_fusion": False}
        launch(function, self.indptr, lambda _: self.num_rows, CONFIGS, *args, **constants)


@kernel("gather_rows", device="cuda", dtypes=IDS)
def gather_rows(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    rows: Tensor,
    places: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """List the slots of some rows; see `gossamer.kernels.reference.gather_rows`."""
    choice = Choice(indptr, indices, eids, rows, places=places)
    starts = choice.starts()
    total = int(starts[-1])  # waits for the GPU
    found = tuple(rows.new_empty(total) for _ in range(3))
    choice.fill(starts, *found, None)
    return found


@kernel("gather_neighbors", device="cuda", dtypes=IDS)
def gather_neighbors(indptr: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    """List the neighbors of some rows; see `gossamer.kernels.reference.gather_neighbors`."""
    choice = Choice(indptr, indices, None, rows)
    starts = choice.starts()
    neighbors = rows.new_empty(int(starts[-1]))  # waits for the GPU
    choice.fill(starts, None, neighbors, None, None)
    return neighbors


@kernel("candidates_of", device="cuda", dtypes=IDS)
def candidates_of(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    rows: Tensor | None,
    weights: Tensor | None,
) -> Candidates:
    """Return the slots that may be drawn; see `kernels.reference.candidates.candidates_of`."""
    choice = Choice(indptr, indices, eids, rows, weights=weights)
    starts = choice.starts()
    total = int(starts[-1])  # waits for the GPU
    everything = rows is None and total == indices.shape[0]
    slots = None if everything else indptr.new_empty(total)
    if slots is not None:
        choice.fill(starts, None, None, None, slots)
    sums = None
    if weights is not None and weights.dtype is not torch.uint8:
        sums = torch.empty(total, dtype=torch.float64, device=indptr.device)
        launch(
            running_sums_kernel,
            indptr,
            lambda c: triton.cdiv(choice.num_rows, c["BLOCK_R"]),
            SUM_CONFIGS,
            *(starts, slots, eids, weights, sums, choice.num_rows),
            enable_fp_fusion=False,
        )
    else:
        weights = None
    kept = indptr if everything else starts.to(indptr.dtype)
    return Candidates(kept, slots, sums, weights, rows is not None)


@kernel("sample_labors", device="cuda", dtypes=IDS)
def sample_labors(like: Tensor, relations: Sequence[Relation]) -> list[Drawn]:
    """Draw edges by layer-neighbor sampling; see `kernels.reference.labor.sample_labors`."""
    return draw_all([choice_of(r, labor=r.fanout >= 0) for r in relations], relations)


def choice_of(relation: Relation, labor: bool = False) -> Choice:
    """Return the candidates of the relation's rows, or those that layer-neighbor sampling draws."""
    indptr, indices, eids, rows, fanout, key, candidates, _ = relation
    slots, local = None, False
    if candidates is not None:
        indptr, slots, _, _, local = candidates
    return Choice(
        *(indptr, indices, eids, rows, slots),
        key=key,
        fanout=fanout,
        local=local,
        labor=labor,
    )


def draw_all(choices: Sequence[Choice], relations: Sequence[Relation]) -> list[Drawn]:
    """Return the kept edges of all choices; wait for the GPU once, unless edges are excluded."""
    starts = [choice.starts() for choice in choices]
    totals = torch.stack([s[-1] for s in starts]).tolist() if starts else []
    drawn = []
    for choice, relation, start, total in zip(choices, relations, starts, totals, strict=True):
        neighbors, edges = (relation.rows.new_empty(total) for _ in range(2))
        choice.fill(start, None, neighbors, edges, None)
        drawn.append(without_excluded(relation, start, neighbors, edges))
    return drawn


def without_excluded(relation: Relation, starts: Tensor, neighbors: Tensor, edges: Tensor) -> Drawn:
    """Remove the relation's excluded edges from the drawn edges."""
    if relation.excluded is None:
        return starts, neighbors, edges
    kept = torch.isin(edges, relation.excluded, invert=True)
    before = torch.cat([starts.new_zeros(1), kept.cumsum(0)])
    return before.index_select(0, starts), neighbors[kept], edges[kept]
