"""MATLAB files, read by scipy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gossamer._optional import optional_import
from gossamer.data.readers._checks import corrupt, member


def read_mat(path: Path, names: Sequence[str]) -> list[Any]:
    """Read the named variables: arrays, or sparse matrices of scipy."""
    scipy_io = optional_import("scipy.io", "Reading a MATLAB file")
    try:
        with open(path, "rb") as file:
            content = scipy_io.loadmat(file, variable_names=list(names))
    except Exception as error:  # a broken file can raise almost anything
        raise corrupt(path, f"{type(error).__name__}: {error}") from None
    return [member(path, content, name) for name in names]
