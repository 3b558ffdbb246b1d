"""The examples as commands: help, one-line answers to wrong values, and a short run."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

import gossamer as gs
from helpers.paths import REPOSITORY, shared_data

EXAMPLES = sorted(path.stem for path in (REPOSITORY / "examples").glob("*.py"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run an example; return its exit code, output and errors."""

    def run(name: str, *argv: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *argv])
        code: object = 0
        try:
            runpy.run_path(str(REPOSITORY / "examples" / f"{name}.py"), run_name="__main__")
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("name", EXAMPLES)
def test_help_is_whole_sentences_and_tells_defaults(run, monkeypatch, name: str) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setitem(sys.modules, "sklearn", None)
    code, out, err = run(name, "--help")
    assert (code, err) == (0, "")
    usage, summary, options = out.split("\n\n", 2)
    assert summary.startswith("Train ") and summary.endswith(".")
    _, _, *entries = " ".join(options.split()).split(" --")
    assert len(entries) == usage.count("[--") > 0
    assert all("(default: " in entry for entry in entries)


@pytest.mark.parametrize(
    ("name", "argv", "message"),
    [
        ("gat_planetoid", ["--seeds", "0"], "--seeds must be at least 1, got 0"),
        ("gcn_planetoid", ["--seeds", "-1"], "--seeds must be at least 1, got -1"),
        ("minesweeper", ["--splits", "0"], "--splits must lie between 1 and 10"),
        ("minesweeper", ["--splits", "11"], "--splits must lie between 1 and 10"),
        ("minesweeper", ["--layers", "0"], "--layers must be at least 1"),
        ("minesweeper", ["--hidden", "0"], "--hidden must be at least 1"),
        ("minesweeper", ["--model", "gat", "--hidden", "9"], "must be a multiple of 8 for gat"),
        ("minesweeper", ["--dropout", "1"], "--dropout must be at least 0 and below 1"),
        ("minesweeper", ["--lr", "0"], "--lr must be above 0"),
        ("minesweeper", ["--steps", "9"], "--steps must be at least 10"),
    ],
)
def test_wrong_values(run, name: str, argv: list[str], message: str) -> None:
    code, _, err = run(name, *argv)
    assert code == 2
    assert message in err.splitlines()[-1]


@pytest.mark.parametrize("name", EXAMPLES)
def test_files_that_cannot_be_had(run, monkeypatch, tmp_path: Path, name: str) -> None:
    def absent(*_: object, **__: object) -> None:
        raise gs.FileError("no network")

    monkeypatch.setattr("gossamer.data.raw.download", absent)
    code, out, err = run(name, "--raw-dir", str(tmp_path / "nowhere"))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"{name}.py: error: Dataset ") and "(no such folder). no network" in err


def test_without_scikit_learn(run, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    code, out, err = run("minesweeper")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "pip install scikit-learn" in err


@pytest.mark.parametrize("model", ["gcn", "sage", "gat"])
def test_a_short_run(run, model: str) -> None:
    folder = str(shared_data("heterophilous-graphs"))
    short = ["--splits", "2", "--layers", "1", "--hidden", "8", "--steps", "10"]
    code, out, err = run("minesweeper", "--model", model, "--raw-dir", folder, *short)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.partition(":")[0] for line in lines[:2]] == ["split 0", "split 1"]
    assert lines[2].startswith(f"{model} on minesweeper: ROC AUC ") and " over 2 splits" in lines[2]
