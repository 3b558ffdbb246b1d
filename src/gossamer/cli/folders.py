"""The folder of a run, which no other run uses, and the link `latest` to the newest run."""

from __future__ import annotations

import fcntl
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
    """Yield the folder of a new run, empty and locked against other runs.

    Without `out`, the folder is ``runs/NAME/DATE-TIME-XXXX``, and ``runs/NAME/latest`` links to it.
    A folder that is still empty at the end is removed.

    Raises
    ------
    FileError
        If the folder cannot be created or written to, is not empty, or another run writes to it.
    """
    folder = prepare_folder(out) if out else _dated_folder(Path(parent) / name)
    try:
        with _locked(folder, "Choose another folder with --out"):
            _refuse_used(folder)
            if not out:
                _link_latest(folder)
            yield folder
    finally:
        if not out:
            _remove_empty(folder)


@contextmanager
def reopened(folder: str | Path) -> Iterator[Path]:
    """Yield the folder of an interrupted run, locked against other runs.

    Raises
    ------
    FileError
        If the folder cannot be written to, or a run writes to it.
    """
    folder = prepare_folder(Path(folder).resolve())
    with _locked(folder, "The run has not ended yet"):
        yield folder


def _dated_folder(parent: Path) -> Path:
    """Create a folder with a new name."""
    prepare_folder(parent)
    while True:
        folder = parent / f"{datetime.now():%Y-%m-%d-%H%M}-{secrets.token_hex(2)}"
        with suppress(FileExistsError):
            folder.mkdir()
            return folder


@contextmanager
def _locked(folder: Path, fix: str) -> Iterator[None]:
    """Lock a folder; the operating system releases the lock when the process ends."""
    path = folder / _LOCK
    handle = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileError(f"Another run writes to the folder '{folder}'. {fix}.") from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _refuse_used(folder: Path) -> None:
    others = sorted(path.name for path in folder.iterdir() if path.name != _LOCK)
    if others:
        raise FileError(
            f"The folder '{folder}' is not empty: it holds '{others[0]}'. Choose a new folder with "
            "--out, or omit --out."
        )


def _link_latest(folder: Path) -> None:
    """Make the link `latest` in the parent of `folder` point to `folder`, atomically."""
    # Renaming a link replaces the old one. Some file systems do not support links.
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
