"""Compaction keeps every edge and drops every node without one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal
from helpers.generated import graphs, some_nodes, with_features
from helpers.graphs import graph_cases


def first_seen(graphs: list[gs.Graph], preserved: dict[str, list[int]]) -> dict[str, list[int]]:
    """Nodes by type in the order in which they are preserved or named."""
    named = {ntype: list(ids) for ntype, ids in preserved.items()}
    for g in graphs:
        for etype in g.canonical_etypes:
            u, v = g.edges(etype=etype)
            named[etype[0]] += u.tolist()
            named[etype[2]] += v.tolist()
    return {ntype: list(dict.fromkeys(ids)) for ntype, ids in named.items()}


def assert_compacted(small: gs.Graph, g: gs.Graph, nodes: dict[str, list[int]]) -> None:
    assert_graph_valid(small)
    for ntype in g.ntypes:
        frame = small.nodes[ntype].data
        assert frame[gs.NID].tolist() == nodes[ntype]
        assert_tensor_equal(frame["x"], g.nodes[ntype].data["x"][frame[gs.NID].long()])
    for etype in g.canonical_etypes:
        ends = zip(etype[::2], small.edges(etype=etype), g.edges(etype=etype), strict=True)
        for ntype, new, old in ends:
            assert_tensor_equal(small.nodes[ntype].data[gs.NID][new.long()], old)
        assert_tensor_equal(small.edges[etype].data["x"], g.edges[etype].data["x"])
        assert gs.EID not in small.edges[etype].data


@given(data=st.data())
def test_edges_stay_and_nodes_are_numbered_as_edges_name_them(data):
    g = data.draw(graphs())
    preserved = data.draw(some_nodes(g, unique=False))
    nothing = {ntype: [] for ntype in g.ntypes}
    assert_compacted(gs.compact_graphs(g), g, first_seen([g], nothing))
    assert_compacted(gs.compact_graphs(g, preserved), g, first_seen([g], preserved))


@given(data=st.data())
def test_several_graphs_keep_the_same_nodes(data):
    g = data.draw(graphs())
    etype = data.draw(st.sampled_from(g.canonical_etypes))
    part = gs.edge_subgraph(g, {etype: gs.ALL}, relabel_nodes=False, store_ids=False)
    other = gs.in_subgraph(g, data.draw(some_nodes(g)), store_ids=False)
    wanted = first_seen([part, g, other], {ntype: [] for ntype in g.ntypes})
    compacted = gs.compact_graphs([part, g, other])
    assert isinstance(compacted, list)
    for small, large in zip(compacted, [part, g, other], strict=True):
        assert_compacted(small, large, wanted)


@given(g=graphs())
def test_compacting_twice_is_compacting_once(g):
    once = gs.compact_graphs(g)
    twice = gs.compact_graphs(once)
    for ntype in g.ntypes:
        assert_tensor_equal(twice.nodes[ntype].data[gs.NID], once.nodes(ntype))
    assert_graph_equal(twice, once, features=False)


@pytest.mark.parametrize("case", graph_cases(exclude=["block", "heterogeneous_block"]))
def test_no_node_is_left_without_an_edge(case, device):
    g = with_features(case(device))
    small = gs.compact_graphs(g)
    assert_compacted(small, g, first_seen([g], {ntype: [] for ntype in g.ntypes}))
    degree = {ntype: torch.zeros(small.num_nodes(ntype), device=device) for ntype in g.ntypes}
    for etype in g.canonical_etypes:
        degree[etype[0]] += small.out_degrees(etype=etype)
        degree[etype[2]] += small.in_degrees(etype=etype)
    assert all(bool((count > 0).all()) for count in degree.values())


def test_graphs_with_other_relations_over_the_same_nodes():
    sizes = {"user": 20, "game": 10}
    plays = gs.heterograph({("user", "plays", "game"): ([1, 3], [3, 5])}, sizes)
    made = gs.heterograph({("game", "made-by", "user"): ([5, 9], [7, 1])}, sizes)
    small = gs.compact_graphs([plays, made])
    assert [g.ndata[gs.NID]["user"].tolist() for g in small] == [[1, 3, 7]] * 2
    assert [g.ndata[gs.NID]["game"].tolist() for g in small] == [[3, 5, 9]] * 2
    assert small[1].edges()[0].tolist() == [1, 2]


def test_features_are_copied_on_request_only():
    g = with_features(gs.graph(([4, 2], [2, 2])))
    bare = gs.compact_graphs(g, copy_ndata=False, copy_edata=False)
    assert list(bare.ndata) == list(bare.edata) == []
    assert bare.num_nodes() == 2
    small = gs.compact_graphs(g)
    small.edata["new"] = torch.zeros(2)
    assert "new" not in g.edata


def test_a_mask_preserves_nodes():
    g = gs.graph(([4, 2], [2, 2]), num_nodes=6)
    small = gs.compact_graphs(g, torch.tensor([True, False, False, False, False, True]))
    assert small.ndata[gs.NID].tolist() == [0, 5, 4, 2]


def test_no_graphs_give_no_graphs():
    assert gs.compact_graphs([]) == []


def test_node_features_carry_gradients():
    g = gs.graph(([4, 2], [2, 2]))
    x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    g.ndata["x"] = x
    small = gs.compact_graphs(g)
    cotangent = torch.randn(2, 3, dtype=torch.float64)
    small.ndata["x"].backward(cotangent)
    assert_tensor_equal(x.grad, torch.zeros_like(x).index_add(0, small.ndata[gs.NID], cotangent))


GRAPH = gs.graph(([0, 1], [1, 2]))
TYPED = gs.heterograph({("a", "r", "b"): ([0], [1])})


@pytest.mark.parametrize(
    ("graphs", "preserved", "error", "message"),
    [
        (3, None, gs.InvalidTypeError, "a graph or a list of graphs, got int"),
        ([GRAPH, 3], None, gs.InvalidTypeError, "takes a graph, got int"),
        (gs.create_block(([0], [0])), None, gs.InvalidValueError, "does not take a block"),
        ([GRAPH, GRAPH.int()], None, gs.InvalidValueError, "same id type: graph 1 has torch.int32"),
        ([GRAPH, gs.add_nodes(GRAPH, 1)], None, gs.InvalidValueError, "same nodes: graph 1 has"),
        ([GRAPH, TYPED], None, gs.InvalidValueError, "same nodes: graph 1 has"),
        (GRAPH, [3], gs.OutOfRangeError, "Id 3 is not among the nodes"),
        (GRAPH, {"a": [0]}, gs.UnknownKeyError, "no node type 'a'"),
        (TYPED, [0], gs.InvalidTypeError, "dict from node type to ids"),
    ],
)
def test_bad_input(graphs, preserved, error, message):
    with pytest.raises(error, match=message):
        gs.compact_graphs(graphs, preserved)
