"""Tables for the terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["filled", "format_table", "program", "shown"]


def program() -> str:
    """Return the command that runs this program: ``gossamer`` if it is on the path."""
    called = Path(sys.argv[0])
    if called.name != "gossamer":
        return f"{sys.executable} -m gossamer"
    found = shutil.which("gossamer")
    return "gossamer" if found and called.exists() and called.samefile(found) else str(called)


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` without None, empty strings and empty lists.

    Examples
    --------
    >>> filled({"native": False, "why_not": "", "isas": [], "bytes": 0})
    {'native': False, 'bytes': 0}
    """
    return {key: value for key, value in values.items() if value not in (None, "", [], ())}


def shown(value: Any) -> str:
    """Format a value as readable text.

    Examples
    --------
    >>> shown(True), shown(None), shown(0.50), shown(["avx512", "avx2"])
    ('yes', '–', '0.5', 'avx512, avx2')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(item) for item in value)
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str = "") -> str:
    """Align `rows` under `header`; ``align`` holds "<" or ">" for each column, "<" by default.

    Examples
    --------
    >>> print(format_table(["seed", "test"], [["0", "97.2"], ["10", "8.0"]], ">>"))
    seed  test
    ----  ----
       0  97.2
      10   8.0
    """
    align = align or "<" * len(header)
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(line, align, widths, strict=True)
        ).rstrip()
        for line in lines
    )
