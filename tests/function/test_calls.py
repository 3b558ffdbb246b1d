"""How many Python calls lie between a public function and the kernel."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
import torch

import gossamer as gs
from gossamer import function as fn
from gossamer import kernels
from gossamer.kernels._dispatch import Kernel
from helpers.kernel_cases import require_native

require_native()

PACKAGE = str(Path(gs.__file__).parent)


def _calls(function: Callable[[], object], kernel: Kernel) -> list[str]:
    """The functions of the package on the stack when a native kernel is entered, itself included.

    Functions of torch, such as those that call a module or an autograd function, do not count.
    """
    codes, stacks = {f.__code__ for f in kernel.functions.values()}, []

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in codes:
            stack = []
            while frame is not None:
                if frame.f_code.co_filename.startswith(PACKAGE):
                    stack.append(frame.f_code.co_name)
                frame = frame.f_back
            stacks.append(stack)

    sys.setprofile(watch)
    try:
        function()
    finally:
        sys.setprofile(None)
    assert stacks, "the kernel did not run"
    return stacks[0]


@pytest.fixture
def g() -> gs.Graph:
    g = gs.graph(([0, 1, 2], [2, 2, 0]))
    g.ndata["h"], g.edata["w"] = torch.rand(3, 4), torch.rand(3, 1)
    return g


@pytest.mark.parametrize("reducer", [fn.sum, fn.max])
@pytest.mark.parametrize(("grad", "calls"), [(False, 6), (True, 7)])
def test_update_all(g, reducer, grad, calls) -> None:
    g.ndata["h"].requires_grad_(grad)

    def run() -> None:
        g.update_all(fn.u_mul_e("h", "w", "m"), reducer("m", "out"))

    names = _calls(run, kernels.spmm)
    assert len(names) <= calls, names


@pytest.mark.parametrize(("grad", "calls"), [(False, 6), (True, 7)])
def test_apply_edges(g, grad, calls) -> None:
    g.ndata["h"].requires_grad_(grad)
    names = _calls(lambda: g.apply_edges(fn.u_dot_v("h", "h", "out")), kernels.sddmm)
    assert len(names) <= calls, names


@pytest.mark.parametrize(("grad", "calls"), [(False, 7), (True, 8)])
def test_gatconv(g, grad, calls) -> None:
    layer = gs.nn.GATConv(4, 2, 3, allow_zero_in_degree=True).requires_grad_(grad)
    names = _calls(lambda: layer(g, g.ndata["h"]), kernels.attention)
    assert len(names) <= calls, names
