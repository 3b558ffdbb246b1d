"""Graphs in the raw text format of Geom-GCN: actors, university pages, Wikipedia pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gossamer.data._build import MASKS, node_graph
from gossamer.data._files import read_npz
from gossamer.data.catalogue import CATALOGUE
from gossamer.data.catalogue.embedded import GEOM_FILES, GEOM_URL
from gossamer.data.dataset import Transform
from gossamer.data.raw import RawFile, SingleFileDataset, offline_dir
from gossamer.data.readers._checks import corrupt

_NODES, _EDGES = GEOM_FILES
_NUM_SPLITS = 10
_MAX_FEATURES = 100_000


class GeomGCNDataset(SingleFileDataset):
    """A graph of H. Pei et al., "Geom-GCN: geometric graph convolutional networks", ICLR 2020
    (`paper <https://arxiv.org/abs/2002.05287>`__).

    A line ``a b`` of the edge file is the edge from b to a, and each line is an edge: repeated
    lines and self-loops are kept, and no reverse is added. ``ndata`` has ``feat`` (N, D) float32 of
    zeros and ones, ``label`` (N,) int64, and ``train_mask``, ``val_mask``, ``test_mask`` (N, 10)
    bool: column s is split s. The undirected graphs that later papers use are
    `HeterophilousGraphDataset`.

    Parameters
    ----------
    raw_dir : str, optional
        Folder with ``out1_node_feature_label.txt``, ``out1_graph_edges.txt`` and the ten
        ``<name>_split_0.6_0.2_<s>.npz``, or with a folder of the dataset's name that holds them, or
        with two folders, as its authors have them: ``<name>`` with the text files and ``splits``.
        They are downloaded if they are not there. Default: ``~/.gossamer``.
    force_reload : bool, optional
        No effect: only the files are cached.
    verbose : bool, optional
        Whether to show the progress of a download.
    transform : callable, optional
        Applied to the graph when it is accessed.

    Raises
    ------
    FileError
        If files are missing and cannot be downloaded, or are truncated or corrupt.
    """

    _graph_name: str
    # The dataset's name in the files of its authors.
    _file_name: str
    # Whether a row lists the positions of its ones instead of all zeros and ones.
    _positions = False

    def __init__(
        self,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        super().__init__(self._graph_name, GEOM_URL, raw_dir, (), force_reload, verbose, transform)

    def raw_files(self) -> list[RawFile]:
        """The two text files and ten splits."""
        return list(CATALOGUE[f"geom-{self.name}"].files)

    def _split_names(self) -> list[str]:
        return [f"{self._file_name}_split_0.6_0.2_{split}.npz" for split in range(_NUM_SPLITS)]

    def find_raw(self) -> Path | None:
        """Folder that holds all needed files, or those of the authors' folders; or None."""
        return super().find_raw() or self._authors_folder()

    def raw_file(self, name: str) -> Path:
        """Return the path of a raw file, or raise a FileError that lists the expected files."""
        folder = self._authors_folder()
        if folder is None or super().find_raw() is not None:
            return super().raw_file(name)
        return folder.parent / "splits" / name if name.endswith(".npz") else folder / name

    def _authors_folder(self) -> Path | None:
        """The folder of the two text files, beside which the folder ``splits`` has the splits."""
        for root in (Path(self.raw_dir), offline_dir()):
            if root is None:
                continue
            folder, splits = root / self._file_name, root / "splits"
            files = [folder / _NODES, folder / _EDGES, *(splits / n for n in self._split_names())]
            if all(file.is_file() for file in files):
                return folder
        return None

    def process(self) -> None:
        """Build the graph from the raw files."""
        features, label = self._nodes()
        num_nodes = len(label)
        target, source = self._edges(num_nodes)
        self.graph = node_graph(
            source,
            target,
            num_nodes,
            {"feat": features, "label": label, **self._masks(num_nodes)},
        )
        self._num_classes = int(label.max()) + 1

    def _nodes(self) -> tuple[np.ndarray, np.ndarray]:
        path = self.raw_file(_NODES)
        try:
            rows = [line.split("\t") for line in _lines(path)]
            ids = np.array([int(node) for node, _, _ in rows])
            words = [np.array(text.split(","), dtype=np.int64) for _, text, _ in rows]
            classes = np.array([int(label) for _, _, label in rows])
            if not np.array_equal(np.sort(ids), np.arange(len(ids))):
                raise ValueError("node ids are not 0 ... N-1")
            if not 0 <= classes.min() <= classes.max() < len(rows):
                raise ValueError("a class is negative or too large")
            features = _ones_at(words) if self._positions else np.stack(words)
        except (ValueError, OverflowError) as error:
            raise corrupt(path, error) from None
        # Row i of the file describes node ids[i].
        order = ids.argsort()
        return features[order].astype(np.float32), classes[order]

    def _edges(self, num_nodes: int) -> np.ndarray:
        path = self.raw_file(_EDGES)
        try:
            pairs = np.array([line.split("\t") for line in _lines(path)], dtype=np.int64)
            if pairs.ndim != 2 or pairs.shape[1] != 2:
                raise ValueError("expected two node ids in each line")
            if pairs.min() < 0 or pairs.max() >= num_nodes:
                raise ValueError(f"a node id is not in 0 ... {num_nodes - 1}")
        except (ValueError, OverflowError) as error:
            raise corrupt(path, error) from None
        return pairs.T

    def _masks(self, num_nodes: int) -> dict[str, np.ndarray]:
        paths = [self.raw_file(name) for name in self._split_names()]
        splits = [read_npz(path, MASKS) for path in paths]
        for path, split in zip(paths, splits, strict=True):
            for mask in split.values():
                if mask.shape != (num_nodes,) or mask.dtype.kind not in "biu":
                    raise corrupt(path, f"expected masks of {num_nodes} zeros and ones")
        return {
            name: np.stack([split[name].astype(bool) for split in splits], axis=1) for name in MASKS
        }

    @property
    def num_classes(self) -> int:
        """Number of node classes."""
        return self._num_classes


def _lines(path: Path) -> list[str]:
    """The lines after the header."""
    lines = path.read_text("ascii").splitlines()[1:]
    if not lines:
        raise ValueError("it is empty")
    return lines


def _ones_at(positions: list[np.ndarray]) -> np.ndarray:
    """Rows with ones at the given positions."""
    flat = np.concatenate(positions)
    if flat.min() < 0 or flat.max() >= _MAX_FEATURES:
        raise ValueError(f"a feature number is not in 0 ... {_MAX_FEATURES - 1}")
    features = np.zeros((len(positions), int(flat.max()) + 1), dtype=np.float32)
    features[np.repeat(np.arange(len(positions)), [len(row) for row in positions]), flat] = 1
    return features


class ActorDataset(GeomGCNDataset):
    """Actors who occur on the same Wikipedia page; the class is the kind of page.

    Nodes: 7,600. Edges: 33,391. Features: 932. Classes: 5. Its files are called "film". Parameters
    and contents of the graph: see `GeomGCNDataset`.
    """

    _graph_name = "actor"
    _file_name = "film"
    _positions = True


class CornellDataset(GeomGCNDataset):
    """Pages of Cornell's computer-science department; the class is the role of their subject.

    Nodes: 183. Edges: 298. Features: 1,703. Classes: 5. Parameters and contents of the graph: see
    `GeomGCNDataset`.
    """

    _graph_name = _file_name = "cornell"


class TexasDataset(GeomGCNDataset):
    """Pages of Texas's computer-science department; the class is the role of their subject.

    Nodes: 183. Edges: 325. Features: 1,703. Classes: 5. Parameters and contents of the graph: see
    `GeomGCNDataset`.
    """

    _graph_name = _file_name = "texas"


class WisconsinDataset(GeomGCNDataset):
    """Pages of Wisconsin's computer-science department; the class is the role of their subject.

    Nodes: 251. Edges: 515. Features: 1,703. Classes: 5. Parameters and contents of the graph: see
    `GeomGCNDataset`.
    """

    _graph_name = _file_name = "wisconsin"


class ChameleonDataset(GeomGCNDataset):
    """Wikipedia pages about chameleons; the class is the amount of traffic.

    Nodes: 2,277. Edges: 36,101. Features: 2,325. Classes: 5. Parameters and contents of the graph:
    see `GeomGCNDataset`.
    """

    _graph_name = _file_name = "chameleon"


class SquirrelDataset(GeomGCNDataset):
    """Wikipedia pages about squirrels; the class is the amount of traffic.

    Nodes: 5,201. Edges: 217,073. Features: 2,089. Classes: 5. Parameters and contents of the graph:
    see `GeomGCNDataset`.
    """

    _graph_name = _file_name = "squirrel"
