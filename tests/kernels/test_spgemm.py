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
@pytest.mark.parametrize("values", [torch.float32, torch.float64])
def test_product(shape, nnz, dtype, values) -> None:
    left = _compressed(shape[0], shape[1], nnz, 0, dtype, False)
    right = _compressed(shape[1], shape[2], nnz, 1, dtype, False)
    x, y = torch.randn(nnz, dtype=values), torch.randn(nnz, dtype=values)
    _check(cpu.csr_product, reference.csr_product, *left[:2], x, *right[:2], y, shape[2])


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


def _sorted(nnz: int, seed: int, dtype: torch.dtype):
    generator = torch.Generator().manual_seed(seed)
    places = torch.randperm(60 * 40, generator=generator)[:nnz].sort().values
    indptr = torch.zeros(61, dtype=dtype)
    indptr[1:] = torch.bincount(places // 40, minlength=60).cumsum(0)
    return indptr, (places % 40).to(dtype)


@pytest.mark.parametrize("counts", [(0, 0), (0, 30), (30, 0), (400, 500)])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("values", [torch.float32, torch.float64])
@pytest.mark.parametrize("feature", [(), (3,), (0,)])
def test_sum(counts, dtype, values, feature) -> None:
    parts = []
    for seed, nnz in enumerate(counts):
        parts += [*_sorted(nnz, seed, dtype), torch.randn(nnz, *feature, dtype=values)]
    _check(cpu.csr_sum, reference.csr_sum, *parts, 40)


@pytest.mark.parametrize("counts", [(0, 0), (0, 30), (30, 0), (400, 500)])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_match(counts, dtype) -> None:
    a, b = (_sorted(nnz, seed, dtype) for seed, nnz in enumerate(counts))
    assert torch.equal(cpu.csr_match(*a, *b, 40), reference.csr_match(*a, *b, 40))


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    a, b = (_compressed(3000, 3000, 60_000, seed, torch.int32, False)[:2] for seed in (0, 1))
    x, y = torch.randn(60_000), torch.randn(60_000)
    expected = cpu.csr_product(*a, x, *b, y, 3000)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        found = cpu.csr_product(*a, x, *b, y, 3000)
    finally:
        torch.set_num_threads(threads)
    assert all(map(torch.equal, found, expected))


def _check(kernel, oracle, *args) -> None:
    for found, wanted in zip(kernel(*args), oracle(*args), strict=True):
        torch.testing.assert_close(found, wanted)
