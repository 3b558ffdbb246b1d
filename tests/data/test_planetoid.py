"""Citation networks: a plain reading of the format, and what DGL 2.1.0 makes of the real files."""

from __future__ import annotations

import pickle
import shutil
import socket
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch

from gossamer.data import (
    CitationGraphDataset,
    CiteseerGraphDataset,
    CoraGraphDataset,
    PubmedGraphDataset,
    load_citeseer,
    load_cora,
    load_pubmed,
)
from gossamer.errors import FileError, UnknownKeyError
from helpers.digests import digest
from helpers.paths import shared_data
from helpers.raw_files import KNOWN, TEST_INDEX, TRAIN, planetoid_parts, write_planetoid

PARTS = ["x", "y", "tx", "ty", "allx", "ally", "graph", "test.index"]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("no_proxy", "*")


def _load(folder: Path, **arguments: Any) -> CoraGraphDataset:
    return CoraGraphDataset(raw_dir=str(folder), verbose=False, **arguments)


def _edges(dataset: CitationGraphDataset) -> list[tuple[int, int]]:
    u, v = dataset[0].edges()
    return list(zip(u.tolist(), v.tolist(), strict=True))


@pytest.mark.parametrize("place", [".", "cora", "cora_v2_d697a464"])
def test_nodes_row_by_row(tmp_path: Path, place: str) -> None:
    parts = write_planetoid(tmp_path / place)
    dataset = _load(tmp_path)
    g = dataset[0]
    words, classes = np.zeros((KNOWN + 5, 8)), np.zeros(KNOWN + 5)
    for row in range(KNOWN):
        words[row], classes[row] = parts["allx"][row].toarray(), parts["ally"][row].argmax()
    for row, node in enumerate(TEST_INDEX):
        words[node], classes[node] = parts["tx"][row].toarray(), parts["ty"][row].argmax()
    sums = np.maximum(words.sum(1, keepdims=True), 1)
    assert (len(dataset), dataset.num_classes, g.num_nodes()) == (1, 3, KNOWN + 5)
    assert g.ndata["feat"].dtype == torch.float32
    np.testing.assert_allclose(g.ndata["feat"], words / sums, rtol=1e-7)
    assert g.ndata["label"].tolist() == classes.astype(int).tolist()
    masks = {name: g.ndata[name].nonzero().flatten().tolist() for name in g.ndata if "mask" in name}
    assert masks == {
        "train_mask": list(range(TRAIN)),
        "val_mask": list(range(TRAIN, TRAIN + 500)),
        "test_mask": sorted(TEST_INDEX),
    }


@pytest.mark.parametrize("reverse_edge", [True, False])
def test_edges_in_the_order_of_networkx(tmp_path: Path, reverse_edge: bool) -> None:
    parts = write_planetoid(tmp_path)
    expected = nx.from_dict_of_lists(parts["graph"])
    expected = expected.to_directed() if reverse_edge else expected
    assert _edges(_load(tmp_path, reverse_edge=reverse_edge)) == list(expected.edges)


def test_reorder_relabels_everything_alike(tmp_path: Path) -> None:
    parts = planetoid_parts()
    # Make (nearly) every node recognizable by its words.
    parts["allx"].data[:] = np.arange(1, len(parts["allx"].data) + 1)
    write_planetoid(tmp_path, parts=parts)
    plain, moved = _load(tmp_path)[0], _load(tmp_path, reorder=True)[0]
    rows = [tuple(row) for row in plain.ndata["feat"].tolist()]
    node_of = {row: node for node, row in enumerate(rows) if rows.count(row) == 1}
    old = [node_of.get(tuple(row)) for row in moved.ndata["feat"].tolist()]
    known = [node for node, before in enumerate(old) if before is not None]
    assert len(known) > 450
    for name in ("label", "train_mask", "val_mask", "test_mask"):
        values = plain.ndata[name].tolist()
        assert [moved.ndata[name][n].item() for n in known] == [values[old[n]] for n in known]
    before = set(zip(*(end.tolist() for end in plain.edges()), strict=True))
    u, v = (end.tolist() for end in moved.edges())
    after = {(old[a], old[b]) for a, b in zip(u, v, strict=True)}
    assert {edge for edge in after if None not in edge} <= before
    assert v == sorted(v)
    assert moved.num_edges() == plain.num_edges()


# sha256 of what DGL 2.1.0 returned for the same files: edges, labels, masks.
_DGL = [
    (CoraGraphDataset, True, 10556, "0e5c17b5f6199e9d", "d0018d7ffd314eb2", "6bd8cc27013b1270"),
    (CoraGraphDataset, False, 5278, "30d92c985626e507", "d0018d7ffd314eb2", "6bd8cc27013b1270"),
    (CiteseerGraphDataset, True, 9228, "4930f0193113e5be", "448f8c04e02516b2", "10e6220ef6804cd1"),
    (CiteseerGraphDataset, False, 4676, "647eae53df6b3110", "448f8c04e02516b2", "10e6220ef6804cd1"),
]


@pytest.mark.parametrize(("kind", "reverse_edge", "num_edges", "edges", "labels", "masks"), _DGL)
def test_real_files_give_what_dgl_gives(
    kind: type, reverse_edge: bool, num_edges: int, edges: str, labels: str, masks: str
) -> None:
    folder = shared_data("planetoid")
    g = kind(raw_dir=str(folder), reverse_edge=reverse_edge)[0]
    assert g.num_edges() == num_edges
    assert digest(*g.edges()) == edges
    assert digest(g.ndata["label"]) == labels
    assert digest(*(g.ndata[f"{part}_mask"] for part in ("train", "val", "test"))) == masks
    sums = g.ndata["feat"].sum(1)
    assert (((sums - 1).abs() < 1e-5) | (sums == 0)).all()


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        (CoraGraphDataset, (2708, 10556, 1433, 7, 49216)),
        (CiteseerGraphDataset, (3327, 9228, 3703, 6, 105165)),
    ],
)
def test_published_sizes(kind: type, sizes: tuple[int, ...]) -> None:
    dataset = kind(raw_dir=str(shared_data("planetoid")))
    g = dataset[0]
    feat = g.ndata["feat"]
    found = (g.num_nodes(), g.num_edges(), feat.shape[1], dataset.num_classes)
    assert (*found, int((feat != 0).sum())) == sizes


def test_other_names(tmp_path: Path) -> None:
    for name, load in [("cora", load_cora), ("citeseer", load_citeseer), ("pubmed", load_pubmed)]:
        write_planetoid(tmp_path, name)
        assert load(raw_dir=str(tmp_path)).name == name
    assert PubmedGraphDataset(raw_dir=str(tmp_path)).num_classes == 3
    assert CitationGraphDataset("cora_v2", raw_dir=str(tmp_path)).name == "cora"
    with pytest.raises(UnknownKeyError, match=r"no citation network 'kora'\. Choose one of cora"):
        CitationGraphDataset("kora")


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_file_offline(tmp_path: Path, part: str) -> None:
    write_planetoid(tmp_path)
    (tmp_path / f"ind.cora.{part}").unlink()
    expected = rf"'cora' needs ind\.cora\.x, .* in {tmp_path}\. .*no network.*save it as"
    with pytest.raises(FileError, match=expected):
        _load(tmp_path)


def test_a_missing_folder_offline(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"nothing \(no such folder\)"):
        _load(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_truncated_files(tmp_path: Path, part: str, kept: float) -> None:
    write_planetoid(tmp_path)
    path = tmp_path / f"ind.cora.{part}"
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) // 4 * 4])
    with pytest.raises(FileError, match="truncated or corrupt"):
        _load(tmp_path)


def test_a_hostile_file(tmp_path: Path) -> None:
    write_planetoid(tmp_path)
    (tmp_path / "ind.cora.graph").write_bytes(b"cos\nsystem\n(S'touch evidence'\ntR.")
    with pytest.raises(FileError, match=r"ind\.cora\.graph is not trusted.*'os\.system'"):
        _load(tmp_path)


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("graph", {0: [9999]}, r"names nodes outside 0 \.\.\. 524"),
        ("graph", {-1: [0]}, r"names nodes outside 0 \.\.\. 524"),
        ("graph", {0: [2**70]}, r"names nodes outside 0 \.\.\. 524"),
        ("graph", {}, r"names nodes outside 0 \.\.\. 524, or none"),
        ("graph", {0: [1.5]}, "not a dictionary of lists of integers"),
        ("graph", {0: None}, "not a dictionary of lists of integers"),
        ("graph", {"a": [1]}, "not a dictionary of lists of integers"),
        ("graph", planetoid_parts()["ty"], "not a dictionary of lists of integers"),
        ("tx", planetoid_parts()["ty"], "not a sparse matrix"),
        ("ty", planetoid_parts()["tx"], "not a table of one-hot classes"),
        ("tx", planetoid_parts()["tx"][:2], "do not fit together"),
        ("tx", planetoid_parts()["tx"][:, :5], "do not fit together"),
        ("ally", planetoid_parts()["ally"][:, :2], "do not fit together"),
        ("ally", planetoid_parts()["ally"][:-1], "do not fit together"),
    ],
)
def test_files_that_make_no_graph(tmp_path: Path, part: str, value: object, message: str) -> None:
    write_planetoid(tmp_path)
    (tmp_path / f"ind.cora.{part}").write_bytes(pickle.dumps(value, protocol=4))
    with pytest.raises(FileError, match=message):
        _load(tmp_path)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("520 521 521 523", "do not fit together"),
        ("520 521 522 99999999", "do not fit together"),
        ("1 2 3 4", "do not fit together"),
        ("520 521 522 1e3", "not a list of node ids"),
        ("520 521 522 \xe9", "not a list of node ids"),
        ("520 521 522 99999999999999999999", "ids are too large"),
    ],
)
def test_bad_test_index(tmp_path: Path, index: str, message: str) -> None:
    write_planetoid(tmp_path)
    (tmp_path / "ind.cora.test.index").write_text(index, encoding="latin1")
    with pytest.raises(FileError, match=message):
        _load(tmp_path)


def test_downloads_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_planetoid(tmp_path / "source")
    asked = []

    def fetch(url: str, path: str, overwrite: bool, checksum: str, log: bool) -> str:
        asked.append((url, len(checksum)))
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return shutil.copy(tmp_path / "source" / Path(path).name, path)

    monkeypatch.setattr("gossamer.data.raw.download", fetch)
    dataset = _load(tmp_path / "cache")
    assert sorted(Path(dataset.raw_path).iterdir()) == sorted(
        tmp_path / "cache" / "cora" / f"ind.cora.{part}" for part in PARTS
    )
    base = "https://github.com/tkipf/gcn/raw/master/gcn/data/ind.cora."
    assert asked == [(base + part, 64) for part in PARTS]
