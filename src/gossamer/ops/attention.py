"""Attention over edges as a single operator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer._options import number_in, one_of
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.ops import _torch
from gossamer.ops._attention import attention_of, unfused, widened
from gossamer.ops._check import (
    check_dense,
    check_operand,
    relation_of,
    requires_grad,
    structure_of,
)
from gossamer.ops._products import sddmm
from gossamer.ops.adjacency import Adjacency

__all__ = ["graph_attention"]

_SCORES = ("add", "dot", "add_dot")
_OTHERS = ("key", "query", "weight", "bias", "out_bias", "edge_key", "edge_value")


def graph_attention(
    graph: Any,
    value: Tensor,
    key: Tensor,
    query: Tensor,
    score: str = "dot",
    *,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    out_bias: Tensor | None = None,
    edge_key: Tensor | None = None,
    edge_value: Tensor | None = None,
    scale: float = 1.0,
    negative_slope: float = 0.2,
    dropout: float = 0.0,
) -> Tensor:
    r"""Sum the values of in-neighbors, weighted by the softmax of scores of the edges.

    .. math:: y_v = c + \sum_{e = (u, v)} m_e \, \mathrm{softmax}_{e}(s_e) \, (x_u + x_e)

    for each head, where :math:`m_e` is the dropout factor. The score is one of

    ========= ============================================================ ======================
    ``score`` :math:`s_e`                                                  used by
    ========= ============================================================ ======================
    add       :math:`\mathrm{LeakyReLU}(k_u + q_v + b_e)`                  GAT
    dot       :math:`\gamma \langle k_u + k_e, q_v \rangle + b_e`          transformers
    add_dot   :math:`\langle w, \mathrm{LeakyReLU}(k_u + q_v + k_e)        GATv2
              \rangle + b_e`
    ========= ============================================================ ======================

    No tensor of size edges x heads x features is allocated in the forward or backward pass, except
    gradients of `edge_key` and `edge_value`. On the CPU, such tensors are allocated if `edge_value`
    or, for ``add_dot``, `edge_key` is given. Scores are recomputed in the backward pass, as in
    FlashAttention (https://arxiv.org/abs/2205.14135).

    Parameters
    ----------
    graph : Graph
        A graph with one edge type.
    value : Tensor
        :math:`x`, ``(N_src, *, H, D)``.
    key, query : Tensor
        :math:`k`, with a row per source, and :math:`q`, with a row per destination: ``(N, *, H)``
        for ``add``, else ``(N, *, H, K)``.
    score : {"add", "dot", "add_dot"}
        Form of the score.
    weight : Tensor, optional
        :math:`w`, ``(H, K)``; required for ``add_dot`` and not allowed otherwise.
    bias : Tensor, optional
        :math:`b`, ``(E, *, H)``.
    out_bias : Tensor, optional
        :math:`c`, ``(H, D)``.
    edge_key : Tensor, optional
        :math:`k_e`, ``(E, *, H, K)``; for ``dot`` and ``add_dot``. For ``add``, use `bias` instead.
    edge_value : Tensor, optional
        :math:`x_e`, ``(E, *, H, D)``.
    scale : float
        :math:`\gamma`, for ``dot``; often :math:`1 / \sqrt{K}`.
    negative_slope : float
        Slope of LeakyReLU for negative input; 1 makes it the identity.
    dropout : float
        Probability, from 0 to 1, that the attention weight of an edge and head is set to 0; other
        weights are divided by ``1 - dropout``. The random numbers depend only on a seed from
        torch's generator, the edge and the head, not on the number of threads. Pass 0 outside
        training.

    Returns
    -------
    Tensor
        :math:`y`, ``(N_dst, *, H, D)``, where the sum over no in-edges is 0. Twice differentiable.

    Raises
    ------
    InvalidValueError
        If shapes do not fit each other, or an option is unknown or out of range.
    InvalidTypeError
        If an operand is not a floating-point tensor, or dtypes differ. Under autocast, all operands
        are cast to the dtype of `value`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
    >>> value, key, query = torch.rand(3, 4, 8), torch.rand(3, 4, 5), torch.rand(3, 4, 5)
    >>> gs.ops.graph_attention(g, value, key, query, scale=5**-0.5).shape
    torch.Size([3, 4, 8])
    """
    adjacency = relation_of(graph)
    one_of(score, "graph_attention", "score", _SCORES)
    negative_slope = number_in(negative_slope, "graph_attention", "negative_slope")
    dropout = number_in(dropout, "graph_attention", "dropout", 0, 1)
    check_operand(adjacency, value, "u", "graph_attention")
    check_operand(adjacency, key, "u", "graph_attention")
    check_operand(adjacency, query, "v", "graph_attention")
    for x in (bias, edge_key, edge_value):
        if x is not None:
            check_operand(adjacency, x, "e", "graph_attention")
    key, query, weight, bias, out_bias, edge_key, edge_value = _one_dtype(
        value, key, query, weight, bias, out_bias, edge_key, edge_value
    )
    batch = _check_shapes(value, key, query, weight, bias, out_bias, score)
    _check_edge_operands(value, key, edge_key, edge_value, score)
    scale = _check_scale(scale, score)
    shape = value.shape
    if batch:
        # A batch of attentions is an attention with more heads.
        value, key, query, bias, edge_key, edge_value = (
            None if x is None else x.flatten(1, len(batch) + 1)
            for x in (value, key, query, bias, edge_key, edge_value)
        )
        if weight is not None:
            weight = weight.expand(*batch, *weight.shape).flatten(0, len(batch))
        if out_bias is not None:
            out_bias = out_bias.expand(*batch, *out_bias.shape).flatten(0, len(batch))

    if scale != 1:
        query = query * scale
    operands = value, key, query, weight, bias, out_bias
    out = _attend(adjacency, operands, (score, negative_slope, dropout), edge_key, edge_value)
    return out.reshape(out.shape[0], *shape[1:]) if batch else out


def _attend(
    adjacency: Adjacency,
    operands: tuple[Tensor | None, ...],
    options: tuple[str, float, float],
    edge_key: Tensor | None,
    edge_value: Tensor | None,
) -> Tensor:
    """Call the fused operator, or the operators of which it consists, with validated operands."""
    value, _, query, _, bias, out_bias = operands
    score, _, dropout = options
    grad = any(requires_grad(*operands, edge_key, edge_value))
    seed = torch.randint(2**63 - 1, (), device="cpu") if dropout else None
    on_cpu = value.device.type == "cpu"
    in_parts = edge_value is not None or (edge_key is not None and score != "dot")
    later = None
    if _torch.under_transform() or (on_cpu and in_parts):
        # Transforms need differentiable operators; the CPU kernel supports no other edge operands.
        structure = structure_of(adjacency, by_dst=True, by_src=grad, slots=True)
        edges = widened((edge_key, edge_value))
        out = unfused(structure, *widened(operands), seed, *options, *edges).to(value.dtype)
    else:
        as_bias = on_cpu and edge_key is not None
        structure = structure_of(adjacency, by_dst=True, by_src=grad, slots=grad or as_bias)
        if as_bias:
            # <k_u + k_e, q_v> = <k_u, q_v> + <k_e, q_v>, where the second term is a bias.
            extra = sddmm(structure, edge_key, query, "dot", "e", "v").squeeze(-1)
            operands = *operands[:4], extra if bias is None else bias + extra, out_bias
            edge_key = None
        if value.dtype in (torch.float16, torch.bfloat16):
            # The gradient subtracts the bias from the result, which is rounded too coarsely.
            later, operands = out_bias, (*operands[:-1], None)
        out = attention_of(structure, *operands, seed, *options, edge_key, edge_value)
    return out if later is None else out + later


def _one_dtype(value: Tensor, *others: Tensor | None) -> list[Tensor | None]:
    """Check that other operands have the dtype of `value`; under autocast, cast them."""
    if not value.is_floating_point():
        raise InvalidTypeError(
            f"graph_attention: the operands must be floating-point, but value is {value.dtype}."
        )
    autocast = torch.is_autocast_enabled(value.device.type)
    result: list[Tensor | None] = []
    for name, x in zip(_OTHERS, others, strict=True):
        if x is not None and not isinstance(x, Tensor):
            raise InvalidTypeError(
                f"graph_attention: {name} must be a torch.Tensor, got {type(x).__name__}."
            )
        if x is not None and x.dtype != value.dtype:
            if not autocast:
                raise InvalidTypeError(
                    f"graph_attention: value is {value.dtype} but {name} is {x.dtype}. "
                    "Convert one with .to(dtype)."
                )
            x = x.to(value.dtype)
        result.append(x)
    return result


def _check_shapes(
    value: Tensor,
    key: Tensor,
    query: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    out_bias: Tensor | None,
    score: str,
) -> tuple[int, ...]:
    """Check shapes; return the batch dimensions between rows and heads."""
    if value.dim() < 3:
        raise InvalidValueError(
            "graph_attention: value must be (N_src, *, heads, features), got shape "
            f"{tuple(value.shape)}. Use .unsqueeze(1) for a single head."
        )
    between = tuple(value.shape[1:-1])
    wanted = {"key": key, "query": query}
    for name, x in wanted.items():
        features = () if score == "add" else tuple(key.shape[-1:])
        if tuple(x.shape[1:]) != (*between, *features):
            form = "(N, *, heads)" if score == "add" else "(N, *, heads, features)"
            raise InvalidValueError(
                f"graph_attention: for score {score!r}, {name} must be {form} with {between} after "
                f"the rows as in value, got shape {tuple(x.shape)}"
                + (f"; key has shape {tuple(key.shape)}." if name == "query" else ".")
            )
    if bias is not None and tuple(bias.shape[1:]) != between:
        raise InvalidValueError(
            f"graph_attention: bias must be {(bias.shape[0], *between)}, a number for each edge "
            f"and head, got shape {tuple(bias.shape)}."
        )
    if out_bias is not None:
        _check_per_head("out_bias", out_bias, (between[-1], value.shape[-1]), value)
    if (weight is not None) != (score == "add_dot"):
        raise InvalidValueError(
            f"graph_attention: weight goes with score 'add_dot' and only there; score is {score!r} "
            f"and weight is {'missing' if weight is None else 'given'}."
        )
    if weight is not None:
        _check_per_head("weight", weight, (between[-1], key.shape[-1]), value)
    return between[:-1]


def _check_edge_operands(
    value: Tensor, key: Tensor, edge_key: Tensor | None, edge_value: Tensor | None, score: str
) -> None:
    if edge_key is not None and score == "add":
        raise InvalidValueError(
            "graph_attention: edge_key goes with score 'dot' or 'add_dot'. For score 'add' pass "
            "it as bias, a number for each edge and head."
        )
    for name, x, like in (("edge_key", edge_key, key), ("edge_value", edge_value, value)):
        if x is not None and x.shape[1:] != like.shape[1:]:
            raise InvalidValueError(
                f"graph_attention: {name} must be (E, *{tuple(like.shape[1:])}), as the rows of "
                f"{name.removeprefix('edge_')}, got shape {tuple(x.shape)}."
            )


def _check_scale(scale: Any, score: str) -> float:
    scale = number_in(scale, "graph_attention", "scale")
    if scale != 1 and score != "dot":
        raise InvalidValueError(
            f"graph_attention: scale goes with score 'dot' only, got {scale:g} for {score!r}."
        )
    return scale


def _check_per_head(name: str, x: Tensor, shape: tuple[int, int], value: Tensor) -> None:
    if tuple(x.shape) != shape:
        raise InvalidValueError(
            f"graph_attention: {name} must be (heads, features) = {shape}, got shape "
            f"{tuple(x.shape)}."
        )
    check_dense(x, "graph_attention", name)
    if x.device != value.device:
        raise InvalidValueError(
            f"graph_attention: {name} is on {x.device} but value is on {value.device}. "
            "Move one of them with .to(...)."
        )
