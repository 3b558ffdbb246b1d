"""Apply a function to a value, a list or a dict of values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gossamer.errors import InvalidTypeError

__all__ = ["apply_each"]


def apply_each(data: Any, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Apply a function to each value of a dict or list, or to a single value.

    Layers return a tensor for one node type and a dict of tensors for several; this function
    handles both.

    Parameters
    ----------
    data : dict, list, tuple, or anything else
        The values. Nested containers are not traversed.
    fn : callable
        Called as ``fn(value, *args, **kwargs)``.

    Returns
    -------
    dict, list, or result of `fn`
        A dict with the same keys; a list for a list or a tuple; otherwise ``fn(data)``.

    Raises
    ------
    InvalidTypeError
        If `fn` cannot be called.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> gs.apply_each({"user": torch.tensor([-1.0, 2.0])}, torch.relu)
    {'user': tensor([0., 2.])}
    >>> gs.apply_each((1, 2), lambda x, k: x + k, k=10)
    [11, 12]
    """
    if not callable(fn):
        raise InvalidTypeError(f"apply_each: fn must be callable, got {type(fn).__name__}.")
    if isinstance(data, Mapping):
        return {key: fn(value, *args, **kwargs) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [fn(value, *args, **kwargs) for value in data]
    return fn(data, *args, **kwargs)
