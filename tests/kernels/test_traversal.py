"""Native searches against the reference."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gossamer.kernels import reference
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import ID_TYPES, require_native

require_native()
from gossamer.kernels import cpu  # noqa: E402  (needs the extension)

# Number of nodes, and of edges between random ones.
SIZES = {"one_node": (1, 0), "loops": (1, 3), "no_edges": (4, 0), "sparse": (60, 50)}
SIZES |= {"dense": (20, 300), "many": (2000, 9000)}


def _graph(name: str, idtype: torch.dtype, acyclic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    nodes, edges = SIZES[name]
    generator = torch.Generator().manual_seed(edges)
    row, col = torch.randint(nodes, (2, edges), generator=generator)
    if acyclic:
        row, col = torch.minimum(row, col), torch.maximum(row, col)
        row, col = row[row < col], col[row < col]
        order = torch.randperm(nodes, generator=generator)
        row, col = order[row], order[col]
    indptr, indices, _ = reference.coo_to_csr(row, col, nodes, idtype)
    eids = torch.randperm(len(indices), generator=generator).to(idtype)
    return indptr, indices, eids


def _assert_same(actual: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> None:
    for mine, theirs in zip(actual, expected, strict=True):
        assert_tensor_equal(mine, theirs)
        # Room for the most that could have been found is not kept.
        assert mine.untyped_storage().nbytes() == mine.numel() * mine.itemsize


@pytest.mark.parametrize("with_ids", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("result", ID_TYPES, ids=str)
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("sources", [[], [0], [0, 0], [3, 1, 0]], ids=str)
def test_breadth_first(name, idtype, result, with_ids, sources) -> None:
    indptr, indices, eids = _graph(name, idtype)
    starts = torch.tensor(sources, dtype=result) % (len(indptr) - 1)
    args = (indptr, indices, eids if with_ids else None, starts)
    _assert_same(cpu.breadth_first(*args), reference.breadth_first(*args))


def test_breadth_first_by_hand() -> None:
    indptr, indices = torch.tensor([0, 2, 4, 5, 5]), torch.tensor([1, 2, 3, 0, 3])
    nodes, edges, sizes = cpu.breadth_first(indptr, indices, None, torch.tensor([0]))
    assert (nodes.tolist(), edges.tolist(), sizes.tolist()) == ([0, 1, 2, 3], [0, 1, 2], [1, 2, 1])


@pytest.mark.parametrize("acyclic", [True, False])
@pytest.mark.parametrize("result", ID_TYPES, ids=str)
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("name", SIZES)
def test_topological(name, idtype, result, acyclic) -> None:
    indptr, indices, _ = _graph(name, idtype, acyclic)
    in_degrees = torch.bincount(indices, minlength=len(indptr) - 1).to(result)
    before = in_degrees.clone()
    nodes, sizes = cpu.topological(indptr, indices, in_degrees)
    for mine, theirs in zip(
        (nodes, sizes), reference.topological(indptr, indices, in_degrees), strict=True
    ):
        assert_tensor_equal(mine, theirs)
    assert_tensor_equal(in_degrees, before)
    assert len(nodes) == int(sizes.sum())
    assert len(nodes) == len(indptr) - 1 or not acyclic


def test_topological_order_of_nothing() -> None:
    nodes, sizes = cpu.topological(
        torch.tensor([0]), torch.tensor([]).long(), torch.empty(0).long()
    )
    assert (nodes.tolist(), sizes.tolist()) == ([], [])


@pytest.mark.parametrize("has_nontree", [False, True])
@pytest.mark.parametrize("has_reverse", [False, True])
@pytest.mark.parametrize("with_ids", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("name", SIZES)
def test_depth_first(name, idtype, with_ids, has_reverse, has_nontree) -> None:
    indptr, indices, eids = _graph(name, idtype)
    for source in {0, (len(indptr) - 1) // 2}:
        args = (indptr, indices, eids if with_ids else None, source, has_reverse, has_nontree)
        _assert_same(cpu.depth_first(*args), reference.depth_first(*args))
