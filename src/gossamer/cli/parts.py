"""Datasets whose classes open one part at a time: training, validation or test."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

from gossamer.data.catalogue import Entry

__all__ = ["open_parts"]

# Argument that selects a part -> class -> its values; "" stands for the other classes.
_VALUES = {
    "mode": {"": ("train", "valid", "test"), "SSTDataset": ("train", "dev", "test")},
    "split": {
        "": ("train", "val", "test"),
        "MNISTSuperPixelDataset": ("train", "test"),
        "CIFAR10SuperPixelDataset": ("train", "test"),
    },
}
_NAMES = {"valid": "val", "dev": "val"}


def open_parts(entry: Entry, open_dataset: Callable[..., Any]) -> dict[str, Any]:
    """Open all parts of a dataset: "train", "val" and "test", or some of them.

    Parameters
    ----------
    entry : Entry
        Entry of the catalogue.
    open_dataset : callable
        Function that opens the dataset; takes additional arguments of its class.

    Returns
    -------
    dict of str to Dataset
        Parts by name; the only key is "" if the dataset is one object.

    Examples
    --------
    >>> from gossamer.data import registry
    >>> karate = registry.info("karate")
    >>> {name: len(part) for name, part in open_parts(karate, karate.make).items()}
    {'': 1}
    """
    keys = [key for key in _VALUES if key in signature(entry.find_class()).parameters]
    if not keys:
        return {"": open_dataset()}
    values = _VALUES[keys[0]]
    return {
        _NAMES.get(value, value): open_dataset(**{keys[0]: value})
        for value in values.get(entry.dataset, values[""])
    }
