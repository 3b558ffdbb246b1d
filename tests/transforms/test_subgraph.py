"""Subgraphs against brute force, networkx and what they promise about features and ids."""

from __future__ import annotations

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal
from helpers.generated import graphs, homogeneous_graphs, some_nodes, with_features
from helpers.graphs import graph_cases


def pairs(g: gs.Graph, etype=None) -> list[tuple[int, int]]:
    u, v = g.edges(etype=etype)
    return list(zip(u.tolist(), v.tolist(), strict=True))


def assert_carries(sub: gs.Graph, g: gs.Graph, *, nodes: bool = True) -> None:
    """Assert that ids name the rows of `g` from which the features come."""
    for etype in sub.canonical_etypes:
        frame, ids = sub.edges[etype].data, sub.edges[etype].data[gs.EID]
        assert ids.dtype == g.idtype
        assert_tensor_equal(frame["x"], g.edges[etype].data["x"][ids.long()])
    for ntype in sub.ntypes:
        frame = sub.nodes[ntype].data
        if nodes:
            assert frame[gs.NID].dtype == g.idtype
            wanted = g.nodes[ntype].data["x"][frame[gs.NID].long()]
        else:
            wanted = g.nodes[ntype].data["x"]
            assert gs.NID not in frame
        assert_tensor_equal(frame["x"], wanted)


# --- induced by nodes ---------------------------------------------------------------------------


@given(data=st.data(), relabel=st.booleans())
def test_node_subgraph_is_the_filter_of_edges(data, relabel):
    g = data.draw(graphs())
    nodes = data.draw(some_nodes(g))
    sub = gs.node_subgraph(g, nodes, relabel_nodes=relabel)
    assert_graph_valid(sub)
    assert_carries(sub, g, nodes=relabel)
    for src, relation, dst in g.canonical_etypes:
        etype = src, relation, dst
        wanted = [
            (u, v, eid)
            for u in nodes[src]
            for eid, (start, v) in enumerate(pairs(g, etype))
            if start == u and v in nodes[dst]
        ]
        assert sub.edges[etype].data[gs.EID].tolist() == [eid for _, _, eid in wanted]
        ends = [(u, v) for u, v, _ in wanted]
        if relabel:
            ends = [(nodes[src].index(u), nodes[dst].index(v)) for u, v in ends]
        assert pairs(sub, etype) == ends


@given(data=st.data())
def test_nodes_listed_twice_share_out_edges_and_the_first_gets_in_edges(data):
    g = data.draw(homogeneous_graphs())
    nodes = data.draw(some_nodes(g, unique=False))["_N"]
    wanted = [
        (place, nodes.index(v))
        for place, u in enumerate(nodes)
        for start, v in pairs(g)
        if start == u and v in nodes
    ]
    assert pairs(gs.node_subgraph(g, nodes)) == wanted


@pytest.mark.parametrize("case", graph_cases("homogeneous"))
def test_node_subgraph_agrees_with_networkx(case):
    g = case()
    nodes = list(range(0, g.num_nodes(), 2))
    theirs = nx.MultiDiGraph(pairs(g))
    theirs.add_nodes_from(range(g.num_nodes()))
    ours = gs.node_subgraph(g, nodes, relabel_nodes=False)
    assert sorted(pairs(ours)) == sorted(theirs.subgraph(nodes).edges())


@pytest.mark.parametrize("case", graph_cases(exclude=["block", "heterogeneous_block"]))
def test_all_nodes_in_order_give_the_graph_with_edges_by_source(case, device):
    g = with_features(case(device))
    sub = gs.node_subgraph(g, dict.fromkeys(g.ntypes, gs.ALL))
    for etype in g.canonical_etypes:
        u, v, eid = g.out_edges(g.nodes(etype[0]), form="all", etype=etype)
        assert_tensor_equal(sub.edges(etype=etype)[0], u)
        assert_tensor_equal(sub.edges(etype=etype)[1], v)
        assert_tensor_equal(sub.edges[etype].data[gs.EID], eid)
    assert sub.batch_size == 1


def test_a_mask_is_the_ids_where_it_is_true():
    g = with_features(gs.graph(([0, 1, 2, 3], [1, 2, 3, 0])))
    mask = torch.tensor([True, False, True, True])
    assert_graph_equal(gs.node_subgraph(g, mask), gs.node_subgraph(g, [0, 2, 3]))
    assert_graph_equal(gs.edge_subgraph(g, mask), gs.edge_subgraph(g, [0, 2, 3]))
    assert_graph_equal(gs.in_subgraph(g, mask), gs.in_subgraph(g, [0, 2, 3]))


def test_few_nodes_of_a_large_graph_are_found_without_a_table():
    count = 1_000_000
    nodes = torch.arange(count)
    g = gs.graph((nodes, nodes.roll(-1)))
    sub = gs.node_subgraph(g, [7, 5, 6, count - 1, 0])
    assert pairs(sub) == [(1, 2), (2, 0), (3, 4)]
    assert sub.edata[gs.EID].tolist() == [5, 6, count - 1]


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_formats_do_not_change_the_answer(form):
    g = gs.graph(([3, 0, 3, 2, 1], [1, 2, 1, 2, 0]))
    sub = gs.node_subgraph(g.formats(form), [3, 1, 2])
    assert_graph_equal(sub, gs.node_subgraph(g, [3, 1, 2]))


# --- by edges -----------------------------------------------------------------------------------


@given(data=st.data(), relabel=st.booleans())
def test_edge_subgraph_keeps_edges_in_the_given_order(data, relabel):
    g = data.draw(graphs())
    edges = {
        etype: data.draw(st.lists(st.integers(0, g.num_edges(etype) - 1), max_size=6))
        for etype in g.canonical_etypes
        if g.num_edges(etype)
    }
    sub = gs.edge_subgraph(g, edges, relabel_nodes=relabel)
    assert_graph_valid(sub)
    assert_carries(sub, g, nodes=relabel)
    named = {ntype: [] for ntype in g.ntypes}
    for etype in g.canonical_etypes:
        src, _, dst = etype
        all_pairs = pairs(g, etype)
        wanted = [all_pairs[eid] for eid in edges.get(etype, [])]
        named[src] += [u for u, _ in wanted]
        named[dst] += [v for _, v in wanted]
        found = pairs(sub, etype)
        if relabel:
            former_src = sub.nodes[src].data[gs.NID].tolist()
            former_dst = sub.nodes[dst].data[gs.NID].tolist()
            found = [(former_src[u], former_dst[v]) for u, v in found]
        assert found == wanted
    if relabel:
        for ntype in g.ntypes:
            first_seen = list(dict.fromkeys(named[ntype]))
            assert sub.nodes[ntype].data[gs.NID].tolist() == first_seen


def test_edge_subgraph_of_a_block_is_a_block():
    block = gs.create_block(([3, 0, 2], [1, 0, 1]), num_src_nodes=4, num_dst_nodes=2)
    sub = gs.edge_subgraph(block, [2, 0], relabel_nodes=False)
    assert sub.is_block
    assert (sub.num_src_nodes(), sub.num_dst_nodes()) == (4, 2)
    assert pairs(sub) == [(2, 1), (3, 1)]


# --- in- and out-edges --------------------------------------------------------------------------


@given(data=st.data(), inward=st.booleans(), relabel=st.booleans())
def test_one_sided_subgraphs_are_the_edges_of_each_node(data, inward, relabel):
    g = data.draw(graphs())
    nodes = data.draw(some_nodes(g, unique=False))
    function = gs.in_subgraph if inward else gs.out_subgraph
    sub = function(g, nodes, relabel_nodes=relabel)
    assert_graph_valid(sub)
    assert_carries(sub, g, nodes=relabel)
    for etype in g.canonical_etypes:
        side = 1 if inward else 0
        wanted = [
            eid
            for node in nodes[etype[2 if inward else 0]]
            for eid, pair in enumerate(pairs(g, etype))
            if pair[side] == node
        ]
        assert sub.edges[etype].data[gs.EID].tolist() == wanted
        if not relabel:
            assert pairs(sub, etype) == [pairs(g, etype)[eid] for eid in wanted]


# --- neighborhoods -----------------------------------------------------------------------------


@given(data=st.data(), k=st.integers(0, 4), inward=st.booleans())
def test_khop_subgraph_agrees_with_networkx(data, k, inward):
    g = data.draw(graphs())
    seeds = data.draw(some_nodes(g, unique=False))
    theirs = nx.DiGraph()
    theirs.add_nodes_from((ntype, i) for ntype in g.ntypes for i in range(g.num_nodes(ntype)))
    for etype in g.canonical_etypes:
        theirs.add_edges_from(((etype[0], u), (etype[2], v)) for u, v in pairs(g, etype))
    if inward:
        theirs = theirs.reverse()
    near = {
        node
        for ntype, ids in seeds.items()
        for i in ids
        for node in nx.single_source_shortest_path_length(theirs, (ntype, i), cutoff=k)
    }
    function = gs.khop_in_subgraph if inward else gs.khop_out_subgraph
    sub, inverse = function(g, seeds, k)
    wanted = {t: sorted(i for ntype, i in near if ntype == t) for t in g.ntypes}
    assert {t: sub.nodes[t].data[gs.NID].tolist() for t in g.ntypes} == wanted
    assert_graph_equal(sub, gs.node_subgraph(g, wanted))
    for ntype, ids in seeds.items():
        assert inverse[ntype].dtype == torch.int64
        assert sub.nodes[ntype].data[gs.NID][inverse[ntype]].tolist() == ids
    unlabeled = function(g, seeds, k, relabel_nodes=False)
    assert_graph_equal(unlabeled, gs.node_subgraph(g, wanted, relabel_nodes=False))


def test_more_hops_than_the_graph_is_deep_give_the_whole_component():
    g = gs.graph(([0, 1, 2, 5], [1, 2, 3, 6]))
    sub, where = gs.khop_in_subgraph(g, 3, 10**9)
    assert sub.ndata[gs.NID].tolist() == [0, 1, 2, 3]
    assert where.tolist() == [3]


def test_khop_on_a_large_graph_sorts_instead_of_filling_tables():
    count = 1_000_000
    nodes = torch.arange(count)
    g = gs.graph((nodes, nodes.roll(-1)))
    sub, where = gs.khop_out_subgraph(g, [count - 2], 3)
    assert sub.ndata[gs.NID].tolist() == [0, 1, count - 2, count - 1]
    assert where.tolist() == [2]


# --- by types -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", graph_cases("heterogeneous"))
def test_type_subgraphs_share_structure_and_features(case):
    g = with_features(case())
    etype = g.canonical_etypes[-1]
    sub = gs.edge_type_subgraph(g, [etype])
    assert_graph_valid(sub)
    assert sub.canonical_etypes == [etype]
    assert sub.ntypes == [ntype for ntype in g.ntypes if ntype in (etype[0], etype[2])]
    sub.edges[etype].data["new"] = torch.ones(g.num_edges(etype))
    assert "new" in g.edges[etype].data
    by_nodes = gs.node_type_subgraph(g, [etype[0], etype[2]])
    assert_graph_valid(by_nodes)
    assert by_nodes.canonical_etypes == [
        (src, relation, dst)
        for src, relation, dst in g.canonical_etypes
        if {src, dst} <= {etype[0], etype[2]}
    ]
    assert by_nodes.relation(etype) is g.relation(etype)


def test_edge_types_of_a_block_give_a_block_with_both_sides_right():
    data = {("u", "r", "i"): ([3, 1], [0, 1]), ("i", "s", "u"): ([1, 0], [0, 0])}
    block = gs.create_block(data, {"u": 4, "i": 3}, {"u": 2, "i": 3})
    sub = gs.edge_type_subgraph(block, ["s", "r"])
    assert sub.is_block
    assert sub.canonical_etypes == [("i", "s", "u"), ("u", "r", "i")]
    assert [sub.num_dst_nodes(ntype) for ntype in sub.dsttypes] == [3, 2]
    assert gs.edge_type_subgraph(block, ["r"]).srctypes == ["u"]


# --- features -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda g: gs.node_subgraph(g, [2, 0, 1]),
        lambda g: gs.edge_subgraph(g, [3, 1]),
        lambda g: gs.in_subgraph(g, [2, 1], relabel_nodes=True),
        lambda g: gs.khop_in_subgraph(g, [2], 1)[0],
    ],
    ids=["nodes", "edges", "in", "khop"],
)
def test_features_are_gathered_when_read_and_carry_gradients(make):
    generator = torch.Generator().manual_seed(3)
    g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    x = torch.randn(3, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    w = torch.randn(4, dtype=torch.float64, generator=generator, requires_grad=True)
    g.ndata["x"], g.edata["w"] = x, w
    sub = make(g)
    with torch.no_grad():
        x += 1  # what is read later shows it: nothing was copied yet
    assert_tensor_equal(sub.ndata["x"], x[sub.ndata[gs.NID]])
    cotangents = torch.randn_like(sub.ndata["x"]), torch.randn_like(sub.edata["w"])
    torch.autograd.backward([sub.ndata["x"], sub.edata["w"]], cotangents)
    assert_tensor_equal(x.grad, torch.zeros_like(x).index_add(0, sub.ndata[gs.NID], cotangents[0]))
    assert_tensor_equal(w.grad, torch.zeros_like(w).index_add(0, sub.edata[gs.EID], cotangents[1]))


def test_ids_are_left_out_on_request_and_former_ones_travel():
    g = gs.graph(([0, 1], [1, 0]))
    g.ndata[gs.NID] = torch.tensor([70, 80])
    sub = gs.node_subgraph(g, [1, 0], store_ids=False)
    assert sub.ndata[gs.NID].tolist() == [80, 70]
    assert gs.EID not in sub.edata
    assert gs.node_subgraph(g, [1, 0]).ndata[gs.NID].tolist() == [1, 0]


def test_the_graph_is_left_alone():
    g = with_features(gs.graph(([0, 1], [1, 0])))
    for sub in (gs.in_subgraph(g, [0]), gs.node_subgraph(g, [0, 1]), gs.edge_subgraph(g, [0])):
        sub.ndata["new"] = torch.zeros(sub.num_nodes())
        sub.edata["new"] = torch.zeros(sub.num_edges())
    assert list(g.ndata) == list(g.edata) == ["x"]


def test_methods_are_the_functions():
    g = with_features(
        gs.heterograph({("a", "r", "b"): ([0, 1], [1, 0]), ("b", "s", "b"): ([0, 1], [1, 1])})
    )
    options = {"relabel_nodes": False, "store_ids": False, "output_device": "cpu"}
    assert_graph_equal(g.subgraph({"b": [1]}), gs.node_subgraph(g, {"b": [1]}))
    assert_graph_equal(g.subgraph({"b": 1}, **options), gs.node_subgraph(g, {"b": 1}, **options))
    assert_graph_equal(g.edge_subgraph({"s": [1]}), gs.edge_subgraph(g, {"s": [1]}))
    assert_graph_equal(
        g.edge_subgraph({"s": [1]}, **options), gs.edge_subgraph(g, {"s": [1]}, **options)
    )
    assert_graph_equal(g.node_type_subgraph(["b"]), gs.node_type_subgraph(g, ["b"]))
    assert_graph_equal(g.edge_type_subgraph(["r"]), gs.edge_type_subgraph(g, ["r"]))


# --- bad input ----------------------------------------------------------------------------------

HOMOGENEOUS = gs.graph(([0, 1], [1, 2]))
TYPED = gs.heterograph({("a", "r", "b"): ([0], [1]), ("b", "s", "b"): ([0], [1])})
AMBIGUOUS = gs.heterograph({("a", "r", "b"): ([0], [1]), ("b", "r", "b"): ([0], [1])})
BLOCK = gs.create_block(([0], [0]))
LONG_MASK = torch.ones(9, dtype=torch.bool)


@pytest.mark.parametrize(
    "name", ["node_subgraph", "in_subgraph", "out_subgraph", "khop_in_subgraph"]
)
@pytest.mark.parametrize(
    ("g", "nodes", "error", "message"),
    [
        (3, [0], gs.InvalidTypeError, "takes a graph, got int"),
        (BLOCK, [0], gs.InvalidValueError, "does not take a block"),
        (HOMOGENEOUS, [3], gs.OutOfRangeError, "Id 3 is not among the nodes of type '_N'"),
        (HOMOGENEOUS, [-1], gs.OutOfRangeError, "Id -1 is not among"),
        (HOMOGENEOUS, LONG_MASK, gs.InvalidValueError, r"needs 3 values, got shape \(9,\)"),
        (HOMOGENEOUS, [0.5], gs.InvalidTypeError, "must be integers"),
        (HOMOGENEOUS, "all", gs.InvalidTypeError, "got str"),
        (HOMOGENEOUS, [[0], [1]], gs.InvalidValueError, "one-dimensional"),
        (HOMOGENEOUS, {"a": [0]}, gs.UnknownKeyError, "no node type 'a'"),
        (TYPED, [0], gs.InvalidTypeError, "dict from node type to ids"),
        (TYPED, {"a": [7]}, gs.OutOfRangeError, "Id 7 is not among the nodes of type 'a'"),
    ],
)
def test_bad_nodes(name, g, nodes, error, message):
    arguments = (1,) if "khop" in name else ()
    with pytest.raises(error, match=message):
        getattr(gs, name)(g, nodes, *arguments)


@pytest.mark.parametrize(
    ("g", "edges", "error", "message"),
    [
        (None, [0], gs.InvalidTypeError, "edge_subgraph takes a graph, got NoneType"),
        (BLOCK, [0], gs.InvalidValueError, "relabel_nodes=True does not take a block"),
        (HOMOGENEOUS, [2], gs.OutOfRangeError, "Id 2 is not among the edges of type"),
        (HOMOGENEOUS, LONG_MASK, gs.InvalidValueError, "needs 2 values"),
        (HOMOGENEOUS, ([0, 1], [1, 2]), gs.InvalidValueError, "one-dimensional"),
        (HOMOGENEOUS, {"nope": [0]}, gs.UnknownKeyError, "no edge type 'nope'"),
        (TYPED, [0], gs.InvalidTypeError, "dict from edge type to ids"),
        (TYPED, {"s": [0], ("b", "s", "b"): [0]}, gs.InvalidValueError, "twice"),
        (AMBIGUOUS, {"r": [0]}, gs.InvalidValueError, "ambiguous"),
    ],
)
def test_bad_edges(g, edges, error, message):
    with pytest.raises(error, match=message):
        gs.edge_subgraph(g, edges)


@pytest.mark.parametrize("function", [gs.khop_in_subgraph, gs.khop_out_subgraph])
@pytest.mark.parametrize(
    ("k", "error", "message"),
    [
        (-1, gs.InvalidValueError, "hops k is at least 0, got -1"),
        (1.5, gs.InvalidTypeError, "hops k is an int, got 1.5"),
        (True, gs.InvalidTypeError, "hops k is an int, got True"),
        ("2", gs.InvalidTypeError, "hops k is an int, got '2'"),
    ],
)
def test_bad_hops(function, k, error, message):
    with pytest.raises(error, match=message):
        function(HOMOGENEOUS, [0], k)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gs.node_type_subgraph(3, ["a"]), gs.InvalidTypeError, "takes a graph"),
        (lambda: gs.node_type_subgraph(BLOCK, ["_N"]), gs.InvalidValueError, "take a block"),
        (lambda: gs.node_type_subgraph(TYPED, "b"), gs.InvalidTypeError, "Put a single one"),
        (lambda: gs.node_type_subgraph(TYPED, 7), gs.InvalidTypeError, "list of node types, got 7"),
        (lambda: gs.node_type_subgraph(TYPED, ["x"]), gs.UnknownKeyError, "no node type 'x'"),
        (lambda: gs.node_type_subgraph(TYPED, ["a"]), gs.InvalidValueError, "No edge type joins"),
        (lambda: gs.node_type_subgraph(TYPED, []), gs.InvalidValueError, "No edge type joins"),
        (lambda: gs.edge_type_subgraph(3, ["r"]), gs.InvalidTypeError, "takes a graph"),
        (lambda: gs.edge_type_subgraph(TYPED, "r"), gs.InvalidTypeError, "Put a single one"),
        (
            lambda: gs.edge_type_subgraph(TYPED, ("b", "s", "b")),
            gs.InvalidTypeError,
            "Put a single one",
        ),
        (lambda: gs.edge_type_subgraph(TYPED, ["x"]), gs.UnknownKeyError, "no edge type 'x'"),
        (lambda: gs.edge_type_subgraph(TYPED, []), gs.InvalidValueError, "at least one"),
        (lambda: gs.edge_type_subgraph(TYPED, ["s", "s"]), gs.InvalidValueError, "each once"),
        (lambda: gs.edge_type_subgraph(AMBIGUOUS, ["r"]), gs.InvalidValueError, "ambiguous"),
        (
            lambda: gs.node_subgraph(HOMOGENEOUS, [0], output_device="nowhere"),
            gs.InvalidValueError,
            "output_device must be a device",
        ),
    ],
)
def test_bad_types_and_devices(call, error, message):
    with pytest.raises(error, match=message):
        call()
