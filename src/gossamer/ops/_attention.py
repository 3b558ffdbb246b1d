"""The attention operator, fused or composed of differentiable operators, and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gossamer import kernels
from gossamer.kernels.reference.attention import dropout_mask
from gossamer.ops._products import sddmm, spmm
from gossamer.ops._register import Structure, differentiable, gradients_of_parts, opaque, plain
from gossamer.ops.softmax import edge_softmax_of

__all__ = ["attention_of", "unfused", "widened"]


def unfused(
    structure: Structure,
    value: Tensor,
    key: Tensor,
    query: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    out_bias: Tensor | None,
    seed: Tensor | None,
    score: str,
    slope: float,
    dropout: float,
    edge_key: Tensor | None = None,
    edge_value: Tensor | None = None,
) -> Tensor:
    """Compute `attention_of` with operators that are twice differentiable for all operands."""
    if score == "dot":
        x = sddmm(structure, key, query, "dot", "u", "v").squeeze(-1)
        if edge_key is not None:
            x = x + sddmm(structure, edge_key, query, "dot", "e", "v").squeeze(-1)
    else:
        x = sddmm(structure, key, query, "add", "u", "v")
    if score == "add_dot":
        x = x if edge_key is None else x + edge_key
        x = (F.leaky_relu(x, slope) * weight).sum(-1)
    if bias is not None:
        x = x + bias
    if score == "add":
        x = F.leaky_relu(x, slope)
    share = edge_softmax_of(structure, x)
    if dropout:
        edges = torch.arange(x.shape[0], device=x.device)
        share = share * dropout_mask(edges, x.shape[1], int(seed), dropout, x.dtype)
    share = share.unsqueeze(-1)
    out = spmm(structure, value, share, "mul", "sum")
    if edge_value is not None:
        out = out + spmm(structure, None, share * edge_value, "copy_rhs", "sum")
    return out if out_bias is None else out + out_bias


def widened(operands: Sequence[Tensor | None]) -> list[Tensor | None]:
    """The operands in at least single precision, in which the kernel also computes scores."""
    return [
        None if x is None else x.to(torch.promote_types(x.dtype, torch.float32)) for x in operands
    ]


_SIGNATURE = (
    "Tensor value, Tensor key, Tensor query, Tensor? weight, Tensor? bias, Tensor? out_bias, "
    "Tensor? seed, str score, float slope, float dropout, Tensor? edge_key, Tensor? edge_value"
)


def _key(seed: Tensor | None) -> int:
    return 0 if seed is None else int(seed)


def _kernel(structure: Structure, *inputs: Any) -> tuple[Tensor, Tensor]:
    *operands, seed, score, slope, dropout, edge_key, edge_value = inputs
    options = _key(seed), score, slope, dropout, plain(edge_key), plain(edge_value)
    return kernels.attention.find(operands[0])(*structure[3:6], *map(plain, operands), *options)


def _fake(structure: Structure, value: Tensor, *inputs: Any) -> tuple[Tensor, Tensor]:
    rows = inputs[1].shape[0]
    wide = torch.float64 if value.dtype is torch.float64 else torch.float32
    out = value.new_empty((rows, *value.shape[1:]))
    return out, value.new_empty((rows, 2, value.shape[1]), dtype=wide)


def _grad_kernel(structure: Structure, *inputs: Any) -> tuple[Tensor, ...]:
    *operands, seed, score, slope, dropout, edge_key, edge_value, out, norms, grad = inputs
    grads = kernels.attention_backward(
        structure[3:6],
        structure[6:9],
        *map(plain, operands),
        _key(seed),
        score,
        slope,
        dropout,
        plain(out),
        norms,
        plain(grad),
        plain(edge_key),
        plain(edge_value),
    )
    return tuple(operands[0].new_empty(0) if x is None else x for x in grads)


def _grad_fake(structure: Structure, *inputs: Any) -> tuple[Tensor, ...]:
    operands = *inputs[:5], *inputs[10:12]
    return tuple(inputs[0].new_empty(0 if x is None else x.shape) for x in operands)


_attention_grad = opaque(
    "graph_attention_backward",
    f"(Tensor?[] structure, {_SIGNATURE}, Tensor out, Tensor norms, Tensor grad)"
    " -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
    kernel=_grad_kernel,
    fake=_grad_fake,
)


def _setup(ctx: Any, inputs: tuple, output: tuple[Tensor, Tensor]) -> None:
    ctx.structure = inputs[0]
    ctx.options = inputs[8:11]
    ctx.save_for_backward(*inputs[1:8], *inputs[11:], *output)


def _backward(ctx: Any, grad: Tensor) -> tuple:
    *operands, seed, edge_key, edge_value, out, norms = ctx.saved_tensors
    wanted = *ctx.needs_input_grad[1:7], *ctx.needs_input_grad[11:]
    if torch.is_grad_enabled():
        # A second derivative is needed: use operators that can be differentiated again.

        def function(*operands: Tensor | None) -> Tensor:
            *others, edge_key, edge_value = widened(operands)
            out = unfused(ctx.structure, *others, seed, *ctx.options, edge_key, edge_value)
            return out.to(grad.dtype)

        result = gradients_of_parts(function, (*operands, edge_key, edge_value), wanted, grad)
    else:
        inputs = *operands, seed, *ctx.options, edge_key, edge_value
        *grads, of_key, of_value = _attention_grad(ctx.structure, *inputs, out, norms, grad)
        grads = *grads, grad.sum(0) if wanted[5] else None, of_key, of_value
        result = [x if want else None for x, want in zip(grads, wanted, strict=True)]
    return None, *result[:6], None, None, None, None, *result[6:]


attention_of = differentiable(
    "graph_attention",
    f"(Tensor?[] structure, {_SIGNATURE}) -> (Tensor, Tensor)",
    kernel=_kernel,
    fake=_fake,
    setup=_setup,
    backward=_backward,
    batches=False,
)
