"""Operators on the other kinds of tensors that torch has, and in its other surroundings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

import gossamer as gs
from gossamer import kernels, ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from helpers.kernel_cases import require_native

U, V = [0, 1, 2, 0], [2, 2, 0, 2]


@pytest.fixture
def g() -> gs.Graph:
    return gs.graph((U, V), num_nodes=4)


def _calls(g: gs.Graph) -> dict:
    """One call of each kernel, of a matrix with a row for each node or edge."""
    seglen, weight = torch.tensor([1, 3], device="cpu"), torch.ones(2, 3, 2, device="cpu")
    ids = torch.tensor([1, 0, 1, 0], device="cpu")
    rows = torch.arange(8.0, device="cpu").view(4, 2)
    return {
        "spmm": lambda x: ops.copy_u_sum(g, x),
        "max": lambda x: ops.copy_u_max(g, x),
        "scaled_sum": lambda x: ops.scaled_sum(g, x, dst_scale=x[:, 0].detach()),
        "sddmm": lambda x: ops.u_add_v(g, x, x),
        "edge_softmax": lambda x: ops.edge_softmax(g, x),
        "segment_reduce": lambda x: ops.segment_reduce(seglen, x),
        "segment_mm": lambda x: ops.segment_mm(x, weight.to(x.dtype), seglen),
        "matrices": lambda x: ops.segment_mm(rows, x.view(2, 2, 3), seglen),
        "transposed": lambda x: ops.gather_mm(rows, x.view(2, 3, 2).transpose(1, 2), idx_b=ids),
        "gather_mm": lambda x: ops.gather_mm(x, weight.to(x.dtype), idx_b=ids),
        "attention": lambda x: ops.graph_attention(
            g, x.unsqueeze(1), x.unsqueeze(1), x.unsqueeze(1), "dot"
        ),
    }


CALLS = list(_calls(gs.graph((U, V))))


@pytest.mark.parametrize("name", CALLS)
class TestKindsOfTensors:
    def test_pending_minus(self, g: gs.Graph, name: str) -> None:
        call, x = _calls(g)[name], torch.randn(4, 3)
        late = torch._neg_view(x)
        assert late.is_neg()
        torch.testing.assert_close(call(late), call(-x))

    def test_pending_minus_in_a_gradient(self, g: gs.Graph, name: str) -> None:
        call, x = _calls(g)[name], torch.randn(4, 3, requires_grad=True)
        out = call(x)
        flow = torch.randn_like(out)
        found = torch.autograd.grad(out, x, torch._neg_view(flow), retain_graph=True)
        torch.testing.assert_close(found, torch.autograd.grad(out, x, -flow))

    def test_zeros_without_memory(self, g: gs.Graph, name: str) -> None:
        call, x = _calls(g)[name], torch.randn(4, 3, requires_grad=True)
        torch.testing.assert_close(
            call(torch._efficientzerotensor((4, 3))), call(torch.zeros(4, 3))
        )
        out = call(x)
        (found,) = torch.autograd.grad(out, x, torch._efficientzerotensor(out.shape))
        assert not found.any()

    def test_class_with_rules_of_its_own(self, g: gs.Graph, name: str) -> None:
        call, x = _calls(g)[name], torch.randn(4, 3)
        out = call(Wrapped(x))
        assert type(out) is Wrapped
        torch.testing.assert_close(out.inside, call(x))

    def test_another_default_device(self, g: gs.Graph, name: str) -> None:
        x = torch.randn(4, 3)
        expected = _calls(g)[name](x)
        fresh = gs.graph((U, V), num_nodes=4)
        with torch.device("meta"):
            found = _calls(fresh)[name](x)
        torch.testing.assert_close(found, expected)

    def test_many_gradients_at_once(self, g: gs.Graph, name: str) -> None:
        require_native()  # torch's own operators, of which the reference is made, take most
        x = torch.randn(4, 3, requires_grad=True)
        out = _calls(g)[name](x)
        flows = torch.randn(2, *out.shape)
        with pytest.raises(
            InvalidValueError, match=r"Use torch\.func\.vmap or torch\.func\.jacrev"
        ):
            torch.autograd.grad(out, x, flows, is_grads_batched=True)


class Wrapped(Tensor):
    """A tensor around a tensor, as distributed and quantized ones are."""

    inside: Tensor

    @staticmethod
    def __new__(cls, inside: Tensor) -> Wrapped:
        made = Tensor._make_wrapper_subclass(cls, inside.shape, dtype=inside.dtype)
        made.inside = inside
        return made

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        def unwrap(x):
            return x.inside if isinstance(x, Wrapped) else x

        out = func(*tree_map(unwrap, args), **tree_map(unwrap, kwargs or {}))
        return tree_map(lambda x: Wrapped(x) if isinstance(x, Tensor) else x, out)


def test_minus_of_an_imaginary_part() -> None:
    g = gs.graph(([0], [0]))
    assert ops.copy_u_sum(g, torch.tensor([[3.0 + 4.0j]]).conj().imag).item() == -4


def test_edits_under_another_default_device() -> None:
    def edited() -> list:
        g = gs.graph((U, V))
        g.remove_edges([0])
        g.remove_nodes(1)
        return [*g.edges(), *gs.bfs_nodes_generator(g, 0)]

    expected = edited()
    with torch.device("meta"):
        found = edited()
    assert [x.tolist() for x in found] == [x.tolist() for x in expected]


@pytest.mark.parametrize(
    ("call", "x"),
    [
        (lambda g, x: ops.segment_reduce(torch.tensor([1, 3]), x), torch.eye(4)),
        (
            lambda g, x: ops.graph_attention(
                g, *[torch.ones(4, 3, 3)] * 3, score="add_dot", weight=x
            ),
            torch.eye(3),
        ),
    ],
)
def test_sparse_tensors_at_other_places(g: gs.Graph, call: Callable, x: Tensor) -> None:
    with pytest.raises(InvalidTypeError, match=r"layout is torch\.sparse_coo\. .*to_dense"):
        call(g, x.to_sparse())


class TestSparse:
    def test_operand(self, g: gs.Graph) -> None:
        with pytest.raises(InvalidTypeError, match=r"layout is torch\.sparse_coo\. .*to_dense"):
            ops.copy_u_sum(g, torch.randn(4, 3).to_sparse())

    def test_gradient(self, g: gs.Graph) -> None:
        x = torch.randn(4, 3, requires_grad=True)
        rows, flow = torch.tensor([2, 0]), torch.randn(2, 3)
        grads = [
            torch.autograd.grad(
                torch.nn.functional.embedding(rows, ops.copy_u_sum(g, x), sparse=sparse), x, flow
            )
            for sparse in (True, False)
        ]
        torch.testing.assert_close(*grads)


def test_gradient_asked_for_too_late(g: gs.Graph) -> None:
    u, w = torch.randn(4, 3), torch.rand(4, 3, requires_grad=True)
    out = ops.u_mul_e_sum(g, u, w)
    u.requires_grad_()
    (grad,) = torch.autograd.grad(out.square().sum(), w, create_graph=True)
    with pytest.raises(InvalidValueError, match=r"Call requires_grad_\(\) before"):
        torch.autograd.grad(grad.square().sum(), u)

    u, w = torch.randn(4, 3, requires_grad=True), torch.rand(4, 3)
    out = ops.u_mul_e_sum(g, u, w)
    w.requires_grad_()
    (grad,) = torch.autograd.grad(out.square().sum(), u, create_graph=True)
    with pytest.raises(InvalidValueError, match=r"Call requires_grad_\(\) before"):
        torch.autograd.grad(grad.square().sum(), w)


def test_segment_lengths_changed_before_the_gradient() -> None:
    seglen, a = torch.tensor([1, 3]), torch.randn(4, 3, requires_grad=True)
    out = ops.segment_mm(a, torch.randn(2, 3, 2), seglen)
    seglen.copy_(torch.tensor([3, 1]))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(out, a, torch.randn_like(out))


@pytest.mark.filterwarnings(
    # torch 2.6, of tensors that a function brings along
    "ignore:Attempted to insert a get_attr Node:UserWarning",
    "ignore:Node lifted_tensor:UserWarning",
)
class TestGraphsOutliveTracing:
    """What is built for the first time while torch traces must be there for good."""

    def test_export(self) -> None:
        g, x = gs.graph((U, V), num_nodes=4), torch.randn(4, 3)

        class Layer(torch.nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return ops.copy_u_mean(g, x) * g.out_degrees().unsqueeze(1)

        exported = torch.export.export(Layer(), (x,), strict=False).module()
        expected = Layer()(x)
        torch.testing.assert_close(exported(x), expected)
        with kernels.use("reference"):
            torch.testing.assert_close(Layer()(x), expected)

    @pytest.mark.parametrize("transform", [torch.func.grad, torch.func.vmap])
    @pytest.mark.parametrize(
        ("use", "what"),
        [
            (lambda ids, x: gs.graph((ids, (ids + 1) % 4)), "source ids"),
            (lambda ids, x: ops.gather_mm(x, x.new_ones(2, 3, 2), idx_b=ids % 2), "idx_b"),
            (lambda ids, x: ops.segment_reduce(ids, x), "segment lengths"),
        ],
    )
    def test_ids_computed_inside_of_a_transform(self, transform, use, what: str) -> None:
        ids = torch.ones(4, dtype=torch.int64)

        def run(x: Tensor) -> Tensor:
            use(ids + (x.sum() * 0).long(), x.new_ones(4, 3))
            return x.sum()

        with pytest.raises(InvalidValueError, match=f"{what}.* torch.func transform.*outside"):
            transform(run)(torch.ones(4, 3))
