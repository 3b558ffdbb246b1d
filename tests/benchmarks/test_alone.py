"""Gossamer beside itself, small: each setting reaches its process, and the table compares them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.measure import Column, Row
from benchmarks.pool import Contender

from benchmarks import alone
from helpers.kernel_cases import require_native

require_native()

SMALL = ["--small", "--rounds", "1", "--rows", "copy_u/sum hub"]


def test_instruction_sets_are_columns(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    status = alone.main(["isa", *SMALL, "--threads", "1", "--json", str(file)])
    printed = capsys.readouterr()
    assert status == 0, printed.err + printed.out
    content = json.loads(file.read_text())
    columns = alone.arguments(["isa"]).values
    found = {name: about["isa"] for name, about in content["machine"]["libraries"].items()}
    assert found == {name: name for name in columns}
    assert list(content["rows"][0]["columns"]) == columns
    assert "| copy_u/sum hub " in printed.out


def test_numbers_of_threads_are_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert alone.main(["threads", "1", "2", *SMALL]) == 0
    assert "| speed-up of 2 threads |" in capsys.readouterr().out


def test_memory_is_kept_or_torchs_own(tmp_path: Path) -> None:
    columns = alone.contenders(alone.arguments(["memory"]))
    assert [column.name for column in columns] == list(alone.MEMORY)
    assert ["GOSSAMER_IDLE_MIB" in column.environment for column in columns] == [False, True]
    assert alone.main(["memory", *SMALL, "--json", str(tmp_path / "out.json")]) == 0


@pytest.mark.parametrize(
    ("setting", "cell"),
    [("isa", "0.40"), ("memory", "0.40"), ("threads", "2.50 (83% of ideal)")],
)
def test_the_table_judges_against_the_first_column(setting: str, cell: str) -> None:
    row = Row("sums", "", 1.0)
    for name, seconds in (("a", 0.5), ("b", 0.2)):
        row.columns[name] = Column("ops", {}, {}, times=[[seconds]])
    columns = [Contender("a", "", "", threads=1), Contender("b", "", "", threads=3)]
    line = alone.table([row], columns, setting).splitlines()[2]
    assert [text.strip() for text in line.strip("|").split("|")][-1] == cell


def test_the_help_text_gives_the_rows_that_are_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    assert alone.arguments(["memory"]).rows == alone.ROWS
    with pytest.raises(SystemExit):
        alone.arguments(["--help"])
    assert f"(default: {alone.ROWS})" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "are required: setting\n"),
        (["isa", "--python", "/nope"], "'/nope' cannot be started; give the path of a Python"),
        (["isa", "z80"], "isa z80: this machine and build have"),
        (["threads", "none"], "numbers of at least 1"),
        (["threads", "0"], "numbers of at least 1"),
        (["memory", "1"], "takes no values"),
        (["color"], "invalid choice"),
    ],
)
def test_wrong_settings_end_the_command(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        alone.arguments(words)
    assert stop.value.code == 2
    assert said in capsys.readouterr().err
