"""Slices by edge type: one shares with its graph, several become one relation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gossamer as gs
from helpers.compare import assert_graph_valid, assert_tensor_equal
from helpers.graphs import GraphCase, graph_cases

fn = gs.function


def hetero(idtype: torch.dtype = torch.int64) -> gs.Graph:
    g = gs.heterograph(
        {
            ("user", "follows", "user"): ([0, 1], [1, 2]),
            ("user", "likes", "item"): ([0, 3, 3], [1, 1, 0]),
            ("item", "likes", "item"): ([0], [1]),
        },
        idtype=idtype,
    )
    g.ndata["h"] = {"user": torch.arange(4.0), "item": torch.tensor([10.0, 20.0])}
    g.nodes["user"].data["only"] = torch.ones(4)
    g.edges["follows"].data["w"] = torch.tensor([1.0, 2.0])
    return g


@pytest.mark.parametrize("case", graph_cases())
def test_one_edge_type_is_a_window_on_the_graph(case: GraphCase) -> None:
    g = case()
    for etype in g.canonical_etypes:
        part = g[etype]
        assert_graph_valid(part)
        assert part.canonical_etypes == [etype]
        assert part.is_block == g.is_block
        assert part.num_src_nodes() == g.num_src_nodes(etype[0])
        assert part.num_dst_nodes() == g.num_dst_nodes(etype[2])
        for found, wanted in zip(part.edges(), g.edges(etype=etype), strict=True):
            assert_tensor_equal(found, wanted)
        part.edata["w"] = torch.ones(g.num_edges(etype))
        part.dstdata["h"] = torch.ones(g.num_dst_nodes(etype[2]))
        assert g.edges[etype].data["w"] is part.edata["w"]
        assert g.dstnodes[etype[2]].data["h"] is part.dstdata["h"]
        assert part.adjacency is g.relation(etype)


def test_layers_may_write_through_a_slice() -> None:
    g = hetero()
    g["user", "likes", "item"].update_all(fn.copy_u("h", "m"), fn.sum("m", "sum"))

    assert_tensor_equal(g.nodes["item"].data["sum"], torch.tensor([3.0, 3.0]))


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
def test_several_edge_types_are_laid_end_to_end(idtype: torch.dtype) -> None:
    g = hetero(idtype)
    merged = g[:, :, "item"]
    assert_graph_valid(merged)

    assert merged.canonical_etypes == [("item+user", "likes+likes", "item")]
    assert merged.num_src_nodes() == 6 and merged.num_dst_nodes() == 2
    assert merged.idtype == idtype
    # Items come first; relations in the order of canonical_etypes.
    assert [ids.tolist() for ids in merged.edges()] == [[0, 2, 5, 5], [1, 1, 1, 0]]
    assert merged.srcdata[gs.NTYPE].tolist() == [0, 0, 1, 1, 1, 1]
    assert merged.srcdata[gs.NID].tolist() == [0, 1, 0, 1, 2, 3]
    assert merged.edata[gs.ETYPE].tolist() == [0, 2, 2, 2]
    assert merged.edata[gs.EID].tolist() == [0, 0, 1, 2]
    assert_tensor_equal(merged.srcdata["h"], torch.tensor([10.0, 20, 0, 1, 2, 3]))
    assert "only" not in merged.srcdata, "not all source types have it"


def test_a_name_of_several_edge_types_merges_them() -> None:
    g = hetero()

    assert g["likes"].canonical_etypes == g[:, "likes", :].canonical_etypes
    assert g["likes"].num_edges() == 4
    assert g["follows"].canonical_etypes == [("user", "follows", "user")]


def test_merged_over_the_same_node_types_is_homogeneous() -> None:
    g = hetero()
    everything = g[:, :, :]

    assert everything.ntypes == ["item+user"] and everything.is_homogeneous
    assert everything.num_nodes() == 6 and everything.num_edges() == 6
    assert g[:].canonical_etypes == everything.canonical_etypes


def test_gradients_flow_through_a_merge() -> None:
    g = hetero()
    h = torch.randn(4, requires_grad=True)
    g.nodes["user"].data["h"] = h
    merged = g[:, :, "item"]
    cotangent = torch.randn(6)
    (merged.srcdata["h"] * cotangent).sum().backward()

    assert_tensor_equal(h.grad, cotangent[2:])


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        ("x", gs.UnknownKeyError, r"matches \(:, 'x', :\); there are \[\('item'"),
        (
            ("user", "x", "item"),
            gs.UnknownKeyError,
            r"type matches \('user', 'x', 'item'\)",
        ),
        ((slice(None), "x", slice(None)), gs.UnknownKeyError, r"matches \(:, 'x', :\)"),
        (("user", "likes"), gs.InvalidValueError, r"\(source, relation, destination\) with ':'"),
        ((slice(0, 1), "likes", "item"), gs.InvalidValueError, "only slice of types is ':'"),
        (3, gs.InvalidTypeError, "relation name or .* tuple, got 3"),
    ],
)
def test_wrong_slices(key, error, message) -> None:
    with pytest.raises(error, match=message):
        hetero()[key]


@pytest.mark.parametrize("mask", [[True, False, True], np.array([True, False, True])], ids=str)
def test_masks_need_not_be_tensors(mask: object) -> None:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))
    assert g.subgraph(mask).ndata[gs.NID].tolist() == [0, 2]
    with pytest.raises(gs.InvalidValueError, match="needs 3 values"):
        g.subgraph(mask[:2])


def test_a_graph_is_not_iterable() -> None:
    with pytest.raises(TypeError, match="'Graph' object is not iterable"):
        list(gs.graph(([0], [1])))
