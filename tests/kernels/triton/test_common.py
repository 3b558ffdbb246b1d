"""Launches: the choice of a configuration, long grids, the dtypes of old GPUs."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
from gossamer.kernels import reference
from gossamer.kernels.triton import _common
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import adjacency, attention_operands, operand
from helpers.triton_cases import fast

CONFIGS = [{"BLOCK": 1}, {"BLOCK": 2}, {"BLOCK": 4}]
LIKE = torch.empty(0)


class _Recorder:
    """A kernel that records the grids and the blocks that it is launched with."""

    __name__ = "recorder"

    def __init__(self) -> None:
        self.launched: list[tuple] = []

    def __getitem__(self, grid: tuple[int]):
        return lambda first, *args, **constants: self.launched.append(
            (*grid, first, constants["BLOCK"])
        )


@pytest.fixture
def tuned(monkeypatch) -> None:
    """Turn tuning on, on a machine where the second configuration is the fastest."""
    times = iter([3.0, 1.0, 2.0, 1.0, 2.0, 3.0])
    monkeypatch.setattr(_common, "TUNE", True)
    monkeypatch.setattr(_common, "can_time", lambda like: True)
    monkeypatch.setattr(_common, "milliseconds", lambda call: next(times))
    monkeypatch.setattr(_common, "_fastest", {})


def test_without_tuning_the_first_configuration_runs() -> None:
    kernel = _Recorder()
    _common.launch(kernel, LIKE, lambda c: 8 // c["BLOCK"], CONFIGS)
    assert kernel.launched == [(8, 0, 1)]


@pytest.mark.usefixtures("tuned")
def test_tuning_is_done_once_for_each_set_of_constants() -> None:
    kernel = _Recorder()
    for op in ("add", "add", "mul"):
        _common.launch(kernel, LIKE, lambda c: 8 // c["BLOCK"], CONFIGS, LIKE, None, OP=op)
    assert kernel.launched == [(4, 0, 2), (4, 0, 2), (8, 0, 1)]


@pytest.mark.parametrize("number", range(6))
def test_every_configuration_gives_the_result(monkeypatch, number) -> None:
    monkeypatch.setattr(_common, "TUNE", True)
    monkeypatch.setattr(_common, "can_time", lambda like: True)
    times = iter([1.0] * number + [0.0] + [1.0] * 99)
    monkeypatch.setattr(_common, "milliseconds", lambda call: next(times))
    monkeypatch.setattr(_common, "_fastest", {})
    adj = adjacency("duplicates", torch.int32)
    args = adj.indptr, adj.indices, adj.eids, operand(2, (40,), torch.float64), None
    out, _ = fast.spmm(*args, "copy_lhs", "sum")
    expected, _ = reference.spmm(*args, "copy_lhs", "sum")
    torch.testing.assert_close(out, expected, rtol=1e-13, atol=1e-13)


def test_a_grid_beyond_the_limit_is_launched_in_parts() -> None:
    kernel = _Recorder()
    _common.launch(kernel, LIKE, lambda c: 2**31 + 5, CONFIGS[:1])
    assert kernel.launched == [(2**31 - 1, 0, 1), (6, 2**31 - 1, 1)]


@pytest.mark.parametrize("x", [0.0, 0.1, 1e300, -2.5])
def test_bits_of_a_float(x) -> None:
    assert torch.tensor(_common.float_bits(x)).view(torch.float64).item() == x


@pytest.mark.parametrize("capability", [(7, 5), (8, 0)])
def test_bfloat16_needs_a_gpu_that_has_it(monkeypatch, capability) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda i: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: "Tesla T4")
    if capability >= (8, 0):
        assert torch.bfloat16 in _common.float_dtypes()
        return
    with pytest.warns(RuntimeWarning, match=r"Tesla T4 has no bfloat16 .* Use float16 or float32"):
        assert torch.bfloat16 not in _common.float_dtypes()


def test_two_runs_give_the_same_bits() -> None:
    adj = adjacency("random", torch.int32)
    rows = adj.indptr, adj.indices, adj.eids
    u, e = operand(10, (4, 7), torch.float32, seed=1), operand(52, (4, 1), torch.float32, seed=2)
    _, arg = fast.spmm(*rows, u, e, "mul", "max")
    grad, sizes = operand(12, (4, 7), torch.float32, seed=3), (10, 52)
    forward = *rows, *attention_operands(adj, "add_dot", (2, 5, 3), torch.float32), 7
    options = "add_dot", 0.2, 0.3
    out, norms = fast.attention(*forward, *options)
    by_src = fast.transpose(*rows, adj.num_cols)
    for call in (
        lambda: fast.spmm(*rows, u, e, "mul", "sum")[:1],
        lambda: fast.spmm_arg_backward(*rows[1:], arg, grad, u, e, "mul", *sizes, True, True),
        lambda: fast.attention(*forward, *options),
        lambda: fast.attention_backward(
            rows, by_src, *forward[3:], *options, out, norms, torch.ones_like(out)
        ),
        lambda: [fast.segment_outer(u[:, 0], u[:, 1], torch.tensor([6, 4]))],
    ):
        for x, y in zip(call(), call(), strict=True):
            assert_tensor_equal(x, y)
