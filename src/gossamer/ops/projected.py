"""Attention of GAT as one operator on the input features and the weights.

On a large graph, the projected features are by far the largest tensor that gradients need, and they
are quick to recompute from narrow input. Therefore they are not kept for the backward pass, which
recomputes them and writes the gradient into their memory. There are never more than two tensors of
the size of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import kernels
from gossamer._options import number_in
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.ops import _torch
from gossamer.ops._attention import attention_of
from gossamer.ops._check import check_dense, check_operand, relation_of, requires_grad, structure_of
from gossamer.ops._register import (
    gradients_of_parts,
    plain,
    take_gradient,
    traced,
)
from gossamer.ops.attention import graph_attention

if TYPE_CHECKING:
    from gossamer.ops._register import Structure

__all__ = ["projected_attention"]

_NAME = "projected_attention"
# Projected features of at least this size in bytes are recomputed in the backward pass instead of
# kept. For smaller ones, the time of the second product outweighs the memory saved.
_LARGE = 4 << 20


def projected_attention(
    graph: Any,
    x: Tensor,
    weight: Tensor,
    left: Tensor,
    right: Tensor,
    x_dst: Tensor | None = None,
    weight_dst: Tensor | None = None,
    *,
    out_bias: Tensor | None = None,
    negative_slope: float = 0.2,
    dropout: float = 0.0,
) -> Tensor:
    r"""Project features, and sum those of in-neighbors weighted by the attention of GAT.

    .. math:: y_v = c + \sum_{e = (u, v)} m_e \, \mathrm{softmax}_e\big(\mathrm{LeakyReLU}(
        \langle l, W x_u \rangle + \langle r, W' x_v \rangle)\big) \, W x_u

    for each head, where :math:`m_e` is the dropout factor. For small inputs, this is computed as::

        z = F.linear(x, weight).unflatten(-1, (H, D))
        z_dst = F.linear(x_dst, weight_dst).unflatten(-1, (H, D))
        ends = (z * left).sum(-1), (z_dst * right).sum(-1)
        graph_attention(graph, z, *ends, "add", out_bias=out_bias)

    If :math:`W x` is large, it is not kept for the backward pass but recomputed, and scores are
    computed from :math:`(l W) x` and :math:`(r W') x`. The two forms differ by rounding.

    Parameters
    ----------
    graph : Graph
        A graph with one edge type.
    x : Tensor
        Features of the sources, ``(N_src, *, D_in)``.
    weight : Tensor
        :math:`W`, ``(H * D, D_in)``.
    left, right : Tensor
        :math:`l` and :math:`r`, ``(H, D)``.
    x_dst : Tensor, optional
        Features of the destinations, ``(N_dst, *, D_in')``. Default: the first ``N_dst`` rows of
        `x`, as in a homogeneous graph or a block.
    weight_dst : Tensor, optional
        :math:`W'`, ``(H * D, D_in')``. Default: `weight`.
    out_bias : Tensor, optional
        :math:`c`, ``(H, D)``.
    negative_slope : float
        Slope of LeakyReLU for negative input.
    dropout : float
        Probability, from 0 to 1, that the attention weight of an edge and head is set to 0; see
        :func:`graph_attention`. Pass 0 outside training.

    Returns
    -------
    Tensor
        :math:`y`, ``(N_dst, *, H, D)``. Twice differentiable.

    Raises
    ------
    InvalidValueError
        If shapes do not fit each other, or an option is out of range.
    InvalidTypeError
        If an operand is not a tensor, or dtypes differ (outside autocast).

    References
    ----------
    Veličković et al., Graph Attention Networks, ICLR 2018, https://arxiv.org/abs/1710.10903.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
    >>> x, weight = torch.rand(3, 5), torch.rand(4 * 8, 5)
    >>> left, right = torch.rand(4, 8), torch.rand(4, 8)
    >>> gs.ops.projected_attention(g, x, weight, left, right).shape
    torch.Size([3, 4, 8])
    """
    adjacency = relation_of(graph)
    negative_slope = number_in(negative_slope, _NAME, "negative_slope")
    dropout = number_in(dropout, _NAME, "dropout", 0, 1)
    check_operand(adjacency, x, "u", _NAME)
    if x_dst is not None:
        check_operand(adjacency, x_dst, "v", _NAME)
    elif adjacency.num_dst > adjacency.num_src:
        raise InvalidValueError(
            f"{_NAME}: without x_dst the destinations are the first sources, but there are "
            f"{adjacency.num_src} sources and {adjacency.num_dst} destinations. Pass x_dst."
        )
    _check_weights(x, weight, left, right, x_dst, weight_dst)
    if out_bias is not None:
        _check_weight("out_bias", out_bias, tuple(left.shape), x)
    operands = x, weight, left, right, x_dst, weight_dst, out_bias
    if _is_large(*operands):
        return _computed_again(adjacency, *operands, negative_slope, dropout)
    z = F.linear(x, weight).unflatten(-1, left.shape)
    if x_dst is None and weight_dst is None:
        z_dst = z[: adjacency.num_dst]
    else:
        x_dst = x[: adjacency.num_dst] if x_dst is None else x_dst
        z_dst = F.linear(x_dst, weight if weight_dst is None else weight_dst)
        z_dst = z_dst.unflatten(-1, left.shape)
    return graph_attention(
        adjacency,
        z,
        (z * left).sum(-1),
        (z_dst * right).sum(-1),
        "add",
        out_bias=out_bias,
        negative_slope=negative_slope,
        dropout=dropout,
    )


def _check_weights(
    x: Tensor,
    weight: Tensor,
    left: Tensor,
    right: Tensor,
    x_dst: Tensor | None,
    weight_dst: Tensor | None,
) -> None:
    if not isinstance(left, Tensor) or left.dim() != 2:
        shape = tuple(left.shape) if isinstance(left, Tensor) else type(left).__name__
        raise InvalidValueError(f"{_NAME}: left must be (heads, features), got {shape}.")
    for name, end in (("x", x), ("x_dst", x_dst)):
        if end is not None and end.dim() < 2:
            raise InvalidValueError(
                f"{_NAME}: {name} must be (N, *, features), got shape {tuple(end.shape)}."
            )
    end = x if x_dst is None else x_dst
    if x.shape[1:-1] != end.shape[1:-1]:
        raise InvalidValueError(
            f"{_NAME}: x and x_dst must agree between rows and features, got shapes "
            f"{tuple(x.shape)} and {tuple(end.shape)}."
        )
    _check_weight("left", left, tuple(left.shape), x)
    _check_weight("right", right, tuple(left.shape), x)
    _check_weight("weight", weight, (left.numel(), x.shape[-1]), x)
    name, matrix = ("weight", weight) if weight_dst is None else ("weight_dst", weight_dst)
    _check_weight(name, matrix, (left.numel(), end.shape[-1]), end)


def _check_weight(name: str, w: Any, shape: tuple[int, ...], x: Tensor) -> None:
    if not isinstance(w, Tensor):
        raise InvalidTypeError(f"{_NAME}: {name} must be a torch.Tensor, got {type(w).__name__}.")
    if tuple(w.shape) != shape:
        raise InvalidValueError(
            f"{_NAME}: {name} must have shape {shape}, got shape {tuple(w.shape)}."
        )
    check_dense(w, _NAME, name)
    if w.device != x.device:
        raise InvalidValueError(
            f"{_NAME}: {name} is on {w.device} but x is on {x.device}. "
            "Move one of them with .to(...)."
        )
    if w.dtype != x.dtype and not torch.is_autocast_enabled(x.device.type):
        raise InvalidTypeError(
            f"{_NAME}: x is {x.dtype} but {name} is {w.dtype}. Convert one with .to(dtype)."
        )


def _is_large(x: Tensor, weight: Tensor, *others: Tensor | None) -> bool:
    """Whether projected features are large, the input is narrower, and the call is not traced.

    16-bit results must add `out_bias` separately (see `graph_attention`), and tensor subclasses
    such as quantized weights define their own matrix product.
    """
    return (
        not traced()  # first, so that a traced program is valid for all sizes
        and x.shape[0] * weight.shape[0] * x.element_size() >= _LARGE
        and x.dim() == 2
        and x.shape[1] <= weight.shape[0]
        and x.dtype in (torch.float32, torch.float64)
        and not _torch.under_transform()
        and not torch.is_autocast_enabled(x.device.type)
        and all(
            type(y) in (Tensor, nn.Parameter) and y.dtype is x.dtype
            for y in (x, weight, *others)
            if y is not None
        )
    )


def _computed_again(
    adjacency: Any,
    x: Tensor,
    weight: Tensor,
    left: Tensor,
    right: Tensor,
    x_dst: Tensor | None,
    weight_dst: Tensor | None,
    out_bias: Tensor | None,
    negative_slope: float,
    dropout: float,
) -> Tensor:
    weight_dst = weight if weight_dst is None else weight_dst
    # <l, W x> = (l W) x, so the gradient of the scores needs no tensor of the size of W x.
    ends = (
        (matrix.reshape(*left.shape, -1) * vector.unsqueeze(-1)).sum(1)
        for matrix, vector in ((weight, left), (weight_dst, right))
    )
    if x_dst is None and adjacency.num_dst < x.shape[0]:
        x_dst = x[: adjacency.num_dst]
    # If both ends are the same tensor, compute one gradient for both roles.
    inputs = x, None if x_dst is x else x_dst, weight, *ends, plain(out_bias)
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
            *_project(_product, *operands),
            *(None, None, bias, 0 if seed is None else int(seed), *ctx.options),
        )
        ctx.save_for_backward(*operands, bias, out, norms)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:
        return take_gradient(_backward, ctx, grad, _NAME)


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
    """Compute values by head, keys and queries."""
    value = linear(x, weight).unflatten(-1, (left.shape[0], -1))
    return value, linear(x, left), linear(x if x_dst is None else x_dst, right)


def _product(x: Tensor, weight: Tensor) -> Tensor:
    """``x @ weight.T``, without a gradient, in reused memory if the result is large."""
    out = kernels.empty((x.shape[0], weight.shape[0]), x.dtype, x.device)
    return torch.mm(x, weight.t(), out=out)


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
        *_project(_product, x, x_dst, weight, left, right),
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
        grads[1] = _product(query, right.t())
    if wanted[0]:
        grads[0] = _product(value, weight.t())
        for part, factor in parts[1 : 3 if x_dst is None else 2]:
            grads[0].addmm_(part, factor)
    return grads


def _differentiable_gradients(
    ctx: Any, wanted: tuple[bool, ...], *saved: Tensor | None
) -> list[Tensor | None]:
    """Compute the same as `_gradients` with operators that can be differentiated again."""
    *inputs, _, _, grad = saved

    def function(*inputs: Tensor | None) -> Tensor:
        *operands, bias = inputs
        values = _project(F.linear, *operands)
        options = ctx.seed, *ctx.options, None, None
        return attention_of(ctx.structure, *values, None, None, bias, *options)

    return gradients_of_parts(function, inputs, wanted, grad)
