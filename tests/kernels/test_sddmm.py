"""Native SDDMM against the reference."""

from __future__ import annotations

import pytest
import torch

from helpers.kernel_cases import (
    DTYPES,
    GRAPHS,
    ID_TYPES,
    SHAPES,
    adjacency,
    assert_accurate,
    operand,
    require_native,
    truth_and_torch,
)

require_native()
from gossamer.kernels import cpu  # noqa: E402  (needs the extension)

OPS = ["copy_lhs", "copy_rhs", "add", "sub", "mul", "div", "dot"]
DOT_SHAPES = {
    "one_head": ((64,), (64,)),
    "heads": ((8, 16), (8, 16)),
    "odd": ((3, 5), (3, 5)),
    "many_heads": ((19, 8), (19, 8)),
    "two_vectors": ((9, 32), (9, 32)),
    "four_vectors": ((2, 64), (2, 64)),
    "long": ((300,), (300,)),
    "shared_right": ((8, 16), (1, 16)),
    "shared_left": ((1, 16), (8, 16)),
    "repeated_right": ((4, 7), (4, 1)),
    "repeated_left": ((4, 1), (4, 20)),
    "nothing_to_sum": ((4, 0), (4, 0)),
}


def _check(adj, dtype, left, right, op, lhs_target="u", rhs_target="v") -> None:
    rows = {"u": adj.num_cols, "v": adj.num_rows, "e": adj.num_edges}
    lhs = None if op == "copy_rhs" else operand(rows[lhs_target], left, dtype, seed=1)
    rhs = None if op == "copy_lhs" else operand(rows[rhs_target], right, dtype, seed=2)
    args = (adj.indices, adj.rows, adj.eids, lhs, rhs, op, lhs_target, rhs_target)
    truth, same = truth_and_torch("sddmm", *args)
    assert_accurate(cpu.sddmm(*args), truth, same, "out")


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_operator_and_broadcast(dtype, op, shapes) -> None:
    _check(adjacency("random", torch.int32), dtype, *SHAPES[shapes], op)


@pytest.mark.parametrize("shapes", DOT_SHAPES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dot_products(dtype, shapes) -> None:
    _check(adjacency("random", torch.int32), dtype, *DOT_SHAPES[shapes], "dot")


@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("op", ["copy_lhs", "sub", "dot"])
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", GRAPHS)
def test_every_graph(graph, idtype, op, shuffled) -> None:
    _check(adjacency(graph, idtype, shuffled), torch.float32, (2, 3), (2, 3), op)


@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("rhs_target", ["u", "v", "e"])
@pytest.mark.parametrize("lhs_target", ["u", "v", "e"])
@pytest.mark.parametrize("op", OPS)
def test_every_pair_of_targets(op, lhs_target, rhs_target, shuffled) -> None:
    adj = adjacency("random", torch.int64, shuffled)
    _check(adj, torch.float32, (2, 5), (2, 5), op, lhs_target, rhs_target)
