"""`gossamer datasets`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer.cli import dataset_page, datasets, main
from gossamer.data.registry import DATASETS
from helpers.raw_formats import write_ppi


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
    assert re.search(r"^nodes +34$", out, re.MULTILINE)
    assert re.search(r"^edges +156$", out, re.MULTILINE)
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


def test_a_summary_that_counts_some_of_the_graphs(capsys, monkeypatch) -> None:
    monkeypatch.setattr(datasets, "_MAX_GRAPHS", 20)
    assert main(["datasets", "show", "mini-gc"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^counted +the first 20 graphs$", out, re.MULTILINE)
    assert re.search(r"classes of graphs\n0  20  #{40}", out)


def test_in_degrees_are_of_nodes_and_not_of_each_relation() -> None:
    g = gs.heterograph(
        {("a", "x", "b"): ([0, 1], [0, 0]), ("b", "y", "b"): ([1], [0])}, {"a": 2, "b": 2}
    )
    assert sorted(datasets._in_degrees(g).tolist()) == [0, 0, 0, 3]


class _Labelled:
    """Three graphs whose nodes have labels, as atoms have kinds, each with its `labels`."""

    def __init__(self, labels: list, names: list[str] | None = None) -> None:
        self.labels = labels
        if names:
            self.targets = names

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[gs.Graph, torch.Tensor]:
        g = gs.graph(([0], [1]))
        g.ndata["label"], g.ndata["feat"] = torch.tensor([7, 8]), torch.eye(2, 3)
        return g, torch.tensor(self.labels[number])


@pytest.mark.parametrize(
    ("dataset", "texts", "absent"),
    [
        (_Labelled([0, 1, 1]), ["classes of graphs\n0  1  #+\n1  2  #{40}\n"], "target"),
        (
            _Labelled([[0.0, 1], [1, math.nan], [1, 0]], ["toxic", "soluble"]),
            ["graphs with each label\n +toxic  2  #{40}\nsoluble  1  #{20}\n"],
            "target",
        ),
        (
            _Labelled([[-1.0], [2], [math.nan]], ["exp"]),
            ["target exp +mean 0.5, deviation 1.5, from -1 to 2, known for 2\n"],
            "classes",
        ),
        (
            _Labelled([[math.nan, 2.0], [math.nan, 3]], ["a", "b"]),
            ["target a +never known\n", "target b +mean 2.5"],
            "classes",
        ),
    ],
)
def test_what_graphs_are_labelled_with(
    capsys, monkeypatch, dataset: _Labelled, texts: list[str], absent: str
) -> None:
    monkeypatch.setattr(datasets.registry, "load", lambda *_, **__: dataset)
    assert main(["datasets", "show", "mini-gc"]) == 0
    out = capsys.readouterr().out
    assert [text for text in texts if not re.search(text, out)] == []
    # The labels of nodes of such graphs are no classes.
    assert "homophily" not in out and absent not in out
    assert re.search(
        r"^features +\(3,\) for each node, 66.7% zeros in the first", out, re.MULTILINE
    )


def test_ratings_and_relations(capsys, monkeypatch) -> None:
    g = gs.graph(([0, 1, 1], [1, 0, 1]))
    g.edata["etype"] = torch.tensor([3, 3, 5])
    g.edata["rate"] = torch.tensor([1.0, 4.5, 4.5])
    g.edata["train_mask"] = torch.tensor([True, True, False])
    monkeypatch.setattr(datasets.registry, "load", lambda *_, **__: [g])
    assert main(["datasets", "show", "mini-gc"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"ratings\n +1  1  #{20}\n4.5  2  #{40}\n", out)
    assert re.search(r"facts of each relation\n3  2  #{40}\n5  1  #{20}\n", out)
    assert re.search(r"^train_mask +2 edges$", out, re.MULTILINE)


def test_facts_are_counted_as_published(capsys, tmp_path: Path) -> None:
    for part, facts in (("train", "arb asc brc"), ("valid", "cra"), ("test", "csb")):
        (tmp_path / f"{part}.txt").write_text("".join("\t".join(f) + "\n" for f in facts.split()))
    assert main(["datasets", "show", "nations", "--raw-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^counted +facts as published; the class adds the reverse", out, re.MULTILINE)
    assert re.search(r"^edges +5$", out, re.MULTILINE)
    # Nothing follows the second relation.
    assert re.search(r"facts of each relation\n0  3  #{40}\n1  2  #{27}\n\n", out)
    for mask, count in (("train", 3), ("val", 1), ("test", 1)):
        assert re.search(rf"^{mask}_mask +{count} edges$", out, re.MULTILINE)


def test_edges_of_graphs_that_grow_are_counted_once(capsys, tmp_path: Path) -> None:
    lines = [f"{i % 3 + 1},{i % 4 + 4},5,{1289241911 + i * 86400}\n" for i in range(60)]
    (tmp_path / "soc-sign-bitcoinotc.csv").write_text("".join(lines))
    page = tmp_path / "page.html"
    argv = ["datasets", "show", "bitcoinotc", "--raw-dir", str(tmp_path), "--page", str(page)]
    assert main(argv) == 0
    out = capsys.readouterr().out
    graphs = gs.data.BitcoinOTCDataset(str(tmp_path)).graphs
    assert len(graphs) > 3 and re.search(rf"^graphs +{len(graphs)}$", out, re.MULTILINE)
    assert re.search(r"^counted +the last graph, which has the edges of all$", out, re.MULTILINE)
    assert re.search(r"^nodes +7$", out, re.MULTILINE)
    assert re.search(rf"^edges +{graphs[-1].num_edges()}$", out, re.MULTILINE)
    assert "All 7 nodes of the graph" in page.read_text(encoding="utf-8")


def test_all_parts_of_a_dataset_are_counted(capsys, tmp_path: Path) -> None:
    for mode in ("train", "valid", "test"):
        write_ppi(tmp_path, mode)
    assert main(["datasets", "show", "ppi", "--raw-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^graphs +24$", out, re.MULTILINE)
    assert re.search(r"^parts +train 20, val 2, test 2$", out, re.MULTILINE)
    nodes = sum(len(np.load(path)) for path in tmp_path.glob("*_feats.npy"))
    assert re.search(rf"^nodes +{nodes}$", out, re.MULTILINE)


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


def test_a_page_that_cannot_be_written(fails: Callable[..., str], tmp_path: Path) -> None:
    assert "must end in .html" in fails("datasets", "show", "karate", "--page", "page.pdf")
    (tmp_path / "file").write_text("")
    page = str(tmp_path / "file" / "page.html")
    assert "Cannot write" in fails("datasets", "show", "karate", "--page", page)


def test_summary_of_an_unknown_dataset(fails: Callable[..., str]) -> None:
    assert "There is no dataset 'kora'" in fails("datasets", "show", "kora")
    assert "required: NAME" in fails("datasets", "show")
