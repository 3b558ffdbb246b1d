"""Triton's edge softmax against the reference, on the interpreter."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import (
    DTYPES,
    GRAPHS,
    ID_TYPES,
    adjacency,
    assert_accurate,
    operand,
    truth_and_torch,
)
from helpers.triton_cases import fast


def _check(adj, shape, dtype) -> None:
    x = operand(adj.num_edges, shape, dtype, seed=1) * 8
    truth, same = truth_and_torch("edge_softmax", adj.indptr, adj.eids, x)
    assert_accurate(fast.edge_softmax(adj.indptr, adj.eids, x), truth, same, "out")
    args = (adj.indptr, adj.eids, same, operand(adj.num_edges, shape, dtype, seed=2))
    truth, same = truth_and_torch("edge_softmax_backward", *args)
    assert_accurate(fast.edge_softmax_backward(*args), truth, same, "gradient")


@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (70,), (0,)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_shape(dtype, shape) -> None:
    _check(adjacency("isolated", torch.int32), shape, dtype)


@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", [name for name in GRAPHS if name != "many_rows"])
def test_every_graph(graph, idtype) -> None:
    _check(adjacency(graph, idtype, shuffled=idtype is torch.int64), (4,), torch.float32)


def test_more_slots_than_lanes() -> None:
    adj = adjacency("duplicates", torch.int64)
    assert adj.num_edges > 2 * 32
    _check(adj, (2,), torch.float64)


def test_large_logits_and_infinities_match_the_reference() -> None:
    inf = float("inf")
    logits = torch.tensor(
        [[1e4, -inf, -inf], [-1e4, -inf, 0.0], [1e4, -inf, -inf], [3.0, 1.0, inf]]
    )
    indptr = torch.tensor([0, 3, 4])
    (_, same) = truth_and_torch("edge_softmax", indptr, None, logits)
    assert_tensor_equal(fast.edge_softmax(indptr, None, logits), same)
