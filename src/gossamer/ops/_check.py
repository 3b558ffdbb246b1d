"""Validation of the input of public operators; internal functions do not check it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.ops import _torch
from gossamer.ops.csr import refuse_transformed

if TYPE_CHECKING:
    from gossamer.ops._register import Structure
    from gossamer.ops.adjacency import Adjacency

__all__ = [
    "check_dense", "check_dtype", "check_lengths", "check_operand", "checks_later", "common_dtype",
    "counted", "match_dims", "outside_transforms", "relation_of", "requires_grad", "structure_of",
]  # fmt: skip

# No bool, which has no arithmetic, and no complex dtypes, whose gradients would need conjugates.
_DTYPES = {
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
}
# Up to this many numbers, a list is faster than three operators on a tensor (5 us).
_FEW = 128
_WHAT = {"u": "source node", "v": "destination node", "e": "edge"}


def relation_of(graph: Any) -> Adjacency:
    """The adjacency of a graph with one edge type.

    Raises
    ------
    InvalidTypeError
        If `graph` is neither a graph nor an adjacency.
    """
    try:
        return graph.adjacency
    except AttributeError:
        raise InvalidTypeError(
            f"A gossamer.Graph is expected, got {type(graph).__name__}. "
            "Build one with gossamer.graph."
        ) from None


def outside_transforms(compute: Callable[[], Any]) -> Any:
    """Run `compute`, which builds structure, outside of any `torch.func` transform.

    Structure does not depend on features, and graphs keep it after the transform has ended.
    """
    if _torch.under_transform():
        with _torch.outside_transforms():
            return compute()
    return compute()


def structure_of(adjacency: Adjacency, *, by_dst: bool, by_src: bool, slots: bool) -> Structure:
    """The parts of the structure that an operator reads, built if necessary."""
    if _torch.under_transform():
        return outside_transforms(
            lambda: adjacency.structure(by_dst=by_dst, by_src=by_src, slots=slots)
        )
    return adjacency.structure(by_dst=by_dst, by_src=by_src, slots=slots)


def check_operand(
    adjacency: Adjacency, x: Any, target: str, op: str, *, counts: bool = False
) -> Tensor:
    """Return `x` if it is a tensor with a row for each node or edge of `target`.

    With `counts`, `x` may be boolean: its sum is a count.
    """
    if not isinstance(x, Tensor):
        raise InvalidTypeError(
            f"{op}: the {_WHAT[target]} operand must be a torch.Tensor, got {type(x).__name__}."
        )
    if target == "e":
        rows = adjacency.num_edges
    else:
        rows = adjacency.num_src if target == "u" else adjacency.num_dst
    if x.dim() == 0 or x.shape[0] != rows:
        raise InvalidValueError(
            f"{op}: the {_WHAT[target]} operand must have {rows} rows, one for each "
            f"{_WHAT[target]}, got shape {tuple(x.shape)}."
        )
    if x.dtype not in _DTYPES and not (counts and x.dtype is torch.bool):
        raise InvalidTypeError(
            f"{op}: features are floating-point or integer, but the {_WHAT[target]} operand is "
            f"{x.dtype}. Convert it, as with .float()."
        )
    check_dense(x, op, f"the {_WHAT[target]} operand")
    if x.device != adjacency.device:
        raise InvalidValueError(
            f"{op}: the {_WHAT[target]} operand is on {x.device} but the graph is on "
            f"{adjacency.device}. Move one of them with .to(...)."
        )
    return x


def counted(x: Tensor | None) -> Tensor | None:
    """Convert integers and booleans to int64, the dtype in which `torch.sum` adds them."""
    return x if x is None or x.is_floating_point() else x.long()


def common_dtype(lhs: Tensor, rhs: Tensor, op: str) -> tuple[Tensor, Tensor]:
    """Both operands in one dtype: unchanged, or promoted under autocast."""
    if lhs.dtype == rhs.dtype:
        return lhs, rhs
    if torch.is_autocast_enabled(lhs.device.type):
        dtype = torch.promote_types(lhs.dtype, rhs.dtype)
        return lhs.to(dtype), rhs.to(dtype)
    raise InvalidTypeError(
        f"{op}: the operands have different dtypes, {lhs.dtype} and {rhs.dtype}. "
        "Convert one with .to(dtype)."
    )


def match_dims(lhs: Tensor, rhs: Tensor, op: str) -> tuple[Tensor, Tensor]:
    """Give both operands the same number of dimensions by inserting ones after the first.

    Raises
    ------
    InvalidValueError
        If the feature shapes do not broadcast, or, for ``dot``, the last dimensions differ.
    """
    if lhs.shape[1:] == rhs.shape[1:]:
        return lhs, rhs
    more = lhs.dim() - rhs.dim()
    if more > 0:
        rhs = rhs.reshape(rhs.shape[0], *[1] * more, *rhs.shape[1:])
    elif more < 0:
        lhs = lhs.reshape(lhs.shape[0], *[1] * -more, *lhs.shape[1:])
    fits = op != "dot" or lhs.shape[-1] == rhs.shape[-1]
    # A plain loop: `all` over a generator costs a microsecond.
    for a, b in zip(lhs.shape[1:], rhs.shape[1:], strict=True):
        if a != b and a != 1 and b != 1:
            fits = False
    if not fits:
        rule = "share their last dimension and broadcast otherwise" if op == "dot" else "broadcast"
        raise InvalidValueError(
            f"{op}: feature shapes {tuple(lhs.shape[1:])} and {tuple(rhs.shape[1:])} must {rule}, "
            "as in NumPy."
        )
    return lhs, rhs


def requires_grad(*tensors: Tensor | None) -> tuple[bool, ...]:
    """Whether a gradient may be requested for each tensor."""
    if _torch.under_transform() or _torch.forward_mode_active():
        # A tensor in vmap does not reveal its tangent, or whether outer transforms need gradients.
        return tuple(x is not None for x in tensors)
    if not torch.is_grad_enabled():
        return (False,) * len(tensors)
    return tuple(x is not None and x.requires_grad for x in tensors)


def check_dtype(x: Tensor, op: str, name: str, *, counts: bool = False) -> None:
    """Raise unless operators support the dtype of `x`; with `counts`, it may be boolean."""
    if x.dtype not in _DTYPES and not (counts and x.dtype is torch.bool):
        raise InvalidTypeError(
            f"{op}: {name} must be floating-point or integer, but it is {x.dtype}. "
            "Convert it, as with .float()."
        )
    check_dense(x, op, name)


def check_dense(x: Tensor, op: str, name: str) -> None:
    """Raise unless `x` is dense."""
    if x.layout is not torch.strided:
        raise InvalidTypeError(
            f"{op}: {name} must be a dense tensor, but its layout is {x.layout}. "
            "Convert it with .to_dense()."
        )


def _range_and_sum(numbers: Tensor) -> tuple[int, int, int]:
    if numbers.shape[0] <= _FEW:
        found = numbers.tolist()
        return min(found, default=0), max(found, default=0), sum(found)
    low, high = torch.aminmax(numbers)
    return int(low), int(high), int(numbers.sum())


def checks_later(x: Tensor) -> bool:
    """Whether the values of `x` are checked by an assertion on the device.

    Values are unknown while tracing, and reading them from another device would synchronize.
    """
    return torch.compiler.is_compiling() or x.device.type != "cpu"


def check_lengths(seglen: Any, value: Any, op: str, name: str, *, counts: bool = False) -> Tensor:
    """Return the lengths `seglen` if they add up to the number of rows of `value`."""
    if not isinstance(value, Tensor) or value.dim() == 0:
        raise InvalidTypeError(f"{op}: {name} must be a tensor with rows, got {value!r}.")
    check_dtype(value, op, name, counts=counts)
    if not isinstance(seglen, Tensor) or seglen.dtype not in (torch.int32, torch.int64):
        raise InvalidTypeError(f"{op}: segment lengths must be an int32 or int64 tensor.")
    if seglen.dim() != 1:
        raise InvalidValueError(
            f"{op}: segment lengths must be one-dimensional, got shape {tuple(seglen.shape)}."
        )
    if seglen.device != value.device:
        raise InvalidValueError(
            f"{op}: segment lengths are on {seglen.device} but {name} is on {value.device}. "
            "Move one of them with .to(...)."
        )
    if checks_later(seglen):
        rows = value.shape[0]
        fits = ((seglen >= 0) & (seglen <= rows)).all() & (seglen.sum() == rows)
        _torch.assert_async(fits, f"{op}: segment lengths must add up to the rows of {name}.")
        return seglen
    refuse_transformed(seglen, "segment lengths")
    low, high, total = outside_transforms(lambda: _range_and_sum(seglen))
    if low < 0:
        raise InvalidValueError(f"{op}: a segment length cannot be negative, got {low}.")
    # Very large lengths could overflow and still add up to the right number.
    if high > value.shape[0]:
        raise InvalidValueError(
            f"{op}: a segment of length {high} is longer than {name}, which has "
            f"{value.shape[0]} rows."
        )
    if total != value.shape[0]:
        raise InvalidValueError(
            f"{op}: segment lengths add up to {total}, but {name} has {value.shape[0]} rows."
        )
    return seglen
