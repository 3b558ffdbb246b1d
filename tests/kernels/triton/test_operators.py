"""Operators, layers and samplers on a pretended GPU: Triton's kernels, devices, and waits.

Features, ids and results say that they are on another device. An operand that is left on the CPU
raises, and a call that makes the CPU wait for the device is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
import gossamer as gs
from gossamer import nn, ops
from gossamer.kernels import use
from gossamer.sampling import _core
from gossamer.sampling._labor import labor_layer
from helpers.compare import random_cotangent_grads
from helpers.pretended import Pretended, counted_waits
from helpers.triton_cases import pretended_gpu
from ops import oracle
from ops.test_device import CASES


@pytest.fixture
def gpu() -> Iterator[torch.device]:
    with pretended_gpu() as device:
        yield device


@pytest.mark.parametrize("name", CASES)
def test_operators_and_gradients(name, gpu) -> None:
    function = CASES[name]
    g = oracle.awkward(torch.int64)
    u, e = oracle.operand(g, "u", (2, 3)), oracle.operand(g, "e", (2, 3))

    def run(device):
        gs.seed(1)
        outputs, grads = random_cotangent_grads(
            lambda u, e: function(g.to(device), u, e, lambda ids: torch.tensor(ids, device=device)),
            [u.to(device), e.to(device)],
        )
        return *outputs, *grads

    with use("reference"):
        wanted = run("cpu")
    for x, y in zip(run(gpu), wanted, strict=True):
        if y is None:
            assert x is None
            continue
        assert x.device.type == gpu.type
        torch.testing.assert_close(x.cpu(), y, rtol=1e-11, atol=1e-11)


HOT = {
    "copy_u_sum": lambda g, u, e, i: ops.copy_u_sum(g, u),
    "u_mul_e_mean": lambda g, u, e, i: ops.u_mul_e_mean(g, u, e),
    "u_add_e_max": lambda g, u, e, i: ops.u_add_e_max(g, u, e),
    "u_dot_v": lambda g, u, e, i: ops.u_dot_v(g, u, u),
    **{
        name: CASES[name]
        for name in (
            *("edge_softmax", "attention-add", "attention-add_dot", "segment_max", "segment_mm"),
            *("attention-edges-dot", "attention-edges-add_dot", "gather_mm", "scaled_sum"),
        )
    },
}


def _twice(function: Callable, g, operands: list, device) -> list[str]:
    """Run forward and backward twice; return the waits of the second time."""
    counts = []
    for _ in range(2):
        gs.seed(1)
        with counted_waits() as seen:
            out = function(g, *operands, lambda ids: torch.tensor(ids, device=device))
            out.backward(torch.ones_like(out))
        counts.append(seen)
    return counts[-1]


@pytest.mark.parametrize("name", HOT)
def test_operators_do_not_wait_once_the_structure_is_built(name, gpu) -> None:
    g = oracle.awkward().to(gpu)
    operands = [
        oracle.operand(g.cpu(), target, (2, 3)).to(gpu).requires_grad_() for target in ("u", "e")
    ]
    assert not _twice(HOT[name], g, operands, gpu)


@pytest.mark.parametrize("score", ["dot", "add_dot"])
def test_attention_with_operands_of_edges_is_one_operator(score, gpu, monkeypatch) -> None:
    monkeypatch.setattr("gossamer.ops.attention.unfused", None)
    u, e = (torch.ones(3, 2, 4).to(gpu).requires_grad_() for _ in range(2))
    g = gs.graph(([0, 1, 2], [1, 2, 0])).to(gpu)
    CASES[f"attention-edges-{score}"](g, u, e, None).sum().backward()
    assert u.grad.shape == e.grad.shape == u.shape


LAYERS = {
    "GraphConv": lambda: nn.GraphConv(3, 4),
    "SAGEConv": lambda: nn.SAGEConv(3, 4, "mean"),
    "SAGEConv-pool": lambda: nn.SAGEConv(3, 4, "pool"),
    "GATConv": lambda: nn.GATConv(3, 4, 2),
    "GATv2Conv": lambda: nn.GATv2Conv(3, 4, 2),
    "GINConv": lambda: nn.GINConv(torch.nn.Linear(3, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_do_not_wait_once_the_structure_is_built(name, gpu) -> None:
    layer = LAYERS[name]().to(gpu)
    g = gs.add_self_loop(gs.graph(([0, 1, 2, 2, 0], [1, 2, 0, 1, 2]))).to(gpu)
    x = torch.rand(3, 3).to(gpu).requires_grad_()
    assert not _twice(lambda g, x, i: layer(g, x), g, [x], gpu)


def _csc(device) -> list[torch.Tensor]:
    indptr, indices = torch.tensor([0, 5, 7, 7]), torch.tensor([0, 1, 2, 1, 0, 2, 2])
    return [indptr.to(device), indices.to(device), None]


def test_a_layer_of_neighbors_waits_once_for_all_relations(gpu) -> None:
    rows, csc = torch.tensor([0, 2, 1]).to(gpu), _csc(gpu)
    for fanout in (2, -1):
        relations = [_core.relation(csc, rows, fanout, key=key) for key in (1, 2, 3)]
        for draw in (_core.layer, labor_layer):
            with counted_waits() as seen:
                drawn = draw(relations)
            assert seen == ["tolist"]
            cpu = [_core.relation(_csc("cpu"), rows.cpu(), fanout, key=k) for k in (1, 2, 3)]
            for mine, theirs in zip(drawn, draw(cpu), strict=True):
                for x, y in zip(mine, theirs, strict=True):
                    assert x.device.type == gpu.type
                    assert x.tolist() == y.tolist()
    with counted_waits() as seen:
        _core.number_nodes([[rows, rows], [rows]], [3, 3])
    assert seen == ["tolist"]


def test_samplers_wait_for_the_check_of_ids_and_for_the_size(gpu) -> None:
    g = gs.graph(([0, 1, 2, 2, 0], [1, 2, 0, 1, 2])).to(gpu)
    g.create_formats_()
    seeds = torch.tensor([0, 1]).to(gpu)
    for sample in (gs.sampling.sample_neighbors, gs.sampling.sample_labors):
        with counted_waits() as seen:
            sample(g, seeds, 1)
        assert seen == ["tolist", "tolist"]
    with counted_waits() as seen:
        gs.in_subgraph(g, seeds)
    assert seen == ["tolist", "aten._local_scalar_dense.default"]


def test_walks_do_not_wait(gpu) -> None:
    relations = [_core.relation(_csc(gpu), torch.tensor([0]).to(gpu), 0, key=0)]
    seeds = torch.tensor([0, 1]).to(gpu)
    with counted_waits() as seen:
        _core.random_walk(relations, [0, 0], seeds, key=3)
    assert not seen


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64], ids=str)
def test_structures_are_built_on_the_device_with_short_indices(gpu, idtype) -> None:
    src, dst = (torch.tensor(ids, dtype=idtype).to(gpu) for ids in ([2, 0, 1], [1, 1, 0]))
    g = gs.graph((src, dst))
    with counted_waits() as seen:
        parts = *g.adjacency.csc(), *g.adjacency.csr()
    assert not seen
    moved = gs.graph(([2, 0, 1], [1, 1, 0]), idtype=idtype)
    moved.create_formats_()
    for part in (*parts, *moved.to(gpu).adjacency.csc(), *moved.to(gpu).adjacency.csr()):
        assert part is None or (part.dtype is torch.int32 and isinstance(part, Pretended))
    assert g.adjacency.idtype is idtype


@pytest.mark.parametrize(
    "call",
    [
        lambda g, x, e: ops.u_mul_e_sum(g, x, e.cpu()),
        lambda g, x, e: ops.copy_u_sum(g, x.cpu()),
        lambda g, x, e: ops.edge_softmax(g, e.cpu()),
        lambda g, x, e: ops.graph_attention(g, x[:, None], x[:, None].cpu(), x[:, None]),
        lambda g, x, e: ops.segment_reduce(torch.tensor([3]), x),
        lambda g, x, e: ops.segment_mm(x, x[None].cpu(), torch.tensor([3])),
        lambda g, x, e: ops.gather_mm(x, x[None], idx_b=torch.tensor([0, 0, 0])),
        lambda g, x, e: ops.scaled_sum(g, x, x[:, 0].cpu()),
        lambda g, x, e: g.ndata.update({"x": x.cpu()}),
    ],
)
def test_operands_on_two_devices_are_named(gpu, call) -> None:
    g = gs.graph(([0, 1, 2], [1, 2, 0])).to(gpu)
    with pytest.raises(gs.GossamerError, match=r"on (cpu|meta).* on (cpu|meta)"):
        call(g, torch.ones(3, 3).to(gpu), torch.ones(3, 1).to(gpu))
