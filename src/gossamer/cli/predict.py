"""`gossamer predict`: predictions of a checkpoint for every node, as CSV or Parquet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from gossamer._optional import optional_import
from gossamer.cli.checkpoint import Checkpoint, find_checkpoint, load_checkpoint
from gossamer.cli.files import prepare_folder, write_atomic
from gossamer.cli.models import predict as predict_nodes
from gossamer.cli.task import Task, load_task, pick_device
from gossamer.errors import InvalidValueError

__all__ = ["predict"]

_SUFFIXES = (".csv", ".parquet")


def predict(
    checkpoint: str,
    dataset: str | None = None,
    raw_dir: str | None = None,
    out: str | None = None,
    device: str = "auto",
    quiet: bool = False,
) -> int:
    """Write ``node, label, predicted`` and one probability column per class; return the exit code.

    Raises
    ------
    InvalidValueError
        If the checkpoint does not fit the dataset, or `out` ends in neither .csv nor .parquet.
    FileError
        If the checkpoint cannot be read or the result cannot be written.
    """
    path = _out_path(checkpoint, out)
    if path.suffix.lower() == ".parquet":
        optional_import("pyarrow.parquet", "Writing Parquet")
    loaded = load_checkpoint(checkpoint)
    config = loaded.config
    name = dataset or config.dataset
    if raw_dir is None and name == config.dataset:
        raw_dir = config.raw_dir
    place = pick_device(device)
    task = load_task(name, raw_dir, config.self_loops, place, not quiet)
    _check_fit(loaded, task)
    probability, _ = predict_nodes(loaded.model.to(place), task.graph, task.feat)
    columns = _columns(loaded, task, probability.cpu().numpy())
    prepare_folder(path.parent)
    write = _write_parquet if path.suffix.lower() == ".parquet" else _write_csv
    write(path, columns)
    if not quiet:
        print(f"Wrote {len(columns['node']):,} predictions of {config.model} on {name} to {path}")
    return 0


def _out_path(checkpoint: str, out: str | None) -> Path:
    if out is None:
        return find_checkpoint(checkpoint).parent / "predictions.csv"
    path = Path(out)
    if path.suffix.lower() not in _SUFFIXES:
        raise InvalidValueError(f"--out must end in .csv or .parquet, got '{out}'.")
    return path


def _check_fit(checkpoint: Checkpoint, task: Task) -> None:
    info = checkpoint.info
    expected = (info.in_size, info.num_classes)
    found = (task.feat.shape[1], task.num_classes)
    if expected != found:
        raise InvalidValueError(
            f"The checkpoint was trained on '{checkpoint.config.dataset}' with {expected[0]} "
            f"features and {expected[1]} classes, but dataset '{task.name}' has {found[0]} "
            f"features and {found[1]} classes. Choose a matching --dataset."
        )


def _columns(checkpoint: Checkpoint, task: Task, probability: np.ndarray) -> dict[str, np.ndarray]:
    columns = {
        "node": np.arange(len(probability)),
        "label": task.label.cpu().numpy(),
        "predicted": probability.argmax(1),
    }
    for index, name in enumerate(checkpoint.info.class_names):
        columns[f"p_{name}"] = probability[:, index]
    return columns


def _write_csv(path: Path, columns: dict[str, np.ndarray]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    # Nine significant digits represent a float32 exactly.
    cells = [
        [f"{value:.9g}" for value in column] if column.dtype.kind == "f" else column.tolist()
        for column in columns.values()
    ]
    writer.writerows(zip(*cells, strict=True))
    write_atomic(path, text.getvalue())


def _write_parquet(path: Path, columns: dict[str, np.ndarray]) -> None:
    arrow = optional_import("pyarrow", "Writing Parquet")
    parquet = optional_import("pyarrow.parquet", "Writing Parquet")
    sink = arrow.BufferOutputStream()
    parquet.write_table(arrow.table(columns), sink)
    write_atomic(path, sink.getvalue().to_pybytes())
