"""Copies of tensors and of their rows, in memory that is reused if they are large."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.ops._torch import count_dispatch_modes, forward_mode_active, under_transform

__all__ = ["copied_ids", "gathered", "without_surroundings"]


# Fewer ids are never stored in pooled memory; this test is faster.
_FEW = 1 << 18


def copied_ids(ids: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Return a copy of ids in `dtype`; many ids are stored in memory that kernels reuse."""
    dtype = dtype or ids.dtype
    many = not torch.compiler.is_compiling() and type(ids) is Tensor and ids.numel() > _FEW
    if many and not under_transform() and not count_dispatch_modes():
        return kernels.empty(tuple(ids.shape), dtype, ids.device).copy_(ids)
    return ids.clone() if dtype == ids.dtype else ids.to(dtype)


def gathered(source: Tensor, index: Tensor) -> Tensor:
    """Return the rows `index` of a tensor; many rows are stored in memory that kernels reuse.

    New memory causes page faults, which take longer than copying the rows.
    """
    shape = index.shape[0], *source.shape[1:]
    plain = type(source) is Tensor and source.layout is torch.strided and not source.requires_grad
    traced = torch.compiler.is_compiling() or under_transform() or forward_mode_active()
    if plain and not traced and kernels.keeps_memory(prod(shape), source):
        out = kernels.empty(shape, source.dtype, source.device)
        return torch.index_select(source, 0, index, out=out)
    return source.index_select(0, index)


def without_surroundings(tensor: Tensor) -> Tensor:
    """Return a copy of the tensor if it is a view of larger memory, else the tensor itself.

    Pickling a view would write all of this memory. A view with a gradient history is
    returned unchanged.
    """
    if tensor.layout is not torch.strided:
        return tensor
    size = tensor.numel() * tensor.element_size()
    if not tensor.is_leaf or tensor.untyped_storage().nbytes() <= size:
        return tensor
    return tensor.detach().clone().requires_grad_(tensor.requires_grad)
