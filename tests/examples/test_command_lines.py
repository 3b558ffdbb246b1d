"""The examples as commands: help, one-line answers to wrong values, and a short run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import gossamer as gs
from helpers.paths import REPOSITORY, shared_data
from helpers.raw_files import heterophilous_arrays

EXAMPLES = sorted(path.stem for path in (REPOSITORY / "examples").glob("[!_]*.py"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_help_is_whole_sentences_and_tells_defaults(run, monkeypatch, name: str) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setitem(sys.modules, "sklearn", None)
    code, out, err = run(name, "--help")
    assert (code, err) == (0, "")
    usage, summary, options = out.split("\n\n", 2)
    assert summary.startswith("Train ") and summary.endswith(".")
    _, _, *entries = " ".join(options.split()).split(" --")
    assert len(entries) == usage.count("[--") > 0
    assert all("(default: " in entry for entry in entries)


@pytest.mark.parametrize(
    ("name", "argv", "message"),
    [
        ("gat_planetoid", ["--seeds", "0"], "--seeds: expected an integer of at least 1, got '0'"),
        ("heterophilous", ["--hidden", "0"], "--hidden: expected an integer of at least 1"),
        ("minibatch", ["--dropout", "1"], "--dropout: expected a number of at least 0 and"),
        ("seal", ["--dataset", "cora"], "invalid choice: 'cora'"),
        ("vgae", ["--lr", "0"], "--lr: expected a number above 0, got '0'"),
    ],
)
def test_wrong_values(run, name: str, argv: list[str], message: str) -> None:
    code, out, err = run(name, *argv)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize("name", EXAMPLES)
def test_files_that_cannot_be_had(run, monkeypatch, tmp_path: Path, name: str) -> None:
    def absent(*_: object, **__: object) -> None:
        raise gs.FileError("no network")

    monkeypatch.setattr("gossamer.data.raw.download", absent)
    code, out, err = run(name, "--raw-dir", str(tmp_path / "nowhere"))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"{name}.py: error: ") and "nowhere" in err


def test_the_raw_files_of_another_dataset(run, monkeypatch) -> None:
    monkeypatch.setenv("GOSSAMER_DATA_DIR", str(shared_data()))
    folder = str(shared_data("heterophilous-graphs"))
    code, out, err = run("gcn_planetoid", "--raw-dir", folder)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "Dataset 'cora' needs ind.cora.x" in err and folder in err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"node_features": np.full((6, 4), np.nan)}, "the features of node 0 are not finite"),
        ({"node_labels": np.array([0, 1, 5, 0, 1, 2])}, "labels go up to 5, but no node has"),
        ({"test_masks": np.zeros((10, 6), dtype=bool)}, "a test split has no nodes"),
        ({"train_masks": None}, "train_masks"),
    ],
    ids=["nan", "label", "empty split", "no split"],
)
def test_damaged_files(run, tmp_path: Path, changes: dict, message: str) -> None:
    arrays = {**heterophilous_arrays(), **changes}
    kept = {key: array for key, array in arrays.items() if array is not None}
    np.savez(tmp_path / "texas.npz", **kept)
    code, out, err = run("heterophilous", "--dataset", "texas", "--raw-dir", str(tmp_path))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_without_scikit_learn(run, monkeypatch) -> None:
    for name in [name for name in sys.modules if name.startswith("sklearn.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    folder = str(shared_data("heterophilous-graphs"))
    code, out, err = run("heterophilous", "--raw-dir", folder, "--epochs", "1")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "needs the package sklearn: pip install" in err
