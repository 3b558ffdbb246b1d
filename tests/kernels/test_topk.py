"""The native choice of small entries against the reference."""

from __future__ import annotations

import pytest
import torch

from gossamer.kernels import reference
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import require_native

require_native()
from gossamer.kernels import cpu  # noqa: E402  (needs the extension)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("shape", [(5, 9), (3, 4, 8), (1, 2000), (0, 7), (300, 7)], ids=str)
@pytest.mark.parametrize("k", [0, 1, 3, 7])
def test_smallest(shape, k, dtype) -> None:
    values = torch.rand(shape, generator=torch.Generator().manual_seed(k)).to(dtype)
    expected = values.gather(-1, reference.topk(values, k))
    assert_tensor_equal(values.gather(-1, cpu.topk(values, k)), expected)


def test_of_equal_entries_the_first_ones_count() -> None:
    values = torch.tensor([[2.0, 1.0, 2.0, 1.0, 2.0, 1.0], [3.0] * 6])
    assert cpu.topk(values, 4).tolist() == [[1, 3, 5, 0], [0, 1, 2, 3]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("columns", [1, 2, 31, 32, 33, 40])
def test_short_rows_and_longer_ones_choose_alike(columns, dtype) -> None:
    generator = torch.Generator().manual_seed(columns)
    values = torch.randint(4, (50, columns), generator=generator).to(dtype)
    values[::7, columns // 2] = torch.nan
    expected = values.sort(stable=True).indices
    assert_tensor_equal(cpu.topk(values, columns), expected)
    assert_tensor_equal(cpu.topk(values, 1), expected[:, :1])


def test_what_is_no_number_comes_last() -> None:
    nan, inf = float("nan"), float("inf")
    values = torch.tensor([[nan, 1.0, nan, inf, -inf, 0.0], [nan] * 6], dtype=torch.float64)
    assert cpu.topk(values, 6).tolist() == [[4, 5, 1, 3, 0, 2], [0, 1, 2, 3, 4, 5]]
    assert cpu.topk(values, 2).tolist() == [[4, 5], [0, 1]]


@pytest.mark.parametrize("threads", [2, 3])
def test_rows_on_several_threads(threads) -> None:
    values = torch.rand(3000, 50)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert_tensor_equal(cpu.topk(values, 5), values.sort(stable=True).indices[:, :5])
    finally:
        torch.set_num_threads(before)
