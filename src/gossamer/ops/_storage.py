"""Copies of tensors that are views into larger memory."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["without_surroundings"]


def without_surroundings(tensor: Tensor) -> Tensor:
    """A copy of the tensor if it is a view into larger memory, else the tensor itself.

    Pickling a view writes all of the memory that it views. A view with a gradient history is
    returned unchanged.
    """
    if tensor.layout is not torch.strided:
        return tensor
    size = tensor.numel() * tensor.element_size()
    if not tensor.is_leaf or tensor.untyped_storage().nbytes() <= size:
        return tensor
    return tensor.detach().clone().requires_grad_(tensor.requires_grad)
