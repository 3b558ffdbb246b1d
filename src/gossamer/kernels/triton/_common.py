"""Helpers of the Triton kernels: launching, and small functions called by kernels.

Names in kernels: ``p_x`` is an address, ``b_x`` a block, ``m_x`` a mask; capitals are compile-time
constants. Addresses are computed in int64, 16-bit operands in float32.
"""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from math import prod
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

#: Sizes of blocks, and options of the compiler such as ``num_warps``.
Config = dict[str, int]

#: Dtypes of ids.
IDS = (torch.int32, torch.int64)

#: Maximum number of programs along one axis of a grid.
MAX_PROGRAMS = 2**31 - 1

#: Whether to measure which configuration of a kernel is fastest, instead of using the first one.
TUNE = os.environ.get("GOSSAMER_AUTOTUNE", "") not in ("", "0")

_fastest: dict[tuple, int] = {}


def float_dtypes() -> tuple[torch.dtype, ...]:
    """Return the dtypes of features that every GPU of this machine supports.

    A GPU without bfloat16 causes a warning; features of that dtype then use the reference kernels.
    """
    for i in range(torch.cuda.device_count()):
        if torch.cuda.get_device_capability(i) < (8, 0):
            warnings.warn(
                "bfloat16 features on a GPU run on the slower reference kernels because "
                f"{torch.cuda.get_device_name(i)} has no bfloat16 arithmetic (it needs compute "
                "capability 8.0). Use float16 or float32.",
                RuntimeWarning,
                stacklevel=2,
            )
            return torch.float32, torch.float64, torch.float16
    return torch.float32, torch.float64, torch.float16, torch.bfloat16


#: Dtypes of features.
FLOATS = float_dtypes()


def launch(
    kernel: Any,
    like: Tensor,
    programs: Callable[[Config], int],
    configs: Sequence[Config],
    *args: Any,
    **constants: Any,
) -> None:
    """Run a kernel on the device of `like` with the first of its configurations.

    With ``GOSSAMER_AUTOTUNE=1`` the fastest one is measured once for each combination of constants,
    dtypes and configurations.

    Parameters
    ----------
    programs : callable
        Returns the number of programs for a configuration.
    args, constants
        The kernel's arguments after the first, and its compile-time constants.
    """
    config = configs[0]
    if TUNE and len(configs) > 1 and can_time(like):
        dtypes = tuple(x.dtype if torch.is_tensor(x) else x is None for x in args)
        options = [tuple(sorted(c.items())) for c in (*configs, constants | {"at": like.device})]
        key = (kernel.__name__, dtypes, *map(str, options))
        if key not in _fastest:
            times = [
                milliseconds(lambda c=c: run(kernel, like, programs(c), *args, **c, **constants))
                for c in configs
            ]
            _fastest[key] = times.index(min(times))
        config = configs[_fastest[key]]
    run(kernel, like, programs(config), *args, **config, **constants)


def run(kernel: Any, like: Tensor, programs: int, *args: Any, **constants: Any) -> None:
    """Run `programs` programs, in several launches if the grid is too long.

    A kernel's first parameter is the number of programs before this launch.
    """
    options = {"enable_fp_fusion": True} | constants
    with torch.cuda.device(like.device) if like.is_cuda else nullcontext():
        for first in range(0, programs, MAX_PROGRAMS):
            grid = (min(programs - first, MAX_PROGRAMS),)
            kernel[grid](first, *args, **options)


def can_time(like: Tensor) -> bool:
    """Return whether launches on the device of `like` can be timed now."""
    return like.is_cuda and not torch.cuda.is_current_stream_capturing()


def milliseconds(call: Callable[[], None], repeats: int = 3) -> float:
    """Return the shortest time of some calls on the GPU, after one call that compiles."""
    call()
    best = float("inf")
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        end.synchronize()
        best = min(best, start.elapsed_time(end))
    return best


def signed(bits: int) -> int:
    """Return the int64 with the bits of an unsigned number, such as a seed."""
    return (bits + 2**63) % 2**64 - 2**63


def float_bits(x: float) -> int:
    """Return the bits of a float64 as an int64: Triton would pass the number as float32."""
    return struct.unpack("<q", struct.pack("<d", x))[0]


def contiguous(*tensors: Tensor | None) -> list[Tensor | None]:
    """Return contiguous tensors with the same values; None stays None."""
    return [None if x is None else x.contiguous() for x in tensors]


def accumulator(x: Tensor) -> tuple[torch.dtype, Any]:
    """Return the dtype in which features of the dtype of `x` are summed, for torch and Triton."""
    if x.dtype is torch.float64:
        return torch.float64, tl.float64
    return torch.float32, tl.float32


def column_map(own: tuple[int, ...], shape: tuple[int, ...], like: Tensor) -> tuple[str, Any]:
    """Return which column of an operand each column of the result reads.

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
        For ``"table"``: the column of the operand for each column of the result.
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


@triton.jit
def random_bits(b_key, b_counter):
    """Return value number `counter` of the SplitMix64 stream `key`; see `kernels.splitmix`."""
    b_z = (b_counter + 1).to(tl.uint64) * 0x9E3779B97F4A7C15 + b_key.to(tl.uint64)
    b_z = (b_z ^ (b_z >> 30)) * 0xBF58476D1CE4E5B9
    b_z = (b_z ^ (b_z >> 27)) * 0x94D049BB133111EB
    return b_z ^ (b_z >> 31)


@triton.jit
def random_unit(b_key, b_counter):
    """Return float64 numbers, uniform on [0, 1), multiples of ``2**-53``."""
    b_z = random_bits(b_key, b_counter) >> 11
    return b_z.to(tl.int64).to(tl.float64) * 1.1102230246251565e-16


@triton.jit
def as_float(bits):
    """Return the float64 that `float_bits` passed."""
    return bits.to(tl.int64).to(tl.float64, bitcast=True)
