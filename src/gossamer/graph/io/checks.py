"""Checks of structure from untrusted files.

The functions check parts of many graphs at once, and raise ValueError for structure that is unsafe
for kernels.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gossamer.ops.adjacency import INT32_MAX, Adjacency, Compressed

__all__ = ["assemble", "check_compressed", "check_ids", "joined"]

Kept = tuple[Tensor, Tensor] | Compressed


def joined(parts: list[Tensor]) -> Tensor:
    """The parts, concatenated."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def check_ids(parts: list[Tensor], bounds: np.ndarray, what: str) -> None:
    """Raise unless the ids of part ``i`` are in ``0 ... bounds[i] - 1``."""
    ids = joined(parts)
    if ids.numel() == 0:
        return
    low, high = map(int, ids.aminmax())
    # Usually the largest id is below every bound, so bounds need not be repeated for each id.
    if low < 0 or (high >= int(bounds.min()) and _exceed(parts, ids, bounds)):
        raise ValueError(f"{what} are out of range")


def _exceed(parts: list[Tensor], ids: Tensor, bounds: np.ndarray) -> bool:
    limit = bounds.repeat(_lengths(parts)) if len(parts) > 1 else bounds
    return bool((ids >= torch.from_numpy(limit)).any())


def check_compressed(
    indptr: list[Tensor],
    indices: list[Tensor],
    eids: list[Tensor] | None,
    num_cols: np.ndarray,
    num_edges: np.ndarray,
) -> None:
    """Raise unless parts ``i`` form a compressed adjacency with ``num_edges[i]`` edges."""
    lengths, pointers = _lengths(indptr), joined(indptr).numpy()
    ends = lengths.cumsum()
    steps = np.diff(pointers)
    steps[ends[:-1] - 1] = 0
    first, last = pointers[ends - lengths], pointers[ends - 1]
    if (first != 0).any() or (last != num_edges).any() or (steps < 0).any():
        raise ValueError("row pointers do not rise from 0 to the number of edges")
    check_ids(indices, num_cols, "node ids")
    if eids is None:
        return
    check_ids(eids, num_edges, "edge ids")
    offsets = torch.from_numpy((num_edges.cumsum() - num_edges).repeat(num_edges))
    if bool((torch.bincount(joined(eids) + offsets) != 1).any()):
        raise ValueError("an edge id occurs twice")


def assemble(
    num_src: int,
    num_dst: int,
    idtype: torch.dtype,
    allowed: tuple[str, ...],
    kept: dict[str, Kept],
) -> Adjacency:
    """Build an adjacency from checked parts by format; raise if the formats differ in edges."""
    num_edges = max(len(value[1]) for value in kept.values())
    fits = max(num_src, num_dst, num_edges) < INT32_MAX
    compact = torch.int32 if fits else torch.int64
    for name, value in kept.items():
        if isinstance(value, Compressed):
            kept[name] = Compressed(*(None if t is None else t.to(compact) for t in value))
    if len(kept) > 1:
        ends = [Adjacency(num_src, num_dst, idtype, **{k: v}).coo() for k, v in kept.items()]
        same = [torch.equal(row, ends[0][0]) & torch.equal(col, ends[0][1]) for row, col in ends]
        if not all(same):
            raise ValueError(f"the formats {list(kept)} hold different edges")
    return Adjacency(num_src, num_dst, idtype, **kept, allowed=allowed)


def _lengths(parts: list[Tensor]) -> np.ndarray:
    return np.array([len(part) for part in parts], np.int64)
