"""What goes to networkx comes back, and the other way round."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal
from helpers.generated import graphs, homogeneous_graphs
from helpers.graphs import graph_cases


@given(g=homogeneous_graphs())
def test_there_and_back(g):
    there = gs.to_networkx(g, ["x"], ["x"])
    back = gs.from_networkx(there, ["x"], ["x"], edge_id_attr_name="id", idtype=g.idtype)
    assert_graph_valid(back)
    if g.num_nodes() and g.num_edges():
        assert_graph_equal(back, g)
    assert_graph_equal(back, g, features=False)


@given(g=graphs())
def test_to_networkx_numbers_as_to_homogeneous(g):
    h = gs.to_homogeneous(g, ["x"], ["x"])
    there = g.to_networkx(["x"], ["x"])
    assert list(there.nodes) == list(range(h.num_nodes()))
    edges = sorted(there.edges(data=True), key=lambda edge: edge[2]["id"])
    assert [edge[:2] for edge in edges] == list(
        zip(*(end.tolist() for end in h.edges()), strict=True)
    )
    assert [float(edge[2]["x"]) for edge in edges] == h.edata["x"].tolist()
    assert [float(data["x"]) for _, data in there.nodes(data=True)] == h.ndata["x"].tolist()
    if not g.is_homogeneous:
        types = [g.ntypes[i] for i in h.ndata[gs.NTYPE].tolist()]
        assert [data["ntype"] for _, data in there.nodes(data=True)] == types
        etypes = [g.canonical_etypes[i] for i in h.edata[gs.ETYPE].tolist()]
        assert [edge[2]["etype"] for edge in edges] == etypes


@st.composite
def undirected_graphs(draw, kind):
    graph = kind()
    graph.add_nodes_from(draw(st.permutations(range(6))))
    pair = st.tuples(st.integers(0, 5), st.integers(0, 5))
    graph.add_edges_from(draw(st.lists(pair, max_size=10)))
    return graph


@pytest.mark.parametrize("kind", [networkx.Graph, networkx.MultiGraph])
@given(data=st.data())
def test_an_undirected_edge_goes_both_ways(kind, data):
    source = data.draw(undirected_graphs(kind))
    # What a directed copy of the renumbered graph lists.
    numbered = networkx.convert_node_labels_to_integers(source, ordering="sorted")
    wanted = [edge[:2] for edge in numbered.to_directed().edges]
    u, v = gs.from_networkx(source).edges()
    assert list(zip(u.tolist(), v.tolist(), strict=True)) == wanted


@pytest.mark.parametrize("case", graph_cases())
def test_every_case_keeps_its_edges(case):
    g = case()
    there = gs.to_networkx(g)
    assert there.number_of_nodes() == sum(f.num_rows for f in g.node_frames)
    assert there.number_of_edges() == g.num_edges()
    if g.is_block and g.num_edges():
        num_src = sum(g.num_src_nodes(t) for t in g.srctypes)
        assert all(u < num_src <= v for u, v in there.edges())


def test_attributes_can_be_left_out_and_renamed():
    g = gs.heterograph({("a", "r", "b"): ([0], [0])})
    there = gs.to_networkx(g, ntype_attr=None, etype_attr=None, eid_attr=None)
    assert list(there.nodes(data=True)) == [(0, {}), (1, {})]
    assert list(there.edges(data=True)) == [(0, 1, {})]
    there = gs.to_networkx(gs.graph(([0], [1])), eid_attr="number")
    assert list(there.edges(data=True)) == [(0, 1, {"number": 0})]


def test_attributes_of_one_type_only():
    g = gs.heterograph({("a", "r", "b"): ([0, 1], [0, 0])})
    g.nodes["a"].data["h"] = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    rows = [data.get("h") for _, data in gs.to_networkx(g, "h").nodes(data=True)]
    assert [None if row is None else row.tolist() for row in rows] == [[1, 2], [3, 4], None]


def test_kinds_of_attributes():
    source = networkx.DiGraph()
    for i in range(2):
        source.add_node(i, a=i, b=i / 2, c=[i, 1], d=np.full(2, i), e=torch.full((2,), i), f=i > 0)
    g = gs.from_networkx(source, node_attrs=list("abcdef"))
    dtypes = [g.ndata[name].dtype for name in "abcdef"]
    assert dtypes == [
        torch.int64, torch.float32, torch.int64, torch.int64, torch.int64, torch.bool,
    ]  # fmt: skip
    for name in "cde":
        assert g.ndata[name].shape == (2, 2)


@given(sizes=st.tuples(st.integers(0, 4), st.integers(0, 4)), data=st.data())
def test_bipartite(sizes, data):
    labels = [f"s{i}" for i in range(sizes[0])], [f"d{i}" for i in range(sizes[1])]
    source = networkx.MultiDiGraph()
    for side in (0, 1):
        for label in data.draw(st.permutations(labels[side])):
            source.add_node(label, bipartite=side, x=int(label[1:]))
    pairs = []
    if all(sizes):
        pair = st.tuples(*(st.integers(0, size - 1) for size in sizes))
        pairs = data.draw(st.lists(pair, max_size=8))
    ids = data.draw(st.permutations(range(len(pairs))))
    for (a, b), number in zip(pairs, ids, strict=True):
        source.add_edge(labels[0][a], labels[1][b], id=number, w=10 * number)
    g = gs.bipartite_from_networkx(source, "s", "r", "d", ["x"], ["w"], ["x"], "id")
    assert_graph_valid(g)
    assert (g.num_nodes("s"), g.num_nodes("d")) == sizes
    wanted = [pair for _, pair in sorted(zip(ids, pairs, strict=True))]
    assert list(zip(*(end.tolist() for end in g.edges()), strict=True)) == wanted
    assert g.edata["w"].tolist() == [10 * i for i in range(len(pairs))]
    for ntype in "sd":
        assert_tensor_equal(g.nodes[ntype].data["x"].long(), g.nodes(ntype))


def _node(**attributes):
    graph = networkx.DiGraph()
    graph.add_node(0, **attributes)
    graph.add_node(1, **{name: [1, 2] for name in attributes})
    return graph


def _sides(*edges, **attributes):
    graph = networkx.DiGraph()
    graph.add_node("a", bipartite=0)
    graph.add_node("b", bipartite=1)
    graph.add_node("c", **attributes)
    graph.add_edges_from(edges)
    return graph


EDGES = networkx.DiGraph([(0, 1, {"id": 1}), (1, 0, {"id": 1})])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: gs.from_networkx(3), gs.InvalidTypeError, "takes a networkx graph, got int"),
        (lambda: gs.from_networkx(_node(), 3), gs.InvalidTypeError, "node_attrs is a list"),
        (lambda: gs.from_networkx(_node(), ["x"]), gs.UnknownKeyError, "node number 0 has no"),
        (lambda: gs.from_networkx(_node(x="w"), "x"), gs.InvalidValueError, "'x' does not make a"),
        (lambda: gs.from_networkx(_node(x=1), "x"), gs.InvalidValueError, "of one shape"),
        (lambda: gs.from_networkx(EDGES, None, ["w"]), gs.UnknownKeyError, "edge number 0 has no"),
        (
            lambda: gs.from_networkx(EDGES, edge_id_attr_name="number"),
            gs.UnknownKeyError,
            "has no attribute 'number'",
        ),
        (
            lambda: gs.from_networkx(EDGES, edge_id_attr_name="id"),
            gs.InvalidValueError,
            "several edges have the same 'id'",
        ),
        (
            lambda: gs.from_networkx(networkx.DiGraph([(0, 1, {"id": 7})]), None, None, "id"),
            gs.OutOfRangeError,
            "edge ids are 0 to 0, each once; got 7",
        ),
        (
            lambda: gs.from_networkx(networkx.path_graph(2), edge_attrs=["w"]),
            gs.InvalidValueError,
            "need a directed graph",
        ),
        (
            lambda: gs.from_networkx(networkx.DiGraph([(0, "a")])),
            gs.InvalidTypeError,
            "cannot be sorted",
        ),
        (
            lambda: gs.bipartite_from_networkx(networkx.path_graph(2), "u", "e", "v"),
            gs.InvalidValueError,
            "takes a directed graph, got Graph",
        ),
        (
            lambda: gs.bipartite_from_networkx(_sides(), "u", "e", "v"),
            gs.InvalidValueError,
            "node 'c' has None",
        ),
        (
            lambda: gs.bipartite_from_networkx(_sides(bipartite=3), "u", "e", "v"),
            gs.InvalidValueError,
            "node 'c' has 3",
        ),
        (
            lambda: gs.bipartite_from_networkx(_sides(("b", "a"), bipartite=0), "u", "e", "v"),
            gs.InvalidValueError,
            r"\('b', 'a'\) does not",
        ),
        (
            lambda: gs.bipartite_from_networkx(_sides(bipartite=0), "u", "e", "u"),
            gs.InvalidValueError,
            "both sides have type 'u' but 2 and 1",
        ),
        (lambda: gs.to_networkx(3), gs.InvalidTypeError, "takes a graph, got int"),
        (
            lambda: gs.to_networkx(gs.graph(([0], [1])), ["h"]),
            gs.UnknownKeyError,
            "no node feature 'h'",
        ),
        (
            lambda: gs.to_networkx(gs.graph(([0], [1])), None, ["h"]),
            gs.UnknownKeyError,
            "no edge feature 'h'",
        ),
    ],
)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize(
    "kind", [np.int64, np.array, lambda i: np.array([i]), torch.tensor, lambda i: torch.tensor([i])]
)
def test_edge_ids_of_every_integer_kind(kind):
    source = networkx.DiGraph()
    source.add_edge(0, 1, id=kind(1))
    source.add_edge(1, 2, id=kind(0))
    g = gs.from_networkx(source, edge_id_attr_name="id")
    assert [end.tolist() for end in g.edges()] == [[1, 0], [2, 1]]


@pytest.mark.parametrize("wrong", [np.array([0, 1]), 0.0, "0", None])
def test_edge_ids_that_are_no_integers(wrong):
    source = networkx.DiGraph()
    source.add_edge(0, 1, id=wrong)
    with pytest.raises(gs.OutOfRangeError, match="edge ids are 0 to 0, each once"):
        gs.from_networkx(source, edge_id_attr_name="id")
