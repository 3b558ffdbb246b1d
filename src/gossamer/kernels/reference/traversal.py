"""Searches through a compressed adjacency: breadth first, topological, depth first."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference.csr import gather_rows

__all__ = ["breadth_first", "depth_first", "topological"]

_FORWARD, _REVERSE, _NONTREE = 0, 1, 2


@kernel("breadth_first", operands=("indptr",))
def breadth_first(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, sources: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Search breadth first from `sources`, level by level.

    Parameters
    ----------
    sources : Tensor
        ``(S,)``: the first level, unchanged. Returned ids have the same dtype.

    Returns
    -------
    nodes : Tensor
        ``(S + M,)``: the sources, then other nodes in the order in which they are first reached.
    edges : Tensor
        ``(M,)``: the edge by which each other node was reached.
    sizes : Tensor
        ``(L,)``, int64: number of nodes on each level.
    """
    device = indptr.device
    seen = torch.zeros(len(indptr) - 1, dtype=torch.bool, device=device)
    found_by = torch.empty(len(indptr) - 1, dtype=torch.int64, device=device)
    frontier = sources.long()
    seen[frontier] = True
    nodes, edges = [], []
    while len(frontier):
        nodes.append(frontier)
        _, reached, through = gather_rows(indptr, indices, eids, frontier)
        new = ~seen[reached]
        reached, through = reached[new], through[new]
        # Of all edges to a new node, the first is used.
        order = torch.arange(len(reached), device=device)
        found_by.scatter_reduce_(0, reached, order, "amin", include_self=False)
        first = found_by[reached] == order
        frontier = reached[first]
        seen[frontier] = True
        edges.append(through[first])
    sizes = torch.tensor([len(level) for level in nodes], dtype=torch.int64, device="cpu")
    return _joined(nodes, sources), _joined(edges, sources), sizes


@kernel("topological", operands=("indptr",))
def topological(indptr: Tensor, indices: Tensor, in_degrees: Tensor) -> tuple[Tensor, Tensor]:
    """Order nodes so that each node comes after all nodes that have an edge to it.

    Parameters
    ----------
    in_degrees : Tensor
        ``(N,)``: number of slots that have each node as neighbor. Returned ids have the same dtype.

    Returns
    -------
    nodes : Tensor
        Nodes without in-edges, ascending, then each node after its last in-edge was visited. Nodes
        on a cycle, and nodes reachable from a cycle, are omitted.
    sizes : Tensor
        ``(L,)``, int64: number of nodes on each level. The last in-edge of a node comes from the
        previous level.
    """
    remaining = in_degrees.long()
    last = torch.empty_like(remaining)
    frontier = (remaining == 0).nonzero().squeeze(1)
    levels = []
    while len(frontier):
        levels.append(frontier)
        _, reached, _ = gather_rows(indptr, indices, None, frontier)
        remaining = remaining.index_add(0, reached, torch.full_like(reached, -1))
        reached = reached[remaining[reached] == 0]
        # A node is ready when its last in-edge has been visited.
        order = torch.arange(len(reached), device=reached.device)
        last.scatter_reduce_(0, reached, order, "amax", include_self=False)
        frontier = reached[last[reached] == order]
    sizes = torch.tensor([len(level) for level in levels], dtype=torch.int64, device="cpu")
    return _joined(levels, in_degrees), sizes


@kernel("depth_first", operands=("indptr",))
def depth_first(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    source: int,
    has_reverse: bool,
    has_nontree: bool,
) -> tuple[Tensor, Tensor]:
    """Search depth first from `source`: continue from each new node before the next slot.

    Returns
    -------
    edges : Tensor
        Edges in the order of the search, in the dtype of `indices`.
    labels : Tensor
        Int64: 0 for an edge to a new node, 1 for the same edge when the search returns over it (if
        `has_reverse`), 2 for an edge to a node visited before (if `has_nontree`).
    """
    pointers, neighbors = indptr.tolist(), indices.tolist()
    slots: list[int] = []
    labels: list[int] = []
    visited = {source}
    way_back: list[int] = []
    stack = [iter(range(pointers[source], pointers[source + 1]))]
    while stack:
        for slot in stack[-1]:
            node = neighbors[slot]
            if node not in visited:
                visited.add(node)
                slots.append(slot)
                labels.append(_FORWARD)
                way_back.append(slot)
                stack.append(iter(range(pointers[node], pointers[node + 1])))
                break
            if has_nontree:
                slots.append(slot)
                labels.append(_NONTREE)
        else:
            stack.pop()
            if way_back:
                slot = way_back.pop()
                if has_reverse:
                    slots.append(slot)
                    labels.append(_REVERSE)
    edges = torch.tensor(slots, dtype=torch.int64, device=indices.device)
    edges = edges if eids is None else eids[edges]
    return edges.to(indices.dtype), torch.tensor(labels, dtype=torch.int64, device=indices.device)


def _joined(parts: list[Tensor], like: Tensor) -> Tensor:
    return torch.cat([like.new_empty(0), *(part.to(like.dtype) for part in parts)])
