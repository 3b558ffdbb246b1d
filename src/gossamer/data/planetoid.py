"""The citation networks Cora, Citeseer and Pubmed in Planetoid's raw format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gossamer.data._build import index_mask, node_graph
from gossamer.data._pickles import CsrParts, load_arrays
from gossamer.data.catalogue import CATALOGUE
from gossamer.data.catalogue.embedded import PLANETOID_URL
from gossamer.data.dataset import Transform
from gossamer.data.raw import RawFile, SingleFileDataset
from gossamer.data.readers.npz import compact
from gossamer.errors import FileError, UnknownKeyError

_NUM_VALIDATION = 500


class CitationGraphDataset(SingleFileDataset):
    """A citation network with the public split of Z. Yang et al., "Revisiting semi-supervised
    learning with graph embeddings", ICML 2016 (`paper <https://arxiv.org/abs/1603.08861>`__).

    Nodes are papers, described by their words; an edge joins a paper to one that it cites.
    ``ndata`` has ``feat`` (N, D) float32, each row divided by its sum; ``label`` (N,) int64; and
    ``train_mask`` (20 nodes of each class), ``val_mask`` (500), ``test_mask`` (1,000), (N,) bool.
    Repeated citations count once; self-citations are kept. Papers without words have a row of
    zeros; papers without a class have label 0 and are in no mask.

    Edges are sorted by source. Edges with the same source are in the order of the file, where the
    position of a citation is that of its first mention by either paper.

    Parameters
    ----------
    name : str
        'cora', 'citeseer' or 'pubmed'.
    raw_dir : str, optional
        Folder with the files ``ind.<name>.x``, ``.y``, ``.tx``, ``.ty``, ``.allx``, ``.ally``,
        ``.graph`` and ``.test.index``, or with a folder of the dataset's name that holds them. They
        are downloaded if they are not there. Default: ``~/.gossamer``.
    force_reload : bool, optional
        No effect: only the files are cached.
    verbose : bool, optional
        Whether to show the progress of a download.
    reverse_edge : bool, optional
        Whether to include both directions of each edge. If False, only that from the smaller id.
    transform : callable, optional
        Applied to the graph when it is accessed.
    reorder : bool, optional
        Whether to renumber the nodes so that neighbors are close together in memory (reverse
        Cuthill-McKee) and to sort the edges by destination. Needs scipy.

    Raises
    ------
    FileError
        If files are missing and cannot be downloaded, or are truncated, corrupt or not trusted.
        They are Python 2 pickles; they are read without running anything they name.
    UnknownKeyError
        If there is no such dataset.
    """

    def __init__(
        self,
        name: str,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        reverse_edge: bool = True,
        transform: Transform | None = None,
        reorder: bool = False,
    ) -> None:
        stem = "cora" if name == "cora_v2" else name
        if stem not in ("cora", "citeseer", "pubmed"):
            raise UnknownKeyError(
                f"There is no citation network '{name}'. Choose one of cora, citeseer, pubmed."
            )
        self._stem = stem
        self._reverse_edge = reverse_edge
        self._reorder = reorder
        super().__init__(stem, PLANETOID_URL, raw_dir, (), force_reload, verbose, transform)

    def raw_files(self) -> list[RawFile]:
        """The eight files of the raw format."""
        return list(CATALOGUE[self._stem].files)

    def process(self) -> None:
        """Build the graph from the raw files."""
        features, one_hot, masks = self._nodes()
        source, target = self._edges(len(features))
        if not self._reverse_edge:
            source, target = source[source <= target], target[source <= target]
        data = {**masks, "label": one_hot.argmax(axis=1), "feat": _normalized(features)}
        g = node_graph(source, target, len(features), data)
        self.graph = compact(g) if self._reorder else g
        self._num_classes = one_hot.shape[1]

    def _nodes(self) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Return words and one-hot classes of all nodes, and the masks.

        Nodes 0 ... len(allx)-1 are in allx and ally, labeled nodes first; row i of tx and ty
        belongs to node test_index[i]. Test nodes that no file lists have neither words nor a class.
        """
        x, tx, allx = (self._matrix(part) for part in ("x", "tx", "allx"))
        y, ty, ally = (self._classes(part) for part in ("y", "ty", "ally"))
        test = self._test_index()
        known, num_train = len(allx), len(y)
        num_nodes = int(test.max()) + 1
        consistent = (
            tx.shape[1] == allx.shape[1] == x.shape[1]
            and ty.shape[1] == ally.shape[1] == y.shape[1]
            and len(tx) == len(ty) == len(test) == len(np.unique(test))
            and len(x) == num_train <= known == len(ally)
            and num_train + _NUM_VALIDATION <= known == test.min()
            and num_nodes <= known + 2 * len(test)
        )
        if not consistent:
            raise self._broken("the eight files do not fit together")
        features = np.zeros((num_nodes, allx.shape[1]), dtype=np.float32)
        one_hot = np.zeros((num_nodes, ally.shape[1]), dtype=np.int64)
        features[:known], features[test] = allx, tx
        one_hot[:known], one_hot[test] = ally, ty
        masks = {
            "train_mask": index_mask(range(num_train), num_nodes),
            "val_mask": index_mask(range(num_train, num_train + _NUM_VALIDATION), num_nodes),
            "test_mask": index_mask(test, num_nodes),
        }
        return features, one_hot, masks

    def _edges(self, num_nodes: int) -> tuple[np.ndarray, np.ndarray]:
        neighbors = self._read("graph")
        if not isinstance(neighbors, dict) or not all(
            type(node) is int and type(others) is list and all(type(n) is int for n in others)
            for node, others in neighbors.items()
        ):
            raise self._broken("ind.*.graph is not a dictionary of lists of integers")
        source = np.repeat(list(neighbors), [len(others) for others in neighbors.values()])
        target = np.array([n for others in neighbors.values() for n in others])
        ends = np.concatenate([source, target])
        if not len(ends) or ends.dtype != np.int64 or ends.min() < 0 or ends.max() >= num_nodes:
            raise self._broken(f"ind.*.graph names nodes outside 0 ... {num_nodes - 1}, or none")
        return _symmetric(source, target, num_nodes)

    def _read(self, part: str) -> Any:
        return load_arrays(self._path(part))

    def _path(self, part: str) -> Path:
        return self.raw_file(f"ind.{self._stem}.{part}")

    def _matrix(self, part: str) -> np.ndarray:
        matrix = self._read(part)
        if not isinstance(matrix, CsrParts):
            raise self._broken(f"ind.*.{part} is not a sparse matrix")
        return matrix.to_dense()

    def _classes(self, part: str) -> np.ndarray:
        array = self._read(part)
        if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind not in "iu":
            raise self._broken(f"ind.*.{part} is not a table of one-hot classes")
        return array

    def _test_index(self) -> np.ndarray:
        path = self._path("test.index")
        try:
            index = np.array([int(line) for line in path.read_text("ascii").split()])
        except (OSError, ValueError) as error:
            raise self._broken(f"{path.name} is not a list of node ids ({error})") from None
        if not len(index) or index.dtype != np.int64:
            raise self._broken(f"{path.name} is empty or its ids are too large")
        return index

    def _broken(self, what: str) -> FileError:
        return FileError(
            f"The files of '{self.name}' in {self.find_raw()} are truncated or corrupt: {what}. "
            "Delete them and fetch them again."
        )

    @property
    def num_classes(self) -> int:
        """Number of node classes."""
        return self._num_classes


def _symmetric(source: np.ndarray, target: np.ndarray, num_nodes: int) -> tuple:
    """Return both directions of each edge (loops once), by source, then by first mention."""
    key = np.minimum(source, target) * num_nodes + np.maximum(source, target)
    mention = np.sort(np.unique(key, return_index=True)[1])
    u, v = source[mention], target[mention]
    reverse = u != v
    source, target = np.concatenate([u, v[reverse]]), np.concatenate([v, u[reverse]])
    rank = np.arange(len(mention))
    order = np.lexsort((np.concatenate([rank, rank[reverse]]), source))
    return source[order], target[order]


def _normalized(features: np.ndarray) -> np.ndarray:
    """Divide rows by their sums; rows of zeros are unchanged."""
    sums = features.sum(axis=1, keepdims=True)
    return np.divide(features, sums, out=np.zeros_like(features), where=sums != 0)


class _Named(CitationGraphDataset):
    """A citation network with a fixed name."""

    _graph_name: str

    def __init__(
        self,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        reverse_edge: bool = True,
        transform: Transform | None = None,
        reorder: bool = False,
    ) -> None:
        super().__init__(
            self._graph_name, raw_dir, force_reload, verbose, reverse_edge, transform, reorder
        )


class CoraGraphDataset(_Named):
    """Cora: machine-learning papers in seven fields.

    Nodes: 2,708. Edges: 10,556. Features: 1,433. Classes: 7. Split: 140 / 500 / 1,000. Parameters
    and contents of the graph: see `CitationGraphDataset`.
    """

    _graph_name = "cora"


class CiteseerGraphDataset(_Named):
    """Citeseer: computer-science papers in six fields.

    Nodes: 3,327. Edges: 9,228, among them 124 self-loops. Features: 3,703. Classes: 6. Split: 120 /
    500 / 1,000. Parameters and contents of the graph: see `CitationGraphDataset`.
    """

    _graph_name = "citeseer"


class PubmedGraphDataset(_Named):
    """Pubmed: medical papers on three kinds of diabetes.

    Nodes: 19,717. Edges: 88,651. Features: 500. Classes: 3. Split: 60 / 500 / 1,000. Parameters and
    contents of the graph: see `CitationGraphDataset`.
    """

    _graph_name = "pubmed"


def load_cora(**arguments: Any) -> CoraGraphDataset:
    """Same as ``CoraGraphDataset(**arguments)``."""
    return CoraGraphDataset(**arguments)


def load_citeseer(**arguments: Any) -> CiteseerGraphDataset:
    """Same as ``CiteseerGraphDataset(**arguments)``."""
    return CiteseerGraphDataset(**arguments)


def load_pubmed(**arguments: Any) -> PubmedGraphDataset:
    """Same as ``PubmedGraphDataset(**arguments)``."""
    return PubmedGraphDataset(**arguments)
