"""One seed makes everything random repeat itself."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer.errors import InvalidTypeError


def _draw() -> tuple[list[float], list[float], float]:
    numbers = np.random.rand(3)  # noqa: NPY002  (the generator that libraries use by default)
    return torch.rand(3).tolist(), numbers.tolist(), random.random()


@pytest.mark.parametrize("seed", [0, 7, 2**32 + 5, np.int64(3)])
def test_the_same_seed_repeats(seed: int) -> None:
    gs.seed(seed)
    first = _draw()
    assert _draw() != first
    gs.seed(seed)
    assert _draw() == first


def test_another_seed_differs_in_every_source() -> None:
    gs.seed(1)
    first = _draw()
    gs.seed(2)
    assert all(a != b for a, b in zip(first, _draw(), strict=True))


@pytest.mark.parametrize("seed", [-1, 1.0, "7", None, True])
def test_what_is_no_seed(seed: object) -> None:
    with pytest.raises(InvalidTypeError, match=r"A seed is an int that is not negative, got"):
        gs.seed(seed)
