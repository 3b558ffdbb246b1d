"""Fresh memory in which unwritten values are recognizable.

`torch.empty` usually returns zeros or the values of an earlier result, so a kernel that skips a row
passes its test. Inside `poisoned_memory` the functions that allocate without filling give NaN (or
the lowest integer, which is no valid index). torch's own `fill_uninitialized_memory` does the
same, but only along with deterministic algorithms, which make some operators raise.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch.utils._device import _device_constructors

# Looked up by name at each call, in our kernels as in torch's own Python code.
_ALLOCATORS = (
    (torch, "empty"),
    (torch, "empty_like"),
    (torch, "empty_strided"),
    (torch.Tensor, "new_empty"),
    (torch.Tensor, "new_empty_strided"),
)


def poison(tensor: torch.Tensor) -> torch.Tensor:
    """Fill `tensor` with NaN, the lowest integer or True, in place."""
    if tensor.device.type == "meta" or tensor.layout != torch.strided or tensor.is_quantized:
        return tensor
    if tensor.is_floating_point() or tensor.is_complex():
        value: Any = float("nan")
    elif tensor.dtype == torch.bool:
        value = True
    else:
        limits = torch.iinfo(tensor.dtype)
        value = limits.min or limits.max
    with torch.no_grad():
        return tensor.fill_(value)


@contextmanager
def poisoned_memory() -> Iterator[None]:
    """Make uninitialized allocations in this process recognizable."""
    # `torch.device` as a context looks functions up in this set, which is cached by the first call.
    _device_constructors()
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in _ALLOCATORS:
            patch.setattr(owner, name, _poisoning(getattr(owner, name)))
        yield


def _poisoning(allocate: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    @functools.wraps(allocate)
    def poisoned(*args: Any, **kwargs: Any) -> torch.Tensor:
        tensor = allocate(*args, **kwargs)
        # A compiler traces this function: it must see the bare allocation.
        return tensor if torch.compiler.is_compiling() else poison(tensor)

    return poisoned
