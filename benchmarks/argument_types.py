"""Types of options: an invalid value ends the command before any measurement."""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
from argparse import ArgumentTypeError
from pathlib import Path


def count(text: str) -> int:
    """A whole number of at least 1."""
    return _whole(text, 1)


def seed(text: str) -> int:
    """A whole number of at least 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return value


def above_zero(text: str) -> float:
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def interpreter(text: str) -> str:
    """A program that can be started, by path or by name."""
    if shutil.which(text) is None:
        raise ArgumentTypeError(f"{text!r} cannot be started; give the path of a Python")
    return text


def output(text: str) -> Path:
    """A file that can be written: its folder is there."""
    path = Path(text)
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"there is no folder {path.parent} for {path.name}")
    if path.is_dir():
        raise ArgumentTypeError(f"{path} is a folder; name a file")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ArgumentTypeError(f"{path} cannot be written; name a file elsewhere")
    return path


def picture(text: str) -> Path:
    """A writable file in a format that matplotlib supports."""
    path = output(text)
    if importlib.util.find_spec("matplotlib") is None:
        raise ArgumentTypeError("pictures need matplotlib: pip install matplotlib")
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    if path.suffix and path.suffix[1:].lower() not in known:
        raise ArgumentTypeError(f"matplotlib writes no {path.suffix} but {', '.join(known)}")
    return path
