"""Sparse times sparse: the native kernels against the reference."""

from __future__ import annotations

import pytest
import torch

from gossamer.kernels import reference
from helpers.kernel_cases import require_native

require_native()
from gossamer.kernels import cpu  # noqa: E402  (needs the extension)


def _compressed(rows: int, cols: int, nnz: int, seed: int, dtype: torch.dtype, shuffled: bool):
    generator = torch.Generator().manual_seed(seed)
    row = torch.randint(0, rows, (nnz,), generator=generator).sort().values
    col = torch.randint(0, cols, (nnz,), generator=generator)
    indptr = torch.zeros(rows + 1, dtype=dtype)
    indptr[1:] = torch.bincount(row, minlength=rows).cumsum(0)
    eids = torch.randperm(nnz, generator=generator).to(dtype) if shuffled else None
    return indptr, col.to(dtype), eids


@pytest.mark.parametrize("shape", [(7, 5, 6), (1, 1, 1), (3, 4, 500), (200, 90, 40)])
@pytest.mark.parametrize("nnz", [0, 30, 3000])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_pattern(shape, nnz, dtype) -> None:
    left = _compressed(shape[0], shape[1], nnz, 0, dtype, True)
    right = _compressed(shape[1], shape[2], nnz, 1, dtype, True)
    args = *left[:2], *right[:2], shape[2]
    expected = reference.spgemm_pattern(*args)
    for found, wanted in zip(cpu.spgemm_pattern(*args), expected, strict=True):
        assert torch.equal(found, wanted)


@pytest.mark.parametrize("by_inner", [True, False])
@pytest.mark.parametrize("values", [torch.float32, torch.float64])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("shuffled", [True, False])
def test_masked_product(by_inner, values, dtype, shuffled) -> None:
    rows, inner, cols, nnz = 60, 50, 40, 900
    mask = _compressed(rows, cols, 300, 2, dtype, shuffled)
    left = _compressed(rows, inner, nnz, 0, dtype, shuffled)
    ends = (inner, cols) if by_inner else (cols, inner)
    right = _compressed(*ends, nnz, 1, dtype, shuffled)
    x, y = torch.randn(nnz, dtype=values), torch.randn(nnz, dtype=values)
    args = mask, left, right, x, y, inner, cols, by_inner
    torch.testing.assert_close(cpu.masked_product(*args), reference.masked_product(*args))


def test_infinite_values_outside_of_the_pattern_take_no_part() -> None:
    one = torch.tensor([0, 1], dtype=torch.int32), torch.tensor([0], dtype=torch.int32), None
    other = torch.tensor([0, 1], dtype=torch.int32), torch.tensor([1], dtype=torch.int32), None
    infinite = torch.tensor([torch.inf])
    out = cpu.masked_product(one, one, other, torch.ones(1), infinite, 2, 1, False)
    assert out.tolist() == [0]


@pytest.mark.parametrize("counts", [(0, 0), (0, 30), (30, 0), (400, 500)])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("shuffled", [True, False])
def test_union(counts, dtype, shuffled) -> None:
    parts = []
    for seed, nnz in enumerate(counts):
        generator = torch.Generator().manual_seed(seed)
        places = torch.randperm(60 * 40, generator=generator)[:nnz].sort().values
        indptr = torch.zeros(61, dtype=dtype)
        indptr[1:] = torch.bincount(places // 40, minlength=60).cumsum(0)
        eids = torch.randperm(nnz, generator=generator).to(dtype) if shuffled else None
        parts += [indptr, (places % 40).to(dtype), eids]
    for found, wanted in zip(cpu.csr_union(*parts), reference.csr_union(*parts), strict=True):
        assert torch.equal(found, wanted)
