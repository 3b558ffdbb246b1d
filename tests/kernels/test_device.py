"""The reference kernels on another device than the CPU: ``--device``, or a pretended one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._pytree import tree_flatten, tree_map

from gossamer.kernels import reference
from gossamer.kernels.reference.candidates import Relation
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import ID_TYPES, adjacency, attention_operands, operand

# Results in another order of summation are not equal, but close.
TOLERANCE = {"rtol": 1e-12, "atol": 1e-12}


def _spmm_arg_backward(adj: Any, u: Any, e: Any) -> tuple:
    rows = adj.indptr, adj.indices, adj.eids
    out, arg = reference.spmm(*rows, u, e, "mul", "max")
    sizes = adj.num_cols, adj.num_edges
    return adj.indices, adj.eids, arg, out, u, e, "div", *sizes, True, True


def _attention(adj: Any, u: Any, e: Any, score: str) -> tuple:
    rows = adj.indptr, adj.indices, adj.eids
    operands = attention_operands(adj, score, (2, 3, 5), torch.float64)
    return *rows, *operands, 11, score, 0.2, 0.5


def _attention_backward(adj: Any, u: Any, e: Any, score: str) -> tuple:
    rows, rest = (adj.indptr, adj.indices, adj.eids), _attention(adj, u, e, score)[3:]
    out, norms = reference.attention(*rows, *rest)
    return rows, reference.transpose(*rows, adj.num_cols), *rest, out, norms, out + 1


def _acyclic(adj: Any) -> tuple:
    """Every node to some of those after it."""
    indptr = torch.tensor([0, 2, 3, 3, 4], dtype=adj.indptr.dtype)
    return indptr, torch.tensor([1, 3, 3, 2], dtype=adj.indptr.dtype)


def _matrix(adj: Any, u: Any) -> tuple:
    return *_acyclic(adj), u.flatten()[: len(_acyclic(adj)[1])]


def _relation(adj: Any, fanout: int, weights: Any = None) -> Relation:
    """Rows to draw for; with weights, slots of a positive one."""
    rows = torch.tensor([3, 0, 3], dtype=adj.indptr.dtype)
    candidates = None
    if weights is not None:
        mask = (weights[:, 0, 0] > 0).to(torch.uint8)
        candidates = reference.candidates_of(adj.indptr, adj.indices, adj.eids, None, mask)
    return Relation(adj.indptr, adj.indices, adj.eids, rows, fanout, 7, candidates)


def _square(adj: Any) -> Relation:
    """Rows and neighbours are the same nodes."""
    return Relation(*_acyclic(adj), None, torch.tensor([0]), 0, 0)


# What each kernel is called with.
CALLS: dict[str, tuple[str, Callable[..., tuple]]] = {
    **{
        f"spmm-{op}-{reduce}": (
            "spmm",
            lambda adj, u, e, op=op, reduce=reduce: (
                *(adj.indptr, adj.indices, adj.eids),
                *(None if op == "copy_rhs" else u, None if op == "copy_lhs" else e, op, reduce),
            ),
        )
        for op in ("copy_lhs", "copy_rhs", "mul")
        for reduce in ("sum", "mean", "max", "min")
    },
    "spmm_arg_backward": ("spmm_arg_backward", _spmm_arg_backward),
    "scaled_sum": (
        "scaled_sum",
        lambda adj, u, e: (adj.indptr, adj.indices, u, u[:, 0, 0], e[: adj.num_rows, 0, 0]),
    ),
    **{
        f"sddmm-{op}": (
            "sddmm",
            lambda adj, u, e, op=op: (adj.indices, adj.rows, adj.eids, u, e, op, "u", "e"),
        )
        for op in ("add", "dot")
    },
    "edge_softmax": ("edge_softmax", lambda adj, u, e: (adj.indptr, adj.eids, e)),
    "edge_softmax_backward": (
        "edge_softmax_backward",
        lambda adj, u, e: (adj.indptr, adj.eids, e, 1 - e),
    ),
    **{
        f"{name}-{score}": (name, lambda adj, u, e, f=function, s=score: f(adj, u, e, s))
        for name, function in (
            ("attention", _attention),
            ("attention_backward", _attention_backward),
        )
        for score in ("add", "dot", "add_dot")
    },
    "coo_to_csr": ("coo_to_csr", lambda adj, u, e: (adj.indices, adj.rows, adj.num_cols)),
    "coo_to_csr-sorted": ("coo_to_csr", lambda adj, u, e: (adj.rows, adj.indices, adj.num_rows)),
    "transpose": (
        "transpose",
        lambda adj, u, e: (adj.indptr, adj.indices, adj.eids, adj.num_cols),
    ),
    "gather_rows": (
        "gather_rows",
        lambda adj, u, e: (
            *(adj.indptr, adj.indices, adj.eids),
            torch.tensor([3, 0, 3], dtype=adj.indptr.dtype),
            torch.arange(adj.num_cols, dtype=adj.indptr.dtype) - 2,
        ),
    ),
    "gather_neighbors": (
        "gather_neighbors",
        lambda adj, u, e: (adj.indptr, adj.indices, torch.tensor([5, 1], dtype=adj.indptr.dtype)),
    ),
    "unique_relabel": ("unique_relabel", lambda adj, u, e: (adj.indices, adj.num_cols)),
    "segment_mm": ("segment_mm", lambda adj, u, e: (u[:, 0], u[:2].mT, torch.tensor([6, 4]))),
    "segment_outer": (
        "segment_outer",
        lambda adj, u, e: (u[:, 0], u[:, 1], torch.tensor([6, 4])),
    ),
    "topk": ("topk", lambda adj, u, e: (u[:, :, 0], 2)),
    "breadth_first": ("breadth_first", lambda adj, u, e: (*_acyclic(adj), None, torch.tensor([0]))),
    "topological": ("topological", lambda adj, u, e: (*_acyclic(adj), torch.tensor([0, 1, 1, 2]))),
    "depth_first": ("depth_first", lambda adj, u, e: (*_acyclic(adj), None, 0, True, True)),
    **{
        name: (name, lambda adj, u, e: (*_matrix(adj, u), *_matrix(adj, u), 4))
        for name in ("csr_product", "csr_sum")
    },
    "csr_match": ("csr_match", lambda adj, u, e: (*_acyclic(adj), *_acyclic(adj), 4)),
    **{
        f"masked_product-{by_inner}": (
            "masked_product",
            lambda adj, u, e, by_inner=by_inner: (
                *((*_acyclic(adj), None),) * 3,
                *(u.flatten()[: len(_acyclic(adj)[1])],) * 2,
                4,
                4,
                by_inner,
            ),
        )
        for by_inner in (True, False)
    },
}

CALLS |= {
    "candidates_of": (
        "candidates_of",
        lambda adj, u, e: (
            *(adj.indptr, adj.indices, adj.eids, torch.tensor([3, 0, 3])),
            (e[:, 0, 0] > 0).to(torch.uint8),
        ),
    ),
    **{
        f"{name}-{fanout}": (
            name,
            lambda adj, u, e, fanout=fanout, rest=rest: (
                adj.indptr[:0],
                [_relation(adj, fanout), _relation(adj, fanout, e)],
                *rest,
            ),
        )
        for name, rest in (("sample_neighbors", (False,)), ("sample_labors", ()))
        for fanout in (-1, 2)
    },
    "labor_chances": (
        "labor_chances",
        lambda adj, u, e: (
            *(adj.indptr.long(), adj.indices.int(), e.flatten(1)[:, 0].abs() + 0.1),
            *(adj.num_cols, 2, 1),
        ),
    ),
    "number_nodes": (
        "number_nodes",
        lambda adj, u, e: (
            *(adj.indices[:0], [[adj.indices, adj.rows], [adj.rows]]),
            *([adj.num_cols, adj.num_cols], torch.int32),
        ),
    ),
    "random_walk": (
        "random_walk",
        lambda adj, u, e: ([_square(adj)], [0, 0, 0], [0.0, 0.5, 0.1], torch.tensor([0, 1]), 5),
    ),
    "node2vec": (
        "node2vec",
        lambda adj, u, e: (_square(adj), _acyclic(adj)[1], 1e3, 1e3, torch.tensor([0, 0]), 3, 5),
    ),
}


def test_every_kernel_has_a_call() -> None:
    on_the_cpu = {"read_rows"}  # files are read into memory
    assert {name for name, _ in CALLS.values()} == set(reference.__all__) - on_the_cpu


@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("call", CALLS)
def test_same_result_and_nothing_left_on_the_cpu(call, idtype, accelerator) -> None:
    name, make = CALLS[call]
    adj = adjacency("random", idtype)
    u = operand(adj.num_cols, (3, 4), torch.float64, seed=1)
    e = operand(adj.num_edges, (3, 4), torch.float64, seed=2)
    arguments = make(adj, u, e)
    kernel = getattr(reference, name)
    wanted, shape = tree_flatten(kernel(*arguments))
    moved = tree_map(lambda x: x.to(accelerator) if torch.is_tensor(x) else x, arguments)
    found, found_shape = tree_flatten(kernel(*moved))
    assert found_shape == shape
    for position, (x, y) in enumerate(zip(found, wanted, strict=True)):
        if not torch.is_tensor(y):
            assert x is y, position
            continue
        # Traversals give the sizes of their levels, for Python to read.
        sizes = name in ("breadth_first", "topological") and position == len(wanted) - 1
        assert x.device.type == ("cpu" if sizes else accelerator.type), position
        if y.is_floating_point():
            assert x.dtype == y.dtype
            torch.testing.assert_close(x.cpu(), y, **TOLERANCE)
        else:
            assert_tensor_equal(x.cpu(), y, f"output {position}")


def test_a_tensor_left_on_the_cpu_is_noticed(accelerator) -> None:
    adj = adjacency("random", torch.int64)
    e = operand(adj.num_edges, (3,), torch.float32).to(accelerator)
    with pytest.raises(RuntimeError, match="device"):
        reference.edge_softmax(adj.indptr.to(accelerator), adj.eids, e)
