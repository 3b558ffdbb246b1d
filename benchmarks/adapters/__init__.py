"""How each library computes each row.

An adapter offers ``versions()`` and ``forms(row, inputs, sizes)``: the ways to write the row
that the library's documentation suggests, by name. Each is a :class:`Form`. Only the fastest is
kept, so that no library is measured at less than its best.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class Form:
    """One way to run a row.

    Attributes
    ----------
    run : callable
        The timed call; it returns its results by name, as tensors.
    check : callable or None
        A call whose results are compared instead, if the timed one changes state (an epoch updates
        the parameters). It is called once, first.
    """

    run: Callable[[], Mapping[str, Any]]
    check: Callable[[], Mapping[str, Any]] | None = None


def load(library: str) -> Any:
    """The adapter of a library: ``gossamer``, ``dgl``, ``pyg`` or ``oracle``."""
    if library in ("gossamer", "dgl"):
        from benchmarks.adapters.dgl_api import Adapter

        return Adapter(library)
    return importlib.import_module(f"benchmarks.adapters.{library}").Adapter()
