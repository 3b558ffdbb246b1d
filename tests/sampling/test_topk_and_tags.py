"""Edges by weight, neighbours by tag, and blocks drawn at once."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

import gossamer as gs
from gossamer.sampling import sample_neighbors_biased, sample_neighbors_fused, select_topk
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal
from helpers.generated import graphs, some_nodes

# --- top-k --------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    data=st.data(),
    k=st.integers(-1, 4),
    edge_dir=st.sampled_from(["in", "out"]),
    ascending=st.booleans(),
)
def test_the_edges_of_largest_weight(data, k: int, edge_dir: str, ascending: bool) -> None:
    g = data.draw(graphs())
    nodes = data.draw(some_nodes(g, unique=False))
    for etype in g.canonical_etypes:
        g.edges[etype].data["p"] = torch.randint(5, (g.num_edges(etype),)).float()
    sub = select_topk(g, k, "p", nodes, edge_dir, ascending)
    assert_graph_valid(sub)
    for etype in g.canonical_etypes:
        eids = sub.edges[etype].data[gs.EID].tolist()
        weight = g.edges[etype].data["p"].tolist()
        near = g.edges(etype=etype)[1 if edge_dir == "in" else 0].tolist()
        expected = []
        for node in nodes[etype[2] if edge_dir == "in" else etype[0]]:
            own = [e for e in range(len(near)) if near[e] == node]
            own.sort(key=lambda e: weight[e] if ascending else -weight[e])
            expected += own if k < 0 else own[:k]
        assert eids == expected


def test_all_nodes_and_a_number_for_each_type() -> None:
    g = gs.heterograph({("a", "r", "a"): ([0, 1, 2], [0, 0, 1]), ("a", "s", "a"): ([0], [1])})
    g.edges["r"].data["w"] = torch.tensor([[1.0], [2.0], [3.0]])
    sub = select_topk(g, {"r": 1, "s": 0}, "w")
    assert sub.edges["r"].data[gs.EID].tolist() == [1, 2]
    assert sub.num_edges("s") == 0
    bare = select_topk(g, {"r": 1, "s": 0}, "w", copy_edata=False)
    assert list(bare.edges["r"].data) == []


# --- tags ---------------------------------------------------------------------------------------


def tagged(edge_dir: str) -> gs.Graph:
    """Node 0 with neighbours of tags 0, 1 and 2: two, one and three of them."""
    far = torch.tensor([3, 1, 6, 2, 4, 5])
    tags = torch.tensor([0, 0, 0, 1, 2, 2, 2])
    near = torch.zeros_like(far)
    g = gs.graph((far, near) if edge_dir == "in" else (near, far))
    sort = gs.sort_csc_by_tag if edge_dir == "in" else gs.sort_csr_by_tag
    return sort(g, tags)


@pytest.mark.parametrize("edge_dir", ["in", "out"])
@pytest.mark.parametrize("replace", [False, True])
def test_neighbors_come_by_tag(edge_dir: str, replace: bool) -> None:
    g = tagged(edge_dir)
    bias = torch.tensor([1.0, 4.0, 0.5])
    nodes = [0] * 20_000
    sub = sample_neighbors_biased(g, nodes, 1, bias, edge_dir, replace=replace)
    far = sub.edges()[0 if edge_dir == "in" else 1]
    counts = torch.bincount(far, minlength=7)[1:]
    share = torch.tensor([1.0, 1.0, 4.0, 0.5, 0.5, 0.5], dtype=torch.float64)
    assert chisquare(counts, share / share.sum() * 20_000).pvalue > 1e-4
    ends = g.find_edges(sub.edata[gs.EID])
    for mine, theirs in zip(sub.edges(), ends, strict=True):
        assert_tensor_equal(mine, theirs)
    few = sample_neighbors_biased(g, [0], 9, [0.0, 1.0, 1.0], edge_dir, replace=replace)
    found = set(few.edges()[0 if edge_dir == "in" else 1].tolist())
    assert found <= {3, 4, 5, 6}
    assert few.num_edges() == (9 if replace else 4)
    assert sample_neighbors_biased(g, [1], 2, bias, edge_dir).num_edges() == 0


# --- at once ------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(data=st.data())
def test_a_block_at_once_is_a_block_of_the_subgraph(data) -> None:
    g = data.draw(graphs())
    nodes = data.draw(some_nodes(g, unique=True))
    nodes = {t: torch.tensor(nodes.get(t, []), dtype=g.idtype) for t in g.ntypes}
    frontier = gs.in_subgraph(g, nodes)
    expected = gs.to_block(frontier, nodes)
    for etype in g.canonical_etypes:
        expected.edges[etype].data[gs.EID] = frontier.edges[etype].data[gs.EID]
    assert_graph_equal(sample_neighbors_fused(g, nodes, -1), expected)


def test_features_of_a_block_at_once() -> None:
    g = gs.graph(([1, 2], [0, 0]))
    g.ndata["x"], g.edata["y"] = torch.arange(3), torch.arange(2)
    block = sample_neighbors_fused(g, [0], -1, mapping={})
    assert sorted(block.srcdata) == [gs.NID, "x"]
    bare = sample_neighbors_fused(g, [0], -1, copy_ndata=False, copy_edata=False)
    assert list(bare.srcdata) == [gs.NID]
    assert list(bare.edata) == [gs.EID]
    out = sample_neighbors_fused(g, [1, 2], 1, "out", exclude_edges=[0])
    assert out.edata[gs.EID].tolist() == [1]


BAD = [
    (lambda g: select_topk(g, 1, "no"), gs.UnknownKeyError, "have no feature 'no'"),
    (lambda g: select_topk(g, 1, g.edata["w"]), gs.InvalidTypeError, "name of an edge feature"),
    (lambda g: select_topk(g, 1, "wide"), gs.InvalidValueError, "one number for an edge"),
    (lambda g: select_topk(g, -2, "w"), gs.InvalidValueError, "at least -1"),
    (lambda g: select_topk(g, 1, "w", [99]), gs.OutOfRangeError, "Id 99"),
    (lambda g: select_topk(g, 1, "w", edge_dir="up"), gs.InvalidValueError, "'in' or 'out'"),
    (lambda g: select_topk(gs.to_block(g), 1, "w"), gs.InvalidValueError, "not take a block"),
    (
        lambda g: sample_neighbors_biased(g, [0], 1, [1.0]),
        gs.UnknownKeyError,
        "sort_csc_by_tag",
    ),
    (
        lambda g: sample_neighbors_biased(tagged("in"), [0], 1, [1.0]),
        gs.InvalidValueError,
        "each of the 3 tags",
    ),
    (
        lambda g: sample_neighbors_biased(tagged("in"), [0], 1, [1.0, -1.0, 1.0]),
        gs.InvalidValueError,
        "finite and not negative",
    ),
    (
        lambda g: sample_neighbors_biased(tagged("in"), [0], 1, [1.0] * 3, "up"),
        gs.InvalidValueError,
        "'in' or 'out'",
    ),
    (lambda g: sample_neighbors_fused(g, [0], 1, "up"), gs.InvalidValueError, "'in' or 'out'"),
    (lambda g: sample_neighbors_fused(g, [99], 1), gs.OutOfRangeError, "Id 99"),
]


@pytest.mark.parametrize(("call", "error", "text"), BAD)
def test_wrong_arguments(call, error: type, text: str) -> None:
    g = gs.graph(([0, 1], [1, 0]))
    g.edata["w"], g.edata["wide"] = torch.ones(2), torch.ones(2, 3)
    with pytest.raises(error, match=text):
        call(g)
