"""The oracle of the operators: one message per edge, by indexing; one loop over the nodes.

It shares no code with the package but `Graph.edges`, runs in any precision, and torch
differentiates it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

import gossamer
from gossamer import Graph
from helpers.compare import assert_close_to_truth

#: Feature shapes of two operands: name, left, right.
SHAPES = {
    "no-features": ((), ()),
    "scalar-right": ((4,), ()),
    "scalar-left": ((), (4,)),
    "one-right": ((4,), (1,)),
    "one-left": ((1,), (3,)),
    "same": ((3,), (3,)),
    "per-head": ((2, 3), (2, 1)),
    "per-head-left": ((2, 1), (2, 3)),
    "per-channel": ((2, 3), (3,)),
    "weight-per-edge": ((2, 3), (1, 1)),
    "full": ((2, 3), (2, 3)),
    "both-ways": ((2, 1, 3), (1, 2, 1)),
    "no-columns": ((0,), (1,)),
}
#: Those in which a dot product has a last dimension to sum over.
DOT_SHAPES = {
    "no-features": ((), ()),
    "same": ((3,), (3,)),
    "one": ((1,), (1,)),
    "full": ((2, 3), (2, 3)),
    "heads-left": ((2, 3), (1, 3)),
    "heads-right": ((1, 3), (2, 3)),
    "per-channel": ((2, 3), (3,)),
    "both-ways": ((2, 1, 3), (1, 2, 3)),
    "no-columns": ((0,), (0,)),
}


def awkward(idtype: torch.dtype = torch.int64) -> Graph:
    """Duplicate edges, self-loops, an isolated node, sinks and sources, in no order."""
    src = torch.tensor([4, 0, 3, 0, 1, 4, 2, 0, 4], dtype=idtype)
    dst = torch.tensor([1, 2, 1, 2, 1, 4, 2, 5, 1], dtype=idtype)
    return gossamer.graph((src, dst), num_nodes=7, idtype=idtype)


def lopsided(idtype: torch.dtype = torch.int32) -> Graph:
    """One relation from 3 users to 5 items, of which item 0 and 4 get nothing."""
    src = torch.tensor([2, 0, 0, 2, 1, 2, 0], dtype=idtype)
    dst = torch.tensor([3, 1, 3, 2, 1, 3, 1], dtype=idtype)
    edges = {("user", "rates", "item"): (src, dst)}
    return gossamer.heterograph(edges, {"user": 3, "item": 5}, idtype=idtype)


def larger(idtype: torch.dtype = torch.int32) -> Graph:
    """500 random edges from 50 users to 60 items: enough rows for a typical rounding error."""
    edges = {("user", "rates", "item"): (torch.randint(50, (500,)), torch.randint(60, (500,)))}
    return gossamer.heterograph(edges, {"user": 50, "item": 60}, idtype=idtype)


def rows_of(g: Graph, target: str) -> int:
    """Number of rows of an operand at `target`."""
    return {"u": g.num_src_nodes(), "v": g.num_dst_nodes(), "e": g.num_edges()}[target]


def operand(
    g: Graph, target: str, shape: tuple[int, ...], dtype: torch.dtype = torch.float64
) -> Tensor:
    """Random features away from 0, so that they can divide, and far from ties."""
    x = torch.rand((rows_of(g, target), *shape), dtype=torch.float64) + 0.5
    sign = torch.where(torch.rand_like(x) < 0.5, -1.0, 1.0)
    return (x * sign).to(dtype)


def on_edges(g: Graph, x: Tensor, target: str, dims: int) -> Tensor:
    """Rows of `x` by edge, with ones after the first dimension up to `dims` dimensions."""
    src, dst = g.edges(order="eid")
    if target != "e":
        x = x[(src if target == "u" else dst).long()]
    return x.reshape(x.shape[0], *[1] * (dims - x.dim()), *x.shape[1:])


def combine(
    g: Graph, op: str, lhs: Tensor | None, rhs: Tensor | None, lhs_target: str, rhs_target: str
) -> Tensor:
    """The message of each edge."""
    if op == "copy_lhs":
        return on_edges(g, lhs, lhs_target, lhs.dim())
    if op == "copy_rhs":
        return on_edges(g, rhs, rhs_target, rhs.dim())
    dims = max(lhs.dim(), rhs.dim())
    a, b = on_edges(g, lhs, lhs_target, dims), on_edges(g, rhs, rhs_target, dims)
    if op == "dot":
        return (a * b).sum(-1, keepdim=True) if dims > 1 else a * b
    operators: dict[str, Any] = {
        "add": torch.add,
        "sub": torch.sub,
        "mul": torch.mul,
        "div": torch.div,
    }
    return operators[op](a, b)


def reduce(values: Tensor, owner: Tensor, num_rows: int, name: str) -> Tensor:
    """Reduce the values of each owner; 0 for one that owns none."""
    reducers: dict[str, Any] = {
        "sum": lambda x: x.sum(0),
        "mean": lambda x: x.sum(0) / len(x),
        "max": lambda x: x.max(0).values,
        "min": lambda x: x.min(0).values,
    }
    if name == "mean" and not values.is_floating_point():
        values = values.to(torch.get_default_dtype())  # Quotients, also where there are none.
    rows = []
    for row in range(num_rows):
        own = values[owner == row]
        # The sum of no rows is 0, and torch knows its gradient.
        rows.append(reducers[name](own) if len(own) else own.sum(0))
    return torch.stack(rows) if rows else values[:0]


def gspmm(g: Graph, op: str, reducer: str, u: Tensor | None, e: Tensor | None) -> Tensor:
    """What `gossamer.ops.gspmm` computes."""
    messages = combine(g, op, u, e, "u", "e")
    return reduce(messages, g.edges(order="eid")[1], g.num_dst_nodes(), reducer)


def assert_agrees(
    names: Sequence[str],
    found: Sequence[Tensor | None],
    truth: Sequence[Tensor | None],
    plain: Sequence[Tensor | None],
) -> None:
    """Assert that results, by name, are as good as torch's own in the same precision.

    Results in 16 bits may be off twice as far as torch's; a single rounding at the end dominates
    there. In float32 and float64 a sum is off by a few roundings in one order and by none in
    another, so that torch's error says little: a few roundings of the largest value are allowed.
    """
    for name, actual, expected, same_precision in zip(names, found, truth, plain, strict=True):
        assert (actual is None) == (expected is None), name
        if actual is None:
            continue
        if actual.dtype in (torch.bfloat16, torch.float16):
            assert_close_to_truth(actual, expected, same_precision, name)
            continue
        assert actual.dtype == same_precision.dtype, name
        largest = float(expected.abs().max()) if expected.numel() else 0.0
        allowed = 8 * torch.finfo(actual.dtype).eps * largest
        torch.testing.assert_close(
            actual.double(), expected, rtol=0, atol=allowed, msg=lambda text, n=name: f"{n}: {text}"
        )


def edge_softmax(g: Graph, logits: Tensor, norm_by: str = "dst") -> Tensor:
    """Softmax over the in-edges of each destination, or the out-edges of each source."""
    ends = g.edges(order="eid")[1 if norm_by == "dst" else 0]
    out = logits.clone()
    for node in ends.unique():
        own = ends == node
        out = out.index_put((own.nonzero().squeeze(1),), torch.softmax(logits[own], 0))
    return out


def graph_attention(
    g: Graph,
    value: Tensor,
    key: Tensor,
    query: Tensor,
    score: str,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    out_bias: Tensor | None = None,
    edge_key: Tensor | None = None,
    edge_value: Tensor | None = None,
    scale: float = 1.0,
    slope: float = 0.2,
) -> Tensor:
    """Scores by indexing, then the softmax oracle, then a sum over the edges of each node."""
    src, dst = g.edges(order="eid")
    k, q, values = key[src.long()], query[dst.long()], value[src.long()]
    if edge_key is not None:
        k = k + edge_key
    if edge_value is not None:
        values = values + edge_value
    if score == "dot":
        x = scale * (k * q).sum(-1)
    else:
        x = k + q
    if score == "add_dot":
        x = (weight * F.leaky_relu(x, slope)).sum(-1)
    if bias is not None:
        x = x + bias
    if score == "add":
        x = F.leaky_relu(x, slope)
    share = edge_softmax(g, x)
    out = value.new_zeros((g.num_dst_nodes(), *value.shape[1:]))
    if out_bias is not None:
        out = out + out_bias
    return out.index_add(0, dst.long(), share.unsqueeze(-1) * values)
