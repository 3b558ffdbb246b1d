"""The command as anyone can run it: Gossamer alone, small, against the oracle."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from benchmarks.registry import WORKLOADS

from benchmarks import command, ops

ALONE = ["--small", "--without", "dgl", "--without", "pyg", "--threads", "1"]


def test_small_run_agrees_with_the_oracle_and_prints_a_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status = ops.main([*ALONE, "--rounds", "1", "--json", str(tmp_path / "out.json")])
    printed = capsys.readouterr()
    assert status == 0, printed.err + printed.out
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert [row["name"] for row in rows] == list(WORKLOADS)
    for row in rows:
        assert row["columns"].keys() == {"gossamer", "oracle"}
        assert row["columns"]["gossamer"]["median"] > 0
        assert f"| {row['name']} " in printed.out
    assert "DISAGREE" not in printed.out


def test_a_package_that_does_not_load_is_said(tmp_path: Path) -> None:
    (tmp_path / "gossamer.py").write_text("raise ImportError('not today')\n")
    with pytest.raises(SystemExit, match=r"gossamer cannot be loaded by .* not today"):
        ops.main([*ALONE, "--rows", "copy_u/sum", "--package-path", str(tmp_path)])


def test_rows_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert ops.main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(WORKLOADS)


def _python(path: Path) -> str:
    """A program that stands for a peer's Python."""
    path.touch(mode=0o755)
    return str(path)


def test_huge_pages_are_given_to_every_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in command.PEERS:
        monkeypatch.setenv(command.ENVIRONMENT.format(name.upper()), sys.executable)
    plain = command.contenders(ops.arguments([]))
    huge = command.contenders(ops.arguments(["--huge-pages"]))
    assert [c.name for c in huge] == ["gossamer", "dgl", "pyg"]
    assert {c.environment.get("THP_MEM_ALLOC_ENABLE") for c in huge} == {"1"}
    assert {c.environment.get("THP_MEM_ALLOC_ENABLE") for c in plain} == {None}


def test_peers_come_from_options_and_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a, b = _python(tmp_path / "a"), _python(tmp_path / "b")
    monkeypatch.setenv("GOSSAMER_BENCHMARK_DGL", a)
    monkeypatch.delenv("GOSSAMER_BENCHMARK_PYG", raising=False)
    found = command.contenders(ops.arguments(["--peer", f"pyg={b}"]))
    assert [(c.name, c.python) for c in found[1:]] == [("dgl", a), ("pyg", b)]
    alone = command.contenders(ops.arguments(["--without", "dgl"]))
    assert [c.name for c in alone] == ["gossamer"]
    peers = command.contenders(ops.arguments(["--without", "gossamer"]))
    assert [c.name for c in peers] == ["dgl"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--peer", "jraph=/b"], "--peer jraph=/b: expected dgl=PYTHON or pyg=PYTHON"),
        (["--peer", "dgl="], "--peer dgl=: expected dgl=PYTHON or pyg=PYTHON"),
        (
            ["--peer", "dgl=/nope"],
            "dgl: '/nope' cannot be started; give its Python with --peer dgl=PYTHON or "
            "GOSSAMER_BENCHMARK_DGL",
        ),
        (["--python", "/nope"], "--python: '/nope' cannot be started; give the path of a Python"),
        (["--without", "gossamer", "--without", "dgl"], "no library is left to measure"),
    ],
)
def test_columns_that_cannot_be_made_are_said(
    words: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in command.PEERS:
        monkeypatch.delenv(command.ENVIRONMENT.format(name.upper()), raising=False)
    with pytest.raises(SystemExit) as stop:
        ops.main(["--small", *words])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_a_program_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"gossamer cannot be loaded by .*Exec format error"):
        ops.main([*ALONE, "--rows", "copy_u/sum", "--python", _python(tmp_path / "python")])


@pytest.mark.parametrize(
    "flags", [["--without", "jraph"], ["--threads", "0"], ["--rounds", "0"], ["--nonsense"]]
)
def test_wrong_flags_end_the_command(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        ops.arguments(flags)
    assert stop.value.code == 2
    assert flags[0] in capsys.readouterr().err
