"""The same seed walks the same way on a GPU and on the CPU."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
from gossamer import kernels
from gossamer.kernels.reference import coo_to_csr
from gossamer.kernels.reference.candidates import Relation
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import ID_TYPES
from helpers.triton_cases import fast

NODES, EDGES = 12, 60


def _relation(idtype: torch.dtype, weighted: bool) -> Relation:
    row, col = torch.randint(NODES, (2, EDGES))
    row[row == 5] = 1  # walks end at node 5
    csr = coo_to_csr(row, col, NODES, idtype)
    weights = torch.rand(EDGES) + 0.1
    candidates = kernels.candidates_of(*csr, None, weights) if weighted else None
    return Relation(*csr, torch.tensor([0]), 0, 0, candidates)


def _assert_same(actual, expected) -> None:
    for x, y in zip(actual, expected, strict=True):
        assert_tensor_equal(x, y)


@pytest.mark.parametrize("stops", [None, [0.1, 0.5, 0.0]])
@pytest.mark.parametrize("seeds", ID_TYPES, ids=str)
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
def test_walks(idtype, seeds, stops) -> None:
    relations = [_relation(idtype, False), _relation(idtype, True)]
    starts = torch.randint(NODES, (70,)).to(seeds)
    args = relations, [0, 1, 1], stops, starts, 2**63 + 77
    _assert_same(fast.random_walk(*args), kernels.random_walk(*args))


def test_walks_of_no_step_and_of_no_seed() -> None:
    relations, seeds = [_relation(torch.int32, False)], torch.tensor([3, 1])
    for args in ((relations, [], None, seeds, 1), (relations, [0], None, seeds[:0], 1)):
        _assert_same(fast.random_walk(*args), kernels.random_walk(*args))


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.25, 4.0), (1e5, 1e5)])
@pytest.mark.parametrize("weighted", [False, True])
def test_node2vec(p, q, weighted) -> None:
    relation = _relation(torch.int32, weighted)
    rows = relation.indices.split(relation.indptr.diff().tolist())
    in_order = torch.cat([row.sort().values for row in rows])
    args = relation, in_order, p, q, torch.randint(NODES, (20,)), 3, 99
    _assert_same(fast.node2vec(*args), kernels.node2vec(*args))
