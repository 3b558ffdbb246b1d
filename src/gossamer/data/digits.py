"""Handwritten digits as a nearest-neighbor graph: a task that needs no download."""

from __future__ import annotations

import numpy as np

from gossamer._optional import optional_import
from gossamer._options import integer
from gossamer.data._build import MASKS, both_directions, index_mask, node_graph
from gossamer.data.dataset import SingleGraphDataset, Transform
from gossamer.errors import InvalidTypeError, InvalidValueError

_NUM_CLASSES = 10
_BRIGHTEST_PIXEL = 16


class DigitsDataset(SingleGraphDataset):
    """The 1,797 handwritten digits of scikit-learn, joined to their nearest neighbors.

    E. Alpaydin and C. Kaynak, "Optical recognition of handwritten digits", UCI repository, 1998
    (its test set). Each node is an image of 8 x 8 pixels; u and v are joined, in both directions,
    if v is among the `k` images nearest to u in Euclidean distance or u among those nearest to v.
    Of equally near images, those that come first are chosen. The distances are exact integers, so
    the graph is the same on every machine.

    Nodes: 1,797. Edges: 19,858 with ``k=8``. Classes: 10. ``ndata`` has ``feat`` (N, 64) float32 in
    [0, 1], ``label`` (N,) int64, and ``train_mask``, ``val_mask``, ``test_mask`` (N,) bool: of each
    class, `train_per_class` random nodes for training, `val_per_class` for validation, the rest for
    testing.

    Parameters
    ----------
    k : int, optional
        Number of nearest neighbors, 1 to 1,796.
    seed : int, optional
        Seed of the split.
    train_per_class, val_per_class : int, optional
        Sizes of the split; together at most 173, so that each class has a test node.
    transform : callable, optional
        Applied to the graph when it is accessed.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.

    Examples
    --------
    >>> dataset = DigitsDataset()
    >>> g = dataset[0]
    >>> g.num_nodes(), int(g.ndata["train_mask"].sum()), dataset.num_classes
    (1797, 200, 10)
    """

    def __init__(
        self,
        k: int = 8,
        seed: int = 0,
        train_per_class: int = 20,
        val_per_class: int = 30,
        transform: Transform | None = None,
    ) -> None:
        self._k = _checked("k", k, 1, 1796)
        self._seed = _checked("seed", seed, 0, 2**32 - 1)
        self._train = _checked("train_per_class", train_per_class, 1, 172)
        self._val = _checked("val_per_class", val_per_class, 1, 173 - train_per_class)
        super().__init__(
            "digits",
            url=None,
            hash_key=(k, seed, train_per_class, val_per_class),
            transform=transform,
        )

    def process(self) -> None:
        """Build the neighbor graph and the split."""
        digits = optional_import("sklearn.datasets", "DigitsDataset", "data").load_digits()
        pixels, label = digits.data.astype(np.int64), digits.target.astype(np.int64)
        target = _nearest(pixels, self._k)
        source = np.arange(len(pixels)).repeat(self._k)
        self.graph = node_graph(
            *both_directions(source, target.ravel(), len(pixels)),
            len(pixels),
            {
                "feat": (pixels / _BRIGHTEST_PIXEL).astype(np.float32),
                "label": label,
                **self._split(label),
            },
        )

    def _split(self, label: np.ndarray) -> dict[str, np.ndarray]:
        generator = np.random.default_rng(self._seed)
        cuts = (self._train, self._train + self._val)
        shuffled = [generator.permutation(np.flatnonzero(label == c)) for c in range(_NUM_CLASSES)]
        parts = zip(*(np.split(nodes, cuts) for nodes in shuffled), strict=True)
        return {
            name: index_mask(np.concatenate(part), len(label))
            for name, part in zip(MASKS, parts, strict=True)
        }

    #: Height and width of an image; its pixels are the features, row by row.
    picture_shape = (8, 8)

    @property
    def num_classes(self) -> int:
        """Number of node classes: 10."""
        return _NUM_CLASSES


def _nearest(points: np.ndarray, k: int) -> np.ndarray:
    """Return the `k` nearest other rows of each row of small integers: (N, k), unordered."""
    num_points = len(points)
    # Products of small integers are exact in float64, which has a fast matrix product.
    products = (points.astype(np.float64) @ points.T.astype(np.float64)).astype(np.int64)
    squares = products.diagonal()
    distance = squares[:, None] + squares[None, :] - 2 * products
    np.fill_diagonal(distance, distance.max() + 1)
    # One key encodes distance and position, so that the first of equal distances is chosen.
    keys = distance * num_points + np.arange(num_points)
    return np.partition(keys, k, axis=1)[:, :k] % num_points


def _checked(name: str, value: int, low: int, high: int) -> int:
    number = integer(value)
    if number is None:
        raise InvalidTypeError(f"DigitsDataset: {name} must be an int, got {type(value).__name__}.")
    if not low <= number <= high:
        raise InvalidValueError(f"DigitsDataset: {name} must be {low} to {high}, got {number}.")
    return number
