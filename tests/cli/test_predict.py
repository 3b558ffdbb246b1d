"""`gossamer predict`: the training run's own answers, in both formats."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import torch

from gossamer.cli import main
from gossamer.cli.catalogued import load_dataset
from gossamer.cli.checkpoint import ModelInfo, save_checkpoint
from gossamer.cli.config import from_mapping
from gossamer.cli.network import Network
from gossamer.cli.schema import Schema
from gossamer.cli.targets import Target
from gossamer.cli.task import Task
from gossamer.cli.training import evaluate, fit_seed
from gossamer.data.digits import DigitsDataset


def _read_csv(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return {name: np.array(column) for name, column in zip(header, zip(*rows), strict=True)}  # noqa: B905


def test_predictions_have_the_scores_that_training_recorded(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.csv"
    assert main(["predict", str(trained), "--out", str(out), "--quiet"]) == 0
    columns = {name: column.astype(float) for name, column in _read_csv(out).items()}
    metrics = json.loads((trained / "metrics.json").read_text())
    graph = DigitsDataset()[0]
    np.testing.assert_array_equal(columns["node"], np.arange(1797))
    np.testing.assert_array_equal(columns["label"], graph.ndata["label"].numpy())
    best = next(s for s in metrics["seeds"] if s["seed"] == metrics["best_seed"])
    right = columns["predicted"] == columns["label"]
    assert right[graph.ndata["test_mask"].numpy()].mean() == best["test"]
    assert right[graph.ndata["val_mask"].numpy()].mean() == best["val"]
    probability = np.stack([columns[f"p_{c}"] for c in range(10)], 1)
    np.testing.assert_array_equal(probability.argmax(1), columns["predicted"])
    np.testing.assert_allclose(probability.sum(1), 1, atol=1e-5)


def test_probabilities_come_back_to_the_last_bit(tmp_path: Path) -> None:
    config = from_mapping({"hidden": 8, "epochs": 1, "model": "sage"})
    task = load_dataset(config, torch.device("cpu"))
    fit = fit_seed(task, config, 0, lambda epoch: None)
    expected = evaluate(task, config, fit).probability
    info = ModelInfo(task.schema, task.target, None, 0, 1, 0.0, 0.0)
    save_checkpoint(tmp_path / "checkpoint.safetensors", fit.state, config, info)
    assert main(["predict", str(tmp_path), "--quiet"]) == 0
    columns = _read_csv(tmp_path / "predictions.csv")
    found = np.stack([columns[name] for name in task_columns(columns)], 1).astype(np.float32)
    np.testing.assert_array_equal(found, expected)


def task_columns(columns: dict[str, np.ndarray]) -> list[str]:
    """The probability columns, in order."""
    return [name for name in columns if name.startswith("p_")]


def test_parquet_holds_what_csv_holds(trained: Path, tmp_path: Path) -> None:
    for name in ("p.csv", "p.parquet"):
        assert main(["predict", str(trained), "--out", str(tmp_path / name), "--quiet"]) == 0
    table = pyarrow.parquet.read_table(tmp_path / "p.parquet")
    columns = _read_csv(tmp_path / "p.csv")
    assert table.column_names == list(columns)
    for name in columns:
        values = table[name].to_numpy()
        assert values.dtype == (np.float32 if name.startswith("p_") else np.int64)
        np.testing.assert_array_equal(columns[name].astype(values.dtype), values)


def test_unknown_classes_of_a_dataset_are_empty_or_null(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def partly_known(*args: object) -> Task:
        task = load_dataset(*args)
        task.label[3] = -1
        return task

    monkeypatch.setattr("gossamer.cli.predict.load_dataset", partly_known)
    for name in ("p.csv", "p.parquet"):
        assert main(["predict", str(trained), "--out", str(tmp_path / name), "--quiet"]) == 0
    label = _read_csv(tmp_path / "p.csv")["label"]
    assert np.flatnonzero(label == "").tolist() == [3]
    column = pyarrow.parquet.read_table(tmp_path / "p.parquet")["label"]
    assert column.null_count == 1 and not column[3].is_valid and column[4].as_py() == int(label[4])


def test_csv_needs_neither_pandas_nor_pyarrow(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: Callable[..., str]
) -> None:
    for package in ("pandas", "pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, package, None)
    out = tmp_path / "p.csv"
    assert main(["predict", str(trained), "--out", str(out), "--quiet"]) == 0
    assert out.stat().st_size > 10_000


def test_the_default_lies_beside_the_checkpoint(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(trained / "checkpoint.safetensors", tmp_path / "c.safetensors")
    assert main(["predict", str(tmp_path / "c.safetensors")]) == 0
    out = capsys.readouterr().out
    assert out == f"Wrote 1,797 predictions of gcn on digits to {tmp_path / 'predictions.csv'}\n"
    assert (tmp_path / "predictions.csv").is_file()


def test_a_dataset_of_other_sizes(tmp_path: Path, fails: Callable[..., str]) -> None:
    config = from_mapping({"hidden": 8})
    schema = Schema("nodes", {"_N": 20}, 4)
    state = Network(config, schema).state_dict()
    info = ModelInfo(schema, Target("classes", list("abcd"), "accuracy"), None, 0, 1, 0.0, 0.0)
    save_checkpoint(tmp_path / "checkpoint.safetensors", state, config, info)
    line = fails("predict", str(tmp_path), "--dataset", "digits")
    assert "20 features and 4 classes, but dataset 'digits' has 64 features and 10" in line


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--out", "p.xlsx"], "--out must end in .csv or .parquet, got 'p.xlsx'"),
        (["--dataset", "mnist"], "There is no dataset 'mnist'"),
        (["--dataset", "karate"], "but dataset 'karate' has 0 features and 2 classes"),
        (["--out", "/dev/null/p.csv"], "Cannot write to folder '/dev/null'"),
    ],
)
def test_wrong_arguments(
    trained: Path, fails: Callable[..., str], argv: list[str], message: str
) -> None:
    line = fails("predict", str(trained), *argv)
    assert line.startswith("gossamer predict: error: ") and message in line


def test_a_damaged_checkpoint_is_one_line(
    trained: Path, tmp_path: Path, fails: Callable[..., str]
) -> None:
    data = (trained / "checkpoint.safetensors").read_bytes()
    (tmp_path / "checkpoint.safetensors").write_bytes(data[:-10])
    line = fails("predict", str(tmp_path))
    assert "is truncated or not a safetensors file" in line and "Train again" in line
    assert "There is no checkpoint" in fails("predict", str(tmp_path / "nowhere"))
