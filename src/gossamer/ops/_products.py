"""SpMM and SDDMM with their gradients.

`spmm` reduces messages at destinations, and `sddmm` combines features on edges. The gradient of
each consists of `spmm` over the reversed edges and `sddmm`, so both are in one file, and sums can
be differentiated any number of times.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.errors import InvalidValueError
from gossamer.ops._check import requires_grad
from gossamer.ops._extreme import arg_backward, reduce_features
from gossamer.ops._register import Structure, differentiable, plain

__all__ = ["reverse", "scaled_sum", "sddmm", "sddmm_of", "segment_structure", "spmm", "spmm_of"]


def reverse(structure: Structure) -> Structure:
    src, dst, eids, *compressed = structure
    return (dst, src, eids, *compressed[3:], *compressed[:3])


def segment_structure(seglen: Tensor, value: Tensor) -> Structure:
    """The structure in which row ``i`` owns the next ``seglen[i]`` rows of `value` as its edges."""
    offsets = torch.zeros(seglen.shape[0] + 1, dtype=torch.int64, device=seglen.device)
    torch.cumsum(seglen, 0, out=offsets[1:])
    slots: tuple[Tensor | None, ...] = (None, None, None)
    if requires_grad(value)[0]:
        owner = torch.arange(seglen.shape[0], device=seglen.device)
        owner = torch.repeat_interleave(owner, seglen.long(), output_size=value.shape[0])
        slots = (owner, owner, None)
    # Slot k is edge k; neighbor ids are never read.
    neighbors = offsets.new_empty(value.shape[0])
    return (*slots, offsets, neighbors, None, None, None, None)


def spmm(structure: Structure, u: Tensor | None, e: Tensor | None, op: str, reduce: str) -> Tensor:
    """Reduce messages with `spmm_of`, in the formulas of gradients.

    The argmax is recorded only if a gradient may be requested.
    """
    _require(structure[3])
    return_argmax = reduce in ("max", "min") and any(requires_grad(u, e))
    return spmm_of(structure, u, e, op, reduce, return_argmax)


def sddmm(
    structure: Structure,
    lhs: Tensor | None,
    rhs: Tensor | None,
    op: str,
    lhs_target: str,
    rhs_target: str,
) -> Tensor:
    """Combine features on edges with `sddmm_of`, in the formulas of gradients."""
    _require(structure[0])
    return sddmm_of(structure, lhs, rhs, op, lhs_target, rhs_target)


def _require(part: Tensor | None) -> None:
    """Raise if a part of the structure that only gradients need is missing."""
    if part is None:
        raise InvalidValueError(
            "A gradient is requested for an operand that did not require one when the operator "
            "ran. Call requires_grad_() before."
        )


def _spmm_kernel(
    structure: Structure,
    u: Tensor | None,
    e: Tensor | None,
    op: str,
    reduce: str,
    return_argmax: bool,
) -> tuple[Tensor, Tensor | None]:
    indptr, indices, eids = structure[3:6]
    u, e = plain(u), plain(e)
    kernel = kernels.spmm.find(u, e)
    return kernel(indptr, indices, eids, u, e, op, reduce, return_argmax)


def _quotient_dtype(x: Tensor) -> torch.dtype:
    """The dtype of quotients; those of integers are floating-point numbers, as in torch."""
    return x.dtype if x.is_floating_point() or x.is_complex() else torch.get_default_dtype()


def _spmm_fake(
    structure: Structure,
    u: Tensor | None,
    e: Tensor | None,
    op: str,
    reduce: str,
    return_argmax: bool,
) -> tuple[Tensor, Tensor]:
    indptr = structure[3]
    like = e if u is None else u
    feature = like.shape[1:]
    if u is not None and e is not None:
        feature = torch.broadcast_shapes(u.shape[1:], e.shape[1:])
    dtype = _quotient_dtype(like) if op == "div" or reduce == "mean" else like.dtype
    out = like.new_empty((indptr.shape[0] - 1, *feature), dtype=dtype)
    recorded = return_argmax and reduce in ("max", "min")
    return out, indptr.new_empty(out.shape) if recorded else like.new_empty(0)


def _spmm_setup(ctx: Any, inputs: tuple, output: tuple[Tensor, Tensor]) -> None:
    structure, u, e, op, reduce, _ = inputs
    ctx.op, ctx.reduce = op, reduce
    ctx.structure = structure
    ctx.shapes = None if u is None else u.shape, None if e is None else e.shape
    # Gradients of products need the operands; those of sums need only their shapes.
    keep = op in ("mul", "div")
    ctx.save_for_backward(u if keep else None, e if keep else None, output[1])


def _spmm_backward(ctx: Any, grad: Tensor) -> tuple:
    u, e, arg = ctx.saved_tensors
    _, want_u, want_e, *_ = ctx.needs_input_grad
    if ctx.reduce in ("max", "min"):
        grads = arg_backward(ctx, grad, u, e, arg, want_u, want_e)
    else:
        grads = _sum_backward(ctx, grad, u, e, want_u, want_e)
    return None, *grads, None, None, None


def _sum_backward(
    ctx: Any, grad: Tensor, u: Tensor | None, e: Tensor | None, want_u: bool, want_e: bool
) -> tuple[Tensor | None, Tensor | None]:
    structure, op = ctx.structure, ctx.op
    shape_u, shape_e = ctx.shapes
    if ctx.reduce == "mean":
        # At least single precision: degrees above 65,504 overflow float16, and the reciprocals of
        # smaller ones lose precision.
        wide = torch.promote_types(grad.dtype, torch.float32)
        scale = structure[3].diff().clamp(min=1).to(wide).reciprocal()
        if op == "copy_lhs" and grad.dtype is not torch.float16:
            scale = scale.to(grad.dtype)
            return scaled_sum(reverse(structure), grad, scale, None, None), None
        grad = (grad * scale.view(-1, *[1] * (grad.dim() - 1))).to(grad.dtype)
    grad_u = grad_e = None
    if want_u:
        if op in ("mul", "div"):
            grad_u = reduce_features(spmm(reverse(structure), grad, e, op, "sum"), shape_u)
        else:
            flow = reduce_features(grad, shape_u)
            grad_u = spmm(reverse(structure), flow, None, "copy_lhs", "sum")
    if want_e:
        if op == "mul":
            grad_e = _edge_product(structure, u, grad, shape_e)
        elif op == "div":
            grad_e = _edge_product(structure, _wide(u), _wide(grad), shape_e)
            grad_e = _over_square(-grad_e, e)
        else:
            flow = reduce_features(grad, shape_e)
            grad_e = sddmm(structure, None, flow, "copy_rhs", "u", "v")
            if op == "sub":
                grad_e = -grad_e
    return grad_u, grad_e


def _wide(x: Tensor) -> Tensor:
    """Convert float16 to float32, because a product that is divided later may overflow float16."""
    return x.float() if x.dtype is torch.float16 else x


def _over_square(x: Tensor, y: Tensor) -> Tensor:
    """``x / y**2``, rounded to 16 bits only once, and without the square, which may overflow."""
    wide = torch.promote_types(y.dtype, torch.float32)
    divisor = y.to(wide)
    return (x.to(wide) / divisor / divisor).to(y.dtype)


def _scaled_kernel(structure: Structure, x: Tensor, *scales: Tensor | None) -> Tensor:
    return kernels.scaled_sum(*structure[3:5], plain(x), *map(plain, scales))


def _scaled_fake(structure: Structure, x: Tensor, *scales: Tensor | None) -> Tensor:
    return x.new_empty((structure[3].shape[0] - 1, *x.shape[1:]))


def _scaled_setup(ctx: Any, inputs: tuple, output: Tensor) -> None:
    ctx.structure = inputs[0]
    ctx.save_for_backward(*inputs[2:])


def _scaled_backward(ctx: Any, grad: Tensor) -> tuple:
    src_scale, dst_scale, self_scale = ctx.saved_tensors
    scales = dst_scale, src_scale, self_scale
    return None, scaled_sum(reverse(ctx.structure), grad, *scales), None, None, None


#: ``out[v] = dst_scale[v] * sum of src_scale[u] * x[u] + self_scale * x[v]``, where no gradient is
#: computed for the scales; destination ``v`` is also source ``v``.
scaled_sum = differentiable(
    "scaled_sum",
    "(Tensor?[] structure, Tensor x, Tensor? src_scale, Tensor? dst_scale, Tensor? self_scale)"
    " -> Tensor",
    kernel=_scaled_kernel,
    fake=_scaled_fake,
    setup=_scaled_setup,
    backward=_scaled_backward,
    batches=False,
)

#: Reduce messages; the last argument says whether to record the argmax of max and min.
spmm_of = differentiable(
    "spmm",
    "(Tensor?[] structure, Tensor? u, Tensor? e, str op, str reduce, bool return_argmax)"
    " -> (Tensor, Tensor)",
    kernel=_spmm_kernel,
    fake=_spmm_fake,
    setup=_spmm_setup,
    backward=_spmm_backward,
)


def _sddmm_kernel(
    structure: Structure,
    lhs: Tensor | None,
    rhs: Tensor | None,
    op: str,
    lhs_target: str,
    rhs_target: str,
) -> Tensor:
    lhs, rhs = plain(lhs), plain(rhs)
    kernel = kernels.sddmm.find(lhs, rhs)
    return kernel(*structure[:3], lhs, rhs, op, lhs_target, rhs_target)


def _sddmm_fake(
    structure: Structure,
    lhs: Tensor | None,
    rhs: Tensor | None,
    op: str,
    lhs_target: str,
    rhs_target: str,
) -> Tensor:
    one = rhs if lhs is None else lhs
    if lhs is not None and rhs is not None:
        feature = torch.broadcast_shapes(lhs.shape[1:], rhs.shape[1:])
    else:
        feature = one.shape[1:]
    if op == "dot":
        feature = (*feature[:-1], 1)
    dtype = _quotient_dtype(one) if op == "div" else one.dtype
    return one.new_empty((structure[0].shape[0], *feature), dtype=dtype)


def _sddmm_setup(ctx: Any, inputs: tuple, output: Tensor) -> None:
    structure, lhs, rhs, op, ctx.lhs_target, ctx.rhs_target = inputs
    ctx.structure, ctx.op = structure, op
    ctx.shapes = None if lhs is None else lhs.shape, None if rhs is None else rhs.shape
    keep = op in ("mul", "div", "dot")
    ctx.save_for_backward(lhs if keep else None, rhs if keep else None)


def _sddmm_backward(ctx: Any, grad: Tensor) -> tuple:
    lhs, rhs = ctx.saved_tensors
    _, want_lhs, want_rhs, *_ = ctx.needs_input_grad
    structure, op = ctx.structure, ctx.op
    lhs_shape, rhs_shape = ctx.shapes
    grad_lhs = grad_rhs = None
    if want_lhs:
        own = ctx.lhs_target, lhs_shape
        if op == "div" and rhs.dtype is torch.float16:
            grad_lhs = _collect_quotients(structure, grad, rhs, ctx.rhs_target, *own)
        else:
            factor = rhs if op in ("mul", "dot") else rhs.reciprocal() if op == "div" else None
            grad_lhs = _collect(structure, grad, factor, ctx.rhs_target, *own)
    if want_rhs:
        own = ctx.rhs_target, rhs_shape
        if op == "div":
            products = _collect(structure, _wide(grad), _wide(lhs), ctx.lhs_target, *own)
            grad_rhs = _over_square(-products, rhs)
        else:
            factor = lhs if op in ("mul", "dot") else None
            grad_rhs = _collect(structure, grad, factor, ctx.lhs_target, *own)
            if op == "sub":
                grad_rhs = -grad_rhs
    return None, grad_lhs, grad_rhs, None, None, None


def _collect(
    structure: Structure,
    grad: Tensor,
    factor: Tensor | None,
    factor_target: str,
    target: str,
    shape: torch.Size,
) -> Tensor:
    """Sum ``grad[e] * factor[...]`` over the edges of each row of the operand at `target`."""
    if factor is not None and factor_target == target and target != "e":
        # The factor is the same on every edge of a row: multiply after the sum.
        return reduce_features(
            _collect(structure, grad, None, "e", target, grad.shape) * factor, shape
        )
    if factor is not None and (factor_target == "e" or target == "e"):
        grad = _on_edges(structure, grad, factor, factor_target)
        factor = None
    if target == "e":
        return reduce_features(grad, shape)
    # Rows of the result are destinations for "v", and of the reversed structure sources for "u".
    way = structure if target == "v" else reverse(structure)
    if factor is None:
        return spmm(way, None, reduce_features(grad, shape), "copy_rhs", "sum")
    return reduce_features(spmm(way, factor, grad, "mul", "sum"), shape)


def _collect_quotients(
    structure: Structure,
    grad: Tensor,
    divisor: Tensor,
    divisor_target: str,
    target: str,
    shape: torch.Size,
) -> Tensor:
    """Like `_collect` for ``grad[e] / divisor[...]``, as a reciprocal may overflow float16.

    Unlike `_collect`, this needs a temporary tensor of the size of `grad`.
    """
    if divisor_target == target and target != "e":
        total = _collect(structure, grad, None, "e", target, grad.shape)
        return reduce_features(total / divisor, shape)
    if divisor_target == "e":
        grad = grad / divisor
    else:
        grad = sddmm(structure, grad, divisor, "div", "e", divisor_target)
    return _collect(structure, grad, None, "e", target, shape)


def _on_edges(structure: Structure, grad: Tensor, factor: Tensor, factor_target: str) -> Tensor:
    if factor_target == "e":
        return grad * factor
    return sddmm(structure, factor, grad, "mul", factor_target, "e")


def _edge_product(structure: Structure, u: Tensor, v: Tensor, shape: torch.Size) -> Tensor:
    """``u[src] * v[dst]`` on each edge, summed over the features that `shape` broadcasts.

    If the last dimensions of `shape` are 1, as for one weight per edge or head, the sum is computed
    as a dot product over these dimensions, without a tensor of all features of every edge.
    """
    ones = 0
    while ones < len(shape) - 1 and shape[-1 - ones] == 1:
        ones += 1
    kept = v.shape[1 : v.dim() - ones]
    width = math.prod(v.shape[v.dim() - ones :])
    if ones and u.shape[1:] == v.shape[1:] and width > 1:
        u, v = (x.reshape(x.shape[0], *kept, width) for x in (u, v))
        product = sddmm(structure, u, v, "dot", "u", "v")
        return reduce_features(product, (shape[0], *shape[1 : len(shape) - ones], 1)).reshape(
            product.shape[0], *shape[1:]
        )
    return reduce_features(sddmm(structure, u, v, "mul", "u", "v"), shape)


#: Combine features on edges.
sddmm_of = differentiable(
    "sddmm",
    "(Tensor?[] structure, Tensor? lhs, Tensor? rhs, str op, str lhs_target, str rhs_target)"
    " -> Tensor",
    kernel=_sddmm_kernel,
    fake=_sddmm_fake,
    setup=_sddmm_setup,
    backward=_sddmm_backward,
)
