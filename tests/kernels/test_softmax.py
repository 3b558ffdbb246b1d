"""Native edge softmax against the reference."""

from __future__ import annotations

import pytest
import torch

from gossamer.kernels import reference
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import (
    DTYPES,
    GRAPHS,
    ID_TYPES,
    adjacency,
    assert_accurate,
    operand,
    require_native,
    truth_and_torch,
)

require_native()
from gossamer.kernels import cpu  # noqa: E402  (needs the extension)

COLUMNS = [(), (1,), (2,), (3,), (4,), (5,), (8,), (16,), (20,), (32,), (2, 4, 1), (0,)]


def _check(adj, columns, dtype, scale=3.0) -> None:
    logits = (operand(adj.num_edges, columns, torch.float64, seed=1) * scale).to(dtype)
    args = (adj.indptr, adj.eids, logits)
    truth, same = truth_and_torch("edge_softmax", *args)
    assert_accurate(cpu.edge_softmax(*args), truth, same, "out")

    args = (adj.indptr, adj.eids, same, operand(adj.num_edges, columns, dtype, seed=2))
    truth, same = truth_and_torch("edge_softmax_backward", *args)
    assert_accurate(cpu.edge_softmax_backward(*args), truth, same, "gradient")


@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("columns", COLUMNS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_and_number_of_columns(dtype, columns, shuffled) -> None:
    _check(adjacency("random", torch.int32, shuffled), columns, dtype)


@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", GRAPHS)
def test_every_graph(graph, idtype, shuffled) -> None:
    _check(adjacency(graph, idtype, shuffled), (3,), torch.float32)


@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_row_that_is_split_among_threads(dtype, shuffled) -> None:
    _check(adjacency("hub", torch.int32, shuffled), (4,), dtype)


@pytest.mark.parametrize("scale", [1e-6, 30.0, 100.0, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
def test_logits_of_any_size(shuffled, dtype, scale) -> None:
    _check(adjacency("random", torch.int32, shuffled), (4,), dtype, scale)


@pytest.mark.parametrize("graph", ["duplicates", "hub"])
@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
def test_infinities_and_nan(graph, shuffled) -> None:
    adj = adjacency(graph, torch.int32, shuffled)
    logits = operand(adj.num_edges, (5,), torch.float32)
    logits[:, 1] = -float("inf")  # nothing to share: NaN, as in torch.softmax
    logits[: adj.num_edges // 2, 2] = -float("inf")
    logits[3, 3] = float("nan")
    logits[3, 4] = float("inf")
    expected = reference.edge_softmax(adj.indptr, adj.eids, logits)
    out = cpu.edge_softmax(adj.indptr, adj.eids, logits)
    assert expected.isnan().any(0)[[0, 1, 3, 4]].tolist() == [False, True, True, True]
    assert_tensor_equal(out.isnan(), expected.isnan(), "where NaN is")
    torch.testing.assert_close(out, expected, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_exponentials_are_as_good_as_torchs(dtype) -> None:
    # Two edges per row, one of them 0: out = exp(x) / (1 + exp(x)) over the whole range.
    x = torch.linspace(-100, 0, 4001, dtype=dtype)
    logits = torch.stack([x, torch.zeros_like(x)], 1).view(-1)
    indptr = torch.arange(0, len(logits) + 1, 2, dtype=torch.int32)
    out = cpu.edge_softmax(indptr, None, logits).view(-1, 2)[:, 0].double()
    truth = torch.sigmoid(x.double())
    normal = truth > torch.finfo(dtype).tiny * 2
    relative = ((out - truth) / truth)[normal].abs()
    assert float(relative.max()) < 4 * torch.finfo(dtype).eps
