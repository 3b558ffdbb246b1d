"""The API check reports, and fails only for areas that are listed as complete."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import REPOSITORY

REPORT = """package gossamer against 5 names
area                      total  present  missing mismatch   cover%
graph                         3        3        0        0    100.0
nn                            2        1        1        0     50.0
ops                           2        2        0        1    100.0
all                           7        6        1        1     83.3
"""


def _run(
    tmp_path: Path, complete: str, checker: str | None, *words: str
) -> subprocess.CompletedProcess:
    """Run a copy of the tool in a tree of its own, with a stand-in for the checker."""
    tools = tmp_path / "repository" / "tools"
    tools.mkdir(parents=True)
    tool = tools / "check_api.py"
    tool.write_text((REPOSITORY / "tools" / "check_api.py").read_text(encoding="utf-8"))
    (tools / "api_complete.txt").write_text(f"# a comment\n{complete}\n")
    env = {name: value for name, value in os.environ.items() if name != "GOSSAMER_API_CHECK"}
    if checker is not None:
        path = tmp_path / "checker.py"
        env["GOSSAMER_API_CHECK"] = str(path)
        if checker:
            path.write_text(checker)
    command = [sys.executable, str(tool), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


REPORTING = f"import sys\nprint({REPORT!r}, end='')\nsys.exit(1)\n"


@pytest.mark.parametrize(
    ("complete", "code", "message"),
    [
        ("", 0, ""),
        ("graph", 0, ""),
        ("graph\nnn", 1, "check_api: 'nn' is listed as complete, but {'missing': '1'"),
        ("ops", 1, "'mismatch': '1'"),
        ("grahp", 1, "lists 'grahp', which the inventory"),
    ],
)
def test_complete_areas(tmp_path: Path, complete: str, code: int, message: str) -> None:
    run = _run(tmp_path, complete, REPORTING)
    assert run.returncode == code, run.stdout + run.stderr
    assert run.stdout.startswith(REPORT)
    assert message in run.stdout


def test_without_the_inventory(tmp_path: Path) -> None:
    run = _run(tmp_path, "graph", None)
    assert run.returncode == 0
    assert run.stdout == "check_api: skipped, GOSSAMER_API_CHECK is not set\n"


def test_no_checker_where_it_should_be(tmp_path: Path) -> None:
    run = _run(tmp_path, "graph", "")
    assert run.returncode == 1
    assert "checker.py, which is not a file" in run.stderr


def test_a_package_that_cannot_be_imported(tmp_path: Path) -> None:
    broken = "import sys\nprint('error: cannot import', file=sys.stderr)\nsys.exit(2)\n"
    run = _run(tmp_path, "graph", broken)
    assert run.returncode == 1
    assert "check_api: error: cannot import" in run.stderr


@pytest.mark.parametrize(
    ("word", "code", "message"),
    [("--help", 0, "usage: check_api.py"), ("nope", 2, "unrecognized arguments: nope")],
)
def test_help_and_unknown_words(tmp_path: Path, word: str, code: int, message: str) -> None:
    run = _run(tmp_path, "graph", REPORTING, word)
    assert run.returncode == code
    assert message in run.stdout + run.stderr
    assert REPORT not in run.stdout
