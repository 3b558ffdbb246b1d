"""Creation, formats, reductions and parts of sparse matrices."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

import gossamer as gs
from gossamer import InvalidTypeError, InvalidValueError, OutOfRangeError, sparse
from helpers.matrices import random_matrix, with_grad

T = torch.tensor


def test_formats_describe_the_same_entries() -> None:
    a = random_matrix(6, 5, 20)
    for create, parts in ((sparse.from_csr, a.csr()), (sparse.from_csc, a.csc())):
        indptr, indices, entries = parts
        b = create(indptr, indices, a.val[entries], a.shape)
        torch.testing.assert_close(b.to_dense(), a.to_dense())


def test_in_place_changes_outside_do_not_reach_the_matrix() -> None:
    row, col = T([0, 1]), T([1, 0])
    a = sparse.from_coo(row, col)
    row += 1000
    a.row.add_(1000)
    a.coo()[1].add_(1000)
    a.csr()[1].add_(1000)
    a.indices().add_(1000)
    assert a.to_dense().tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("dim", [None, 0, 1, -1])
@pytest.mark.parametrize("width", [None, 2])
def test_sums_are_dense_sums(dim, width) -> None:
    a = random_matrix(6, 5, 20, width=width)
    axes = (0, 1) if dim is None else dim % 2
    torch.testing.assert_close(a.sum(dim), a.to_dense().sum(axes))


@pytest.mark.parametrize("rtype", ["smax", "smin", "smean", "sprod", "sum"])
@pytest.mark.parametrize("dim", [0, 1])
def test_reductions(rtype, dim) -> None:
    a, val = with_grad(random_matrix(6, 5, 12, seed=2))
    plain = {
        "smax": lambda x: x.max(),
        "smin": lambda x: x.min(),
        "smean": lambda x: x.mean(),
        "sprod": lambda x: x.prod(),
        "sum": lambda x: x.sum(),
    }[rtype]
    ids = a.col if dim == 0 else a.row
    rows = [a.val[ids == i] for i in range(a.shape[1 - dim])]
    expected = torch.stack([plain(x) if len(x) else x.new_zeros(()) for x in rows])
    torch.testing.assert_close(a.reduce(dim, rtype), expected)
    assert torch.autograd.gradcheck(lambda v: sparse.val_like(a, v).reduce(dim, rtype), val)


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("width", [None, 3])
def test_softmax(dim, width) -> None:
    a = random_matrix(6, 5, 14, width=width, duplicates=False)
    row, col = a.coo()
    dense = torch.full((6, 5, *a.value_shape), -torch.inf, dtype=torch.float64)
    dense[row, col] = a.val
    expected = dense.softmax(dim)[row, col]
    torch.testing.assert_close(a.softmax(dim).val, expected)


@pytest.mark.parametrize("dim", [0, 1])
def test_parts(dim) -> None:
    a = random_matrix(6, 5, 14)
    index = T([3, 0, 3, 2])
    torch.testing.assert_close(
        a.index_select(dim, index).to_dense(), a.to_dense().index_select(dim, index)
    )
    torch.testing.assert_close(
        a.range_select(dim, slice(1, 4)).to_dense(), a.to_dense().narrow(dim, 1, 3)
    )
    b, ids = a.compact(dim, T([4]))
    assert ids[0] == 4
    torch.testing.assert_close(b.to_dense(), a.to_dense().index_select(dim, ids))


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("replace", [False, True])
def test_draws(dim, replace) -> None:
    a = random_matrix(6, 5, 20, duplicates=False)
    ids = T([4, 0, 4])
    drawn = a.sample(dim, 2, ids, replace=replace)
    assert drawn.shape == ((3, 5) if dim == 0 else (6, 3))
    row, col = drawn.coo()
    whole = (ids[row], col) if dim == 0 else (row, ids[col])
    assert torch.equal(a.to_dense()[whole], drawn.val)
    stored = torch.bincount(a.row if dim == 0 else a.col, minlength=6)[ids]
    counts = torch.bincount(row if dim == 0 else col, minlength=3)
    assert torch.equal(counts, torch.where(stored > 0, 2, 0) if replace else stored.clamp(max=2))


def test_values_are_probabilities_of_draws() -> None:
    a = sparse.from_coo(T([0, 0, 0]), T([0, 1, 2]), T([0.0, 1.0, 3.0]))
    drawn = a.sample(0, 4000, T([0]), replace=True, bias=True)
    share = torch.bincount(drawn.col, minlength=3) / 4000
    torch.testing.assert_close(share, T([0.0, 0.25, 0.75]), atol=0.03, rtol=0)
    with pytest.raises(InvalidValueError, match="no probabilities"):
        (a * -1).sample(0, 2, bias=True)
    with pytest.raises(OutOfRangeError, match="index 1 is not among the 1 rows"):
        a.sample(0, 1, T([1]))


def test_a_graph_shares_its_structure() -> None:
    g = gs.graph(([0, 1, 1], [1, 2, 0]))
    g.edata["w"] = T([1.0, 2.0, 3.0])
    a = sparse.from_graph(g, eweight_name="w")
    assert a.adjacency is g.adjacency
    assert a.to_dense().tolist() == [[0, 1, 0], [3, 0, 2], [0, 0, 0]]


def test_copies() -> None:
    a = random_matrix(6, 5, 14)
    for b in (copy.deepcopy(a), pickle.loads(pickle.dumps(a)), a.to("cpu"), a.T.T):
        torch.testing.assert_close(b.to_dense(), a.to_dense())


def test_torch_tensors_and_back() -> None:
    a = random_matrix(6, 5, 14)
    b = sparse.from_torch_sparse(sparse.to_torch_sparse_coo(a))
    torch.testing.assert_close(b.to_dense(), a.to_dense())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sparse.spmatrix([[0], [1]]), InvalidTypeError, "indices must be a torch.Tensor"),
        (lambda: sparse.spmatrix(T([0, 1])), InvalidValueError, r"shape \(2, nnz\), got \(2,\)"),
        (lambda: sparse.spmatrix(T([[0.0], [1.0]])), InvalidTypeError, "int32 or int64"),
        (lambda: sparse.spmatrix(T([[0], [-1]])), OutOfRangeError, "contains -1"),
        (lambda: sparse.spmatrix(T([[0], [5]]), shape=(2, 2)), OutOfRangeError, "outside"),
        (lambda: sparse.spmatrix(T([[0], [5]]), T([1.0, 2.0])), InvalidValueError, "row for each"),
        (lambda: sparse.spmatrix(T([[0], [5]]), shape=3), InvalidTypeError, "pair of ints"),
        (
            lambda: sparse.spmatrix(T([[0], [5]]).to("meta")),
            InvalidValueError,
            "row is on the meta",
        ),
        (
            lambda: sparse.identity((2, 2)).index_select(0, T([1]).to("meta")),
            InvalidValueError,
            "index_select: index is on the meta device",
        ),
        (lambda: sparse.identity(None), InvalidTypeError, "shape is a pair of ints, got None"),
        (lambda: sparse.from_csr(T([0, 2, 1]), T([0])), InvalidValueError, "never fall"),
        (lambda: sparse.from_csr(T([0, 1]), T([0]), shape=(2, 2)), InvalidValueError, "2 rows"),
        (lambda: sparse.from_csc(T([0, 1]), T([4]), shape=(2, 1)), OutOfRangeError, "outside"),
        (lambda: sparse.diag(T([1.0, 2.0]), (3, 4)), InvalidValueError, "diagonal of 3"),
        (lambda: sparse.diag(3.0), InvalidTypeError, r"shape \(N,\) or \(N, D\)"),
        (lambda: sparse.identity((2, 2)).reduce(2), InvalidValueError, "dim must be 0, 1"),
        (lambda: sparse.identity((2, 2)).reduce(0, "prod"), InvalidValueError, "rtype is one of"),
        (lambda: sparse.identity((0, 0)).smax(), InvalidValueError, "without entries"),
        (lambda: random_matrix(2, 2, 3).inv(), InvalidValueError, "square diagonal"),
        (lambda: sparse.from_torch_sparse(torch.eye(2)), InvalidTypeError, "COO, CSR or CSC"),
        (
            lambda: sparse.identity((2, 2)).index_select(0, T([2])),
            OutOfRangeError,
            "index 2 is not among the 2 rows",
        ),
        (lambda: sparse.val_like(T([1.0]), T([1.0])), InvalidTypeError, "mat must be a Sparse"),
    ],
)
def test_wrong_input(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()
