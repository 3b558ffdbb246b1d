"""`gossamer datasets`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import gossamer as gs
from gossamer.cli import dataset_page, main
from gossamer.data.registry import DATASETS


def test_every_dataset_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    for name, info in DATASETS.items():
        for count in (info.nodes, info.edges, info.classes):
            assert ("?" if count < 0 else f"{count:,}") in rows[name].split(), name
        assert info.metric in rows[name].split()
        assert ("download" in rows[name].split()) == info.download
        assert info.reference in rows[name]
        assert info.licence in rows[name]


def test_summary_of_one_graph(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "show", "karate"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^_N +34$", out, re.MULTILINE)
    assert re.search(r"^_N _E _N +156$", out, re.MULTILINE)
    # 17 members on each side; 11 of the club have two friends, 6 have three.
    assert re.search(r"^0  17  #{40}$", out, re.MULTILINE)
    assert re.search(r"^ *2-3  17  #+$", out, re.MULTILINE)
    # Eleven of 78 friendships join the two sides.
    assert f"edge homophily     {67 / 78:.3f}" in out


def test_summary_of_many_graphs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "show", "mini-gc"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^graphs +160$", out, re.MULTILINE)
    assert re.search(r"classes of graphs\n0  20  #{40}", out)


@pytest.mark.parametrize(
    ("name", "nodes", "texts"),
    [
        ("karate", 34, ["All 34 nodes of the graph", f">{67 / 78:.3f}<", "In-degrees", "2-3"]),
        ("mini-gc", None, ["nodes of the first graph", "Classes of graphs"]),
        ("ba-shapes", 150, ["150 of 700 nodes of the graph", "colored by class"]),
    ],
)
def test_page(name: str, nodes: int | None, texts: list[str], tmp_path: Path, capsys) -> None:
    file = tmp_path / "page.html"
    assert main(["datasets", "show", name, "--page", str(file)]) == 0
    assert capsys.readouterr().out.endswith(f"The page is {file}\n")
    page = file.read_text(encoding="utf-8")
    assert [text for text in ["Gossamer dataset", *texts] if text not in page] == []
    assert nodes in (None, page.count("<circle"))
    assert not re.search(r"(src|href)=|url\(", page), "the page needs another file"
    if name == "karate":
        # Each friendship is drawn once.
        assert re.search(r'<path d="([^"]*)"', page)[1].count("M") == 78


def test_picture_of_a_heterogeneous_graph() -> None:
    g = gs.heterograph(
        {("user", "rates", "movie"): ([0, 1, 1], [0, 0, 1])}, {"user": 3, "movie": 2}
    )
    text = dataset_page._picture(g, 1)
    assert "colored by type" in text and text.count("<circle") == 5
    assert re.search(r'<path d="([^"]*)"', text)[1].count("M") == 3
    assert all(f">{ntype}</span>" in text for ntype in ("user", "movie"))


def test_places_are_by_distance_in_the_graph() -> None:
    # A path: its ends are farthest from each other, and neighbors are close.
    links = np.stack([np.arange(9), np.arange(1, 10)], 1)
    places = dataset_page._places(10, links)
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    assert np.isfinite(distance).all()
    assert distance[links[:, 0], links[:, 1]].max() < distance[0, 9] / 2


def test_a_page_that_cannot_be_written(fails: Callable[..., str], tmp_path: Path) -> None:
    assert "must end in .html" in fails("datasets", "show", "karate", "--page", "page.pdf")
    (tmp_path / "file").write_text("")
    page = str(tmp_path / "file" / "page.html")
    assert "Cannot write" in fails("datasets", "show", "karate", "--page", page)


def test_summary_of_an_unknown_dataset(fails: Callable[..., str]) -> None:
    assert "There is no dataset 'kora'" in fails("datasets", "show", "kora")
    assert "required: NAME" in fails("datasets", "show")
