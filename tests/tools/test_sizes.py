"""Counting lines of code."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import REPOSITORY

SCRIPT = REPOSITORY / "tools" / "sizes.py"


def _load() -> object:
    spec = importlib.util.spec_from_file_location("sizes", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sizes = _load()


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("", 0),
        ("x = 1\n\n# comment\ny = 2  # more\n", 2),
        ('"""Module.\n\nText.\n"""\nx = 1\n', 1),
        ('def f():\n    """Doc."""\n    return 1\n', 2),
        ('class A:\n    """Doc.\n\n    More.\n    """\n\n    x: int = 0\n', 2),
        ('async def f():\n    """Doc."""\n', 1),
        ('x = """a\nb\n\nc"""\n', 4),
        ("x = (\n    1,\n    # comment\n\n    2,\n)\n", 4),
        ("x = 1; y = 2\n", 1),
    ],
)
def test_python(source: str, lines: int) -> None:
    assert sizes.python_lines(source) == lines


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("", 0),
        ("int x;\n\n// comment\nint y; // more\n", 2),
        ("/* a\n   b */\nint x; /* c */\n/* d */ int y;\n", 2),
        ('auto s = "// no comment";\nauto t = "/*";\nint x;\n', 3),
        ("char c = '\"'; // quote\nint n = 1'000'000;\n/* end */\n", 2),
        ('auto s = "\\"";  // quote\n', 1),
    ],
)
def test_cpp(source: str, lines: int) -> None:
    assert sizes.cpp_lines(source) == lines


def test_rooms(tmp_path: Path) -> None:
    for name, text in {
        "src/gossamer/__init__.py": "x = 1\n",
        "src/gossamer/random.py": "x = 1\ny = 2\n",
        "src/gossamer/graph/base.py": "x = 1\n",
        "src/gossamer/graph/io/layout.py": "x = 1\ny = 2\n",
        "csrc/core/simd.h": "int x;\n",
        "csrc/spmm.cpp": "int x;\nint y;\n",
        "csrc/README.md": "text\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    python, cpp = sizes.measure(tmp_path)
    assert sizes.by_room(python) == {"(top level)": 3, "graph": 3}
    assert cpp == {"core/simd.h": 1, "spmm.cpp": 2}


def test_table() -> None:
    text = sizes.table("room", {"small": 5, "large": 1234})
    assert text.splitlines() == [
        "room     lines",
        "large    1,234",
        "small        5",
        "total    1,239",
    ]


def test_the_command() -> None:
    command = [sys.executable, str(SCRIPT), "--files"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "graph/base.py" in run.stdout
    rows = dict(line.rsplit(maxsplit=1) for line in run.stdout.splitlines() if line)
    assert int(rows["graph"].replace(",", "")) > 1000
    assert int(rows["spmm.cpp"].replace(",", "")) > 0
