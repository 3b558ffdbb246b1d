"""GAT's attention to projected features that are not kept for the backward pass.

The projection is by far the largest tensor that the gradients need, and soon computed again from
narrow input. What is computed again belongs to the backward pass alone, so a gradient may take its
place: at no time are there more than two tensors of the size of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gossamer import kernels
from gossamer.nn._dense import is_plain, product
from gossamer.ops._check import requires_grad, structure_of
from gossamer.ops._register import gradients_of_parts, plain, take_gradient
from gossamer.ops.attention import attention_of

if TYPE_CHECKING:
    from gossamer.ops._register import Structure
    from gossamer.ops.adjacency import Adjacency

__all__ = ["attend_projected"]


def attend_projected(
    adjacency: Adjacency,
    x: Tensor,
    x_dst: Tensor,
    weight: Tensor,
    left: Tensor,
    right: Tensor,
    *,
    out_bias: Tensor | None,
    negative_slope: float,
    dropout: float,
) -> Tensor | None:
    r"""Attend on a large graph; None where the operands call for another way.

    .. math:: y_v = c + \sum_{e = (u, v)} m_e \, \mathrm{softmax}_e\big(\mathrm{LeakyReLU}(
        \langle l, x_u \rangle + \langle r, x_v \rangle)\big) \, W x_u

    Takes :math:`x` of sources and of destinations ``(N, D_in)``, :math:`W` ``(H * D, D_in)``,
    :math:`l` and :math:`r` ``(H, D_in)``, and :math:`c` ``(H, D)``.
    """
    # One gradient for both roles, where they are one tensor.
    operands = x, None if x_dst is x else x_dst, weight, left, right
    # In 16 bit the bias needs care, see `ops.graph_attention`.
    wide = x.dtype in (torch.float32, torch.float64)
    flat = x.dim() == x_dst.dim() == 2
    shape = x.shape[0], weight.shape[0]
    if not (wide and flat) or not is_plain(shape, *operands, out_bias):
        return None
    inputs = *operands, None if out_bias is None else plain(out_bias)
    grad = any(requires_grad(*inputs))
    structure = structure_of(adjacency, by_dst=True, by_src=grad, slots=grad)
    seed = torch.randint(2**63 - 1, (), device="cpu") if dropout else None
    return _ProjectedAttention.apply(structure, *inputs, seed, negative_slope, dropout)


class _ProjectedAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, structure: Structure, *inputs: Any) -> Tensor:
        *operands, bias, seed, slope, dropout = inputs
        ctx.structure = structure
        ctx.seed, ctx.options = seed, ("add", slope, dropout)
        out, norms = kernels.attention(
            *structure[3:6],
            *_project(product, *operands),
            *(None, None, bias, 0 if seed is None else int(seed), *ctx.options),
        )
        ctx.save_for_backward(*operands, bias, out, norms)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:
        return take_gradient(_backward, ctx, grad, "GATConv")


def _backward(ctx: Any, grad: Tensor) -> tuple:
    wanted = ctx.needs_input_grad[1:7]
    gradients = _differentiable_gradients if torch.is_grad_enabled() else _gradients
    return None, *gradients(ctx, wanted, *ctx.saved_tensors, grad), None, None, None


def _project(
    linear: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    x_dst: Tensor | None,
    weight: Tensor,
    left: Tensor,
    right: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Values by head, keys and queries."""
    value = linear(x, weight).view(x.shape[0], left.shape[0], -1)
    return value, linear(x, left), linear(x if x_dst is None else x_dst, right)


def _gradients(
    ctx: Any,
    wanted: tuple[bool, ...],
    x: Tensor,
    x_dst: Tensor | None,
    weight: Tensor,
    left: Tensor,
    right: Tensor,
    bias: Tensor | None,
    out: Tensor,
    norms: Tensor,
    grad: Tensor,
) -> list[Tensor | None]:
    grads: list[Tensor | None] = [None] * 6
    if wanted[5]:
        grads[5] = grad.sum(0)
    value, key, query, *_ = kernels.attention_backward(
        ctx.structure[3:6],
        ctx.structure[6:9],
        *_project(product, x, x_dst, weight, left, right),
        *(None, None, bias, 0 if ctx.seed is None else int(ctx.seed), *ctx.options),
        *(out, norms, plain(grad)),
        overwrite=True,
    )
    value = value.flatten(1)
    parts = ((value, weight), (key, left), (query, right))
    for i, (part, _) in enumerate(parts, 2):
        if wanted[i]:
            grads[i] = part.t() @ (x if i < 4 or x_dst is None else x_dst)
    if x_dst is not None and wanted[1]:
        grads[1] = product(query, right.t())
    if wanted[0]:
        grads[0] = product(value, weight.t())
        for part, factor in parts[1 : 3 if x_dst is None else 2]:
            grads[0].addmm_(part, factor)
    return grads


def _differentiable_gradients(
    ctx: Any, wanted: tuple[bool, ...], *saved: Tensor | None
) -> list[Tensor | None]:
    """The same of parts that can be differentiated again."""
    *inputs, _, _, grad = saved

    def function(*inputs: Tensor | None) -> Tensor:
        *operands, bias = inputs
        values = _project(F.linear, *operands)
        return attention_of(ctx.structure, *values, None, None, bias, ctx.seed, *ctx.options)

    return gradients_of_parts(function, inputs, wanted, grad)
