"""What the commands share, with rows that take no time and no process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.measure import Column, Row
from benchmarks.pool import Worker
from benchmarks.registry import WORKLOADS
from benchmarks.workload import Workload

from benchmarks import alone, command, compare, graph_ops, ops

ALONE = ["--small", "--without", "dgl", "--without", "pyg", "--rows", "copy_u"]


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commands whose rows end at once; Ctrl-C comes when the list of finished rows has two."""
    names: list[str] = []

    def run_row(pool: Any, workload: Workload, *_: Any) -> Row:
        if len(names) == 2:
            raise KeyboardInterrupt
        names.append(workload.name)
        column = Column("only", {"only": 1.0}, {}, times=[[1.0]])
        return Row(workload.name, "", 1.0, {name: column for name in pool if name != "oracle"})

    monkeypatch.setattr(command, "run_row", run_row)
    monkeypatch.setattr(command, "versions", lambda pool: {name: {} for name in pool})
    return names


def test_finished_rows_are_reported_after_ctrl_c(
    finished: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopped = []
    monkeypatch.setattr(Worker, "stop", lambda self: stopped.append(self.contender.name))
    file = tmp_path / "out.json"
    assert ops.main([*ALONE, "--json", str(file)]) == 130
    assert stopped == ["gossamer", "oracle"]
    printed = capsys.readouterr()
    assert all(f"| {name} " in printed.out for name in finished)
    assert printed.err.endswith("\nInterrupted; rows finished: 2.\n")
    content = json.loads(file.read_text())
    assert [row["name"] for row in content["rows"]] == finished
    assert content["machine"]["interrupted"] is True


def test_a_whole_run_was_not_interrupted(finished: list[str], tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    assert ops.main([*ALONE, "--rows", "copy_u/sum hub", "--json", str(file)]) == 0
    assert finished == ["copy_u/sum hub"]
    assert json.loads(file.read_text())["machine"]["interrupted"] is False


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (ops.main, ALONE),
        (graph_ops.main, ["--small", "--without", "dgl"]),
        (alone.main, ["threads", "--small"]),
        (compare.main, [".", "."]),
    ],
)
def test_ctrl_c_before_the_first_row_is_no_traceback(
    main: Any, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "versions", stop)
    monkeypatch.setattr(compare, "install", stop)
    assert main(words) == 130
    printed = capsys.readouterr()
    assert printed.err.endswith("\nInterrupted.\n")
    assert "|" not in printed.out


def test_a_terminal_is_told_when_a_row_starts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = WORKLOADS["copy_u/sum"]
    command.say_started(workload)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    command.say_started(workload)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "  copy_u/sum ...\r")
