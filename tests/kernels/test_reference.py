"""The reference kernels against plain loops in Python."""

from __future__ import annotations

import math
import operator

import pytest
import torch

from gossamer.kernels import reference
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import ID_TYPES, adjacency, operand

FUNCTIONS = {
    "copy_lhs": lambda x, y: x,
    "copy_rhs": lambda x, y: y,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
}


def _slots(adj, row: int) -> range:
    return range(int(adj.indptr[row]), int(adj.indptr[row + 1]))


def _edge(adj, slot: int) -> int:
    return slot if adj.eids is None else int(adj.eids[slot])


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min"])
@pytest.mark.parametrize("op", FUNCTIONS)
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", ["random", "isolated", "no_edges"])
def test_spmm(graph, idtype, op, reduce) -> None:
    adj = adjacency(graph, idtype)
    u = operand(adj.num_cols, (2, 1), torch.float64, seed=1)
    e = operand(adj.num_edges, (2, 1), torch.float64, seed=2)
    out, arg = reference.spmm(adj.indptr, adj.indices, adj.eids, u, e, op, reduce)
    for row in range(adj.num_rows):
        for head in range(2):
            messages = {
                k: float(FUNCTIONS[op](u[int(adj.indices[k]), head, 0], e[_edge(adj, k), head, 0]))
                for k in _slots(adj, row)
            }
            actual = float(out[row, head, 0])
            if not messages:
                assert actual == 0
                assert arg is None or int(arg[row, head, 0]) == -1
            elif arg is None:
                size = len(messages) if reduce == "mean" else 1
                assert math.isclose(actual, math.fsum(messages.values()) / size, abs_tol=1e-12)
            else:
                best = {"max": max, "min": min}[reduce](messages.values())
                assert actual == best
                assert int(arg[row, head, 0]) == next(k for k, m in messages.items() if m == best)


@pytest.mark.parametrize("op", FUNCTIONS)
def test_gradient_through_the_winners_is_autograds(op) -> None:
    adj = adjacency("random", torch.int64)
    u = operand(adj.num_cols, (3, 4), torch.float64, seed=1).requires_grad_()
    e = operand(adj.num_edges, (3, 1), torch.float64, seed=2).requires_grad_()
    message = FUNCTIONS[op](u[adj.indices], e[adj.eids].expand(-1, 3, 4))
    out, arg = reference.spmm(
        adj.indptr,
        adj.indices,
        adj.eids,
        None if op == "copy_rhs" else u.detach(),
        e.detach().expand(-1, 3, 4).contiguous() if op == "copy_rhs" else e.detach(),
        op,
        "max",
    )
    expected = message.gather(0, arg)
    assert_tensor_equal(out, expected.detach())
    grad = operand(*out.shape[:1], out.shape[1:], torch.float64, seed=3)
    wanted = torch.autograd.grad(expected, (u, e), grad, allow_unused=True)
    actual = reference.spmm_arg_backward(
        adj.indices, adj.eids, arg, grad, u.detach(), e.detach(), op, len(u), len(e), True, True
    )
    for mine, theirs in zip(actual, wanted, strict=True):
        if theirs is not None:
            torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("op", [*FUNCTIONS, "dot"])
def test_sddmm(op, shuffled) -> None:
    adj = adjacency("random", torch.int64, shuffled)
    u = operand(adj.num_cols, (3,), torch.float64, seed=1)
    v = operand(adj.num_rows, (3,), torch.float64, seed=2)
    lhs = None if op == "copy_rhs" else u
    rhs = None if op == "copy_lhs" else v
    out = reference.sddmm(adj.indices, adj.rows, adj.eids, lhs, rhs, op, "u", "v")
    for slot, (source, row) in enumerate(zip(adj.indices, adj.rows, strict=True)):
        if op == "dot":
            expected = (u[source] * v[row]).sum(0, keepdim=True)
        else:
            expected = FUNCTIONS[op](u[source], v[row])
        torch.testing.assert_close(out[_edge(adj, slot)], expected, rtol=0, atol=1e-15)


def test_a_copy_of_an_edge_operand_is_a_new_tensor() -> None:
    ids = torch.tensor([0, 1])
    e = torch.randn(2, 3)
    out = reference.sddmm(ids, ids, None, e, None, "copy_lhs", "e", "e")
    assert out.data_ptr() != e.data_ptr()
    assert_tensor_equal(out, e)


@pytest.mark.parametrize("graph", ["random", "isolated", "no_edges"])
def test_edge_softmax_and_its_gradient(graph) -> None:
    adj = adjacency(graph, torch.int64)
    logits = operand(adj.num_edges, (3,), torch.float64, seed=1).requires_grad_()
    expected = torch.zeros_like(logits)
    for row in range(adj.num_rows):
        edges = adj.eids[adj.indptr[row] : adj.indptr[row + 1]]
        expected = expected.index_copy(0, edges, logits[edges].softmax(0))
    out = reference.edge_softmax(adj.indptr, adj.eids, logits.detach())
    torch.testing.assert_close(out, expected.detach())
    grad = operand(adj.num_edges, (3,), torch.float64, seed=2)
    actual = reference.edge_softmax_backward(adj.indptr, adj.eids, out, grad)
    torch.testing.assert_close(actual, torch.autograd.grad(expected, logits, grad)[0])


def test_adjacency_by_hand() -> None:
    row, col = torch.tensor([2, 0, 2, 0, 1]), torch.tensor([1, 3, 0, 3, 1])
    indptr, indices, eids = reference.coo_to_csr(row, col, 4, torch.int32)
    assert indptr.tolist() == [0, 2, 3, 5, 5]
    assert indices.tolist() == [3, 3, 1, 1, 0]
    assert eids.tolist() == [1, 3, 4, 0, 2]
    assert {x.dtype for x in (indptr, indices, eids)} == {torch.int32}
    indptr_t, indices_t, eids_t = reference.transpose(indptr, indices, eids, 4)
    assert indptr_t.tolist() == [0, 1, 3, 3, 5]
    assert indices_t.tolist() == [2, 1, 2, 0, 0]
    assert eids_t.tolist() == [2, 4, 0, 1, 3]


def test_rows_that_are_sorted_need_no_edge_ids() -> None:
    row, col = torch.tensor([0, 0, 2]), torch.tensor([5, 4, 3])
    indptr, indices, eids = reference.coo_to_csr(row, col, 3)
    assert indptr.tolist() == [0, 2, 2, 3]
    assert indices.tolist() == [5, 4, 3]
    assert eids is None
