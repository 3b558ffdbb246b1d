"""cuGraph's edge-list form, with stand-ins that have the interface of cuGraph and cuDF."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given

import gossamer as gs
from helpers.compare import assert_graph_equal
from helpers.generated import homogeneous_graphs


class StandIn:
    """A graph that keeps its edge list, as ``cugraph.Graph`` does on a GPU."""

    def __init__(self, directed: bool = False) -> None:
        self.directed = directed
        self.frame = pd.DataFrame({"src": [], "dst": []}, dtype=np.int64)

    def from_cudf_edgelist(self, frame: pd.DataFrame, source: str, destination: str) -> None:
        self.frame = frame.rename(columns={source: "src", destination: "dst"})

    def is_directed(self) -> bool:
        return self.directed

    def to_directed(self) -> StandIn:
        other = StandIn(directed=True)
        back = self.frame.rename(columns={"src": "dst", "dst": "src"})
        other.frame = pd.concat([self.frame, back], ignore_index=True)[["src", "dst"]]
        return other

    def edges(self) -> pd.DataFrame:
        return self.frame


@pytest.fixture
def rapids(monkeypatch):
    monkeypatch.setitem(sys.modules, "cugraph", SimpleNamespace(Graph=StandIn))
    cudf = SimpleNamespace(DataFrame=pd.DataFrame, Series=pd.Series)
    monkeypatch.setitem(sys.modules, "cudf", cudf)


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
def test_there_and_back(rapids, idtype):
    g = gs.graph(([0, 2, 1, 0], [1, 0, 3, 1]), idtype=idtype)
    there = g.to_cugraph()
    assert there.is_directed()
    assert list(there.frame.columns) == ["src", "dst"]
    assert_graph_equal(gs.from_cugraph(there), g)


@given(g=homogeneous_graphs())
def test_edges_stay(g):
    there = StandIn(directed=True)
    u, v = g.edges()
    there.frame = pd.DataFrame({"src": u.numpy(), "dst": v.numpy()})
    back = gs.from_cugraph(there)
    assert [end.tolist() for end in back.edges()] == [u.tolist(), v.tolist()]
    assert back.num_nodes() == max([*u.tolist(), *v.tolist()], default=-1) + 1
    assert back.idtype == g.idtype


def test_an_undirected_graph_gives_edges_both_ways():
    there = StandIn()
    there.frame = pd.DataFrame({"src": [0, 1], "dst": [1, 2]})
    assert [end.tolist() for end in gs.from_cugraph(there).edges()] == [[0, 1, 1, 2], [1, 2, 0, 1]]


class Column:
    """A column that goes through DLPack, as cuDF's do."""

    def __init__(self, values: torch.Tensor) -> None:
        self.values = values

    def to_dlpack(self):
        return torch.utils.dlpack.to_dlpack(self.values)


def test_columns_go_through_dlpack_and_are_copied():
    columns = {"src": Column(torch.tensor([0, 1])), "dst": Column(torch.tensor([1, 2]))}
    frame = type("Frame", (dict,), {"columns": property(lambda self: list(self))})(columns)
    g = gs.from_cugraph(SimpleNamespace(is_directed=lambda: True, edges=lambda: frame))
    columns["src"].values[:] = 7
    assert [end.tolist() for end in g.edges()] == [[0, 1], [1, 2]]


def _with(frame):
    there = StandIn(directed=True)
    there.frame = frame
    return there


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: gs.from_cugraph(3), gs.InvalidTypeError, r"got int, which has no method is_d"),
        (
            lambda: gs.from_cugraph(_with(pd.DataFrame({"src": [0]}))),
            gs.UnknownKeyError,
            "no column 'dst'",
        ),
        (
            lambda: gs.from_cugraph(_with(pd.DataFrame({"src": [0.5], "dst": [1.0]}))),
            gs.InvalidTypeError,
            "must be integers",
        ),
        (
            lambda: gs.from_cugraph(_with(pd.DataFrame({"src": [0], "dst": [-1]}))),
            gs.OutOfRangeError,
            "cannot be negative",
        ),
        (lambda: gs.to_cugraph(3), gs.InvalidTypeError, "takes a graph, got int"),
        (
            lambda: gs.to_cugraph(gs.heterograph({("a", "r", "b"): ([0], [0])})),
            gs.InvalidValueError,
            "Use to_homogeneous first",
        ),
    ],
)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_without_cugraph(monkeypatch):
    monkeypatch.setitem(sys.modules, "cudf", None)
    with pytest.raises(gs.MissingExtraError, match="to_cugraph needs the package 'cudf'"):
        gs.graph(([0], [1])).to_cugraph()
