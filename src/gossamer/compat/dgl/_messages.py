"""Message functions under the names of DGL 0.4: ``src``, ``dst`` and ``edge`` for u, v and e."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from gossamer import function
from gossamer.function import MessageFunction

_OPERANDS = {"src": "u", "dst": "v", "edge": "e"}
_OPERATORS = ("add", "sub", "mul", "div", "dot")


def copy_src(src: str, out: str) -> MessageFunction:
    """``copy_u``: the message is a feature of the source node."""
    return function.copy_u(src, out)


def copy_edge(edge: str, out: str) -> MessageFunction:
    """``copy_e``: the message is a feature of the edge."""
    return function.copy_e(edge, out)


def _binary(left: str, operator: str, right: str) -> Callable[..., MessageFunction]:
    new = getattr(function, f"{_OPERANDS[left]}_{operator}_{_OPERANDS[right]}")
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(name, kind) for name in (left, right, "out")])

    def old(*args: Any, **kwargs: Any) -> MessageFunction:
        return new(*signature.bind(*args, **kwargs).args)

    old.__name__ = old.__qualname__ = f"{left}_{operator}_{right}"
    old.__doc__ = f"``{new.__name__}`` with the arguments ``{left}``, ``{right}`` and ``out``."
    old.__signature__ = signature
    return old


_BINARY = {
    f"{left}_{operator}_{right}": _binary(left, operator, right)
    for left in _OPERANDS
    for operator in _OPERATORS
    for right in _OPERANDS
    if left != right
}
globals().update(_BINARY)

__all__ = ["copy_edge", "copy_src", *_BINARY]
