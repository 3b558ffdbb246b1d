"""Seed all random generators, and draw random elements."""

from __future__ import annotations

import math
import random as python_random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._options import integer
from gossamer.errors import InvalidTypeError, InvalidValueError

__all__ = ["choice", "seed"]


def seed(val: int) -> None:
    """Seed the random generators that Gossamer uses: torch, NumPy and Python.

    Parameters
    ----------
    val : int
        The seed, not negative.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> gs.seed(7)
    >>> first = torch.rand(1)
    >>> gs.seed(7)
    >>> bool(torch.rand(1) == first)
    True
    """
    number = integer(val)
    if number is None or number < 0:
        raise InvalidTypeError(f"A seed is a non-negative int, got {val!r}.")
    if number >= 2**64:
        raise InvalidValueError(f"A seed fits 64 bits, got {number}.")
    torch.manual_seed(number)
    # NumPy's legacy generator, which scipy, scikit-learn and user code use by default.
    np.random.seed(number % 2**32)  # noqa: NPY002
    python_random.seed(number)


def choice(
    a: int | Tensor,
    size: int | tuple[int, ...],
    replace: bool = True,
    prob: Tensor | None = None,
) -> Tensor:
    """Draw random elements, on the device of `a` or `prob`.

    Parameters
    ----------
    a : int or Tensor
        The population: ``0 ... a - 1``, or the rows of a tensor.
    size : int or tuple of int
        Number of draws, or shape of the result.
    replace : bool
        Whether an element may be drawn more than once.
    prob : Tensor, optional
        Floating-point weight of each element; weights need not add up to 1. Default: uniform.

    Returns
    -------
    Tensor
        Drawn elements: int64, or rows of `a` in its dtype.

    Raises
    ------
    InvalidTypeError
        If an argument has the wrong type.
    InvalidValueError
        If there are too few elements, or too few with a nonzero weight; or if weights are negative,
        not finite, or not one per element.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> gs.random.choice(4, 4, replace=False).sort().values
    tensor([0, 1, 2, 3])
    >>> gs.random.choice(torch.tensor([10, 20, 30]), 3, prob=torch.tensor([0.0, 1.0, 0.0]))
    tensor([20, 20, 20])
    """
    population, device = _population(a)
    shape = _shape(size)
    count = math.prod(shape)
    available = population
    if prob is not None:
        prob = _weights(prob, population)
        device = prob.device
        available = int((prob > 0).sum())
    if count > (available if not replace else count * min(available, 1)):
        again = "" if replace else " without repetition"
        weighted = "" if prob is None else " with a weight above 0"
        raise InvalidValueError(
            f"random.choice: {count} elements cannot be drawn{again}; there are {available} "
            f"elements{weighted}."
        )
    if not replace:
        # The smallest exponential variables with rates `prob` are a sample without replacement.
        if prob is None:
            drawn = torch.randperm(population, device=device)[:count]
        else:
            times = torch.empty_like(prob).exponential_().div_(prob)
            drawn = times.topk(count, largest=False).indices
    elif prob is None:
        drawn = torch.randint(max(population, 1), (count,), device=device)
    else:
        bounds = prob.cumsum(0)
        points = torch.rand(count, dtype=prob.dtype, device=device)
        drawn = torch.searchsorted(bounds, points * bounds[-1:], right=True)
        # Rounding may give the upper bound.
        drawn.clamp_(max=int(prob.nonzero().max()) if count else 0)
    drawn = drawn.reshape(shape)
    return a[drawn.to(a.device)] if isinstance(a, Tensor) else drawn


def _population(a: Any) -> tuple[int, torch.device]:
    """Size and device of the population."""
    if isinstance(a, Tensor) and a.dim() > 0:
        return len(a), a.device
    number = None if isinstance(a, Tensor) else integer(a)
    if number is None:
        raise InvalidTypeError(f"random.choice: a is an int or a tensor, got {a!r}.")
    if number < 0:
        raise InvalidValueError(f"random.choice: a cannot be negative, got {a}.")
    return number, torch.device("cpu")


def _shape(size: Any) -> tuple[int, ...]:
    shape = size if isinstance(size, (tuple, list)) else (size,)
    lengths = [integer(length) for length in shape]
    if any(length is None for length in lengths):
        raise InvalidTypeError(f"random.choice: size is an int or a tuple, got {size!r}.")
    if any(length < 0 for length in lengths):
        raise InvalidValueError(f"random.choice: size cannot be negative, got {size!r}.")
    return tuple(lengths)


def _weights(prob: Any, population: int) -> Tensor:
    if not isinstance(prob, Tensor) or not prob.is_floating_point():
        kind = prob.dtype if isinstance(prob, Tensor) else type(prob).__name__
        raise InvalidTypeError(f"random.choice: prob is a floating-point tensor, got {kind}.")
    if prob.shape != (population,):
        raise InvalidValueError(
            f"random.choice: prob needs one weight for each of the {population} elements, got "
            f"shape {tuple(prob.shape)}."
        )
    prob = prob.detach().double()
    if not bool((prob.isfinite() & (prob >= 0)).all()):
        raise InvalidValueError("random.choice: weights must be finite and not negative.")
    return prob
