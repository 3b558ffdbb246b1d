"""Sparse matrices: every public name of ``dgl.sparse``.

In the expressions ``m(gs)`` has the matrices: `A` and `C` of one pattern in other orders, `B` of
another, `V` and `W` with vectors as values, `D` diagonal, `Q` square, `P` with duplicates, `I` of
integers, `M` of booleans, `N` of int32 with duplicates, `Z` without entries. ``.coalesce()``
stands where DGL leaves the order of entries open.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from golden.harness import Difference, Table


def m(gs: Any) -> SimpleNamespace:
    """The matrices that the cases use."""
    sparse = __import__(f"{gs.__name__}.sparse", fromlist=["spmatrix"])
    t, spmatrix = torch.tensor, sparse.spmatrix
    places = t([[1, 0, 2, 1], [0, 1, 0, 2]])
    others = t([[0, 1], [1, 2]])
    return SimpleNamespace(
        s=sparse,
        A=spmatrix(places, t([1.0, 2.0, 3.0, 4.0]), (3, 4)),
        B=spmatrix(others, t([10.0, 20.0]), (3, 4)),
        C=spmatrix(t([[2, 1, 0, 1], [0, 2, 1, 0]]), t([3.0, 4.0, 2.0, 1.0]), (3, 4)),
        V=spmatrix(places, torch.arange(1.0, 9.0).view(4, 2), (3, 4)),
        W=spmatrix(others, torch.ones(2, 2) * 10, (3, 4)),
        D=sparse.diag(t([1.0, 2.0, 4.0])),
        Q=spmatrix(t([[0, 1, 1], [1, 2, 1]]), t([1.0, 2.0, 3.0]), (3, 3)),
        P=spmatrix(t([[1, 0, 2, 1], [2, 1, 0, 2]]), t([1.0, 2.0, 3.0, 4.0]), (3, 4)),
        I=spmatrix(t([[0, 1, 1], [1, 2, 1]]), t([1, 2, 5]), (3, 3)),
        M=spmatrix(t([[2, 0, 2], [2, 1, 1]]), t([True, False, True]), (3, 3)),
        N=spmatrix(t([[2, 0, 2, 0], [2, 1, 1, 1]]), t([1, 2, 5, 4], dtype=torch.int32), (3, 3)),
        Z=spmatrix(torch.zeros(2, 0, dtype=torch.int64), shape=(3, 4)),
        x=lambda *shape: torch.arange(1.0, 1.0 + torch.Size(shape).numel()).view(shape) / 4,
    )


_MATRICES = ("A", "V", "D", "P", "I", "Z")

_EXPRESSIONS = [
    # creation
    "o.s.spmatrix(torch.tensor([[0, 1], [5, 1]]))",
    "o.s.spmatrix(torch.tensor([[0], [5]], dtype=torch.int32))",
    "o.s.spmatrix(torch.tensor([[0], [5]]), torch.tensor([3.0, 4.0]))",
    "o.s.spmatrix(torch.tensor([0, 5]))",
    "o.s.from_coo(torch.tensor([0, 1]), torch.tensor([5, 1]))",
    "o.s.from_coo(torch.tensor([0, 1]), torch.tensor([5, 1]), torch.ones(2, 3), (2, 7))",
    "o.s.from_csr(torch.tensor([0, 1, 3, 4]), torch.tensor([1, 2, 0, 0]))",
    "o.s.from_csr(torch.tensor([0, 1, 3, 4]), torch.tensor([1, 2, 0, 0]), o.x(4), (3, 5))",
    "o.s.from_csr(torch.tensor([0, 1, 3, 4]), torch.tensor([1, 2, 0, 0])).csr()",
    "o.s.from_csr(torch.tensor([0, 1, 3, 4]), torch.tensor([1, 2, 0, 0])).csc()",
    "o.s.from_csc(torch.tensor([0, 1, 3, 4]), torch.tensor([1, 2, 0, 0]))",
    "o.s.from_csc(torch.tensor([0, 1, 3, 4]), torch.tensor([1, 2, 0, 0]), o.x(4), (5, 3))",
    "o.s.from_csc(torch.tensor([0, 1, 3, 4]), torch.tensor([1, 2, 0, 0])).csr()",
    "o.s.diag(o.x(2))",
    "o.s.diag(o.x(2), (2, 3))",
    "o.s.diag(o.x(2, 3))",
    "o.s.diag(o.x(2), (3, 4))",
    "o.s.identity((2, 3))",
    "o.s.identity((2, 3), d=2)",
    "o.s.identity((3, 3), dtype=torch.int64)",
    "o.s.val_like(o.A, o.x(4, 3))",
    "o.s.val_like(o.A, o.x(4))",
    "o.s.val_like(o.A, o.x(3))",
    "o.s.from_torch_sparse(torch.eye(3).to_sparse())",
    "o.s.from_torch_sparse(torch.eye(3).to_sparse_csr())",
    "o.s.from_torch_sparse(torch.eye(3).to_sparse_csc())",
    "o.s.to_torch_sparse_csr(o.A).values()",
    "o.s.to_torch_sparse_csc(o.A).row_indices()",
    *(f"o.s.to_torch_sparse_coo(o.{name})" for name in ("A", "V", "D", "P")),
    # properties and conversions
    *(
        f"o.{name}.{what}"
        for what in (
            "nnz",
            "shape",
            "dtype",
            "val",
            "row",
            "col",
            "coo()",
            "csr()",
            "csc()",
            "indices()",
            "to_dense()",
            "coalesce()",
            "has_duplicate()",
            "T",
            "t()",
            "transpose()",
            "neg()",
            "long()",
            "double()",
            "float()",
            "int()",
            "sum()",
            "sum(0)",
            "sum(1)",
            "smean(0)",
            "smean(1)",
            "smax(0)",
            "smin(1)",
            "sprod(0)",
            "sprod(1)",
            "reduce(0, 'smax')",
            "reduce(1, 'sum')",
        )
        for name in _MATRICES
    ),
    *(f"o.{name}.{what}()" for what in ("smax", "smin", "smean", "sprod") for name in "AVDI"),
    *(f"o.{name}.softmax({dim})" for dim in ("", "0", "1") for name in ("A", "V", "P", "Z")),
    "o.A.to(dtype=torch.float64)",
    "o.A.to('cpu')",
    "o.D.inv()",
    "o.A.inv()",
    "o.s.diag(o.x(3, 2)).inv()",
    # dtypes of values
    *(
        f"o.{name}.{what}"
        for what in (
            "coalesce()",
            "T.coalesce()",
            "sum()",
            "sum(0)",
            "sum(1)",
            "smax(0)",
            "smin(1)",
            "smax()",
            "sprod(1)",
        )
        for name in "MN"
    ),
    "o.M * o.M",
    "o.N + o.N",
    "o.N - o.N",
    "o.Q @ o.s.diag(o.x(3), (3, 4))",
    # arithmetic
    *(
        f"o.{a} {op} o.{b}"
        for op in "+-*/"
        for a, b in ("AC", "AA", "VV", "DD", "AB", "VW", "QD", "DQ", "ZA", "AV", "AQ", "PA", "PP")
    ),
    *(f"{expression}" for expression in ("o.A * 2", "2 * o.V", "o.A / 2", "o.I / 2", "o.I * 1.5")),
    "o.A * torch.tensor(2.0)",
    "o.A + 2",
    "o.A ** 2",
    "o.D ** -0.5",
    "o.V ** 2",
    "-o.A",
    "o.s.add(o.A, o.B)",
    "o.s.sub(o.A, o.B)",
    "o.s.mul(o.A, 2)",
    "o.s.mul(2, o.A)",
    "o.s.div(o.A, o.C)",
    "o.s.power(o.D, 2)",
    "o.s.softmax(o.A, 0)",
    # products
    "o.A @ o.x(4)",
    "o.A @ o.x(4, 2)",
    "o.A @ o.x(3, 2)",
    "o.A @ o.x(4, 2).double()",
    "o.P @ o.x(4, 2)",
    "o.Z @ o.x(4, 2)",
    "o.D @ o.x(3, 2)",
    "o.V @ o.x(4, 3, 2)",
    "o.V @ o.x(4, 3)",
    "o.A @ 2",
    "o.s.spmm(o.A, o.x(4, 2))",
    "o.s.bspmm(o.V, o.x(4, 3, 2))",
    "o.s.bspmm(o.V, o.x(4, 3, 1))",
    "o.s.matmul(o.A, o.x(4))",
    "o.s.matmul(o.x(3, 4), o.x(4))",
    *(
        f"({product}).coalesce()"
        for product in (
            "o.Q @ o.Q",
            "o.Q @ o.Q.T",
            "o.A @ o.A.T",
            "o.A.T @ o.B",
            "o.A @ o.Z.T",
            "o.A @ o.A",
            "o.A @ o.P.T",
            "o.s.spspmm(o.Q, o.A)",
            "o.s.matmul(o.Q, o.A)",
        )
    ),
    "o.Q @ o.D",
    "o.D @ o.Q",
    "o.D @ o.D",
    "(o.D ** -0.5) @ o.Q @ (o.D ** -0.5)",
    "o.s.sddmm(o.A, o.x(3, 2), o.x(2, 4))",
    "o.s.sddmm(o.P, o.x(3, 2), o.x(2, 4))",
    "o.s.sddmm(o.A, o.x(3), o.x(4))",
    "o.s.sddmm(o.A, o.x(3, 2), o.x(4, 2))",
    "o.s.bsddmm(o.A, o.x(3, 2, 5), o.x(2, 4, 5))",
    "o.s.bsddmm(o.V, o.x(3, 2, 2), o.x(2, 4, 2))",
    # broadcasts
    *(
        f"o.s.sp_{op}_v(o.{name}, o.x({shape}))"
        for op in ("add", "sub", "mul", "div")
        for name in ("A", "V")
        for shape in ("3, 1", "1, 4", "4", "3")
    ),
    *(f"o.s.sp_broadcast_v(o.A, o.x(3, 1), '{op}')" for op in ("add", "mul", "div", "pow")),
    "o.s.sp_add_v(o.A, o.x(3, 4))",
    # parts
    "o.A.index_select(0, torch.tensor([2, 0])).to_dense()",
    "o.A.index_select(1, torch.tensor([2, 0])).to_dense()",
    "o.A.index_select(1, torch.tensor([4])).to_dense()",
    "o.V.index_select(0, torch.tensor([1])).to_dense()",
    "o.A.range_select(0, slice(0, 2)).to_dense()",
    "o.A.range_select(1, slice(1, 4)).to_dense()",
    "o.A.compact(0, torch.tensor([1]))[0].to_dense()",
    "o.A.compact(1, torch.tensor([3]))[1]",
    "o.B.compact(0, torch.tensor([2, 0]))[1]",
    "o.A.sample(0, 10, torch.tensor([0, 1])).coalesce()",
    "o.A.sample(1, 10, torch.tensor([0, 2])).coalesce()",
    "o.A.sample(0, 10).coalesce()",
    # unusual calls
    *(f"o.P.compact({dim})[1]" for dim in (0, 1)),
    *(f"o.P.compact({dim}, torch.tensor([2, 0]))[1]" for dim in (0, 1)),
    "o.P.compact(1)[0].coalesce()",
    "o.A.compact(0, torch.tensor([0, 0]))[1]",
    "o.A.compact(0, torch.tensor([9]))[1]",
    *(f"o.A.{name}(-1)" for name in ("sum", "smax", "softmax")),
    "o.A.sum(2)",
    "o.A.index_select(-1, torch.tensor([0]))",
    *(f"o.A.range_select(0, slice({part}))" for part in ("None, None", "-2, None", "2, 0", "0, 9")),
    *(f"o.A.sample(0, {count}, torch.tensor([0, 2])).coalesce()" for count in (0, -1)),
    "o.V.sample(0, 5, torch.tensor([0, 2]), bias=True)",
    "o.s.sddmm(o.I, o.x(3, 2), o.x(2, 3))",
    "o.s.bsddmm(o.I, o.x(3, 2, 2), o.x(2, 3, 2))",
    "o.s.sddmm(o.A, o.x(3, 2).double(), o.x(2, 4).double())",
    "o.s.sddmm(o.A, o.x(3, 2).double(), o.x(2, 4))",
    "o.s.sddmm(o.A, o.x(3, 2, 2), o.x(2, 4, 2))",
    "o.s.sddmm(o.W, o.x(3, 2), o.x(2, 4))",
    "o.s.sddmm(o.A, o.x(3, 0), o.x(0, 4))",
    "o.A @ o.x(4, 0)",
    *(f"o.{a} {op} o.{b}" for op in "*/" for a, b in ("BV", "BW")),
    "o.A + o.A.double()",
    "o.A * o.A.double()",
    "o.I.softmax()",
    "o.s.spmatrix(torch.zeros(2, 0, dtype=torch.int64), shape=(0, 0)).is_diag()",
    "o.s.spmatrix(torch.tensor([[0, -1], [1, 1]]))",
    "o.s.spmatrix(torch.tensor([[0, 1], [1, 1]]), shape=(1, 1))",
    "o.s.from_csr(torch.tensor([0, 2]), torch.tensor([0, 5]), shape=(1, 3))",
    "o.s.from_coo(torch.tensor([0, 1]), torch.tensor([1, 1], dtype=torch.int32))",
    "o.s.diag(torch.tensor([]))",
    "o.s.identity((0, 3))",
]

_NEGATIVE = "A negative dimension counts from the end; DGL gives zeros, infinities or an error."
_INSIDE = "Entries and leading indices must lie inside the shape."
_VECTORS = "Where one operand has vectors as values, so has the other; DGL mixes up entries."

TABLE = Table(
    "sparse",
    [(f"o = m(gs); {expression}", "simple") for expression in _EXPRESSIONS],
    differences=[
        Difference("*o.I.csr() @*", "other", "An order of 0, 1, 2, ... is given as None."),
        Difference("*o.P.to_dense()*", "other", "Entries in one place add up."),
        Difference("*o.I.smean(?)*", "other", "The mean of integers is floating-point."),
        *(
            Difference(
                f"*o.{name}.sum({dim})*",
                "other",
                "The sum of integers or booleans is int64 along a dimension, too.",
            )
            for name in "MN"
            for dim in (0, 1)
        ),
        Difference(
            "*o.Q @ o.s.diag(*(3, 4))*",
            "other",
            "A product has the columns of its right factor, also of a diagonal one.",
        ),
        Difference("*o.I.smean()*", "value", "The mean of integers is floating-point."),
        Difference(
            "*o.A.sample(0, 10).coal*",
            "value",
            "Without ids, entries of all rows or columns are drawn.",
        ),
        Difference("*o.P * o.*", "value", "Duplicates are added up first."),
        Difference("*o.A @ o.P.T*", "value", "Duplicates are allowed in products."),
        Difference("*sp_broadcast_v(o.A, o.x(3, 1), 'div')*", "value", "div is an operator."),
        Difference("*o.A.s*(-1)*", "other", _NEGATIVE),
        Difference("*o.A.index_select(-1*", "value", _NEGATIVE),
        Difference("*o.A.sum(2)*", "error", "A dimension is 0, 1, -1 or -2; DGL takes any number."),
        Difference("*range_select(0, slice(*", "value", "Slices work as those of lists do."),
        Difference(
            "*compact(0, torch.tensor([0, 0]))*", "value", "A leading index may be repeated."
        ),
        Difference("*compact(0, torch.tensor([9]))*", "error", _INSIDE),
        Difference("*o.s.spmatrix(torch.tensor([[0, ?1], [1, 1]])*", "error", _INSIDE),
        Difference("*o.s.spmatrix(torch.tensor([[0, 1], [1, 1]])*", "error", _INSIDE),
        Difference("*torch.tensor([0, 5]), shape=(1, 3))*", "error", _INSIDE),
        Difference(
            "*torch.tensor([1, 1], dtype=torch.int32))*",
            "error",
            "The ids of rows and columns have one dtype.",
        ),
        Difference(
            "*o.V.sample(0, 5, *bias=True)*",
            "error",
            "Values that bias a sample are one number an entry.",
        ),
        Difference(
            "*o.s.sddmm(o.A, o.x(3, 2, 2)*",
            "error",
            "sddmm takes matrices, bsddmm batches of them.",
        ),
        Difference("*o.s.sddmm(o.W, *", "error", _VECTORS),
        Difference("*o.B ? o.V*", "error", _VECTORS),
        Difference("*o.B ? o.W*", "error", _VECTORS),
        Difference("*o.x(?, 0)*", "value", "A dense matrix may have no columns; DGL crashes."),
        Difference("*o.A ? o.A.double()*", "value", "Dtypes of sparse operands are promoted."),
        Difference("*o.I.softmax()*", "value", "The softmax of integers is floating-point."),
        Difference("*(0, 0)).is_diag()*", "other", "A matrix without rows is diagonal."),
    ],
    names={"m": m},
)
