"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from gossamer.errors import FileError

__all__ = ["prepare_folder", "write_atomic"]


def write_atomic(path: str | Path, content: str | bytes) -> None:
    """Write `content` to a temporary file beside `path`, then rename it into place.

    Raises
    ------
    FileError
        If the folder cannot be written to; `path` is then what it was before.
    """
    path = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        # mkstemp makes the file private; give it the mode that open() would have given.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise FileError(f"Cannot write '{path}': {error.strerror}. {_FIX}") from None
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)


_FIX = "Choose a folder that you may write to with --out."


def _umask() -> int:
    """The process's umask; the system has no call that only reads it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def prepare_folder(path: str | Path) -> Path:
    """Create a folder if need be and make sure that files can be written to it.

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
