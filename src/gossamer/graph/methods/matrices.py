"""Methods of Graph that return matrices and the tensors of sparse formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer._options import as_device
from gossamer.errors import InvalidValueError
from gossamer.ops._storage import copied_ids

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph
    from gossamer.sparse import SparseMatrix

__all__ = ["Matrices"]


class Matrices:
    """Methods of :class:`Graph` that return adjacency and incidence matrices."""

    def adj(
        self: Graph,
        etype: Any = None,
        eweight_name: str | None = None,
        *,
        scipy_fmt: str | None = None,
    ) -> SparseMatrix | Any:
        """Return the adjacency matrix, ``(num_src, num_dst)``.

        See :func:`gossamer.sparse.from_graph`.

        The matrix shares the structure of the graph and, with `eweight_name`, the feature tensor.

        Parameters
        ----------
        etype : str or (str, str, str), optional
            Edge type; may be left out if there is only one.
        eweight_name : str, optional
            Edge feature to use as values, differentiable. Default: ones.
        scipy_fmt : {"coo", "csr"}, optional
            If given, return a scipy matrix of ones in this format, as DGL before 1.0 did.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0, 1], [1, 2])).adj().to_dense()
        tensor([[0., 1., 0.],
                [0., 0., 1.],
                [0., 0., 0.]])
        """
        from gossamer.sparse import from_graph

        if scipy_fmt is None:
            return from_graph(self, etype, eweight_name)
        if eweight_name is not None:
            raise InvalidValueError(
                f"Graph.adj: a scipy matrix has ones as values, got eweight_name={eweight_name!r}. "
                "Leave out one of eweight_name and scipy_fmt."
            )
        return self.adj_external(scipy_fmt=scipy_fmt, etype=etype)

    adjacency_matrix = adj

    def adj_external(
        self: Graph,
        transpose: bool = False,
        ctx: torch.device | str = "cpu",
        scipy_fmt: str | None = None,
        etype: Any = None,
    ) -> Any:
        """Return the adjacency matrix as a sparse COO tensor, or as a scipy matrix.

        Each parallel edge is a separate entry.

        Parameters
        ----------
        transpose : bool
            If True, rows are destinations.
        ctx : torch.device
            Device of the sparse tensor.
        scipy_fmt : {"coo", "csr"}, optional
            If given, return a scipy matrix in this format.
        etype : str or (str, str, str), optional
            Edge type; may be left out if there is only one.
        """
        adjacency = self._adjacencies[self._schema.etype_id(etype)]
        row, col = adjacency.coo()
        shape = (adjacency.num_src, adjacency.num_dst)
        if transpose:
            row, col, shape = col, row, shape[::-1]
        if scipy_fmt is None:
            row, col = (end.to(as_device(ctx, "ctx")) for end in (row, col))
            return _sparse(row, col, None, shape)
        if scipy_fmt not in ("coo", "csr"):
            raise InvalidValueError(f"scipy_fmt is 'coo' or 'csr', got {scipy_fmt!r}.")
        sparse = optional_import("scipy.sparse", "Graph.adj_external with scipy_fmt", "interop")
        ones = torch.ones(row.shape[0], dtype=self.idtype, device="cpu").numpy()
        # Copies: scipy sorts and sums entries in place.
        if scipy_fmt == "coo":
            ends = _as_new_array(row), _as_new_array(col)
            return sparse.coo_matrix((ones, ends), shape=shape)
        # Conversion from COO would add up parallel edges.
        indptr, indices, _ = adjacency.csc() if transpose else adjacency.csr()
        arrays = ones, _as_new_array(indices), _as_new_array(indptr)
        return sparse.csr_matrix(arrays, shape=shape)

    def adj_tensors(self: Graph, fmt: str, etype: Any = None) -> tuple[Tensor, ...]:
        """Return copies of the tensors of a sparse format, in the id type of the graph.

        Parameters
        ----------
        fmt : {"coo", "csr", "csc"}
            ``(row, col)``, or ``(indptr, indices, edge ids)`` by source or by destination.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0, 1], [1, 1])).adj_tensors("csc")
        (tensor([0, 0, 2]), tensor([0, 1]), tensor([0, 1]))
        """
        adjacency = self._adjacencies[self._schema.etype_id(etype)]
        if fmt == "coo":
            return tuple(copied_ids(end) for end in adjacency.coo())
        if fmt not in ("csr", "csc"):
            raise InvalidValueError(f"The format is 'coo', 'csr' or 'csc', got {fmt!r}.")
        indptr, indices, eids = getattr(adjacency, fmt)()
        if eids is None:
            eids = torch.arange(indices.shape[0], device=indices.device)
        return tuple(copied_ids(tensor, self.idtype) for tensor in (indptr, indices, eids))

    def inc(
        self: Graph, typestr: str, ctx: torch.device | str = "cpu", etype: Any = None
    ) -> Tensor:
        """Return the incidence matrix, ``(N, E)``, as a sparse COO tensor.

        Parameters
        ----------
        typestr : {"in", "out", "both"}
            "in": 1 where the edge ends at the node. "out": 1 where the edge starts at the node.
            "both": -1 where it starts and 1 where it ends, 0 for self-loops.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0, 1], [1, 2])).inc("both").to_dense()
        tensor([[-1.,  0.],
                [ 1., -1.],
                [ 0.,  1.]])
        """
        position = self._schema.etype_id(etype)
        adjacency = self._adjacencies[position]
        row, col = (end.to(as_device(ctx, "ctx")) for end in adjacency.coo())
        edge = torch.arange(row.shape[0], device=row.device)
        if typestr == "in":
            return _sparse(col, edge, None, (adjacency.num_dst, row.shape[0]))
        if typestr == "out":
            return _sparse(row, edge, None, (adjacency.num_src, row.shape[0]))
        if typestr != "both":
            raise InvalidValueError(f"typestr is 'in', 'out' or 'both', got {typestr!r}.")
        src, dst = self._schema.endpoints[position]
        if src != dst:
            raise InvalidValueError(
                "The incidence matrix of kind 'both' needs source and destination nodes of one "
                f"type; {self.canonical_etypes[position]} joins two. Use 'in' or 'out'."
            )
        proper = row != col
        row, col, edge = row[proper], col[proper], edge[proper]
        ones = torch.ones(edge.shape[0], device=row.device)
        return _sparse(
            torch.cat([row, col]),
            torch.cat([edge, edge]),
            torch.cat([-ones, ones]),
            (adjacency.num_src, adjacency.num_edges),
        )

    incidence_matrix = inc


def _as_new_array(tensor: Tensor) -> np.ndarray:
    return np.array(tensor.cpu().numpy())


def _sparse(row: Tensor, col: Tensor, values: Tensor | None, shape: tuple[int, int]) -> Tensor:
    if values is None:
        values = torch.ones(row.shape[0], device=row.device)
    index = torch.stack([row, col]).long()
    size = (*shape, *values.shape[1:])
    return torch.sparse_coo_tensor(index, values, size, check_invariants=False)
