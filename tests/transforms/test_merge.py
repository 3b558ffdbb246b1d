"""Merging keeps every edge, and the last value of each node."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gossamer as gs
from helpers.compare import assert_graph_valid
from helpers.generated import graphs


@given(several=st.lists(graphs(), min_size=1, max_size=3))
def test_edges_lie_end_to_end_and_later_nodes_overwrite(several):
    merged = gs.merge(several)
    assert_graph_valid(merged)
    assert merged.idtype == several[0].idtype
    assert merged.ntypes == sorted({t for g in several for t in g.ntypes})
    assert merged.canonical_etypes == sorted({e for g in several for e in g.canonical_etypes})
    for ntype in merged.ntypes:
        parts = [g for g in several if ntype in g.ntypes]
        count = max(g.num_nodes(ntype) for g in parts)
        wanted = [0.0] * count
        for i, g in enumerate(parts):
            g.nodes[ntype].data["y"] = torch.arange(g.num_nodes(ntype)) + 100.0 * i
            wanted[: g.num_nodes(ntype)] = g.nodes[ntype].data["y"].tolist()
        assert merged.num_nodes(ntype) == count
        assert gs.merge(several).nodes[ntype].data["y"].tolist() == wanted
    for etype in merged.canonical_etypes:
        parts = [g for g in several if etype in g.canonical_etypes]
        for end in (0, 1):
            wanted = [i for g in parts for i in g.edges(etype=etype)[end].tolist()]
            assert merged.edges(etype=etype)[end].tolist() == wanted
        wanted = [x for g in parts for x in g.edges[etype].data["x"].tolist()]
        assert merged.edges[etype].data["x"].tolist() == wanted


def test_the_graphs_stay_as_they_were():
    g, h = gs.graph(([0], [1])), gs.graph(([2], [0]))
    g.ndata["x"], h.ndata["x"] = torch.tensor([1, 2]), torch.tensor([7, 8, 9])
    gs.merge([g, h])
    assert g.num_nodes() == 2 and g.num_edges() == 1
    assert g.ndata["x"].tolist() == [1, 2] and h.ndata["x"].tolist() == [7, 8, 9]


def test_what_has_no_value_comes_from_the_initializer():
    g, h = gs.graph(([0], [1])), gs.graph(([2], [0]))
    g.ndata["x"], g.edata["w"] = torch.tensor([1.0, 2.0]), torch.tensor([5.0])
    g.set_n_initializer(lambda shape, dtype, ctx, ids: torch.full(shape, 7.0, dtype=dtype))
    merged = gs.merge([g, h])
    assert merged.ndata["x"].tolist() == [1, 2, 7]
    assert merged.edata["w"].tolist() == [5, 0]


@pytest.mark.parametrize(
    ("graphs", "error", "text"),
    [
        ([], gs.InvalidValueError, "at least one graph"),
        (gs.graph(([0], [1])), gs.InvalidTypeError, "takes a list of graphs, got Graph"),
        (None, gs.InvalidTypeError, "takes a list of graphs, got NoneType"),
        ([gs.graph(([0], [1])), 3], gs.InvalidTypeError, "takes a graph, got int"),
        ([gs.create_block(([0], [0]))], gs.InvalidValueError, "does not take a block"),
    ],
)
def test_wrong_arguments(graphs, error, text):
    with pytest.raises(error, match=text):
        gs.merge(graphs)


@pytest.mark.parametrize("part", ["ndata", "edata"])
def test_features_that_do_not_fit(part):
    g, h = gs.graph(([0, 1], [1, 0])), gs.graph(([0, 1], [1, 0]))
    getattr(g, part)["x"], getattr(h, part)["x"] = torch.zeros(2, 3), torch.zeros(2)
    with pytest.raises(gs.InvalidValueError, match=r"merge: feature 'x' of .* \(3,\)"):
        gs.merge([g, h])
