"""The entry point: exit codes, one-line errors, `python -m gossamer`, quick help."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable

import pytest

from gossamer.cli import main, parser
from gossamer.errors import InvalidValueError


def _raise(error: BaseException) -> Callable[..., int]:
    def run(*_: object) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InvalidValueError("Too\n  much."), "Too much."),
        (
            PermissionError(errno.EACCES, "Permission denied", "some/file"),
            "Permission denied: some/file. Check the path and its permissions.",
        ),
        (TimeoutError("timed out"), "timed out. Check the path and its permissions."),
    ],
)
def test_errors_are_one_line(
    monkeypatch: pytest.MonkeyPatch, fails: Callable[..., str], error: Exception, message: str
) -> None:
    monkeypatch.setattr(parser, "_run_info", _raise(error))
    assert fails("info") == f"gossamer info: error: {message}"


def test_an_interrupt_is_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parser, "_run_datasets", _raise(KeyboardInterrupt()))
    assert main(["datasets"]) == 130
    assert capsys.readouterr().err == "gossamer datasets: interrupted.\n"


def test_the_module_runs_and_reports_errors_by_its_exit_code() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gossamer", "train", "--model", "mlp"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("gossamer train: error: 'model' must be one of")
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_gets_no_message() -> None:
    command = f"{sys.executable} -m gossamer datasets | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "141"
    assert "Error" not in done.stderr


def test_help_loads_nothing_that_only_a_command_needs() -> None:
    code = (
        "import sys, gossamer; before = set(sys.modules); "
        "from gossamer.cli.parser import build_parser; build_parser().format_help(); "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    loaded = set(done.stdout.split())
    assert "gossamer" in loaded
    assert loaded <= {"gossamer", *sys.stdlib_module_names}
