"""The sampler core: edges, layers and walks drawn from compressed rows, never from a graph.

Every function takes a :class:`~gossamer.ops.adjacency.Compressed` (CSC to draw in-edges, CSR to
draw out-edges) and costs what it draws, not the degrees of the rows.

Randomness is counter-based. A call draws with one key; what it draws for the row in position ``i``
depends on the key, ``i`` and the number of the draw alone, so the number of threads does not
matter. :func:`next_key` gives the key: from torch's generator or, inside of :func:`stream`, from
the numbers that name the stream, so that the process or thread that draws does not matter either.
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
    """One key of 63 bits made of several numbers, in their order.

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
    """Inside of the ``with`` block, keys are functions of `numbers` and of their order.

    A loader names the stream by its seed and the number of the batch, so a batch is the same
    whichever worker draws it. Applies to the thread that enters it.

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
    """The numbers that name the stream, inside of one; in a loader its key and the batch."""
    return getattr(_active, "numbers", None)


def next_key() -> int:
    """A key for one call: the next of the stream, or a number from torch's default generator."""
    current = getattr(_active, "stream", None)
    if current is None:
        return int(torch.randint(2**63 - 1, (), device="cpu"))
    current[1] += 1
    return mix(*current)


def random_units(count: int, device: torch.device | str = "cpu", key: int | None = None) -> Tensor:
    """``(count,)`` numbers, uniform on [0, 1), float64."""
    counter = torch.arange(count, device=device)
    return random_unit(next_key() if key is None else key, counter)


def random_integers(
    limit: int, count: int, dtype: torch.dtype, device: torch.device | str = "cpu"
) -> Tensor:
    """``(count,)`` numbers, each uniform on 0, 1, ..., ``limit - 1``."""
    return (random_units(count, device) * limit).to(dtype)


# ------------------------------------------------------------------------------------ candidates


def as_weights(weights: Tensor) -> Tensor:
    """Weights in a form that kernels read: float32 or float64, or uint8 for a mask.

    bool, uint8 and int8 are masks.
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
    """What may be drawn: slots of a weight other than 0, with running sums of their weights.

    Costs the degrees of `rows`. Without `rows` it costs all edges, once: kept, it makes weighted
    draws cost no more than the logarithm of the degree.

    Parameters
    ----------
    csc : Compressed
        The edges by row.
    weights : Tensor, optional
        By edge id, as :func:`as_weights` gives them.
    rows : Tensor, optional
        The rows that will be drawn for, in their order. Default: all rows.
    """
    return kernels.candidates_of(*csc, rows, weights)


class _Kept:
    """Candidates by the weights that were used last.

    A first call with some weights looks at the rows that it draws for. A second one with the same
    tensor makes the table of all rows, and keeps it until the weights change.
    """

    def __init__(self) -> None:
        self._source: Any = None
        self._version: int | None = None
        self._table: Candidates | None = None
        self._fine: bool | None = None

    def all_fine(self, table: Candidates) -> bool:
        """Whether every row can be drawn by its weights."""
        if table.sums is None:
            return True
        if self._fine is None or table is not self._table:
            self._fine = not bool(table.sums.isnan().any())
        return self._fine

    def get(self, csc: Compressed, weights: Tensor, rows: Tensor | None) -> Candidates:
        # Tensors of inference mode have no version: they may change without a trace.
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
    """What may be drawn of an adjacency by the weights of its edges; kept if they come again.

    Parameters
    ----------
    adjacency : Adjacency
        The edges.
    inward : bool
        Whether in-edges are drawn.
    weights : Tensor
        By edge id. The same tensor object, unchanged, means the same weights.
    rows : Tensor, optional
        The rows that will be drawn for. Without them, the table of all rows is made and kept.
    """
    kept = adjacency.memo(("candidates", inward), _Kept)
    return kept.get(adjacency.csc() if inward else adjacency.csr(), weights, rows)


def kept_candidates(adjacency: Adjacency, inward: bool, weights: Tensor) -> Candidates:
    """As :func:`edge_candidates` for all rows, of which every one can be drawn by its weights.

    Raises
    ------
    BadWeightsError
        If there are weights that are negative or not finite.
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
    """The rows of one relation to draw edges for.

    Parameters
    ----------
    csc : Compressed
        The edges by row.
    rows : Tensor
        Int32 or int64; may repeat. The dtype is that of the ids drawn.
    fanout : int
        How many edges to draw for each row; -1 for all.
    key : int, optional
        Names the random numbers. Default: :func:`next_key`.
    candidates : Candidates, optional
        What may be drawn. Default: every slot, each as likely.
    excluded : Tensor, optional
        Ids of edges to leave out of what was drawn.
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
        For each relation: where the edges of each row begin, ``(R + 1,)`` int64, and the neighbor
        and id of each edge. Without replacement, slots of a row are ascending.

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
        By node type: at least one list each, all of one dtype.
    limits : sequence of int
        By node type: ids are below it.
    dtype : torch.dtype, optional
        That of the numbers. Default: that of the ids.

    Returns
    -------
    nodes : list of Tensor
        The distinct ids by type.
    places : list of list of Tensor
        The number of each id.
    first : list of int
        How many distinct ids the first list of each type has.

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
    """Walk from each seed along the relations that `path` lists, which hold CSR.

    Parameters
    ----------
    stops : sequence of float, optional
        The probability of stopping before each step.

    Returns
    -------
    nodes, edges : Tensor
        ``(R, L + 1)`` and ``(R, L)``; -1 after the end of a walk.
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
    """Walk with node2vec's bias; see `gossamer.kernels.reference.walks.node2vec`."""
    key = next_key() if key is None else key
    seeds = seeds.contiguous()
    return kernels.node2vec(relation, sorted_indices, p, q, seeds, length, key)
