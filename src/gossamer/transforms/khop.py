"""Counts of walks of a given length, and graphs whose edges are walks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer._options import as_int
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import refuse_block, require_homogeneous
from gossamer.graph.schema import DEFAULT_ETYPE, CanonicalEType, Schema
from gossamer.ops.adjacency import INT32_MAX, Adjacency, Compressed
from gossamer.transforms.reverse import kept_frames
from gossamer.transforms.simple import merge_parallel

__all__ = ["khop_adj", "khop_graph", "metapath_reachable_graph"]

# Up to this number, sums of float64 integers are exact.
_MOST_WALKS = 2**53


def khop_adj(g: Graph, k: int) -> Tensor:
    r"""Count the walks of `k` edges between each pair of nodes, as a dense matrix.

    .. math:: A^k, \quad A_{uv} = \text{number of edges } u \to v

    Parameters
    ----------
    g : Graph
        One node type and one edge type.
    k : int
        Number of edges, 0 or more; ``A^0`` is the identity.

    Returns
    -------
    Tensor
        ``(N, N)`` float32; row ``u`` counts walks that start at ``u``.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph or `k` is not an int.
    InvalidValueError
        If `g` is a block or has several types, or `k` is negative.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.khop_adj(gs.graph(([0, 0, 1], [1, 1, 2])), 2)
    tensor([[0., 0., 2.],
            [0., 0., 0.],
            [0., 0., 0.]])
    """
    require_homogeneous(g, "khop_adj")
    k = as_int(k, "khop_adj", "the number of hops k", 0)
    row, col = g.adjacency.coo()
    count = g.adjacency.num_src
    adjacency = torch.zeros(count, count, dtype=torch.float64, device=g.device)
    ones = torch.ones(len(row), dtype=torch.float64, device=g.device)
    adjacency.index_put_((row.long(), col.long()), ones, accumulate=True)
    return torch.linalg.matrix_power(adjacency, k).float()


def khop_graph(g: Graph, k: int, copy_ndata: bool = True) -> Graph:
    """Return a graph with an edge for each walk of `k` edges: ``(A^k)_uv`` from ``u`` to ``v``.

    Parameters
    ----------
    g : Graph
        One node type and one edge type.
    k : int
        Number of edges, 0 or more. With 0, every node has one self-loop; with 1, the edges are
        those of `g`, in the same order. Otherwise, edges are grouped by source.
    copy_ndata : bool
        If True, the result has the node features of `g`.

    Returns
    -------
    Graph
        A homogeneous graph without edge features. Batch sizes are dropped.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph or `k` is not an int.
    InvalidValueError
        If `g` is a block or has several types, `k` is negative, or there are too many walks.
    MissingExtraError
        If scipy is not installed.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> gs.khop_graph(g, 2).edges()
    (tensor([0, 1, 2]), tensor([2, 0, 1]))
    """
    require_homogeneous(g, "khop_graph")
    k = as_int(k, "khop_graph", "the number of hops k", 0)
    count = g.adjacency.num_src
    sparse = optional_import("scipy.sparse", "khop_graph")
    row, col = (end.cpu().numpy() for end in g.adjacency.coo())
    # COO, because CSR would sort the edges, which keep their order with k = 1.
    walks = (sparse.coo_matrix((np.ones(len(row)), (row, col)), shape=(count, count)) ** k).tocoo()
    total = float(walks.data.sum())
    if not total <= _MOST_WALKS:
        raise InvalidValueError(
            f"khop_graph: there are {total:.2g} walks of {k} edges, more edges "
            "than a graph can have. Use a smaller k, or gossamer.khop_adj."
        )
    times = torch.from_numpy(walks.data.astype("int64"))
    coo = tuple(
        torch.from_numpy(end).to(g.idtype).repeat_interleave(times).to(g.device)
        for end in (walks.row, walks.col)
    )
    adjacency = Adjacency(count, count, g.idtype, coo=coo)
    frames = kept_frames(g.node_frames, copy_ndata)
    return Graph.from_parts(Schema.homogeneous(), [adjacency], frames)


def metapath_reachable_graph(g: Graph, metapath: Sequence[str | CanonicalEType]) -> Graph:
    r"""Return a graph whose edges join nodes connected by a path along the given edge types.

    .. math:: E' = \{(u, v) : (A_1 A_2 \cdots A_m)_{uv} > 0\}

    where :math:`A_i` is the adjacency matrix of the ``i``-th edge type. Several paths between
    the same nodes give one edge. Edges are sorted by source, then destination.

    Parameters
    ----------
    g : Graph
        Any graph but a block.
    metapath : sequence of str or (str, str, str)
        Edge types, at least one; each starts at the node type where the previous one ends.

    Returns
    -------
    Graph
        A graph with one edge type, ``(first source type, "_E", last destination type)``, and the
        node features of `g`. Batch sizes are dropped.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph or `metapath` is not a sequence of edge types.
    UnknownKeyError
        If an edge type does not exist.
    InvalidValueError
        If `g` is a block, or `metapath` is empty or not connected.
    MissingExtraError
        If scipy is not installed and `metapath` has several edge types.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.heterograph({
    ...     ("user", "rates", "item"): ([0, 1, 1], [0, 0, 1]),
    ...     ("item", "rated-by", "user"): ([0, 0, 1], [0, 1, 1]),
    ... })
    >>> gs.metapath_reachable_graph(g, ["rates", "rated-by"]).edges()
    (tensor([0, 0, 1, 1]), tensor([0, 1, 0, 1]))
    """
    refuse_block(g, "metapath_reachable_graph")
    positions = _path(g, metapath)
    path = [g.relations[position] for position in positions]
    reached = merge_parallel(path[0]).adjacency if len(path) == 1 else _product(path, g)
    src, dst = g.schema.endpoints[positions[0]][0], g.schema.endpoints[positions[-1]][1]
    ends = sorted({src, dst}, key=lambda position: g.ntypes[position])
    schema = Schema(
        tuple(g.ntypes[position] for position in ends),
        ((g.ntypes[src], DEFAULT_ETYPE, g.ntypes[dst]),),
    )
    return Graph.from_parts(schema, [reached], [g.node_frames[i].copy() for i in ends])


def _path(g: Graph, metapath: Any) -> list[int]:
    """The positions of the edge types of a connected path."""
    if isinstance(metapath, str) or not isinstance(metapath, Sequence):
        raise InvalidTypeError(
            f"metapath_reachable_graph takes a list of edge types, got {metapath!r}. Put a "
            "single one into a list."
        )
    if not metapath:
        raise InvalidValueError("metapath_reachable_graph needs at least one edge type.")
    positions = [g.get_etype_id(etype) for etype in metapath]
    etypes = [g.canonical_etypes[position] for position in positions]
    for before, after in pairwise(etypes):
        if before[2] != after[0]:
            raise InvalidValueError(
                f"metapath_reachable_graph: {after} cannot follow {before}, which ends at "
                f"{before[2]!r}. Each edge type must start where the previous one ends."
            )
    return positions


def _product(path: list[Adjacency], g: Graph) -> Adjacency:
    """Pairs of nodes joined by a path, sorted by source, then destination."""
    sparse = optional_import("scipy.sparse", "metapath_reachable_graph")
    # Multiply the transposes in reverse order. The rows of scipy's products are not sorted;
    # transposing the result sorts them and is faster than sorting.
    turned = reduce(lambda done, step: step @ done, [_turned(sparse, step) for step in path])
    reached = turned.tocsc()
    largest = max(*reached.shape, reached.nnz)
    form = {"dtype": torch.int32 if largest < INT32_MAX else torch.int64, "device": g.device}
    indptr, indices = (torch.from_numpy(x).to(**form) for x in (reached.indptr, reached.indices))
    csr = Compressed(indptr, indices, None)
    return Adjacency(path[0].num_src, path[-1].num_dst, g.idtype, csr=csr)


def _turned(sparse: Any, adjacency: Adjacency) -> Any:
    """The transposed adjacency matrix, True where there is an edge."""
    indptr, indices, _ = adjacency.csc()
    ones = torch.ones(len(indices), dtype=torch.bool).numpy()
    arrays = ones, indices.cpu().numpy(), indptr.cpu().numpy()
    return sparse.csr_matrix(arrays, shape=(adjacency.num_dst, adjacency.num_src))
