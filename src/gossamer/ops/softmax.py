"""Softmax over the edges of each node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer._options import one_of
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.ops._check import (
    check_lengths,
    check_operand,
    outside_transforms,
    relation_of,
    requires_grad,
    structure_of,
)
from gossamer.ops._products import reverse, sddmm, segment_structure, spmm
from gossamer.ops._register import Structure, differentiable, opaque, plain

__all__ = ["edge_softmax", "segment_softmax"]

_ALL = "__ALL__"


def edge_softmax(graph: Any, logits: Any, eids: Any = _ALL, norm_by: str = "dst") -> Any:
    r"""Apply softmax over the in-edges of each destination, or the out-edges of each source.

    .. math:: a_{uv} = \frac{\exp(z_{uv})}{\sum_{w \in \mathcal{N}(v)} \exp(z_{wv})}

    Parameters
    ----------
    graph : Graph
        Any graph. With several edge types, scores of all edge types that end at the same node type
        (with ``norm_by="src"``, start from it) are normalized together.
    logits : Tensor or dict of (str, str, str) to Tensor
        Scores ``(E, *f)``; a dict by edge type for several types. Columns are independent.
    eids : ids, optional
        Edges to normalize over, for each of which `logits` has one row. Default: all edges.
    norm_by : {"dst", "src"}
        Whether the weights of the in-edges of each destination, or of the out-edges of each source,
        sum to 1.

    Returns
    -------
    Tensor or dict
        Normalized weights in the form of `logits`. Twice differentiable.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
    >>> gs.ops.edge_softmax(g, torch.tensor([0.0, 0.0, 5.0]))
    tensor([0.5000, 0.5000, 1.0000])
    """
    one_of(norm_by, "edge_softmax", "norm_by", ("dst", "src"))
    if isinstance(logits, Mapping):
        if not (isinstance(eids, str) and eids == _ALL):
            raise InvalidValueError("edge_softmax: eids cannot be combined with a dict of logits.")
        return _by_type(graph, logits, norm_by)
    adjacency = relation_of(graph)
    if not (isinstance(eids, str) and eids == _ALL):
        chosen = outside_transforms(lambda: graph.edge_id_tensor(eids))
        adjacency = outside_transforms(lambda: graph.adjacency.edge_subset(chosen))
    return _softmax(adjacency, logits, norm_by)


def segment_softmax(seglen: Tensor, value: Tensor) -> Tensor:
    r"""Apply softmax to each column of consecutive segments of rows.

    Parameters
    ----------
    seglen : Tensor
        ``(B,)``, the length of each segment. Lengths add up to N.
    value : Tensor
        Rows ``(N, *f)``, floating point.

    Returns
    -------
    Tensor
        ``(N, *f)``. Twice differentiable.

    Examples
    --------
    >>> import torch
    >>> segment_softmax(torch.tensor([2, 1]), torch.tensor([1.0, 1.0, 4.0]))
    tensor([0.5000, 0.5000, 1.0000])
    """
    seglen = check_lengths(seglen, value, "segment_softmax", "value")
    if not value.is_floating_point():
        raise InvalidTypeError(
            f"segment_softmax: the values must be floating-point, got {value.dtype}."
        )
    return edge_softmax_of(segment_structure(seglen, value), value)


def _softmax(adjacency: Any, logits: Tensor, norm_by: str) -> Tensor:
    check_operand(adjacency, logits, "e", "edge_softmax")
    if not logits.is_floating_point():
        raise InvalidTypeError(
            f"edge_softmax: the logits must be floating-point, got {logits.dtype}."
        )
    (grad,) = requires_grad(logits)
    by_dst = norm_by == "dst"
    structure = structure_of(adjacency, by_dst=by_dst, by_src=not by_dst, slots=grad)
    return edge_softmax_of(structure if by_dst else reverse(structure), logits)


def _by_type(graph: Any, logits: Mapping[Any, Tensor], norm_by: str) -> dict[Any, Tensor]:
    """Normalize the edges of several types that share an end, by concatenating them."""
    if not hasattr(graph, "merged_relation"):
        raise InvalidTypeError(
            f"edge_softmax: a dict of logits needs a gossamer.Graph, got {type(graph).__name__}."
        )
    scores = {graph.to_canonical_etype(etype): value for etype, value in logits.items()}
    groups: dict[str, list[Any]] = {}
    for etype in scores:
        groups.setdefault(etype[2] if norm_by == "dst" else etype[0], []).append(etype)
    result = {}
    for etypes in groups.values():
        parts = [
            check_operand(graph.relation(etype), scores[etype], "e", "edge_softmax")
            for etype in etypes
        ]
        kinds = {(tuple(part.shape[1:]), part.dtype) for part in parts}
        if len(kinds) > 1:
            raise InvalidValueError(
                "edge_softmax: logits that are normalized together must agree in row shape and "
                f"dtype, got {sorted(kinds, key=str)} for {etypes}."
            )
        merged = outside_transforms(lambda etypes=etypes: graph.merged_relation(etypes))
        values = _softmax(merged, torch.cat(parts), norm_by)
        result.update(zip(etypes, values.split([len(part) for part in parts]), strict=True))
    return {etype: result[etype] for etype in scores}


def _kernel(structure: Structure, logits: Tensor) -> Tensor:
    indptr, _, eids = structure[3:6]
    return kernels.edge_softmax(indptr, eids, plain(logits))


def _fake(structure: Structure, logits: Tensor) -> Tensor:
    return logits.new_empty(logits.shape)


def _grad_kernel(indptr: Tensor, eids: Tensor | None, out: Tensor, grad: Tensor) -> Tensor:
    return kernels.edge_softmax_backward(indptr, eids, plain(out), plain(grad))


def _grad_fake(indptr: Tensor, eids: Tensor | None, out: Tensor, grad: Tensor) -> Tensor:
    return out.new_empty(out.shape)


_softmax_grad = opaque(
    "edge_softmax_backward",
    "(Tensor indptr, Tensor? eids, Tensor out, Tensor grad) -> Tensor",
    kernel=_grad_kernel,
    fake=_grad_fake,
)


def _setup(ctx: Any, inputs: tuple, output: Tensor) -> None:
    ctx.structure = inputs[0]
    ctx.save_for_backward(output)


def _backward(ctx: Any, grad: Tensor) -> tuple:
    (out,) = ctx.saved_tensors
    structure = ctx.structure
    if torch.is_grad_enabled():
        # A second derivative is needed: use the same formula with differentiable operators.
        weighted = out * grad
        total = spmm(structure, None, weighted, "copy_rhs", "sum")
        return None, weighted - out * sddmm(structure, None, total, "copy_rhs", "u", "v")
    indptr, _, eids = structure[3:6]
    return None, _softmax_grad(indptr, eids, out, grad)


edge_softmax_of = differentiable(
    "edge_softmax",
    "(Tensor?[] structure, Tensor logits) -> Tensor",
    kernel=_kernel,
    fake=_fake,
    setup=_setup,
    backward=_backward,
)
