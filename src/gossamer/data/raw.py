"""Raw files of datasets: names, locations and downloads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gossamer.data._archive import extract_archive, is_archive
from gossamer.data._build import MASKS
from gossamer.data._download import download
from gossamer.data._files import file_checksum
from gossamer.data.dataset import BuiltinDataset, SingleGraphDataset
from gossamer.errors import FileError
from gossamer.graph import Graph

__all__ = ["FileDataset", "RawFile", "RawFolder", "SingleFileDataset"]

# Archives often contain one folder with the dataset's name; some contain a nested folder.
_MAX_DEPTH = 2


@dataclass(frozen=True)
class RawFile:
    """One file to download.

    Attributes
    ----------
    name : str
        File name on disk.
    url : str or tuple of str, optional
        URLs, tried in order; none if the file must be downloaded manually.
    checksum : str, optional
        SHA-1 or SHA-256.
    size : int, optional
        Number of bytes.
    """

    name: str
    url: str | tuple[str, ...] = ()
    checksum: str | None = None
    size: int | None = None

    @property
    def urls(self) -> tuple[str, ...]:
        """All URLs."""
        return (self.url,) if isinstance(self.url, str) else self.url

    def fetch(self, folder: Path, log: bool) -> Path:
        """Download the file to `folder` from the first URL that works."""
        reasons = []
        for url in self.urls:
            try:
                return Path(download(url, str(folder / self.name), False, self.checksum, log=log))
            except FileError as error:
                reasons.append(str(error))
        raise FileError(" ".join(reasons) or "No public address of it is known.")


@dataclass
class RawFolder:
    """The folder of a reader's files, which records the requested files."""

    folder: Path
    asked: list[str] = field(default_factory=list)

    def path(self, name: str) -> Path:
        """Return the path of a file; raise if it does not exist."""
        path = self.folder / name
        if not path.is_file():
            raise FileError(f"There is no file {path}. Put it there, or fetch the dataset again.")
        self.asked.append(name)
        return path

    def has(self, name: str) -> bool:
        """Whether an optional file exists."""
        return (self.folder / name).is_file()

    def fingerprints(self) -> dict[str, list]:
        """Return size, modification time and SHA-256 of each requested file."""
        return {
            name: [*_stamp(self.folder / name), file_checksum(self.folder / name, "sha256")]
            for name in dict.fromkeys(self.asked)
        }


def unchanged(folder: Path, fingerprints: dict[str, list]) -> bool:
    """Whether the files still have these fingerprints; checksums are computed only if needed."""
    for name, (size, time, checksum) in fingerprints.items():
        path = os.path.join(folder, name)
        try:
            size_now, time_now = _stamp(path)
        except OSError:
            return False
        if size_now != size:
            return False
        if time_now != time and file_checksum(Path(path), "sha256") != checksum:
            return False
    return True


def _stamp(path: str | Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def offline_dir() -> Path | None:
    """Return ``$GOSSAMER_DATA_DIR``, a folder with raw files for use without downloads."""
    folder = os.environ.get("GOSSAMER_DATA_DIR")
    return Path(folder).expanduser().absolute() if folder else None


class FileDataset(BuiltinDataset):
    """A dataset made from a fixed list of raw files.

    The files may be in `raw_path`, in `raw_dir` itself, in a folder of `raw_dir` whose name begins
    with the dataset's name, at most two folders deep, or in the same places of
    ``$GOSSAMER_DATA_DIR``. Only if they are not found are they downloaded, into `raw_path`; with
    ``$GOSSAMER_DATA_DIR`` set, nothing is downloaded.
    """

    def raw_files(self) -> Sequence[RawFile]:
        """Return the files to download, including archives."""
        raise self._undefined("raw_files")

    def needed_files(self) -> Iterable[str]:
        """Names of the files that `process` reads. Default: those of `raw_files`."""
        return [file.name for file in self.raw_files()]

    def download(self) -> None:
        """Download each raw file to `raw_path` and unpack archives there."""
        folder = Path(self.raw_path)
        for file in self.raw_files():
            present = self._find([file.name])
            try:
                path = present / file.name if present else self._fetch(file, folder)
            except FileError as error:
                raise FileError(f"{self._missing()} {error}") from None
            if is_archive(file.name) and file.name not in self.needed_files():
                extract_archive(path, folder)

    def _fetch(self, file: RawFile, folder: Path) -> Path:
        if offline_dir() is not None:
            raise FileError("GOSSAMER_DATA_DIR is set, so nothing is downloaded.")
        return file.fetch(folder, self.verbose)

    def _download(self) -> None:
        if self.find_raw() is None:
            self.download()

    def find_raw(self) -> Path | None:
        """Return the folder that contains all needed files, or None."""
        return self._find(self.needed_files())

    def _find(self, names: Iterable[str]) -> Path | None:
        names = list(names)
        for folder in self._candidates():
            # Paths as str for speed: this check runs often when a cache is opened.
            if all(os.path.isfile(os.path.join(folder, name)) for name in names):
                return folder
        return None

    def raw_file(self, name: str) -> Path:
        """Return the path of a raw file, or raise a FileError that lists the expected files."""
        folder = self.find_raw()
        if folder is None:
            raise FileError(self._missing())
        return folder / name

    def _candidates(self) -> Iterator[Path]:
        for raw_dir in (Path(self.raw_dir), offline_dir()):
            if raw_dir is None:
                continue
            own = raw_dir / self.name
            yield own
            yield raw_dir
            # Searched last, since most files are found before.
            others = sorted(raw_dir.glob(f"{self.name}_*"))
            yield from others
            for folder in (own, *others):
                yield from _subfolders(folder, _MAX_DEPTH)

    def _missing(self) -> str:
        needed = list(self.needed_files())
        shown = needed if len(needed) <= 8 else [*needed[:7], f"{len(needed) - 7} more"]
        where = self.raw_dir if Path(self.raw_dir).is_dir() else f"{self.raw_dir} (no such folder)"
        archives = [
            file.name
            for file in self.raw_files()
            if file.name not in needed and is_archive(file.name)
        ]
        packed = f", or {', '.join(archives)}," if archives else ""
        return f"Dataset '{self.name}' needs {', '.join(shown)}{packed} in {where}."


def _subfolders(folder: Path, depth: int) -> Iterator[Path]:
    if depth and folder.is_dir():
        for below in sorted(path for path in folder.iterdir() if path.is_dir()):
            yield below
            yield from _subfolders(below, depth - 1)


class SingleFileDataset(FileDataset, SingleGraphDataset):
    """One graph with ``feat``, ``label`` and masks, parsed each time (in at most a second)."""

    num_classes: int

    def _load(self) -> None:
        super()._load()
        problem = _problem(self.graph, self.num_classes)
        if problem:
            raise FileError(
                f"The files of '{self.name}' in {self.find_raw()} are damaged: {problem}. Delete "
                "them and fetch them again."
            )


def _problem(g: Graph, num_classes: int) -> str | None:
    """Return a problem that would make training fail or its result meaningless, or None."""
    finite = g.ndata["feat"].isfinite().all(1)
    if not finite.all():
        return f"the features of node {int((~finite).nonzero()[0])} are not finite"
    label = g.ndata["label"]
    empty = (label.bincount(minlength=num_classes) == 0).nonzero()
    if len(empty):
        return f"labels go up to {int(label.max())}, but no node has class {int(empty[0])}"
    for mask in MASKS:
        if not g.ndata[mask].any(0).all():
            return f"a {mask.removesuffix('_mask')} split has no nodes"
    return None
