"""Placeholders for classes and functions that Gossamer lacks: importable, but not usable.

A package imports all its layers, including those that a program does not use. A missing class
can therefore be imported and subclassed. Constructing an instance raises an error that names the
missing class.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any, NoReturn

from gossamer.compat.dgl._errors import NotYetError

__all__ = ["is_placeholder", "make_placeholder"]

# Area of a missing class -> base class of DGL's class, as module:attribute.
_BASES = {
    "nn": "torch.nn:Module",
    "data": "gossamer.data:Dataset",
    "transforms": "gossamer.transforms:BaseTransform",
}


def is_placeholder(thing: Any) -> bool:
    """Return whether an object is a placeholder for a class or function that Gossamer lacks.

    Parameters
    ----------
    thing : object
        Any object from a ``dgl`` module. Subclasses of a placeholder count as placeholders.

    Examples
    --------
    >>> import gossamer as gs
    >>> is_placeholder(gs.nn.GraphConv)
    False
    """
    return bool(getattr(thing, "_missing_from_gossamer", False))


def make_placeholder(path: str, name: str) -> Any:
    """Create the placeholder of ``dgl.<path>.<name>``, a class if the name is capitalized.

    As in DGL, a name refers to the same object in all modules of an area.
    """
    area = path.partition(".")[0]
    return _class(area, name) if name.lstrip("_")[:1].isupper() else _function(area, name)


@functools.cache
def _class(area: str, name: str) -> type:
    shown = _shown(area, name)

    def refuse(cls: type, *args: Any, **kwargs: Any) -> NoReturn:
        what = shown if cls.__name__ == name else f"{cls.__name__} derives from {shown}, which"
        raise NotYetError(_message(what))

    base = object
    if area in _BASES:
        module, _, attribute = _BASES[area].partition(":")
        base = getattr(importlib.import_module(module), attribute)
    return type(
        name,
        (base,),
        {
            "__doc__": _message(shown),
            "__module__": f"dgl.{area}" if area else "dgl",
            "__new__": refuse,
            "_missing_from_gossamer": True,
        },
    )


@functools.cache
def _function(area: str, name: str) -> Any:
    message = _message(_shown(area, name))

    def missing(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotYetError(message)

    missing.__name__ = missing.__qualname__ = name
    missing.__module__ = f"dgl.{area}" if area else "dgl"
    missing.__doc__ = message
    missing._missing_from_gossamer = True
    return missing


def _shown(area: str, name: str) -> str:
    return f"dgl.{area}.{name}" if area else f"dgl.{name}"


def _message(what: str) -> str:
    return (
        f"{what} does not exist in Gossamer yet. It can be imported, so that packages that mention "
        "it load, but not used."
    )
