"""Layers over a batch that several processes share."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gossamer.graphbolt.sampled_subgraph import SampledSubgraph

__all__ = ["CooperativeConvFunction"]


class CooperativeConvFunction(torch.autograd.Function):
    """Exchange rows between the processes that sampled a batch together.

    A subgraph of such a batch has ``_counts_sent`` and ``_counts_received``, the numbers of rows to
    exchange with each process, and ``_seed_inverse_ids``, the rows to send. For any other subgraph,
    the rows are unchanged. Gradients are sent back to the process that a row came from.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> subgraph = gb.SampledSubgraphImpl(gb.CSCFormatBase(torch.tensor([0]), torch.tensor([])))
    >>> gb.CooperativeConvFunction.apply(subgraph, torch.ones(2))
    tensor([1., 1.])
    """

    @staticmethod
    def forward(ctx: Any, subgraph: SampledSubgraph, tensor: Tensor) -> Tensor:
        """Return the rows of the source nodes of the subgraph."""
        ctx.counts = None
        sent = getattr(subgraph, "_counts_sent", None)
        if sent is None or not dist.is_initialized():
            return tensor.view_as(tensor)
        ids = subgraph._seed_inverse_ids
        received = subgraph._counts_received
        ctx.counts, ctx.rows = (sent, received), len(tensor)
        ctx.save_for_backward(ids)
        out = tensor.new_empty((sum(received), *tensor.shape[1:]))
        dist.all_to_all_single(out, tensor[ids].contiguous(), received, sent)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        """Send the gradient of each row to the process that it came from."""
        if ctx.counts is None:
            return None, grad
        sent, received = ctx.counts
        (ids,) = ctx.saved_tensors
        own = grad.new_empty((sum(sent), *grad.shape[1:]))
        dist.all_to_all_single(own, grad.contiguous(), sent, received)
        return None, grad.new_zeros((ctx.rows, *grad.shape[1:])).index_add(0, ids, own)
