"""One seed makes everything random repeat itself."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError


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
    with pytest.raises(InvalidTypeError, match=r"A seed is a non-negative int, got"):
        gs.seed(seed)


# --- choice --------------------------------------------------------------------------------------


def frequencies(drawn: torch.Tensor, count: int) -> torch.Tensor:
    return torch.bincount(drawn.flatten(), minlength=count) / drawn.numel()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_draws_follow_the_weights(dtype: torch.dtype) -> None:
    prob = torch.tensor([3.0, 0.0, 1.0, 4.0], dtype=dtype)
    drawn = gs.random.choice(4, 20_000, prob=prob)
    assert not bool((drawn == 1).any())
    # Four standard deviations of a share near one half.
    torch.testing.assert_close(
        frequencies(drawn, 4), (prob / prob.sum()).float(), rtol=0, atol=0.015
    )
    torch.testing.assert_close(
        frequencies(gs.random.choice(4, 20_000), 4), torch.full((4,), 0.25), rtol=0, atol=0.015
    )


def test_draws_without_replacement_follow_the_weights() -> None:
    """The first of two comes with its weight, the second with its share of what is left."""
    prob = torch.tensor([0.5, 0.3, 0.0, 0.2])
    pairs = torch.stack([gs.random.choice(4, 2, False, prob) for _ in range(1_500)])
    assert bool((pairs[:, 0] != pairs[:, 1]).all())
    torch.testing.assert_close(frequencies(pairs[:, 0], 4), prob, rtol=0, atol=0.055)
    wanted = torch.tensor([0.3 * 0.5 / 0.7 + 0.2 * 0.5 / 0.8, 0.0, 0.0, 0.0])
    wanted[1] = 0.5 * 0.3 / 0.5 + 0.2 * 0.3 / 0.8
    wanted[3] = 1 - wanted.sum()
    torch.testing.assert_close(frequencies(pairs[:, 1], 4), wanted, rtol=0, atol=0.055)


def test_draws_are_reproducible_and_of_the_population() -> None:
    population = torch.tensor([[5.0, 1.0], [7.0, 2.0], [9.0, 3.0]])
    gs.seed(3)
    first = gs.random.choice(population, (2, 4))
    gs.seed(3)
    again = gs.random.choice(population, (2, 4))
    assert torch.equal(first, again) and first.shape == (2, 4, 2)
    found = {tuple(row) for row in first.reshape(-1, 2).tolist()}
    assert found <= {(5.0, 1.0), (7.0, 2.0), (9.0, 3.0)}
    assert sorted(gs.random.choice(9, 9, replace=False).tolist()) == list(range(9))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (
            (5, 6, False),
            InvalidValueError,
            "6 elements cannot be drawn without .* 5 elem",
        ),
        ((0, 1), InvalidValueError, "1 elements cannot be drawn; there are 0 elements"),
        ((3, 1, True, torch.zeros(3)), InvalidValueError, "there are 0 elements with a weight"),
        ((3, 2, False, torch.eye(3)[0]), InvalidValueError, "there are 1 elements with a weight"),
        ((-1, 1), InvalidValueError, "a cannot be negative, got -1"),
        ((3, -1), InvalidValueError, "size cannot be negative, got -1"),
        ((3, (2, -1)), InvalidValueError, "size cannot be negative"),
        ((3, 1.0), InvalidTypeError, "size is an int or a tuple, got 1.0"),
        ((True, 1), InvalidTypeError, "an int or a tensor, got True"),
        (([1, 2], 1), InvalidTypeError, "an int or a tensor, got"),
        ((torch.tensor(3), 1), InvalidTypeError, "an int or a tensor, got tensor"),
        ((3, 1, True, [0.5] * 3), InvalidTypeError, "prob is a floating-point tensor, got list"),
        ((2, 1, True, torch.tensor([1, 2])), InvalidTypeError, "got torch.int64"),
        ((2, 1, True, torch.ones(3)), InvalidValueError, "for each of the 2 elements, got shape"),
        ((2, 1, True, torch.tensor([-1.0, 2.0])), InvalidValueError, "finite and not negative"),
        ((1, 1, True, torch.tensor([torch.inf])), InvalidValueError, "finite and not negative"),
        ((1, 1, True, torch.tensor([torch.nan])), InvalidValueError, "finite and not negative"),
    ],
)
def test_bad_choices(arguments: tuple, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        gs.random.choice(*arguments)
