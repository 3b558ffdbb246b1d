"""A folder for each run: made for it, never shared, and found again by the name `latest`."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from gossamer.cli.files import prepare_folder
from gossamer.errors import FileError

__all__ = ["LATEST", "reopened", "run_folder"]

LATEST = "latest"
_LOCK = ".lock"


@contextmanager
def run_folder(out: str | None, name: str, parent: str | Path = "runs") -> Iterator[Path]:
    """Give the folder of a new run, which holds nothing else and no other run writes to.

    Without `out` it is ``runs/NAME/DATE-TIME-XXXX``, and ``runs/NAME/latest`` is a link to it.
    A folder that is still empty at the end is removed again.

    Raises
    ------
    FileError
        If it cannot be created or written to, is not empty, or another run is writing to it.
    """
    folder = prepare_folder(out) if out else _dated_folder(Path(parent) / name)
    lock = folder / _LOCK
    _lock(folder, lock)
    try:
        _refuse_used(folder)
        if not out:
            _link_latest(folder)
        yield folder
    finally:
        lock.unlink(missing_ok=True)
        if not out:
            _remove_empty(folder)


@contextmanager
def reopened(out: str) -> Iterator[Path]:
    """Give the folder of a run that was stopped, which no other process writes to.

    Raises
    ------
    FileError
        If it cannot be written to, or the run is still going on.
    """
    folder = prepare_folder(out)
    lock = folder / _LOCK
    if lock.exists() and _alive(lock):
        raise FileError(f"The run in '{folder}' is still going on; it cannot be resumed.")
    lock.unlink(missing_ok=True)
    _lock(folder, lock)
    try:
        yield folder
    finally:
        lock.unlink(missing_ok=True)


def _alive(lock: Path) -> bool:
    """Whether the process that wrote the lock still runs on this machine."""
    try:
        os.kill(int(lock.read_text()), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _dated_folder(parent: Path) -> Path:
    """Create a folder with a name of its own."""
    prepare_folder(parent)
    while True:
        folder = parent / f"{datetime.now():%Y-%m-%d-%H%M}-{secrets.token_hex(2)}"
        with suppress(FileExistsError):
            folder.mkdir()
            return folder


def _lock(folder: Path, lock: Path) -> None:
    try:
        with open(lock, "x", encoding="utf-8") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        raise FileError(
            f"Another run writes to the folder '{folder}', or was stopped there. Choose another "
            "folder with --out."
        ) from None


def _refuse_used(folder: Path) -> None:
    others = sorted(path.name for path in folder.iterdir() if path.name != _LOCK)
    if others:
        raise FileError(
            f"The folder '{folder}' is not empty: it holds '{others[0]}'. A run writes to a folder "
            "of its own; choose a new one with --out, or leave --out out."
        )


def _link_latest(folder: Path) -> None:
    """Let the link `latest` beside `folder` point to it, in one step."""
    # A link that is renamed replaces the old one at once; file systems without links go without.
    with suppress(OSError), tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as place:
        link = Path(place) / LATEST
        link.symlink_to(folder.name)
        os.replace(link, folder.parent / LATEST)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
        latest = folder.parent / LATEST
        if latest.is_symlink() and not latest.exists():
            latest.unlink()
        folder.parent.rmdir()
