"""Labels and splits from the columns of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer.cli.config import TrainConfig
from gossamer.cli.tables import load_pandas, require_column
from gossamer.cli.targets import CLASSES, LABELS, Target, of_values
from gossamer.cli.task import PARTS
from gossamer.errors import FileError, InvalidValueError

__all__ = ["given_masks", "known_labels", "read_labels", "usual_task"]

# Integers are classes if there are few of them, or if they are 0, 1, 2 ...
_FEW, _MOST_CLASSES = 20, 1000
_NAMES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


def read_labels(
    frame: Any, config: TrainConfig
) -> tuple[Tensor, Target | Callable[[Tensor, Tensor], Target]]:
    """Read the labels of the rows; return them and the target.

    For values, the target depends on the training rows, so it is a function of labels and rows.
    """
    names = list(config.target)
    for name in names:
        require_column(frame, name, "The table", "--target")
    task = config.task or usual_task(frame, names)
    if task == "classification":
        if len(names) > 1:
            raise InvalidValueError(
                f"--target names {len(names)} columns, and classification takes one. Give --task "
                "multilabel or regression."
            )
        label, classes = _classes(frame[names[0]], names[0])
        return label, Target(CLASSES, classes, "accuracy")
    values = torch.from_numpy(np.stack([_numbers(frame[name], name) for name in names], 1))
    if task == "regression":
        return values, lambda y, rows: of_values(y, rows, names, "mae")
    if not bool(((values == 0) | (values == 1) | values.isnan()).all()):
        raise InvalidValueError(f"--task multilabel: {', '.join(names)} must hold 0 and 1 only.")
    return values, Target(LABELS, names, "f1")


def usual_task(frame: Any, names: list[str]) -> str:
    """Infer the task from the target columns.

    Text, booleans and few distinct integers are classes; several columns of 0 and 1 are labels; all
    others are values.
    """
    types = load_pandas().api.types
    numeric = all(types.is_numeric_dtype(frame[name]) for name in names)
    if len(names) > 1:
        flags = all(frame[name].dropna().isin([0, 1]).all() for name in names)
        return "multilabel" if flags else "regression"
    known = frame[names[0]].dropna()
    if not numeric or types.is_bool_dtype(known):
        return "classification"
    count = known.nunique()
    whole = bool((known == known.round()).all())
    codes = count <= _MOST_CLASSES and known.min() == 0 and known.max() == count - 1
    return "classification" if whole and (count <= _FEW or codes) else "regression"


def _classes(values: Any, name: str) -> tuple[Tensor, list[str]]:
    known = values.dropna()
    if values.dtype.kind == "f" and (known == known.round()).all():
        known = known.astype(np.int64)
    classes = sorted(known.unique().tolist(), key=lambda c: (isinstance(c, str), c))
    if len(classes) < 2:
        raise InvalidValueError(f"--target {name} has {len(classes)} class; two are needed.")
    code = {value: number for number, value in enumerate(classes)}
    label = np.full(len(values), -1)
    label[values.notna().to_numpy()] = [code[v] for v in known]
    return torch.from_numpy(label), [str(c) for c in classes]


def known_labels(frame: Any, columns: Sequence[str], target: Target) -> Tensor:
    """Read labels of the rows for a trained model; they are unknown where the table has none.

    Labels of classes that did not occur in training are unknown too.
    """
    count = len(frame)
    if target.kind == CLASSES:
        if columns[0] not in frame.columns:
            return torch.full((count,), -1)
        code = {name: number for number, name in enumerate(target.names)}
        return torch.tensor([code.get(_text(value), -1) for value in frame[columns[0]]])
    found = torch.full((count, len(columns)), torch.nan)
    for number, name in enumerate(columns):
        if name in frame.columns:
            found[:, number] = torch.from_numpy(_numbers(frame[name], name))
    return found


def _text(value: Any) -> str:
    """Return the name of a class, as in `_classes`: integers without a decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _numbers(values: Any, name: str) -> np.ndarray:
    pandas = load_pandas()
    try:
        return pandas.to_numeric(values).to_numpy(np.float32, copy=True, na_value=np.nan)
    except (ValueError, TypeError):
        raise InvalidValueError(
            f"--target {name} must hold numbers. For classes give --task classification."
        ) from None


def given_masks(frame: Any, column: str | None) -> dict[str, Tensor] | None:
    """Return the split given by a column of names or three columns of masks, or None.

    Raises
    ------
    FileError
        If the column does not exist, or contains other values.
    """
    masks = [f"{part}_mask" for part in PARTS]
    if column is None and all(name in frame.columns for name in masks):
        return {
            part: torch.tensor(frame[name].fillna(0).to_numpy(bool))[:, None]
            for part, name in zip(PARTS, masks, strict=True)
        }
    if column is None and "split" not in frame.columns:
        return None
    name = require_column(frame, column or "split", "The table", "--split")
    words = frame[name].fillna("").astype(str).str.strip().str.lower()
    parts = words.map(lambda word: _NAMES.get(word, ""))
    odd = frame[name][(parts == "") & (words != "")]
    if len(odd):
        raise FileError(
            f"Column '{name}' holds '{odd.iloc[0]}'; it must hold train, val and test, or nothing."
        )
    return {part: torch.tensor((parts == part).to_numpy())[:, None] for part in PARTS}
