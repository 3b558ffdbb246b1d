"""Measure the fixed cost of a call: ``python -m benchmarks.overhead``

A sum over a graph of 10 nodes and 10 edges takes almost no time, so the time measured is the
overhead. The same kernel and gradient are called through `torch.autograd.Function`, as eager code
does, and through the operator registered with `torch.library`, as compiled code does. Each figure
is the smallest mean of many short runs, since other load only adds time.
"""

from __future__ import annotations

import argparse
import timeit
from collections.abc import Callable

import torch

import gossamer
from benchmarks import machine
from benchmarks.argument_types import count
from gossamer import function as fn
from gossamer import ops
from gossamer.ops._products import spmm

NODES, COLUMNS, CALLS = 10, 4, 20

Call = Callable[[], object]


def microseconds(function: Call, rounds: int) -> float:
    """The smallest mean time of a call."""
    function()
    return min(timeit.repeat(function, number=CALLS, repeat=rounds)) / CALLS * 1e6


def ways(u: torch.Tensor, e: torch.Tensor) -> dict[str, Call]:
    """Each way to the sum of ``u * e`` over in-edges, by name."""
    ids = torch.arange(NODES)
    g = gossamer.graph((ids, (3 * ids + 1) % NODES), num_nodes=NODES).create_formats_()
    g.ndata["h"], g.edata["w"] = u, e
    structure = g.adjacency.structure(by_dst=True, by_src=True, slots=True)
    listed = list(structure)
    registered = torch.ops.gossamer.spmm.default

    def update_all() -> torch.Tensor:
        g.update_all(fn.u_mul_e("h", "w", "m"), fn.sum("m", "out"))
        return g.ndata["out"]

    return {
        "autograd.Function": lambda: spmm(structure, u, e, "mul", "sum"),
        "registered operator": lambda: registered(listed, u, e, "mul", "sum", False)[0],
        "ops.u_mul_e_sum": lambda: ops.u_mul_e_sum(g, u, e),
        "Graph.update_all": update_all,
        "torch: u * e": lambda: u * e,
    }


def main(argv: list[str] | None = None) -> None:
    """Print a table of microseconds for each call."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rounds", type=count, default=1000, help="runs for each figure (1000)")
    rounds = parser.parse_args(argv).rounds
    torch.set_num_threads(1)
    u, e, flow = torch.randn(NODES, COLUMNS), torch.randn(NODES, 1), torch.randn(NODES, COLUMNS)
    leaves = u.clone().requires_grad_(), e.clone().requires_grad_()
    machine_now = machine.describe(threads=1)
    print(f"torch {torch.__version__}, {machine_now['cpu']}, load {machine_now['load']:.1f}")
    print(f"{'microseconds for each call':28}{'no gradient':>14}{'forward':>10}{'+ backward':>12}")
    plain, tracked = ways(u, e), ways(*leaves)
    for name, call in tracked.items():
        figures = (
            microseconds(plain[name], rounds),
            microseconds(call, rounds),
            microseconds(lambda call=call: torch.autograd.grad(call(), leaves, flow), rounds),
        )
        print(f"{name:28}{figures[0]:14.1f}{figures[1]:10.1f}{figures[2]:12.1f}")


if __name__ == "__main__":
    main()
