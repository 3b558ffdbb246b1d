"""Generated datasets: motifs on random graphs and trees, classes of small graphs, block models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from gossamer.data._build import node_graph
from gossamer.data.dataset import SingleGraphDataset, Transform
from gossamer.errors import InvalidValueError

Pairs = list[tuple[int, int]]

# A square with a roof; each of the three levels of nodes has its own class.
_HOUSE: Pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 0), (4, 1)]
_HOUSE_CLASSES = (1, 1, 2, 2, 3)


class _MotifDataset(SingleGraphDataset):
    """One graph with ones as the feature ``feat``, and the class of each node in ``label``."""

    _num_classes: int

    def __init__(self, name: str, seed: int | None, *arguments: Any) -> None:
        self.seed = seed
        self._rng = np.random.default_rng(seed)
        raw_dir, force_reload, verbose, transform = arguments
        super().__init__(name, None, raw_dir, (), force_reload, verbose, transform)

    def _build(self, pairs: Pairs, label: list[int], perturb_ratio: float) -> None:
        count = len(label)
        chosen = dict.fromkeys(pairs)
        _add_random(self._rng, chosen, count, int(len(chosen) * perturb_ratio))
        source, target = np.array(list(chosen)).T
        feat = np.ones((count, 1), dtype=np.float32)
        self.graph = node_graph(source, target, count, {"label": np.array(label), "feat": feat})

    @property
    def num_classes(self) -> int:
        """Number of node classes."""
        return self._num_classes


class BAShapeDataset(_MotifDataset):
    """A random graph with houses attached to it; the class is the position in a house.

    Z. Ying et al., "GNNExplainer: generating explanations for graph neural networks", NeurIPS 2019.
    The base is a Barabasi-Albert graph. Each house is joined to a random node of it by an edge;
    then random edges are added. Classes: 0 base, 1 top, 2 bottom and 3 roof of a house.
    ``ndata['feat']`` is (N, 1) float32, ones. Each edge exists in one direction.

    Parameters
    ----------
    num_base_nodes : int, optional
        Number of nodes of the base.
    num_base_edges_per_node : int, optional
        Number of edges by which each new node of the base is attached.
    num_motifs : int, optional
        Number of houses.
    perturb_ratio : float, optional
        Number of added random edges, as a fraction of the others.
    seed : int, optional
        Seed of the random choices.
    raw_dir, force_reload, verbose : optional
        No effect: the graph is generated each time.
    transform : callable, optional
        Applied to the graph when it is accessed.

    Examples
    --------
    >>> BAShapeDataset(seed=0)[0].num_nodes()
    700
    """

    _num_classes = 4

    def __init__(
        self,
        num_base_nodes: int = 300,
        num_base_edges_per_node: int = 5,
        num_motifs: int = 80,
        perturb_ratio: float = 0.01,
        seed: int | None = None,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        _check_sizes(
            "BAShapeDataset", perturb_ratio, num_base_nodes=num_base_nodes, num_motifs=num_motifs
        )
        self._sizes = (num_base_nodes, num_base_edges_per_node, num_motifs, perturb_ratio)
        super().__init__("BA-SHAPES", seed, raw_dir, force_reload, verbose, transform)

    def process(self) -> None:
        """Generate the graph."""
        num_base, per_node, num_motifs, ratio = self._sizes
        pairs = _barabasi_albert(self._rng, num_base, per_node)
        label = [0] * num_base
        _attach(self._rng, pairs, label, num_motifs, _HOUSE, _HOUSE_CLASSES)
        self._build(pairs, label, ratio)


class BACommunityDataset(_MotifDataset):
    """Two graphs like `BAShapeDataset`'s, joined by random edges.

    Z. Ying et al., NeurIPS 2019. Classes: 0 to 3 in the first graph, 4 to 7 in the second.
    ``ndata['feat']`` is (N, 10) float64, normally distributed. The first two columns have mean
    -1 in the first graph, 1 in the second, and variance 0.5; the others have mean 0 and variance 1.
    Each edge exists in one direction.

    Parameters
    ----------
    num_base_nodes, num_base_edges_per_node, num_motifs, perturb_ratio
        As in `BAShapeDataset`, for each of the two graphs.
    num_inter_edges : int, optional
        Number of random edges between the two.
    seed, raw_dir, force_reload, verbose, transform
        As in `BAShapeDataset`.
    """

    _num_classes = 8

    def __init__(
        self,
        num_base_nodes: int = 300,
        num_base_edges_per_node: int = 4,
        num_motifs: int = 80,
        perturb_ratio: float = 0.01,
        num_inter_edges: int = 350,
        seed: int | None = None,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        _check_sizes(
            "BACommunityDataset",
            perturb_ratio,
            num_base_nodes=num_base_nodes,
            num_motifs=num_motifs,
            num_inter_edges=num_inter_edges,
        )
        self._halves = (num_base_nodes, num_base_edges_per_node, num_motifs, perturb_ratio)
        self._num_inter = num_inter_edges
        super().__init__("BA-COMMUNITY", seed, raw_dir, force_reload, verbose, transform)

    def process(self) -> None:
        """Generate the graph."""
        halves = []
        for _ in range(2):
            half = BAShapeDataset(*self._halves, seed=int(self._rng.integers(2**31)))[0]
            halves.append(half)
        count = halves[0].num_nodes()
        ends = [torch.stack(half.edges()).numpy() + count * i for i, half in enumerate(halves)]
        inter = self._rng.choice(count * count, min(self._num_inter, count * count), replace=False)
        bridge = np.stack([inter // count, inter % count + count])
        label = torch.cat([half.ndata["label"] + 4 * i for i, half in enumerate(halves)]).numpy()
        feat = self._rng.standard_normal((2 * count, 10))
        feat[:, :2] = feat[:, :2] * 0.5**0.5 + np.repeat([-1.0, 1.0], count)[:, None]
        source, target = np.concatenate([*ends, bridge], axis=1)
        self.graph = node_graph(source, target, 2 * count, {"label": label, "feat": feat})


class TreeCycleDataset(_MotifDataset):
    """A binary tree with cycles attached to it; the class says who is part of a cycle.

    Z. Ying et al., NeurIPS 2019. ``ndata['feat']`` is (N, 1) float32, ones. Each edge exists in one
    direction.

    Parameters
    ----------
    tree_height : int, optional
        Number of levels below the root.
    num_motifs : int, optional
        Number of cycles.
    cycle_size : int, optional
        Number of nodes of a cycle.
    perturb_ratio, seed, raw_dir, force_reload, verbose, transform
        As in `BAShapeDataset`.
    """

    _num_classes = 2

    def __init__(
        self,
        tree_height: int = 8,
        num_motifs: int = 60,
        cycle_size: int = 6,
        perturb_ratio: float = 0.01,
        seed: int | None = None,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        _check_sizes(
            "TreeCycleDataset", perturb_ratio, tree_height=tree_height, num_motifs=num_motifs
        )
        if cycle_size < 3:
            raise InvalidValueError(
                f"TreeCycleDataset: a cycle needs at least 3 nodes, got cycle_size {cycle_size}."
            )
        self._sizes = (tree_height, num_motifs, _cycle(cycle_size), cycle_size, perturb_ratio)
        super().__init__("TREE-CYCLES", seed, raw_dir, force_reload, verbose, transform)

    def process(self) -> None:
        """Generate the graph."""
        height, num_motifs, motif, size, ratio = self._sizes
        pairs = _binary_tree(height)
        label = [0] * (len(pairs) + 1)
        _attach(self._rng, pairs, label, num_motifs, motif, (1,) * size)
        self._build(pairs, label, ratio)


class TreeGridDataset(TreeCycleDataset):
    """A binary tree with grids attached to it; the class says who is part of a grid.

    Z. Ying et al., NeurIPS 2019. ``ndata['feat']`` is (N, 1) float32, ones. Each edge exists in one
    direction.

    Parameters
    ----------
    tree_height : int, optional
        Number of levels below the root.
    num_motifs : int, optional
        Number of grids.
    grid_size : int, optional
        Number of nodes along a side of a grid.
    perturb_ratio, seed, raw_dir, force_reload, verbose, transform
        As in `BAShapeDataset`.
    """

    def __init__(
        self,
        tree_height: int = 8,
        num_motifs: int = 80,
        grid_size: int = 3,
        perturb_ratio: float = 0.1,
        seed: int | None = None,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        _check_sizes(
            "TreeGridDataset", perturb_ratio, tree_height=tree_height, num_motifs=num_motifs
        )
        if grid_size < 1:
            raise InvalidValueError(
                f"TreeGridDataset: grid_size must be positive, got {grid_size}."
            )
        motif = _grid(grid_size, grid_size)
        self._sizes = (tree_height, num_motifs, motif, grid_size**2, perturb_ratio)
        _MotifDataset.__init__(self, "TREE-GRIDS", seed, raw_dir, force_reload, verbose, transform)


def _check_sizes(who: str, perturb_ratio: float, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < (1 if name == "num_base_nodes" else 0):
            raise InvalidValueError(f"{who}: {name} is too small: {size}.")
    if perturb_ratio < 0:
        raise InvalidValueError(f"{who}: perturb_ratio must not be negative, got {perturb_ratio}.")


def _attach(
    rng: np.random.Generator,
    pairs: Pairs,
    label: list[int],
    num_motifs: int,
    motif: Pairs,
    classes: Sequence[int],
) -> None:
    """Add copies of a motif, each joined to a random node of the base by an edge."""
    num_base = len(label)
    for node in rng.integers(num_base, size=num_motifs).tolist():
        first = len(label)
        pairs += [(u + first, v + first) for u, v in motif]
        pairs.append((node, first))
        label += classes


def _add_random(rng: np.random.Generator, pairs: dict, count: int, extra: int) -> None:
    """Add `extra` edges between nodes that are not joined yet."""
    free = count * (count - 1) // 2 - len({(min(pair), max(pair)) for pair in pairs})
    for _ in range(min(extra, free)):
        while True:
            u, v = rng.integers(count, size=2).tolist()
            if u != v and (u, v) not in pairs and (v, u) not in pairs:
                pairs[u, v] = None
                break


def _barabasi_albert(rng: np.random.Generator, count: int, per_node: int) -> Pairs:
    """Join each new node to `per_node` others, chosen in proportion to their degree."""
    if not 1 <= per_node < count:
        raise InvalidValueError(
            f"A Barabasi-Albert graph of {count} nodes needs 1 to {count - 1} edges for each new "
            f"node, got {per_node}."
        )
    pairs: Pairs = []
    # A node occurs once for each of its edges.
    ends: list[int] = []
    targets = list(range(per_node))
    for node in range(per_node, count):
        pairs += [(node, other) for other in targets]
        ends += targets + [node] * per_node
        chosen: dict[int, None] = {}
        while len(chosen) < per_node:
            chosen[ends[int(rng.integers(len(ends)))]] = None
        targets = list(chosen)
    return pairs


def _binary_tree(height: int) -> Pairs:
    return [((child - 1) // 2, child) for child in range(1, 2 ** (height + 1) - 1)]


def _grid(rows: int, columns: int) -> Pairs:
    across = [
        (r * columns + c, r * columns + c + 1) for r in range(rows) for c in range(columns - 1)
    ]
    down = [
        (r * columns + c, (r + 1) * columns + c) for r in range(rows - 1) for c in range(columns)
    ]
    return across + down


def _cycle(count: int) -> Pairs:
    return [(node, (node + 1) % count) for node in range(count)]


def _star(count: int) -> Pairs:
    return [(0, leaf) for leaf in range(1, count)]


def _wheel(count: int) -> Pairs:
    return _star(count) + [(1 + u, 1 + v) for u, v in _cycle(count - 1)]


def _clique(count: int) -> Pairs:
    return [(u, v) for v in range(count) for u in range(v)]


def _lollipop(rng: np.random.Generator, count: int) -> Pairs:
    tail = int(rng.integers(2, count // 2)) if count > 4 else 1
    head = count - tail
    return _clique(head) + [(node - 1, node) for node in range(head, count)]


def _hypercube(dimension: int) -> Pairs:
    return [
        (node, node | 1 << bit)
        for node in range(2**dimension)
        for bit in range(dimension)
        if not node >> bit & 1
    ]


def _circular_ladder(rungs: int) -> Pairs:
    other = [(u + rungs, v + rungs) for u, v in _cycle(rungs)]
    return _cycle(rungs) + other + [(node, node + rungs) for node in range(rungs)]
