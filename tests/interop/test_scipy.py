"""What goes to a scipy matrix comes back."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.sparse as sparse
import torch
from hypothesis import given

import gossamer as gs
from helpers.compare import assert_graph_equal, assert_graph_valid
from helpers.generated import homogeneous_graphs
from helpers.graphs import graph_cases


@given(g=homogeneous_graphs())
def test_there_and_back(g):
    back = gs.from_scipy(g.adj_external(scipy_fmt="coo"), idtype=g.idtype)
    assert_graph_valid(back)
    assert_graph_equal(back, g, features=False)


@given(g=homogeneous_graphs())
def test_by_rows_edges_come_row_by_row(g):
    back = gs.from_scipy(g.adj_external(scipy_fmt="csr"))
    u, v = g.edges(order="eid")
    order = torch.sort(u, stable=True).indices
    assert back.edges()[0].tolist() == u[order].tolist()
    assert back.edges()[1].tolist() == v[order].tolist()


@pytest.mark.parametrize("case", graph_cases("bipartite"))
def test_bipartite(case, device):
    g = case(device)
    matrix = g.adj_external(scipy_fmt="coo")
    back = gs.bipartite_from_scipy(matrix, "user", "rates", "item", None, g.idtype, device)
    assert_graph_equal(back, g, features=False)


@pytest.mark.parametrize("fmt", ["coo", "csr", "csc", "lil", "dok", "dia", "bsr"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32, bool, np.complex64])
def test_every_format_and_dtype_of_values(fmt, dtype):
    dense = np.array([[0, 1, 0], [2, 0, 3], [0, 0, 4]]).astype(dtype)
    g = gs.from_scipy(sparse.coo_array(dense).asformat(fmt), "w")
    u, v = g.edges()
    nonzero = g.edata["w"].numpy() != 0  # some formats store zeros
    found = np.zeros_like(dense)
    found[u.numpy()[nonzero], v.numpy()[nonzero]] = g.edata["w"].numpy()[nonzero]
    assert found.dtype == dense.dtype
    np.testing.assert_array_equal(found, dense)


def test_the_graph_stays_when_the_matrix_changes():
    matrix = sparse.coo_matrix((np.array([1.0]), (np.array([0]), np.array([1]))), shape=(2, 2))
    g = gs.from_scipy(matrix, "w")
    matrix.data[:] = 9
    matrix.row[:] = 1
    assert g.edges()[0].tolist() == [0] and g.edata["w"].tolist() == [1]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: gs.from_scipy(np.eye(2)), gs.InvalidTypeError, "sparse matrix, got ndarray"),
        (lambda: gs.from_scipy(sparse.coo_matrix((2, 3))), gs.InvalidValueError, r"shape \(2, 3\)"),
        (
            lambda: gs.from_scipy(sparse.coo_matrix(np.eye(2, dtype=np.longdouble)), "w"),
            gs.InvalidTypeError,
            "cannot become a feature",
        ),
        (
            lambda: gs.from_scipy(sparse.coo_matrix((2, 2)), idtype=torch.float32),
            gs.InvalidTypeError,
            "idtype is",
        ),
        (
            lambda: gs.bipartite_from_scipy(None, "u", "e", "v"),
            gs.InvalidTypeError,
            "sparse matrix, got NoneType",
        ),
        (
            lambda: gs.bipartite_from_scipy(sparse.coo_matrix((2, 3)), "u", "e", "u"),
            gs.InvalidValueError,
            "both sides have type 'u' but 2 and 3",
        ),
        (
            lambda: gs.bipartite_from_scipy(sparse.coo_matrix((2, 3)), "u", 3, "v"),
            gs.InvalidTypeError,
            "An edge type consists",
        ),
    ],
)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_without_scipy(monkeypatch):
    matrix = sparse.coo_matrix((2, 2))
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(gs.MissingExtraError, match=r"from_scipy needs .* extra 'interop'"):
        gs.from_scipy(matrix)
