"""Triton's grouped products against products one by one, on the interpreter."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
from gossamer.kernels.triton import _common, grouped_mm
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import DTYPES, assert_accurate, operand
from helpers.triton_cases import fast

LENGTHS = {"mixed": [3, 0, 5, 1], "none": [0, 0], "one": [7], "long": [1, 0, 90, 64, 0]}
LAYOUTS = {
    "contiguous": lambda b: b,
    "transposed": lambda b: b.mT.contiguous().mT,
    "part of rows": lambda b: torch.cat([b, b], 2)[:, :, : b.shape[2]],
    "every other": lambda b: torch.stack([b, b], 3)[..., 0],
    "one for all": lambda b: b[:1].expand_as(b),
    "one number for all": lambda b: b[:, :1, :1].expand_as(b),
}


def _products(a: torch.Tensor, b: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    parts = [x @ y for x, y in zip(a.split(lengths), b, strict=True)]
    return torch.cat(parts)


def _outers(a: torch.Tensor, b: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    return torch.stack([x.T @ y for x, y in zip(a.split(lengths), b.split(lengths), strict=True)])


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_products_of_segments(dtype, lengths) -> None:
    a = operand(sum(lengths), (37,), dtype, seed=1)
    b = operand(len(lengths), (37, 70), dtype, seed=2)
    out = fast.segment_mm(a, b, torch.tensor(lengths, dtype=torch.int32))
    truth = _products(a.double(), b.double(), lengths)
    assert_accurate(out, truth, _products(a, b, lengths), "out", terms=40)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_outer_products_of_segments(dtype, lengths) -> None:
    a, b = (operand(sum(lengths), (width,), dtype, seed=width) for width in (70, 5))
    out = fast.segment_outer(a, b, torch.tensor(lengths))
    truth = _outers(a.double(), b.double(), lengths)
    assert_accurate(out, truth, _outers(a, b, lengths), "out", terms=max(lengths) + 1)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts_of_matrices(layout) -> None:
    lengths = [2, 0, 30, 3]
    a, b = operand(35, (6,), torch.float64), layout(operand(4, (6, 4), torch.float64))
    out = fast.segment_mm(a, b, torch.tensor(lengths))
    torch.testing.assert_close(out, _products(a, b, lengths), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("widths", [(0, 4), (6, 0), (1, 1)], ids=str)
def test_widths(widths) -> None:
    lengths = [2, 0, 3]
    a, b = operand(5, widths[:1], torch.float32), operand(3, widths, torch.float32)
    out = fast.segment_mm(a, b, torch.tensor(lengths))
    torch.testing.assert_close(out, _products(a, b, lengths))
    c = operand(5, widths[1:], torch.float32)
    out = fast.segment_outer(a, c, torch.tensor(lengths))
    torch.testing.assert_close(out, _outers(a, c, lengths))


def test_a_place_for_the_result(device) -> None:
    a, b = operand(5, (6,), torch.float32).to(device), operand(2, (6, 4), torch.float32).to(device)
    out = torch.empty(5, 4, device=device)
    result = fast.segment_mm(a, b, torch.tensor([2, 3]), out)
    torch.testing.assert_close(result, _products(a.cpu(), b.cpu(), [2, 3]))


def test_the_result_does_not_depend_on_the_grid(monkeypatch) -> None:
    lengths = LENGTHS["long"]
    a, b = operand(155, (37,), torch.float32), operand(5, (37, 70), torch.float32)
    args = a, b, torch.tensor(lengths)
    before = fast.segment_mm(*args)
    monkeypatch.setattr(_common, "MAX_PROGRAMS", 2)
    assert_tensor_equal(fast.segment_mm(*args), before)


def test_float32_is_multiplied_as_torch_does() -> None:
    assert not grouped_mm._allows_tf32()
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        assert grouped_mm._allows_tf32()
    finally:
        torch.backends.cuda.matmul.allow_tf32 = False
    assert not grouped_mm._allows_tf32()
