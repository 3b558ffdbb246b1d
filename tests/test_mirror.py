"""The test folders mirror the package, so that a gap is visible."""

from __future__ import annotations

import ast
from pathlib import Path

from helpers.paths import REPOSITORY

PACKAGE = REPOSITORY / "src" / "gossamer"
TESTS = REPOSITORY / "tests"

# Test folders that belong to no room.
OTHER_FOLDERS = {"benchmarks", "csrc", "examples", "golden", "helpers", "tools"}


def _rooms() -> set[str]:
    return {path.parent.name for path in PACKAGE.glob("*/*.py")}


def test_every_room_has_tests() -> None:
    rooms = _rooms()
    assert "graph" in rooms
    untested = [room for room in sorted(rooms) if not list((TESTS / room).rglob("test_*.py"))]
    assert not untested, "these folders of src/gossamer have no test in the tests folder"


def test_every_test_folder_belongs_to_a_room() -> None:
    folders = {path.parent.name for path in TESTS.glob("*/*.py")}
    stray = sorted(folders - _rooms() - OTHER_FOLDERS)
    assert not stray, "these folders of tests mirror nothing in src/gossamer"


def test_every_module_at_the_top_has_a_test() -> None:
    modules = {path.stem for path in PACKAGE.glob("*.py") if _defines_something(path)}
    assert "errors" in modules
    tested = {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")}
    assert not sorted(modules - tested), "no tests/test_<module>.py"


def _defines_something(path: Path) -> bool:
    """Tell a module of its own from one that only passes names on."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    defines = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)
    return defines and not path.stem.startswith("_")
