"""Checks of devices."""

from __future__ import annotations

from typing import Any

import torch

from gossamer.errors import InvalidValueError

__all__ = ["as_device"]


def as_device(device: Any, what: str = "device") -> torch.device:
    """`device` as a torch.device. Whether this machine has it is not checked.

    Raises
    ------
    InvalidValueError
        If there is no such kind of device.
    """
    try:
        return torch.device(device)
    except (RuntimeError, TypeError, ValueError):
        raise InvalidValueError(
            f"{what} must be a device such as 'cpu' or 'cuda:0', got {device!r}."
        ) from None
