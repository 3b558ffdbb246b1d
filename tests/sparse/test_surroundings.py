"""Sparse operators in 16 bits and under `torch.compile`."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from gossamer import sparse
from helpers.matrices import random_matrix

N, K = 12, 5
X, Y = torch.rand(N, K), torch.rand(K, N)
HEADS = torch.rand(N, K, 3), torch.rand(K, N, 3)

#: Name -> (values, matrix) to a tensor; the values replace those of the matrix.
OPERATORS: dict[str, Callable[[Tensor, sparse.SparseMatrix], Tensor]] = {
    "spmm": lambda v, a: sparse.spmm(sparse.val_like(a, v), X.to(v.dtype)),
    "@": lambda v, a: sparse.val_like(a, v) @ X.to(v.dtype),
    "bspmm": lambda v, a: sparse.bspmm(
        sparse.val_like(a, v.unsqueeze(1).expand(-1, 3)), HEADS[0].to(v.dtype)
    ),
    "sddmm": lambda v, a: sparse.sddmm(sparse.val_like(a, v), X.to(v.dtype), Y.to(v.dtype)).val,
    "bsddmm": lambda v, a: (
        sparse.bsddmm(sparse.val_like(a, v), *(x.to(v.dtype) for x in HEADS)).val
    ),
    "softmax": lambda v, a: sparse.val_like(a, v).softmax().val,
    "sum of rows": lambda v, a: sparse.val_like(a, v).sum(1),
    "mean of columns": lambda v, a: sparse.val_like(a, v).smean(0),
    "transpose": lambda v, a: sparse.spmm(sparse.val_like(a, v).T, X.to(v.dtype)),
    "number": lambda v, a: (2 * sparse.val_like(a, v)).val,
    "tensors of one number": lambda v, a: (
        ((v[0] * sparse.val_like(a, v) * v[1] / v[2]) ** v[3]).val
    ),
    "broadcast": lambda v, a: sparse.sp_mul_v(sparse.val_like(a, v), X[:, 0].to(v.dtype)).val,
    "entry by entry": lambda v, a: (sparse.val_like(a, v) * a.to(dtype=v.dtype)).val,
    "sum of two": lambda v, a: (sparse.val_like(a, v) + a.T.to(dtype=v.dtype)).val,
}
#: The number of entries of the result depends on the patterns, which the tracer does not know.
IN_PIECES = {"sum of two"}


@pytest.fixture
def matrix() -> sparse.SparseMatrix:
    return random_matrix(N, N, 40, dtype=torch.float32).coalesce()


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_16_bit_is_close_to_float32(
    name: str, dtype: torch.dtype, matrix: sparse.SparseMatrix
) -> None:
    value = (torch.rand(matrix.nnz) + 0.5).to(dtype)
    found = OPERATORS[name](value, matrix)
    assert found.dtype == dtype
    exact = OPERATORS[name](value.float(), matrix)
    allowed = 10 * torch.finfo(dtype).eps * float(exact.abs().max())
    torch.testing.assert_close(found.float(), exact, rtol=0, atol=allowed)


# The tracer meets the allocators that `helpers.memory` wraps where CSR is built for the first time.
@pytest.mark.filterwarnings("ignore:Dynamo does not know how to trace the builtin")
@pytest.mark.filterwarnings("ignore:.*should not be instantiated")
@pytest.mark.parametrize("name", OPERATORS)
def test_compiled_operators_give_the_same(name: str, matrix: sparse.SparseMatrix) -> None:
    value = torch.rand(matrix.nnz, requires_grad=True)

    def run(operator: Callable) -> tuple[Tensor, ...]:
        out = operator(value, matrix)
        flow = torch.randn(out.shape, generator=torch.Generator().manual_seed(0))
        return out.detach(), *torch.autograd.grad(out, value, flow)

    expected = run(OPERATORS[name])
    torch._dynamo.reset()
    compiled = torch.compile(OPERATORS[name], backend="aot_eager", fullgraph=name not in IN_PIECES)
    torch.testing.assert_close(run(compiled), expected)


class Propagate(nn.Module):
    """A layer that keeps its matrix."""

    def __init__(self, matrix: sparse.SparseMatrix) -> None:
        super().__init__()
        self.matrix = matrix

    def forward(self, x: Tensor) -> Tensor:
        return 2 * (self.matrix @ x)


#: Where a compiled function finds the matrix: values, matrix -> a function of features.
PLACES: dict[str, Callable[[sparse.SparseMatrix], Callable[[Tensor], Tensor]]] = {
    "closure": lambda a: torch.compile(lambda x: 2 * (a @ x), backend="aot_eager", fullgraph=True),
    "attribute": lambda a: torch.compile(Propagate(a), backend="aot_eager", fullgraph=True),
    "argument": lambda a: functools.partial(
        torch.compile(lambda a, x: 2 * (a @ x), backend="aot_eager", fullgraph=True), a
    ),
}


@pytest.mark.filterwarnings("ignore:Dynamo does not know how to trace the builtin")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_products_compile_wherever_the_matrix_is(place, dtype, matrix) -> None:
    value = torch.rand(matrix.nnz).to(dtype).requires_grad_()
    x = X.to(dtype, copy=True).requires_grad_()
    a = sparse.val_like(matrix, value)
    torch._dynamo.reset()
    out, expected = PLACES[place](a)(x), 2 * (a @ x)
    assert torch.equal(out, expected)
    flow = torch.rand(N, K).to(dtype)
    grads, wanted = (torch.autograd.grad(y, (value, x), flow) for y in (out, expected))
    assert all(map(torch.equal, grads, wanted))


def test_a_compiled_product_of_unknown_order_is_refused(matrix) -> None:
    """The compiler passes the operands of ``A @ x`` and ``x @ A`` in one order."""
    x = torch.rand(N)
    torch._dynamo.reset()
    with pytest.raises(torch._dynamo.exc.Unsupported, match="Observed exception"):
        torch.compile(lambda x: matrix @ x, backend="eager", fullgraph=True)(x)
    torch._dynamo.reset()
    in_pieces = torch.compile(lambda x: matrix @ x, backend="eager")
    assert torch.equal(in_pieces(x), matrix @ x)


def test_a_tensor_times_a_matrix_is_refused(matrix) -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        Y @ matrix
    with pytest.raises(TypeError, match="unsupported operand"):
        torch.tensor(2.0) / matrix
