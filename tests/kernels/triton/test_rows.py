"""Slots chosen by a condition against the CPU, on the interpreter."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
from gossamer import kernels
from gossamer.kernels.reference.candidates import Relation
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import GRAPHS, ID_TYPES, adjacency
from helpers.triton_cases import fast


def _assert_same(actual, expected) -> None:
    for x, y in zip(actual, expected, strict=True):
        if torch.is_tensor(y):
            assert_tensor_equal(x, y)
        else:
            assert x == y


@pytest.mark.parametrize("with_places", [False, True])
@pytest.mark.parametrize("rows_dtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
def test_gathering(idtype, rows_dtype, with_places) -> None:
    adj = adjacency("duplicates", idtype)  # rows of 40 and 30: more than one block
    rows = torch.tensor([1, 0, 1], dtype=rows_dtype)
    places = torch.tensor([5, -1], dtype=idtype) if with_places else None
    for eids in (adj.eids, None):
        args = adj.indptr, adj.indices, eids, rows, places
        _assert_same(fast.gather_rows(*args), kernels.gather_rows(*args))
    args = adj.indptr, adj.indices, rows
    _assert_same([fast.gather_neighbors(*args)], [kernels.gather_neighbors(*args)])


@pytest.mark.parametrize("graph", ["isolated", "no_edges", "one_edge"])
def test_gathering_from_small_graphs(graph) -> None:
    adj = adjacency(graph, torch.int64)
    for rows in (torch.arange(adj.num_rows), torch.arange(0)):
        args = adj.indptr, adj.indices, adj.eids, rows
        _assert_same(fast.gather_rows(*args), kernels.gather_rows(*args))


def _weights(kind: str, count: int):
    unit = torch.rand(count, dtype=torch.float64)
    return {
        "none": None,
        "mask": (unit > 0.5).to(torch.uint8),
        "float": (unit * (unit > 0.3)).float(),
        "double": unit**20,
        "negative": unit - 0.2,
        "ones": torch.ones(count),
    }[kind]


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("weights", ["none", "mask", "float", "double", "negative", "ones"])
@pytest.mark.parametrize("graph", [name for name in GRAPHS if name != "many_rows"])
def test_candidates(graph, weights, local) -> None:
    idtype = ID_TYPES[local]
    adj = adjacency(graph, idtype, shuffled=weights != "ones")
    rows = torch.arange(adj.num_rows).flip(0) if local else None
    args = adj.indptr, adj.indices, adj.eids, rows, _weights(weights, adj.num_edges)
    # Also the sums: they are added in the order of the CPU.
    _assert_same(fast.candidates_of(*args), kernels.candidates_of(*args))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
def test_layer_neighbor_sampling_is_that_of_the_cpu(idtype, masked) -> None:
    adj = adjacency("random", idtype)
    rows = torch.tensor([5, 0, 5, 7, 11])
    csc = adj.indptr, adj.indices, adj.eids
    candidates = None
    if masked:
        mask = _weights("mask", adj.num_edges)
        candidates = kernels.candidates_of(*csc, None, mask)
    relations = [
        Relation(*csc, rows, fanout, key, candidates, excluded)
        for fanout, key in ((3, 12345), (-1, 1), (0, 2), (2, 2**64 - 5), (4, 2**63))
        for excluded in (None, torch.arange(0, adj.num_edges, 3))
    ]
    drawn = fast.sample_labors(rows, relations)
    for mine, theirs in zip(drawn, kernels.sample_labors(rows, relations), strict=True):
        _assert_same(mine, theirs)
    assert fast.sample_labors(rows, []) == []
