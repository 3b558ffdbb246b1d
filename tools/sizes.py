"""Print the lines of code of each room of the package, and of each file of the native core.

Blank lines, comments and docstrings do not count::

    python tools/sizes.py            # the table
    python tools/sizes.py --files    # each Python file too
"""

from __future__ import annotations

import argparse
import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CPP_SUFFIXES = {".cpp", ".h", ".hpp", ".cc"}

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def python_lines(source: str) -> int:
    """Lines of Python that hold code: no blank lines, comments or docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for first, last in _docstrings(ast.parse(source)):
        lines.difference_update(range(first, last + 1))
    return len(lines)


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """First and last line of each docstring."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            yield node.body[0].lineno, node.body[0].end_lineno


def cpp_lines(source: str) -> int:
    """Lines of C++ that hold code: no blank lines or comments."""
    return sum(1 for line in _without_comments(source).splitlines() if line.strip())


def _without_comments(source: str) -> str:
    kept: list[str] = []
    i = 0
    while i < len(source):
        pair = source[i : i + 2]
        if pair == "//":
            end = source.find("\n", i)
            i = len(source) if end < 0 else end
        elif pair == "/*":
            end = source.find("*/", i + 2)
            end = len(source) if end < 0 else end + 2
            kept.append("\n" * source.count("\n", i, end))
            i = end
        elif source[i] in "\"'" and not (source[i] == "'" and i and source[i - 1].isalnum()):
            end = _end_of_literal(source, i)
            kept.append(source[i:end])
            i = end
        else:
            kept.append(source[i])
            i += 1
    return "".join(kept)


def _end_of_literal(source: str, start: int) -> int:
    i = start + 1
    while i < len(source) and source[i] not in (source[start], "\n"):
        i += 2 if source[i] == "\\" else 1
    return i + 1


def measure(root: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Lines of each Python file of the package, and of each file of the native core."""
    package = root / "src" / "gossamer"
    python = {
        path.relative_to(package).as_posix(): python_lines(path.read_text(encoding="utf-8"))
        for path in sorted(package.rglob("*.py"))
    }
    core = root / "csrc"
    cpp = {
        path.relative_to(core).as_posix(): cpp_lines(path.read_text(encoding="utf-8"))
        for path in sorted(core.rglob("*"))
        if path.suffix in CPP_SUFFIXES
    }
    return python, cpp


def by_room(python: dict[str, int]) -> dict[str, int]:
    """Lines of each folder at the top of the package; files at the top are one entry."""
    rooms: Counter[str] = Counter()
    for name, lines in python.items():
        room, slash, _ = name.partition("/")
        rooms[room if slash else "(top level)"] += lines
    return dict(sorted(rooms.items()))


def table(title: str, sizes: dict[str, int]) -> str:
    """The sizes in aligned columns, largest first, with their sum."""
    rows = [(title, "lines"), *((name, f"{n:,}") for name, n in ranked(sizes))]
    rows.append(("total", f"{sum(sizes.values()):,}"))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {lines:>7}" for name, lines in rows)


def ranked(sizes: dict[str, int]) -> list[tuple[str, int]]:
    """Names and sizes, largest first."""
    return sorted(sizes.items(), key=lambda item: (-item[1], item[0]))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Print lines of code by room.")
    parser.add_argument("--files", action="store_true", help="print each Python file too")
    arguments = parser.parse_args()
    python, cpp = measure(ROOT)
    if arguments.files:
        print(table("Python file", python), end="\n\n")
    print(table("Python room", by_room(python)), end="\n\n")
    print(table("C++ file", cpp))


if __name__ == "__main__":
    main()
