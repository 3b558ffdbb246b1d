"""One function for a value, a list or a dict of values."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from gossamer.errors import InvalidTypeError


def test_containers_are_kept_and_values_are_not_looked_into() -> None:
    assert gs.apply_each({"a": [1], "b": (2, 3)}, len) == {"a": 1, "b": 2}
    assert gs.apply_each(([1], [2, 3]), len) == [1, 2]
    assert gs.apply_each("abc", len) == 3


def test_arguments_are_passed_on() -> None:
    assert gs.apply_each({"a": 1}, lambda x, y, *, z: (x, y, z), 2, z=3) == {"a": (1, 2, 3)}


def test_gradients_flow() -> None:
    x = torch.tensor([2.0], requires_grad=True)
    gs.apply_each({"a": x}, torch.square)["a"].backward()
    assert x.grad.item() == 4


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(InvalidTypeError, match="fn must be callable, got int"):
        gs.apply_each([], 3)
