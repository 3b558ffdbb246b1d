"""Graphs to predict links in, given as MATLAB files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from gossamer.data import SEALDataset
from gossamer.errors import FileError, UnknownKeyError
from helpers.paths import shared_data

SIZES = {
    "USAir": (332, 2126),
    "NS": (1589, 2742),
    "PB": (1222, 16714),
    "Yeast": (2375, 11693),
    "Celegans": (297, 2148),
    "Power": (4941, 6594),
    "Router": (5022, 6258),
    "Ecoli": (1805, 14660),
}


def _write(folder: Path, matrix: object, name: str = "net") -> SEALDataset:
    scipy.io.savemat(folder / "NS.mat", {name: matrix})
    return SEALDataset("NS", raw_dir=str(folder), verbose=False)


def test_both_directions_of_each_entry(tmp_path: Path) -> None:
    matrix = scipy.sparse.csc_matrix(np.array([[0, 1.0, 0], [1.0, 0, 2.0], [0, 0, 0]]))
    g = _write(tmp_path, matrix)[0]
    u, v = g.edges()
    assert g.num_nodes() == 3
    assert list(zip(u.tolist(), v.tolist(), strict=True)) == [(0, 1), (1, 0), (1, 2), (2, 1)]


@pytest.mark.parametrize("name", SIZES)
def test_real_files(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.mat").symlink_to(shared_data("seal-link-prediction", f"{name}.mat"))
    dataset = SEALDataset(name, raw_dir=str(tmp_path), verbose=False)
    nodes, edges = SIZES[name]
    assert (dataset[0].num_nodes(), dataset[0].num_edges()) == (nodes, 2 * edges)
    assert (dataset.entry.nodes, dataset.entry.edges) == (nodes, 2 * edges)


@pytest.mark.parametrize(
    ("matrix", "name", "message"),
    [
        (scipy.sparse.csc_matrix((2, 3)), "net", "'net' is not a square sparse matrix"),
        (np.eye(3), "net", "'net' is not a square sparse matrix"),
        (scipy.sparse.csc_matrix((3, 3)), "network", "no 'net'"),
    ],
)
def test_other_matrices(tmp_path: Path, matrix: object, name: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        _write(tmp_path, matrix, name)


def test_unknown_name() -> None:
    with pytest.raises(UnknownKeyError, match=r"no graph 'ns' of SEAL\. Choose one of USAir, NS"):
        SEALDataset("ns")
