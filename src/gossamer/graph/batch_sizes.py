"""The sizes of the graphs in a batch, checked when they are set."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError

__all__ = ["allow_other_totals", "checked_sizes"]

_other_totals_allowed = False


def allow_other_totals(allowed: bool) -> None:
    """Whether sizes that do not add up to the graph's counts give a warning instead of an error.

    DGL accepts such sizes, so the compatibility layer allows them.
    """
    global _other_totals_allowed
    _other_totals_allowed = allowed


def checked_sizes(
    val: Any,
    keys: Sequence[Hashable],
    resolve: Callable[[Any], Hashable],
    total: Callable[[Any], int],
    as_ids: Callable[[Any, str], Tensor],
) -> dict[Any, Tensor]:
    """Sizes by type.

    Parameters
    ----------
    val : Tensor, or dict from type to Tensor
        The sizes; a tensor if there is one type.
    keys : list
        The types.
    resolve : callable
        From the name of a type to the type.
    total : callable
        From a type to the number of nodes or edges that there are.
    as_ids : callable
        From sizes and their description to a tensor of the graph's id type and device.
    """
    if not isinstance(val, Mapping):
        if len(keys) != 1:
            raise InvalidTypeError(f"Batch sizes of several types are a dict over {list(keys)}.")
        val = {keys[0]: val}
    sizes = {resolve(key): as_ids(value, "batch sizes") for key, value in val.items()}
    if set(sizes) != set(keys):
        raise InvalidValueError(f"Batch sizes are needed for {list(keys)}, got {list(sizes)}.")
    for key, value in sizes.items():
        if bool((value < 0).any()):
            raise InvalidValueError(
                f"Batch sizes of {key!r} cannot be negative, got {int(value.min())}."
            )
        if int(value.sum()) == total(key):
            continue
        message = (
            f"Batch sizes of {key!r} add up to {int(value.sum())}, but there are {total(key)}."
        )
        if not _other_totals_allowed:
            raise InvalidValueError(message)
        warnings.warn(f"{message} Functions that use them will fail.", UserWarning, stacklevel=4)
    return sizes
