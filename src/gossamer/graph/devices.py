"""What users write for a device, as a checked value."""

from __future__ import annotations

from typing import Any

import torch

from gossamer.errors import InvalidValueError

__all__ = ["as_device"]


def as_device(device: Any, what: str = "device") -> torch.device:
    """`device` as torch knows it; whether this machine has one is torch's to say.

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
