"""How an operator is made: one kernel, one gradient, known to eager PyTorch and to its compiler.

An operator exists twice with the same kernel and the same backward. Eager code goes through a
`torch.autograd.Function`, because the dispatcher costs 15 microseconds more for each call (torch
2.13, measured on the two-argument operator of ``benchmarks/overhead.py``), as much as the whole
aggregation over a graph of Cora's size. Traced code goes through the operator registered with
`torch.library`, which has a shape-only twin and so compiles into one graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["Structure", "differentiable", "opaque"]

#: Slots, CSC and CSR of one relation, three entries each; see `Adjacency.structure`.
Structure = tuple[Tensor | None, ...]

_LIBRARY = torch.library.Library("gossamer", "DEF")


def _through_dispatcher() -> bool:
    """Whether someone watches: the compiler, a dispatch mode, or a torch.func transform."""
    return (
        torch.compiler.is_compiling()
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._are_functorch_transforms_active()
    )


def _define(name: str, schema: str, kernel: Callable, fake: Callable) -> Callable:
    _LIBRARY.define(name + schema)
    _LIBRARY.impl(name, kernel, "CompositeExplicitAutograd")
    torch.library.register_fake(f"gossamer::{name}", fake, lib=_LIBRARY)
    return getattr(torch.ops.gossamer, name).default


def opaque(name: str, schema: str, *, kernel: Callable, fake: Callable) -> Callable:
    """Make the operator ``gossamer::name`` without a gradient; see :func:`differentiable`."""
    registered = _define(name, schema, kernel, fake)

    def call(*inputs: Any) -> Any:
        return registered(*inputs) if _through_dispatcher() else kernel(*inputs)

    call.__name__ = name
    return call


def differentiable(
    name: str,
    schema: str,
    *,
    kernel: Callable[..., Any],
    fake: Callable[..., Any],
    setup: Callable[[Any, tuple, Any], None],
    backward: Callable[..., tuple],
) -> Callable[..., Tensor]:
    """Make the operator ``gossamer::name``; its first output is what callers get.

    Parameters
    ----------
    name, schema : str
        The operator's name, and its signature in torch's schema language.
    kernel : callable
        Computes the output, or a tuple of outputs, from the inputs.
    fake : callable
        The same signature; returns empty outputs of the right shapes.
    setup : callable
        ``setup(ctx, inputs, output)`` keeps what `backward` needs.
    backward : callable
        ``backward(ctx, grad)`` returns one gradient for each input.
    """
    registered = _define(name, schema, kernel, fake)

    def backward_of_first(ctx: Any, grad: Tensor, *_: Any) -> tuple:
        return backward(ctx, grad)

    # torch calls it with the keywords ctx, inputs and output.
    torch.library.register_autograd(
        f"gossamer::{name}", backward_of_first, setup_context=setup, lib=_LIBRARY
    )

    class Operator(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Tensor:
            output = kernel(*inputs)
            setup(ctx, inputs, output)
            return _first(output)

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> tuple:
            return backward(ctx, grad)

    Operator.__name__ = Operator.__qualname__ = name

    def call(*inputs: Any) -> Tensor:
        if _through_dispatcher():
            return _first(registered(*inputs))
        return Operator.apply(*inputs)

    call.__name__ = name
    return call


def _first(output: Any) -> Tensor:
    return output[0] if isinstance(output, tuple) else output
