"""Base classes of datasets, which control folders, downloads, processing and caching."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

from gossamer.data._archive import extract_archive, is_archive
from gossamer.data._download import download
from gossamer.data._files import download_dir, make_folder
from gossamer.errors import InvalidTypeError, OutOfRangeError
from gossamer.graph import Graph

Transform = Callable[[Any], Any]


class Dataset:
    """A sequence of graphs, with the steps that produce it.

    On construction::

        has_cache()?  yes: load()
                      no:  download() if `raw_path` does not exist; process(); save()

    A subclass defines ``__getitem__`` and ``__len__``; ``process``, ``download``, ``has_cache``,
    ``save`` and ``load`` do nothing unless overridden. A cache that fails to load is rebuilt, with
    a warning. `raw_dir` is created before ``download`` if the subclass defines ``download`` or
    ``save``; other folders are created only when something is written to them.

    Parameters
    ----------
    name : str
        Name of the dataset.
    url : str, optional
        URL of the raw data.
    raw_dir : str, optional
        Folder with the raw data. Default: ``$GOSSAMER_DOWNLOAD_DIR``, or ``~/.gossamer``.
    save_dir : str, optional
        Folder for processed data. Default: `raw_dir`.
    hash_key : tuple, optional
        Values that distinguish variants of a dataset; `hash` is made from them.
    force_reload : bool, optional
        Whether to process the data again even if there is a cache.
    verbose : bool, optional
        Whether to print progress.
    transform : callable, optional
        Applied to each graph when it is accessed.

    Examples
    --------
    >>> class Squares(Dataset):
    ...     def process(self):
    ...         self.items = [n * n for n in range(4)]
    ...     def __getitem__(self, idx):
    ...         return self.items[idx]
    ...     def __len__(self):
    ...         return len(self.items)
    >>> squares = Squares("squares")
    >>> squares[3], len(squares), squares.hash
    (9, 4, 'f9065fa7')
    """

    def __init__(
        self,
        name: str,
        url: str | None = None,
        raw_dir: str | None = None,
        save_dir: str | None = None,
        hash_key: tuple[Hashable, ...] = (),
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        if transform is not None and not callable(transform):
            raise InvalidTypeError(
                f"{type(self).__name__}: transform must be callable, "
                f"got {type(transform).__name__}."
            )
        self._name = name
        self._url = url
        self._raw_dir = str(Path(raw_dir).expanduser()) if raw_dir else str(download_dir())
        self._save_dir = str(Path(save_dir).expanduser()) if save_dir else self._raw_dir
        self._hash_key = hash_key
        self._hash = hashlib.sha1(str(hash_key).encode()).hexdigest()[:8]
        self._force_reload = force_reload
        self._verbose = verbose
        self._transform = transform
        self._load()

    def download(self) -> None:
        """Download the raw data to `raw_path`. The base class does nothing."""

    def save(self) -> None:
        """Write the processed data to `save_path`. The base class does nothing."""

    def load(self) -> None:
        """Read the data that `save` wrote. The base class does nothing."""

    def has_cache(self) -> bool:
        """Whether there is processed data for `load`. The base class returns False."""
        return False

    def process(self) -> None:
        """Convert the raw data to graphs. The base class does nothing, as in DGL."""

    def __getitem__(self, idx: int) -> Any:
        """Return one example. A subclass must define it."""
        raise self._undefined("__getitem__")

    def __len__(self) -> int:
        """Return the number of examples. A subclass must define it."""
        raise self._undefined("__len__")

    def _undefined(self, method: str) -> InvalidTypeError:
        return InvalidTypeError(f"{type(self).__name__} must define {method}(): Dataset does not.")

    def _transformed(self, g: Graph) -> Graph:
        return g if self._transform is None else self._transform(g)

    def _only(self, idx: int, g: Graph) -> Graph:
        """Return the only graph; `idx` must be 0."""
        if idx != 0:
            raise OutOfRangeError(
                f"{type(self).__name__} has a single graph, number 0; there is no number {idx}."
            )
        return self._transformed(g)

    def _load(self) -> None:
        if not self._force_reload and self.has_cache():
            try:
                self.load()
                return
            except Exception as error:  # the cache can be rebuilt, so no failure here is final
                warnings.warn(
                    f"The cache of dataset '{self.name}' in {self.save_path} cannot be loaded "
                    f"({type(error).__name__}: {error}) and is made anew.",
                    stacklevel=3,
                )
        self._download()
        self.process()
        self.save()

    def _download(self) -> None:
        if Path(self.raw_path).exists():
            return
        cls = type(self)
        fetches = cls.download not in (Dataset.download, BuiltinDataset.download)
        if fetches or cls.save is not Dataset.save:
            make_folder(Path(self.raw_dir))
        self.download()

    @property
    def name(self) -> str:
        """Name of the dataset."""
        return self._name

    @property
    def url(self) -> str | None:
        """URL of the raw data."""
        return self._url

    @property
    def raw_dir(self) -> str:
        """Folder with the raw data of all datasets."""
        return self._raw_dir

    @property
    def raw_path(self) -> str:
        """Folder with the raw data of this dataset: ``raw_dir/name``."""
        return os.path.join(self.raw_dir, self.name)

    @property
    def save_dir(self) -> str:
        """Folder with the processed data of all datasets."""
        return self._save_dir

    @property
    def save_path(self) -> str:
        """Folder with the processed data of this dataset: ``save_dir/name``."""
        return os.path.join(self.save_dir, self.name)

    @property
    def verbose(self) -> bool:
        """Whether progress is printed."""
        return self._verbose

    @property
    def hash(self) -> str:
        """Eight hexadecimal digits made from `hash_key`."""
        return self._hash

    def __repr__(self) -> str:
        return f'Dataset("{self.name}", num_graphs={len(self)}, save_path={self.save_path})'


class BuiltinDataset(Dataset):
    """A built-in dataset that is downloaded from a URL.

    An archive is unpacked into `raw_path`; any other file is stored there.

    Parameters
    ----------
    name, url, raw_dir, hash_key, force_reload, verbose, transform
        As in `Dataset`.
    """

    def __init__(
        self,
        name: str,
        url: str | None,
        raw_dir: str | None = None,
        hash_key: tuple[Hashable, ...] = (),
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        super().__init__(
            name,
            url=url,
            raw_dir=raw_dir,
            hash_key=hash_key,
            force_reload=force_reload,
            verbose=verbose,
            transform=transform,
        )

    def download(self) -> None:
        """Download the URL, if there is one, to `raw_path`; unpack archives."""
        if self.url is None:
            return
        folder = self.raw_dir if is_archive(self.url) else self.raw_path
        make_folder(Path(folder))
        file = download(self.url, path=folder, log=self.verbose)
        if is_archive(file):
            extract_archive(file, self.raw_path)


class SingleGraphDataset(BuiltinDataset):
    """A dataset of one graph, which `process` stores in ``self.graph``."""

    graph: Graph

    def __len__(self) -> int:
        return 1

    def __getitem__(self, idx: int) -> Graph:
        """Return the graph, transformed if there is a `transform`.

        Raises
        ------
        OutOfRangeError
            If `idx` is not 0.
        """
        return self._only(idx, self.graph)
