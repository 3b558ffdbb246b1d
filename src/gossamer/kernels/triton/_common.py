"""What the Triton kernels share: how they are launched, and small functions called by them.

Names in kernels: ``p_x`` is an address, ``b_x`` a block, ``m_x`` a mask, capitals are constants of
compilation. Addresses are computed in int64. 16-bit operands are computed in float32.
"""

from __future__ import annotations

from contextlib import nullcontext
from math import prod
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

#: Dtypes of features.
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)

#: Programs along one axis of a grid.
MAX_PROGRAMS = 2**31 - 1


def launch(kernel: Any, programs: int, like: Tensor, *args: Any, **constants: Any) -> None:
    """Run `programs` programs on the device of `like`, in several launches if the grid is too long.

    A kernel's first parameter is the number of programs before this launch.
    """
    with torch.cuda.device(like.device) if like.is_cuda else nullcontext():
        for first in range(0, programs, MAX_PROGRAMS):
            grid = (min(programs - first, MAX_PROGRAMS),)
            kernel[grid](first, *args, enable_fp_fusion=True, **constants)


def contiguous(*tensors: Tensor | None) -> list[Tensor | None]:
    """Return contiguous tensors with the same values; None stays None."""
    return [None if x is None else x.contiguous() for x in tensors]


def accumulator(x: Tensor) -> tuple[torch.dtype, Any]:
    """Return the dtype in which features of the dtype of `x` are summed, for torch and Triton."""
    if x.dtype is torch.float64:
        return torch.float64, tl.float64
    return torch.float32, tl.float32


def column_map(own: tuple[int, ...], shape: tuple[int, ...], like: Tensor) -> tuple[str, Any]:
    """Say which column of an operand each column of the result reads.

    Parameters
    ----------
    own, shape : tuple of int
        Feature shapes of the operand and of the result, with the same number of dimensions.
    like : Tensor
        Gives the device.

    Returns
    -------
    str
        ``"same"``, ``"one"`` (the operand has one column only) or ``"table"``.
    Tensor or None
        The column of the operand by column of the result, for ``"table"``.
    """
    if own == shape:
        return "same", None
    size = prod(own)
    if size == 1:
        return "one", None
    columns = torch.arange(size, dtype=torch.int32, device=like.device).view(own)
    return "table", columns.expand(shape).reshape(-1)


def broadcast_shape(x: Tensor | None, y: Tensor | None) -> tuple[int, ...]:
    """Return the feature shape of the result of two operands, of which one may be None."""
    if x is None or y is None:
        return (y if x is None else x).shape[1:]
    return torch.broadcast_shapes(x.shape[1:], y.shape[1:])


def operand_plan(x: Tensor | None, shape: tuple[int, ...], like: Tensor) -> tuple[str, Any, int]:
    """Return the `column_map` of an operand and its number of columns."""
    if x is None:
        return "one", None, 0
    return *column_map(x.shape[1:], shape, like), prod(x.shape[1:])


@triton.jit
def operand_columns(p_table, b_col, m_col, MAP: tl.constexpr):
    """Return an operand's column for each column of the result."""
    if MAP == "same":
        b_own = b_col
    elif MAP == "one":
        b_own = b_col * 0
    else:
        b_own = tl.load(p_table + b_col, mask=m_col, other=0).to(tl.int64)
    return b_own


@triton.jit
def divide(b_x, b_y):
    """Divide with IEEE rounding; Triton's float32 division is an approximation."""
    if b_x.dtype == tl.float64:
        b_quotient = b_x / b_y
    else:
        b_quotient = tl.div_rn(b_x, b_y)
    return b_quotient


@triton.jit
def combine(b_x, b_y, OP: tl.constexpr):
    """Apply a binary operator to two blocks of one shape."""
    if OP == "copy_lhs":
        b_out = b_x
    elif OP == "copy_rhs":
        b_out = b_y
    elif OP == "add":
        b_out = b_x + b_y
    elif OP == "sub":
        b_out = b_x - b_y
    elif OP == "mul":
        b_out = b_x * b_y
    else:
        b_out = divide(b_x, b_y)
    return b_out


@triton.jit
def edge_ids(p_eids, b_slot, m_slot):
    """Return the edge ids of slots; slot ``k`` is edge ``k`` without ids."""
    if p_eids is None:
        b_edge = b_slot
    else:
        b_edge = tl.load(p_eids + b_slot, mask=m_slot, other=0).to(tl.int64)
    return b_edge
