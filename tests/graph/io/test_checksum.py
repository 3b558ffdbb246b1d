"""Checksums of values."""

from __future__ import annotations

import pytest
import torch

from gossamer.graph.io.checksum import checksum


@pytest.mark.parametrize("count", [0, 1, 511, 512, 513, 5000])
@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.uint8, torch.bfloat16, torch.float32, torch.int64]
)
def test_equal_bytes_have_equal_checksums(count: int, dtype: torch.dtype) -> None:
    values = torch.randint(0, 2, (count,)).to(dtype)
    found = checksum(values)
    assert 0 <= found < 2**32
    assert checksum(values.clone()) == found
    # The shape does not matter, nor does the place in memory.
    assert checksum(values.reshape(-1, 1)) == found
    assert checksum(torch.cat([values[:0], torch.ones(1).to(dtype), values])[1:]) == found


@pytest.mark.parametrize("count", [1, 4096, 4097, 20_000])
def test_every_byte_counts(count: int) -> None:
    values = torch.randint(0, 256, (count,), dtype=torch.uint8)
    found = checksum(values)
    for place in torch.randint(count, (50,)).tolist():
        changed = values.clone()
        changed[place] ^= 1 << (place % 8)
        assert checksum(changed) != found


def test_pages_that_are_lost_or_swapped() -> None:
    values = torch.randint(0, 256, (8, 4096), dtype=torch.uint8)
    found = checksum(values)
    lost = values.clone()
    lost[3] = 0
    assert checksum(lost) != found
    assert checksum(values[[0, 2, 1, 3, 4, 5, 6, 7]]) != found
    assert checksum(values[:7]) != found


def test_odd_strides() -> None:
    column = torch.arange(4).view(2, 2)[:, 0]
    assert checksum(column[1:]) == checksum(torch.tensor([2]))
    assert checksum(column[:0]) == checksum(torch.empty(0, 3))


def test_a_scalar() -> None:
    assert checksum(torch.tensor(1.0)) == checksum(torch.ones(1)) != checksum(torch.tensor(2.0))
