"""`gossamer predict`: write a checkpoint's predictions for every item, as CSV or Parquet."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gossamer._optional import optional_import
from gossamer.cli.catalogued import load_dataset
from gossamer.cli.checkpoint import Checkpoint, find_checkpoint, load_checkpoint
from gossamer.cli.config import TrainConfig
from gossamer.cli.files import prepare_folder, write_atomic
from gossamer.cli.own import load_tables
from gossamer.cli.schema import NODES, Schema
from gossamer.cli.targets import CLASSES, VALUES, Target
from gossamer.cli.task import PairTask, Task, pick_device
from gossamer.errors import InvalidValueError

__all__ = ["predict"]

_SUFFIXES = (".csv", ".parquet")


def predict(
    checkpoint: str,
    out: str | None = None,
    device: str = "auto",
    quiet: bool = False,
    **data: Any,
) -> int:
    """Write a row for each item: its id, label, prediction, and the probabilities.

    An unknown label is empty in CSV, and null in Parquet.

    Parameters
    ----------
    checkpoint : str
        Checkpoint file, or folder of a run.
    out : str, optional
        FILE.csv or FILE.parquet. Default: predictions.csv beside the checkpoint.
    device : str
        Device to compute on.
    quiet : bool
        Whether to print nothing.
    **data
        Data that replace those of the training: ``dataset`` and ``raw_dir``, or ``edges``,
        ``nodes`` and ``graphs``.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    InvalidValueError
        If the checkpoint does not fit the data, or `out` ends in neither .csv nor .parquet.
    FileError
        If the checkpoint cannot be read or the result cannot be written.
    """
    path = _out_path(checkpoint, out)
    if path.suffix.lower() == ".parquet":
        optional_import("pyarrow.parquet", "Writing Parquet")
    loaded = load_checkpoint(checkpoint)
    place = pick_device(device)
    config = _data(loaded.config, {key: value for key, value in data.items() if value})
    if config.edges:
        task: Task = load_tables(config, place, loaded.info.columns, loaded.info.target)
    else:
        task = load_dataset(config, place, not quiet)
    _check_fit(loaded, task)
    with torch.no_grad():
        scores, _ = task.scores(loaded.model.to(place))
    prediction = loaded.info.target.prediction(scores).cpu().numpy()
    columns = _columns(loaded, task, prediction)
    prepare_folder(path.parent)
    write = _write_parquet if path.suffix.lower() == ".parquet" else _write_csv
    write(path, columns)
    if not quiet:
        count, what = len(prediction), config.dataset
        print(f"Wrote {count:,} predictions of {config.model} on {what} to {path}")
    return 0


def _data(config: TrainConfig, given: dict[str, Any]) -> TrainConfig:
    """Return the settings of the training, with the data `given`."""
    if "edges" in given or "nodes" in given or "graphs" in given:
        if not config.edges:
            raise InvalidValueError(
                f"The model was trained on dataset '{config.dataset}', not on tables. Give "
                "--dataset, or train with --edges."
            )
        if "edges" not in given:
            raise InvalidValueError("Give the edges of the new nodes too, with --edges.")
        if "graphs" in given and not config.graphs:
            raise InvalidValueError("The model was not trained on whole graphs. Omit --graphs.")
        for name in ("dataset", "raw_dir"):
            if name in given:
                flag = f"--{name.replace('_', '-')}"
                raise InvalidValueError(f"{flag} is not for tables, which --edges gives. Omit one.")
    elif config.edges and given:
        raise InvalidValueError(
            "The model was trained on tables, not on a dataset. Give --edges and --nodes."
        )
    if given.get("dataset", config.dataset) != config.dataset:
        given.setdefault("raw_dir", None)
    return replace(config, minibatch=False, **given)


def _out_path(checkpoint: str, out: str | None) -> Path:
    if out is None:
        return find_checkpoint(checkpoint).parent / "predictions.csv"
    path = Path(out)
    if path.suffix.lower() not in _SUFFIXES:
        raise InvalidValueError(f"--out must end in .csv or .parquet, got '{out}'.")
    return path


def _check_fit(checkpoint: Checkpoint, task: Task) -> None:
    info = checkpoint.info
    expected, found = _width(info.schema, info.target), _width(task.schema, task.target)
    if expected != found:
        raise InvalidValueError(
            f"The checkpoint was trained on '{checkpoint.config.dataset}' with {expected[0]} "
            f"features and {expected[1]} classes, but dataset '{task.name}' has {found[0]} "
            f"features and {found[1]} classes. Choose a matching --dataset."
        )
    known = info.schema
    if known.in_sizes != task.schema.in_sizes or known.num_etypes != task.schema.num_etypes:
        raise InvalidValueError(
            f"The model was trained on node types {known.in_sizes} (with the width of their "
            f"features) and {known.num_etypes} edge types, but these data have "
            f"{task.schema.in_sizes} and {task.schema.num_etypes}."
        )
    before, now = ((columns or {}).get("vectors") for columns in (info.columns, task.columns))
    if known.num_nodes and (known.num_nodes != task.schema.num_nodes or before != now):
        raise InvalidValueError(
            f"The model has a vector for each node of type {', '.join(known.num_nodes)}, which has "
            "no features, so it cannot predict for other nodes. Train with features, in a table "
            "given with --nodes."
        )


def _width(schema: Schema, target: Target) -> tuple[int, int]:
    return sum(schema.in_sizes[end] for end in set(schema.ends)), len(target.names)


def _columns(checkpoint: Checkpoint, task: Task, prediction: np.ndarray) -> dict[str, np.ndarray]:
    names, kind = checkpoint.info.target.names, checkpoint.info.target.kind
    if isinstance(task, PairTask):
        columns = dict(zip(("source", "destination"), map(_array, task.pairs), strict=True))
    else:
        item = "node" if task.schema.level == NODES else "graph"
        columns = {item: np.arange(len(prediction)) if task.ids is None else task.ids}
    label = _array(task.label)
    if kind == CLASSES:
        chosen = prediction.argmax(1)
        if task.ids is not None:
            # Names of the user's classes.
            named = np.array([*names, None], dtype=object)
            label, chosen = named[label], named[chosen]
        elif (label < 0).any():
            label = np.where(label < 0, None, label)
        columns |= {"label": label, "predicted": chosen}
    elif label.ndim == 2:
        columns |= {_titled("label", name, names): label[:, i] for i, name in enumerate(names)}
    lead = "predicted" if kind == VALUES else "p"
    for index, name in enumerate(names):
        title = _titled(lead, name, names) if kind == VALUES else f"p_{name}"
        columns[title] = prediction[:, index]
    return columns


def _titled(what: str, name: str, names: Sequence[str]) -> str:
    return what if len(names) == 1 else f"{what}_{name}"


def _array(values: torch.Tensor) -> np.ndarray:
    return values.cpu().numpy()


def _write_csv(path: Path, columns: dict[str, np.ndarray]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    cells = [
        list(map(_number, column)) if column.dtype.kind == "f" else column.tolist()
        for column in columns.values()
    ]
    writer.writerows(zip(*cells, strict=True))
    write_atomic(path, text.getvalue())


def _number(value: float) -> str:
    """Format with nine significant digits, which represent a float32 exactly; "" for NaN."""
    return "" if math.isnan(value) else f"{value:.9g}"


def _write_parquet(path: Path, columns: dict[str, np.ndarray]) -> None:
    arrow = optional_import("pyarrow", "Writing Parquet")
    parquet = optional_import("pyarrow.parquet", "Writing Parquet")
    sink = arrow.BufferOutputStream()
    arrays = {name: arrow.array(column, from_pandas=True) for name, column in columns.items()}
    parquet.write_table(arrow.table(arrays), sink)
    write_atomic(path, sink.getvalue().to_pybytes())
