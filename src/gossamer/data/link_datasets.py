"""Datasets for link prediction, and graphs with timed or rated edges."""

from __future__ import annotations

from typing import ClassVar

from gossamer.data.catalogued import GraphList, OneGraph, fact
from gossamer.data.dataset import Transform
from gossamer.data.node_datasets import check_mode
from gossamer.errors import InvalidValueError, UnknownKeyError
from gossamer.graph import Graph

_SEAL = ("USAir", "NS", "PB", "Yeast", "Celegans", "Power", "Router", "Ecoli")


class SEALDataset(OneGraph):
    """One of eight undirected graphs without features, for link prediction.

    M. Zhang and Y. Chen, "Link prediction based on graph neural networks", NeurIPS 2018 (`paper
    <https://arxiv.org/abs/1802.09691>`__). The graph has both directions of each edge, sorted by
    source and target.

    Parameters
    ----------
    name : str
        'USAir', 'NS', 'PB', 'Yeast', 'Celegans', 'Power', 'Router' or 'Ecoli'.
    raw_dir : str, optional
        Folder with ``<name>.mat``. It is downloaded if it is not there. Default: ``~/.gossamer``.
    force_reload : bool, optional
        No effect: only the file is cached.
    verbose : bool, optional
        Whether to show the progress of a download.
    transform : callable, optional
        Applied to the graph when it is accessed.

    Raises
    ------
    UnknownKeyError
        If there is no such dataset.
    FileError
        If the file is missing and cannot be downloaded, or is truncated or corrupt.
    MissingExtraError
        If scipy is not installed.
    """

    def __init__(
        self,
        name: str,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        if name not in _SEAL:
            raise UnknownKeyError(
                f"There is no graph '{name}' of SEAL. Choose one of {', '.join(_SEAL)}."
            )
        self.entry_name = name
        self._start({}, raw_dir, force_reload, verbose, transform)

    def save(self) -> None:
        """Do nothing: reading the file is as fast as reading a cache."""


class _OneOf(OneGraph):
    """One of several graphs, chosen by its name."""

    _names: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        name: str,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self.entry_name = check_mode(type(self).__name__, name, self._names)
        super().__init__(raw_dir, force_reload, verbose, transform)


class MessagesDataset(_OneOf):
    """Messages among people of an organization; each is an edge, in temporal order.

    P. Panzarasa, T. Opsahl and K. M. Carley, "Patterns and dynamics of users' behavior and
    interaction", JASIST 2009, and A. Paranjape, A. R. Benson and J. Leskovec, "Motifs in temporal
    networks", WSDM 2017. ``edata['time']`` (E,) int64 is in seconds; ``ndata['id']`` (N,) is the
    number of a node in the file.

    Parameters
    ----------
    name : str
        'CollegeMsg' (1,899 nodes, 59,835 messages) or 'email-Eu-core-temporal' (986 and 332,334).
    raw_dir : str, optional
        Folder with ``<name>.txt``. It is downloaded if it is not there. Default: ``~/.gossamer``.
    force_reload, verbose, transform
        As in `KnowledgeGraphDataset`.

    Raises
    ------
    InvalidValueError
        If there is no such dataset.
    """

    _names = ("CollegeMsg", "email-Eu-core-temporal")


class SpatioTemporalDataset(_OneOf):
    """A weekly series of numbers at each node of a fixed graph.

    B. Rozemberczki et al., "PyTorch Geometric Temporal", CIKM 2021. ``ndata['feat']`` (N, T)
    float32 has the numbers of T weeks; ``edata['weight']`` (E,) float32 is 1 if the file has no
    weights.

    Parameters
    ----------
    name : str
        'chickenpox' (20 counties, 521 weeks) or 'pedalme_london' (15 places, 35 weeks).
    raw_dir : str, optional
        Folder with ``<name>.json``. It is downloaded if it is not there. Default: ``~/.gossamer``.
    force_reload, verbose, transform
        As in `KnowledgeGraphDataset`.

    Raises
    ------
    InvalidValueError
        If there is no such dataset.
    """

    _names = ("chickenpox", "pedalme_london")


class _TimedDataset(GraphList):
    """Graphs with increasing numbers of edges; they are built quickly, so there is no cache."""

    def save(self) -> None:
        """Do nothing: there is no cache."""

    @property
    def is_temporal(self) -> bool:
        """Whether the graphs are ordered by time: True."""
        return True


class _EventsDataset(_TimedDataset):
    def __init__(
        self,
        mode: str = "train",
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self.mode = check_mode(type(self).__name__, mode.lower(), ("train", "valid", "test"))
        self._start({"mode": self.mode}, raw_dir, force_reload, verbose, transform)

    def needed_files(self) -> tuple[str, ...]:
        """The file of this mode."""
        return (f"{self.mode}.txt",)


class ICEWS18Dataset(_EventsDataset):
    """Political events from January to October 2018; a graph for each day.

    W. Jin et al., "Recurrent event network for reasoning over temporal knowledge graphs", 2019
    (`paper <https://arxiv.org/abs/1904.05530>`__). Graph t has all events up to its day.
    ``edata['rel_type']`` (E, 1) int64 is the kind of event.

    Parameters
    ----------
    mode : str, optional
        'train', 'valid' or 'test': 240, 30 and 34 days.
    raw_dir : str, optional
        Folder with ``train.txt``, ``valid.txt`` and ``test.txt``, or with a folder ``ICEWS18`` that
        holds them. They are downloaded if they are not there. Default: ``~/.gossamer``.
    force_reload : bool, optional
        No effect: only the files are cached.
    verbose, transform
        As in `KnowledgeGraphDataset`.

    Raises
    ------
    InvalidValueError
        If there is no such mode.
    """

    entry_name = "ICEWS18"


class GDELTDataset(_EventsDataset):
    """Events in the news in January 2018; a graph for each quarter of an hour.

    W. Jin et al., 2019. Parameters and contents: see `ICEWS18Dataset`. Graph t has all events up to
    time ``start_time + t``.
    """

    entry_name = "GDELT"

    @property
    def num_nodes(self) -> int:
        """Number of entities over all parts: 23,033."""
        return self.entry.nodes

    start_time: int = fact("start_time", "First time of this part, in quarters of an hour.")
    end_time: int = fact("end_time", "Last time of this part, in quarters of an hour.")

    def __getitem__(self, t: int) -> Graph:
        """Return the graph of time ``start_time + t``, transformed if there is a `transform`."""
        return super().__getitem__(t)


class MovieLensDataset(OneGraph):
    """Ratings of movies by users.

    F. M. Harper and J. A. Konstan, "The MovieLens datasets: history and context", TiiS 2015. Nodes
    are of type 'user' and 'movie'; relation 'user-movie' and its reverse 'movie-user' have ``rate``
    (E,) float32 and ``train_mask``, ``valid_mask``, ``test_mask`` (E,) bool. Users have ``feat``:
    age / 50, whether female, and the occupation in one-hot form. Movies have ``feat``: the content
    of ``movie_feat.pkl``, or genres if there is no such file. Users and movies are numbered in the
    order of their tables.

    Parameters
    ----------
    name : str
        'ml-100k' (943 users, 1,682 movies), 'ml-1m' or 'ml-10m'.
    valid_ratio : float
        Fraction of the non-test ratings to use for validation.
    test_ratio : float, optional
        Fraction of the ratings to test on; ignored for 'ml-100k', which has a fixed test set.
    raw_dir : str, optional
        Folder with ``u.user``, ``u.item``, ``u1.base`` and ``u1.test``, or ``users.dat``,
        ``movies.dat`` and ``ratings.dat``, or with a folder `name` that holds them. They are
        downloaded if they are not there. Default: ``~/.gossamer``.
    force_reload, verbose, transform
        As in `KnowledgeGraphDataset`.
    random_state : int, optional
        Seed of the split.

    Raises
    ------
    InvalidValueError
        If there is no such dataset, or a ratio is not between 0 and 1.
    """

    def __init__(
        self,
        name: str,
        valid_ratio: float,
        test_ratio: float | None = None,
        raw_dir: str | None = None,
        force_reload: bool | None = None,
        verbose: bool | None = None,
        transform: Transform | None = None,
        random_state: int = 0,
    ) -> None:
        check_mode("MovieLensDataset", name, ("ml-100k", "ml-1m", "ml-10m"))
        ratios = [valid_ratio] if name == "ml-100k" else [valid_ratio, test_ratio]
        if any(ratio is None or not 0 < ratio < 1 for ratio in ratios):
            raise InvalidValueError(
                f"MovieLensDataset: valid_ratio and, for '{name}', test_ratio must be between 0 "
                f"and 1, got {ratios}."
                if name != "ml-100k"
                else f"MovieLensDataset: valid_ratio must be between 0 and 1, got {valid_ratio}."
            )
        self.entry_name = name
        self.valid_ratio, self.test_ratio, self.random_state = valid_ratio, test_ratio, random_state
        options = {"valid_ratio": valid_ratio, "test_ratio": test_ratio, "seed": random_state}
        self._start(options, raw_dir, force_reload, verbose, transform)


class BitcoinOTCDataset(_TimedDataset):
    """Trust ratings among traders of Bitcoin; one graph per 14 days.

    S. Kumar et al., "Edge weight prediction in weighted signed networks", ICDM 2016. Graph t has
    all ratings up to the end of its 14 days; the first graph ends after a week. ``edata['h']``
    (E, 1) int64 is the rating, -10 to 10. Graphs: 136. Nodes: 6,005 ids, of which 5,881 occur.
    Ratings: 35,592.

    Parameters
    ----------
    raw_dir : str, optional
        Folder with ``soc-sign-bitcoinotc.csv``. It is downloaded if it is not there. Default:
        ``~/.gossamer``.
    force_reload : bool, optional
        No effect: only the file is cached.
    verbose, transform
        As in `KnowledgeGraphDataset`.
    """

    entry_name = "bitcoinotc"

    def __getitem__(self, item: int) -> Graph:
        """Return graph `item`, transformed if there is a `transform`."""
        return super().__getitem__(item)

    @property
    def graphs(self) -> list[Graph]:
        """All graphs."""
        return list(self._graphs)


class BitcoinAlphaDataset(BitcoinOTCDataset):
    """Trust ratings on another platform; otherwise as `BitcoinOTCDataset`.

    The file is ``soc-sign-bitcoinalpha.csv``. Ratings: 24,186.
    """

    entry_name = "bitcoinalpha"
