"""Splitting datasets and nodes into training, validation and test parts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from gossamer._optional import optional_import
from gossamer._options import as_int, number_in, shown
from gossamer.data._build import MASKS, index_mask
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError


class Sized(Protocol):
    """Anything with a length and numbered items."""

    def __len__(self) -> int: ...

    def __getitem__(self, idx: int) -> Any: ...


class Subset:
    """Items of a dataset, chosen by their numbers.

    Parameters
    ----------
    dataset : sequence
        The dataset.
    indices : sequence of int
        Item i of the subset is item ``indices[i]`` of the dataset.

    Examples
    --------
    >>> Subset("gossamer", [0, 2, 3])[1]
    's'
    """

    def __init__(self, dataset: Sized, indices: Sequence[int]) -> None:
        _require_sized(dataset, "Subset", "dataset")
        _require_sized(indices, "Subset", "indices")
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, item: int) -> Any:
        """Return the item at position `item` of the subset."""
        return self.dataset[int(self.indices[item])]

    def __len__(self) -> int:
        return len(self.indices)


def split_dataset(
    dataset: Sized,
    frac_list: Sequence[float] | None = None,
    shuffle: bool = False,
    random_state: int | None = None,
) -> list[Subset]:
    """Split a dataset into training, validation and test sets.

    The first two have ``floor(fraction * length)`` items; the test set has the rest.

    Parameters
    ----------
    dataset : sequence
        The dataset.
    frac_list : sequence of 3 float, optional
        Fractions that add up to 1. Default: 0.8, 0.1, 0.1.
    shuffle : bool, optional
        Whether to shuffle first.
    random_state : int, optional
        Seed of the shuffle.

    Raises
    ------
    InvalidValueError
        If there are not three fractions, or they do not add up to 1.

    Examples
    --------
    >>> [len(part) for part in split_dataset(range(10), [0.5, 0.3, 0.2])]
    [5, 3, 2]
    """
    _require_sized(dataset, "split_dataset", "dataset")
    ratios = _ratios("split_dataset", frac_list or (0.8, 0.1, 0.1), 3)
    order = np.arange(len(dataset))
    if shuffle:
        order = _generator(random_state, "split_dataset", "random_state").permutation(len(dataset))
    return [Subset(dataset, part) for part in np.split(order, _cuts(ratios, len(dataset)))]


def idx2mask(idx: Any, len: int) -> np.ndarray:
    """Return a float64 NumPy array of `len` zeros with ones at `idx`.

    Raises
    ------
    OutOfRangeError
        If an index is not in ``-len ... len-1``.
    """
    mask = np.zeros(len)
    try:
        mask[idx] = 1
    except IndexError as error:
        raise OutOfRangeError(f"idx2mask: {error}.") from None
    return mask


def generate_mask_tensor(mask: np.ndarray) -> torch.Tensor:
    """Convert a NumPy array to a boolean tensor, True for nonzero values.

    Raises
    ------
    InvalidTypeError
        If `mask` is not a NumPy array.
    """
    if not isinstance(mask, np.ndarray):
        raise InvalidTypeError(
            f"generate_mask_tensor: expected a NumPy array, got {type(mask).__name__}."
        )
    return torch.from_numpy(mask.astype(bool))


def add_nodepred_split(
    dataset: Iterable[Any], ratio: Sequence[float], ntype: str | None = None
) -> None:
    """Add random ``train_mask``, ``val_mask`` and ``test_mask`` to each graph.

    The split is drawn from NumPy's global generator; call ``numpy.random.seed`` to reproduce it.

    Parameters
    ----------
    dataset : iterable of Graph
        The graphs, changed in place.
    ratio : sequence of 3 float
        Fractions that add up to 1.
    ntype : str, optional
        Node type to split; required if there are several.
    """
    ratios = _ratios("add_nodepred_split", ratio, 3)
    for number in range(len(dataset)):
        g = dataset[number]
        num_nodes = g.num_nodes(ntype)
        data = g.ndata if ntype is None else g.nodes[ntype].data
        order = np.random.permutation(num_nodes)  # noqa: NPY002
        for name, part in zip(MASKS, np.split(order, _cuts(ratios, num_nodes)), strict=True):
            data[name] = torch.from_numpy(index_mask(part, num_nodes))


def mask_nodes_by_property(
    property_values: np.ndarray, part_ratios: Sequence[float], random_seed: int | None = None
) -> dict[str, torch.Tensor]:
    """Split nodes with a distribution shift along a property.

    G. Bazhenov et al., "Evaluating robustness and uncertainty of graph models under structural
    distributional shifts", NeurIPS 2023. The nodes with the smallest values are in-distribution,
    and are split at random into training, validation and test; the others, in ascending order, are
    the out-of-distribution validation and test nodes. Equal values are ordered at random.

    Parameters
    ----------
    property_values : numpy.ndarray
        One value for each node, (N,).
    part_ratios : sequence of 5 float
        Fractions of the five parts, in the order of the result; they add up to 1.
    random_seed : int, optional
        Seed of the random choices.

    Returns
    -------
    dict
        Boolean tensors (N,): 'in_train_mask', 'in_valid_mask', 'in_test_mask', 'out_valid_mask',
        'out_test_mask'. Each node is in exactly one.

    Raises
    ------
    InvalidValueError
        If there are not five ratios, or they do not add up to 1.
    """
    ratios = _ratios("mask_nodes_by_property", part_ratios, 5)
    _require_sized(property_values, "mask_nodes_by_property", "property_values")
    generator = _generator(random_seed, "mask_nodes_by_property", "random_seed")
    num_nodes = len(property_values)
    order = generator.permutation(num_nodes)
    order = order[np.asarray(property_values)[order].argsort(kind="stable")]
    cuts = _cuts(ratios, num_nodes)
    inside = generator.permutation(order[: cuts[2]])
    parts = np.split(np.concatenate([inside, order[cuts[2] :]]), cuts)
    names = ("in_train_mask", "in_valid_mask", "in_test_mask", "out_valid_mask", "out_test_mask")
    return {
        name: torch.from_numpy(index_mask(part, num_nodes))
        for name, part in zip(names, parts, strict=True)
    }


def split_sizes(who: str, ratio: Sequence[float], count: int) -> list[int]:
    """Return the sizes of three parts of `count` items; the last part has the remainder."""
    cuts = [0, *_cuts(_ratios(who, ratio, 3), count), count]
    return [end - start for start, end in itertools.pairwise(cuts)]


_PROPERTIES = ("popularity", "locality", "density")


def add_node_property_split(
    dataset: Sized,
    part_ratios: Sequence[float],
    property_name: str,
    ascending: bool = True,
    random_seed: int | None = None,
) -> None:
    """Add masks with a distribution shift along a structural property to each graph.

    G. Bazhenov et al., "Evaluating robustness and uncertainty of graph models under structural
    distributional shifts", NeurIPS 2023. The masks are those of `mask_nodes_by_property`.

    Parameters
    ----------
    dataset : sequence of Graph
        The graphs, changed in place. The property is that of the undirected simple graph.
    part_ratios : sequence of 5 float
        Fractions of the five parts; they add up to 1.
    property_name : str
        'popularity': PageRank, the largest values first; 'locality': PageRank personalized to the
        node with the largest PageRank, the largest values first; 'density': local clustering
        coefficient, the largest values first.
    ascending : bool, optional
        If False, the smallest values come first.
    random_seed : int, optional
        Seed of the random choices.

    Raises
    ------
    InvalidValueError
        If there is no such property, or the fractions are wrong.
    MissingExtraError
        If networkx is not installed.
    """
    if property_name not in _PROPERTIES:
        raise InvalidValueError(
            f"add_node_property_split: expected {', '.join(_PROPERTIES)}, got '{property_name}'."
        )
    _ratios("add_node_property_split", part_ratios, 5)
    for number in range(len(dataset)):
        g = dataset[number]
        values = _property(g, property_name) * (1 if ascending else -1)
        for name, mask in mask_nodes_by_property(values, part_ratios, random_seed).items():
            g.ndata[name] = mask


def _property(g: Any, name: str) -> np.ndarray:
    """Return the negative property of each node, so that large values come first."""
    networkx = optional_import("networkx", "add_node_property_split")
    simple = networkx.Graph()
    simple.add_nodes_from(range(g.num_nodes()))
    simple.add_edges_from(zip(*(end.tolist() for end in g.edges()), strict=True))
    if name == "density":
        found = networkx.clustering(simple)
    else:
        found = networkx.pagerank(simple)
        if name == "locality":
            center = max(found, key=found.get)
            found = networkx.pagerank(simple, personalization={center: 1.0})
    return -np.array([found[node] for node in range(g.num_nodes())])


def _ratios(who: str, ratios: Sequence[float], count: int) -> list[float]:
    if not isinstance(ratios, Iterable) or isinstance(ratios, (str, dict)):
        raise InvalidTypeError(f"{who}: fractions are a list of numbers, got {shown(ratios)}.")
    ratios = [number_in(ratio, who, "a fraction") for ratio in ratios]
    if len(ratios) != count or min(ratios) < 0 or not math.isclose(sum(ratios), 1, abs_tol=1e-6):
        raise InvalidValueError(
            f"{who}: expected {count} fractions that add up to 1, got {ratios}."
        )
    return ratios


def _generator(seed: Any, who: str, argument: str) -> np.random.RandomState:
    """Make a generator from a seed in [0, 2**32 - 1], or with a random seed if it is None."""
    number = None if seed is None else as_int(seed, who, argument, 0)
    if number is not None and number >= 2**32:
        raise InvalidValueError(f"{who}: {argument} is below 2**32, got {number}.")
    return np.random.RandomState(number)


def _require_sized(values: Any, who: str, argument: str) -> None:
    if not hasattr(values, "__len__") or not hasattr(values, "__getitem__"):
        raise InvalidTypeError(
            f"{who}: {argument} has a length and numbered items, got {shown(values)}."
        )


def _cuts(ratios: list[float], length: int) -> list[int]:
    """Return the boundaries between parts; the last part has the remainder."""
    # The small shift prevents rounding 0.7 * 10 down to 6.
    sizes = [int(ratio * length + 1e-9 * length) for ratio in ratios[:-1]]
    return list(itertools.accumulate(sizes))
