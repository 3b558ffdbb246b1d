"""Columns of a table as features: numbers, categories, text and lists, with missing values."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from gossamer.cli.tables import load_pandas
from gossamer.errors import FileError

__all__ = ["describe", "encode", "fit_columns"]

Column = dict[str, Any]

_MOST_VALUES = 50  # a column with more distinct values is text
_TEXT_SIZE = 64
_DATE = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"


def fit_columns(frame: Any, leave_out: Sequence[str]) -> list[Column]:
    """Decide how each column becomes features.

    Numbers are standardized; a missing number is replaced by the mean and marked in another column.
    Dates, including text such as ``2026-01-31`` or ``2026-01-31 12:30``, become numbers of days.
    Text with at most 50 distinct values is a category, encoded one-hot with a column for other
    values; other text is hashed, word by word, into 64 columns. Lists of numbers of equal length
    are used unchanged. A column without any value, or with the same value in all rows, is left out.

    Returns
    -------
    list of dict
        The argument `columns` of `encode`, as JSON values.
    """
    return [_fit(str(name), frame[name]) for name in frame.columns if name not in leave_out]


def _fit(name: str, values: Any) -> Column:
    pandas = load_pandas()
    known = values.dropna()
    if not len(known):
        return {"name": name, "kind": "left out", "why": "no value"}
    if isinstance(known.iloc[0], list | tuple | np.ndarray):
        lengths = {len(value) for value in known}
        if len(lengths) > 1:
            return {"name": name, "kind": "left out", "why": "lists of different lengths"}
        return {"name": name, "kind": "list", "size": lengths.pop()}
    if known.nunique() == 1 and len(known) == len(values):
        return {"name": name, "kind": "left out", "why": "the same value in all rows"}
    types = pandas.api.types
    values = _parsed(values)
    if types.is_numeric_dtype(values) or types.is_datetime64_any_dtype(values):
        numbers = _numbers(values)
        found = numbers[np.isfinite(numbers)]
        if not len(found):
            return {"name": name, "kind": "left out", "why": "no finite value"}
        scale = float(found.std()) or 1.0
        gaps = len(found) < len(values)
        return {
            "name": name, "kind": "number", "mean": float(found.mean()), "scale": scale,
            "gaps": gaps,
        }  # fmt: skip
    words = known.astype(str)
    if words.nunique() <= _MOST_VALUES:
        return {"name": name, "kind": "category", "values": sorted(words.unique().tolist())}
    return {"name": name, "kind": "text", "size": _TEXT_SIZE}


def encode(frame: Any, columns: Sequence[Column], where: str) -> np.ndarray | None:
    """Compute the features (N, D) float32 of a table; return None if no column gives any.

    Raises
    ------
    FileError
        If a column is missing or has another type than in training; `where` names the file.
    """
    parts = []
    for column in columns:
        if column["kind"] == "left out":
            continue
        name = column["name"]
        if name not in frame.columns:
            raise FileError(
                f"{where} has no column '{name}', which the model was trained with. Add it; it may "
                "be empty."
            )
        try:
            parts.append(_ENCODERS[column["kind"]](frame[name], column))
        except (ValueError, TypeError) as error:
            raise FileError(
                f"{where}, column '{name}': expected a {column['kind']}, but {error}."
            ) from None
    return np.concatenate(parts, 1).astype(np.float32) if parts else None


def _parsed(values: Any) -> Any:
    """Convert decimal numbers to floats and ISO 8601 dates to timestamps; keep other columns."""
    pandas = load_pandas()
    types = pandas.api.types
    known = values.dropna()
    if types.is_numeric_dtype(values) or types.is_datetime64_any_dtype(values) or not len(known):
        return values
    if all(isinstance(value, Decimal) for value in known):
        return values.astype(float)
    if known.astype(str).str.fullmatch(_DATE).all():
        try:
            text = values.astype(object).where(values.notna(), None)
            return pandas.to_datetime(text.map(str, "ignore"), format="ISO8601", utc=True)
        except ValueError:  # such as 2026-02-31
            return values
    return values


def _numbers(values: Any) -> np.ndarray:
    pandas = load_pandas()
    values = _parsed(values)
    if pandas.api.types.is_datetime64_any_dtype(values):
        days = (values - pandas.Timestamp(0, tz=values.dt.tz)) / pandas.Timedelta(days=1)
        return days.to_numpy(np.float64)
    return pandas.to_numeric(values).to_numpy(np.float64, na_value=np.nan)


def _encode_number(values: Any, column: Column) -> np.ndarray:
    numbers = (_numbers(values) - column["mean"]) / column["scale"]
    missing = ~np.isfinite(numbers)
    numbers = np.where(missing, 0.0, numbers)
    return np.stack([numbers, missing], 1) if column["gaps"] else numbers[:, None]


def _encode_category(values: Any, column: Column) -> np.ndarray:
    pandas = load_pandas()
    words = values.astype(object).where(values.notna(), None)
    words = [None if word is None else str(word) for word in words]
    code = pandas.Index(column["values"]).get_indexer(words)
    found = np.zeros((len(values), len(column["values"]) + 1))
    found[np.arange(len(values)), code] = 1  # -1 is the last column, for other values
    return found


def _encode_text(values: Any, column: Column) -> np.ndarray:
    found = np.zeros((len(values), column["size"]))
    for row, text in enumerate(values):
        if not isinstance(text, str):
            continue
        for word in re.findall(r"\w+", text.lower()):
            code = zlib.crc32(word.encode())
            found[row, code % column["size"]] += 1 if code >> 31 else -1
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def _encode_list(values: Any, column: Column) -> np.ndarray:
    empty = np.zeros(column["size"])
    rows = [
        np.asarray(value, dtype=np.float64) if isinstance(value, list | tuple | np.ndarray)
        else empty
        for value in values
    ]  # fmt: skip
    return np.nan_to_num(np.stack(rows)) if rows else np.zeros((0, column["size"]))


_ENCODERS = {
    "number": _encode_number,
    "category": _encode_category,
    "text": _encode_text,
    "list": _encode_list,
}


def describe(column: Column) -> str:
    """Describe how a column is used, in one line.

    Examples
    --------
    >>> describe({"name": "age", "kind": "number", "mean": 31.5, "scale": 4.0, "gaps": True})
    'number, mean 31.5, deviation 4, some missing'
    """
    match column["kind"]:
        case "number":
            gaps = ", some missing" if column["gaps"] else ""
            return f"number, mean {column['mean']:.4g}, deviation {column['scale']:.4g}{gaps}"
        case "category":
            values = column["values"]
            more = f" and {len(values) - 4} more" if len(values) > 4 else ""
            return f"category: {', '.join(values[:4])}{more}"
        case "text":
            return f"text, hashed into {column['size']} columns"
        case "list":
            return f"list of {column['size']} numbers"
    return f"left out: {column['why']}"
