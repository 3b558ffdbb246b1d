"""The command over graph operations, Gossamer alone and small; and what it says at the end."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from benchmarks.graph_rows import FULL, GRAPH_ROWS, SMALL
from benchmarks.measure import Column, Row
from benchmarks.registry import select

from benchmarks import command, graph_ops, report

ALONE = ["--small", "--without", "dgl", "--threads", "1", "--rounds", "1"]


def test_a_small_run_times_every_row(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status = graph_ops.main([*ALONE, "--json", str(tmp_path / "out.json")])
    printed = capsys.readouterr()
    assert status == 0, printed.err + printed.out
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert [row["name"] for row in rows] == list(GRAPH_ROWS)
    for row in rows:
        assert row["columns"]["gossamer"]["median"] > 0
        assert f"| {row['name']} " in printed.out
    assert "no row was timed with a peer" in printed.out


def test_rows_have_sizes_and_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(FULL) == list(SMALL) == list(GRAPH_ROWS)
    assert graph_ops.main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(GRAPH_ROWS)


def test_rows_are_chosen_by_name() -> None:
    assert [row.name for row in select("to_block, batch", GRAPH_ROWS)] == ["batch", "to_block"]
    with pytest.raises(SystemExit, match="No row is called 'nope'"):
        graph_ops.main(["--rows", "nope"])


def test_pyg_has_no_column(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOSSAMER_BENCHMARK_PYG", sys.executable)
    options = graph_ops.arguments(["--peer", f"dgl={sys.executable}"])
    assert [c.name for c in command.contenders(options)] == ["gossamer", "dgl"]
    with pytest.raises(SystemExit):
        graph_ops.arguments(["--without", "pyg"])
    assert "invalid choice: 'pyg'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        graph_ops.main(["--peer", f"pyg={sys.executable}"])
    assert capsys.readouterr().err.endswith(": expected dgl=PYTHON\n")


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([(1.0, 2.0), (1.0, 8.0)], "geometric mean of 2 ratios: 4.00; no row is slower"),
        ([(4.0, 1.0), (1.0, 4.0)], "geometric mean of 2 ratios: 1.00; slower: row 0"),
        ([(1.0, None)], "no row was timed with a peer"),
        ([(1.0, 3.0), (1.0, None)], "geometric mean of 1 ratios: 3.00; no row is slower"),
    ],
)
def test_the_summary(times: list[tuple[float, float | None]], said: str) -> None:
    rows = []
    for i, seconds in enumerate(times):
        row = Row(f"row {i}", "", 1.0)
        for name, value in zip(("gossamer", "dgl"), seconds, strict=True):
            if value is not None:
                row.columns[name] = Column("function", {}, {}, times=[[value]])
        rows.append(row)
    assert report.summary(rows, ["gossamer", "dgl"]) == said
