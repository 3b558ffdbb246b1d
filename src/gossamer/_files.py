"""Atomic writing of files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gossamer.errors import FileError


@contextmanager
def replacing(
    path: Path, fix: str = "Choose a folder that you may write to.", durable: bool = True
) -> Iterator[Path]:
    """Yield a temporary file; when the block succeeds, atomically rename it to `path`.

    If the block or the machine fails, `path` does not change. Missing parent folders are created.
    Error messages end with `fix`. If `durable` is False, the function does not wait for the disk,
    and the content of `path` may be wrong if the machine fails.

    Raises
    ------
    FileError
        If the folder cannot be created or written to. Other exceptions of the block propagate.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, because renaming is atomic only within a file system.
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise FileError(
            f"Cannot write into the folder {path.parent}: {error.strerror}. {fix}"
        ) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        put_in_place(temporary, path, fix, durable)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def put_in_place(temporary: Path, path: Path, fix: str, durable: bool = True) -> None:
    """Rename `temporary` to `path`; if `durable`, first write it to the disk."""
    try:
        # mkstemp makes the file private; give it the mode that open() would have given.
        os.chmod(temporary, 0o666 & ~_umask())
        if durable:
            _flush(temporary)
        os.replace(temporary, path)
        if durable:
            _flush(path.parent)
    except OSError as error:
        raise FileError(f"Cannot write {path}: {error.strerror}. {fix}") from None


def _flush(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on disk."""
    # Windows cannot open folders, but writes their entries in order.
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
