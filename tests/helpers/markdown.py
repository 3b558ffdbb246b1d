"""The Python blocks of a Markdown page, run in order, and what they print."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

# A block of Python, and the block of text behind it, if there is one, that shows its output.
EXAMPLE = re.compile(r"```python\n(.*?)```\n(?:\n+```text\n(.*?)```\n)?", re.DOTALL)
# A cell of a notebook that is written in Markdown.
CELL = re.compile(r"```\{code-cell\}\n(.*?)```", re.DOTALL)


def examples(page: Path) -> list[tuple[str, str | None]]:
    """The code of each example of a page, and its printed output where the page shows one."""
    return [(m[1], m[2]) for m in EXAMPLE.finditer(page.read_text(encoding="utf-8"))]


def cells(page: Path) -> list[str]:
    """The code of each cell of a notebook."""
    return CELL.findall(page.read_text(encoding="utf-8"))


def run(code: str, where: str, names: dict[str, object]) -> str:
    """Run a block among the `names` of the blocks before it; return what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, where, "exec"), names)
    return printed.getvalue()
