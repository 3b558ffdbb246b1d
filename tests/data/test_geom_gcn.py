"""Graphs in Geom-GCN's text format."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from gossamer.data import (
    ActorDataset,
    ChameleonDataset,
    CornellDataset,
    SquirrelDataset,
    TexasDataset,
    WisconsinDataset,
)
from gossamer.errors import FileError
from helpers.digests import digest
from helpers.paths import shared_data

NODES = "node_id\tfeature\tlabel\n2\t0,1,1\t0\n0\t1,0,0\t2\n1\t0,0,1\t1\n"
POSITIONS = "node_id\tfeature\tlabel\n2\t1,2\t0\n0\t0\t2\n1\t2\t1\n"
EDGES = "node_id\tnode_id\n0\t1\n2\t1\n0\t1\n2\t2\n"


def _write(folder: Path, stem: str, nodes: str = NODES, edges: str = EDGES) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "out1_node_feature_label.txt").write_text(nodes, encoding="latin1")
    (folder / "out1_graph_edges.txt").write_text(edges, encoding="latin1")
    for split in range(10):
        part = (np.arange(3) + split) % 3
        masks = {
            f"{name}_mask": (part == n).astype(np.uint8)
            for n, name in enumerate(("train", "val", "test"))
        }
        np.savez(folder / f"{stem}_split_0.6_0.2_{split}.npz", **masks)


@pytest.mark.parametrize(
    ("kind", "stem", "nodes"),
    [
        (ActorDataset, "film", POSITIONS),
        (CornellDataset, "cornell", NODES),
        (TexasDataset, "texas", NODES),
        (WisconsinDataset, "wisconsin", NODES),
        (ChameleonDataset, "chameleon", NODES),
        (SquirrelDataset, "squirrel", NODES),
    ],
)
def test_contents(tmp_path: Path, kind: type, stem: str, nodes: str) -> None:
    _write(tmp_path, stem, nodes)
    dataset = kind(raw_dir=str(tmp_path))
    g = dataset[0]
    u, v = g.edges()
    assert (u.tolist(), v.tolist()) == ([1, 1, 1, 2], [0, 2, 0, 2])
    assert g.ndata["feat"].dtype == torch.float32
    assert g.ndata["feat"].tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 1]]
    assert g.ndata["label"].tolist() == [2, 1, 0]
    assert (dataset.num_classes, len(dataset)) == (3, 1)
    assert g.ndata["train_mask"][0].tolist() == [split % 3 == 0 for split in range(10)]
    assert g.ndata["test_mask"][1].tolist() == [(1 + split) % 3 == 2 for split in range(10)]


def test_actor_is_what_dgl_gives(tmp_path: Path) -> None:
    for file in [
        *shared_data("geom-gcn", "film").iterdir(),
        *shared_data("geom-gcn", "splits").glob("film_*"),
    ]:
        shutil.copy(file, tmp_path)
    # sha256 of what DGL 2.1.0 returned for the same files.
    g = ActorDataset(raw_dir=str(tmp_path))[0]
    assert (g.num_nodes(), g.num_edges()) == (7600, 33391)
    assert digest(*g.edges()) == "8e0c084197b6bdb5"
    assert digest(g.ndata["label"]) == "697482f1b5f45e09"
    masks = (g.ndata[f"{part}_mask"] for part in ("train", "val", "test"))
    assert digest(*masks) == "94bf67554e12e08a"
    assert g.ndata["feat"].shape == (7600, 932)
    assert int(g.ndata["feat"].sum()) == 40977


def test_the_folders_of_the_authors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOSSAMER_DATA_DIR", str(tmp_path))  # nothing is downloaded
    for name in ("film", "splits"):
        shutil.copytree(shared_data("geom-gcn", name), tmp_path / name)
    g = ActorDataset(raw_dir=str(tmp_path))[0]
    assert (g.num_nodes(), g.num_edges()) == (7600, 33391)
    next(tmp_path.glob("splits/film_*")).unlink()
    with pytest.raises(FileError, match="'actor' needs"):
        ActorDataset(raw_dir=str(tmp_path))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ("", "it is empty"),
        ("header\n", "it is empty"),
        (NODES.replace("2\t0,1,1\t0", "2\t0,1,1"), "not enough values"),
        (NODES.replace("2\t0,1,1\t0", "2\t0,1\t0"), "same shape"),
        (NODES.replace("2\t0,1,1\t0", "3\t0,1,1\t0"), "node ids are not 0"),
        (NODES.replace("2\t0,1,1\t0", "1\t0,1,1\t0"), "node ids are not 0"),
        (NODES.replace("2\t0,1,1\t0", "2\t0,1,1\t-1"), "a class is negative"),
        (NODES.replace("2\t0,1,1\t0", "2\t0,1,x\t0"), "invalid literal"),
        (NODES.replace("2\t0,1,1\t0", "2\t0,1,\xe9\t0"), "can't decode"),
    ],
)
def test_bad_node_files(tmp_path: Path, nodes: str, message: str) -> None:
    _write(tmp_path, "texas", nodes=nodes)
    with pytest.raises(
        FileError, match=f"node_feature_label.txt is truncated or corrupt.*{message}"
    ):
        TexasDataset(raw_dir=str(tmp_path))


@pytest.mark.parametrize("position", ["-1", "999999999"])
def test_bad_positions(tmp_path: Path, position: str) -> None:
    _write(tmp_path, "film", nodes=POSITIONS.replace("1,2", f"1,{position}"))
    with pytest.raises(FileError, match="a feature number is not in 0"):
        ActorDataset(raw_dir=str(tmp_path))


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ("", "it is empty"),
        (EDGES + "0\t3\n", r"a node id is not in 0 \.\.\. 2"),
        (EDGES + "0\t-1\n", r"a node id is not in 0 \.\.\. 2"),
        (EDGES + "0\t1\t2\n", "inhomogeneous"),
        (EDGES + "0\tx\n", "invalid literal"),
        ("header\n1\n2\n", "expected two node ids"),
    ],
)
def test_bad_edge_files(tmp_path: Path, edges: str, message: str) -> None:
    _write(tmp_path, "texas", edges=edges)
    with pytest.raises(FileError, match=f"graph_edges.txt is truncated or corrupt.*{message}"):
        TexasDataset(raw_dir=str(tmp_path))


def test_bad_split(tmp_path: Path) -> None:
    _write(tmp_path, "texas")
    wrong = dict.fromkeys(("train_mask", "val_mask", "test_mask"), np.ones(4, dtype=np.uint8))
    np.savez(tmp_path / "texas_split_0.6_0.2_7.npz", **wrong)
    with pytest.raises(FileError, match=r"split_0\.6_0\.2_7\.npz .* masks of 3 zeros and ones"):
        TexasDataset(raw_dir=str(tmp_path))
