"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gossamer.errors import FileError


@contextmanager
def replacing(path: Path, fix: str = "Choose a folder that you may write to.") -> Iterator[Path]:
    """Give a temporary file to fill; when the block ends well it becomes `path`, at once.

    If the block fails, or the machine does, `path` is what it was before. Missing parent folders
    are made. Messages end with `fix`.

    Raises
    ------
    FileError
        If the folder cannot be made or written to. What the block raises passes through.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, since a rename is atomic only within a file system.
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise FileError(
            f"Cannot write into the folder {path.parent}: {error.strerror}. {fix}"
        ) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _put_in_place(temporary, path, fix)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _put_in_place(temporary: Path, path: Path, fix: str) -> None:
    try:
        # mkstemp makes the file private; give it the mode that open() would have given.
        os.chmod(temporary, 0o666 & ~_umask())
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    except OSError as error:
        raise FileError(f"Cannot write {path}: {error.strerror}. {fix}") from None


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    # Where folders cannot be opened (Windows), their names are written in order anyway.
    with suppress(PermissionError if path.is_dir() else ()):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    # Python can read the mask only by setting it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
