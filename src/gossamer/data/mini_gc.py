"""Mini graph classification: eight families of small graphs."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from gossamer.data import synthetic as families
from gossamer.data.dataset import Dataset, Transform
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph, graph

_NUM_CLASSES = 8
_SMALLEST = 5


class MiniGCDataset(Dataset):
    """Small graphs of eight families, for simple experiments with graph classification.

    Classes: 0 cycle, 1 star, 2 wheel, 3 lollipop, 4 hypercube, 5 grid, 6 clique, 7 circular ladder.
    Graphs are ordered by class; classes are about equally frequent. Each edge exists in both
    directions, and each node has a self-loop. There are no features.

    Parameters
    ----------
    num_graphs : int
        Number of graphs.
    min_num_v, max_num_v : int
        Minimum and maximum number of nodes. Hypercubes, grids and ladders have the next smaller
        number that their shape allows.
    seed : int, optional
        Seed of the random sizes.
    save_graph, force_reload : optional
        No effect: the graphs are generated each time.
    verbose : bool, optional
        No effect.
    transform : callable, optional
        Applied to a graph when it is accessed.

    Raises
    ------
    InvalidValueError
        If `min_num_v` is less than 5 or greater than `max_num_v`.

    Examples
    --------
    >>> dataset = MiniGCDataset(16, 10, 20)
    >>> g, label = dataset[0]
    >>> len(dataset), label, g.in_degrees().unique()
    (16, tensor(0), tensor([3]))
    """

    def __init__(
        self,
        num_graphs: int,
        min_num_v: int,
        max_num_v: int,
        seed: int = 0,
        save_graph: bool = True,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        if not _SMALLEST <= min_num_v <= max_num_v:
            raise InvalidValueError(
                f"MiniGCDataset: sizes must ascend from at least {_SMALLEST}, "
                f"got {min_num_v} and {max_num_v}."
            )
        self.num_graphs, self.seed, self.save_graph = num_graphs, seed, save_graph
        self.min_num_v, self.max_num_v = min_num_v, max_num_v
        super().__init__("minigc", force_reload=force_reload, verbose=verbose, transform=transform)

    def process(self) -> None:
        """Generate the graphs."""
        rng = np.random.default_rng(self.seed)
        share = math.ceil(self.num_graphs / _NUM_CLASSES)
        classes = [number // share for number in range(self.num_graphs)]
        self.graphs = [self._family(rng, family) for family in classes]
        self.labels = torch.tensor(classes, dtype=torch.int64)

    def _family(self, rng: np.random.Generator, family: int) -> Graph:
        size = int(rng.integers(self.min_num_v, self.max_num_v + 1))
        rows = int(rng.integers(2, max(3, math.isqrt(size) + 1)))
        pairs = (
            lambda: families._cycle(size),
            lambda: families._star(size),
            lambda: families._wheel(size),
            lambda: families._lollipop(rng, size),
            lambda: families._hypercube(size.bit_length() - 1),
            lambda: families._grid(rows, size // rows),
            lambda: families._clique(size),
            lambda: families._circular_ladder(size // 2),
        )[family]()
        u, v = torch.tensor(pairs).T
        loops = torch.arange(int(max(u.max(), v.max())) + 1)
        return graph((torch.cat([u, v, loops]), torch.cat([v, u, loops])))

    def __len__(self) -> int:
        return len(self.graphs)

    def __getitem__(self, idx: int) -> tuple[Graph, Tensor]:
        """Return graph `idx`, transformed if there is a `transform`, and its class."""
        return self._transformed(self.graphs[idx]), self.labels[idx]

    @property
    def num_classes(self) -> int:
        """Number of families: 8."""
        return _NUM_CLASSES
