"""Datasets with a split for a task: the same splits as DGL 2.1.0 draws, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer.data import (
    AsGraphPredDataset,
    AsLinkPredDataset,
    AsNodePredDataset,
    KarateClubDataset,
)
from gossamer.data.utils import add_node_property_split
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError, UnknownKeyError

RATIO = [0.6, 0.2, 0.2]


class Toy:
    """A dataset of given graphs."""

    name = "toy"
    num_classes = 3

    def __init__(self, graphs: list, labels: Any = None) -> None:
        self.graphs, self.labels = graphs, labels

    def __getitem__(self, idx: int) -> Any:
        return self.graphs[idx] if self.labels is None else (self.graphs[idx], self.labels[idx])

    def __len__(self) -> int:
        return len(self.graphs)


def _toy() -> gs.Graph:
    generator = torch.Generator().manual_seed(0)
    u, v = (torch.randint(0, 20, (60,), generator=generator) for _ in range(2))
    g = gs.graph((u, v), num_nodes=20)
    g.ndata["feat"] = torch.randn(20, 4)
    g.ndata["label"] = torch.arange(20) % 3
    return g


@pytest.fixture(autouse=True)
def _numpy_seed() -> None:
    np.random.seed(0)  # noqa: NPY002


def test_nodes_as_dgl_splits_them() -> None:
    g = _toy()
    dataset = AsNodePredDataset(Toy([g]), RATIO)
    assert dataset.train_idx.tolist() == [1, 2, 4, 5, 6, 8, 10, 13, 14, 17, 18, 19]
    assert dataset.val_idx.tolist() == [7, 9, 11, 16]
    assert dataset.test_idx.tolist() == [0, 3, 12, 15]
    assert (len(dataset), dataset.num_classes) == (1, 3)
    assert dataset[0].ndata["train_mask"].nonzero().squeeze(1).equal(dataset.train_idx)
    assert "train_mask" not in g.ndata, "the graph of the dataset stays as it is"


def test_nodes_with_a_given_split() -> None:
    g = _toy()
    for shift, name in enumerate(("train_mask", "val_mask", "test_mask")):
        g.ndata[name] = (torch.arange(20) < 5).roll(5 * shift)
    dataset = AsNodePredDataset(Toy([g]), transform=lambda h: h.num_nodes())
    assert dataset.val_idx.tolist() == [5, 6, 7, 8, 9]
    assert dataset[0] == 20


def test_nodes_of_one_type() -> None:
    g = gs.heterograph({("a", "r", "b"): ([0, 1], [0, 1])}, {"a": 5, "b": 10})
    g.nodes["b"].data["label"] = torch.arange(10) % 2
    dataset = AsNodePredDataset(Toy([g]), [0.8, 0.1, 0.1], target_ntype="b")
    assert len(dataset.train_idx) == 8
    with pytest.raises(InvalidValueError, match=r"several node types \(a, b\)"):
        AsNodePredDataset(Toy([g]), RATIO)


def test_nodes_bad_input() -> None:
    with pytest.raises(InvalidValueError, match=r"no 'train_mask'\. Give split_ratio"):
        AsNodePredDataset(KarateClubDataset())
    with pytest.raises(UnknownKeyError, match="no feature 'label'"):
        AsNodePredDataset(Toy([gs.graph(([0], [1]))]), RATIO)
    with pytest.raises(InvalidTypeError, match="first item is a graph, got str"):
        AsNodePredDataset(Toy(["x"]), RATIO)
    with pytest.raises(InvalidValueError, match="3 fractions that add up to 1"):
        AsNodePredDataset(KarateClubDataset(), [0.5, 0.6, 0.1])
    with pytest.raises(OutOfRangeError, match="there is no number 1"):
        AsNodePredDataset(KarateClubDataset(), RATIO)[1]


def _pairs(edges: tuple) -> set:
    return set(zip(*(end.tolist() for end in edges), strict=True))


def test_edges() -> None:
    g = _toy()
    dataset = AsLinkPredDataset(Toy([g]), RATIO, neg_ratio=2)
    (val, no_val), (test, no_test) = dataset.val_edges, dataset.test_edges
    order = np.random.RandomState(0).permutation(60)
    for edges, numbers in ((val, order[36:48]), (test, order[48:])):
        assert all(map(torch.equal, edges, (end[numbers] for end in g.edges())))
    assert dataset.train_graph.num_edges() == 36
    u, v = (end[np.sort(order[:36])] for end in g.edges())
    assert all(map(torch.equal, dataset.train_graph.edges(), (u, v)))
    negative = _pairs(no_val) | _pairs(no_test)
    assert len(negative) == 2 * 24, "all different"
    assert not negative & _pairs(g.edges())
    assert not {(node, node) for node in range(20)} & negative
    assert (dataset.feat_size, len(dataset)) == (4, 1)
    assert dataset[0] is g


def test_edges_of_a_large_graph_are_drawn_without_listing_all_pairs() -> None:
    g = gs.rand_graph(3000, 5000)
    dataset = AsLinkPredDataset(Toy([g]), RATIO)
    negative = _pairs(dataset.test_edges[1])
    assert len(negative) == 3000
    assert not negative & _pairs(g.edges())


def test_edges_bad_input() -> None:
    with pytest.raises(InvalidValueError, match=r"no get_edge_split\(\). Give split_ratio"):
        AsLinkPredDataset(Toy([_toy()]))
    full = gs.graph(([0, 1, 2, 0, 1, 2], [1, 2, 0, 2, 0, 1]))
    with pytest.raises(InvalidValueError, match=r"there are 0\. Reduce neg_ratio"):
        AsLinkPredDataset(Toy([full]), [0.4, 0.3, 0.3])


def test_edges_with_a_given_split() -> None:
    toy = Toy([_toy()])
    pair = torch.tensor([[0, 1], [2, 3]])
    part = {"edge": pair, "edge_neg": pair + 4}
    toy.get_edge_split = lambda: {"train": {"edge": pair}, "valid": part, "test": part}
    dataset = AsLinkPredDataset(toy)
    assert _pairs(dataset.train_graph.edges()) == {(0, 1), (2, 3)}
    assert _pairs(dataset.val_edges[1]) == {(4, 5), (6, 7)}
    assert dataset.train_graph.ndata["feat"].shape == (20, 4)


def test_graphs_as_dgl_splits_them() -> None:
    graphs = [gs.rand_graph(5, 8) for _ in range(20)]
    for g in graphs:
        g.ndata["feat"], g.edata["feat"] = torch.zeros(5, 4), torch.zeros(8, 2)
    dataset = AsGraphPredDataset(Toy(graphs, torch.arange(20) % 3), RATIO)
    assert dataset.train_idx.tolist() == [18, 1, 19, 8, 10, 17, 6, 13, 4, 2, 5, 14]
    assert dataset.val_idx.tolist() == [9, 7, 16, 11]
    assert dataset.test_idx.tolist() == [3, 0, 15, 12]
    assert (dataset.node_feat_size, dataset.edge_feat_size) == (4, 2)
    assert (len(dataset), dataset.num_classes, dataset.num_tasks) == (20, 3, 1)
    g, label = dataset[3]
    assert g is graphs[3]
    assert int(label) == 0
    part = dataset[dataset.val_idx]
    assert len(part) == 4
    assert part[0][0] is graphs[9]


def test_graphs_bad_input() -> None:
    with pytest.raises(InvalidValueError, match=r"the dataset has no split\. Give split_ratio"):
        AsGraphPredDataset(Toy([gs.graph(([0], [1]))], [0]))


# What DGL 2.1.0 makes of the same graph and seed.
SHIFTED = {
    "popularity": ([1, 3, 6, 9, 13, 19], [0, 16], [8, 15], [2, 5, 10, 12]),
    "locality": ([0, 3, 6, 13, 16, 19], [2, 15], [1, 8], [4, 5, 10, 18]),
}


@pytest.mark.parametrize("name", SHIFTED)
def test_splits_by_property_as_dgl_makes_them(name: str) -> None:
    torch.manual_seed(0)
    g = gs.graph((torch.randint(0, 20, (60,)), torch.randint(0, 20, (60,))), num_nodes=20)
    add_node_property_split([g], [0.3, 0.1, 0.1, 0.3, 0.2], name, random_seed=1)
    masks = ("in_train_mask", "in_valid_mask", "in_test_mask", "out_test_mask")
    found = tuple(g.ndata[mask].nonzero().squeeze(1).tolist() for mask in masks)
    assert found == SHIFTED[name]


def test_split_by_density() -> None:
    # A triangle with a tail: the nodes of the tail have no triangle.
    g = gs.graph(([0, 1, 2, 2, 3, 4], [1, 2, 0, 3, 4, 5]))
    add_node_property_split([g], [0.2, 0.2, 0.1, 0.3, 0.2], "density")
    assert g.ndata["out_test_mask"][:3].sum() == 0
    add_node_property_split([g], [0.2, 0.2, 0.1, 0.3, 0.2], "density", ascending=False)
    assert g.ndata["out_test_mask"][:2].all()
    with pytest.raises(InvalidValueError, match="expected popularity, locality, density, got 'x'"):
        add_node_property_split([g], [0.2] * 5, "x")
