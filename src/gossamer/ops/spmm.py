"""Generalized sparse-dense matrix product: aggregate messages along edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer._options import one_of
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.ops import _torch
from gossamer.ops._check import (
    check_operand,
    common_dtype,
    counted,
    match_dims,
    relation_of,
    requires_grad,
    structure_of,
)
from gossamer.ops._products import scaled_sum as scaled_product
from gossamer.ops._products import spmm, spmm_of

if TYPE_CHECKING:
    from gossamer.ops._register import Structure

__all__ = ["gspmm", "scaled_sum"]

_OPS = ("copy_lhs", "copy_rhs", "add", "sub", "mul", "div")
_REDUCERS = ("sum", "mean", "max", "min")


def gspmm(
    g: Any, op: str, reduce_op: str, lhs_data: Tensor | None, rhs_data: Tensor | None
) -> Tensor:
    r"""Combine source and edge features on each edge, and reduce them at the destination.

    .. math:: out_v = \operatorname{reduce}_{e = (u, v)} op(x_u, w_e)

    Parameters
    ----------
    g : Graph
        A graph with one edge type, N_src sources, N_dst destinations and E edges.
    op : {"copy_lhs", "copy_rhs", "add", "sub", "mul", "div"}
        How the two operands are combined.
    reduce_op : {"sum", "mean", "max", "min"}
        How the messages of a node are reduced. A node without in-edges gets 0; parallel edges are
        reduced separately. Of equal maxima or minima, only the first in edge order receives the
        gradient.
    lhs_data : Tensor or None
        Source features ``(N_src, *f)``; None for copy_rhs.
    rhs_data : Tensor or None
        Edge features ``(E, *f)``; None for copy_lhs. Feature shapes broadcast as in NumPy: ones are
        inserted after the first dimension of the operand with fewer dimensions.

    Returns
    -------
    Tensor
        ``(N_dst, *f)``. Differentiable; twice for sum and mean. Sums of integers or booleans are
        int64, as in `torch.sum`, and their means are floating-point.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        For unknown operators, missing operands, wrong lengths, devices, dtypes or shapes.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
    >>> x = torch.tensor([[1.0], [2.0], [4.0]])
    >>> gs.ops.gspmm(g, "mul", "sum", x, torch.tensor([[1.0], [10.0], [100.0]]))
    tensor([[400.],
            [  0.],
            [ 21.]])
    """
    adjacency = relation_of(g)
    one_of(op, "gspmm", "op", _OPS)
    one_of(reduce_op, "gspmm", "reduce_op", _REDUCERS)
    sums = reduce_op in ("sum", "mean")
    u = e = None
    if op != "copy_rhs":
        u = check_operand(adjacency, lhs_data, "u", op, counts=sums)
    if op != "copy_lhs":
        e = check_operand(adjacency, rhs_data, "e", op, counts=sums)
    if u is not None and e is not None:
        u, e = match_dims(*common_dtype(u, e, op), op)
    if sums:
        u, e = counted(u), counted(e)
    grad_u, grad_e = requires_grad(u, e)
    structure = structure_of(adjacency, by_dst=True, by_src=grad_u, slots=grad_e)
    return_argmax = (grad_u or grad_e) and not sums
    return spmm_of(structure, u, e, op, reduce_op, return_argmax)


def scaled_sum(
    graph: Any,
    x: Tensor,
    src_scale: Tensor | None = None,
    dst_scale: Tensor | None = None,
    self_scale: Tensor | None = None,
) -> Tensor:
    r"""Sum the features of in-neighbors, scaled by a factor of each source and destination.

    .. math:: y_v = b_v \sum_{(u, v)} a_u x_u + c\, x_v

    If the factors are inverse square roots of degrees, this is the product with the symmetrically
    normalized adjacency matrix; with :math:`c = 1 + \epsilon`, it is the aggregation of GIN.
    Neither the scaled features nor the unscaled sum is stored, unless a factor requires a gradient.

    Parameters
    ----------
    graph : Graph
        A graph with one edge type.
    x : Tensor
        Source features ``(N_src, *f)``.
    src_scale, dst_scale : Tensor, optional
        :math:`a`, ``(N_src,)``, and :math:`b`, ``(N_dst,)``, in the dtype of `x`.
        Default: 1.
    self_scale : Tensor, optional
        :math:`c`, one number in the dtype of `x`. Destination ``v`` must also be source ``v``, as
        in a homogeneous graph or a block. Default: 0.

    Returns
    -------
    Tensor
        ``(N_dst, *f)``, where the sum over no edges is 0. Integers are summed as int64.
        Differentiable any number of times.

    Raises
    ------
    InvalidValueError, InvalidTypeError
        If the shape, device or dtype of an operand is wrong.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
    >>> gs.ops.scaled_sum(g, torch.tensor([1.0, 2.0, 4.0]), dst_scale=torch.tensor([2.0, 1, 0.5]))
    tensor([8.0000, 0.0000, 1.5000])
    """
    adjacency = relation_of(graph)
    check_operand(adjacency, x, "u", "scaled_sum", counts=True)
    scales = []
    for name, scale, target in (("src_scale", src_scale, "u"), ("dst_scale", dst_scale, "v")):
        if scale is not None:
            check_operand(adjacency, scale, target, "scaled_sum")
            _check_scale(scale, name, x)
            scale = scale.reshape(-1)
        scales.append(scale)
    if self_scale is not None:
        _check_self_scale(self_scale, x, adjacency)
        self_scale = self_scale.reshape(1)
    x, *factors = map(counted, (x, *scales, self_scale))
    grad = any(requires_grad(x, *factors))
    structure = structure_of(adjacency, by_dst=True, by_src=grad, slots=False)
    if _may_want_gradients(factors):
        return _in_parts(structure, x, *factors)
    return scaled_product(structure, x, *factors)


def _may_want_gradients(factors: Sequence[Tensor | None]) -> bool:
    """Whether a gradient may be requested for a factor; True if a transform hides this."""
    given = [factor for factor in factors if factor is not None]
    if _torch.under_transform():
        if torch.compiler.is_compiling():
            return bool(given)
        if any(map(_torch.is_transform_wrapper, given)):
            return True
    return torch.is_grad_enabled() and any(factor.requires_grad for factor in given)


def _in_parts(
    structure: Structure,
    x: Tensor,
    src_scale: Tensor | None,
    dst_scale: Tensor | None,
    self_scale: Tensor | None,
) -> Tensor:
    """Compute the same with operators that are differentiable with respect to the factors."""
    ones = (1,) * (x.dim() - 1)
    h = x if src_scale is None else x * src_scale.view(-1, *ones)
    h = spmm(structure, h, None, "copy_lhs", "sum")
    if dst_scale is not None:
        h = h * dst_scale.view(-1, *ones)
    return h if self_scale is None else h + self_scale * x[: h.shape[0]]


def _check_scale(scale: Tensor, name: str, x: Tensor) -> None:
    if scale.numel() != scale.shape[0]:
        raise InvalidValueError(
            f"scaled_sum: {name} is one factor a node, ({scale.shape[0]},), got shape "
            f"{tuple(scale.shape)}."
        )
    _check_factor_dtype(scale, name, x)


def _check_self_scale(scale: Any, x: Tensor, adjacency: Any) -> None:
    if not isinstance(scale, Tensor) or scale.numel() != 1:
        came = f"shape {tuple(scale.shape)}" if isinstance(scale, Tensor) else repr(scale)
        raise InvalidValueError(
            f"scaled_sum: self_scale must be a tensor of one number, got {came}."
        )
    if scale.device != x.device:
        raise InvalidValueError(
            f"scaled_sum: self_scale is on {scale.device} but the features on {x.device}. "
            "Move one of them with .to(...)."
        )
    if adjacency.num_dst > adjacency.num_src:
        raise InvalidValueError(
            "scaled_sum: self_scale needs a source for each destination, but there are "
            f"{adjacency.num_src} sources and {adjacency.num_dst} destinations."
        )
    _check_factor_dtype(scale, "self_scale", x)


def _check_factor_dtype(scale: Tensor, name: str, x: Tensor) -> None:
    if scale.dtype != x.dtype:
        raise InvalidTypeError(
            f"scaled_sum: {name} is {scale.dtype} but the features are {x.dtype}. "
            "Convert one with .to(dtype)."
        )
