"""Generated datasets: sizes, classes, and what networkx says about their structure."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer.data import (
    BACommunityDataset,
    BAShapeDataset,
    MiniGCDataset,
    SBMMixtureDataset,
    TreeCycleDataset,
    TreeGridDataset,
)
from gossamer.errors import InvalidValueError


def _networkx(g: gs.Graph) -> nx.Graph:
    simple = nx.Graph()
    simple.add_nodes_from(range(g.num_nodes()))
    simple.add_edges_from(zip(*(end.tolist() for end in g.edges()), strict=True))
    return simple


# Counts of nodes of each class and of edges; the last three are those of DGL 2.1.0.
SIZES = [
    (TreeCycleDataset, [511, 360], 939),
    (TreeGridDataset, [511, 720], 1705),
    (BAShapeDataset, [300, 160, 160, 80], 2055),
    (BACommunityDataset, [300, 160, 160, 80] * 2, 3872),
]


@pytest.mark.parametrize("cls, classes, edges", SIZES)
def test_sizes(cls: type, classes: list[int], edges: int) -> None:
    dataset = cls(seed=0)
    g = dataset[0]
    assert torch.bincount(g.ndata["label"]).tolist() == classes
    assert (g.num_edges(), dataset.num_classes, len(dataset)) == (edges, len(classes), 1)
    simple = _networkx(g)
    assert nx.is_connected(simple)
    assert simple.number_of_edges() == edges, "no edge is there twice or in both directions"
    assert nx.number_of_selfloops(simple) == 0


@pytest.mark.parametrize("cls, classes, edges", SIZES)
def test_a_seed_fixes_the_graph(cls: type, classes: list[int], edges: int) -> None:
    first, again, other = (cls(seed=seed)[0] for seed in (1, 1, 2))
    assert all(map(torch.equal, first.edges(), again.edges()))
    assert torch.equal(first.ndata["feat"], again.ndata["feat"])
    assert not all(map(torch.equal, first.edges(), other.edges()))


def test_without_motifs_and_noise_the_tree_remains() -> None:
    g = TreeCycleDataset(tree_height=3, num_motifs=0, perturb_ratio=0)[0]
    assert nx.is_isomorphic(_networkx(g), nx.balanced_tree(2, 3))


@pytest.mark.parametrize(
    "dataset, motif",
    [
        (TreeGridDataset(2, 1, 3, 0, seed=0), nx.grid_2d_graph(3, 3)),
        (TreeCycleDataset(2, 1, 5, 0, seed=0), nx.cycle_graph(5)),
        (BAShapeDataset(6, 2, 1, 0, seed=0), nx.house_graph()),
    ],
)
def test_motifs(dataset: TreeCycleDataset, motif: nx.Graph) -> None:
    g = dataset[0]
    nodes = g.ndata["label"].nonzero().squeeze(1).tolist()
    assert nx.is_isomorphic(_networkx(g).subgraph(nodes), motif)


def test_the_roof_of_a_house_has_its_own_class() -> None:
    g = BAShapeDataset(6, 2, 1, 0, seed=0)[0]
    simple = _networkx(g).subgraph(range(6, 11))
    triangle = next(c for c in nx.enumerate_all_cliques(simple) if len(c) == 3)
    label = g.ndata["label"]
    assert sorted(label[triangle].tolist()) == [1, 1, 3]
    assert label[6:].tolist().count(2) == 2


def test_features_of_the_two_communities() -> None:
    g = BACommunityDataset(seed=0)[0]
    feat, second = g.ndata["feat"], g.ndata["label"] >= 4
    assert feat.dtype == torch.float64
    for part, mean in ((~second, -1), (second, 1)):
        torch.testing.assert_close(
            feat[part, :2].mean(0), torch.full((2,), float(mean)).double(), atol=0.1, rtol=0
        )
        assert feat[part, 2:].mean(0).abs().max() < 0.15
        assert (feat[part, :2].var(0) - 0.5).abs().max() < 0.1


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_base_nodes": 4, "num_base_edges_per_node": 4}, "4 nodes needs 1 to 3 edges"),
        ({"num_motifs": -1}, "num_motifs is too small: -1"),
        ({"perturb_ratio": -0.1}, "perturb_ratio must not be negative"),
    ],
)
def test_bad_sizes(arguments: dict, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        BAShapeDataset(**arguments)


FAMILIES = [
    lambda g: nx.is_isomorphic(g, nx.cycle_graph(len(g))),
    lambda g: nx.is_isomorphic(g, nx.star_graph(len(g) - 1)),
    lambda g: nx.is_isomorphic(g, nx.wheel_graph(len(g))),
    lambda g: any(
        nx.is_isomorphic(g, nx.lollipop_graph(len(g) - tail, tail)) for tail in range(1, len(g) - 2)
    ),
    lambda g: nx.is_isomorphic(g, nx.hypercube_graph(int(np.log2(len(g))))),
    lambda g: any(
        nx.is_isomorphic(g, nx.grid_2d_graph(r, len(g) // r))
        for r in range(2, len(g))
        if len(g) % r == 0
    ),
    lambda g: nx.is_isomorphic(g, nx.complete_graph(len(g))),
    lambda g: nx.is_isomorphic(g, nx.circular_ladder_graph(len(g) // 2)),
]


def test_mini_gc_families() -> None:
    dataset = MiniGCDataset(16, 8, 12)
    assert (len(dataset), dataset.num_classes) == (16, 8)
    for number in range(16):
        g, label = dataset[number]
        assert int(label) == number // 2
        u, v = g.edges()
        assert (u == v).sum() == g.num_nodes(), "each node has a self-loop"
        assert set(zip(u.tolist(), v.tolist(), strict=True)) == set(
            zip(v.tolist(), u.tolist(), strict=True)
        )
        simple = _networkx(g)
        simple.remove_edges_from(list(nx.selfloop_edges(simple)))
        assert FAMILIES[int(label)](simple)


def test_mini_gc_bad_sizes() -> None:
    with pytest.raises(InvalidValueError, match="ascend from at least 5, got 9 and 8"):
        MiniGCDataset(8, 9, 8)


def test_block_models() -> None:
    dataset = SBMMixtureDataset(3, 20, 2, rng=np.random.RandomState(0))
    g, lines, degrees, line_degrees, source = dataset[0]
    assert len(dataset) == 3
    assert torch.equal(degrees, g.in_degrees().float())
    assert torch.equal(line_degrees, lines.in_degrees().float())
    assert lines.num_nodes() == g.num_edges() == len(source)
    assert torch.equal(source, g.edges()[0])
    both, _, all_degrees, _, all_sources = dataset.collate_fn([dataset[0], dataset[1]])
    assert both.num_nodes() == 40 == len(all_degrees)
    assert np.array_equal(all_sources, both.edges()[0].numpy())


def test_block_models_with_given_probabilities() -> None:
    # p = n joins all nodes of a community, q = 0 none of different ones.
    g = SBMMixtureDataset(1, 12, 3, pq=[(12, 0)])[0][0]
    u, v = g.edges()
    assert torch.equal(u // 4, v // 4)
    assert g.num_edges() == 3 * 16


@pytest.mark.parametrize(
    "arguments, message",
    [((2, 10, 3), "cannot be split evenly into 3"), ((2, 10, 2, 2, 3, "x"), "or 2 pairs, got 'x'")],
)
def test_block_models_bad_arguments(arguments: tuple, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        SBMMixtureDataset(*arguments)
