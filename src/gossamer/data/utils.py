"""Helpers for writing datasets: downloads, archives, masks, splits, and files without pickle."""

from __future__ import annotations

import os
from pathlib import Path

from gossamer.data._archive import extract_archive
from gossamer.data._download import download
from gossamer.data._files import checksum_algorithm, download_dir, make_folder, matches_checksum
from gossamer.data.splits import (
    Subset,
    add_node_property_split,
    add_nodepred_split,
    generate_mask_tensor,
    idx2mask,
    mask_nodes_by_property,
    split_dataset,
)
from gossamer.data.storage import load_info, load_tensors, save_info, save_tensors
from gossamer.errors import InvalidValueError
from gossamer.graph.io.container import load_graphs, load_labels, save_graphs

__all__ = [
    "Subset",
    "add_node_property_split",
    "add_nodepred_split",
    "check_sha1",
    "download",
    "extract_archive",
    "generate_mask_tensor",
    "get_download_dir",
    "idx2mask",
    "load_graphs",
    "load_info",
    "load_labels",
    "load_tensors",
    "makedirs",
    "mask_nodes_by_property",
    "save_graphs",
    "save_info",
    "save_tensors",
    "split_dataset",
]


def get_download_dir() -> str:
    """Return the folder for downloads, created if needed: ``$GOSSAMER_DOWNLOAD_DIR`` or default."""
    folder = download_dir()
    make_folder(folder)
    return str(folder)


def makedirs(path: str | os.PathLike[str]) -> None:
    """Create a folder and its parents if they do not exist.

    Raises
    ------
    FileError
        If the folder cannot be created.
    """
    make_folder(Path(path))


def check_sha1(filename: str | os.PathLike[str], sha1_hash: str) -> bool:
    """Whether a file has the given SHA-1.

    Raises
    ------
    FileError
        If the file cannot be read.
    InvalidValueError
        If `sha1_hash` does not have 40 digits.
    """
    if checksum_algorithm(sha1_hash) != "sha1":
        raise InvalidValueError("check_sha1: expected 40 hexadecimal digits, got 64.")
    return matches_checksum(Path(filename), sha1_hash)
