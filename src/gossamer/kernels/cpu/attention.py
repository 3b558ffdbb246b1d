"""Attention over edges, fused: no tensor of edges times heads times features."""

from __future__ import annotations

import torch
from torch import Tensor

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
) -> tuple[Tensor, Tensor]:
    """Sum values weighted by the softmax of scores; see `gossamer.kernels.reference.attention`."""
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
    overwrite: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None, Tensor | None]:
    """Return the gradients of all operands; see `reference.attention_backward`."""
    options = seed, score, slope, dropout
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
    own_key = operands[0]
    core.attention(
        which,
        SCORES[score],
        indptr.data_ptr(),
        indices.data_ptr(),
        address(eids),
        indptr.dtype is torch.int64,
        indptr.shape[0] - 1,
        indices.shape[0],
        shape[1],
        shape[2],
        1 if score == "add" else own_key.shape[2],
        slope,
        seed % (1 << 64),
        dropout_threshold(dropout),
        1 / (1 - dropout) if dropout < 1 else 0.0,
        *map(address, operands),
        *map(address, (value, out_bias, grad, result, norms, stats, out, grad_key, grad_score)),
        address(grad_weight),
        DTYPES[out.dtype],
        torch.get_num_threads(),
    )
