"""Positional encodings from the graph Laplacian and the adjacency matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer._options import as_int
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph
from gossamer.ops.adjacency import Adjacency
from gossamer.transforms._spectral import (
    DENSE_SIZE,
    is_symmetric,
    largest_pairs,
    largest_singular,
    largest_value,
)
from gossamer.transforms._validate import one_relation

__all__ = ["lap_pe", "laplacian_lambda_max", "svd_pe"]

# Maximum number of entries of a sparse product, and of a batch of dense matrices.
ENTRIES = 1 << 24


def lap_pe(
    g: Graph, k: int, padding: bool = False, return_eigval: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Laplacian positional encoding: eigenvectors of the smallest eigenvalues except the first.

    .. math::
        L = I - D^{-1/2} A D^{-1/2},

    where A counts edges and D holds in-degrees, at least 1. For a directed graph, L is not
    symmetric, and the real parts of eigenvalues and eigenvectors are returned.

    From `Benchmarking Graph Neural Networks <https://arxiv.org/abs/2003.00982>`__
    (Dwivedi et al., 2020).

    Parameters
    ----------
    g : Graph
        One edge type that joins a node type with itself; N nodes.
    k : int
        Number of eigenvectors, at least 1; less than N unless `padding`.
    padding : bool
        Whether to pad with zeros if the graph has fewer eigenvectors.
    return_eigval : bool
        Whether to also return the eigenvalues, padded with NaN.

    Returns
    -------
    pe : Tensor
        ``(N, k)``, float32, columns by ascending eigenvalue. The sign of each column is random,
        because the sign of an eigenvector is arbitrary and a model should not learn it.
        :func:`gossamer.seed` makes it reproducible.
    eigval : Tensor
        With `return_eigval`: ``(k,)``, float32.

    Raises
    ------
    InvalidValueError
        If `k` is less than 1, or at least N without `padding`.
    MissingExtraError
        If scipy is not installed.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2], [1, 0, 2, 1]))
    >>> pe, eigval = gs.lap_pe(g, 2, return_eigval=True)
    >>> eigval
    tensor([1., 2.])
    >>> pe.abs()[:, 1]
    tensor([0.5000, 0.7071, 0.5000])
    """
    relation = one_relation(g, "lap_pe")
    k = as_int(k, "lap_pe", "k", 1)
    count = relation.num_src
    if k >= count and not padding:
        raise InvalidValueError(
            f"lap_pe: a graph of {count} nodes has {max(count - 1, 0)} eigenvectors besides the "
            f"first, but k is {k}. Use a smaller k, or padding=True."
        )
    found = min(k, max(count - 1, 0))
    values, vectors = _smallest(relation, found + 1) if found else (None, None)
    pe = torch.zeros(count, k, dtype=torch.float32)
    eigval = torch.full((k,), float("nan"), dtype=torch.float32)
    if found:
        vectors = torch.from_numpy(_oriented(vectors[:, 1:])).float()
        signs = torch.randint(0, 2, (found,)) * 2 - 1
        pe[:, :found] = vectors * signs
        eigval[:found] = torch.from_numpy(values[1:]).float()
    pe, eigval = pe.to(g.device), eigval.to(g.device)
    return (pe, eigval) if return_eigval else pe


def adjacency_matrix(relation: Adjacency, purpose: str, weights: Tensor | None = None) -> Any:
    """The adjacency matrix as a scipy matrix: edge counts, or sums of weights, row to column."""
    sparse = optional_import("scipy.sparse", purpose)
    u, v = (end.long().cpu().numpy() for end in relation.coo())
    values = np.ones(len(u)) if weights is None else weights.detach().double().cpu().numpy()
    return sparse.csr_matrix((values, (u, v)), shape=(relation.num_src, relation.num_dst))


def _normalized(relation: Adjacency) -> Any:
    """The scipy matrix D^-1/2 A D^-1/2; exactly symmetric if A is."""
    matrix = adjacency_matrix(relation, "lap_pe").tocoo()
    scale = relation.in_degrees().clamp(min=1).double().cpu().numpy() ** -0.5
    matrix.data *= scale[matrix.row] * scale[matrix.col]
    return matrix.tocsr()


def _smallest(relation: Adjacency, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The `count` smallest eigenvalues of the Laplacian, ascending, and eigenvectors as columns."""
    matrix = _normalized(relation)
    if matrix.shape[0] <= DENSE_SIZE or count >= matrix.shape[0] // 4:
        values, vectors = largest_pairs(matrix, count)
        return 1 - values, vectors
    root = relation.in_degrees().double().cpu().numpy() ** 0.5
    symmetric = is_symmetric(matrix)
    parts, alone = _components(matrix, count)
    # In an undirected graph, each connected component contributes one eigenvalue 0 whose
    # eigenvector is the square roots of degrees, so at most `count` components matter.
    parts = parts[:count] if symmetric else parts
    wanted = count - len(parts) + 1 if symmetric else count
    # A node without edges has the eigenvalue 1.
    found = [(1.0, node[None], np.ones(1)) for node in alone]
    for part in parts:
        known = root[part][:, None] / np.linalg.norm(root[part]) if symmetric else None
        if symmetric and wanted == 1:
            values, vectors = np.ones(1), known
        else:
            inside = matrix[part][:, part]
            more = min(wanted, len(part))
            values, vectors = largest_pairs(inside, more, known, 1.0 if symmetric else None)
        found += [
            (1 - value, part, vector) for value, vector in zip(values, vectors.T, strict=True)
        ]
    found.sort(key=lambda pair: pair[0])
    result = np.zeros((matrix.shape[0], count))
    for column, (_, part, vector) in zip(result.T, found[:count], strict=True):
        column[part] = vector
    return np.asarray([value for value, _, _ in found[:count]]), result


def _components(matrix: Any, count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Nodes of each connected component with edges, and up to `count` nodes without edges."""
    graphs = optional_import("scipy.sparse.csgraph", "lap_pe")
    component = graphs.connected_components(matrix, directed=False)[1]
    linked = (np.diff(matrix.indptr) > 0) | (np.diff(matrix.tocsc().indptr) > 0)
    members = np.flatnonzero(linked)
    members = members[np.argsort(component[members], kind="stable")]
    starts = np.flatnonzero(np.diff(component[members], prepend=-1))
    return np.split(members, starts)[1:], np.flatnonzero(~linked)[:count]


def _oriented(vectors: np.ndarray) -> np.ndarray:
    """Columns whose signs are chosen so that the entry of largest magnitude is positive."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(0)[None], axis=0)
    return vectors * np.where(largest < 0, -1.0, 1.0)


def laplacian_lambda_max(g: Graph) -> list[float]:
    r"""Largest eigenvalue of the normalized Laplacian of each graph in a batch.

    :math:`L = I - D^{-1/2} A D^{-1/2}` as in :func:`lap_pe`. The result can be passed to
    :class:`gossamer.nn.ChebConv`.

    Parameters
    ----------
    g : Graph
        One edge type that joins a node type with itself; a batch of B graphs or a single one. For a
        directed graph, the real part of the eigenvalue of largest magnitude is returned.

    Returns
    -------
    list of float
        B values, from 0 to 2 for undirected graphs; 1 for a graph without edges.

    Raises
    ------
    InvalidValueError
        If a graph has no nodes.
    MissingExtraError
        If scipy is not installed.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2], [1, 0, 2, 1]))
    >>> [round(value, 4) for value in gs.laplacian_lambda_max(g)]
    [2.0]
    """
    relation = one_relation(g, "laplacian_lambda_max")
    sizes = g.batch_num_nodes().cpu().numpy()
    if (sizes == 0).any():
        raise InvalidValueError(
            "laplacian_lambda_max: a graph without nodes has no eigenvalues. "
            "Remove empty graphs from the batch."
        )
    matrix = _normalized(relation)
    first = np.concatenate([[0], np.cumsum(sizes)])
    result = np.empty(len(sizes))
    for chosen in _groups(sizes):
        if sizes[chosen[0]] > DENSE_SIZE:
            begin, end = first[chosen[0]], first[chosen[0] + 1]
            result[chosen] = _largest(matrix[begin:end, begin:end])
        else:
            result[chosen] = _largest_of_many(matrix, first, sizes, chosen)
    return result.tolist()


def _groups(sizes: np.ndarray) -> Iterator[np.ndarray]:
    """Positions of small graphs, grouped by similar size, and of large ones, one by one."""
    order = np.argsort(sizes, kind="stable")
    begin = 0
    while begin < len(order):
        if sizes[order[begin]] > DENSE_SIZE:
            end = begin + 1
        else:
            # At most twice as large, so that padding costs little.
            limit = min(2 * sizes[order[begin]], DENSE_SIZE)
            end = int(np.searchsorted(sizes[order], limit, side="right"))
            end = min(end, begin + max(ENTRIES // int(limit) ** 2, 1))
        yield order[begin:end]
        begin = end


def _largest_of_many(
    matrix: Any, first: np.ndarray, sizes: np.ndarray, chosen: np.ndarray
) -> np.ndarray:
    """`_largest` of many small graphs, computed on a stack of dense Laplacians.

    The smaller matrices are padded with zeros. This adds eigenvalues 0, which are never the
    largest.
    """
    width = int(sizes[chosen].max())
    slot = np.full(len(sizes), -1)
    slot[chosen] = np.arange(len(chosen))
    owner = np.repeat(np.arange(len(sizes)), sizes)
    entries = matrix.tocoo()
    kept = slot[owner[entries.row]] >= 0
    row, col, value = entries.row[kept], entries.col[kept], entries.data[kept]
    start = first[owner[row]]
    stack = np.zeros((len(chosen), width, width))
    at = np.arange(width)
    stack[:, at, at] = at < sizes[chosen][:, None]
    stack[slot[owner[row]], row - start, col - start] -= value
    if np.array_equal(stack, stack.transpose(0, 2, 1)):
        return np.linalg.eigvalsh(stack)[:, -1]
    values = np.linalg.eigvals(stack)
    return np.take_along_axis(values, np.abs(values).argmax(1)[:, None], axis=1)[:, 0].real


def _largest(matrix: Any) -> float:
    """The real part of the eigenvalue of I - matrix that has the largest magnitude."""
    if is_symmetric(matrix):
        return 1 + largest_value(-matrix, bound=1.0)
    sparse = optional_import("scipy.sparse", "laplacian_lambda_max")
    linalg = optional_import("scipy.sparse.linalg", "laplacian_lambda_max")
    laplacian = sparse.identity(matrix.shape[0], format="csr") - matrix
    start = np.random.default_rng(0).standard_normal(matrix.shape[0])
    found = linalg.eigs(laplacian, 1, which="LM", v0=start, return_eigenvectors=False)
    return float(found[0].real)


def svd_pe(g: Graph, k: int, padding: bool = False, random_flip: bool = True) -> Tensor:
    r"""Positional encoding from the largest singular values of the adjacency matrix.

    .. math::
        A \approx U \Sigma V^\top, \qquad
        \Gamma = \left[\, U \Sigma^{1/2} \;\|\; V \Sigma^{1/2} \,\right],

    where A counts edges from row to column.

    From `Global Self-Attention as a Replacement for Graph Convolution
    <https://arxiv.org/abs/2108.03348>`__ (Hussain et al., 2022).

    Parameters
    ----------
    g : Graph
        One edge type that joins a node type with itself; N nodes.
    k : int
        Number of singular values, not negative; at most N unless `padding`.
    padding : bool
        Whether to pad with zeros if the matrix has fewer singular values.
    random_flip : bool
        Whether to flip the sign of the encoding of each node at random, as data augmentation in
        training. Signs are drawn from torch's generator.

    Returns
    -------
    Tensor
        ``(N, 2k)``, float32: the scaled left vectors, then the right ones, both by descending
        singular value, then zeros as padding.

    Raises
    ------
    InvalidValueError
        If `k` is negative, or larger than N without `padding`.
    MissingExtraError
        If scipy is not installed.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2], [1, 0, 2, 1]))
    >>> gs.svd_pe(g, 1, random_flip=False).abs()
    tensor([[0.8409, 0.0000],
            [0.0000, 1.1892],
            [0.8409, 0.0000]])
    """
    relation = one_relation(g, "svd_pe")
    k = as_int(k, "svd_pe", "k", 0)
    count = relation.num_src
    if k > count and not padding:
        raise InvalidValueError(
            f"svd_pe: a graph of {count} nodes has {count} singular values, but k is {k}. "
            "Use a smaller k, or padding=True."
        )
    found = min(k, count)
    pe = torch.zeros(count, 2 * k, dtype=torch.float32)
    if found:
        left, values, right = largest_singular(adjacency_matrix(relation, "svd_pe"), found)
        both = np.concatenate([left * values**0.5, right.T * values**0.5], axis=1)
        pe[:, : 2 * found] = torch.from_numpy(both)
    if random_flip:
        pe *= torch.randint(0, 2, (count, 1)) * 2 - 1
    return pe.to(g.device)
