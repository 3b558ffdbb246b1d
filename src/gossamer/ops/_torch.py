"""All private names of torch that Gossamer uses. No other file may use private names.

Each entry states which public name it replaces, or that there is none. `tests/ops/test_torch.py`
checks each name, so that its removal in a release of torch is noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch._guards import detect_fake_mode
from torch.autograd import forward_ad
from torch.utils._python_dispatch import _disable_current_modes

__all__ = [
    "assert_async", "count_dispatch_modes", "forward_mode_active", "has_hooks", "in_fake_mode",
    "is_exporting", "is_legacy_batch", "is_transform_wrapper", "is_zero_tensor", "outside_modes",
    "outside_transforms", "under_transform",
]  # fmt: skip

# Whether a `torch.func` transform (grad, vmap, jvp ...) is active. No public name.
under_transform: Callable[[], bool] = torch._C._are_functorch_transforms_active

# A context in which `torch.func` transforms are disabled. No public name.
outside_transforms: Callable[[], AbstractContextManager] = torch._C._DisableFuncTorch

# Whether a transform has wrapped a tensor. No public name.
is_transform_wrapper: Callable[[Tensor], bool] = torch._C._functorch.is_functorch_wrapped_tensor

# Whether a tensor is the batch of gradients of `is_grads_batched=True`. No public name.
is_legacy_batch: Callable[[Tensor], bool] = torch._C._functorch.is_legacy_batchedtensor

# How many dispatch modes (fake tensors, tracers, `TorchDispatchMode`) are active. No public
# name: `torch.compiler.is_compiling` covers the compiler only.
count_dispatch_modes: Callable[[], int] = torch._C._len_torch_dispatch_stack

# A context in which dispatch modes are disabled. No public name.
outside_modes: Callable[[], AbstractContextManager] = _disable_current_modes

# Raise in a compiled graph unless a tensor is true. `torch._check` does not accept tensors, and an
# `if` on the value of a tensor breaks the graph.
assert_async: Callable[[Tensor, str], None] = torch._assert_async


# Whether `torch.export` is tracing. torch 2.6 has no such function.
is_exporting: Callable[[], bool] = getattr(torch.compiler, "is_exporting", lambda: False)


def has_hooks(module: nn.Module) -> bool:
    """Whether a call of `module` does more than its class's `forward`; no public name."""
    return bool(
        "forward" in module.__dict__
        or module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        or nn.modules.module._global_forward_hooks
        or nn.modules.module._global_forward_pre_hooks
        or nn.modules.module._global_backward_hooks
        or nn.modules.module._global_backward_pre_hooks
    )


def in_fake_mode() -> bool:
    """Whether a fake tensor mode is active (tensors without values); no public name."""
    return detect_fake_mode() is not None


def forward_mode_active() -> bool:
    """Whether forward-mode AD is on (`torch.autograd.forward_ad.dual_level`); no public name."""
    return forward_ad._current_level >= 0


def is_zero_tensor(x: Tensor) -> Any:
    """Whether `x` is a zero tensor without memory; no public name."""
    return x._is_zerotensor()
