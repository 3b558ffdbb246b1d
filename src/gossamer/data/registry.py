"""Access to datasets by name, as on the command line."""

from __future__ import annotations

import argparse
from difflib import get_close_matches
from typing import Any

from gossamer.data.catalogue import CATALOGUE, Entry
from gossamer.data.dataset import Dataset
from gossamer.errors import UnknownKeyError

DatasetInfo = Entry
DATASETS = CATALOGUE


def info(name: str) -> DatasetInfo:
    """Look up a dataset; case, underscores and hyphens in its name do not matter.

    Raises
    ------
    UnknownKeyError
        If there is no dataset with this name; the message lists similar names.

    Examples
    --------
    >>> info("roman_empire").classes
    18
    """
    # Names of Geom-GCN's datasets have a prefix, as some are taken; it may be omitted.
    for wanted in (name, f"geom-{name}"):
        for candidate in DATASETS.values():
            if _plain(candidate.name) == _plain(wanted):
                return candidate
    plain = {_plain(known): known for known in DATASETS}
    close = [plain[word] for word in get_close_matches(_plain(name), plain)]
    similar = f" Did you mean {' or '.join(close)}?" if close else ""
    raise UnknownKeyError(f"There is no dataset '{name}'.{similar} `gossamer datasets` lists all.")


def _plain(name: str) -> str:
    return name.replace("-", "_").casefold()


def load(name: str, raw_dir: str | None = None, verbose: bool = False, **arguments: Any) -> Dataset:
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
    **arguments
        Further arguments of the dataset's class.

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
    return info(name).make(raw_dir=raw_dir, verbose=verbose, **arguments)


def register_data_args(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--dataset NAME``, which `load_data` uses, to a parser.

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
