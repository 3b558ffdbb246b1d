"""Seeded inputs, drawn once with NumPy and read by every library from the same files.

The measuring processes run under different NumPy releases, so they do not draw numbers themselves.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from benchmarks.workload import HUB, MOLECULE_EDGES, MOLECULE_NODES, RELATIONS, Sizes, Workload

#: Graphs of layers whose edges are stored both ways, without self-loops.
BOTH_WAYS = ("both ways", "few edges", "aifb")

SKEW = 0.7  # exponent of the power law: of 4,000,000 edges, the largest hub has about 30,000


def skewed_edges(
    nodes: int, edges: int, seed: int = 0, order: str = "destination", hub: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw both ends of each edge from a power law.

    The node of rank `r` (from 1) is drawn with probability proportional to ``r ** -0.7``. Random
    permutations, one for sources and one for destinations, map ranks to node ids, so ids and
    degrees are independent. Duplicate edges and self-loops stay.

    Parameters
    ----------
    nodes, edges : int
        Sizes.
    seed : int
        Seed of NumPy's default generator.
    order : {"destination", "random"}
        ``destination`` sorts the edges by destination, then source.
    hub : float
        Share of the edges whose destination becomes that of the first edge.

    Returns
    -------
    (numpy.ndarray, numpy.ndarray)
        int64 sources and destinations, `(E,)` each.
    """
    rng = np.random.default_rng(seed)
    share = np.cumsum(np.arange(1, nodes + 1) ** -SKEW)
    ends = []
    for _ in range(2):
        rank = np.searchsorted(share, rng.random(edges) * share[-1])
        ends.append(rng.permutation(nodes)[np.minimum(rank, nodes - 1)])
    src, dst = ends
    dst[: int(hub * edges)] = dst[0]
    if order == "destination":
        by = np.lexsort((src, dst))
        src, dst = src[by], dst[by]
    return src.astype(np.int64), dst.astype(np.int64)


def cora_edges(sizes: Sizes, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A graph with Cora's sizes: undirected skewed edges stored both ways, and self-loops."""
    rng = np.random.default_rng(seed)
    pairs = (sizes.edges - sizes.nodes) // 2
    found: dict[tuple[int, int], None] = {}
    while len(found) < pairs:
        a, b = skewed_edges(sizes.nodes, pairs, int(rng.integers(2**31)), order="random")
        low, high = np.minimum(a, b), np.maximum(a, b)
        found |= dict.fromkeys((int(u), int(v)) for u, v in zip(low, high, strict=True) if u != v)
    ends = np.array(list(found)[:pairs], dtype=np.int64)
    loops = np.arange(sizes.nodes, dtype=np.int64)
    src = np.concatenate([ends[:, 0], ends[:, 1], loops])
    dst = np.concatenate([ends[:, 1], ends[:, 0], loops])
    by = np.lexsort((src, dst))
    return src[by], dst[by]


def edges_both_ways(sizes: Sizes, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Skewed edges without self-loops, each with its reverse, and a ring through all nodes.

    In- and out-degrees are then equal and at least 2, so that layers of different libraries agree.
    """
    a, b = skewed_edges(sizes.nodes, sizes.edges // 2, seed, order="random")
    ring = np.arange(sizes.nodes)
    a[: len(ring)], b[: len(ring)] = ring, (ring + 1) % len(ring)
    b = np.where(a == b, (b + 1) % sizes.nodes, b)
    src, dst = np.concatenate([a, b]), np.concatenate([b, a])
    by = np.lexsort((src, dst))
    return src[by], dst[by]


def distinct_edges(sizes: Sizes, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Skewed edges without duplicates, by source and then destination."""
    found = np.empty(0, dtype=np.int64)
    while len(found) < sizes.edges:
        src, dst = skewed_edges(sizes.nodes, sizes.edges, seed, order="random")
        found, seed = np.union1d(found, src * sizes.nodes + dst), seed + 1
    kept = np.random.default_rng(seed).choice(len(found), sizes.edges, replace=False)
    return np.divmod(found[np.sort(kept)], sizes.nodes)


def make_edges(
    workload: Workload, sizes: Sizes, seed: int = 0, unsorted: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The edge list of a row."""
    if workload.graph == "cora":
        return cora_edges(sizes, seed)
    if workload.graph in BOTH_WAYS:
        return edges_both_ways(sizes, seed)
    if workload.graph.endswith("matrix"):
        return distinct_edges(sizes, seed)
    if workload.graph in ("molecules", "readout"):
        first = np.repeat(np.arange(sizes.nodes // MOLECULE_NODES) * MOLECULE_NODES, MOLECULE_EDGES)
        ends = np.random.default_rng(seed).integers(MOLECULE_NODES, size=(2, len(first))) + first
        by = np.lexsort(ends)
        return ends[0, by], ends[1, by]
    order = "random" if unsorted or workload.graph == "shuffled" else "destination"
    hub = HUB if workload.graph == "hub" else 0.0
    return skewed_edges(sizes.nodes, sizes.edges, seed, order, hub)


def make_arrays(workload: Workload, sizes: Sizes, seed: int = 0) -> dict[str, np.ndarray]:
    """The float32 arrays of a row, with the labels and training nodes of a Cora-like one.

    In the graphs ``rows`` and ``few rows``, each row has a relation; the last is the most frequent.
    """
    arrays: dict[str, np.ndarray] = {}
    for name in workload.arrays:
        shape = workload.shape(name, sizes)
        # Seeded by name, so that adding an array to a row does not change the others.
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        arrays[name] = rng.standard_normal(shape, dtype=np.float32)
        if name in workload.weight_arrays:
            arrays[name] *= np.float32(1 / np.sqrt(max(shape[0], 8)))
    for name, types in workload.integers.items():
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        drawn = rng.integers(types, size=sizes.nodes if name == "ntype" else sizes.edges)
        arrays[name] = np.sort(drawn) if name == "ntype" else drawn
    if workload.graph.endswith("rows"):
        share = np.arange(1, RELATIONS + 1) / np.arange(1, RELATIONS + 1).sum()
        rng = np.random.default_rng([seed, 2])
        arrays["relation"] = rng.choice(RELATIONS, sizes.nodes, p=share)
    if workload.graph == "cora":
        rng = np.random.default_rng([seed, 1])
        words = rng.random(arrays["x"].shape) < 0.0127  # Cora's density: 18 words a paper
        arrays["x"] = (words / np.maximum(words.sum(1, keepdims=True), 1)).astype(np.float32)
        arrays["label"] = rng.integers(0, sizes.classes, sizes.nodes)
        arrays["train"] = np.sort(rng.permutation(sizes.nodes)[: sizes.train])
    return arrays


def write(folder: Path, edges: tuple[np.ndarray, np.ndarray], arrays: dict) -> None:
    """Write the inputs of a row as one ``.npy`` file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in {"src": edges[0], "dst": edges[1], **arrays}.items():
        np.save(folder / f"{name}.npy", array)


def read(folder: Path) -> dict[str, np.ndarray]:
    """Read what :func:`write` wrote."""
    return {file.stem: np.load(file) for file in sorted(folder.glob("*.npy"))}
