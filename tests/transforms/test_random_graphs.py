"""Random graphs have the requested number of distinct edges, uniformly distributed."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_graph_valid


@given(num_nodes=st.integers(0, 12), share=st.floats(0, 1), data=st.data())
def test_edges_differ(num_nodes, share, data):
    idtype = data.draw(st.sampled_from([torch.int32, torch.int64]))
    num_edges = int(share * num_nodes**2)
    g = gs.rand_graph(num_nodes, num_edges, idtype=idtype)
    assert_graph_valid(g)
    assert (g.num_nodes(), g.num_edges(), g.idtype) == (num_nodes, num_edges, idtype)
    assert not g.is_multigraph


@given(sizes=st.tuples(st.integers(0, 9), st.integers(0, 9)), share=st.floats(0, 1))
def test_bipartite_edges_differ(sizes, share):
    num_edges = int(share * sizes[0] * sizes[1])
    g = gs.rand_bipartite("user", "likes", "item", *sizes, num_edges)
    assert_graph_valid(g)
    assert g.canonical_etypes == [("user", "likes", "item")]
    assert (g.num_nodes("user"), g.num_nodes("item"), g.num_edges()) == (*sizes, num_edges)
    assert not g.is_multigraph


@pytest.mark.parametrize("num_edges", [3, 12])  # sparse and dense draw in different ways
def test_every_edge_is_equally_likely(num_edges):
    drawn = torch.zeros(4, 5)
    for _ in range(600):
        u, v = gs.rand_bipartite("a", "r", "b", 4, 5, num_edges).edges()
        drawn[u, v] += 1
    # 600 draws with probability p: standard deviation sqrt(600 p (1 - p)), here at most 12.
    assert float((drawn - 600 * num_edges / 20).abs().max()) < 5 * 12


def test_the_order_of_edges_is_random():
    firsts = {int(gs.rand_graph(5, 25).edges()[0][0]) for _ in range(60)}
    assert firsts == set(range(5))


@pytest.mark.parametrize(("num_nodes", "num_edges"), [(1000, 50), (10, 90)])
def test_a_seed_makes_it_reproducible(num_nodes, num_edges):
    gs.seed(3)
    first = gs.rand_graph(num_nodes, num_edges)
    other = gs.rand_graph(num_nodes, num_edges)
    gs.seed(3)
    assert_graph_equal(gs.rand_graph(num_nodes, num_edges), first)
    assert first.edges()[0].tolist() != other.edges()[0].tolist()


def test_one_type_on_both_sides():
    g = gs.rand_bipartite("a", "r", "a", 3, 6, 18)
    assert g.ntypes == ["a"] and g.num_nodes() == 6
    assert int(g.edges()[0].max()) == 2


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: gs.rand_graph(5, 26), gs.InvalidValueError, "26 distinct edges .* have 25 pairs"),
        (lambda: gs.rand_graph(0, 1), gs.InvalidValueError, "have 0 pairs only"),
        (lambda: gs.rand_graph(5, -1), gs.InvalidValueError, "num_edges is at least 0"),
        (lambda: gs.rand_graph(-1, 0), gs.InvalidValueError, "num_nodes is at least 0"),
        (lambda: gs.rand_graph(3.0, 1), gs.InvalidTypeError, "num_nodes is an int"),
        (lambda: gs.rand_graph(3, True), gs.InvalidTypeError, "num_edges is an int"),
        (lambda: gs.rand_graph(2**32, 1), gs.InvalidValueError, "do not fit 64 bits"),
        (lambda: gs.rand_graph(3, 1, torch.float32), gs.InvalidTypeError, "idtype is"),
        (
            lambda: gs.rand_bipartite("a", "r", "b", 2, 3, 7),
            gs.InvalidValueError,
            "rand_bipartite: 7 distinct edges",
        ),
        (
            lambda: gs.rand_bipartite("a", "r", "b", -2, 3, 0),
            gs.InvalidValueError,
            "num_src_nodes is at least 0",
        ),
        (
            lambda: gs.rand_bipartite("a", 3, "b", 2, 3, 1),
            gs.InvalidTypeError,
            "An edge type is",
        ),
    ],
)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()
