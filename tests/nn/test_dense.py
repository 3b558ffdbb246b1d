"""Dense products and sums: torch's results, in memory that goes around."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.nn import functional as F

from gossamer import kernels
from gossamer.nn import _dense
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import require_native


def _operands(dtype=torch.float64, batch=()):
    generator = torch.Generator().manual_seed(0)
    shapes = (6, *batch, 4), (3, 4), (3,)
    return [
        torch.randn(s, dtype=torch.float64, generator=generator).to(dtype).requires_grad_()
        for s in shapes
    ]


@pytest.mark.usefixtures("everything_is_large")
class TestLarge:
    def test_no_columns(self) -> None:
        x, weight = torch.randn(6, 0, requires_grad=True), torch.randn(3, 0, requires_grad=True)
        out = _dense.linear(x, weight)
        assert out.tolist() == [[0, 0, 0]] * 6
        grads = torch.autograd.grad(out, (x, weight), torch.randn(6, 3))
        assert [tuple(grad.shape) for grad in grads] == [(6, 0), (3, 0)]

    def test_the_first_addend_may_broadcast_too(self) -> None:
        x, y = torch.randn(6, 1, 4, requires_grad=True), torch.randn(6, 5, 4, requires_grad=True)
        out, flow = _dense.add(x, y), torch.randn(6, 5, 4)
        torch.testing.assert_close(out, x + y)
        found = torch.autograd.grad(out, (x, y), flow)
        torch.testing.assert_close(found, (flow.sum(1, keepdim=True), flow))

    def test_many_gradients_at_once(self) -> None:
        leaves, flows = _operands(), torch.randn(5, 6, 3, dtype=torch.float64)
        found, expected = (
            torch.autograd.grad(function(*leaves), leaves, flows, is_grads_batched=True)
            for function in (_dense.linear, F.linear)
        )
        torch.testing.assert_close(found, expected)

    @pytest.mark.parametrize("batch", [(), (2, 5)], ids=str)
    @pytest.mark.parametrize("bias", [False, True])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
    def test_linear(self, dtype, bias, batch) -> None:
        x, weight, b = _operands(dtype, batch)
        leaves = [x, weight, b][: 2 + bias]
        out, expected = _dense.linear(*leaves), F.linear(*leaves)
        assert out.grad_fn.name() == "_ProductBackward"
        flow = torch.randn_like(expected)
        torch.testing.assert_close(out, expected)
        for found, right in zip(
            torch.autograd.grad(out, leaves, flow),
            torch.autograd.grad(expected, leaves, flow),
            strict=True,
        ):
            torch.testing.assert_close(found, right)

    def test_gradients_of_gradients(self) -> None:
        assert gradcheck(_dense.linear, _operands())
        assert gradgradcheck(_dense.linear, _operands())
        x, _, _ = _operands()
        y = torch.randn(4, dtype=torch.float64, requires_grad=True)
        assert gradcheck(_dense.add, (x, y))
        assert gradgradcheck(_dense.add, (x, y))

    @pytest.mark.parametrize("shape", [(6, 4), (4,), (1, 4), (1,)], ids=str)
    def test_add(self, shape) -> None:
        x, _, _ = _operands()
        y = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        out, flow = _dense.add(x, y), torch.randn_like(x)
        assert_tensor_equal(out, x + y)
        grads = torch.autograd.grad(out, (x, y), flow)
        assert_tensor_equal(grads[0], flow)
        torch.testing.assert_close(grads[1], flow.sum_to_size(shape))

    def test_only_what_is_asked_for(self) -> None:
        x, weight, bias = _operands()
        x.requires_grad_(False)
        _dense.linear(x, weight, bias).backward(torch.ones(6, 3, dtype=torch.float64))
        assert x.grad is None
        assert weight.grad is not None

    def test_the_result_may_be_changed_in_place(self) -> None:
        x, weight, bias = _operands()
        out = _dense.linear(x, weight, bias).relu_()
        torch.testing.assert_close(out, F.linear(x, weight, bias).relu())

    @pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch's own
    def test_transforms_and_autocast_see_torchs_operators(self) -> None:
        x, weight, bias = _operands()
        x, weight, bias = x.detach(), weight.detach(), bias.detach()
        batch = torch.stack([x, 2 * x])
        out = torch.vmap(_dense.linear, (0, None, None))(batch, weight, bias)
        torch.testing.assert_close(out, F.linear(batch, weight, bias))
        with forward_ad.dual_level():
            out = _dense.linear(forward_ad.make_dual(x, x), weight, bias)
            torch.testing.assert_close(forward_ad.unpack_dual(out).tangent, x @ weight.t())
        with torch.autocast("cpu", torch.bfloat16):
            assert _dense.linear(x.float(), weight.float()).dtype is torch.bfloat16


@pytest.mark.usefixtures("everything_is_large")
def test_a_subclass_of_tensors_has_a_product_of_its_own() -> None:
    asked = []

    class Known(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            asked.append(func)
            return super().__torch_function__(func, types, args, kwargs or {})

    x, weight, bias = _operands()
    _dense.linear(x, weight.detach().as_subclass(Known), bias)
    assert F.linear in asked


def test_large_results_come_from_the_memory_that_goes_around() -> None:
    require_native()
    kernels.release_memory()
    layer = _dense.Linear(8, 64)
    x = torch.randn(40_000, 8)
    out = layer(x)
    torch.testing.assert_close(out, F.linear(x, layer.weight, layer.bias))
    address = out.data_ptr()
    del out
    assert kernels.info()["idle_bytes"] > 0
    assert layer(x).data_ptr() == address
    kernels.release_memory()


def test_errors_are_torchs() -> None:
    x, weight, _ = _operands()
    with pytest.raises(RuntimeError, match="dtype"):
        _dense.linear(x, weight.float())
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        _dense.linear(x, weight[:, :2])


def test_it_is_a_linear_layer_with_the_same_parameters() -> None:
    layer = _dense.Linear(4, 3)
    assert isinstance(layer, torch.nn.Linear)
    assert repr(layer) == repr(torch.nn.Linear(4, 3))
    torch.nn.Linear(4, 3).load_state_dict(layer.state_dict())
