"""Datasets of labeled graphs: TU, GIN, BA-2motifs, fake news, sentiment trees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from gossamer._options import require
from gossamer.data.catalogue import CATALOGUE
from gossamer.data.catalogue.graphs import gin_entry, tu_entry
from gossamer.data.catalogued import GraphList, LabelledGraphs, fact, per_graph
from gossamer.data.dataset import Transform
from gossamer.data.node_datasets import check_mode
from gossamer.data.readers.sst import NO_WORD, read_embeddings, read_vocab
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph


class TUDataset(LabelledGraphs):
    """A dataset of the TU collection, C. Morris et al., "TUDataset: a collection of benchmark
    datasets for learning with graphs", 2020 (`list <https://chrsmrrs.github.io/datasets/>`__).

    An example is a graph and its class, (1,) int64. If the dataset has them, ``ndata`` has
    ``node_labels`` (N, 1) int64 and ``node_attr`` (N, D) float64; ``edata`` has ``edge_labels``
    (E, 1) int64 and ``edge_attr`` (E, D) float64, the latter also as ``node_labels``, its name in
    DGL 2.1.0. Classes and labels are numbered from 0 in ascending order.

    Parameters
    ----------
    name : str
        Name of the dataset, such as 'ENZYMES' or 'PROTEINS'.
    raw_dir : str, optional
        Folder with ``<name>_A.txt`` and so on, or with a folder `name` that holds them. They are
        downloaded if they are not there. Default: ``~/.gossamer``.
    force_reload : bool, optional
        Whether to read the raw files even if there is a cache.
    verbose : bool, optional
        Whether to show progress.
    transform : callable, optional
        Applied to a graph when it is accessed.

    Raises
    ------
    FileError
        If files are missing and cannot be downloaded, or are truncated or corrupt.
    """

    _reader = "tu"

    def __init__(
        self,
        name: str,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self._start_tu(name, {}, raw_dir, force_reload, verbose, transform)

    def _start_tu(self, name: str, options: Mapping[str, Any], *arguments: Any) -> None:
        check_name(type(self).__name__, name)
        entry = tu_entry(name, type(self).__name__, self._reader)
        self._start(options, *arguments, entry=entry)

    num_classes: int = fact("num_classes", "Number of classes.")
    num_labels: int = fact("num_classes", "Same as `num_classes`.")
    max_num_node: int = fact("max_num_node", "Number of nodes of the largest graph.")

    @property
    def graph_lists(self) -> list:
        """All graphs."""
        return list(self._graphs)

    graph_labels: Tensor = per_graph("label", "All classes.")

    def statistics(self) -> tuple[int, int, int]:
        """Number of features, number of classes, number of nodes of the largest graph."""
        data = self._graphs[0].ndata
        width = data["feat"].shape[1] if "feat" in data else 0
        return width, self.num_classes, self.max_num_node


class LegacyTUDataset(TUDataset):
    """A dataset of the TU collection with one feature per node.

    ``ndata['feat']`` (N, D) float32 is the attributes of the nodes or, if there are none, their
    one-hot labels or, if there are none, ones. An example is a graph and its class; classes are the
    labels in the file minus the smallest one.

    Parameters
    ----------
    name : str
        Name of the dataset, as in `TUDataset`.
    use_pandas : bool, optional
        No effect.
    hidden_size : int, optional
        Number of ones per node if there are neither attributes nor labels.
    max_allow_node : int, optional
        Omit graphs with more nodes than this.
    raw_dir, force_reload, verbose, transform
        As in `TUDataset`.
    """

    _reader = "tu_legacy"

    def __init__(
        self,
        name: str,
        use_pandas: bool = False,
        hidden_size: int = 10,
        max_allow_node: int | None = None,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self.use_pandas = use_pandas
        self.hidden_size, self.max_allow_node = hidden_size, max_allow_node
        options = {"hidden_size": hidden_size, "max_allow_node": max_allow_node}
        self._start_tu(name, options, raw_dir, force_reload, verbose, transform)

    data_mode: str = fact(
        "data_mode",
        "What ``feat`` was made of: 'node_attr', 'node_label' or 'constant'.",
    )


class GINDataset(LabelledGraphs):
    """A dataset of K. Xu et al., "How powerful are graph neural networks?", ICLR 2019
    (`paper <https://arxiv.org/abs/1810.00826>`__).

    An example is a graph and its class. ``ndata`` has ``label`` (N,) int64, the tag of a node or
    its degree, and ``attr`` (N, D) float32, the same in one-hot form or the attributes in the file.
    Tags and classes are numbered in the order of their first occurrence.

    Parameters
    ----------
    name : str
        'MUTAG', 'COLLAB', 'IMDBBINARY', 'IMDBMULTI', 'NCI1', 'PROTEINS', 'PTC', 'REDDITBINARY' or
        'REDDITMULTI5K'. The file is ``<name>.txt``.
    self_loop : bool
        Whether to add a self-loop to each node.
    degree_as_nlabel : bool, optional
        Whether to use in-degrees instead of tags.
    raw_dir, force_reload, verbose, transform
        As in `TUDataset`.
    """

    def __init__(
        self,
        name: str,
        self_loop: bool,
        degree_as_nlabel: bool = False,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        check_name("GINDataset", name)
        self.self_loop = bool(self_loop)
        options = {"self_loop": bool(self_loop), "degree_as_nlabel": bool(degree_as_nlabel)}
        self._start(options, raw_dir, force_reload, verbose, transform, gin_entry(name))

    num_classes: int = fact("num_classes", "Number of classes.")
    gclasses: int = fact("num_classes", "Same as `num_classes`.")
    nclasses: int = fact("num_tags", "Number of different tags.")

    @property
    def dim_nfeats(self) -> int:
        """Width of ``attr``."""
        return self._graphs[0].ndata["attr"].shape[1]

    @property
    def graphs(self) -> list:
        """All graphs."""
        return list(self._graphs)

    labels: Tensor = per_graph("label", "All classes.")

    @property
    def fold(self) -> Tensor:
        """Number of the fold (of ten) that tests each graph, (graphs,) int64; -1 for none.

        It is read from ``10fold_idx/test_idx-1.txt`` to ``test_idx-10.txt`` in the folder of the
        dataset's file; without these files, it is -1 for all graphs.
        """
        return self._labels["fold"]


class BA2MotifDataset(LabelledGraphs):
    """Random graphs with a motif, to test explanations.

    D. Luo et al., "Parameterized explainer for graph neural network", NeurIPS 2020. Graphs: 1,000
    of 25 nodes. An example is a graph and its class in one-hot form (2,) int64: a house, or a cycle
    of five nodes, was attached. ``ndata['feat']`` is (25, 10) float64.

    Parameters
    ----------
    raw_dir : str, optional
        Folder with ``BA-2motif.pkl``. It is downloaded if it is not there. Default:
        ``~/.gossamer``.
    force_reload, verbose, transform
        As in `TUDataset`.
    """

    entry_name = "ba2motif"

    def __init__(
        self,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        self._start({}, raw_dir, force_reload, verbose, transform)

    @property
    def num_classes(self) -> int:
        """Number of classes: 2."""
        return 2


class FakeNewsDataset(LabelledGraphs):
    """Trees of users who spread a piece of news; the class says whether the news is false.

    Y. Dou et al., "User preference-aware fake news detection", SIGIR 2021. An example is a graph
    and its class. `feature` has the features of the nodes of all graphs; ``ndata['_ID']`` are the
    rows of a graph's nodes. `train_mask`, `val_mask` and `test_mask` select graphs.

    Parameters
    ----------
    name : str
        'gossipcop' (5,464 graphs) or 'politifact' (314).
    feature_name : str
        'profile', 'spacy', 'bert' or 'content': 10, 300, 768 or 310 columns.
    raw_dir : str, optional
        Folder with ``A.txt``, ``node_graph_id.npy``, ``graph_labels.npy``,
        ``new_<feature_name>_feature.npz`` and three ``*_idx.npy``. They are downloaded if they are
        not there. Default: ``~/.gossamer``.
    transform : callable, optional
        Applied to a graph when it is accessed.

    Raises
    ------
    InvalidValueError
        If there is no such dataset or feature.
    """

    def __init__(
        self,
        name: str,
        feature_name: str,
        raw_dir: str | None = None,
        transform: Transform | None = None,
    ) -> None:
        check_mode("FakeNewsDataset, name", name, ("gossipcop", "politifact"))
        features = ("profile", "spacy", "bert", "content")
        check_mode("FakeNewsDataset, feature_name", feature_name, features)
        self.feature_name = feature_name
        self._start(
            {"feature_name": feature_name}, raw_dir, False, False, transform, CATALOGUE[name]
        )

    def needed_files(self) -> tuple[str, ...]:
        """The files of this feature."""
        return (*self.entry.needs, f"new_{self.feature_name}_feature.npz")

    num_classes: int = fact("num_classes", "Number of classes: 2.")

    def __getitem__(self, i: int) -> tuple[Graph, Tensor]:
        """Return graph `i`, transformed if there is a `transform`, and its class."""
        return super().__getitem__(i)

    @property
    def num_graphs(self) -> int:
        """Number of graphs."""
        return len(self)

    labels: Tensor = per_graph("label", "All classes.")
    feature: Tensor = per_graph("feature", "Features of all nodes of all graphs.")
    train_mask: Tensor = per_graph("train_mask", "Graphs to train on, (graphs,) bool.")
    val_mask: Tensor = per_graph("val_mask", "Graphs to validate with, (graphs,) bool.")
    test_mask: Tensor = per_graph("test_mask", "Graphs to test on, (graphs,) bool.")


class SSTDataset(GraphList):
    """Sentences of film reviews as trees; each part of a sentence has a sentiment.

    R. Socher et al., "Recursive deep models for semantic compositionality over a sentiment
    treebank", EMNLP 2013. Trees: 8,544 to train, 1,101 to validate, 2,210 to test. Edges go from a
    part to the part that contains it. ``ndata`` has ``x`` (N,) int64, the number of the word or -1;
    ``y`` (N,) int64, the sentiment from 0 to 4; ``mask`` (N,) int64, 1 for words.

    Parameters
    ----------
    mode : str, optional
        'train', 'dev', 'test' or 'tiny', the first five trees of 'train'.
    glove_embed_file : str, optional
        A text file of word vectors for `pretrained_emb`, with one word and its vector per line.
    vocab_file : str, optional
        A text file with one word per line. Default: that of the dataset.
    raw_dir : str, optional
        Folder with ``train.txt``, ``dev.txt``, ``test.txt`` and ``vocab.txt``, or with a folder
        ``sst`` that holds them. They are downloaded if they are not there. Default:
        ``~/.gossamer``.
    force_reload, verbose, transform
        As in `TUDataset`.

    Raises
    ------
    InvalidValueError
        If there is no such mode.
    """

    entry_name = "sst"
    PAD_WORD = NO_WORD
    UNK_WORD = NO_WORD

    def __init__(
        self,
        mode: str = "train",
        glove_embed_file: str | None = None,
        vocab_file: str | None = None,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self.mode = check_mode("SSTDataset", mode, ("train", "dev", "test", "tiny"))
        options = {"mode": mode, "vocab_file": vocab_file}
        self._start(options, raw_dir, force_reload, verbose, transform)
        self._vocab = read_vocab(Path(vocab_file) if vocab_file else self.raw_file("vocab.txt"))
        self._emb = None
        if glove_embed_file:
            self._emb = read_embeddings(Path(glove_embed_file), self._vocab)

    @property
    def vocab(self) -> dict[str, int]:
        """Words and their numbers."""
        return self._vocab

    @property
    def vocab_size(self) -> int:
        """Number of words."""
        return len(self._vocab)

    @property
    def pretrained_emb(self) -> Tensor | None:
        """Vectors of the words (V, D) float32, if `glove_embed_file` was given."""
        return self._emb

    num_classes: int = fact("num_classes", "Number of sentiments: 5.")


def check_name(who: str, name: str) -> None:
    """Raise unless `name` can be part of a file name."""
    require(name, str, who, "name")
    if not name or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise InvalidValueError(f"{who}: '{name}' is no name of a dataset.")
