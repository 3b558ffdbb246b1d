"""Grouped matrix products of the native kernels and of the reference."""

from __future__ import annotations

import pytest
import torch

from gossamer.kernels import reference
from helpers.kernel_cases import DTYPES, assert_accurate, operand, require_native

require_native()
from gossamer.kernels import cpu  # noqa: E402  (needs the extension)

LENGTHS = {"mixed": [3, 0, 5, 1], "none": [0, 0], "one": [7]}


def _one_by_one(a: torch.Tensor, b: torch.Tensor, idx: list[int]) -> torch.Tensor:
    rows = [a[i] @ b[group] for i, group in enumerate(idx)]
    return torch.stack(rows) if rows else a.new_zeros(0, b.shape[2])


@pytest.mark.parametrize("kernels", [cpu, reference], ids=["native", "reference"])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_segment_mm(dtype, lengths, kernels) -> None:
    a = operand(sum(lengths), (6,), dtype, seed=1)
    b = operand(len(lengths), (6, 4), dtype, seed=2)
    idx = [group for group, n in enumerate(lengths) for _ in range(n)]
    out = kernels.segment_mm(a, b, torch.tensor(lengths))
    truth = _one_by_one(a.double(), b.double(), idx)
    assert_accurate(out, truth, _one_by_one(a, b, idx), "out")


@pytest.mark.parametrize("kernels", [cpu, reference], ids=["native", "reference"])
@pytest.mark.parametrize("idx", [[2, 0, 2, 1, 0], [], [1]], ids=str)
@pytest.mark.parametrize("idtype", [torch.int32, torch.int64], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_gather_mm(dtype, idtype, idx, kernels) -> None:
    a = operand(len(idx), (6,), dtype, seed=1)
    b = operand(3, (6, 4), dtype, seed=2)
    out = kernels.gather_mm(a, b, torch.tensor(idx, dtype=idtype))
    truth = _one_by_one(a.double(), b.double(), idx)
    assert_accurate(out, truth, _one_by_one(a, b, idx), "out")
