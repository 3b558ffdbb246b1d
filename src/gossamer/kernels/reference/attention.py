"""Attention over edges, and the gradients of its operands."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.reference._common import narrow, sum_rows, take, widen
from gossamer.kernels.rows import row_of_slot
from gossamer.kernels.splitmix import random_bits, shift

__all__ = ["attention", "attention_backward", "dropout_mask", "dropout_threshold"]


@kernel("attention", operands=("value",))
def attention(
    indptr: Tensor,
    indices: Tensor,
    eids: Tensor | None,
    value: Tensor,
    key: Tensor,
    query: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    out_bias: Tensor | None,
    seed: int,
    score: str,
    slope: float,
    dropout: float,
    edge_key: Tensor | None = None,
    edge_value: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Sum the neighbors' values, weighted by the softmax of the edges' scores.

    Parameters
    ----------
    indptr, indices, eids : Tensor
        Rows are destinations, neighbors are sources.
    value : Tensor
        ``(N_src, H, D)``.
    key, query : Tensor
        Keys of sources and queries of destinations: ``(N, H)`` for ``add``, otherwise
        ``(N, H, K)``.
    weight : Tensor or None
        ``(H, K)``, for ``add_dot``.
    bias : Tensor or None
        ``(E, H)``, by edge id.
    out_bias : Tensor or None
        ``(H, D)``, added to each row of the result.
    seed : int
        Key of dropout's random numbers, see `dropout_mask`.
    score : {"add", "dot", "add_dot"}
        ``leaky_relu(key + query + bias)``, ``<key, query> + bias``, or
        ``<weight, leaky_relu(key + query)> + bias``.
    slope : float
        Slope of the leaky ReLU below 0.
    dropout : float
        Fraction of the attention weights that are set to 0.
    edge_key, edge_value : Tensor or None
        ``(E, H, K)`` and ``(E, H, D)``, by edge id: added to the keys and values of sources. There
        is no `edge_key` for ``add``, where it would be a bias.

    Returns
    -------
    Tensor
        ``(N_dst, H, D)``; a sum over no slots is 0.
    Tensor
        ``(N_dst, 2, H)``, at least float32: the largest score, and the sum of the exponentials of
        the scores minus the largest score; 0 for a row without slots.
    """
    rows = row_of_slot(indptr)
    num_rows = len(indptr) - 1
    x = _activated(
        _scores(indices, rows, eids, key, query, weight, bias, score, slope, edge_key), score, slope
    )
    index = rows.view(-1, 1).expand_as(x)
    peak = x.new_zeros((num_rows, x.shape[1])).scatter_reduce_(
        0, index, x, "amax", include_self=False
    )
    share = (x - peak.index_select(0, rows)).exp()
    total = sum_rows(share, rows, num_rows)
    share = share / total.index_select(0, rows)
    if dropout:
        share = share * dropout_mask(_edges(indices, eids), x.shape[1], seed, dropout, x.dtype)
    messages = share.unsqueeze(-1) * _messages(value, edge_value, indices, eids)
    out = sum_rows(messages, rows, num_rows)
    if out_bias is not None:
        out = out + widen(out_bias)
    return narrow(out, value), torch.stack((peak, total), 1)


@kernel("attention_backward", operands=("value",))
def attention_backward(
    by_dst: tuple[Tensor, Tensor, Tensor | None],
    by_src: tuple[Tensor, Tensor, Tensor | None],
    value: Tensor,
    key: Tensor,
    query: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    out_bias: Tensor | None,
    seed: int,
    score: str,
    slope: float,
    dropout: float,
    out: Tensor,
    norms: Tensor,
    grad: Tensor,
    edge_key: Tensor | None = None,
    edge_value: Tensor | None = None,
    overwrite: bool = False,
) -> tuple[Tensor | None, ...]:
    r"""Return the gradients of value, key, query, weight, bias, edge_key and edge_value.

    The gradient of an operand that is None is None.

    With :math:`p` the softmax, :math:`m` dropout's factor and :math:`g` the gradient of the result,
    the score's gradient is :math:`p_e (m_e \langle g_v, x_u + x_e \rangle - \langle g_v, y_v
    \rangle)`, where :math:`y` is the result without `out_bias`.

    Parameters
    ----------
    by_dst, by_src : tuple
        The adjacency with destinations, and with sources, as rows.
    out, norms : Tensor
        The result of `attention`.
    grad : Tensor
        ``(N_dst, H, D)``.
    overwrite : bool
        Whether the gradient of `value` may overwrite `value`, which then must not share memory with
        `query`.
    """
    indptr, src, eids = by_dst
    dst = row_of_slot(indptr)
    raw = _scores(src, dst, eids, key, query, weight, bias, score, slope, edge_key)
    peak, total = norms.index_select(0, dst).unbind(1)
    p = (_activated(raw, score, slope) - peak).exp() / total
    mask = 1.0
    if dropout:
        mask = dropout_mask(_edges(src, eids), raw.shape[1], seed, dropout, raw.dtype)
    g = widen(grad).index_select(0, dst)
    inner = (g * _messages(value, edge_value, src, eids)).sum(-1)
    sums = widen(out) if out_bias is None else widen(out) - widen(out_bias)
    mean = (widen(grad) * sums).sum(-1).index_select(0, dst)
    d = p * (mask * inner - mean)
    if score == "add":
        d = torch.where(raw > 0, d, d * slope)
    grad_value = (p * mask).unsqueeze(-1) * g
    grad_key, grad_query, grad_weight = d, d, None
    if score == "dot":
        grad_key = d.unsqueeze(-1) * widen(query).index_select(0, dst)
        grad_query = d.unsqueeze(-1) * _messages(key, edge_key, src, eids)
    elif score == "add_dot":
        z = _messages(key, edge_key, src, eids) + widen(query).index_select(0, dst)
        grad_weight = (d.unsqueeze(-1) * F.leaky_relu(z, slope)).sum(0)
        grad_key = d.unsqueeze(-1) * widen(weight) * torch.where(z > 0, torch.ones_like(z), slope)
        grad_query = grad_key
    edges = _edges(src, eids)
    by_edge = (
        None if x is None else torch.zeros_like(x).index_copy_(0, edges, narrow(part, x))
        for x, part in ((bias, d), (edge_key, grad_key), (edge_value, grad_value))
    )
    return (
        narrow(sum_rows(grad_value, src, len(value)), value),
        narrow(sum_rows(grad_key, src, len(key)), key),
        narrow(sum_rows(grad_query, dst, len(query)), query),
        None if grad_weight is None else narrow(grad_weight, weight),
        *by_edge,
    )


def dropout_mask(
    edges: Tensor, heads: int, seed: int, dropout: float, dtype: torch.dtype
) -> Tensor:
    """Return dropout's factor of each edge and head, 0 or ``1 / (1 - dropout)``.

    It depends only on the seed, the edge's id and the head: 53 bits of number
    ``edge * heads + head`` of the SplitMix64 stream of the seed (Steele, Lea and Flood, 2014).
    """
    counter = edges.long().view(-1, 1) * heads + torch.arange(heads, device=edges.device)
    keep = shift(random_bits(seed, counter), 11) >= dropout_threshold(dropout)
    return keep.to(dtype) * (1 / (1 - dropout) if dropout < 1 else 0.0)


def dropout_threshold(dropout: float) -> int:
    """Return the smallest 53-bit number that dropout keeps."""
    return math.ceil(dropout * 2**53)


def _edges(indices: Tensor, eids: Tensor | None) -> Tensor:
    """Return the edge id of each slot, as int64."""
    return torch.arange(len(indices), device=indices.device) if eids is None else eids.long()


def _scores(
    src: Tensor,
    dst: Tensor,
    eids: Tensor | None,
    key: Tensor,
    query: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    score: str,
    slope: float,
    edge_key: Tensor | None,
) -> Tensor:
    """Return the score of each slot and head; for ``add``, before the activation."""
    k = _messages(key, edge_key, src, eids)
    q = widen(query).index_select(0, dst)
    if score == "add":
        x = k + q
    elif score == "dot":
        x = (k * q).sum(-1)
    else:
        x = (widen(weight) * F.leaky_relu(k + q, slope)).sum(-1)
    return x if bias is None else x + take(widen(bias), eids)


def _messages(x: Tensor, edge: Tensor | None, src: Tensor, eids: Tensor | None) -> Tensor:
    """Return the rows of sources, plus those of edges, for each slot."""
    x = widen(x).index_select(0, src)
    return x if edge is None else x + take(widen(edge), eids)


def _activated(x: Tensor, score: str, slope: float) -> Tensor:
    return F.leaky_relu(x, slope) if score == "add" else x
