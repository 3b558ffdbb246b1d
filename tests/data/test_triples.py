"""Knowledge graphs in files without dictionaries, and what is wrong in such files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import gossamer.data as data
from gossamer.errors import FileError, InvalidValueError

ROWS = {"train": [("x", "r", "y"), ("y", "s", "x")], "valid": [("z", "r", "x")], "test": []}


def _write(folder: Path, order: tuple[int, int, int]) -> None:
    folder.mkdir()
    for part, rows in ROWS.items():
        lines = ["\t".join(row[i] for i in order) for row in rows]
        (folder / f"{part}.txt").write_text("\n".join(lines))


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2)])
def test_the_relation_may_come_first(tmp_path: Path, order: tuple[int, int, int]) -> None:
    _write(tmp_path / "nations", order)
    dataset = data.SmallKnowledgeGraphDataset("nations", reverse=False, raw_dir=str(tmp_path))
    g = dataset[0]
    assert (dataset.num_nodes, dataset.num_rels) == (3, 2)
    heads, tails = g.edges()
    facts = set(zip(heads.tolist(), g.edata["etype"].tolist(), tails.tolist(), strict=True))
    assert facts == {(0, 0, 1), (1, 1, 0), (2, 0, 0)}
    assert [int(g.edata[f"{part}_mask"].sum()) for part in ("train", "val", "test")] == [2, 1, 0]


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    _write(tmp_path / "umls", (0, 1, 2))
    path = tmp_path / "umls" / "train.txt"
    for text, message in (
        ("", "it has no facts"),
        ("x\tr\ty\nx\tr\n", "line 2: expected head, relation and tail, got 2"),
        ("a\tb\tc\n", "heads and tails share no names"),
    ):
        path.write_text(text)
        with pytest.raises(FileError, match=message):
            data.SmallKnowledgeGraphDataset("umls", raw_dir=str(tmp_path))
    with pytest.raises(InvalidValueError, match="expected kinship, nations"):
        data.SmallKnowledgeGraphDataset("nation", raw_dir=str(tmp_path))


@pytest.mark.parametrize("name", ["kinship", "nations", "umls", "countries_S3"])
def test_real_sizes(name: str, linked: Callable[[str], str]) -> None:
    dataset = data.SmallKnowledgeGraphDataset(name, raw_dir=linked(f"kg-small/{name}"))
    row = dataset.entry
    assert (dataset[0].num_nodes(), dataset[0].num_edges(), dataset.num_rels) == (
        row.nodes,
        row.edges,
        row.classes,
    )
    assert not torch.equal(*dataset[0].edges())
