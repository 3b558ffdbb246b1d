"""Whose memory a tensor lives in."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["without_surroundings"]


def without_surroundings(tensor: Tensor) -> Tensor:
    """The tensor in memory of its own where it is a view into a larger one: fit for travel.

    Pickling a view writes all that it is a view of. A view that carries a gradient history stays
    what it is.
    """
    if tensor.layout is not torch.strided:
        return tensor
    size = tensor.numel() * tensor.element_size()
    if not tensor.is_leaf or tensor.untyped_storage().nbytes() <= size:
        return tensor
    return tensor.detach().clone().requires_grad_(tensor.requires_grad)
