"""One seed for everything random."""

from __future__ import annotations

import random as python_random

import numpy as np
import torch

from gossamer.errors import InvalidTypeError

__all__ = ["seed"]


def seed(val: int) -> None:
    """Seed every source of randomness that Gossamer draws from: torch, NumPy and Python.

    Parameters
    ----------
    val : int
        Not negative.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> gs.seed(7)
    >>> first = torch.rand(1)
    >>> gs.seed(7)
    >>> bool(torch.rand(1) == first)
    True
    """
    if isinstance(val, bool) or not isinstance(val, (int, np.integer)) or val < 0:
        raise InvalidTypeError(f"A seed is an int that is not negative, got {val!r}.")
    torch.manual_seed(int(val))
    # NumPy's legacy generator: what scipy, scikit-learn and user code draw from by default.
    np.random.seed(int(val) % 2**32)  # noqa: NPY002
    python_random.seed(int(val))
