"""Features of a graph as storages, from which loaders fetch rows."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from gossamer.graph.storages import FeatureStorage

FOLLOWS, RATES = ("user", "follows", "user"), ("user", "rates", "item")


def make_graph() -> gs.Graph:
    g = gs.heterograph({FOLLOWS: ([0, 1], [1, 0]), RATES: ([1], [0])})
    g.nodes["user"].data["h"] = torch.tensor([1.0, 2.0])
    g.edges[FOLLOWS].data["w"] = torch.tensor([[3.0], [4.0]])
    g.edges[RATES].data["w"] = torch.tensor([[5.0]])
    return g


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
def test_rows_of_features_are_fetched(idtype: torch.dtype) -> None:
    g = make_graph()
    ids = torch.tensor([1, 0, 1], dtype=idtype)
    storage = g.get_node_storage("h", "user")
    assert isinstance(storage, FeatureStorage)
    assert storage.fetch(ids, "cpu").tolist() == [2.0, 1.0, 2.0]
    assert g.get_edge_storage("w", "follows").fetch(ids, "cpu").tolist() == [[4.0], [3.0], [4.0]]
    assert g.get_edge_storage("w", RATES).fetch(ids[1:2], "cpu").tolist() == [[5.0]]


def test_the_only_type_need_not_be_named() -> None:
    g = make_graph()["follows"]
    assert g.get_node_storage("h").fetch(torch.tensor([1]), "cpu").tolist() == [2.0]
    assert g.get_edge_storage("w").fetch(torch.tensor([1]), "cpu").tolist() == [[4.0]]


def test_unknown_features_and_types() -> None:
    g = make_graph()
    with pytest.raises(gs.UnknownKeyError, match="There is no node feature 'x'"):
        g.get_node_storage("x", "user")
    with pytest.raises(gs.UnknownKeyError, match="There is no node type 'x'"):
        g.get_node_storage("h", "x")
    with pytest.raises(gs.GossamerError, match="edge type"):
        g.get_edge_storage("w")
