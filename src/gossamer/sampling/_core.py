"""Core of the samplers: draw edges, layers and walks from compressed rows.

The functions operate on :class:`~gossamer.ops.adjacency.Compressed` (CSC to draw in-edges, CSR to
draw out-edges). Their cost depends on the number of edges drawn, not on the degrees of the rows.

Randomness is counter-based. Each call uses one key, and what it draws for the row at position ``i``
depends only on the key, ``i`` and the number of the draw, not on the number of threads.
:func:`next_key` returns the key: a number from torch's generator or, inside :func:`stream`, a
function of the numbers that identify the stream, so that results do not depend on the process or
thread either.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.kernels.reference.candidates import (
    BadWeightsError,
    Candidates,
    Drawn,
    Relation,
)
from gossamer.kernels.splitmix import random_unit
from gossamer.ops.adjacency import Adjacency, Compressed

__all__ = [
    "BadWeightsError",
    "Candidates",
    "Drawn",
    "Relation",
    "as_weights",
    "candidates",
    "current_stream",
    "edge_candidates",
    "kept_candidates",
    "layer",
    "mix",
    "next_key",
    "node2vec",
    "number_nodes",
    "random_integers",
    "random_units",
    "random_walk",
    "relation",
    "stream",
]

_active = threading.local()
_WORD = (1 << 64) - 1


# ------------------------------------------------------------------------------------ randomness


def mix(*numbers: int) -> int:
    """Combine several numbers, in order, into one key of 63 bits.

    Examples
    --------
    >>> from gossamer.sampling._core import mix
    >>> mix(1, 2) == mix(1, 2), mix(1, 2) == mix(2, 1)
    (True, False)
    """
    key = 0
    for number in numbers:  # SplitMix64, as in `random_bits`
        key = (key + (number + 1) * 0x9E3779B97F4A7C15) & _WORD
        key = ((key ^ key >> 30) * 0xBF58476D1CE4E5B9) & _WORD
        key = ((key ^ key >> 27) * 0x94D049BB133111EB) & _WORD
        key ^= key >> 31
    return key >> 1


@contextmanager
def stream(*numbers: int) -> Iterator[None]:
    """Context in which keys depend only on `numbers` and on the order of calls.

    A data loader identifies the stream by its seed and the number of the batch, so a batch does not
    depend on the worker that draws it. The context applies to the current thread.

    Examples
    --------
    >>> from gossamer.sampling import _core
    >>> with _core.stream(7, 0):
    ...     first = _core.next_key()
    >>> with _core.stream(7, 0):
    ...     first == _core.next_key()
    True
    """
    before = getattr(_active, "stream", None)
    _active.stream = [mix(*numbers), 0]
    named, _active.numbers = getattr(_active, "numbers", None), numbers
    try:
        yield
    finally:
        _active.stream, _active.numbers = before, named


def current_stream() -> tuple[int, ...] | None:
    """The numbers that identify the current stream, such as key and batch of a loader, or None."""
    return getattr(_active, "numbers", None)


def next_key() -> int:
    """Return a key for one call: the next of the stream, or one from torch's default generator."""
    current = getattr(_active, "stream", None)
    if current is None:
        return int(torch.randint(2**63 - 1, (), device="cpu"))
    current[1] += 1
    return mix(*current)


def random_units(count: int, device: torch.device | str = "cpu", key: int | None = None) -> Tensor:
    """Draw ``(count,)`` numbers, uniform on [0, 1), float64."""
    counter = torch.arange(count, device=device)
    return random_unit(next_key() if key is None else key, counter)


def random_integers(
    limit: int, count: int, dtype: torch.dtype, device: torch.device | str = "cpu"
) -> Tensor:
    """Draw ``(count,)`` integers, uniform on 0, 1, ..., ``limit - 1``."""
    return (random_units(count, device) * limit).to(dtype)


# ------------------------------------------------------------------------------------ candidates


def as_weights(weights: Tensor) -> Tensor:
    """Convert weights to a dtype that kernels support: float32, float64, or uint8 for a mask.

    bool, uint8 and int8 are treated as masks.
    """
    weights = weights.detach().reshape(-1)
    if weights.dtype in (torch.bool, torch.uint8, torch.int8):
        weights = (weights != 0).view(torch.uint8)
    elif weights.dtype not in (torch.float32, torch.float64):
        weights = weights.float()
    return weights.contiguous()


def candidates(
    csc: Compressed, weights: Tensor | None = None, rows: Tensor | None = None
) -> Candidates:
    """Build the table of slots with nonzero weight, and cumulative sums of their weights.

    The cost is proportional to the degrees of `rows` or, without `rows`, to the number of edges.
    With a table of all rows, which can be reused, the cost of a weighted draw is logarithmic in the
    degree.

    Parameters
    ----------
    csc : Compressed
        The edges by row.
    weights : Tensor, optional
        Weights by edge id, as returned by :func:`as_weights`.
    rows : Tensor, optional
        The rows for which edges will be drawn, in this order. Default: all rows.
    """
    return kernels.candidates_of(*csc, rows, weights)


class _Kept:
    """Cache of the candidates for the weights that were used last.

    The first call with some weights builds a table for its own rows only. The second call with the
    same tensor builds the table of all rows, which is kept until the weights change.
    """

    def __init__(self) -> None:
        self._source: Any = None
        self._version: int | None = None
        self._table: Candidates | None = None
        self._fine: bool | None = None

    def all_fine(self, table: Candidates) -> bool:
        """Whether the weights of every row are valid."""
        if table.sums is None:
            return True
        if self._fine is None or table is not self._table:
            self._fine = not bool(table.sums.isnan().any())
        return self._fine

    def get(self, csc: Compressed, weights: Tensor, rows: Tensor | None) -> Candidates:
        # Inference tensors have no version counter, so changes cannot be detected.
        version = None if weights.is_inference() else weights._version
        known = (
            version is not None
            and self._source is not None
            and self._source() is weights
            and self._version == version
        )
        if not known:
            self._source, self._version = weakref.ref(weights), version
            self._table = self._fine = None
        if self._table is not None:
            return self._table
        if rows is not None and not known and _count_slots(csc, rows) < len(csc.indices):
            return candidates(csc, as_weights(weights), rows)
        table = candidates(csc, as_weights(weights))
        if version is not None:
            self._table = table
        return table


def _count_slots(csc: Compressed, rows: Tensor) -> int:
    degrees = csc.indptr.index_select(0, rows + 1) - csc.indptr.index_select(0, rows)
    return int(degrees.sum(dtype=torch.int64))


def edge_candidates(
    adjacency: Adjacency, inward: bool, weights: Tensor, rows: Tensor | None = None
) -> Candidates:
    """Return the candidates of an adjacency for edge weights; cached if the weights are reused.

    Parameters
    ----------
    adjacency : Adjacency
        The edges.
    inward : bool
        Whether in-edges are drawn.
    weights : Tensor
        Weights by edge id. The same unmodified tensor object stands for the same weights.
    rows : Tensor, optional
        The rows for which edges will be drawn. Default: all rows, whose table is kept.
    """
    kept = adjacency.memo(("candidates", inward), _Kept)
    return kept.get(adjacency.csc() if inward else adjacency.csr(), weights, rows)


def kept_candidates(adjacency: Adjacency, inward: bool, weights: Tensor) -> Candidates:
    """Like :func:`edge_candidates` for all rows, but require the weights of every row to be valid.

    Raises
    ------
    BadWeightsError
        If some weights are negative or not finite.
    """
    table = edge_candidates(adjacency, inward, weights)
    if not adjacency.memo(("candidates", inward), _Kept).all_fine(table):
        raise BadWeightsError(0)
    return table


# ---------------------------------------------------------------------------------------- layers


def relation(
    csc: Compressed,
    rows: Tensor,
    fanout: int,
    *,
    key: int | None = None,
    candidates: Candidates | None = None,
    excluded: Tensor | None = None,
) -> Relation:
    """Describe the rows of one relation for which edges are to be drawn.

    Parameters
    ----------
    csc : Compressed
        The edges by row.
    rows : Tensor
        int32 or int64; rows may repeat. Drawn ids have the same dtype.
    fanout : int
        Number of edges to draw for each row; -1 for all.
    key : int, optional
        Key of the random numbers. Default: :func:`next_key`.
    candidates : Candidates, optional
        Slots to draw from. Default: every slot, with equal probability.
    excluded : Tensor, optional
        Ids of edges to remove from the edges drawn.
    """
    if excluded is not None:
        excluded = excluded.long().unique()
    key = next_key() if key is None else key
    return Relation(*csc, rows.contiguous(), fanout, key, candidates, excluded)


def layer(relations: Sequence[Relation], replace: bool = False) -> list[Drawn]:
    """Draw edges for the rows of all relations at once.

    Returns
    -------
    list of (starts, neighbors, edges)
        For each relation, the offsets of the edges of each row, ``(R + 1,)`` int64, and the
        neighbor and id of each edge. Without replacement, the slots of a row are ascending.

    Raises
    ------
    BadWeightsError
        If a row has weights that are negative or not finite.

    Examples
    --------
    >>> import torch
    >>> from gossamer.ops.adjacency import Compressed
    >>> from gossamer.sampling import _core
    >>> csc = Compressed(torch.tensor([0, 3, 3, 5]), torch.tensor([1, 2, 0, 0, 1]), None)
    >>> (drawn,) = _core.layer([_core.relation(csc, torch.tensor([0, 2]), 2)])
    >>> drawn[0]
    tensor([0, 2, 4])
    """
    relations = list(relations)
    if not relations:
        return []
    return kernels.sample_neighbors(relations[0].rows, relations, replace)


def number_nodes(
    lists: Sequence[Sequence[Tensor]], limits: Sequence[int], dtype: torch.dtype | None = None
) -> tuple[list[Tensor], list[list[Tensor]], list[int]]:
    """Number the ids of each node type in the order in which they appear in its lists.

    Parameters
    ----------
    lists : sequence of sequences of Tensor
        The lists of ids of each node type: at least one each, all of one dtype.
    limits : sequence of int
        Exclusive upper bound on the ids of each node type.
    dtype : torch.dtype, optional
        Dtype of the numbers. Default: that of the ids.

    Returns
    -------
    nodes : list of Tensor
        The distinct ids by type.
    places : list of list of Tensor
        The number of each id.
    first : list of int
        Number of distinct ids in the first list of each type.

    Examples
    --------
    >>> import torch
    >>> from gossamer.sampling import _core
    >>> _core.number_nodes([[torch.tensor([5, 3]), torch.tensor([3, 9])]], [10])
    ([tensor([5, 3, 9])], [[tensor([0, 1]), tensor([1, 2])]], [2])
    """
    dtype = dtype or lists[0][0].dtype
    return kernels.number_nodes(lists[0][0], lists, limits, dtype)


# ----------------------------------------------------------------------------------------- walks


def random_walk(
    relations: Sequence[Relation],
    path: Sequence[int],
    seeds: Tensor,
    stops: Sequence[float] | None = None,
    key: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Walk from each seed along the relations, given as CSR, in the order of `path`.

    Parameters
    ----------
    stops : sequence of float, optional
        Probability of stopping before each step.

    Returns
    -------
    nodes, edges : Tensor
        Nodes ``(R, L + 1)`` and edge ids ``(R, L)`` of each walk; -1 after its end.
    """
    key = next_key() if key is None else key
    return kernels.random_walk(list(relations), list(path), stops, seeds.contiguous(), key)


def node2vec(
    relation: Relation,
    sorted_indices: Tensor,
    p: float,
    q: float,
    seeds: Tensor,
    length: int,
    key: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Walk with the bias of node2vec; see `gossamer.kernels.reference.walks.node2vec`."""
    key = next_key() if key is None else key
    seeds = seeds.contiguous()
    return kernels.node2vec(relation, sorted_indices, p, q, seeds, length, key)
