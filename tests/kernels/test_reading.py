"""Rows read from a file: the native kernel against the reference."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from gossamer import kernels
from helpers.kernel_cases import require_native

require_native()


@pytest.fixture
def file(tmp_path: Path):
    torch.manual_seed(0)
    (tmp_path / "rows").write_bytes(
        torch.randint(0, 256, (70_000,), dtype=torch.uint8).numpy().data
    )
    handle = os.open(tmp_path / "rows", os.O_RDONLY)
    yield handle
    os.close(handle)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("gap", [0, 10, 1 << 20])
@pytest.mark.parametrize(
    ("row_bytes", "count"), [(1, 5000), (6, 3000), (64, 5), (30_000, 40), (7, 0)]
)
def test_rows_are_those_of_the_file(
    file: int, row_bytes: int, count: int, gap: int, at_once
) -> None:
    rows = (70_000 - 11) // row_bytes
    ids = torch.randint(0, rows, (count,)).sort().values
    places = torch.randperm(count)
    outs = [torch.zeros((count, row_bytes), dtype=torch.uint8) for _ in range(2)]
    expected = kernels.reference.read_rows(ids, places, outs[0], file, 11)
    found = kernels.read_rows(ids, places, outs[1], file, 11, gap, at_once)
    assert torch.equal(*outs)
    assert expected == count * row_bytes
    if gap == 1 << 20 and count:
        assert found <= 70_000 * 2  # pieces of 256 KiB; repeated rows are read once
    elif gap == 0:
        assert found <= expected


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("count", [1, 100])
def test_a_file_that_ends_and_a_file_that_is_closed(file: int, count: int, at_once: bool) -> None:
    ids, out = torch.full((count,), 7_000), torch.zeros((count, 10), dtype=torch.uint8)
    places = torch.arange(count)
    for read in (kernels.read_rows, kernels.reference.read_rows):
        with pytest.raises(EOFError):
            read(ids, places, out, file, 0)
    closed = 1 << 20  # a number that no open file has
    with pytest.raises(OSError, match="Bad file descriptor"):
        kernels.read_rows(ids, places, out, closed, 0, 0, at_once)
