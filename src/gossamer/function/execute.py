"""Execute message and reduce functions by operators: one round of message passing.

A round operates on a :class:`Relation`, which is an adjacency with the frames at both of its ends.
A pair of built-in functions is executed as one fused operator, without a tensor of messages, if
there is such an operator; otherwise, a message tensor is computed and then reduced. User-defined
functions are called with batches of edges, and with batches of nodes of equal in-degree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.function.message import MessageFunction
from gossamer.function.reducer import ReduceFunction
from gossamer.function.udf import EdgeBatch, Mailbox, NodeBatch, _Rows, _Whole

if TYPE_CHECKING:
    from gossamer.graph import Graph
    from gossamer.graph.frame import Frame
    from gossamer.ops.adjacency import Adjacency

__all__ = ["Relation", "aggregate", "apply_to_nodes", "messages"]

# Operators whose operands can be swapped, so that the source node comes first.
_COMMUTES = {"add", "mul"}


class Relation(NamedTuple):
    """The edges of one round: an adjacency and the features of its nodes and edges.

    If the relation is a part of a larger graph, `src_ids`, `dst_ids` and `edge_ids` are the ids of
    the rows in this graph; None means that row ``i`` has id ``i``. `graph` is the larger graph.
    """

    adjacency: Adjacency
    src: Mapping[str, Tensor]
    dst: Mapping[str, Tensor]
    edge: Frame
    canonical_etype: tuple[str, str, str]
    src_ids: Tensor | None = None
    dst_ids: Tensor | None = None
    edge_ids: Tensor | None = None
    graph: Graph | None = None

    def operand(self, target: str, field: str) -> Tensor:
        """The feature `field` of sources, destinations or edges."""
        if target == "u":
            return self.src[field]
        return self.dst[field] if target == "v" else self.edge[field]

    def edge_batch(self) -> EdgeBatch:
        """All edges of the relation as one batch."""
        row, col = self.adjacency.coo()
        eids = self.edge_ids
        if eids is None:
            eids = torch.arange(row.shape[0], dtype=row.dtype, device=row.device)
        known = (
            row if self.src_ids is None else self.src_ids[row.long()],
            col if self.dst_ids is None else self.dst_ids[col.long()],
            eids,
        )
        src, dst = _Rows(self.src, row), _Rows(self.dst, col)
        data = _Whole(self.edge, row.device)
        return EdgeBatch(known, src, dst, data, self.canonical_etype, self.graph)


def messages(relation: Relation, function: Any) -> dict[str, Tensor]:
    """Compute message tensors ``(E, *)`` by name."""
    if isinstance(function, MessageFunction):
        lhs = relation.operand(function.lhs_target, function.lhs_field)
        if function.rhs_target is None:
            if function.lhs_target == "e":
                return {function.out_field: lhs}
            out = ops.gsddmm(relation.adjacency, "copy_lhs", lhs, None, function.lhs_target)
        else:
            rhs = relation.operand(function.rhs_target, function.rhs_field)
            targets = function.lhs_target, function.rhs_target
            out = ops.gsddmm(relation.adjacency, function.op, lhs, rhs, *targets)
        return {function.out_field: out}
    _require_callable(function, "message")
    ends, _ = relation.adjacency.coo()
    return _checked(function(relation.edge_batch()), ends, "message")


def aggregate(relation: Relation, message: Any, reduce: Any) -> dict[str, Tensor]:
    """Compute new features of every destination node, by name."""
    if isinstance(reduce, ReduceFunction):
        if isinstance(message, MessageFunction):
            if message.out_field != reduce.msg_field:
                raise InvalidValueError(
                    f"{message!r} sends {message.out_field!r} but {reduce!r} reads "
                    f"{reduce.msg_field!r}. Give both the same name."
                )
            operands = _fusable(message, relation)
            if operands is not None:
                op, u, e = operands
                out = ops.gspmm(relation.adjacency, op, reduce.name, u, e)
                return {reduce.out_field: out}
        sent = messages(relation, message)
        if reduce.msg_field not in sent:
            raise InvalidValueError(
                f"{reduce!r} reads message {reduce.msg_field!r}, but the message function sends "
                f"{list(sent)}. Give both the same name."
            )
        value = sent[reduce.msg_field]
        out = ops.gspmm(relation.adjacency, "copy_rhs", reduce.name, None, value)
        return {reduce.out_field: out}
    _require_callable(reduce, "reduce")
    return _bucketed(relation, messages(relation, message), reduce)


def apply_to_nodes(function: Callable, batch: NodeBatch) -> dict[str, Tensor]:
    """Compute new features with a user-defined function of nodes."""
    _require_callable(function, "apply")
    return _checked(function(batch), batch.nodes(), "apply")


def _fusable(
    message: MessageFunction, relation: Relation
) -> tuple[str, Tensor | None, Tensor | None] | None:
    """(op, source operand, edge operand) of the fused operator, or None if there is none."""
    targets = message.lhs_target, message.rhs_target
    if targets == ("u", None):
        return "copy_lhs", relation.src[message.lhs_field], None
    if targets == ("e", None):
        return "copy_rhs", None, relation.edge[message.lhs_field]
    if message.op == "dot" or "v" in targets:
        return None
    if targets == ("u", "e"):
        return message.op, relation.src[message.lhs_field], relation.edge[message.rhs_field]
    if message.op in _COMMUTES:
        return message.op, relation.src[message.rhs_field], relation.edge[message.lhs_field]
    return None


def _bucketed(
    relation: Relation, sent: Mapping[str, Tensor], reduce: Callable
) -> dict[str, Tensor]:
    """Call `reduce` once for each in-degree that occurs; nodes without messages get zeros."""
    adjacency = relation.adjacency
    indptr, _, eids = adjacency.csc()
    degrees = indptr.diff().long()
    ntype = relation.canonical_etype[2]
    parts: list[tuple[Tensor, dict[str, Tensor]]] = []
    for degree in torch.unique(degrees).tolist():
        if degree == 0:
            continue
        nodes = (degrees == degree).nonzero().squeeze(1)
        slots = indptr[nodes].long()[:, None] + torch.arange(degree, device=nodes.device)
        edges = slots if eids is None else eids[slots].long()
        mailbox = Mailbox((name, value[edges]) for name, value in sent.items())
        ids = nodes.to(adjacency.idtype) if relation.dst_ids is None else relation.dst_ids[nodes]
        batch = NodeBatch(ids, _Rows(relation.dst, nodes), mailbox, ntype)
        parts.append((nodes, _checked(reduce(batch), nodes, "reduce")))
    if not parts:
        return {}
    _require_alike([values for _, values in parts])
    result = {}
    order = torch.cat([nodes for nodes, _ in parts])
    for name in parts[0][1]:
        rows = torch.cat([values[name] for _, values in parts])
        empty = rows.new_zeros((adjacency.num_dst, *rows.shape[1:]))
        result[name] = empty.index_copy(0, order, rows)
    return result


def _require_callable(function: Any, role: str) -> None:
    if not callable(function):
        raise InvalidTypeError(
            f"The {role} function must be a built-in of gossamer.function or a callable, "
            f"got {type(function).__name__}: {function!r}."
        )


def _require_alike(results: list[dict[str, Tensor]]) -> None:
    """Raise unless a reduce function returned the same features for every number of messages."""

    def scheme(values: dict[str, Tensor]) -> dict[str, tuple]:
        return {name: (tuple(x.shape[1:]), x.dtype) for name, x in values.items()}

    first = scheme(results[0])
    for values in results[1:]:
        if scheme(values) != first:
            raise InvalidValueError(
                f"The reduce function gave {first} and then {scheme(values)} (row shape and dtype "
                "by name). It must give the same for every number of messages."
            )


def _checked(result: Any, batch: Tensor, role: str) -> dict[str, Tensor]:
    """Validate the result of a user-defined function for the nodes or edges `batch`."""
    if not isinstance(result, Mapping):
        raise InvalidTypeError(
            f"A {role} function returns a dict from feature name to tensor, "
            f"got {type(result).__name__}."
        )
    count = batch.shape[0]
    for name, value in result.items():
        if not isinstance(name, str):
            raise InvalidTypeError(
                f"The {role} function gave the name {name!r}; a feature name is a str."
            )
        if not isinstance(value, Tensor) or value.dim() == 0 or value.shape[0] != count:
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise InvalidValueError(
                f"The {role} function gave {shape} for {name!r}; expected a tensor with "
                f"{count} rows, one for each element of the batch."
            )
        if value.device != batch.device:
            raise InvalidValueError(
                f"The {role} function gave {name!r} on {value.device} but the graph is on "
                f"{batch.device}. Move one of them with .to(...)."
            )
    return dict(result)
