"""The test folders mirror the package, so that a gap is visible."""

from __future__ import annotations

from helpers.paths import REPOSITORY

PACKAGE = REPOSITORY / "src" / "gossamer"
TESTS = REPOSITORY / "tests"

# Test folders that belong to no room.
OTHER_FOLDERS = {"benchmarks", "csrc", "examples", "helpers", "tools"}


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


def test_every_public_module_at_the_top_has_a_test() -> None:
    modules = {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("_")}
    assert "errors" in modules
    tested = {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")}
    assert not sorted(modules - tested), "no tests/test_<module>.py"
