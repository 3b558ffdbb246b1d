"""Positional encodings from random walks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer._options import as_int
from gossamer.graph import Graph
from gossamer.transforms._validate import edge_weights, one_relation
from gossamer.transforms.encodings import ENTRIES, adjacency_matrix

__all__ = ["random_walk_pe"]


# A matrix is multiplied as a dense one if more than one in this many entries is nonzero.
_FILLED = 20


def random_walk_pe(g: Graph, k: int, eweight_name: str | None = None) -> Tensor:
    r"""Random-walk positional encoding: probabilities of returning after 1, 2, ..., k steps.

    .. math::
        p_i = \left[\, M_{ii},\; (M^2)_{ii},\; \ldots,\; (M^k)_{ii} \,\right], \qquad
        M = D^{-1} A,

    where A counts edges, or sums their weights, from row to column, and D is
    diagonal and holds the row sums of A.

    From `Graph Neural Networks with Learnable Structural and Positional Representations
    <https://arxiv.org/abs/2110.07875>`__ (Dwivedi et al., 2021).

    Parameters
    ----------
    g : Graph
        One edge type that joins a node type with itself; N nodes, E edges. It may be a batch.
    k : int
        Number of steps, at least 1.
    eweight_name : str, optional
        Edge feature, ``(E,)`` or ``(E, 1)``: unnormalized transition probabilities. Default:
        uniform.

    Returns
    -------
    Tensor
        ``(N, k)``, float32. 0 for nodes without out-edges, or whose out-edge weights sum to 0.

    Raises
    ------
    UnknownKeyError
        If there is no such edge feature.
    InvalidValueError
        If `k` is less than 1 or weights are not one number per edge.
    MissingExtraError
        If scipy is not installed.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2], [1, 0, 2, 1]))
    >>> gs.random_walk_pe(g, 2)
    tensor([[0.0000, 0.5000],
            [0.0000, 1.0000],
            [0.0000, 0.5000]])
    """
    relation = one_relation(g, "random_walk_pe")
    k = as_int(k, "random_walk_pe", "k", 1)
    weights = None
    if eweight_name is not None:
        weights = edge_weights(g.edata, eweight_name, "random_walk_pe")
    sparse = optional_import("scipy.sparse", "random_walk_pe")
    matrix = adjacency_matrix(relation, "random_walk_pe", weights)
    total = np.asarray(matrix.sum(1)).ravel()
    scale = np.divide(1.0, total, out=np.zeros_like(total), where=total != 0)
    walk = (sparse.diags(scale) @ matrix).tocsr()
    pe = np.zeros((relation.num_src, k), dtype=np.float32)
    _returns(walk, walk, np.arange(relation.num_src), 0, pe)
    return torch.from_numpy(pe).to(g.device)


def _returns(walk: Any, power: Any, rows: np.ndarray, step: int, pe: np.ndarray) -> None:
    """Write the diagonals of powers of `walk` into `pe`, starting with column `step`.

    `power` holds the rows `rows` of the power that belongs to this column, as a sparse or dense
    matrix. If the next power could be too large, the rows are processed in two halves.
    """
    while len(rows):
        pe[rows, step] = np.asarray(power[np.arange(len(rows)), rows]).ravel()
        step += 1
        if step == pe.shape[1]:
            return
        if len(rows) > 1 and _product_size(power, walk) > ENTRIES:
            middle = len(rows) // 2
            for half in (slice(None, middle), slice(middle, None)):
                _returns(walk, _product(power[half], walk), rows[half], step, pe)
            return
        power = _product(power, walk)


def _product(left: Any, walk: Any) -> Any:
    """left @ walk, with a dense `left` if it has many nonzeros, which is then much faster."""
    if isinstance(left, np.ndarray):
        return (walk.T @ left.T).T
    if left.nnz * _FILLED > left.shape[0] * left.shape[1]:
        return _product(left.toarray(), walk)
    return left @ walk


def _product_size(left: Any, walk: Any) -> int:
    """An upper bound on the number of entries of left @ walk."""
    if isinstance(left, np.ndarray):
        return left.size
    added = np.concatenate([[0], np.cumsum(np.diff(walk.indptr)[left.indices])])
    per_row = np.diff(added[left.indptr])
    return int(np.minimum(per_row, walk.shape[1]).sum())
