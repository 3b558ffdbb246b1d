"""Formats of one dataset or two: groups in MATLAB files, messages, series."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse
import torch

import gossamer.data as data
from gossamer.errors import FileError, InvalidValueError
from helpers.paths import shared_data

REAL = [
    ("BlogCatalogDataset", {}, "blogcatalog/blogcatalog.mat"),
    ("MessagesDataset", {"name": "CollegeMsg"}, "CollegeMsg/CollegeMsg.txt"),
    ("SpatioTemporalDataset", {"name": "chickenpox"}, "spatiotemporal/chickenpox.json"),
    ("SpatioTemporalDataset", {"name": "pedalme_london"}, "spatiotemporal/pedalme_london.json"),
]


@pytest.mark.parametrize(("kind", "arguments", "file"), REAL)
def test_real_sizes(kind: str, arguments: dict, file: str, tmp_path: Path) -> None:
    source = shared_data(*file.split("/"))
    (tmp_path / source.name).symlink_to(source)
    dataset = getattr(data, kind)(**arguments, raw_dir=str(tmp_path))
    g, row = dataset[0], dataset.entry
    assert (g.num_nodes(), g.num_edges()) == (row.nodes, row.edges)
    if row.classes:
        assert (
            g.ndata["label"].shape == (row.nodes, row.classes) and g.ndata["label"].sum() == 14476
        )


def test_groups(tmp_path: Path) -> None:
    path = tmp_path / "blogcatalog.mat"
    network = scipy.sparse.csc_matrix([[0, 1.0, 0], [1, 0, 1], [0, 1, 0]])
    group = scipy.sparse.csc_matrix([[1.0, 0], [1, 1], [0, 0]])
    scipy.io.savemat(path, {"network": network, "group": group})
    g = data.BlogCatalogDataset(raw_dir=str(tmp_path))[0]
    assert [ends.tolist() for ends in g.edges()] == [[0, 1, 1, 2], [1, 0, 2, 1]]
    assert g.ndata["label"].tolist() == [[1, 0], [1, 1], [0, 0]]
    scipy.io.savemat(path, {"network": network, "group": group[:2]})
    with pytest.raises(FileError, match=r"'network' is \(3, 3\) and 'group' \(2, 2\)"):
        data.BlogCatalogDataset(raw_dir=str(tmp_path), force_reload=True)


def test_messages_are_put_in_order(tmp_path: Path) -> None:
    (tmp_path / "CollegeMsg.txt").write_text("7 2 50\n2 9 20\n9 7 50\n")
    g = data.MessagesDataset("CollegeMsg", raw_dir=str(tmp_path))[0]
    assert g.ndata["id"].tolist() == [2, 7, 9]
    assert [ends.tolist() for ends in g.edges()] == [[0, 1, 2], [2, 0, 1]]
    assert g.edata["time"].tolist() == [20, 50, 50]
    (tmp_path / "CollegeMsg.txt").write_text("7 2 50\n2 9\n")
    with pytest.raises(FileError, match=r"line 2: expected 3 values, got 2"):
        data.MessagesDataset("CollegeMsg", raw_dir=str(tmp_path), force_reload=True)
    with pytest.raises(InvalidValueError, match="expected CollegeMsg"):
        data.MessagesDataset("mail", raw_dir=str(tmp_path))


def test_series(tmp_path: Path) -> None:
    path = tmp_path / "pedalme_london.json"
    content = {"edges": [[0, 1], [1, 0]], "weights": [0.5, 2], "X": [[1, 2], [3, 4], [5, 6]]}

    def read(**changes: object) -> data.SpatioTemporalDataset:
        path.write_text(json.dumps({**content, **changes}))
        return data.SpatioTemporalDataset(
            "pedalme_london", raw_dir=str(tmp_path), force_reload=True
        )

    g = read()[0]
    assert g.ndata["feat"].tolist() == [[1, 3, 5], [2, 4, 6]]
    assert torch.equal(g.edata["weight"], torch.tensor([0.5, 2.0]))
    for changes, message in (
        ({"X": [[1, 2], [np.nan, 4]]}, "the value of node 0 at time 1 is nan"),
        ({"edges": [[0, 2], [1, 0]]}, "node 2 is not in 0 ... 1"),
        ({"weights": [1]}, "weights is"),
    ):
        with pytest.raises(FileError, match=message):
            read(**changes)
