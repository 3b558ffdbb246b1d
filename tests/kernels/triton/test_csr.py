"""Compressed adjacencies and numbering of the GPU backend against the reference."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
from gossamer.kernels import reference
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import GRAPHS, ID_TYPES, adjacency
from helpers.triton_cases import fast


def _with_ids(indptr, indices, eids):
    """On a GPU edge ids are returned even if they are 0, 1, 2, ..."""
    if eids is None:
        eids = torch.arange(len(indices), dtype=indices.dtype)
    return indptr, indices, eids


def _assert_same(actual, expected) -> None:
    for x, y in zip(actual, _with_ids(*expected), strict=True):
        assert_tensor_equal(x, y)


@pytest.mark.parametrize("dtype", [None, *ID_TYPES], ids=str)
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", GRAPHS)
def test_building_and_transposing(graph, idtype, dtype) -> None:
    adj = adjacency(graph, idtype)
    edges = adj.indices, adj.rows, adj.num_cols, dtype
    _assert_same(fast.coo_to_csr(*edges), reference.coo_to_csr(*edges))
    edges = adj.rows, adj.indices, adj.num_rows, dtype
    _assert_same(fast.coo_to_csr(*edges), reference.coo_to_csr(*edges))
    for eids in (adj.eids, None):
        rows = adj.indptr, adj.indices, eids, adj.num_cols
        _assert_same(fast.transpose(*rows), reference.transpose(*rows))


@pytest.mark.parametrize("count", [0, 1, 7, 200])
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
def test_unique_relabel(idtype, count) -> None:
    ids = torch.randint(30, (count,), dtype=idtype)
    for x, y in zip(fast.unique_relabel(ids, 30), reference.unique_relabel(ids, 30), strict=True):
        assert_tensor_equal(x, y)


@pytest.mark.parametrize("places", ID_TYPES, ids=str)
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
def test_numbering_of_several_types(idtype, places) -> None:
    lists = [
        [torch.randint(40, (count,), dtype=idtype) for count in counts]
        for counts in ((20, 100), (0, 4, 60), (0,), (5, 0))
    ]
    args = lists[0][0], lists, [40] * 4, places
    nodes, numbers, first = fast.number_nodes(*args)
    expected = reference.number_nodes(*args)
    assert first == expected[2]
    for x, y in zip([nodes, *numbers], [expected[0], *expected[1]], strict=True):
        for mine, theirs in zip(x, y, strict=True):
            assert_tensor_equal(mine, theirs)
