"""Common checks of readers, and the error for inconsistent files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gossamer.data.readers._tables import read_text
from gossamer.errors import FileError


def corrupt(path: Path, why: object) -> FileError:
    """Return the error for a file whose content is wrong."""
    return FileError(f"{path} is truncated or corrupt: {why}. Delete it and fetch it again.")


def read_npy(path: Path) -> np.ndarray:
    """Read an npy file; arrays of objects are refused."""
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise corrupt(path, error) from None


def read_json(path: Path, kind: type) -> Any:
    """Read a JSON file whose outermost value is of this kind."""
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise corrupt(path, error) from None
    if not isinstance(content, kind):
        raise corrupt(path, f"expected a {kind.__name__}, got {type(content).__name__}")
    return content


def array(path: Path, values: Any, kinds: str, shape: tuple[int | None, ...], what: str) -> Any:
    """Return `values` as an array; check its shape and its kind of dtype ("iu", "fiu" ...)."""
    try:
        found = np.asarray(values)
    except ValueError as error:  # ragged lists
        raise corrupt(path, f"{what}: {error}") from None
    fits = found.ndim == len(shape) and all(
        size is None or size == length for size, length in zip(shape, found.shape, strict=True)
    )
    if not fits or (found.dtype.kind not in kinds and found.size):
        expected = tuple("any" if size is None else size for size in shape)
        raise corrupt(
            path, f"{what} is {found.dtype}{found.shape}, expected numbers of shape {expected}"
        )
    return found


def labels(path: Path, values: Any, count: int, what: str = "label") -> np.ndarray:
    """Return class numbers as int64; raise unless there are `count` non-negative integers."""
    found = array(path, values, "fiub", (count,), what).astype(np.float64)
    wrong = ~np.isfinite(found) | (found != np.floor(found)) | (found < 0)
    if wrong.any():
        where = int(wrong.argmax())
        raise corrupt(path, f"{what} {where} is {found[where]}, expected a class number")
    return found.astype(np.int64)


def within(path: Path, ids: np.ndarray, count: int, what: str) -> np.ndarray:
    """Return `ids` as int64; raise unless they are in 0 ... count-1."""
    if ids.size and not 0 <= ids.min() <= ids.max() < count:
        bad = ids[(ids < 0) | (ids >= count)].ravel()[0]
        raise corrupt(path, f"{what} {bad} is not in 0 ... {count - 1}")
    return ids.astype(np.int64)


def member(path: Path, content: Mapping[str, Any], key: str) -> Any:
    """Return ``content[key]``; if it does not exist, raise an error that lists the keys."""
    if key not in content:
        raise corrupt(path, f"it has no '{key}', only {', '.join(map(repr, list(content)[:10]))}")
    return content[key]
