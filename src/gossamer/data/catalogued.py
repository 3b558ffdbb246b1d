"""Datasets defined by a row of the catalogue, with common search, reading and caching."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from gossamer.data._build import GraphPieces
from gossamer.data.catalogue import CATALOGUE
from gossamer.data.catalogue.entry import Contents, Entry
from gossamer.data.dataset import Transform
from gossamer.data.raw import FileDataset, RawFile, RawFolder, unchanged
from gossamer.errors import FileError, InvalidTypeError, MissingExtraError, OutOfRangeError
from gossamer.graph import Graph, load_graphs
from gossamer.graph.io.container import write_graphs

# Part of the name of a cache file. Increase it when the result of a reader changes.
_VERSION = 2
# The label in the cache file that has the facts, as JSON.
_INFO = "__info__"


def fact(key: str, doc: str) -> Any:
    """Make a property of `CatalogueDataset` for a fact from the reader about the whole dataset."""
    return property(lambda self: self._info[key], doc=doc)


def per_graph(key: str, doc: str) -> Any:
    """Make a property of `CatalogueDataset` for a tensor of the reader with one row per graph."""
    return property(lambda self: self._labels[key], doc=doc)


class CatalogueDataset(FileDataset):
    """A dataset described by a row of the catalogue.

    The reader of the row converts the raw files to graphs. The result is cached in a file in
    `save_path`, which `load_graphs` can read and whose name depends on the options. The cache is
    rebuilt if a raw file has changed or if the checksums of the cached values are wrong. If that
    folder is not writable, nothing is cached.
    """

    entry_name: ClassVar[str]

    def __init__(
        self,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self._start({}, raw_dir, force_reload, verbose, transform)

    def _start(
        self,
        options: Mapping[str, Any],
        raw_dir: str | None,
        force_reload: bool | None,
        verbose: bool | None,
        transform: Transform | None,
        entry: Entry | None = None,
    ) -> None:
        """Find, read and cache; `options` go to the reader and distinguish caches."""
        self.entry = entry or CATALOGUE[self.entry_name]
        self._options = {**self.entry.options, **options}
        urls = [url for file in self.entry.files for url in file.urls]
        super().__init__(
            self.entry.folder or self.entry.name,
            url=urls[0] if urls else None,
            raw_dir=raw_dir,
            hash_key=(_VERSION, *sorted(self._options.items(), key=str)),
            force_reload=bool(force_reload),
            verbose=bool(verbose),
            transform=transform,
        )

    def raw_files(self) -> tuple[RawFile, ...]:
        """The files of the catalogue's row."""
        return self.entry.files

    def needed_files(self) -> tuple[str, ...]:
        """The files that the reader reads."""
        return self.entry.needs or tuple(file.name for file in self.entry.files)

    def _candidates(self) -> Iterator[Path]:
        yield from super()._candidates()
        yield Path(self.raw_dir) / self.entry.name

    def process(self) -> None:
        """Read the raw files."""
        folder = self.find_raw()
        if folder is None:
            raise FileError(self._missing())
        self._raw = RawFolder(folder)
        self._take(self.entry.find_reader()(self._raw, **self._options))

    def _take(self, contents: Contents) -> None:
        self._graphs, self._labels, self._info = contents

    @property
    def _cache_file(self) -> Path:
        return Path(self.save_path, f"{self.name}_{self.hash}.graphs")

    def has_cache(self) -> bool:
        """Whether there is a cache file for these options."""
        return self._cache_file.is_file()

    def save(self) -> None:
        """Write the graphs to the cache file, if the folder can be written to."""
        batched = isinstance(self._graphs, GraphPieces)
        info = {"facts": dict(self._info), "raw": self._raw.fingerprints(), "batched": batched}
        graphs = [self._graphs.batch] if batched else self._graphs
        text = torch.frombuffer(bytearray(json.dumps(info).encode()), dtype=torch.uint8)
        try:
            # A cache damaged by a crash is rebuilt.
            write_graphs(self._cache_file, graphs, {**self._labels, _INFO: text}, durable=False)
        except (FileError, MissingExtraError) as error:
            if self.verbose:
                print(f"The processed data of '{self.name}' is not kept: {error}", flush=True)

    def load(self) -> None:
        """Read the cache file."""
        graphs, labels = load_graphs(self._cache_file)
        info = json.loads(labels.pop(_INFO).numpy().tobytes())
        folder = self.find_raw()
        if folder is not None and not unchanged(folder, info["raw"]):
            raise FileError(f"the raw files in {folder} have changed")
        if info["batched"]:
            graphs = GraphPieces(graphs[0])
        self._take(Contents(graphs, labels, info["facts"]))

    def __len__(self) -> int:
        return len(self._graphs)


class OneGraph(CatalogueDataset):
    """A dataset of one graph."""

    def __getitem__(self, idx: int) -> Graph:
        """Return the graph, transformed if there is a `transform`.

        Raises
        ------
        OutOfRangeError
            If `idx` is not 0.
        """
        return self._only(idx, self._graphs[0])


class NodeDataset(OneGraph):
    """One graph whose nodes have classes."""

    num_classes: int = fact("num_classes", "Number of classes.")


class GraphList(CatalogueDataset):
    """Several graphs."""

    def __getitem__(self, idx: int) -> Graph:
        """Return graph `idx`, transformed if there is a `transform`.

        Raises
        ------
        OutOfRangeError
            If there is no graph of this number.
        """
        return self._transformed(self._graphs[self._number(idx)])

    def _number(self, idx: int) -> int:
        if isinstance(idx, bool) or not isinstance(idx, int):
            try:
                idx = int(idx.item() if isinstance(idx, Tensor) else idx)
            except (TypeError, ValueError):
                raise InvalidTypeError(
                    f"{type(self).__name__}: expected the number of a graph, "
                    f"got {type(idx).__name__}."
                ) from None
        if not -len(self) <= idx < len(self):
            raise OutOfRangeError(
                f"{type(self).__name__} has {len(self)} graphs, counted from 0; "
                f"there is no number {idx}."
            )
        return idx


class LabelledGraphs(GraphList):
    """Several graphs, each with a label in ``labels['label']``."""

    def __getitem__(self, idx: int) -> tuple[Graph, Tensor]:
        """Return graph `idx`, transformed if there is a `transform`, and its label.

        Raises
        ------
        OutOfRangeError
            If there is no graph of this number.
        """
        number = self._number(idx)
        return self._transformed(self._graphs[number]), self._labels["label"][number]
