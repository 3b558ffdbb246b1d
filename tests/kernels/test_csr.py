"""Native adjacency kernels against the reference."""

from __future__ import annotations

import pytest
import torch

from gossamer.kernels import reference
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import GRAPHS, ID_TYPES, adjacency, require_native

require_native()
from gossamer.kernels import cpu  # noqa: E402  (needs the extension)


def _assert_same(actual, expected) -> None:
    for name, mine, theirs in zip(("indptr", "indices", "eids"), actual, expected, strict=True):
        assert (mine is None) == (theirs is None), name
        if mine is not None:
            assert_tensor_equal(mine, theirs, name)


@pytest.mark.parametrize("order", ["sorted", "shuffled", "last_out_of_place"])
@pytest.mark.parametrize("result", ID_TYPES, ids=str)
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", [*GRAPHS, "hub"])
def test_coo_to_csr(graph, idtype, result, order) -> None:
    adj = adjacency(graph, idtype)
    row, col = adj.rows, adj.indices
    if order == "shuffled":
        row = row[adj.eids.long()]
    elif order == "last_out_of_place" and len(row):
        row = row.clone()
        row[-1] = 0
    actual = cpu.coo_to_csr(row, col, adj.num_rows + 2, result)
    _assert_same(actual, reference.coo_to_csr(row, col, adj.num_rows + 2, result))
    assert actual[1].data_ptr() != col.data_ptr() or not len(col)


def test_coo_to_csr_keeps_the_dtype_by_default() -> None:
    row = torch.tensor([1, 0], dtype=torch.int32)
    assert cpu.coo_to_csr(row, row, 2)[0].dtype is torch.int32


@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", [*GRAPHS, "hub"])
def test_transpose(graph, idtype, shuffled) -> None:
    adj = adjacency(graph, idtype, shuffled)
    args = (adj.indptr, adj.indices, adj.eids, adj.num_cols + 1)
    _assert_same(cpu.transpose(*args), reference.transpose(*args))


@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
def test_a_transposed_transpose_is_the_original(idtype) -> None:
    adj = adjacency("many_rows", idtype, shuffled=False)
    # Columns in order within each row, so that the stable sort has one answer.
    order = torch.argsort(adj.rows.long() * adj.num_cols + adj.indices.long(), stable=True)
    indices = adj.indices[order].contiguous()
    turned = cpu.transpose(adj.indptr, indices, None, adj.num_cols)
    assert turned[2] is not None
    _assert_same(cpu.transpose(*turned, adj.num_rows), (adj.indptr, indices, None))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("sort", [False, True], ids=["shuffled", "sorted"])
def test_many_edges_on_several_threads(threads, sort) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        row, col = torch.randint(1000, (2, 300_000))
        row = row.sort()[0] if sort else row
        actual = cpu.coo_to_csr(row, col, 1003, torch.int32)
        _assert_same(actual, reference.coo_to_csr(row, col, 1003, torch.int32))
        args = (*actual, 1000)
        _assert_same(cpu.transpose(*args), reference.transpose(*args))
    finally:
        torch.set_num_threads(before)


def _chosen_rows(adj, idtype: torch.dtype) -> torch.Tensor:
    """Rows in any order, some twice."""
    count = adj.num_rows
    generator = torch.Generator().manual_seed(count)
    return torch.randint(max(count, 1), (2 * count,), generator=generator).to(idtype)


def _places(adj, share: str, idtype: torch.dtype) -> torch.Tensor:
    places = torch.arange(adj.num_cols, dtype=idtype).flip(0)
    places[{"all": slice(0), "some": slice(None, None, 2), "none": slice(None)}[share]] = -1
    return places


@pytest.mark.parametrize("share", [None, "all", "some", "none"])
@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("result", ID_TYPES, ids=str)
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", [*GRAPHS, "hub"])
def test_walk(graph, idtype, result, shuffled, share) -> None:
    adj = adjacency(graph, idtype, shuffled)
    places = None if share is None else _places(adj, share, idtype)
    args = (adj.indptr, adj.indices, adj.eids, _chosen_rows(adj, result), places)
    _assert_same(cpu.gather_rows(*args), reference.gather_rows(*args))


def test_walk_says_whose_slots_there_are() -> None:
    indptr, indices = torch.tensor([0, 2, 2, 3]), torch.tensor([5, 6, 7])
    eids, rows = torch.tensor([9, 8, 4]), torch.tensor([2, 1, 0])
    places = torch.tensor([-1, -1, -1, -1, -1, 0, -1, 1])
    for kernels in (cpu, reference):
        owner, neighbour, edge = kernels.gather_rows(indptr, indices, eids, rows)
        assert (owner.tolist(), neighbour.tolist(), edge.tolist()) == (
            [0, 2, 2],
            [7, 5, 6],
            [4, 9, 8],
        )
        owner, place, edge = kernels.gather_rows(indptr, indices, eids, rows, places)
        assert (owner.tolist(), place.tolist(), edge.tolist()) == ([0, 2], [1, 0], [4, 9])


@pytest.mark.parametrize("result", ID_TYPES, ids=str)
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", [*GRAPHS, "hub"])
def test_neighbours(graph, idtype, result) -> None:
    adj = adjacency(graph, idtype)
    args = (adj.indptr, adj.indices, _chosen_rows(adj, result))
    assert_tensor_equal(cpu.gather_neighbors(*args), reference.gather_neighbors(*args))


@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize(
    ("count", "limit"), [(0, 0), (0, 5), (1, 1), (7, 3), (50, 1000), (9999, 9)]
)
def test_number(count, limit, idtype) -> None:
    generator = torch.Generator().manual_seed(count)
    ids = torch.randint(max(limit, 1), (count,), generator=generator).to(idtype)
    fresh, places = cpu.unique_relabel(ids, limit)
    for mine, theirs in zip((fresh, places), reference.unique_relabel(ids, limit), strict=True):
        assert_tensor_equal(mine, theirs)
    assert fresh.tolist() == list(dict.fromkeys(ids.tolist()))
    assert_tensor_equal(fresh[places.long()], ids)
