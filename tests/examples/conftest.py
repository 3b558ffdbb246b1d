"""Running an example as a command."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable

import pytest

from helpers.paths import REPOSITORY

EXAMPLES = REPOSITORY / "examples"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable:
    """Run an example; return its exit code, output and errors."""
    # The examples import examples/_run.py.
    monkeypatch.syspath_prepend(str(EXAMPLES))

    def run(name: str, *argv: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *argv])
        code: object = 0
        try:
            runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def figures(run: Callable) -> Callable:
    """Run an example that must succeed; return its output without the time, and its last figure."""

    def figures(name: str, *argv: str) -> tuple[list[str], float]:
        code, out, err = run(name, *argv)
        assert (code, err) == (0, "")
        *lines, minutes = out.splitlines()
        assert re.fullmatch(r"\d+\.\d minutes, \d+\.\d of processor time, \d+ threads?", minutes)
        found = re.search(r"(-?\d+\.\d+)(?: ± \d+\.\d+)? over \d+ runs?; ", lines[-1])
        assert found, "no line of _run.report at the end"
        return lines, float(found[1])

    return figures
