"""Grouped matrix products of the native kernels and of the reference."""

from __future__ import annotations

import pytest
import torch

from gossamer.kernels import reference
from helpers.kernel_cases import DTYPES, assert_accurate, operand, require_native

require_native()
from gossamer.kernels import cpu  # noqa: E402  (needs the extension)
from gossamer.kernels.cpu import grouped_mm  # noqa: E402

LENGTHS = {"mixed": [3, 0, 5, 1], "none": [0, 0], "one": [7], "long": [1, 0, 90, 4, 0]}
LAYOUTS = {
    "contiguous": lambda b: b,
    "transposed": lambda b: b.mT.contiguous().mT,
    "part of rows": lambda b: torch.cat([b, b], 2)[:, :, : b.shape[2]],
    "every other": lambda b: torch.stack([b, b], 3)[..., 0],
    "backwards": lambda b: b.flip(0),
    "one for all": lambda b: b[:1].expand_as(b),
    "one row for all": lambda b: b[:, :1].expand_as(b),
    "one column for all": lambda b: b[:, :, :1].expand_as(b),
    "one number for all": lambda b: b[:, :1, :1].expand_as(b),
    "windows": lambda b: b.flatten(1).contiguous().as_strided(b.shape, (b[0].numel(), 1, 1)),
}


@pytest.fixture(params=["core", "torch", "reference"])
def kernels(request, monkeypatch):
    if request.param == "reference":
        return reference
    monkeypatch.setattr(grouped_mm, "_LARGE_MATRIX", -1 if request.param == "torch" else 1 << 30)
    monkeypatch.setattr(grouped_mm, "_LONG_SEGMENT", 0)
    return cpu


def _one_by_one(a: torch.Tensor, b: torch.Tensor, idx: list[int]) -> torch.Tensor:
    rows = [a[i] @ b[group] for i, group in enumerate(idx)]
    return torch.stack(rows) if rows else a.new_zeros(0, b.shape[2])


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_segment_mm(dtype, lengths, kernels) -> None:
    a = operand(sum(lengths), (6,), dtype, seed=1)
    b = operand(len(lengths), (6, 4), dtype, seed=2)
    idx = [group for group, n in enumerate(lengths) for _ in range(n)]
    out = kernels.segment_mm(a, b, torch.tensor(lengths))
    truth = _one_by_one(a.double(), b.double(), idx)
    assert_accurate(out, truth, _one_by_one(a, b, idx), "out")


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("widths", [(6, 4), (1, 4), (6, 1), (1, 1), (0, 4), (6, 0)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_layouts_of_matrices(dtype, widths, layout, kernels) -> None:
    lengths = [2, 0, 30, 3]
    a, b = operand(35, widths[:1], dtype, seed=1), layout(operand(4, widths, dtype, seed=2))
    out = kernels.segment_mm(a, b, torch.tensor(lengths))
    rows = zip(a.double().split(lengths), b.double(), strict=True)
    torch.testing.assert_close(out, torch.cat([x @ y for x, y in rows]).to(dtype))


def test_into_given_memory(kernels) -> None:
    a, b, lengths = operand(9, (12,), torch.float32), operand(2, (12, 4), torch.float32), [4, 5]
    out = torch.full((9, 4), float("nan"))
    assert kernels.segment_mm(a, b, torch.tensor(lengths), out) is out
    torch.testing.assert_close(out, torch.cat([a[:4] @ b[0], a[4:] @ b[1]]))


def test_rows_in_any_layout(kernels) -> None:
    a, b = operand(12, (9,), torch.float32), operand(3, (12, 4), torch.float32)
    out = kernels.segment_mm(a.t(), b, torch.tensor([4, 0, 5]))
    torch.testing.assert_close(out, torch.cat([a.t()[:4] @ b[0], a.t()[4:] @ b[2]]))


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_many_products(threads, kernels) -> None:
    lengths = torch.arange(300) % 7
    a, b = operand(int(lengths.sum()), (16,), torch.float32), operand(300, (16, 8), torch.float32)
    truth = reference.segment_mm(a.double(), b.double(), lengths).float()
    torch.testing.assert_close(kernels.segment_mm(a, b, lengths), truth)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("columns", [1, 7, 16, 33, 64, 100])
def test_every_tile_of_the_core(columns, dtype) -> None:
    """Rows and columns that fill tiles, and that do not; segments that are split."""
    lengths = [1, 2, 3, 5, 6, 7, 0, 13, 96, 97, 300]
    a = operand(sum(lengths), (9,), dtype, seed=1)
    b = operand(len(lengths), (9, columns), dtype, seed=2)
    rows = zip(a.double().split(lengths), b.double(), strict=True)
    truth = torch.cat([x @ y for x, y in rows]).to(dtype)
    for matrices in (b, b.mT.contiguous().mT):
        found = cpu.segment_mm(a, matrices, torch.tensor(lengths))
        torch.testing.assert_close(found, truth)


def test_the_result_does_not_depend_on_the_number_of_threads() -> None:
    lengths = torch.arange(500) % 40
    a = operand(int(lengths.sum()), (48,), torch.float32)
    b = operand(500, (48, 40), torch.float32)
    before, results = torch.get_num_threads(), []
    for threads in (1, 2, 3, 8):
        torch.set_num_threads(threads)
        results.append(cpu.segment_mm(a, b, lengths))
    torch.set_num_threads(before)
    assert all(torch.equal(result, results[0]) for result in results)
