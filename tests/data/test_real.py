"""Datasets from public raw files, beside what DGL 2.1.0 makes of the same files.

``golden/real.json`` holds digests of everything that DGL's datasets contain.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import gossamer.data as data
from gossamer.errors import FileError
from helpers.dataset_cases import describe
from helpers.paths import shared_data

ANSWERS = json.loads((Path(__file__).parent / "golden" / "real.json").read_text("utf-8"))
LEFTOVERS = ("_ID", "__orig__", "edge_attr")


def _link(folder: Path, *parts: str, rename: str | None = None) -> Path:
    """Make links to shared files, so that nothing is written beside them."""
    source = shared_data(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir() if source.is_dir() else [source]:
        if path.is_file():
            (folder / (rename or path.name)).symlink_to(path)
    return folder


def _digest(dataset: Any) -> str:
    items = describe(dataset)["items"]
    for item in items:
        for part in ("nodes", "edges"):
            for value in item[0][part].values():
                for name in LEFTOVERS:
                    value[-1].pop(name, None)
    return hashlib.sha256(json.dumps(items, sort_keys=True).encode()).hexdigest()[:16]


def _gin(name: str) -> Callable[[Path], Any]:
    def make(folder: Path) -> Any:
        _link(folder / name, "graph-classification", name)
        return data.GINDataset(name, False, name == "IMDBBINARY", raw_dir=str(folder))

    return make


def _linked(cls: Any, *parts: str, to: str = "", rename: str | None = None, **arguments: Any):
    def make(folder: Path) -> Any:
        _link(folder / to, *parts, rename=rename)
        return cls(raw_dir=str(folder), verbose=False, **arguments)

    return make


REAL = {
    "FB15k237": _linked(data.FB15k237Dataset, "FB15K237"),
    "WN18": _linked(data.WN18Dataset, "WN18"),
    "GIN MUTAG": _gin("MUTAG"),
    "GIN PTC": _gin("PTC"),
    "GIN IMDBBINARY": _gin("IMDBBINARY"),
    "TU ENZYMES": _linked(data.TUDataset, "ENZYMES", to="ENZYMES", name="ENZYMES"),
    "LegacyTU ENZYMES": _linked(data.LegacyTUDataset, "ENZYMES", to="ENZYMES", name="ENZYMES"),
    "Bitcoin": _linked(data.BitcoinOTCDataset, "bitcoin", "soc-sign-bitcoinotc.csv"),
}


@pytest.mark.parametrize("name", REAL)
def test_as_dgl_reads_them(name: str, tmp_path: Path) -> None:
    assert _digest(REAL[name](tmp_path)) == ANSWERS[name]


def test_cora_full_as_dgl_reads_it(tmp_path: Path) -> None:
    make = _linked(data.CoraFullDataset, "gnn-benchmark", "cora.npz", rename="cora_full.npz")
    assert _content(make(tmp_path)[0]) == ANSWERS["CoraFull cora"]


def _content(g: Any) -> str:
    """A digest of nodes and edges, whatever the order of nodes.

    SciPy's reverse Cuthill-McKee leaves ties to NumPy's sort, which depends on the processor and
    on the version.
    """
    rows = zip(g.ndata["feat"].numpy(), g.ndata["label"].tolist(), strict=True)
    nodes = [hashlib.sha256(x.tobytes() + str(y).encode()).hexdigest() for x, y in rows]
    edges = sorted(
        (nodes[u], nodes[v]) for u, v in zip(*map(Tensor.tolist, g.edges()), strict=True)
    )
    return hashlib.sha256(json.dumps([sorted(nodes), edges]).encode()).hexdigest()[:16]


@pytest.mark.slow
def test_nci1_as_dgl_reads_it(tmp_path: Path) -> None:
    assert _digest(_gin("NCI1")(tmp_path)) == ANSWERS["GIN NCI1"]


def test_folds_of_mutag(tmp_path: Path) -> None:
    folder = _link(tmp_path / "MUTAG", "graph-classification", "MUTAG")
    assert (data.GINDataset("MUTAG", False, raw_dir=str(tmp_path)).fold == -1).all()
    _link(folder / "10fold_idx", "graph-classification", "MUTAG", "10fold_idx")
    dataset = data.GINDataset("MUTAG", False, raw_dir=str(tmp_path), force_reload=True)
    # Eight graphs are in no test fold.
    assert (dataset.fold + 1).bincount().tolist() == [8, *[18] * 10]
    text = (folder / "10fold_idx" / "test_idx-10.txt").read_text()
    assert sorted(map(int, text.split())) == (dataset.fold == 9).nonzero().flatten().tolist()
    (folder / "10fold_idx" / "test_idx-3.txt").unlink()
    (folder / "10fold_idx" / "test_idx-3.txt").write_text("5\n188\n")
    with pytest.raises(
        FileError, match=r"test_idx-3.txt, line 2: graph 188 is not in 0 \.\.\. 187"
    ):
        data.GINDataset("MUTAG", False, raw_dir=str(tmp_path), force_reload=True)


def test_movie_lens_as_dgl_reads_it(tmp_path: Path) -> None:
    folder = _link(tmp_path / "ml-100k", "ml-100k")
    features = torch.arange(1682 * 3).reshape(1682, 3).float()
    (folder / "movie_feat.pkl").write_bytes(pickle.dumps(features))
    dataset = data.MovieLensDataset("ml-100k", 0.1, raw_dir=str(tmp_path))
    g = dataset[0]
    feat = g.nodes["user"].data.pop("feat")
    assert _digest(dataset) == ANSWERS["MovieLens"]
    # The order of DGL's occupations differs from run to run.
    assert feat.shape == (943, 2 + 21)
    assert feat[0, :2].tolist() == pytest.approx([24 / 50, 0])
    assert feat[1, :2].tolist() == pytest.approx([53 / 50, 1])
    assert (feat[:, 2:].sum(1) == 1).all()


def test_movie_lens_without_features(tmp_path: Path) -> None:
    _link(tmp_path / "ml-100k", "ml-100k")
    g = data.MovieLensDataset("ml-100k", 0.1, raw_dir=str(tmp_path))[0]
    feat = g.nodes["movie"].data["feat"]
    assert feat.shape == (1682, 19)
    # Toy Story: animation, children's, comedy.
    assert feat[0].nonzero().squeeze(1).tolist() == [3, 4, 5]
