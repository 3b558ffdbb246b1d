"""Heterophilous graphs from npz files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gossamer.data import (
    AmazonRatingsDataset,
    HeterophilousGraphDataset,
    MinesweeperDataset,
    QuestionsDataset,
    RomanEmpireDataset,
    TolokersDataset,
    _files,
)
from gossamer.errors import FileError, UnknownKeyError
from helpers.digests import digest
from helpers.paths import shared_data
from helpers.raw_files import heterophilous_arrays


def _write(folder: Path, name: str = "minesweeper", **changes: np.ndarray | None) -> Path:
    arrays = {**heterophilous_arrays(), **changes}
    folder.mkdir(parents=True, exist_ok=True)
    kept = {key: array for key, array in arrays.items() if array is not None}
    np.savez(folder / f"{name}.npz", **kept)
    return folder / f"{name}.npz"


@pytest.mark.parametrize(
    "place", [".", "minesweeper", "minesweeper_61c0a166"], ids=["raw_dir", "raw_path", "dgl"]
)
def test_contents(tmp_path: Path, place: str) -> None:
    _write(tmp_path / place)
    dataset = MinesweeperDataset(raw_dir=str(tmp_path))
    arrays, g = heterophilous_arrays(), dataset[0]
    both = sorted([(a, b) for a, b in arrays["edges"]] + [(b, a) for a, b in arrays["edges"]])
    assert list(zip(*(end.tolist() for end in g.edges()), strict=True)) == both
    assert (dataset.num_classes, len(dataset)) == (3, 1)
    assert (g.ndata["feat"].dtype, g.ndata["label"].dtype) == (torch.float32, torch.int64)
    np.testing.assert_array_equal(g.ndata["feat"], arrays["node_features"])
    assert g.ndata["label"].tolist() == arrays["node_labels"].tolist()
    for part in ("train", "val", "test"):
        mask = g.ndata[f"{part}_mask"]
        assert (mask.dtype, mask.shape) == (torch.bool, (6, 10))
        for split in range(10):
            assert mask[:, split].tolist() == arrays[f"{part}_masks"][split].tolist()


def test_repeated_edges_and_loops_are_kept_once(tmp_path: Path) -> None:
    _write(tmp_path, edges=np.array([[0, 1], [1, 0], [0, 1], [2, 2]]))
    u, v = MinesweeperDataset(raw_dir=str(tmp_path))[0].edges()
    assert list(zip(u.tolist(), v.tolist(), strict=True)) == [(0, 1), (1, 0), (2, 2)]


def test_a_graph_without_edges(tmp_path: Path) -> None:
    _write(tmp_path, edges=np.empty((0, 2), dtype=np.int64))
    g = MinesweeperDataset(raw_dir=str(tmp_path))[0]
    assert (g.num_nodes(), g.num_edges()) == (6, 0)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (RomanEmpireDataset, "roman_empire"),
        (AmazonRatingsDataset, "amazon_ratings"),
        (MinesweeperDataset, "minesweeper"),
        (TolokersDataset, "tolokers"),
        (QuestionsDataset, "questions"),
    ],
)
def test_named_classes(tmp_path: Path, kind: type, name: str) -> None:
    _write(tmp_path, name)
    dataset = kind(raw_dir=str(tmp_path))
    assert dataset.name == name
    folder = "https://github.com/yandex-research/heterophilous-graphs/raw/main/data"
    assert dataset.url == f"{folder}/{name}.npz"


def test_unknown_name() -> None:
    with pytest.raises(
        UnknownKeyError, match=r"no heterophilous graph 'mines'\. Choose one of actor"
    ):
        HeterophilousGraphDataset("mines")


def test_minesweeper_is_what_dgl_gives() -> None:
    # sha256 of what DGL 2.1.0 returned for the same file.
    g = MinesweeperDataset(raw_dir=str(shared_data("heterophilous-graphs")))[0]
    assert g.num_edges() == 78804
    assert digest(*g.edges()) == "2d90ebe73e99433a"
    assert digest(g.ndata["label"]) == "b324395d32c92653"
    masks = (g.ndata[f"{part}_mask"] for part in ("train", "val", "test"))
    assert digest(*masks) == "fd2a255ea874503b"


@pytest.mark.parametrize("node", [6, -1])
def test_edges_of_nodes_that_are_not_there(tmp_path: Path, node: int) -> None:
    _write(tmp_path, edges=np.array([[0, 1], [0, node]]))
    with pytest.raises(FileError, match=f"'edges' names node {node}, but there are 6 nodes"):
        MinesweeperDataset(raw_dir=str(tmp_path))


@pytest.mark.parametrize(
    "changes",
    [
        {"edges": np.array([[0.0, 1.0]])},
        {"edges": np.array([0, 1])},
        {"edges": np.array([[0, 1, 2]])},
        {"node_labels": np.array([0, 1, 2])},
        {"node_labels": np.array([0, 1, 2, 0, 1, -1])},
        {"node_labels": np.array([0, 1, 2, 0, 1, 10**9])},
        {"node_labels": np.array([0.0, 1, 2, 0, 1, 2])},
        {"node_labels": np.array(3)},
        {"node_features": np.ones((5, 4))},
        {"node_features": np.ones(6)},
        {"node_features": np.full((6, 4), "a")},
        {"train_masks": np.ones((10, 5), dtype=bool)},
        {"val_masks": np.ones(6, dtype=bool)},
        {"test_masks": np.ones((10, 6))},
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, changes: dict[str, np.ndarray]) -> None:
    path = _write(tmp_path, **changes)
    with pytest.raises(FileError, match=f"{path} is not a graph of this kind.*do not fit"):
        MinesweeperDataset(raw_dir=str(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"node_features": np.array([[0.0], [1], [np.nan], [0], [np.inf], [1]])},
            "the features of node 2 are not finite",
        ),
        ({"node_labels": np.array([0, 1, 4, 0, 1, 2])}, "labels go up to 4, but .* has class 3"),
        ({"val_masks": np.zeros((10, 6), dtype=bool)}, "a val split has no nodes"),
    ],
)
def test_values_that_cannot_be_trained_on(
    tmp_path: Path, changes: dict[str, np.ndarray], message: str
) -> None:
    _write(tmp_path, **changes)
    with pytest.raises(FileError, match=f"The files of 'minesweeper' in .* are damaged: {message}"):
        MinesweeperDataset(raw_dir=str(tmp_path))


def test_a_text_file_is_no_archive(tmp_path: Path) -> None:
    _write(tmp_path).write_text("not found")
    with pytest.raises(FileError, match="not a plain npz archive") as caught:
        MinesweeperDataset(raw_dir=str(tmp_path))
    assert "pickle" not in str(caught.value)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_files.zipfile, "is_zipfile", refuse)
    with pytest.raises(FileError, match=r"Permission denied\. Check its permissions\.$"):
        MinesweeperDataset(raw_dir=str(tmp_path))


def test_missing_arrays(tmp_path: Path) -> None:
    _write(tmp_path, edges=None, val_masks=None)
    with pytest.raises(FileError, match="lacks the arrays edges, val_masks"):
        MinesweeperDataset(raw_dir=str(tmp_path))


def test_pickles_are_refused(tmp_path: Path) -> None:
    _write(tmp_path, edges=np.array([[0, None]], dtype=object))
    with pytest.raises(FileError, match="not a plain npz archive"):
        MinesweeperDataset(raw_dir=str(tmp_path))


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_truncated_files(tmp_path: Path, kept: float) -> None:
    path = _write(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(FileError, match="truncated, corrupt"):
        MinesweeperDataset(raw_dir=str(tmp_path))


@pytest.mark.parametrize("position", range(100, 1500, 50))
def test_flipped_bytes_load_or_are_refused(tmp_path: Path, position: int) -> None:
    path = _write(tmp_path)
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(content)
    try:
        g = MinesweeperDataset(raw_dir=str(tmp_path))[0]
    except FileError as error:
        assert str(path) in str(error)
    else:
        assert g.num_nodes() == 6
