"""Unpacking untrusted archives: only regular files, only inside one folder, of limited size."""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

from gossamer.data._files import atomic_write, make_folder
from gossamer.errors import FileError, InvalidValueError

_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
# Text compresses to about a tenth of its size, columns of zeros to less than a hundredth.
_MAX_RATIO = 300
_MAX_EXTRA = 100_000_000
_CHUNK = 1 << 20
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile)


def extract_archive(
    file: str | os.PathLike[str], target_dir: str | os.PathLike[str], overwrite: bool = True
) -> None:
    """Unpack a zip, tar (plain, gz, bz2, xz) or single-file gz archive into a folder.

    Only regular files and folders are created, and only inside `target_dir`. An archive with an
    absolute path, a ``..``, a link or a device is refused before anything is written. Unpacking is
    aborted if the content exceeds 300 times the size of the archive plus 100 MB.

    Parameters
    ----------
    file : str
        The archive.
    target_dir : str
        Folder to unpack into; created if it does not exist.
    overwrite : bool, optional
        If False and `target_dir` exists, do nothing.

    Raises
    ------
    FileError
        If the archive is missing, truncated, corrupt or not trusted, or the folder not writable.
    InvalidValueError
        If the file name does not have the suffix of a supported archive.
    """
    archive, target = Path(file), Path(target_dir)
    if target.exists() and not overwrite:
        return
    unpack = _unpacker(archive)
    if not archive.is_file():
        raise FileError(f"There is no archive {archive}.")
    make_folder(target)
    try:
        unpack(archive, target)
    except FileError:
        raise
    except (*_BROKEN, OSError, RuntimeError, NotImplementedError) as error:
        raise FileError(
            f"Cannot unpack {archive}: it is truncated or corrupt "
            f"({type(error).__name__}: {error}). Delete it and fetch it again."
        ) from None


def is_archive(name: str) -> bool:
    """Whether `extract_archive` supports a file with this name."""
    return name.endswith((".zip", ".gz", *_TAR_SUFFIXES))


def _unpacker(archive: Path) -> Callable[[Path, Path], None]:
    name = archive.name
    if name.endswith(".zip"):
        return _unzip
    if name.endswith(_TAR_SUFFIXES):
        return _untar
    if name.endswith(".gz"):
        return _gunzip
    raise InvalidValueError(
        f"extract_archive: expected a name ending in .zip, .gz or {', '.join(_TAR_SUFFIXES)}, "
        f"got '{name}'."
    )


def _unzip(archive: Path, target: Path) -> None:
    budget = _Budget(archive)
    with zipfile.ZipFile(archive) as source:
        members = source.infolist()
        for member in members:
            mode = member.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refusal(archive, member.filename, "is not a regular file")
        paths = [_inside(archive, target, member.filename) for member in members]
        for member, path in zip(members, paths, strict=True):
            if member.is_dir():
                make_folder(path)
            else:
                with source.open(member) as content:
                    budget.store(content, path)


def _untar(archive: Path, target: Path) -> None:
    budget = _Budget(archive)
    with tarfile.open(archive) as source:
        members = source.getmembers()
        for member in members:
            if not (member.isreg() or member.isdir()):
                raise _refusal(archive, member.name, "is a link or a device")
        paths = [_inside(archive, target, member.name) for member in members]
        for member, path in zip(members, paths, strict=True):
            if member.isdir():
                make_folder(path)
            else:
                budget.store(source.extractfile(member), path)


def _gunzip(archive: Path, target: Path) -> None:
    if archive.stat().st_size == 0:
        raise EOFError("empty file")  # gzip accepts it as an archive without members
    with gzip.open(archive) as content:
        _Budget(archive).store(content, target / archive.name.removesuffix(".gz"))


class _Budget:
    """The number of bytes that may still be unpacked from an archive."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._left = archive.stat().st_size * _MAX_RATIO + _MAX_EXTRA

    def store(self, content: IO[bytes], path: Path) -> None:
        """Write a member to `path`; if the archive is too large, leave no file."""
        with atomic_write(path) as file:
            while chunk := content.read(_CHUNK):
                self._left -= len(chunk)
                if self._left < 0:
                    raise FileError(
                        f"{self._archive} is not trusted: it unpacks to more than {_MAX_RATIO} "
                        f"times its size, at '{path.name}'. Fetch it from its original source."
                    )
                file.write(chunk)


def _inside(archive: Path, target: Path, name: str) -> Path:
    """Return the path of a member inside `target`, resolving links that exist in `target`."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    unsafe = ".." in parts or "\0" in name or any(":" in part or part == "/" for part in parts)
    path = target.joinpath(*parts) if not unsafe else target
    if unsafe or not path.resolve().is_relative_to(target.resolve()):
        raise _refusal(archive, name, "lies outside the target folder")
    return path


def _refusal(archive: Path, name: str, why: str) -> FileError:
    return FileError(f"{archive} is not trusted: its member '{name}' {why}. Nothing was unpacked.")
