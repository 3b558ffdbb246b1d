"""Products, compared with dense ones."""

from __future__ import annotations

import pytest
import torch

from gossamer import InvalidTypeError, InvalidValueError, sparse
from helpers.matrices import random_matrix, with_grad

SIZES = [(7, 5, 20), (1, 9, 4), (6, 3, 0), (40, 30, 300)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("columns", [None, 1, 4])
def test_sparse_times_dense(size, columns) -> None:
    a, val = with_grad(random_matrix(*size))
    shape = (size[1],) if columns is None else (size[1], columns)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(a @ x, a.to_dense() @ x)
    assert torch.autograd.gradcheck(lambda v, x: sparse.val_like(a, v) @ x, (val, x))


def test_sparse_times_dense_second_order() -> None:
    a, val = with_grad(random_matrix(5, 4, 9))
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda v, x: sparse.val_like(a, v) @ x, (val, x))


def test_ones_need_no_values() -> None:
    places = random_matrix(6, 4, 10)
    a = sparse.from_coo(places.row, places.col, shape=places.shape)
    x = torch.randn(4, 3)
    product = a @ x
    assert a.explicit_values is None
    torch.testing.assert_close(product, a.to_dense() @ x)


def test_batched_product() -> None:
    a, val = with_grad(random_matrix(6, 5, 12, width=3))
    x = torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)
    expected = torch.einsum("nmd,mkd->nkd", a.to_dense(), x)
    torch.testing.assert_close(sparse.bspmm(a, x), expected)
    assert torch.autograd.gradcheck(lambda v, x: sparse.bspmm(sparse.val_like(a, v), x), (val, x))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
def test_sparse_times_sparse(seed, idtype) -> None:
    a = random_matrix(20, 15, 60, seed=seed, idtype=idtype)
    b = random_matrix(15, 25, 70, seed=seed + 10, idtype=idtype)
    c = a @ b
    torch.testing.assert_close(c.to_dense(), a.to_dense() @ b.to_dense())
    assert not c.has_duplicate()
    assert c.row.dtype == idtype


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_sparse_times_sparse_in_other_dtypes(dtype) -> None:
    a, b = random_matrix(9, 8, 30, dtype=dtype), random_matrix(8, 7, 30, seed=1, dtype=dtype)
    c = a @ b
    assert c.dtype == dtype
    exact = a.to_dense().double() @ b.to_dense().double()
    tolerance = 4 * torch.finfo(dtype).eps
    torch.testing.assert_close(c.to_dense().double(), exact, rtol=tolerance, atol=4 * tolerance)


def test_sparse_times_sparse_gradients() -> None:
    a, x = with_grad(random_matrix(6, 5, 12))
    b, y = with_grad(random_matrix(5, 7, 14, seed=1))

    def product(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return sparse.spspmm(sparse.val_like(a, x), sparse.val_like(b, y)).val

    assert torch.autograd.gradcheck(product, (x, y))
    assert torch.autograd.gradgradcheck(product, (x, y))


def test_times_a_diagonal_matrix_the_pattern_stays() -> None:
    a = random_matrix(5, 4, 9)
    left, right = sparse.diag(torch.randn(5).double()), sparse.diag(torch.randn(4).double())
    scaled = left @ a @ right
    assert scaled.adjacency is a.adjacency
    expected = left.to_dense() @ a.to_dense() @ right.to_dense()
    torch.testing.assert_close(scaled.to_dense(), expected)


@pytest.mark.parametrize("shape", [(3, 4), (4, 3)])
def test_times_a_diagonal_that_is_not_square(shape) -> None:
    d = sparse.diag(torch.randn(3).double(), shape)
    a = random_matrix(shape[1], 5, 8)
    torch.testing.assert_close((d @ a).to_dense(), d.to_dense() @ a.to_dense())


def test_dense_times_dense_on_a_pattern() -> None:
    a, val = with_grad(random_matrix(6, 5, 12))
    x1 = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    x2 = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    row, col = a.coo()
    torch.testing.assert_close(sparse.sddmm(a, x1, x2).val, (x1 @ x2)[row, col] * a.val)

    def product(v: torch.Tensor, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        return sparse.sddmm(sparse.val_like(a, v), x1, x2).val

    assert torch.autograd.gradcheck(product, (val, x1, x2))
    assert torch.autograd.gradgradcheck(product, (val, x1, x2))


@pytest.mark.parametrize("width", [None, 2])
def test_batched_dense_times_dense_on_a_pattern(width) -> None:
    a = random_matrix(6, 5, 12, width=width)
    x1, x2 = torch.randn(6, 3, 2).double(), torch.randn(3, 5, 2).double()
    row, col = a.coo()
    values = a.val if width else a.val[:, None]
    expected = torch.einsum("nkd,kmd->nmd", x1, x2)[row, col] * values
    torch.testing.assert_close(sparse.bsddmm(a, x1, x2).val, expected)


def test_autocast() -> None:
    a = random_matrix(6, 5, 12, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = a @ torch.randn(5, 3, dtype=torch.bfloat16)
    assert out.shape == (6, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: a @ torch.ones(3, 2).double(), InvalidValueError, r"shape \(5,\) or \(5, K\)"),
        (lambda a: a @ torch.ones(5, 2), InvalidTypeError, "X is torch.float32 but the sparse"),
        (lambda a: a @ 2, InvalidTypeError, "SparseMatrix and int"),
        (
            lambda a: a @ a,
            InvalidValueError,
            r"as many columns as B has .*\(6, 5\) and \(6, 5\)",
        ),
        (lambda a: a @ a.T.float(), InvalidTypeError, "Convert one with"),
        (lambda a: sparse.spmm(3, torch.ones(5)), InvalidTypeError, "A must be a SparseMatrix"),
        (
            lambda a: sparse.sddmm(a, torch.ones(6, 2).double(), torch.ones(5, 2).double()),
            InvalidValueError,
            r"\(6, K\) and \(K, 5\)",
        ),
        (
            lambda a: sparse.spspmm(random_matrix(6, 5, 3, width=2), a.T),
            InvalidValueError,
            "values must be scalars",
        ),
    ],
)
def test_wrong_operands(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call(random_matrix(6, 5, 12))
