"""Searches through a compressed adjacency: breadth first, topological, depth first."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import IDS, address, core

__all__ = ["breadth_first", "depth_first", "topological"]

# The buffers fit the largest possible result. Results are copied, so that a small result does not
# keep its whole buffer.


@kernel("breadth_first", device="cpu", dtypes=IDS)
def breadth_first(
    indptr: Tensor, indices: Tensor, eids: Tensor | None, sources: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Reach nodes level by level; see `gossamer.kernels.reference.breadth_first`."""
    num_nodes, num_sources = indptr.shape[0] - 1, sources.shape[0]
    nodes = torch.empty(num_sources + num_nodes, dtype=sources.dtype, device="cpu")
    edges = torch.empty(num_nodes, dtype=sources.dtype, device="cpu")
    sizes = torch.empty(num_nodes + 1, dtype=torch.int64, device="cpu")
    count, levels = core.breadth_first(
        indptr=indptr.data_ptr(),
        indices=indices.data_ptr(),
        eids=address(eids),
        wide=indptr.dtype is torch.int64,
        num_nodes=num_nodes,
        sources=sources.data_ptr(),
        wide_id=sources.dtype is torch.int64,
        num_sources=num_sources,
        nodes=nodes.data_ptr(),
        edges=edges.data_ptr(),
        sizes=sizes.data_ptr(),
    )
    return nodes[:count].clone(), edges[: count - num_sources].clone(), sizes[:levels].clone()


@kernel("topological", device="cpu", dtypes=IDS)
def topological(indptr: Tensor, indices: Tensor, in_degrees: Tensor) -> tuple[Tensor, Tensor]:
    """Order nodes so that edges point forward; see `gossamer.kernels.reference.topological`."""
    num_nodes = indptr.shape[0] - 1
    waiting = in_degrees.clone()
    nodes = _common.empty((num_nodes,), in_degrees.dtype)
    sizes = torch.empty(num_nodes, dtype=torch.int64, device="cpu")
    count, levels = core.topological(
        indptr=indptr.data_ptr(),
        indices=indices.data_ptr(),
        wide=indptr.dtype is torch.int64,
        num_nodes=num_nodes,
        waiting=waiting.data_ptr(),
        wide_id=waiting.dtype is torch.int64,
        nodes=nodes.data_ptr(),
        sizes=sizes.data_ptr(),
    )
    return nodes[:count], sizes[:levels].clone()


@kernel("depth_first", device="cpu", dtypes=IDS)
def depth_first(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    source: int,
    has_reverse: bool,
    has_nontree: bool,
) -> tuple[Tensor, Tensor]:
    """Follow slots depth first; see `gossamer.kernels.reference.depth_first`."""
    num_nodes, num_edges = indptr.shape[0] - 1, indices.shape[0]
    in_tree = min(num_nodes, num_edges)
    most = (num_edges if has_nontree else in_tree) + (in_tree if has_reverse else 0)
    edges = torch.empty(most, dtype=indices.dtype, device="cpu")
    labels = torch.empty(most, dtype=torch.int64, device="cpu")
    count = core.depth_first(
        indptr=indptr.data_ptr(),
        indices=indices.data_ptr(),
        eids=address(eids),
        wide=indices.dtype is torch.int64,
        num_nodes=num_nodes,
        source=source,
        has_reverse=has_reverse,
        has_nontree=has_nontree,
        edges=edges.data_ptr(),
        labels=labels.data_ptr(),
    )
    return edges[:count].clone(), labels[:count].clone()
