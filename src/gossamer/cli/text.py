"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["format_table"]


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
