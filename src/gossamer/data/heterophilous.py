"""Heterophilous graphs: linked nodes tend to differ. Ten splits each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gossamer.data._build import MASKS, both_directions, node_graph
from gossamer.data._files import read_npz
from gossamer.data.catalogue.embedded import HETEROPHILOUS_SHA256, HETEROPHILOUS_URL
from gossamer.data.dataset import Transform
from gossamer.data.raw import RawFile, SingleFileDataset
from gossamer.errors import FileError, UnknownKeyError

_ARRAYS = ("node_features", "node_labels", "edges", "train_masks", "val_masks", "test_masks")
_NAMES = (
    "actor",
    "amazon_ratings",
    "chameleon_filtered",
    "cornell",
    "minesweeper",
    "questions",
    "roman_empire",
    "squirrel_filtered",
    "texas",
    "tolokers",
    "wisconsin",
)


class HeterophilousGraphDataset(SingleFileDataset):
    """A graph of O. Platonov et al., "A critical look at the evaluation of GNNs under heterophily:
    are we really making progress?", ICLR 2023 (`paper <https://arxiv.org/abs/2302.11640>`__).

    The file stores each undirected edge once; the graph has both directions, each once, sorted by
    source and target. ``ndata`` has ``feat`` (N, D) float32, ``label`` (N,) int64, and
    ``train_mask``, ``val_mask``, ``test_mask`` (N, 10) bool: column s is split s.

    Parameters
    ----------
    name : str
        'actor', 'amazon_ratings', 'chameleon_filtered', 'cornell', 'minesweeper', 'questions',
        'roman_empire', 'squirrel_filtered', 'texas', 'tolokers' or 'wisconsin'. The file is
        ``<name>.npz``. Actor, cornell, texas and wisconsin are undirected here; `ActorDataset` and
        so on have directed edges, as in the paper that introduced their splits.
    raw_dir : str, optional
        Folder with the file; it is downloaded if it is not there. Default: ``~/.gossamer``.
    force_reload : bool, optional
        No effect: only the file is cached.
    verbose : bool, optional
        Whether to show the progress of a download.
    transform : callable, optional
        Applied to the graph when it is accessed.

    Raises
    ------
    FileError
        If the file is missing and cannot be downloaded, or is truncated or corrupt.
    UnknownKeyError
        If there is no such dataset.
    """

    def __init__(
        self,
        name: str,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        if name not in _NAMES:
            raise UnknownKeyError(
                f"There is no heterophilous graph '{name}'. Choose one of {', '.join(_NAMES)}."
            )
        url = f"{HETEROPHILOUS_URL}{name}.npz"
        super().__init__(name, url, raw_dir, (), force_reload, verbose, transform)

    def raw_files(self) -> list[RawFile]:
        """The npz file."""
        return [RawFile(f"{self.name}.npz", self.url, HETEROPHILOUS_SHA256.get(self.name))]

    def process(self) -> None:
        """Build the graph from the npz file."""
        path = self.raw_file(f"{self.name}.npz")
        arrays = read_npz(path, _ARRAYS)
        _check(path, arrays)
        num_nodes = len(arrays["node_labels"])
        masks = {mask: arrays[f"{mask}s"].astype(bool).T for mask in MASKS}
        self.graph = node_graph(
            *both_directions(*arrays["edges"].astype(np.int64).T, num_nodes),
            num_nodes,
            {
                "feat": arrays["node_features"].astype(np.float32),
                "label": arrays["node_labels"].astype(np.int64),
                **masks,
            },
        )
        self._num_classes = int(arrays["node_labels"].max()) + 1

    @property
    def num_classes(self) -> int:
        """Number of node classes."""
        return self._num_classes


def _check(path: Path, arrays: dict[str, np.ndarray]) -> None:
    features, labels, edges = (arrays[name] for name in _ARRAYS[:3])
    num_nodes = labels.size
    if edges.size and edges.dtype.kind in "iu" and len(features) == num_nodes:
        wrong = edges[(edges < 0) | (edges >= num_nodes)]
        if len(wrong):
            raise FileError(
                f"{path}: 'edges' names node {wrong[0]}, but there are {num_nodes} nodes, numbered "
                "from 0. Correct the file, or delete it and fetch it again."
            )
    consistent = (
        num_nodes > 0
        and labels.ndim == 1
        and labels.dtype.kind in "iu"
        and 0 <= labels.min() <= labels.max() < num_nodes
        and features.ndim == 2
        and features.dtype.kind in "fiub"
        and len(features) == num_nodes
        and edges.ndim == 2
        and edges.shape[1] == 2
        and edges.dtype.kind in "iu"
        and (edges.size == 0 or 0 <= edges.min() <= edges.max() < num_nodes)
        and all(
            arrays[name].ndim == 2
            and arrays[name].shape[1] == num_nodes
            and arrays[name].dtype.kind in "biu"
            for name in _ARRAYS[3:]
        )
    )
    if not consistent:
        shapes = ", ".join(f"{name} {array.dtype}{array.shape}" for name, array in arrays.items())
        raise FileError(
            f"{path} is not a graph of this kind: its arrays do not fit together ({shapes}). "
            "Delete it and fetch it again."
        )


class _Named(HeterophilousGraphDataset):
    """A heterophilous graph with a fixed name."""

    _graph_name: str

    def __init__(
        self,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        super().__init__(self._graph_name, raw_dir, force_reload, verbose, transform)


class RomanEmpireDataset(_Named):
    """Words of the Wikipedia article on the Roman Empire; the class is the word's syntactic role.

    Nodes: 22,662. Edges: 65,854. Features: 300. Classes: 18. Parameters and contents of the graph:
    see `HeterophilousGraphDataset`.
    """

    _graph_name = "roman_empire"


class AmazonRatingsDataset(_Named):
    """Products that are bought together; the class is the average rating.

    Nodes: 24,492. Edges: 186,100. Features: 300. Classes: 5. Parameters and contents of the graph:
    see `HeterophilousGraphDataset`.
    """

    _graph_name = "amazon_ratings"


class MinesweeperDataset(_Named):
    """Cells of a 100 x 100 board, joined to their neighbors; the class says which have a mine.

    Nodes: 10,000. Edges: 78,804. Features: 7. Classes: 2 (20 % mines). Parameters and contents of
    the graph: see `HeterophilousGraphDataset`.
    """

    _graph_name = "minesweeper"


class TolokersDataset(_Named):
    """Workers of a crowdsourcing platform who shared a task; the class says who was banned.

    Nodes: 11,758. Edges: 1,038,000. Features: 10. Classes: 2. Parameters and contents of the graph:
    see `HeterophilousGraphDataset`.
    """

    _graph_name = "tolokers"


class QuestionsDataset(_Named):
    """Users of a question-answering site who answered each other; the class says who stayed active.

    Nodes: 48,921. Edges: 307,080. Features: 301. Classes: 2. Parameters and contents of the graph:
    see `HeterophilousGraphDataset`.
    """

    _graph_name = "questions"
