"""DBLP: the restriction to labelled authors, counts of terms, and broken files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import gossamer as gs
from gossamer.data import DBLPDataset
from gossamer.data.readers import dblp
from gossamer.errors import FileError
from helpers.paths import shared_data

FILES = {
    "author_label": "7\t3\tAda\n5\t0\tBob\n",
    # Author 9 has no class, so paper 30 is left out.
    "paper_author": "20\t5\n10\t7\n20\t7\n30\t9\n",
    "paper_conf": "10\t2\n20\t1\n30\t4\n",
    "paper_term": "10\t8\n20\t8\n20\t6\n30\t6\n",
}


def _write(folder: Path, **changes: str) -> DBLPDataset:
    for name, text in (FILES | changes).items():
        (folder / f"{name}.txt").write_text(text)
    return DBLPDataset(raw_dir=str(folder))


def test_restriction_and_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dblp, "_LEAST_PAPERS", 2)
    dataset = _write(tmp_path)
    g = dataset[0]
    assert (dataset.num_classes, dataset.predict_category) == (4, "author")
    sizes = {ntype: g.num_nodes(ntype) for ntype in g.ntypes}
    assert sizes == {"author": 2, "paper": 2, "term": 2, "venue": 2}
    assert g.nodes["author"].data["label"].tolist() == [0, 3]
    ends = {
        etype[1]: [end.tolist() for end in g.edges(etype=etype)] for etype in g.canonical_etypes
    }
    assert ends == {
        "written by": [[1, 0, 1], [0, 1, 1]],
        "writes": [[0, 1, 1], [1, 0, 1]],
        "at": [[0, 1], [1, 0]],
        "hosts": [[1, 0], [0, 1]],
        "uses": [[0, 1, 1], [1, 1, 0]],
        "in": [[1, 1, 0], [0, 1, 1]],
    }
    # Only term 8 is used by two papers.
    assert g.nodes["paper"].data["feat"].tolist() == [[1.0], [1.0]]
    assert g.nodes["author"].data["feat"].tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"author_label": "7\t4\tAda\n"}, r"line 1: class 4, expected 0 \.\.\. 3"),
        ({"author_label": "7\t1\n\n7\t1\n"}, "line 3: author 7 occurs twice"),
        ({"author_label": "Ada\t1\n"}, "line 1: expected an id, a tab and a class"),
        ({"author_label": "\n"}, "it has no author"),
        ({"paper_author": "1\t2\n"}, "paper_author.txt .* no row of it mentions a known id"),
        ({"paper_conf": "10\tx\n"}, "line 1: 'x' is not an integer"),
    ],
)
def test_broken_files(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(FileError, match=message):
        _write(tmp_path, **changes)


def test_whole(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / f"{name}.txt").symlink_to(shared_data("DBLP", f"{name}.txt"))
    g = DBLPDataset(raw_dir=str(tmp_path))[0]
    sizes = {ntype: g.num_nodes(ntype) for ntype in g.ntypes}
    assert sizes == {"author": 4057, "paper": 14328, "term": 8898, "venue": 20}
    edges = [g.num_edges(etype) for etype in ("writes", "in", "hosts")]
    assert edges == [19645, 114273, 14328]
    assert g.nodes["author"].data["label"].bincount().tolist() == [1197, 745, 1109, 1006]
    counts = {ntype: g.nodes[ntype].data["feat"] for ntype in ("author", "paper")}
    summed = gs.ops.copy_u_sum(g["written by"], counts["paper"])
    torch.testing.assert_close(counts["author"], summed)
    assert counts["paper"].sum(0).min() >= 50
