"""Dense products and sums of large tensors, into memory that goes around.

torch maps fresh memory for every large result, and the system clears each of its pages when it is
first written: for a product of a tall matrix with a small one, that takes longer than the
arithmetic. The native kernels keep such memory (`gossamer.kernels.release_memory`), and here torch
computes into it. ``python -m benchmarks.alone memory`` prints what that is worth.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn import functional as F
from torch.nn.modules import module as torch_module

from gossamer import kernels
from gossamer.ops._register import traced

__all__ = ["Linear", "add", "has_hooks", "is_ordinary", "is_plain", "linear", "product"]


class Linear(nn.Linear):
    """`torch.nn.Linear`, with the same parameters and results."""

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input @ weight.T + bias``."""
        return linear(input, self.weight, self.bias)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x @ weight.T + bias``, as `torch.nn.functional.linear`."""
    shape = (*x.shape[:-1], weight.shape[0])
    if is_plain(shape, x, weight, bias):
        return _Product.apply(x, weight, bias)
    return F.linear(x, weight, bias)


def add(x: Tensor, y: Tensor) -> Tensor:
    """``x + y``."""
    if is_plain(x.shape, x, y) and torch.broadcast_shapes(x.shape, y.shape) == x.shape:
        return _Sum.apply(x, y)
    return x + y


def is_ordinary(module: nn.Module) -> bool:
    """Whether a module does nothing but multiply by its weight.

    A map that someone has put in its place may do more, as may hooks and parametrizations.
    """
    return type(module) in (Linear, nn.Linear) and module.bias is None and not has_hooks(module)


def has_hooks(module: nn.Module) -> bool:
    """Whether someone waits for the module to be called, or has given it a `forward` of its own."""
    return bool(
        "forward" in module.__dict__
        or module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        or torch_module._global_forward_hooks
        or torch_module._global_forward_pre_hooks
        or torch_module._global_backward_hooks
        or torch_module._global_backward_pre_hooks
    )


def is_plain(shape: tuple[int, ...], x: Tensor, *others: Tensor | None) -> bool:
    """Whether a result of that shape is large, and nobody but autograd watches.

    Subclasses of tensors, as quantized weights are, have products of their own.
    """
    return (
        not traced()
        and not torch._C._are_functorch_transforms_active()
        and forward_ad._current_level < 0
        and not torch._C._functorch.is_legacy_batchedtensor(x)
        and kernels.keeps_memory(math.prod(shape), x)
        and all(type(y) in (Tensor, nn.Parameter) for y in (x, *others) if y is not None)
        and all(y is None or (y.dtype is x.dtype and y.device == x.device) for y in others)
        and not torch.is_autocast_enabled(x.device.type)
    )


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`linear`, for large results of which no gradient is taken."""
    out = _empty((*x.shape[:-1], weight.shape[0]), x)
    rows, flat = _rows(x), out.view(-1, weight.shape[0])
    if bias is None:
        torch.mm(rows, weight.t(), out=flat)
    else:
        torch.addmm(bias, rows, weight.t(), out=flat)
    return out


def _rows(x: Tensor) -> Tensor:
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _empty(shape: tuple[int, ...], like: Tensor) -> Tensor:
    return kernels.empty(shape, like.dtype, like.device)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return product(x, weight, bias)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        want_x, want_weight, want_bias = ctx.needs_input_grad
        flat = _rows(grad)
        return (
            linear(grad, weight.t()) if want_x else None,
            flat.t() @ _rows(x) if want_weight else None,
            flat.sum(0) if want_bias else None,
        )


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, y: Tensor) -> Tensor:
        ctx.shape = y.shape
        return torch.add(x, y, out=_empty(x.shape, x))

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor | None]:
        return grad, grad.sum_to_size(ctx.shape) if ctx.needs_input_grad[1] else None
