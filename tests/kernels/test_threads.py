"""The number of threads changes nothing, and the threads are torch's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import adjacency, attention_operands, operand, require_native

require_native()
from gossamer.kernels import cpu  # noqa: E402  (needs the extension)


@pytest.fixture(autouse=True)
def _restore_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _spmm(reduce: str, shape: tuple[int, ...]):
    adj = adjacency("hub", torch.int32)
    u = operand(adj.num_cols, shape, torch.float32, seed=1)
    e = operand(adj.num_edges, (*shape[:-1], 1), torch.float32, seed=2)
    return cpu.spmm(adj.indptr, adj.indices, adj.eids, u, e, "mul", reduce)


def _spmm_arg_backward():
    adj = adjacency("many_rows", torch.int32)
    u = operand(adj.num_cols, (48,), torch.float32, seed=1)
    e = operand(adj.num_edges, (48,), torch.float32, seed=2)
    out, arg = cpu.spmm(adj.indptr, adj.indices, adj.eids, u, e, "mul", "max")
    sizes = (adj.num_cols, adj.num_edges)
    return cpu.spmm_arg_backward(adj.indices, adj.eids, arg, out, u, e, "mul", *sizes, True, True)


def _sddmm():
    adj = adjacency("hub", torch.int32)
    u = operand(adj.num_cols, (2, 9), torch.float32, seed=1)
    v = operand(adj.num_rows, (2, 9), torch.float32, seed=2)
    return (cpu.sddmm(adj.indices, adj.rows, adj.eids, u, v, "dot", "u", "v"),)


def _softmax():
    adj = adjacency("hub", torch.int32)
    x = operand(adj.num_edges, (3,), torch.float32, seed=1)
    out = cpu.edge_softmax(adj.indptr, adj.eids, x)
    return out, cpu.edge_softmax_backward(adj.indptr, adj.eids, out, x)


def _attention(score: str):
    adj = adjacency("hub", torch.int32)
    rows = adj.indptr, adj.indices, adj.eids
    columns = cpu.transpose(*rows, adj.num_cols)
    operands = attention_operands(adj, score, (2, 5, 9), torch.float32)
    options = 1, score, 0.2, 0.5
    out, norms = cpu.attention(*rows, *operands, *options)
    return out, *cpu.attention_backward(rows, columns, *operands, *options, out, norms, out)


def _gather_rows():
    adj = adjacency("hub", torch.int64)
    rows = torch.arange(adj.num_rows).flip(0)
    places = torch.arange(adj.num_cols) % 7 - 3
    return cpu.gather_rows(adj.indptr, adj.indices, adj.eids, rows, places)


def _scaled_sum():
    adj = adjacency("hub", torch.int32)
    x = operand(adj.num_cols, (20,), torch.float32, seed=1)
    scales = [operand(count, (), torch.float32, seed=2) for count in (adj.num_cols, adj.num_rows)]
    own = operand(1, (), torch.float32, seed=3)
    return (cpu.scaled_sum(adj.indptr, adj.indices, x, *scales, own),)


def _coo_to_csr():
    adj = adjacency("hub", torch.int64)
    return cpu.coo_to_csr(adj.indices, adj.rows, adj.num_cols)


def _transpose():
    adj = adjacency("hub", torch.int32)
    return cpu.transpose(adj.indptr, adj.indices, adj.eids, adj.num_cols)


def _neighbours():
    adj = adjacency("hub", torch.int32)
    rows = torch.arange(adj.num_rows, dtype=torch.int32).repeat(50)
    return (cpu.gather_neighbors(adj.indptr, adj.indices, rows),)


def _smallest():
    return (cpu.topk(operand(500, (200,), torch.float32), 9),)


WORK = {
    "sum": lambda: _spmm("sum", (64,)),
    "sum_per_head": lambda: _spmm("sum", (4, 5)),
    "mean": lambda: _spmm("mean", (3,)),
    "scaled_sum": _scaled_sum,
    "max": lambda: _spmm("max", (20,)),
    "arg_backward": _spmm_arg_backward,
    "sddmm": _sddmm,
    "softmax": _softmax,
    "coo_to_csr": _coo_to_csr,
    "transpose": _transpose,
    "gather_rows": _gather_rows,
    "gather_neighbors": _neighbours,
    "topk": _smallest,
    "attention_add": lambda: _attention("add"),
    "attention_dot": lambda: _attention("dot"),
    "attention_add_dot": lambda: _attention("add_dot"),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_the_number_of_threads_changes_no_bit(work) -> None:
    torch.set_num_threads(1)
    alone = work()
    for threads in (2, 3, 8):
        torch.set_num_threads(threads)
        for _ in range(3):
            for one, many in zip(alone, work(), strict=True):
                if one is not None:
                    assert_tensor_equal(many, one, f"with {threads} threads")


_ONE_RUNTIME = """
import torch
from gossamer import kernels
torch.set_num_threads(2)
indptr = torch.arange(0, 100_001, 10, dtype=torch.int32)
indices = torch.zeros(100_000, dtype=torch.int32)
kernels.spmm(indptr, indices, None, torch.ones(1, 64), None, "copy_lhs", "sum")
names = {line.split()[-1].rpartition("/")[2] for line in open("/proc/self/maps") if "/" in line}
runtimes = sorted(n for n in names if n.startswith(("libgomp", "libomp", "libiomp")))
print(kernels.info()["threading"], runtimes)
print(len(list(__import__("pathlib").Path("/proc/self/task").iterdir())))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/maps")
def test_parallel_loops_run_on_the_one_runtime_that_torch_loaded() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _ONE_RUNTIME], capture_output=True, text=True, check=True
    )
    threading, runtimes = run.stdout.splitlines()[0].split(maxsplit=1)
    assert threading == "OpenMP"
    assert len(runtimes.split(",")) == 1, runtimes
