"""Generalized sampled dense-dense matrix product: combine features on each edge."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from gossamer._options import one_of
from gossamer.ops._check import (
    check_operand,
    common_dtype,
    counted,
    match_dims,
    relation_of,
    requires_grad,
    structure_of,
)
from gossamer.ops._products import sddmm_of

__all__ = ["gsddmm"]

_OPS = ("add", "sub", "mul", "div", "dot", "copy_lhs", "copy_rhs")
_TARGETS = {"u": "u", "v": "v", "e": "e", "src": "u", "dst": "v", "edge": "e"}


def gsddmm(
    g: Any,
    op: str,
    lhs_data: Tensor | None,
    rhs_data: Tensor | None,
    lhs_target: str = "u",
    rhs_target: str = "v",
) -> Tensor:
    r"""Combine two features on each edge, which belong to its source, its destination or the edge.

    .. math:: out_e = op(x_{\text{lhs}(e)}, y_{\text{rhs}(e)})

    Parameters
    ----------
    g : Graph
        A graph with one edge type, N_src sources, N_dst destinations and E edges.
    op : {"add", "sub", "mul", "div", "dot", "copy_lhs", "copy_rhs"}
        ``dot`` sums the product over the last dimension, which is kept with size 1; for operands
        without feature dimensions, ``(N,)``, it is the product.
    lhs_data, rhs_data : Tensor or None
        Features ``(N_src, *f)``, ``(N_dst, *f)`` or ``(E, *f)``, depending on the targets; None if
        `op` ignores the operand. Feature shapes broadcast as in NumPy: ones are inserted after the
        first dimension of the operand with fewer dimensions.
    lhs_target, rhs_target : {"u", "v", "e"}
        Whether an operand belongs to source nodes, destination nodes or edges.

    Returns
    -------
    Tensor
        ``(E, *f)``, in the order of edge ids. Twice differentiable. A dot product of integers or
        booleans is int64. Other results of integers have the dtype of the operands, except that
        quotients have torch's default dtype.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        For unknown operators or targets, missing operands, wrong lengths, dtypes or shapes.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1], [1, 2]))
    >>> x = torch.tensor([[1.0], [2.0], [4.0]])
    >>> gs.ops.gsddmm(g, "sub", x, x, "v", "u")
    tensor([[1.],
            [2.]])
    """
    adjacency = relation_of(g)
    one_of(op, "gsddmm", "op", _OPS)
    lhs_target = _TARGETS[one_of(lhs_target, "gsddmm", "lhs_target", _TARGETS)]
    rhs_target = _TARGETS[one_of(rhs_target, "gsddmm", "rhs_target", _TARGETS)]
    sums, lhs, rhs = op == "dot", None, None
    if op != "copy_rhs":
        lhs = check_operand(adjacency, lhs_data, lhs_target, op, counts=sums)
    if op != "copy_lhs":
        rhs = check_operand(adjacency, rhs_data, rhs_target, op, counts=sums)
    if lhs is not None and rhs is not None:
        lhs, rhs = match_dims(*common_dtype(lhs, rhs, op), op)
        if op == "dot" and lhs.dim() == 1:
            op = "mul"  # One number for each row: nothing to sum over.
    if sums:
        lhs, rhs = counted(lhs), counted(rhs)
    grads = requires_grad(lhs, rhs)
    wanted = {t for t, grad in zip((lhs_target, rhs_target), grads, strict=True) if grad}
    structure = structure_of(adjacency, by_dst="v" in wanted, by_src="u" in wanted, slots=True)
    return sddmm_of(structure, lhs, rhs, op, lhs_target, rhs_target)
