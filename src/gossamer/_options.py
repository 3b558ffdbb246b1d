"""Validation of options: names, numbers, sizes and devices.

In all functions, `name` is the name of the calling function and `argument` that of the option.
Error messages start with both.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from torch import SymInt, Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError

__all__ = [
    "as_device",
    "as_int",
    "flag",
    "integer",
    "number_in",
    "one_of",
    "require",
    "require_function",
    "shown",
]

_TYPES_OF_TEXT = (str, bytes, bytearray)


def as_device(device: Any, what: str = "device") -> torch.device:
    """Convert `device` to a torch.device; a CUDA device must exist on this machine.

    Raises
    ------
    InvalidValueError
        If there is no such type of device, or no such GPU.
    """
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError, ValueError):
        raise InvalidValueError(
            f"{what} must be a device such as 'cpu' or 'cuda:0', got {device!r}."
        ) from None
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise InvalidValueError(
            f"{what} is {str(chosen)!r}, but torch finds {torch.cuda.device_count()} CUDA GPUs on "
            "this machine. Use 'cpu' or another device."
        )
    return chosen


def one_of(value: Any, name: str, argument: str, known: Collection[str]) -> str:
    """Return `value`; raise unless it is one of `known`."""
    # For an array, ``in`` would compare element by element.
    if not isinstance(value, str) or value not in known:
        raise InvalidValueError(f"{name}: {argument} is one of {list(known)}, got {shown(value)}.")
    return value


def number_in(
    value: Any, name: str, argument: str, low: float = -math.inf, high: float = math.inf
) -> float:
    """Convert `value` to a float from `low` to `high`, inclusive; without bounds, a finite one."""
    try:
        if isinstance(value, (bool, *_TYPES_OF_TEXT)) or getattr(value, "ndim", 0):
            raise TypeError("not a number")
        number = float(value)
    except (TypeError, ValueError, RuntimeError):
        raise InvalidTypeError(f"{name}: {argument} is a number, got {shown(value)}.") from None
    except OverflowError:
        number = math.inf
    if low == -math.inf and high == math.inf:
        if not math.isfinite(number):
            raise InvalidValueError(f"{name}: {argument} must be finite, got {shown(value)}.")
    elif not low <= number <= high:
        limits = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise InvalidValueError(f"{name}: {argument} is a number {limits}, got {shown(value)}.")
    return number


def integer(value: Any) -> int | None:
    """Convert `value` to an int; return None if it is not an integer.

    Integers of Python and NumPy, and tensors and arrays with one integer, are accepted; symbolic
    integers are returned unchanged. Bools and floating-point numbers are not integers.
    """
    if isinstance(value, SymInt):
        return value
    if isinstance(value, (Tensor, np.ndarray)):
        size = value.numel() if isinstance(value, Tensor) else value.size
        stored = type(value) is not Tensor or not value.is_meta
        value = value.item() if size == 1 and stored else None
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def as_int(value: Any, name: str, argument: str, least: int | None = None) -> int:
    """Convert `value` to an int as :func:`integer` does; raise unless it is at least `least`."""
    number = integer(value)
    if number is None:
        raise InvalidTypeError(f"{name}: {argument} is an int, got {shown(value)}.")
    if least is not None and number < least:
        raise InvalidValueError(f"{name}: {argument} is at least {least}, got {number}.")
    if number >= 2**63:
        raise InvalidValueError(f"{name}: {argument} does not fit 64 bits, got {number}.")
    return number


def require(
    value: Any, kind: type | tuple[type, ...], name: str, argument: str, fix: str = ""
) -> None:
    """Raise unless `value` is an instance of `kind`; the error message ends with `fix`."""
    if isinstance(value, kind):
        return
    kinds = kind if isinstance(kind, tuple) else (kind,)
    wanted = " or ".join(own.__name__ for own in kinds)
    article = "an" if wanted[0].lower() in "aeiou" else "a"
    message = f"{name}: {argument} must be {article} {wanted}, got {type(value).__name__}. {fix}"
    raise InvalidTypeError(message.rstrip())


def flag(value: Any, name: str, argument: str) -> bool:
    """Convert `value` to a bool: True, False, 1 or 0, of Python or NumPy."""
    number = value if isinstance(value, (bool, np.bool_)) else integer(value)
    if number in (0, 1):
        return bool(number)
    raise InvalidTypeError(f"{name}: {argument} must be True or False, got {shown(value)}.")


def require_function(value: Any, name: str, argument: str) -> None:
    """Raise unless `value` is callable or None."""
    if value is not None and not callable(value):
        raise InvalidTypeError(f"{name}: {argument} is a function or None, got {shown(value)}.")


def shown(value: Any) -> str:
    """Return the repr of `value` for a message, or the name of its type if the repr is long."""
    text = repr(value)
    return text if len(text) <= 80 and "\n" not in text else type(value).__name__
