"""Apply a function to every value of nested lists, tuples and dicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["recursive_apply"]


def recursive_apply(data: Any, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Apply a function to every value of nested lists, tuples, named tuples and dicts.

    Parameters
    ----------
    data : list, tuple, dict, or anything else
        Anything else is a value.
    fn : callable
        Called as ``fn(value, *args, **kwargs)``.

    Returns
    -------
    list, tuple, dict, or result of `fn`
        The same nesting.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.utils.recursive_apply({"a": [1, (2, 3)]}, lambda x, k: x + k, 10)
    {'a': [11, (12, 13)]}
    """
    if isinstance(data, Mapping):
        return {key: recursive_apply(value, fn, *args, **kwargs) for key, value in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(recursive_apply(value, fn, *args, **kwargs) for value in data))
    if isinstance(data, (list, tuple)):
        return type(data)(recursive_apply(value, fn, *args, **kwargs) for value in data)
    return fn(data, *args, **kwargs)
