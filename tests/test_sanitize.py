"""The build with sanitizers: how its command line is read, without a build."""

from __future__ import annotations

import importlib.util
import subprocess

import pytest

from helpers.paths import REPOSITORY


@pytest.fixture
def sanitize():
    path = REPOSITORY / "tools" / "sanitize.py"
    spec = importlib.util.spec_from_file_location("sanitize_tool", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("line", "kind", "rest"),
    [
        ("", "address,undefined", ""),
        ("thread", "thread", ""),
        ("address,undefined", "address,undefined", ""),
        ("-n 2 -k spmm", "address,undefined", "-n 2 -k spmm"),
        ("thread --co -k spmm", "thread", "--co -k spmm"),
        (
            "tests/ops/test_fuzz.py::test_x -x",
            "address,undefined",
            "tests/ops/test_fuzz.py::test_x -x",
        ),
        (
            "address,undefined -n 2 tests/ops/test_fuzz.py",
            "address,undefined",
            "-n 2 tests/ops/test_fuzz.py",
        ),
    ],
)
def test_words_after_the_kind_are_for_pytest(sanitize, line: str, kind: str, rest: str) -> None:
    assert sanitize.read(line.split()) == (kind, rest.split())


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("--help", 0, "[address,undefined | thread] [pytest arguments ...]"),
        ("thread --help", 0, "usage: "),
        ("adress", 2, "'adress' is neither address,undefined nor thread nor a path of tests"),
        ("thread nope -x", 2, "'nope' is neither"),
    ],
)
def test_help_and_unknown_words_build_nothing(
    sanitize,
    line: str,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("something was started"))
    with pytest.raises(SystemExit) as stop:
        sanitize.main(line.split())
    assert stop.value.code == code
    printed = capsys.readouterr()
    assert message in printed.out + printed.err


def test_a_failing_build_is_said_in_a_line(
    sanitize, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[list[str]] = []

    def fail(command: list[str], **_: object) -> subprocess.CompletedProcess:
        started.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", fail)
    assert sanitize.main(["thread"]) == 1
    assert [command[1:4] for command in started] == [["-m", "pip", "install"]]
    assert capsys.readouterr().err == "sanitize: the build failed; pip's message is above\n"
