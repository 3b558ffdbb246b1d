"""Triton's attention against the reference, on the interpreter."""

from __future__ import annotations

from importlib import import_module

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
from gossamer.kernels import reference
from gossamer.kernels.triton import _common
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import (
    DTYPES,
    GRAPHS,
    ID_TYPES,
    Adjacency,
    adjacency,
    assert_accurate_differences,
    attention_edges,
    attention_operands,
    operand,
    truth_and_torch,
)
from helpers.triton_cases import fast

MODULE = import_module("gossamer.kernels.triton.attention")
SCORES = ["add", "dot", "add_dot"]
SEED = 2**63 + 12345
EDGES = ("key", "value")
GRADIENTS = ("value", "key", "query", "weight", "bias", "edge_key", "edge_value")


def _forward(adj: Adjacency, score, sizes, dtype, dropout=0.0, bias=True, edges=""):
    rows = adj.indptr, adj.indices, adj.eids
    operands = attention_operands(adj, score, sizes, dtype, bias)
    found = attention_edges(adj, score, sizes, dtype)
    given = [x if name in edges else None for name, x in zip(EDGES, found, strict=True)]
    return *rows, *operands, SEED, score, 0.2, dropout, *given


def _backward(adj: Adjacency, forward: tuple) -> tuple:
    rows = forward[:3]
    out, norms = reference.attention(*forward)
    grad = operand(*out.shape[:1], out.shape[1:], out.dtype, seed=7)
    by_src = reference.transpose(*rows, adj.num_cols)
    return rows, by_src, *forward[3:-2], out, norms, grad, *forward[-2:]


def _check(adj: Adjacency, *case, **options) -> None:
    forward = _forward(adj, *case, **options)
    truth, same = truth_and_torch("attention", *forward)
    for what, *values in zip(("out", "norms"), fast.attention(*forward), truth, same, strict=True):
        assert_accurate_differences(*values, what)
    args = _backward(adj, forward)
    truth, same = truth_and_torch("attention_backward", *args)
    actual = fast.attention_backward(*args)
    for what, *values in zip(GRADIENTS, actual, truth, same, strict=True):
        if values[1] is None:
            assert values[0] is None
        else:
            assert_accurate_differences(*values, f"gradient of {what}")


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_score(dtype, score) -> None:
    _check(adjacency("isolated", torch.int32), score, (2, 5, 3), dtype)


@pytest.mark.parametrize("score", SCORES)
def test_dropout(score) -> None:
    _check(adjacency("isolated", torch.int64), score, (2, 4, 8), torch.float32, dropout=0.4)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_operands_of_edges(dtype, score) -> None:
    adj = adjacency("isolated", torch.int64)
    _check(adj, score, (2, 5, 3), dtype, dropout=0.4, edges="key and value")


@pytest.mark.parametrize(
    ("score", "edges"), [("dot", "key"), ("dot", "value"), ("add_dot", "key"), ("add_dot", "value")]
)
def test_one_operand_of_edges(score, edges) -> None:
    adj = adjacency("duplicates", torch.int32, shuffled=False)
    _check(adj, score, (3, 3, 4), torch.float32, bias=False, edges=edges)


@pytest.mark.parametrize("dropout", [0.5, 1.0])
def test_dropout_drops_the_same_edges(dropout) -> None:
    # With these values the result is the sum of the kept shares, head by head.
    adj = adjacency("duplicates", torch.int64)
    forward = list(_forward(adj, "add", (3, 1, 1), torch.float64, dropout, bias=False))
    forward[3] = torch.ones_like(forward[3])
    expected, _ = reference.attention(*forward)
    out, _ = fast.attention(*forward)
    torch.testing.assert_close(out, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("edges", ["", "key and value"])
@pytest.mark.parametrize("score", ["add", "add_dot"])
@pytest.mark.parametrize("graph", [name for name in GRAPHS if name != "many_rows"])
def test_every_graph(graph, score, edges) -> None:
    idtype = ID_TYPES[(score == "add") != (edges != "")]
    adj = adjacency(graph, idtype, shuffled=score == "add")
    _check(adj, score, (1, 3, 2), torch.float64, bias=score == "add", edges=edges)


@pytest.mark.parametrize("score", ["dot", "add_dot"])
def test_a_hub_in_both_passes(score) -> None:
    indptr, indices = torch.tensor([0, 500, 501, 501]), torch.zeros(501, dtype=torch.int64)
    indices[::7] = 1
    adj = Adjacency(indptr, indices, torch.randperm(501), 2)
    _check(adj, score, (1, 3, 4), torch.float32, edges="key and value")


def test_wide_heads_take_few_edges_at_once() -> None:
    _check(adjacency("one_edge", torch.int64), "dot", (1, 1000, 70), torch.float32)


def test_heads_that_are_too_wide_run_on_the_reference(monkeypatch) -> None:
    monkeypatch.setattr(MODULE, "MAX_FEATURES", 4)
    adj = adjacency("isolated", torch.int64)
    forward = _forward(adj, "dot", (2, 3, 5), torch.float32, edges="key and value")
    for actual, expected in zip(
        fast.attention(*forward), reference.attention(*forward), strict=True
    ):
        assert_tensor_equal(actual, expected)
    args = _backward(adj, forward)
    for actual, expected in zip(
        fast.attention_backward(*args), reference.attention_backward(*args), strict=True
    ):
        assert (actual is expected is None) or assert_tensor_equal(actual, expected) is None


def test_the_result_does_not_depend_on_the_grid(monkeypatch) -> None:
    adj = adjacency("duplicates", torch.int32)
    forward = _forward(adj, "add_dot", (2, 4, 4), torch.float32, 0.3, edges="key and value")
    args = _backward(adj, forward)
    before = (*fast.attention(*forward), *fast.attention_backward(*args))
    monkeypatch.setattr(_common, "MAX_PROGRAMS", 3)
    after = (*fast.attention(*forward), *fast.attention_backward(*args))
    for actual, expected in zip(after, before, strict=True):
        assert_tensor_equal(actual, expected)


def test_operands_need_not_be_contiguous() -> None:
    adj = adjacency("isolated", torch.int64)
    forward = list(_forward(adj, "dot", (4, 3, 5), torch.float64, edges="key and value"))
    forward[3] = operand(adj.num_cols, (3, 4), torch.float64).transpose(1, 2)
    forward[4] = operand(adj.num_cols, (4, 10), torch.float64)[:, :, ::2]
    forward[-2] = operand(adj.num_edges, (4, 10), torch.float64)[:, :, ::2]
    forward[-1] = operand(adj.num_edges, (3, 4), torch.float64).transpose(1, 2)
    expected, _ = reference.attention(*forward)
    torch.testing.assert_close(fast.attention(*forward)[0], expected, rtol=1e-12, atol=1e-12)
