"""Conversion from scipy's sparse matrices; `Graph.adj_external` converts to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph, graph
from gossamer.interop._common import two_sided

__all__ = ["bipartite_from_scipy", "from_scipy"]


def from_scipy(
    sp_mat: Any,
    eweight_name: str | None = None,
    idtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Graph:
    """Make a graph with one node type and one edge type from a sparse matrix.

    Parameters
    ----------
    sp_mat : scipy.sparse matrix or array
        ``(N, N)``. Every stored entry ``(i, j)``, including explicit zeros, is an edge ``i -> j``.
        Edges are in the order of ``sp_mat.tocoo()``; duplicates are kept.
    eweight_name : str, optional
        Edge feature for the values, ``(E,)`` in their dtype. Default: values are dropped.
    idtype : torch.dtype, optional
        torch.int32 or torch.int64. Default: torch.int64.
    device : torch.device or str, optional
        Default: the CPU.

    Returns
    -------
    Graph

    Raises
    ------
    InvalidTypeError
        If `sp_mat` is not a sparse matrix, or its values have no torch dtype.
    InvalidValueError
        If it is not square.
    MissingExtraError
        If scipy is not installed.

    Examples
    --------
    >>> import gossamer as gs
    >>> from scipy.sparse import coo_matrix
    >>> g = gs.from_scipy(coo_matrix(([2.0, 5.0], ([0, 2], [1, 0])), shape=(3, 3)), "w")
    >>> g.edges(), g.edata["w"]
    ((tensor([0, 2]), tensor([1, 0])), tensor([2., 5.], dtype=torch.float64))
    """
    matrix = _coo(sp_mat, "from_scipy")
    if matrix.shape[0] != matrix.shape[1]:
        raise InvalidValueError(
            f"from_scipy takes a square matrix, got shape {tuple(matrix.shape)}. "
            "For two node types, use bipartite_from_scipy."
        )
    g = graph(_ends(matrix), num_nodes=matrix.shape[0], idtype=idtype, device=device)
    return _weighted(g, matrix, eweight_name, "from_scipy")


def bipartite_from_scipy(
    sp_mat: Any,
    utype: str,
    etype: str,
    vtype: str,
    eweight_name: str | None = None,
    idtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Graph:
    """Make a graph with edges from one node type to another from a sparse matrix.

    Parameters
    ----------
    sp_mat : scipy.sparse matrix or array
        ``(number of sources, number of destinations)``; see :func:`from_scipy`.
    utype, etype, vtype : str
        Source type, relation and destination type.
    eweight_name, idtype, device
        As for :func:`from_scipy`.

    Returns
    -------
    Graph

    Raises
    ------
    InvalidTypeError, MissingExtraError
        As for :func:`from_scipy`.
    InvalidValueError
        If `utype` and `vtype` are the same and the matrix is not square.

    Examples
    --------
    >>> import gossamer as gs
    >>> from scipy.sparse import coo_matrix
    >>> matrix = coo_matrix(([1, 1], ([0, 1], [3, 0])), shape=(2, 4))
    >>> g = gs.bipartite_from_scipy(matrix, "user", "likes", "item")
    >>> g.num_nodes("item"), g.edges()
    (4, (tensor([0, 1]), tensor([3, 0])))
    """
    matrix = _coo(sp_mat, "bipartite_from_scipy")
    name = "bipartite_from_scipy"
    g = two_sided(_ends(matrix), (utype, etype, vtype), matrix.shape, idtype, device, name)
    return _weighted(g, matrix, eweight_name, name)


def _coo(sp_mat: Any, name: str) -> Any:
    sparse = optional_import("scipy.sparse", f"gossamer.{name}", "interop")
    if not sparse.issparse(sp_mat):
        raise InvalidTypeError(
            f"{name} takes a scipy sparse matrix, got {type(sp_mat).__name__}. "
            "Wrap a dense one in scipy.sparse.coo_matrix(...)."
        )
    if len(sp_mat.shape) != 2:
        raise InvalidValueError(f"{name} takes a matrix, got shape {tuple(sp_mat.shape)}.")
    return sp_mat.tocoo()


def _ends(matrix: Any) -> tuple[Tensor, Tensor]:
    # Copies: the graph shares no memory with the matrix.
    row, col = (torch.from_numpy(ids.astype(np.int64)) for ids in (matrix.row, matrix.col))
    return row, col


def _weighted(g: Graph, matrix: Any, name: str | None, caller: str) -> Graph:
    if name is not None:
        try:
            values = torch.from_numpy(np.array(matrix.data))
        except TypeError:
            raise InvalidTypeError(
                f"{caller}: values of dtype {matrix.data.dtype} cannot become a feature. "
                "Convert them with .astype(...), or omit eweight_name."
            ) from None
        g.edata[name] = values.to(g.device)
    return g
