"""Fused attention over edges, without a tensor of edges times heads times features."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.kernels import reference
from gossamer.kernels._dispatch import kernel
from gossamer.kernels.cpu import _common
from gossamer.kernels.cpu._common import DTYPES, FLOATS, SCORES, address, core
from gossamer.kernels.reference.attention import dropout_threshold

_FORWARD, _QUERY, _BACKWARD = range(3)


@kernel("attention", device="cpu", dtypes=FLOATS)
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
    """Sum values weighted by the softmax of scores; see `gossamer.kernels.reference.attention`.

    With edge operands, the reference runs; `ops.graph_attention` calls other kernels instead.
    """
    if not (edge_key is edge_value is None):
        operands = (value, key, query, weight, bias, out_bias)
        options = (seed, score, slope, dropout, edge_key, edge_value)
        return reference.attention(indptr, indices, eids, *operands, *options)
    num_rows = indptr.shape[0] - 1
    out = _common.empty((num_rows, *value.shape[1:]), value.dtype)
    norms = _common.empty((num_rows, 2, value.shape[1]), _accumulator(value))
    _run(
        _FORWARD,
        (indptr, indices, eids),
        value.shape,
        (query, key, weight, bias),
        (seed, score, slope, dropout),
        value=value,
        out_bias=out_bias,
        norms=norms,
        out=out,
    )
    return out, norms


@kernel("attention_backward", device="cpu", dtypes=FLOATS)
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
    """Return the gradients of all operands; see `reference.attention_backward`."""
    options = seed, score, slope, dropout
    if not (edge_key is edge_value is None):
        operands = (value, key, query, weight, bias, out_bias)
        results = (out, norms, grad, edge_key, edge_value)
        return reference.attention_backward(by_dst, by_src, *operands, *options, *results)
    ends = {
        "value": value,
        "grad": grad,
        "stats": _common.empty((out.shape[0], 3, value.shape[1]), norms.dtype),
    }
    grad_query = _common.empty(tuple(query.shape), query.dtype)
    _run(
        _QUERY,
        by_dst,
        value.shape,
        (query, key, weight, bias),
        options,
        **ends,
        out_bias=out_bias,
        result=out,
        norms=norms,
        out=grad_query,
    )
    wide = _accumulator(value)
    grad_score = grad_weight = None
    if bias is not None:
        grad_score = _common.empty((by_src[1].shape[0], value.shape[1]), wide)
    if weight is not None:
        grad_weight = _common.empty(tuple(weight.shape), wide)
    grad_value = value if overwrite else _common.empty(tuple(value.shape), value.dtype)
    grad_key = _common.empty(tuple(key.shape), key.dtype)
    _run(
        _BACKWARD,
        by_src,
        value.shape,
        (key, query, weight, bias),
        options,
        **ends,
        out=grad_value,
        grad_key=grad_key,
        grad_score=grad_score,
        grad_weight=grad_weight,
    )
    return (
        grad_value,
        grad_key,
        grad_query,
        None if grad_weight is None else grad_weight.to(weight.dtype),
        None if grad_score is None else grad_score.to(bias.dtype),
        None,
        None,
    )


def _accumulator(x: Tensor) -> torch.dtype:
    return torch.float64 if x.dtype is torch.float64 else torch.float32


def _run(
    which: int,
    rows: tuple[Tensor, Tensor, Tensor | None],
    shape: torch.Size,
    operands: tuple[Tensor | None, ...],
    options: tuple[int, str, float, float],
    *,
    out: Tensor,
    value: Tensor,
    out_bias: Tensor | None = None,
    grad: Tensor | None = None,
    result: Tensor | None = None,
    norms: Tensor | None = None,
    stats: Tensor | None = None,
    grad_key: Tensor | None = None,
    grad_score: Tensor | None = None,
    grad_weight: Tensor | None = None,
) -> None:
    """Run one pass; `operands` are the row's key operand, the neighbors', weight and bias."""
    indptr, indices, eids = rows
    seed, score, slope, dropout = options
    own_key, far_key, weight, bias = operands
    core.attention(
        which=which,
        score=SCORES[score],
        indptr=indptr.data_ptr(),
        indices=indices.data_ptr(),
        eids=address(eids),
        wide=indptr.dtype is torch.int64,
        num_rows=indptr.shape[0] - 1,
        num_slots=indices.shape[0],
        heads=shape[1],
        dim=shape[2],
        key_dim=1 if score == "add" else own_key.shape[2],
        slope=slope,
        seed=seed % (1 << 64),
        threshold=dropout_threshold(dropout),
        keep_scale=1 / (1 - dropout) if dropout < 1 else 0.0,
        own_key=address(own_key),
        far_key=address(far_key),
        weight=address(weight),
        bias=address(bias),
        value=address(value),
        out_bias=address(out_bias),
        grad=address(grad),
        result=address(result),
        norms=address(norms),
        stats=address(stats),
        out=address(out),
        grad_key=address(grad_key),
        grad_score=address(grad_score),
        grad_weight=address(grad_weight),
        dtype=DTYPES[out.dtype],
        threads=torch.get_num_threads(),
    )
