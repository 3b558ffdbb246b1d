"""Unpacking archives that may be hostile."""

from __future__ import annotations

import gzip
import os
import shutil
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
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile)


def extract_archive(
    file: str | os.PathLike[str], target_dir: str | os.PathLike[str], overwrite: bool = True
) -> None:
    """Unpack a zip, tar (plain, gz, bz2, xz) or single-file gz archive into a folder.

    Only regular files and folders are created, and only below `target_dir`. An archive with an
    absolute path, a ``..``, a link or a device is refused before anything is written.

    Parameters
    ----------
    file : str
        The archive.
    target_dir : str
        Folder to unpack into; made if it does not exist.
    overwrite : bool, optional
        If False and `target_dir` exists, do nothing.

    Raises
    ------
    FileError
        If the archive is missing, truncated, corrupt or not trusted, or the folder not writable.
    InvalidValueError
        If the file name does not end like an archive.
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
    """Whether `extract_archive` takes a file of this name."""
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
                    _store(content, path)


def _untar(archive: Path, target: Path) -> None:
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
                _store(source.extractfile(member), path)


def _gunzip(archive: Path, target: Path) -> None:
    if archive.stat().st_size == 0:
        raise EOFError("empty file")  # gzip itself takes it for zero members
    with gzip.open(archive) as content:
        _store(content, target / archive.name.removesuffix(".gz"))


def _store(content: IO[bytes], path: Path) -> None:
    with atomic_write(path) as file:
        shutil.copyfileobj(content, file)


def _inside(archive: Path, target: Path, name: str) -> Path:
    """Path of a member below `target`; also follows links that lie in `target` already."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    unsafe = ".." in parts or "\0" in name or any(":" in part or part == "/" for part in parts)
    path = target.joinpath(*parts) if not unsafe else target
    if unsafe or not path.resolve().is_relative_to(target.resolve()):
        raise _refusal(archive, name, "lies outside the target folder")
    return path


def _refusal(archive: Path, name: str, why: str) -> FileError:
    return FileError(f"{archive} is not trusted: its member '{name}' {why}. Nothing was unpacked.")
