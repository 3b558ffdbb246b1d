"""Registration of operators with PyTorch: autograd, compiler, `torch.func`.

Each operator is registered three times, with the same kernel and the same backward:

- Eager code uses a `torch.autograd.Function`, or calls the kernel directly if it needs no gradient.
  The dispatcher would take 13 microseconds more for each call, 50 if a gradient is recorded, and
  over 100 when it is computed, which is many times the duration of a sum over a small graph
  (torch 2.13; ``python -m benchmarks.overhead`` prints the times).
- Traced code uses the operator registered with `torch.library`, which has a fake kernel and
  therefore compiles into one graph.
- Code under `torch.func` uses a Function in the form that these transforms require. It is a
  separate Function because `setup_context` costs eager code about 100 microseconds (torch 2.13).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gossamer.errors import InvalidValueError
from gossamer.ops import _torch

__all__ = [
    "Structure", "differentiable", "gradients_of_parts", "opaque", "plain", "settled",
    "take_gradient", "traced",
]  # fmt: skip

#: Slots, CSC and CSR of one relation, three entries each; see `Adjacency.structure`.
Structure = tuple[Tensor | None, ...]

_LIBRARY = torch.library.Library("gossamer", "DEF")

_WITHOUT_RULES = {Tensor, nn.Parameter, type(None), bool, int, float, str, list, tuple}


def traced() -> bool:
    """Whether the compiler or a dispatch mode is active."""
    return torch.compiler.is_compiling() or _torch.count_dispatch_modes() > 0


def plain(x: Tensor | None) -> Tensor | None:
    """`x` in the form that kernels require: contiguous and :func:`settled`; copied if necessary."""
    return None if x is None else settled(x.contiguous())


def settled(x: Tensor) -> Tensor:
    """`x` in any layout, with its values in memory.

    torch may represent a negation by a flag (`torch.Tensor.is_neg`), and zeros without memory.
    """
    if x.is_neg():
        return x.resolve_neg()
    return torch.zeros(x.shape, dtype=x.dtype, device=x.device) if _torch.is_zero_tensor(x) else x


def _has_rules(inputs: tuple) -> bool:
    """Whether an input is an instance of a tensor subclass, which may override operators."""
    for x in inputs:  # noqa: SIM110 (a generator takes three times as long)
        if type(x) not in _WITHOUT_RULES and isinstance(x, Tensor):
            return True
    return False


def take_gradient(backward: Callable[..., tuple], ctx: Any, grad: Tensor, name: str) -> tuple:
    """Call ``backward(ctx, grad)``; `grad` may be sparse, but a legacy batch raises an error."""
    try:
        return backward(ctx, grad)
    except RuntimeError:
        if _torch.is_legacy_batch(grad):
            raise InvalidValueError(
                f"{name}: a batch of gradients (is_grads_batched=True, vectorize=True) cannot be "
                "taken at once. Use torch.func.vmap or torch.func.jacrev."
            ) from None
        if grad.layout is torch.strided:
            raise
    return backward(ctx, grad.to_dense())


def _wants_gradient(inputs: tuple) -> bool:
    """Whether autograd must record a call, as in torch itself."""
    if _torch.forward_mode_active():
        return True  # There is no forward-mode formula, so torch raises an error.
    if torch.is_grad_enabled():
        for x in inputs:
            if isinstance(x, Tensor) and x.requires_grad:
                return True
    return False


def _define(name: str, schema: str, kernel: Callable, fake: Callable) -> Callable:
    def registered_kernel(*inputs: Any) -> Any:
        output = kernel(*inputs)
        if isinstance(output, tuple):
            # A schema has no optional outputs.
            like = next(x for x in inputs if isinstance(x, Tensor))
            return tuple(like.new_empty(0) if x is None else x for x in output)
        return output

    _LIBRARY.define(name + schema)
    _LIBRARY.impl(name, registered_kernel, "CompositeExplicitAutograd")
    torch.library.register_fake(f"gossamer::{name}", fake, lib=_LIBRARY)
    return getattr(torch.ops.gossamer, name).default


def opaque(name: str, schema: str, *, kernel: Callable, fake: Callable) -> Callable:
    """Define the operator ``gossamer::name`` without a gradient; see :func:`differentiable`."""
    registered = _define(name, schema, kernel, fake)

    def call(*inputs: Any) -> Any:
        return registered(*inputs) if traced() or _has_rules(inputs) else kernel(*inputs)

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
    batches: bool = True,
) -> Callable[..., Tensor]:
    """Define the differentiable operator ``gossamer::name``, which returns the first output.

    Parameters
    ----------
    name, schema : str
        Name of the operator, and its signature in torch's schema language.
    kernel : callable
        Computes the output, or a tuple of outputs, from the inputs. All outputs but the first may
        be None.
    fake : callable
        Has the same signature; returns empty outputs of the right shapes and, for None, an empty
        tensor ``(0,)`` in the dtype of the first tensor among the inputs.
    setup : callable
        ``setup(ctx, inputs, output)`` stores what `backward` needs.
    backward : callable
        ``backward(ctx, grad)`` returns one gradient for each input.
    batches : bool
        Whether one call can process a batch, as a first feature dimension of operands and outputs.
    """
    registered = _define(name, schema, kernel, fake)

    def setup_registered(ctx: Any, inputs: tuple, output: Any) -> None:
        setup(ctx, inputs, output)
        # torch expects a list of gradients for each input that is a list of tensors without None.
        ctx.lists = [
            len(x) if isinstance(x, list) and all(t is not None for t in x) else 0 for x in inputs
        ]

    def backward_registered(ctx: Any, grad: Tensor, *_: Any) -> tuple:
        grads = zip(backward(ctx, grad), ctx.lists, strict=True)
        return tuple([None] * count if count else x for x, count in grads)

    # torch passes ctx, inputs and output by keyword.
    torch.library.register_autograd(
        f"gossamer::{name}", backward_registered, setup_context=setup_registered, lib=_LIBRARY
    )

    class Operator(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Tensor:
            output = kernel(*inputs)
            setup(ctx, inputs, output)
            return _first(output)

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> tuple:
            return take_gradient(backward, ctx, grad, name)

    Operator.__name__ = Operator.__qualname__ = name
    transformable = _transformable(name, registered, setup, backward, batches)

    def call(*inputs: Any) -> Tensor:
        if _torch.under_transform():
            return _first(transformable.apply(*inputs))
        if traced() or _has_rules(inputs):
            return _first(registered(*inputs))
        if _wants_gradient(inputs):
            return Operator.apply(*inputs)
        return _first(kernel(*inputs))

    call.__name__ = name
    return call


def gradients_of_parts(
    function: Callable[..., Tensor],
    operands: Sequence[Tensor | None],
    wanted: Sequence[bool],
    grad: Tensor,
) -> list[Tensor | None]:
    """Gradients of ``function(*operands)``, for a backward pass that is differentiated again.

    Operands may depend on one another, or be the same tensor. Each is passed as an alias, so that
    the gradient of one operand does not include those of others that depend on it.
    """
    own = [None if x is None else x.view_as(x) for x in operands]
    asked = [x for x, want in zip(own, wanted, strict=True) if want]
    found = iter(
        torch.autograd.grad(function(*own), asked, grad, create_graph=True, materialize_grads=True)
    )
    return [next(found) if want else None for want in wanted]


def _transformable(
    name: str, registered: Callable, setup: Callable, backward: Callable, batches: bool
) -> type[torch.autograd.Function]:
    """The operator in the form that `torch.func.grad`, `jacrev` and `vmap` require."""

    class Transformable(torch.autograd.Function):
        @staticmethod
        def forward(*inputs: Any) -> Any:
            return registered(*inputs)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple, output: Any) -> None:
            if isinstance(output, tuple):
                ctx.mark_non_differentiable(*output[1:])
            setup(ctx, inputs, output)

        @staticmethod
        def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple:
            return backward(ctx, grad)

        @staticmethod
        def vmap(info: Any, in_dims: tuple, *inputs: Any) -> tuple:
            if batches:
                return _map_features(Transformable.apply, in_dims, inputs)
            return _map_calls(Transformable.apply, info.batch_size, in_dims, inputs)

    Transformable.__name__ = Transformable.__qualname__ = name
    return Transformable


def _map_features(operator: Callable, in_dims: tuple, inputs: tuple) -> tuple:
    """Run a batch of calls as one, in which the batch becomes the first feature dimension.

    Rows remain the first dimension, so one pass over the edges processes the whole batch. An
    operand that is not batched has size 1 in this dimension and is broadcast.
    """
    batched = [
        x if not isinstance(x, Tensor) else (x.unsqueeze(1) if dim is None else x.movedim(dim, 1))
        for x, dim in zip(inputs, in_dims, strict=True)
    ]
    output = operator(*batched)
    if not isinstance(output, tuple):
        return output, 1
    return output, tuple(1 if x.dim() > 1 else None for x in output)


def _map_calls(operator: Callable, count: int, in_dims: tuple, inputs: tuple) -> tuple:
    """Run a batch of calls one after another."""
    outputs = [
        operator(
            *(
                x.select(dim, i) if isinstance(x, Tensor) and dim is not None else x
                for x, dim in zip(inputs, in_dims, strict=True)
            )
        )
        for i in range(count)
    ]
    return torch.stack(outputs), 0


def _first(output: Any) -> Tensor:
    return output[0] if isinstance(output, tuple) else output
