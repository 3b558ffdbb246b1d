"""The table, the notes, the JSON and the picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.measure import Column, Row
from benchmarks.workload import Traffic

from benchmarks import report

MACHINE = {"cpu": "a processor", "threads": 2, "date": "2026-01-01 00:00"}
NAMES = ["gossamer", "dgl", "pyg"]


def _rows() -> list[Row]:
    times = {"gossamer": 0.010, "dgl": 0.030, "pyg": 0.020}
    rates = {"copy": 20e9, "gather": {"256": 64e9}}
    traffic = Traffic(20_000_000, {256: 1_000_000})
    done = Row("sums", "about sums", 1.5, bound=0.005, traffic=traffic, rates=rates)
    for name, seconds in times.items():
        done.columns[name] = Column("best", {"best": seconds, "other": 1.0}, {})
        done.columns[name].times = [[seconds], [seconds]]
        done.columns[name].extra_memory = 3 << 20
    wrong = Row("wrong", "about errors", 2.0, faults=["out of pyg is off dgl's by 3"])
    wrong.columns = {name: Column("best", {}, {"slow": "it broke"}) for name in NAMES[:2]}
    wrong.missing = {"pyg": "no memory"}
    return [done, wrong]


def test_ratio_is_to_the_faster_peer_and_share_to_the_bound() -> None:
    done, wrong = _rows()
    assert report.ratio(done, NAMES) == pytest.approx(2.0)
    assert report.share(done, "gossamer") == pytest.approx(0.5)
    assert report.ratio(wrong, NAMES) is None
    assert report.share(wrong, "gossamer") is None
    assert report.ratio(done, ["gossamer"]) is None


def test_table_shows_every_cell() -> None:
    lines = report.table(_rows(), NAMES).splitlines()
    assert len({len(line) for line in lines}) == 1
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    times = ["10.0 ±0%", "30.0 ±0%", "20.0 ±0%"]
    assert cells == ["sums", *times, "2.00", "1.5", "4.0", "5.00", "50%", "3 / 3 / 3"]
    assert "results disagree" in lines[3]


def test_at_most_is_the_faster_peer_over_the_bound() -> None:
    done, wrong = _rows()
    assert report.at_most(done, NAMES) == pytest.approx(0.020 / 0.005)
    assert report.at_most(done, ["gossamer"]) is None
    assert report.at_most(wrong, NAMES) is None
    done.bound = None
    assert report.at_most(done, NAMES) is None
    assert "at most" not in report.table([done], NAMES)


def test_table_of_one_library_has_no_ratio() -> None:
    header = report.table(_rows(), ["gossamer"]).splitlines()[0]
    assert "goal" not in header
    assert "gossamer ms" in header


def test_table_of_other_columns_has_no_goal() -> None:
    header = report.table(_rows(), ["dgl", "pyg"]).splitlines()[0]
    assert "pyg / dgl" in header
    assert "goal" not in header


def test_notes_name_the_kept_form_and_what_failed() -> None:
    notes = report.notes(_rows())
    assert "sums: gossamer best (of 2), dgl best (of 2), pyg best (of 2)" in notes
    sums = "20 MB in order at 20.0 GB/s + 256 MB in rows of 256 bytes at 64.0 GB/s"
    assert f"  bound: 5.00 ms = {sums}\n" in notes
    assert "DISAGREE: out of pyg is off dgl's by 3" in notes
    assert "pyg did not run: no memory" in notes
    assert "gossamer, form slow: it broke" in notes


def test_json_holds_each_timed_call(tmp_path: Path) -> None:
    report.write_json(tmp_path / "out.json", MACHINE, _rows(), NAMES)
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["machine"] == MACHINE
    column = content["rows"][0]["columns"]["dgl"]
    assert column["times"] == [[0.03], [0.03]]
    assert column["median"] == 0.03
    assert content["rows"][0]["traffic"] == {"stream": 20_000_000, "gathers": {"256": 1_000_000}}
    assert content["rows"][0]["ratio"] == pytest.approx(2.0)
    assert content["rows"][0]["at_most"] == pytest.approx(4.0)
    assert content["rows"][1]["at_most"] is None


def test_the_picture_says_what_was_reached_and_what_memory_allows() -> None:
    done, wrong = _rows()
    assert report._label(done, NAMES) == "sums\n×2.00, goal 1.5, at most 4.0"
    assert report._label(done, ["dgl", "pyg"]) == "sums\n×0.67, at most 4.0"
    assert report._label(wrong, NAMES) == "wrong"


def test_geometric_mean() -> None:
    assert report.geometric_mean([2.0, 8.0]) == pytest.approx(4.0)


def test_picture_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    report.plot(tmp_path / "out.png", MACHINE, _rows(), NAMES)
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
