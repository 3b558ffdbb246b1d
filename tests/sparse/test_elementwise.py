"""Arithmetic entry by entry, compared with dense tensors."""

from __future__ import annotations

import operator

import pytest
import torch

from gossamer import InvalidTypeError, InvalidValueError, sparse
from helpers.matrices import random_matrix, with_grad


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul])
@pytest.mark.parametrize("width", [None, 2])
@pytest.mark.parametrize("counts", [(20, 25), (0, 5), (5, 0), (0, 0)])
def test_two_patterns(op, width, counts) -> None:
    a = random_matrix(6, 5, counts[0], width=width)
    b = random_matrix(6, 5, counts[1], width=width, seed=1)
    c = op(a, b)
    torch.testing.assert_close(c.to_dense(), op(a.to_dense(), b.to_dense()))
    assert c.coalesce() is c


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul])
def test_gradients(op) -> None:
    a, x = with_grad(random_matrix(4, 5, 8))
    b, y = with_grad(random_matrix(4, 5, 9, seed=1))

    def combine(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return op(sparse.val_like(a, x), sparse.val_like(b, y)).val

    assert torch.autograd.gradcheck(combine, (x, y))
    assert torch.autograd.gradgradcheck(combine, (x, y))


def test_quotient_of_one_pattern_in_two_orders() -> None:
    a = random_matrix(5, 6, 14, duplicates=False)
    order = torch.randperm(14)
    divisor = torch.rand(14).double() + 1
    b = sparse.from_coo(a.row[order], a.col[order], divisor[order], a.shape)
    torch.testing.assert_close((a / b).val, a.val / divisor)


def test_powers_and_numbers() -> None:
    a = random_matrix(5, 6, 14)
    torch.testing.assert_close((a**2).val, a.val**2)
    torch.testing.assert_close((3 * a / 2).val, a.val * 1.5)
    torch.testing.assert_close((-a).val, -a.val)


@pytest.mark.parametrize("op", ["add", "sub", "mul", "div"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("width", [None, 3])
def test_broadcasts(op, axis, width) -> None:
    a = random_matrix(5, 6, 14, width=width)
    v = torch.rand((5, 1) if axis == 0 else (1, 6), dtype=torch.float64) + 1
    spread = v.flatten()[a.row if axis == 0 else a.col]
    expected = getattr(torch, op)(a.val, spread if width is None else spread[:, None])
    torch.testing.assert_close(getattr(sparse, f"sp_{op}_v")(a, v).val, expected)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a, b: a + 1, InvalidTypeError, "add: B must be a SparseMatrix, got int"),
        (lambda a, b: a - b.T, InvalidValueError, r"same shape, got \(4, 5\) and \(5, 4\)"),
        (lambda a, b: a / b, InvalidValueError, "entries in the same places"),
        (lambda a, b: a * random_matrix(4, 5, 3, width=2), InvalidValueError, "must be the same"),
        (lambda a, b: a ** (1, 2), InvalidTypeError, "the exponent must be a number"),
        (
            lambda a, b: sparse.sp_add_v(a, torch.ones(4)),
            InvalidValueError,
            r"shape \(4, 1\) for the rows",
        ),
        (lambda a, b: sparse.sp_broadcast_v(a, torch.ones(5), "dot"), InvalidValueError, "one of"),
        (
            lambda a, b: a - b.to(dtype=torch.bool),
            InvalidTypeError,
            "sub: the values of B are bool",
        ),
        (lambda a, b: -b.to(dtype=torch.bool), InvalidTypeError, "neg: the values of the matrix"),
        (
            lambda a, b: sparse.sp_sub_v(a, torch.ones(5, dtype=torch.bool)),
            InvalidTypeError,
            "sp_broadcast_v: the values of v are bool",
        ),
        (
            lambda a, b: sparse.sp_sub_v(a.to(dtype=torch.bool), torch.ones(5)),
            InvalidTypeError,
            "sp_broadcast_v: the values of A are bool",
        ),
        (lambda a, b: a.to(dtype=torch.int64) ** -2, InvalidValueError, "exponent -2.*Give -2.0"),
        (
            lambda a, b: a.to(dtype=torch.int64) ** torch.tensor(-1),
            InvalidValueError,
            "integers have no negative powers",
        ),
    ],
)
def test_wrong_operands(call, error, message) -> None:
    a = random_matrix(4, 5, 6, duplicates=False)
    with pytest.raises(error, match=message):
        call(a, random_matrix(4, 5, 6, duplicates=False, seed=3))


def test_whole_numbers_to_the_power_of_a_fraction() -> None:
    a = sparse.diag(torch.tensor([1, 4]))
    assert (a**-0.5).val.tolist() == [1.0, 0.5] and (a**2).val.tolist() == [1, 16]


def test_quotients_of_duplicates_are_refused() -> None:
    a = sparse.from_coo(torch.tensor([0, 0]), torch.tensor([1, 1]))
    with pytest.raises(InvalidValueError, match="several entries in one place"):
        a / a
