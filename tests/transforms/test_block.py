"""Blocks from graphs: the same edges between two numbered sides, and back."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gossamer as gs
from gossamer import function as fn
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal
from helpers.generated import graphs, some_nodes, with_features
from helpers.graphs import graph_cases


def destinations(g: gs.Graph) -> dict[str, list[int]]:
    """Nodes that have an in-edge, ascending."""
    found = {ntype: set() for ntype in g.ntypes}
    for etype in g.canonical_etypes:
        found[etype[2]].update(g.edges(etype=etype)[1].tolist())
    return {ntype: sorted(ids) for ntype, ids in found.items()}


def nobody(g: gs.Graph) -> dict[str, list[int]]:
    """No node of any type."""
    return {ntype: [] for ntype in g.ntypes}


def sources(g: gs.Graph, first: dict[str, list[int]]) -> dict[str, list[int]]:
    """`first`, and then the sources as edges name them."""
    named = {ntype: list(ids) for ntype, ids in first.items()}
    for etype in g.canonical_etypes:
        named[etype[0]] += g.edges(etype=etype)[0].tolist()
    return {ntype: list(dict.fromkeys(ids)) for ntype, ids in named.items()}


def assert_block_of(block: gs.Graph, g: gs.Graph) -> None:
    """Assert that `block` has the edges of `g`, under ids that name them, and its features."""
    assert_graph_valid(block)
    assert block.is_block
    assert block.srctypes == block.dsttypes == g.ntypes
    for ntype in g.ntypes:
        for frame in (block.srcnodes[ntype].data, block.dstnodes[ntype].data):
            assert frame[gs.NID].dtype == g.idtype
            assert_tensor_equal(frame["x"], g.nodes[ntype].data["x"][frame[gs.NID].long()])
    for etype in g.canonical_etypes:
        u, v = block.edges(etype=etype)
        former = block.srcnodes[etype[0]].data[gs.NID], block.dstnodes[etype[2]].data[gs.NID]
        assert_tensor_equal(former[0][u.long()], g.edges(etype=etype)[0])
        assert_tensor_equal(former[1][v.long()], g.edges(etype=etype)[1])
        assert_tensor_equal(block.edges[etype].data[gs.EID], g.edges(form="eid", etype=etype))
        assert_tensor_equal(block.edges[etype].data["x"], g.edges[etype].data["x"])


def former(block: gs.Graph, side: str) -> dict[str, list[int]]:
    nodes = {"src": block.srcnodes, "dst": block.dstnodes}[side]
    return {ntype: nodes[ntype].data[gs.NID].tolist() for ntype in block.srctypes}


@given(data=st.data(), include=st.booleans())
def test_block_has_the_edges_and_numbers_both_sides(data, include):
    g = data.draw(graphs())
    block = gs.to_block(g, include_dst_in_src=include)
    assert_block_of(block, g)
    wanted = destinations(g)
    assert former(block, "dst") == wanted
    assert former(block, "src") == sources(g, wanted if include else nobody(g))


@given(data=st.data(), include=st.booleans())
def test_destinations_keep_the_given_order(data, include):
    g = data.draw(graphs())
    extra = data.draw(some_nodes(g))
    nodes = {
        ntype: data.draw(st.permutations(sorted({*ids, *extra[ntype]})))
        for ntype, ids in destinations(g).items()
    }
    block = gs.to_block(g, nodes, include_dst_in_src=include)
    assert_block_of(block, g)
    assert former(block, "dst") == nodes
    assert former(block, "src") == sources(g, nodes if include else nobody(g))


@given(data=st.data(), include=st.booleans())
def test_sources_keep_the_given_order(data, include):
    g = data.draw(graphs())
    targets = destinations(g)
    first = targets if include else nobody(g)
    given_nodes = {
        ntype: [*first[ntype], *data.draw(st.permutations(sorted({*ids} - {*first[ntype]})))]
        for ntype, ids in sources(g, first).items()
    }
    block = gs.to_block(g, targets, include, given_nodes)
    assert_block_of(block, g)
    assert former(block, "src") == given_nodes


@given(data=st.data())
def test_to_block_and_back_gives_a_bipartite_graph_with_the_same_edges(data):
    g = data.draw(graphs())
    block = gs.to_block(g)
    back = gs.block_to_graph(block)
    assert_graph_valid(back)
    assert not back.is_block
    wanted = [f"{t}_src" for t in g.ntypes] + [f"{t}_dst" for t in g.ntypes]
    assert back.ntypes == wanted
    for src, relation, dst in g.canonical_etypes:
        etype = f"{src}_src", relation, f"{dst}_dst"
        u, v = back.edges(etype=etype)
        ids = back.nodes[etype[0]].data[gs.NID], back.nodes[etype[2]].data[gs.NID]
        assert_tensor_equal(ids[0][u.long()], g.edges(etype=(src, relation, dst))[0])
        assert_tensor_equal(ids[1][v.long()], g.edges(etype=(src, relation, dst))[1])
        assert_tensor_equal(back.edges[etype].data["x"], g.edges[src, relation, dst].data["x"])


@pytest.mark.parametrize("case", graph_cases(exclude=["block", "heterogeneous_block"]))
def test_message_passing_on_a_block_is_that_on_the_graph(case, device):
    g = with_features(case(device))
    block = gs.to_block(g)
    assert_block_of(block, g)
    for etype in g.canonical_etypes:
        for graph in (g, block):
            graph.update_all(fn.u_mul_e("x", "x", "m"), fn.sum("m", "sum"), etype=etype)
        rows = block.dstnodes[etype[2]].data[gs.NID].long()
        wanted = g.nodes[etype[2]].data["sum"][rows]
        assert_tensor_equal(block.dstnodes[etype[2]].data["sum"], wanted)


def test_types_without_destinations_lose_their_edges():
    g = with_features(
        gs.heterograph({("a", "r", "b"): ([0, 1], [1, 0]), ("b", "s", "a"): ([0], [1])})
    )
    block = gs.to_block(g, {"a": [1]})
    assert block.num_edges("r") == 0
    assert block.edges["r"].data["x"].shape == (0,)
    assert block.num_edges("s") == 1
    assert former(block, "src") == {"a": [1], "b": [0]}
    assert gs.to_block(g, {}).num_edges() == 0


def test_edges_of_a_node_listed_twice_go_to_its_last_place():
    g = with_features(gs.graph(([5, 2, 0], [2, 2, 5])))
    block = gs.to_block(g, [2, 5, 2])
    assert_block_of(block, g)
    assert block.edges()[1].tolist() == [2, 2, 1]
    assert former(block, "src")["_N"] == [2, 5, 2, 0]
    assert block.edges()[0].tolist() == [1, 2, 3]


def test_a_mask_chooses_destinations():
    g = gs.graph(([0, 1], [2, 2]))
    block = gs.to_block(g, torch.tensor([False, True, True]))
    assert block.dstdata[gs.NID].tolist() == [1, 2]


def test_a_small_block_of_a_large_graph():
    count = 10_000_000
    g = gs.graph(([count - 1, 3, count - 1], [5, count - 2, 5]), num_nodes=count)
    block = gs.to_block(g)
    assert block.dstdata[gs.NID].tolist() == [5, count - 2]
    assert block.srcdata[gs.NID].tolist() == [5, count - 2, count - 1, 3]
    assert [end.tolist() for end in block.edges()] == [[2, 3, 2], [0, 1, 0]]


def test_features_are_gathered_when_read_and_carry_gradients():
    g = gs.graph(([4, 2, 0], [2, 2, 4]))
    x = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    g.ndata["x"] = x
    block = gs.to_block(g)
    with torch.no_grad():
        x += 1  # what is read later shows it: nothing was copied yet
    assert_tensor_equal(block.srcdata["x"], x[[2, 4, 0]])
    cotangents = torch.randn(3, 2, dtype=torch.float64), torch.randn(2, 2, dtype=torch.float64)
    torch.autograd.backward([block.srcdata["x"], block.dstdata["x"]], cotangents)
    wanted = torch.zeros_like(x).index_add(0, torch.tensor([2, 4, 0]), cotangents[0])
    assert_tensor_equal(x.grad, wanted.index_add(0, torch.tensor([2, 4]), cotangents[1]))


@pytest.mark.parametrize("case", [*graph_cases("block"), *graph_cases("heterogeneous_block")])
def test_block_to_graph_shares_structure_and_not_later_features(case):
    block = case()
    g = gs.block_to_graph(block)
    assert_graph_valid(g)
    for src, relation, dst in block.canonical_etypes:
        etype = f"{src}_src", relation, f"{dst}_dst"
        assert g.relation(etype) is block.relation((src, relation, dst))
        assert g.num_nodes(etype[0]) == block.num_src_nodes(src)
        assert g.num_nodes(etype[2]) == block.num_dst_nodes(dst)
        g.edges[etype].data["new"] = torch.zeros(g.num_edges(etype))
        assert "new" not in block.edges[src, relation, dst].data
    assert_graph_equal(gs.block_to_graph(block), gs.block_to_graph(block))


GRAPH = gs.graph(([0, 1, 3], [1, 2, 2]), num_nodes=5)
TYPED = gs.heterograph({("a", "r", "b"): ([0], [1]), ("b", "s", "b"): ([0], [1])})
BLOCK = gs.to_block(GRAPH)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gs.to_block(3), gs.InvalidTypeError, "to_block takes a graph, got int"),
        (lambda: gs.to_block(BLOCK), gs.InvalidValueError, "to_block does not take a block"),
        (
            lambda: gs.to_block(GRAPH, [1]),
            gs.InvalidValueError,
            "node 2 of type '_N' has an in-edge but is not among dst_nodes",
        ),
        (lambda: gs.to_block(GRAPH, [1, 2, 9]), gs.OutOfRangeError, "Id 9 is not among the nodes"),
        (lambda: gs.to_block(GRAPH, [1, 2, -1]), gs.OutOfRangeError, "Id -1 is not among"),
        (lambda: gs.to_block(GRAPH, {"a": [0]}), gs.UnknownKeyError, "no node type 'a'"),
        (lambda: gs.to_block(TYPED, [1]), gs.InvalidTypeError, "to_block: dst_nodes.* are a dict"),
        (
            lambda: gs.to_block(TYPED, src_nodes=[1]),
            gs.InvalidTypeError,
            "to_block: src_nodes.* are a dict",
        ),
        (
            lambda: gs.to_block(GRAPH, [1, 2], src_nodes=[2, 1, 0, 3]),
            gs.InvalidValueError,
            "must begin with the 2 destination nodes",
        ),
        (
            lambda: gs.to_block(GRAPH, [1, 2], src_nodes=[1]),
            gs.InvalidValueError,
            "must begin with the 2 destination nodes",
        ),
        (
            lambda: gs.to_block(GRAPH, [1, 2], False, [0, 1]),
            gs.InvalidValueError,
            "node 3 of type '_N' has an out-edge but is not among src_nodes",
        ),
        (lambda: gs.block_to_graph(3), gs.InvalidTypeError, "takes a graph, got int"),
        (lambda: gs.block_to_graph(GRAPH), gs.InvalidValueError, "with gossamer.to_block"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
