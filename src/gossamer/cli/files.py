"""Atomic writing of files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gossamer._files import replacing
from gossamer.errors import FileError, InvalidValueError

__all__ = ["check_page", "prepare_folder", "write_atomic"]

_FIX = "Choose a folder that you may write to with --out."


def write_atomic(path: str | Path, content: str | bytes) -> None:
    """Write `content` to `path` atomically.

    Raises
    ------
    FileError
        If it cannot be written; `path` is then unchanged.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    with replacing(Path(path), _FIX) as temporary:
        try:
            temporary.write_bytes(data)
        except OSError as error:
            raise FileError(f"Cannot write {path}: {error.strerror}. {_FIX}") from None


def check_page(path: str | None) -> None:
    """Raise InvalidValueError if the argument of ``--page`` is not the name of an HTML file."""
    if path is not None and not path.endswith(".html"):
        raise InvalidValueError(f"--page must end in .html, got '{path}'.")


def prepare_folder(path: str | Path) -> Path:
    """Create a folder if necessary and check that it is writable.

    Raises
    ------
    FileError
        If it cannot be created or written to.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise FileError(f"Cannot write to folder '{path}': {error.strerror}. {_FIX}") from None
    return path
