"""PyG graphs for `test_pyg.py`, built with PyG itself or with the stand-in of the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

CASES: dict[str, Callable[[Any], Any]] = {}


def _case(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CASES[build.__name__] = build
    return build


def _values(*shape: int) -> torch.Tensor:
    return torch.arange(torch.Size(shape).numel()).float().reshape(shape) / 4


@_case
def node_level(pyg: Any) -> Any:
    """Features, labels, masks, positions and edge attributes."""
    return pyg.Data(
        x=_values(4, 2),
        edge_index=torch.tensor([[0, 1, 1, 3, 0, 0], [1, 2, 0, 3, 1, 2]]),
        edge_attr=_values(6, 3),
        edge_weight=_values(6),
        y=torch.tensor([0, 2, 1, 0]),
        pos=_values(4, 3),
        train_mask=torch.tensor([True, False, True, False]),
        w=torch.arange(6),
    )


@_case
def as_many_nodes_as_edges(pyg: Any) -> Any:
    """Only names tell node attributes and edge attributes apart."""
    return pyg.Data(
        x=_values(3, 2),
        edge_index=torch.tensor([[0, 1, 1], [1, 2, 0]]),
        edge_attr=_values(3, 3),
        y=torch.tensor([0, 2, 1]),
        extra=_values(3),
        my_edge_label=torch.tensor([1, 0, 1]),
    )


@_case
def graph_level(pyg: Any) -> Any:
    """Attributes of the graph as a whole, and an isolated node."""
    return pyg.Data(
        x=_values(5, 2),
        edge_index=torch.tensor([[0, 1], [1, 0]]),
        y=torch.tensor([[0.5]]),
        name="ethanol",
        size=3,
    )


@_case
def structure_only(pyg: Any) -> Any:
    """Seven nodes, two edges."""
    return pyg.Data(edge_index=torch.tensor([[0, 1], [1, 2]]), num_nodes=7)


@_case
def no_edges(pyg: Any) -> Any:
    """Nodes without edges."""
    return pyg.Data(x=_values(3, 1), edge_index=torch.empty(2, 0, dtype=torch.int64))


@_case
def former_ids(pyg: Any) -> Any:
    """Bookkeeping of a subgraph."""
    return pyg.Data(
        edge_index=torch.tensor([[0, 1], [1, 2]]),
        num_nodes=3,
        n_id=torch.tensor([7, 4, 9]),
        e_id=torch.tensor([3, 1]),
        node_type=torch.tensor([0, 1, 0]),
        edge_type=torch.tensor([1, 0]),
    )


@_case
def hetero(pyg: Any) -> Any:
    """Several types, one of them without features and one relation without edges."""
    data = pyg.HeteroData()
    data["user"].x = _values(3, 2)
    data["user"].y = torch.tensor([1, 0, 1])
    data["user"].val_mask = torch.tensor([True, True, False])
    data["item"].num_nodes = 4
    data["user", "rates", "item"].edge_index = torch.tensor([[0, 2, 0], [3, 0, 3]])
    data["user", "rates", "item"].edge_attr = _values(3, 2)
    data["item", "to", "user"].edge_index = torch.empty(2, 0, dtype=torch.int64)
    data["user", "knows", "user"].edge_index = torch.tensor([[0, 1], [1, 1]])
    data["user", "knows", "user"].time = torch.tensor([5, 6])
    return data
