"""Files on disk: the cache folder, atomic writes, checksums and untrusted npz archives."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gossamer._files import replacing
from gossamer.errors import FileError, InvalidValueError

_CHUNK = 1 << 20
_ALGORITHM_OF_LENGTH = {40: "sha1", 64: "sha256"}


def download_dir() -> Path:
    """Return the folder for downloads: ``$GOSSAMER_DOWNLOAD_DIR``, or ``~/.gossamer``."""
    return Path(os.environ.get("GOSSAMER_DOWNLOAD_DIR") or "~/.gossamer").expanduser().absolute()


def make_folder(path: Path) -> None:
    """Create folder `path` and its parents, or raise FileError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"Cannot create the folder {path}: {error.strerror}. "
            "Choose a writable one with raw_dir (or save_dir), or set GOSSAMER_DOWNLOAD_DIR."
        ) from None


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a file that is renamed to `path` if the block succeeds and deleted otherwise."""
    make_folder(path.parent)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        yield file


def checksum_algorithm(checksum: str) -> str:
    """Return ``"sha1"`` or ``"sha256"``, depending on the length of a hexadecimal `checksum`."""
    try:
        return _ALGORITHM_OF_LENGTH[len(checksum)]
    except KeyError:
        raise InvalidValueError(
            "Expected a checksum of 40 (SHA-1) or 64 (SHA-256) hexadecimal digits, "
            f"got {len(checksum)}."
        ) from None


def file_checksum(path: Path, algorithm: str) -> str:
    """Return the checksum of a file's content, in hexadecimal digits."""
    digest = hashlib.new(algorithm)
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise FileError(f"Cannot read {path}: {error.strerror}.") from None
    return digest.hexdigest()


def matches_checksum(path: Path, checksum: str) -> bool:
    """Whether the content of the file has this SHA-1 or SHA-256."""
    return file_checksum(path, checksum_algorithm(checksum)) == checksum.lower()


@contextmanager
def _open_npz(path: Path) -> Iterator[Any]:
    try:
        # np.load, given a path, leaves the file open when it fails.
        with open(path, "rb") as file:
            # np.load treats other files as pickles, and suggests allowing pickles.
            if not zipfile.is_zipfile(file):
                raise ValueError("not a zip file")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                yield archive
    except FileNotFoundError:
        raise FileError(f"There is no file {path}.") from None
    except PermissionError as error:
        raise FileError(f"Cannot read {path}: {error.strerror}. Check its permissions.") from None
    except Exception as error:  # a broken archive can raise almost anything
        raise FileError(
            f"Cannot read {path}: it is truncated, corrupt, or not a plain npz archive "
            f"({type(error).__name__}: {error}). Delete it and fetch it again."
        ) from None


def npz_names(path: Path) -> list[str]:
    """Return the names of the arrays in an npz archive."""
    with _open_npz(path) as archive:
        return list(archive.files)


def read_npz(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Read the named arrays of an npz archive; arrays of objects are refused."""
    with _open_npz(path) as archive:
        missing = [name for name in names if name not in archive.files]
        if not missing:
            return {name: archive[name] for name in names}
    raise FileError(f"{path} lacks the arrays {', '.join(missing)}. Fetch the file again.")
