"""The entry of one dataset in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from inspect import signature
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import Tensor

from gossamer.data.raw import RawFile
from gossamer.graph import Graph

if TYPE_CHECKING:
    from gossamer.data.dataset import Dataset

NODES = "node classification"
MULTI_LABEL = "multi-label node classification"
ENTITIES = "entity classification"
LINKS = "link prediction"
TRIPLES = "knowledge-graph completion"
EVENTS = "temporal link prediction"
GRAPHS = "graph classification"
MULTI_LABEL_GRAPHS = "multi-label graph classification"
REGRESSION = "graph regression"
RATINGS = "rating prediction"
SERIES = "forecasts on nodes"

_NOT_STATED = "not stated"


class Contents(NamedTuple):
    """The result of a reader of raw files.

    Attributes
    ----------
    graphs : sequence of Graph
        All graphs, in the order of the files.
    labels : dict of str to Tensor
        Values that belong to graphs (not to nodes or edges), one row per graph.
    info : dict
        Further facts, such as the number of classes; anything that JSON supports.
    """

    graphs: Sequence[Graph]
    labels: Mapping[str, Tensor] = MappingProxyType({})
    info: Mapping[str, Any] = MappingProxyType({})


def counts(nodes: int, edges: int, features: int = 0, classes: int = 0) -> dict[str, int]:
    """Return the sizes of a dataset as arguments of `Entry`."""
    return {"nodes": nodes, "edges": edges, "features": features, "classes": classes}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of the catalogue.

    Attributes
    ----------
    name : str
        Name for users, and the name of the dataset's folder unless `folder` is given.
    dataset, arguments : str, dict
        The public class in `gossamer.data`, and its arguments.
    task : str
        The task, such as node classification.
    description, reference, licence : str
        One line each: the content, the publication, and the terms of use.
    files : tuple of RawFile
        Files to download.
    needs : tuple of str
        Files that the reader reads, if they differ from the names of `files`: the members of
        archives.
    reader, options : str, dict
        ``"module:function"`` below `gossamer.data.readers`, and its keyword arguments.
    graphs, nodes, edges, features, classes, splits : int
        Expected counts over all graphs, with directed edges; 0 if there are none, -1 if unknown.
    metric : str
        'accuracy', 'roc_auc', 'f1', 'mae', 'mse', 'rmse', 'mrr' or 'ap'.
    """

    name: str
    dataset: str
    task: str
    description: str
    reference: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    licence: str = _NOT_STATED
    folder: str = ""
    files: tuple[RawFile, ...] = ()
    needs: tuple[str, ...] = ()
    reader: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    graphs: int = 1
    nodes: int = -1
    edges: int = -1
    features: int = 0
    classes: int = 0
    splits: int = 0
    metric: str = "accuracy"

    @property
    def download(self) -> bool:
        """Whether it has raw files; otherwise it is embedded or generated."""
        return bool(self.files)

    @property
    def size(self) -> int | None:
        """Number of bytes to download, if known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(sizes)

    def make(self, raw_dir: str | None = None, verbose: bool = False, **arguments: Any) -> Dataset:
        """Build the dataset; embedded and generated ones have no files and no `raw_dir`."""
        cls = self.find_class()
        where = {"raw_dir": raw_dir, "verbose": verbose} if self.download else {}
        taken = signature(cls).parameters
        where = {key: value for key, value in where.items() if key in taken}
        return cls(**{**self.arguments, **where, **arguments})

    def find_class(self) -> type[Dataset]:
        """Return the public class in `gossamer.data`."""
        return getattr(import_module("gossamer.data"), self.dataset)

    def find_reader(self) -> Callable[..., Contents]:
        """Return the function that converts raw files to graphs."""
        module, _, function = self.reader.partition(":")
        return getattr(import_module(f"gossamer.data.readers.{module}"), function)
