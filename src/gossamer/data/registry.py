"""The datasets for node classification, by name: what the command line lists and trains on."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from gossamer.data.dataset import Dataset
from gossamer.data.digits import DigitsDataset
from gossamer.data.heterophilous import HeterophilousGraphDataset
from gossamer.data.karate import KarateClubDataset
from gossamer.data.planetoid import CitationGraphDataset
from gossamer.errors import UnknownKeyError

_YANG = "Yang et al., ICML 2016"
_PEI = "Pei et al., ICLR 2020"
_PLATONOV = "Platonov et al., ICLR 2023"


@dataclass(frozen=True)
class DatasetInfo:
    """What there is to know about a dataset before it is loaded.

    Attributes
    ----------
    name : str
        What the user types.
    description : str
        One line.
    nodes, edges, features, classes : int
        Sizes of the graph; edges are directed ones. No features and no masks: 0 features.
    splits : int
        Number of given train / validation / test splits.
    metric : str
        'accuracy' or 'roc_auc'.
    download : bool
        Whether it has to be downloaded, or ships with Gossamer and its packages.
    reference : str
        Who published the task.
    make : callable
        ``make(raw_dir=..., verbose=...)`` returns the dataset.
    """

    name: str
    description: str
    nodes: int
    edges: int
    features: int
    classes: int
    splits: int
    metric: str
    download: bool
    reference: str
    make: Callable[..., Dataset]


def _embedded(dataset: Callable[[], Dataset], **_: Any) -> Dataset:
    return dataset()


def _citation(name: str, description: str, *sizes: int) -> DatasetInfo:
    make = partial(CitationGraphDataset, name)
    return DatasetInfo(name, description, *sizes, 1, "accuracy", True, _YANG, make)


def _heterophilous(
    name: str, description: str, *sizes: int, metric: str = "accuracy", reference: str = _PLATONOV
) -> DatasetInfo:
    make = partial(HeterophilousGraphDataset, name.replace("-", "_"))
    return DatasetInfo(name, description, *sizes, 10, metric, True, reference, make)


_INFOS = (
    DatasetInfo(
        "digits",
        "handwritten digits, joined to their nearest neighbours",
        *(1797, 19858, 64, 10, 1),
        "accuracy",
        False,
        "Alpaydin & Kaynak, UCI 1998",
        partial(_embedded, DigitsDataset),
    ),
    DatasetInfo(
        "karate",
        "friendships in a karate club (no features, no split)",
        *(34, 156, 0, 2, 0),
        "accuracy",
        False,
        "Zachary, J. Anthropol. Res. 1977",
        partial(_embedded, KarateClubDataset),
    ),
    _citation("cora", "citations among machine-learning papers", 2708, 10556, 1433, 7),
    _citation("citeseer", "citations among computer-science papers", 3327, 9228, 3703, 6),
    _citation("pubmed", "citations among papers on diabetes", 19717, 88651, 500, 3),
    _heterophilous(
        "minesweeper", "cells of a minesweeper board", 10000, 78804, 7, 2, metric="roc_auc"
    ),
    _heterophilous("roman-empire", "words of a Wikipedia article", 22662, 65854, 300, 18),
    _heterophilous("amazon-ratings", "products bought together", 24492, 186100, 300, 5),
    _heterophilous(
        "tolokers", "workers who shared a task", 11758, 1038000, 10, 2, metric="roc_auc"
    ),
    _heterophilous(
        "questions", "users who answered each other", 48921, 307080, 301, 2, metric="roc_auc"
    ),
    _heterophilous("chameleon_filtered", "Wikipedia pages on chameleons", 890, 17708, 2325, 5),
    _heterophilous("squirrel_filtered", "Wikipedia pages on squirrels", 2223, 93996, 2089, 5),
    _heterophilous("actor", "actors on one page", 7600, 53318, 932, 5, reference=_PEI),
    _heterophilous("cornell", "university web pages", 183, 554, 1703, 5, reference=_PEI),
    _heterophilous("texas", "university web pages", 183, 558, 1703, 5, reference=_PEI),
)

DATASETS = MappingProxyType({info.name: info for info in _INFOS})


def info(name: str) -> DatasetInfo:
    """Look up a dataset; underscores and hyphens in its name are the same.

    Raises
    ------
    UnknownKeyError
        If there is none of this name; the message lists them all.

    Examples
    --------
    >>> info("roman_empire").classes
    18
    """
    for candidate in DATASETS.values():
        if candidate.name.replace("-", "_") == name.replace("-", "_"):
            return candidate
    raise UnknownKeyError(f"There is no dataset '{name}'. Choose one of {', '.join(DATASETS)}.")


def load(name: str, raw_dir: str | None = None, verbose: bool = False) -> Dataset:
    """Load a dataset by name, downloading it if its files are not found.

    Parameters
    ----------
    name : str
        A key of `DATASETS`.
    raw_dir : str, optional
        Folder with its files. Default: ``$GOSSAMER_DOWNLOAD_DIR``, or ``~/.gossamer``. Embedded
        datasets have no files and ignore it.
    verbose : bool, optional
        Whether to show the progress of a download.

    Raises
    ------
    UnknownKeyError
        If there is no dataset of this name.
    FileError
        If its files are missing and cannot be downloaded, or are truncated, corrupt or not trusted.

    Examples
    --------
    >>> load("karate")[0].num_nodes()
    34
    """
    return info(name).make(raw_dir=raw_dir, verbose=verbose)


def register_data_args(parser: argparse.ArgumentParser) -> None:
    """Give a parser the option ``--dataset NAME`` that `load_data` understands.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> register_data_args(parser)
    >>> len(load_data(parser.parse_args(["--dataset", "karate"])))
    1
    """
    parser.add_argument("--dataset", metavar="NAME", help=f"one of {', '.join(DATASETS)}")


def load_data(args: argparse.Namespace) -> Dataset:
    """Load the dataset that ``args.dataset`` names, as `load` does.

    Raises
    ------
    UnknownKeyError
        If there is no dataset of this name.
    """
    return load(args.dataset)
