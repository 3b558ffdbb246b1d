"""Datasets for node classification."""

from __future__ import annotations

from gossamer.data.catalogued import GraphList, NodeDataset, fact
from gossamer.data.dataset import Transform
from gossamer.errors import InvalidValueError, UnknownKeyError
from gossamer.graph import Graph


class AttributedDataset(NodeDataset):
    """A graph of O. Shchur et al., "Pitfalls of graph neural network evaluation", 2018
    (`paper <https://arxiv.org/abs/1811.05868>`__).

    ``ndata`` has ``feat`` (N, D) float32 and ``label`` (N,) int64; there is no split. Each edge
    exists once in each direction. Nodes are in reverse Cuthill-McKee order; edges are sorted by
    destination.

    Parameters
    ----------
    raw_dir : str, optional
        Folder with ``<name>.npz``, or with a folder of the dataset's name that holds it. It is
        downloaded if it is not there. Default: ``~/.gossamer``.
    force_reload : bool, optional
        Whether to read the raw file even if there is a cache.
    verbose : bool, optional
        Whether to show progress.
    transform : callable, optional
        Applied to the graph when it is accessed.

    Raises
    ------
    FileError
        If the file is missing and cannot be downloaded, or is truncated or corrupt.
    MissingExtraError
        If scipy is not installed.
    """


class CoraFullDataset(AttributedDataset):
    """Cora with all its papers and 70 fields.

    Nodes: 19,793. Edges: 126,842. Features: 8,710. Classes: 70. Parameters and contents of the
    graph: see `AttributedDataset`.
    """

    entry_name = "cora_full"


class AmazonCoBuyComputerDataset(AttributedDataset):
    """Computers of Amazon; an edge joins two that are often bought together.

    Nodes: 13,752. Edges: 491,722. Features: 767. Classes: 10. Parameters and contents of the graph:
    see `AttributedDataset`.
    """

    entry_name = "amazon_co_buy_computer"


class AmazonCoBuyPhotoDataset(AttributedDataset):
    """Photo equipment of Amazon; an edge joins two articles that are often bought together.

    Nodes: 7,650. Edges: 238,163. Features: 745. Classes: 8. Parameters and contents of the graph:
    see `AttributedDataset`.
    """

    entry_name = "amazon_co_buy_photo"


class CoauthorCSDataset(AttributedDataset):
    """Authors in computer science; an edge joins two who wrote a paper together.

    Nodes: 18,333. Edges: 163,788. Features: 6,805. Classes: 15. Parameters and contents of the
    graph: see `AttributedDataset`.
    """

    entry_name = "coauthor_cs"


class CoauthorPhysicsDataset(AttributedDataset):
    """Authors in physics; an edge joins two who wrote a paper together.

    Nodes: 34,493. Edges: 495,924. Features: 8,415. Classes: 5. Parameters and contents of the
    graph: see `AttributedDataset`.
    """

    entry_name = "coauthor_physics"


class RedditDataset(NodeDataset):
    """Posts of Reddit in September 2014; an edge joins two that the same user commented on.

    W. Hamilton et al., "Inductive representation learning on large graphs", NeurIPS 2017.

    Nodes: 232,965. Edges: 114,615,892. Features: 602. Classes: 41 (communities). ``ndata`` has
    ``feat`` (N, 602) float32, ``label`` (N,) int64 and ``train_mask``, ``val_mask``, ``test_mask``
    (N,) bool: 153,431, 23,831 and 55,703 nodes, split by day. Nodes are in reverse Cuthill-McKee
    order; edges are sorted by destination.

    Parameters
    ----------
    self_loop : bool, optional
        Whether to load the file in which each node has a self-loop.
    raw_dir : str, optional
        Folder with ``reddit_data.npz`` and ``reddit_graph.npz`` or
        ``reddit_self_loop_graph.npz``. They are downloaded if they are not there. Default:
        ``~/.gossamer``.
    force_reload, verbose, transform
        As in `AttributedDataset`.
    """

    def __init__(
        self,
        self_loop: bool = False,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self.entry_name = "reddit_self_loop" if self_loop else "reddit"
        self._start({}, raw_dir, force_reload, verbose, transform)


class SaintDataset(NodeDataset):
    """A graph of H. Zeng et al., "GraphSAINT: graph sampling based inductive learning method", ICLR
    2020 (`paper <https://arxiv.org/abs/1907.04931>`__).

    ``ndata`` has ``feat`` (N, D) float32, ``label`` int64 and ``train_mask``, ``val_mask``,
    ``test_mask`` (N,) bool.

    Parameters
    ----------
    raw_dir : str, optional
        Folder with ``adj_full.npz``, ``feats.npy``, ``class_map.json`` and ``role.json``, or with a
        folder of the dataset's name that holds them. They are downloaded if they are not there.
        Default: ``~/.gossamer``.
    force_reload, verbose, transform
        As in `AttributedDataset`.
    reorder : bool, optional
        Whether to renumber the nodes so that neighbors are close together in memory (reverse
        Cuthill-McKee) and to sort the edges by destination. Needs scipy.
    """

    def __init__(
        self,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
        reorder: bool = False,
    ) -> None:
        self._start({"reorder": bool(reorder)}, raw_dir, force_reload, verbose, transform)


class FlickrDataset(SaintDataset):
    """Images of Flickr; an edge joins two that share a location, a gallery or a commenter.

    Nodes: 89,250. Edges: 899,756. Features: 500. Classes: 7. Parameters and contents of the graph:
    see `SaintDataset`.
    """

    entry_name = "flickr"


class YelpDataset(SaintDataset):
    """Users of Yelp; an edge joins friends. A node has several of 100 labels.

    Nodes: 716,847. Edges: 13,954,819. Features: 300. ``label`` is (N, 100), zeros and ones.
    Parameters and contents of the graph: see `SaintDataset`.
    """

    entry_name = "yelp"


class BlogCatalogDataset(NodeDataset):
    """Bloggers who are friends; the labels of a blogger are the groups that they belong to.

    L. Tang and H. Liu, "Relational learning via latent social dimensions", KDD 2009.
    ``ndata['label']`` (N, 39) float32 is 1 for each group; there are no features and no split.
    Each edge exists in both directions. Nodes: 10,312. Edges: 667,966. Parameters: see
    `AttributedDataset`; the file is ``blogcatalog.mat``.
    """

    entry_name = "blogcatalog"


class PPIDataset(GraphList):
    """Interactions between proteins in 24 human tissues, one graph per tissue.

    M. Zitnik and J. Leskovec, "Predicting multicellular function through multi-layer tissue
    networks", Bioinformatics 2017; split of Hamilton et al., NeurIPS 2017: 20 graphs to train, 2 to
    validate, 2 to test. ``ndata`` has ``feat`` (N, 50) float32 and ``label`` (N, 121) float32,
    zeros and ones.

    Parameters
    ----------
    mode : str, optional
        'train', 'valid' or 'test'.
    raw_dir : str, optional
        Folder with ``<mode>_graph.json``, ``<mode>_feats.npy``, ``<mode>_labels.npy`` and
        ``<mode>_graph_id.npy``. They are downloaded if they are not there. Default:
        ``~/.gossamer``.
    force_reload, verbose, transform
        As in `AttributedDataset`.

    Raises
    ------
    InvalidValueError
        If there is no such mode.
    """

    entry_name = "ppi"

    def __init__(
        self,
        mode: str = "train",
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self.mode = check_mode("PPIDataset", mode, ("train", "valid", "test"))
        self._start({"mode": mode}, raw_dir, force_reload, verbose, transform)

    def needed_files(self) -> tuple[str, ...]:
        """The files of this mode."""
        parts = ("graph.json", "feats.npy", "labels.npy", "graph_id.npy")
        return tuple(f"{self.mode}_{part}" for part in parts)

    def __getitem__(self, item: int) -> Graph:
        """Return graph `item`, transformed if there is a `transform`."""
        return super().__getitem__(item)

    num_labels: int = fact("num_labels", "Number of labels of a node: 121.")
    num_classes: int = fact("num_labels", "Same as `num_labels`.")


class WikiCSDataset(NodeDataset):
    """Wikipedia articles on computer science; an edge is a link. Twenty splits.

    P. Mernyei and C. Cangea, "Wiki-CS: a Wikipedia-based benchmark for graph neural networks",
    2020 (`paper <https://arxiv.org/abs/2007.02901>`__).

    Nodes: 11,701. Edges: 431,726. Features: 300. Classes: 10. ``ndata`` has ``feat`` (N, 300)
    float32, ``label`` (N,) int64, ``train_mask``, ``val_mask`` and ``stopping_mask`` (N, 20) bool,
    a column for each split, and ``test_mask`` (N,) bool. Each edge exists in both directions. Nodes
    are in reverse Cuthill-McKee order; edges are sorted by destination.

    Parameters
    ----------
    raw_dir : str, optional
        Folder with ``data.json``, or with a folder ``wiki_cs`` that holds it. It is downloaded if
        it is not there. Default: ``~/.gossamer``.
    force_reload, verbose, transform
        As in `AttributedDataset`.
    """

    entry_name = "wiki_cs"


class FraudDataset(NodeDataset):
    """Fraudulent reviews or reviewers, with three relations over the nodes.

    Y. Dou et al., "Enhancing graph neural network-based fraud detectors against camouflaged
    fraudsters", CIKM 2020 (`paper <https://arxiv.org/abs/2008.08692>`__).

    The nodes have ``feature`` (N, D) float32, ``label`` (N,) int64, 1 for fraud, and
    ``train_mask``, ``val_mask``, ``test_mask`` (N,) bool, drawn at random. Of Amazon's users, the
    first 3,305 have no verified class and are in no mask.

    Parameters
    ----------
    name : str
        'yelp' or 'amazon'.
    raw_dir : str, optional
        Folder with ``YelpChi.mat`` or ``Amazon.mat``, or with a folder of the dataset's name that
        holds it. It is downloaded if it is not there. Default: ``~/.gossamer``.
    random_seed : int, optional
        Seed of the split.
    train_size, val_size : float, optional
        Fractions of the nodes to train on and to validate with; the others are to test.
    force_reload, verbose, transform
        As in `AttributedDataset`.

    Raises
    ------
    UnknownKeyError
        If there is no such dataset.
    InvalidValueError
        If the fractions are negative or add up to more than 1.
    """

    def __init__(
        self,
        name: str,
        raw_dir: str | None = None,
        random_seed: int = 717,
        train_size: float = 0.7,
        val_size: float = 0.1,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        if name not in ("yelp", "amazon"):
            raise UnknownKeyError(f"There is no fraud dataset '{name}'. Choose yelp or amazon.")
        if min(train_size, val_size) < 0 or train_size + val_size > 1:
            raise InvalidValueError(
                "FraudDataset: train_size and val_size must be fractions that add up to at most 1, "
                f"got {train_size} and {val_size}."
            )
        self.entry_name = f"fraud_{name}"
        options = {"seed": random_seed, "train_size": train_size, "val_size": val_size}
        self._start(options, raw_dir, force_reload, verbose, transform)


class _NamedFraud(FraudDataset):
    """A fraud dataset with a fixed name."""

    _graph_name: str

    def __init__(
        self,
        raw_dir: str | None = None,
        random_seed: int = 717,
        train_size: float = 0.7,
        val_size: float = 0.1,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        super().__init__(
            self._graph_name,
            raw_dir,
            random_seed,
            train_size,
            val_size,
            force_reload,
            verbose,
            transform,
        )


class FraudYelpDataset(_NamedFraud):
    """Reviews of hotels and restaurants on Yelp, 14.5 % of them spam.

    Nodes ('review'): 45,954. Edges: by the same user ('net_rur') 98,630, of the same place in the
    same month ('net_rtr') 1,147,232, of the same place with the same stars ('net_rsr') 6,805,486.
    Features: 32. Parameters and contents of the graph: see `FraudDataset`.
    """

    _graph_name = "yelp"


class FraudAmazonDataset(_NamedFraud):
    """Users who reviewed musical instruments on Amazon, 9.5 % of the labelled ones fraudsters.

    Nodes ('user'): 11,944. Edges: who reviewed the same product ('net_upu') 351,216, gave the same
    stars within a week ('net_usu') 7,132,958, wrote similar texts ('net_uvu') 2,073,474. Features:
    25. Parameters and contents of the graph: see `FraudDataset`.
    """

    _graph_name = "amazon"


def check_mode(who: str, mode: str, modes: tuple[str, ...]) -> str:
    """Return `mode`; raise InvalidValueError unless it is one of `modes`."""
    if mode not in modes:
        raise InvalidValueError(f"{who}: expected {', '.join(modes)}, got '{mode}'.")
    return mode
