"""Operators and their gradients elsewhere than on the CPU: ``--device``, or a pretended device."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import gossamer
from gossamer import ops
from gossamer.kernels import use
from helpers.compare import random_cotangent_grads
from ops import oracle

# Functions of a graph, features of its 7 nodes and of its 9 edges; `i` moves ids.
CASES: dict[str, Callable] = {
    **{
        f"{op}-{reducer}": (
            lambda g, u, e, i, op=op, r=reducer: ops.gspmm(
                g, op, r, None if op == "copy_rhs" else u, None if op == "copy_lhs" else e
            )
        )
        for op in ("copy_lhs", "copy_rhs", "add", "sub", "mul", "div")
        for reducer in ("sum", "mean", "max", "min")
    },
    **{
        f"{op}-{lhs}-{rhs}": (
            lambda g, u, e, i, op=op, lhs=lhs, rhs=rhs: ops.gsddmm(
                g, op, e if lhs == "e" else u, e if rhs == "e" else u + 1, lhs, rhs
            )
        )
        for op in ("add", "sub", "mul", "div", "dot")
        for lhs, rhs in ("uv", "ue", "ev")
    },
    "edge_softmax": lambda g, u, e, i: ops.edge_softmax(g, e),
    "edge_softmax-src": lambda g, u, e, i: ops.edge_softmax(g, e, norm_by="src"),
    "edge_softmax-eids": lambda g, u, e, i: ops.edge_softmax(g, e[:4], eids=i([0, 2, 4, 1])),
    **{
        f"segment_{reducer}": (lambda g, u, e, i, r=reducer: ops.segment_reduce(i([3, 0, 4]), u, r))
        for reducer in ("sum", "mean", "max", "min")
    },
    "segment_mm": lambda g, u, e, i: ops.segment_mm(u[:, 0], e[:2].mT, i([3, 4])),
    "gather_mm": lambda g, u, e, i: ops.gather_mm(
        u[:, 0], e[:2].mT, idx_b=i([1, 0, 0, 1, 1, 0, 1])
    ),
    "scaled_sum": lambda g, u, e, i: ops.scaled_sum(g, u, u[:, 0, 0].detach(), u[:, 1, 0].detach()),
    "attention-add": lambda g, u, e, i: ops.graph_attention(
        g, u, u[..., 0], u[..., 1], "add", bias=e[..., 0], dropout=0.5
    ),
    "attention-dot": lambda g, u, e, i: ops.graph_attention(g, u, u + 1, u, "dot", dropout=0.5),
    "attention-add_dot": lambda g, u, e, i: ops.graph_attention(
        g, u, u + 1, u, "add_dot", weight=e[0]
    ),
    **{
        f"attention-edges-{score}": lambda g, u, e, i, score=score: ops.graph_attention(
            *(g, u, u + 1, u, score),
            weight=u[0] if score == "add_dot" else None,
            edge_key=e,
            edge_value=e * 2,
            dropout=0.5,
        )
        for score in ("dot", "add_dot")
    },
}


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_same_values_and_gradients(name, idtype, accelerator) -> None:
    function = CASES[name]
    g = oracle.awkward(idtype)
    u, e = oracle.operand(g, "u", (2, 3)), oracle.operand(g, "e", (2, 3))

    def run(device):
        gossamer.seed(1)
        outputs, grads = random_cotangent_grads(
            lambda u, e: function(
                g.to(device), u, e, lambda ids: torch.tensor(ids, dtype=idtype, device=device)
            ),
            [u.to(device), e.to(device)],
        )
        return *outputs, *grads

    with use("reference"):
        wanted = run("cpu")
    for x, y in zip(run(accelerator), wanted, strict=True):
        if y is None:
            assert x is None
            continue
        assert x.device.type == accelerator.type
        torch.testing.assert_close(x.cpu(), y, rtol=1e-12, atol=1e-12)


def test_a_feature_left_on_the_cpu_is_named(accelerator) -> None:
    g = oracle.awkward().to(accelerator)
    with pytest.raises(gossamer.GossamerError, match=r"is on cpu"):
        ops.copy_u_sum(g, torch.ones(7, 1))
