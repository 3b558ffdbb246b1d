"""Compaction, exclusion, features and small functions, with what DGL 2.1.0 gives."""

from __future__ import annotations

import pytest
import torch

import gossamer.graphbolt as gb
from gossamer import InvalidValueError, OutOfRangeError, UnknownKeyError

T = torch.tensor


def test_compaction_by_type() -> None:
    unique, places = gb.unique_and_compact({"u": [T([5, 3, 5]), T([7, 3])]})
    assert unique["u"].tolist() == [5, 3, 7]
    assert [p.tolist() for p in places["u"]] == [[0, 1, 0], [2, 1]]
    csc = {"u:f:v": gb.CSCFormatBase(T([0, 2, 3]), T([5, 6, 7]))}
    unique, compacted = gb.unique_and_compact_csc_formats(csc, {"v": T([6, 8])})
    assert {t: ids.tolist() for t, ids in unique.items()} == {"v": [6, 8], "u": [5, 6, 7]}
    assert compacted["u:f:v"].indices.tolist() == [0, 1, 2]


def test_a_row_for_each_edge() -> None:
    csc = {"u:f:u": gb.CSCFormatBase(T([0, 2, 3]), T([5, 6, 6]))}
    rows, compacted, times = gb.compact_csc_format(csc, {"u": T([6, 8])}, {"u": T([1, 2])})
    assert rows["u"].tolist() == [6, 8, 5, 6, 6]
    assert compacted["u:f:u"].indices.tolist() == [2, 3, 4]
    assert times["u"].tolist() == [1, 2, 1, 1, 2]


def test_exclusion_by_type() -> None:
    subgraph = gb.SampledSubgraphImpl(
        {"A:B:C": gb.CSCFormatBase(T([0, 1, 2, 3]), T([0, 1, 2]))},
        {"C": T([10, 11, 12])},
        {"A": T([13, 14, 15])},
        {"A:B:C": T([19, 20, 21])},
    )
    kept = subgraph.exclude_edges({"A:B:C": T([[14, 11], [15, 12]])})
    assert kept.sampled_csc["A:B:C"].indptr.tolist() == [0, 1, 1, 1]
    assert kept.original_edge_ids["A:B:C"].tolist() == [19]


def test_huge_ids_are_compared_exactly() -> None:
    big = 2**61
    subgraph = gb.SampledSubgraphImpl(
        gb.CSCFormatBase(T([0, 2]), T([0, 1])), T([big]), T([big + 1, big + 2])
    )
    kept = subgraph.exclude_edges(T([[big + 2, big]]))
    assert kept.sampled_csc.indices.tolist() == [0]


def test_reverse_edges_join_known_ones() -> None:
    edges = {"u:f:v": T([[0, 1]]), "v:b:u": T([[5, 6]])}
    both = gb.add_reverse_edges(edges, {"u:f:v": "v:b:u"})
    assert both["v:b:u"].tolist() == [[5, 6], [1, 0]]
    assert edges["v:b:u"].tolist() == [[5, 6]]


def test_features() -> None:
    feature = gb.TorchBasedFeature(torch.arange(10.0).view(5, 2), {"unit": "m"})
    store = gb.BasicFeatureStore({("node", "u", "a"): feature})
    assert store.read("node", "u", "a", T([3, 1])).tolist() == [[6, 7], [2, 3]]
    store.update("node", "u", "a", torch.zeros(1, 2), T([3]))
    assert store.read("node", "u", "a")[3].tolist() == [0, 0]
    assert store.size("node", "u", "a") == (2,)
    assert store.count("node", "u", "a") == 5
    assert store.metadata("node", "u", "a") == {"unit": "m"}
    assert store.keys() == [("node", "u", "a")]
    with pytest.raises(UnknownKeyError, match="no feature"):
        store.read("node", "u", "b")
    with pytest.raises(OutOfRangeError, match="of a feature, which has 5 rows"):
        feature.read(T([5]))
    with pytest.raises(InvalidValueError, match="at least two dimensions"):
        gb.TorchBasedFeature(torch.arange(3))
    with pytest.raises(InvalidValueError, match=r"shape \(2,\), got \(3,\)"):
        feature.update(torch.zeros(5, 3))


@pytest.mark.parametrize("etype", ["a:b", "a", ("a", "b", "c")])
def test_names_of_edge_types(etype) -> None:
    with pytest.raises(InvalidValueError, match="An edge type is a string"):
        gb.etype_str_to_tuple(etype)


def test_columns() -> None:
    indptr = T([0, 2, 2, 3])
    assert gb.expand_indptr(indptr, node_ids=T([7, 8, 9])).tolist() == [7, 7, 9]
    assert gb.indptr_edge_ids(indptr).tolist() == [0, 1, 0]
    with pytest.raises(InvalidValueError, match="give dtype or node_ids"):
        gb.expand_indptr(indptr)


def test_reverse_edges_of_tuples() -> None:
    u, v = gb.add_reverse_edges((T([0]), T([1])))
    assert (u.tolist(), v.tolist()) == ([0, 1], [1, 0])
    both = gb.add_reverse_edges({"u:f:v": (T([0]), T([1]))}, {"u:f:v": "v:b:u"})
    assert [ids.tolist() for ids in both["v:b:u"]] == [[1], [0]]
