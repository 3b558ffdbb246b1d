"""The graph cases carry the labels that describe them, no more and no fewer."""

from __future__ import annotations

import pytest
import torch

from helpers.compare import assert_graph_equal, assert_graph_valid
from helpers.graphs import LABELS, GraphCase, graph_cases

STRUCTURES = {"homogeneous", "bipartite", "heterogeneous", "block", "heterogeneous_block"}


def _true_labels(g) -> set[str]:
    labels = {_structure(g)}
    if g.batch_size > 1:
        labels.add("batched")
    if g.num_nodes() == 0:
        labels.add("no_nodes")
    counts = [g.num_edges(etype) for etype in g.canonical_etypes]
    if not any(counts):
        labels.add("no_edges")
    elif not all(counts):
        labels.add("empty_relation")

    touched = {ntype: torch.zeros(g.num_nodes(ntype), dtype=torch.bool) for ntype in g.ntypes}
    for etype in g.canonical_etypes:
        src, dst = (ids.long() for ids in g.edges(order="eid", etype=etype))
        in_degrees = torch.bincount(dst, minlength=g.num_dst_nodes(etype[2]))
        if bool((in_degrees == 0).any()):
            labels.add("zero_in_degree")
        if bool((in_degrees > 200).any()):
            labels.add("hub")
        if len(set(zip(src.tolist(), dst.tolist(), strict=True))) < len(src):
            labels.add("duplicates")
        if etype[0] == etype[2] and bool((src == dst).any()):
            labels.add("self_loops")
        if bool((src.diff() < 0).any()) and bool((dst.diff() < 0).any()):
            labels.add("unsorted")
        if not g.is_block:
            touched[etype[0]][src] = True
            touched[etype[2]][dst] = True
    if not g.is_block and not all(bool(seen.all()) for seen in touched.values()):
        labels.add("isolated")
    return labels


def _structure(g) -> str:
    if g.is_block:
        return "block" if len(g.canonical_etypes) == 1 else "heterogeneous_block"
    if len(g.canonical_etypes) > 1:
        return "heterogeneous"
    return "homogeneous" if len(g.ntypes) == 1 else "bipartite"


@pytest.mark.parametrize("case", graph_cases())
def test_labels_are_true(case: GraphCase) -> None:
    assert _true_labels(case()) == case.labels


@pytest.mark.parametrize("case", graph_cases())
def test_cases_are_valid_and_the_same_each_time(case: GraphCase, device: torch.device) -> None:
    g = case(device)
    assert g.idtype == case.idtype
    assert g.device.type == device.type
    assert_graph_valid(g)
    assert_graph_equal(g, case(device))


def test_every_label_is_in_use() -> None:
    used = set().union(*(param.values[0].labels for param in graph_cases()))
    assert used == set(LABELS)


def test_selection() -> None:
    cases = [param.values[0] for param in graph_cases("homogeneous", exclude="zero_in_degree")]
    assert {case.idtype for case in cases} == {torch.int32, torch.int64}
    assert all("homogeneous" in case.labels for case in cases)
    assert not any("zero_in_degree" in case.labels for case in cases)
    assert "ring-int32" in {case.id for case in cases}
    assert "hub-int32" not in {case.id for case in cases}


def test_a_misspelt_label_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"unknown graph labels \['homogenous'\]"):
        graph_cases("homogenous")
    with pytest.raises(ValueError, match="no graph case"):
        graph_cases("hub", exclude=["homogeneous"])


def test_exactly_one_structure() -> None:
    for param in graph_cases():
        case = param.values[0]
        assert len(case.labels & STRUCTURES) == 1, case
