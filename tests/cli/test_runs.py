"""`gossamer runs`: the table and the page of several runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gossamer.cli import main
from gossamer.cli.runs import find_runs

TINY = ("--hidden", "4", "--epochs", "3", "--picture", "pca", "--quiet")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs below runs/: two finished, one that was killed."""
    folder = tmp_path_factory.mktemp("project")
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main(["train", *TINY]) == 0
        assert main(["train", "--model", "sage", "--seeds", "2", *TINY]) == 0
        assert main(["train", "--model", "gat", "--out", "runs/mine", *TINY]) == 0
    finally:
        os.chdir(before)
    for name in ("metrics.json", "report.html"):
        (folder / "runs/mine" / name).unlink()
    return folder / "runs"


def test_the_table(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(runs)]) == 0
    header, _, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["run", "data", "model", "seeds", "metric", "val", "test", "seconds",
                              "state"]  # fmt: skip
    assert [row.split()[2] for row in rows] == ["gcn", "sage", "gat"]
    metrics = json.loads((runs / "digits-sage/latest/metrics.json").read_text())
    test = metrics["summary"]["test"]
    assert f"{100 * test['mean']:.2f} ± {100 * test['std']:.2f}" in rows[1]
    assert [row.split()[-1] for row in rows] == ["finished", "finished", "resumable"]


def test_one_run_and_the_link_to_the_latest(runs: Path) -> None:
    assert find_runs([str(runs / "digits-gcn/latest")]) == [runs / "digits-gcn/latest"]
    assert len(find_runs([str(runs), str(runs / "mine")])) == 3


def test_the_page(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "compare.html"
    assert main(["runs", str(runs), "--page", str(page)]) == 0
    assert capsys.readouterr().out.endswith(f"The page is {page}\n")
    text = page.read_text(encoding="utf-8")
    assert "3 runs" in text and "training loss" in text and "validation accuracy" in text
    for name in ("digits-gcn/", "digits-sage/", "runs/mine"):
        assert text.count(name) >= 4, name
    assert text.count('class="plot"') == 6 and 'aria-label="Table of runs"' in text
    assert "http://" not in text.replace("http://www.w3.org", "") and "https://" not in text


def test_wrong_folders(runs: Path, tmp_path: Path, fails: Callable[..., str]) -> None:
    assert "There is no folder 'nowhere'" in fails("runs", "nowhere")
    assert "There is no run in or below" in fails("runs", str(tmp_path))
    assert "--page must end in .html" in fails("runs", str(runs), "--page", "x.pdf")
    empty = tmp_path / "run"
    empty.mkdir()
    (empty / "config.json").write_text("[")
    assert "there are no curves" in fails("runs", str(empty), "--page", str(tmp_path / "x.html"))
    (empty / "history.csv").write_text("seed,epoch\n1,2\n")
    assert "history.csv' is damaged" in fails(
        "runs", str(empty), "--page", str(tmp_path / "x.html")
    )
