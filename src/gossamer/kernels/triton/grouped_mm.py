"""Products with one matrix per segment of rows, in one launch and without waiting for the GPU."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from gossamer.kernels._dispatch import kernel
from gossamer.kernels.triton._common import FLOATS, Config, accumulator, contiguous, launch


@triton.jit
def _tile(p_x, b_row, b_col, m_row, m_col, row_stride, col_stride):
    """Load a tile of a matrix, with zeros outside the matrix."""
    b_at = b_row[:, None] * row_stride + b_col[None, :] * col_stride
    return tl.load(p_x + b_at, mask=m_row[:, None] & m_col[None, :], other=0.0)


@triton.jit(do_not_specialize=["first"])
def segment_mm_kernel(
    first, p_tile_group, p_tile_starts, p_starts, p_a, p_b, p_out, num_groups, depth, width,
    b_group_stride, b_row_stride, b_col_stride,
    ACC: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Multiply a tile of rows, which belong to one segment, by a tile of its matrix' columns."""
    program = tl.program_id(0).to(tl.int64) + first
    tiles = tl.cdiv(width, BLOCK_N)
    tile = program // tiles
    group = tl.load(p_tile_group + tile).to(tl.int64)
    if group < num_groups:
        before = tile - tl.load(p_tile_starts + group)
        b_row = tl.load(p_starts + group) + before * BLOCK_M + tl.arange(0, BLOCK_M)  # (M,)
        m_row = b_row < tl.load(p_starts + group + 1)  # (M,)
        b_col = (program % tiles) * BLOCK_N + tl.arange(0, BLOCK_N)  # (N,)
        m_col = b_col < width  # (N,)
        p_matrix = p_b + group * b_group_stride
        b_acc = tl.zeros((BLOCK_M, BLOCK_N), ACC)  # (M, N)
        for k in range(0, depth, BLOCK_K):
            b_k = k + tl.arange(0, BLOCK_K).to(tl.int64)  # (K,)
            m_k = b_k < depth  # (K,)
            b_a = _tile(p_a, b_row, b_k, m_row, m_k, depth, 1)  # (M, K)
            b_b = _tile(p_matrix, b_k, b_col, m_k, m_col, b_row_stride, b_col_stride)  # (K, N)
            b_acc = tl.dot(b_a, b_b, b_acc, input_precision=PRECISION, out_dtype=ACC)
        b_at = b_row[:, None] * width + b_col[None, :]  # (M, N)
        m_x = m_row[:, None] & m_col[None, :]  # (M, N)
        tl.store(p_out + b_at, b_acc.to(p_out.dtype.element_ty), mask=m_x)


@triton.jit(do_not_specialize=["first"])
def segment_outer_kernel(
    first, p_starts, p_a, p_b, p_out, height, width,
    ACC: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Compute a tile of a segment's ``a.T @ b``."""
    program = tl.program_id(0).to(tl.int64) + first
    tiles = tl.cdiv(width, BLOCK_N)
    up = tl.cdiv(height, BLOCK_M)
    group = program // (tiles * up)
    b_m = (program // tiles % up) * BLOCK_M + tl.arange(0, BLOCK_M)  # (M,)
    b_n = (program % tiles) * BLOCK_N + tl.arange(0, BLOCK_N)  # (N,)
    m_m, m_n = b_m < height, b_n < width  # (M,), (N,)
    end = tl.load(p_starts + group + 1)
    b_acc = tl.zeros((BLOCK_M, BLOCK_N), ACC)  # (M, N)
    for k in range(tl.load(p_starts + group), end, BLOCK_K):
        b_k = k + tl.arange(0, BLOCK_K)  # (K,)
        m_k = b_k < end  # (K,)
        b_a = _tile(p_a, b_m, b_k, m_m, m_k, 1, height)  # (M, K)
        b_b = _tile(p_b, b_k, b_n, m_k, m_n, width, 1)  # (K, N)
        b_acc = tl.dot(b_a, b_b, b_acc, input_precision=PRECISION, out_dtype=ACC)
    b_at = (group * height + b_m)[:, None] * width + b_n[None, :]  # (M, N)
    m_x = m_m[:, None] & m_n[None, :]  # (M, N)
    tl.store(p_out + b_at, b_acc.to(p_out.dtype.element_ty), mask=m_x)


def configurations(height: int, width: int, dtype: torch.dtype) -> list[Config]:
    """Return the tile sizes for a result of shape ``(height, width)``, the default first."""
    # Without tensor cores, larger tiles need so many registers that some are spilled.
    largest = 32 if dtype in (torch.float32, torch.float64) else 64
    rows, columns = (
        min(largest, max(16, triton.next_power_of_2(size))) for size in (height, width)
    )
    return [
        {"BLOCK_M": rows, "BLOCK_N": columns, "BLOCK_K": depth, "num_warps": 4, "num_stages": 2}
        for depth in (32, 16)
    ]


@kernel("segment_mm", device="cuda", dtypes=FLOATS)
def segment_mm(a: Tensor, b: Tensor, seglen: Tensor, out: Tensor | None = None) -> Tensor:
    """Multiply segments of rows by their matrix; see `gossamer.kernels.reference.segment_mm`."""
    (a,) = contiguous(a)
    depth, width = b.shape[1:]
    if out is None:
        out = a.new_empty((a.shape[0], width))
    if not out.numel():
        return out
    starts = _starts(seglen)
    configs = configurations(a.shape[0], width, a.dtype)
    # Tuning varies only the depth of tiles, so the division of rows is the same for all.
    rows = configs[0]["BLOCK_M"]
    tile_starts = _starts((seglen.long() + rows - 1) // rows)
    # The maximum number of tiles; those after the last segment do nothing.
    num_tiles = a.shape[0] // rows + b.shape[0]
    tile = torch.arange(num_tiles, device=a.device)
    tile_group = torch.searchsorted(tile_starts, tile, right=True) - 1
    launch(
        segment_mm_kernel,
        a,
        lambda c: num_tiles * triton.cdiv(width, c["BLOCK_N"]),
        configs,
        *(tile_group, tile_starts, starts, a, b, out, b.shape[0], depth, width, *b.stride()),
        **_constants(a),
    )
    return out


@kernel("segment_outer", device="cuda", dtypes=FLOATS)
def segment_outer(a: Tensor, b: Tensor, seglen: Tensor) -> Tensor:
    """Multiply the transposes of segments; see `gossamer.kernels.reference.segment_outer`."""
    a, b = contiguous(a, b)
    count, height, width = seglen.shape[0], a.shape[1], b.shape[1]
    out = a.new_empty((count, height, width))
    if not out.numel():
        return out
    launch(
        segment_outer_kernel,
        a,
        lambda c: count * triton.cdiv(height, c["BLOCK_M"]) * triton.cdiv(width, c["BLOCK_N"]),
        configurations(height, width, a.dtype),
        *(_starts(seglen), a, b, out, height, width),
        **_constants(a),
    )
    return out


def _starts(lengths: Tensor) -> Tensor:
    return torch.cat([lengths.new_zeros(1, dtype=torch.int64), lengths.cumsum(0)])


def _constants(a: Tensor) -> dict[str, object]:
    return {"ACC": accumulator(a)[1], "PRECISION": "tf32" if _allows_tf32() else "ieee"}


def _allows_tf32() -> bool:
    """Return whether torch multiplies float32 matrices in TF32."""
    settings = torch.backends.cuda.matmul
    if hasattr(settings, "fp32_precision"):
        # torch 2.9 and later raise an error on reading the other setting if this one was set.
        return settings.fp32_precision == "tf32"
    return settings.allow_tf32
