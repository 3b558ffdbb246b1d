"""Datasets of PyG, as PyG has them where it is installed, and as lists of a stand-in's graphs."""

from __future__ import annotations

import importlib.util
import warnings
from types import ModuleType

import pytest
import torch

import gossamer as gs
from gossamer.data import AsGraphPredDataset, AsNodePredDataset, PyGDataset
from interop import pyg_stand_in

SIZES = [(3, 4), (1, 2), (2, 1)]


def _graphs(pyg: ModuleType, **extra: object) -> list:
    """Graphs with one label each; in the last two it could be that of a node or an edge."""
    return [
        pyg.Data(
            x=torch.arange(2.0 * n).view(n, 2),
            edge_index=torch.arange(2 * m).view(2, m) % n,
            edge_attr=torch.arange(3.0 * m).view(m, 3),
            y=torch.tensor([i % 2]),
            **extra,
        )
        for i, (n, m) in enumerate(SIZES)
    ]


def _check(dataset: PyGDataset) -> None:
    assert len(dataset) == 3 and dataset.labels.tolist() == [0, 1, 0]
    for i, (n, m) in enumerate(SIZES):
        g, label = dataset[i]
        assert (g.num_nodes(), g.num_edges(), int(label)) == (n, m, i % 2)
        assert g.edges()[1].tolist() == [j % n for j in range(m, 2 * m)]
        assert g.ndata["feat"].tolist() == torch.arange(2.0 * n).view(n, 2).tolist()
        assert g.edata["feat"].tolist() == torch.arange(3.0 * m).view(m, 3).tolist()
        assert set(g.ndata) == set(g.edata) == {"feat"}


def test_labels_of_graphs() -> None:
    _check(PyGDataset(_graphs(pyg_stand_in)))


def test_an_in_memory_dataset() -> None:
    if importlib.util.find_spec("torch_geometric") is None:
        pytest.skip("torch_geometric is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch, which PyG uses
        import torch_geometric.data as pyg

    class Toy(pyg.InMemoryDataset):
        name = "toy"

        def __init__(self) -> None:
            super().__init__(None)
            self.data, self.slices = self.collate(_graphs(pyg))

    dataset = PyGDataset(Toy())
    _check(dataset)
    assert (dataset.name, dataset.num_classes) == ("toy", 2)


def test_labels_and_masks_of_nodes() -> None:
    data = pyg_stand_in.Data(
        x=torch.eye(6),
        edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]),
        y=torch.tensor([0, 1, 2, 0, 1, 2]),
        train_mask=torch.arange(6) < 3,
        title="six",
    )
    dataset = PyGDataset([data], transform=gs.add_self_loop)
    g = dataset[0]
    assert dataset.labels is None and dataset.rest == [{"title": "six"}]
    assert g.num_edges() == 9
    assert g.ndata["label"].tolist() == [0, 1, 2, 0, 1, 2]
    assert g.ndata["train_mask"].sum() == 3
    adapted = AsNodePredDataset(PyGDataset([data]), [0.5, 0.25, 0.25])
    assert adapted.num_classes == 3


def test_heterogeneous() -> None:
    data = pyg_stand_in.HeteroData()
    data["paper"].x = torch.eye(3)
    data["paper"].y = torch.tensor([0, 1, 0])
    data["author"].num_nodes = 2
    data["author", "writes", "paper"].edge_index = torch.tensor([[0, 1], [2, 0]])
    g = PyGDataset([data])[0]
    assert g.nodes["paper"].data["label"].tolist() == [0, 1, 0]
    assert g.nodes["paper"].data["feat"].shape == (3, 3)


def test_several_labels_and_a_split_of_graphs() -> None:
    graphs = _graphs(pyg_stand_in) * 4
    dataset = AsGraphPredDataset(PyGDataset(graphs), [0.5, 0.25, 0.25])
    assert len(dataset) == 12 and dataset.num_classes == 2
    for graph in graphs:
        graph.y = torch.tensor([[1.0, 2.0]])
    assert PyGDataset(graphs).labels.tolist() == [[1.0, 2.0]] * 12


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda graphs: 3, gs.InvalidTypeError, "or a list, got int"),
        (lambda graphs: [3], gs.InvalidTypeError, "from_pyg takes .* got int"),
        (lambda graphs: [], gs.InvalidValueError, "has no graphs"),
        (
            lambda graphs: [*graphs, pyg_stand_in.Data(x=torch.eye(2))],
            gs.InvalidValueError,
            "graph 3 has no y",
        ),
        (
            lambda graphs: [*graphs, pyg_stand_in.Data(x=torch.eye(2), y=torch.zeros(5))],
            gs.InvalidValueError,
            r"y of graph 3 has shape \(5,\), that of graph 0 \(1,\)",
        ),
    ],
)
def test_wrong_datasets(change, error, text) -> None:
    with pytest.raises(error, match=text):
        PyGDataset(change(_graphs(pyg_stand_in)))


def test_a_number_out_of_range() -> None:
    with pytest.raises(gs.OutOfRangeError, match="has 3 graphs; there is no number 3"):
        PyGDataset(_graphs(pyg_stand_in))[3]
