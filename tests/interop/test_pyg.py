"""PyG's graphs come in with all they have, and go out again.

The tests run with torch_geometric where it is installed, and always with a stand-in that is held to
what `golden/record_pyg.py` recorded of torch_geometric 2.8.1.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import given, settings

import gossamer as gs
from gossamer.interop import from_pyg, to_pyg
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal
from helpers.generated import graphs
from interop import pyg_stand_in
from interop.golden import pyg_cases

RECORDED = json.loads(Path(pyg_cases.__file__).with_name("pyg.json").read_text(encoding="utf-8"))
CASES = pyg_cases.CASES
INSTALLED = importlib.util.find_spec("torch_geometric") is not None
MODULES = ["torch_geometric.data", "stand-in"] if INSTALLED else ["stand-in"]

# What Gossamer calls the attributes of PyG that hold former ids and types.
OURS = {"n_id": gs.NID, "node_type": gs.NTYPE, "e_id": gs.EID, "edge_type": gs.ETYPE}


def module(name: str) -> ModuleType:
    if name == "stand-in":
        return pyg_stand_in
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch, which PyG uses
        return importlib.import_module(name)


@pytest.fixture(params=MODULES)
def pyg(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    found = module(request.param)
    if found is pyg_stand_in:
        monkeypatch.setitem(sys.modules, "torch_geometric", ModuleType("torch_geometric"))
        monkeypatch.setitem(sys.modules, "torch_geometric.data", pyg_stand_in)
    return found


def stores(data) -> dict:
    if not hasattr(data, "edge_types"):
        return {"": data}
    return {
        "/".join([kind] if isinstance(kind, str) else kind): data[kind]
        for kind in (*data.node_types, *data.edge_types)
    }


def owner(store, name: str) -> str | None:
    return "node" if store.is_node_attr(name) else "edge" if store.is_edge_attr(name) else None


def plain(value):
    return value.tolist() if isinstance(value, torch.Tensor) else value


def test_recorded_cases_are_the_listed_ones() -> None:
    assert list(RECORDED) == list(CASES), "run tests/interop/golden/record_pyg.py again"


@pytest.mark.parametrize("name", CASES)
def test_answers_are_the_recorded_ones(pyg, name) -> None:
    data = CASES[name](pyg)  # which stores refer to weakly
    found = stores(data)
    assert list(found) == list(RECORDED[name])
    for key, store in found.items():
        wanted = RECORDED[name][key]
        assert getattr(store, "num_nodes", None) == wanted["num_nodes"]
        answers = {n: [plain(v), owner(store, n)] for n, v in store.to_dict().items()}
        # PyG counts edge_index to the edges; nothing here asks that.
        assert answers.keys() == wanted["attributes"].keys()
        for attribute, answer in answers.items():
            if attribute != "edge_index":
                assert answer == wanted["attributes"][attribute], attribute


@pytest.mark.parametrize("name", CASES)
def test_everything_comes_in(pyg, name) -> None:
    """Structure and features are those that PyG was recorded to have, by its own division."""
    g, rest = from_pyg(CASES[name](pyg), return_rest=True)
    assert_graph_valid(g)
    for key, store in RECORDED[name].items():
        kind = tuple(key.split("/")) if "/" in key else key or None
        views = {"node": g.ndata, "edge": g.edata}
        if isinstance(kind, tuple):
            views = {"edge": g.edges[kind].data}
        elif kind is not None:
            views = {"node": g.nodes[kind].data}
        if "node" in views:
            assert g.num_nodes(kind) == store["num_nodes"]
        features = {"node": set(), "edge": set()}
        for attribute, (value, part) in store["attributes"].items():
            if attribute == "edge_index":
                assert [end.tolist() for end in g.edges(etype=kind)] == value
            elif part is not None:
                ours = OURS.get(attribute, attribute)
                assert views[part][ours].tolist() == value
                features[part].add(ours)
            elif attribute != "num_nodes":
                assert plain(rest[attribute]) == value
        for part, view in views.items():
            assert set(view) == features[part]


@pytest.mark.parametrize("name", CASES)
def test_everything_goes_out_again(pyg, name) -> None:
    g, rest = from_pyg(CASES[name](pyg), return_rest=True)
    there = to_pyg(g, rest)
    for key, store in RECORDED[name].items():
        attributes = {n: plain(v) for n, v in stores(there)[key].to_dict().items()}
        wanted = {n: value for n, (value, _) in store["attributes"].items()}
        if store["num_nodes"] is not None:
            wanted["num_nodes"] = store["num_nodes"]
        assert attributes == wanted
    assert_graph_equal(from_pyg(there), g)


@settings(max_examples=40)
@given(g=graphs())
def test_every_graph_goes_there_and_back(g) -> None:
    for name in MODULES:
        with pytest.MonkeyPatch.context() as patch:
            if name == "stand-in":
                patch.setitem(sys.modules, "torch_geometric", ModuleType("torch_geometric"))
                patch.setitem(sys.modules, "torch_geometric.data", pyg_stand_in)
            g = g.local_var()
            for etype in g.canonical_etypes:  # which PyG tells from node features by their name
                data = g.edges[etype].data
                if "x" in data:
                    data["edge_x"] = data.pop("x")
            assert_graph_equal(from_pyg(to_pyg(g), idtype=g.idtype), g)


def test_a_batch_stays_a_batch(pyg) -> None:
    parts = [gs.graph(([0, 1], [1, 2])), gs.graph(([], []), num_nodes=2), gs.graph(([0], [0]))]
    for part in parts:
        part.ndata["x"] = torch.randn(part.num_nodes(), 2)
    g = gs.batch(parts)
    there = to_pyg(g)
    assert there["batch"].tolist() == [0, 0, 0, 1, 1, 2]
    assert there["ptr"].tolist() == [0, 3, 5, 6]
    back = from_pyg(there)
    assert_graph_equal(back, g)
    assert back.batch_num_edges().tolist() == [2, 0, 1]


def test_a_heterogeneous_batch_stays_a_batch(pyg) -> None:
    part = gs.heterograph({("a", "r", "b"): ([0, 1], [1, 2]), ("b", "s", "b"): ([0], [1])})
    g = gs.batch([part, part])
    assert_graph_equal(from_pyg(to_pyg(g)), g)


def test_a_batch_of_pyg_comes_in() -> None:
    data = pytest.importorskip("torch_geometric.data")
    built = [CASES["node_level"](data), CASES["node_level"](data)]
    g = from_pyg(data.Batch.from_data_list(built))
    wanted = gs.batch([from_pyg(one) for one in built])
    assert_graph_equal(g, wanted)


def test_attributes_of_the_whole_graph_and_of_a_type(pyg) -> None:
    g = gs.heterograph({("a", "r", "b"): ([0], [1])})
    there = to_pyg(g, {"label": 3, ("a", "note"): "x"})
    _, rest = from_pyg(there, return_rest=True)
    assert rest == {"label": 3, ("a", "note"): "x"}


def test_gradients_flow_and_features_are_shared(pyg) -> None:
    g = gs.graph(([0], [1]))
    g.ndata["x"] = torch.randn(2, 3, requires_grad=True)
    there = to_pyg(g)
    assert there["x"] is g.ndata["x"]
    assert_tensor_equal(from_pyg(there).ndata["x"], g.ndata["x"])


def _hetero(pyg, **attributes):
    data = pyg.HeteroData()
    data["a"].num_nodes = 2
    for name, value in attributes.items():
        data["a", "r", "a"][name] = value
    return data


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda pyg: from_pyg(3), gs.InvalidTypeError, "HeteroData, got int"),
        (
            lambda pyg: from_pyg(pyg.Data(num_nodes=2, adj_t=3)),
            gs.InvalidValueError,
            "the data has no edge_index",
        ),
        (
            lambda pyg: from_pyg(pyg.Data(num_nodes=2, edge_index=torch.zeros(3, 2).long())),
            gs.InvalidValueError,
            r"must be \(2, E\), got \(3, 2\)",
        ),
        (
            lambda pyg: from_pyg(pyg.Data(num_nodes=2, edge_index=torch.tensor([[0], [5]]))),
            gs.InvalidValueError,
            "num_nodes is 2, but the edges name node 5",
        ),
        (
            lambda pyg: from_pyg(pyg.Data(num_nodes=2, edge_index=torch.tensor([[0], [-1]]))),
            gs.OutOfRangeError,
            "cannot be negative",
        ),
        (lambda pyg: from_pyg(pyg.HeteroData()), gs.InvalidValueError, "no edge type"),
        (
            lambda pyg: from_pyg(_hetero(pyg, w=torch.zeros(1))),
            gs.InvalidValueError,
            "has no edge_index",
        ),
        (
            lambda pyg: from_pyg(
                pyg.Data(
                    edge_index=torch.tensor([[1, 0], [1, 0]]),
                    batch=torch.tensor([0, 1]),
                    ptr=torch.tensor([0, 1, 2]),
                    num_nodes=2,
                )
            ),
            gs.InvalidValueError,
            "are not sorted by graph",
        ),
        (lambda pyg: to_pyg(3), gs.InvalidTypeError, "takes a graph, got int"),
        (
            lambda pyg: to_pyg(gs.create_block(([0], [0]))),
            gs.InvalidValueError,
            "does not take a block",
        ),
    ],
)
def test_wrong_arguments(pyg, call, error, text) -> None:
    with pytest.raises(error, match=text):
        call(pyg)


@pytest.mark.parametrize(
    ("part", "name", "text"),
    [("edata", "x", "a node feature and of an edge feature"), ("ndata", "ptr", "for structure")],
)
def test_names_that_data_cannot_have(pyg, part, name, text) -> None:
    g = gs.graph(([0, 1], [1, 0]))
    g.ndata["x"] = torch.zeros(2)
    getattr(g, part)[name] = torch.zeros(2)
    with pytest.raises(gs.InvalidValueError, match=text):
        to_pyg(g)


def test_without_pyg(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_geometric", None)
    monkeypatch.setitem(sys.modules, "torch_geometric.data", None)
    with pytest.raises(gs.MissingExtraError, match="needs the package 'torch_geometric'"):
        to_pyg(gs.graph(([0], [1])))
