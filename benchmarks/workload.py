"""What a row of a benchmark is: a :class:`Workload` with its inputs and least memory traffic.

Dimension letters: ``N`` nodes, ``E`` edges, ``F`` = 64 features, ``H`` = 8 heads, ``D`` = 16
features per head, ``HD`` = 128, ``R`` = 10 relations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

FLOAT = 4
INDEX = 4  # bytes of a compact index; 8-byte indices of a library do not raise the bound

F, H, D = 64, 8, 16
HD = H * D
RELATIONS = 10  # matrices of a grouped product
#: Nodes and edges of one molecule-size graph.
MOLECULE_NODES, MOLECULE_EDGES = 25, 54
HUB = 0.25  # share of the edges that enter the one hub of the graph "hub"


@dataclass(frozen=True)
class Sizes:
    """The size of one input graph, and of its features when it is a Cora-like one."""

    nodes: int
    edges: int
    features: int = 0
    classes: int = 0
    train: int = 0


@dataclass(frozen=True)
class Traffic:
    """Least traffic: each operand read once, each result written once, rows gathered.

    Attributes
    ----------
    stream : int
        Bytes read or written in order.
    gathers : mapping of int to int
        Bytes of a row -> number of rows of this size read in random order.
    """

    stream: int
    gathers: Mapping[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All bytes."""
        return self.stream + sum(size * rows for size, rows in self.gathers.items())

    def bound(self, copy_rate: float, gather_rates: Mapping[int, float]) -> float:
        """Seconds at the measured rates (bytes per second; gather rates by bytes of a row)."""
        gathered = sum(size * rows / gather_rates[size] for size, rows in self.gathers.items())
        return self.stream / copy_rate + gathered


Dims = tuple["str | int", ...]


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    Attributes
    ----------
    name : str
        The row's name, as in ``--rows``.
    about : str
        The inputs in words.
    graph : str
        Key of :data:`FULL`: ``skew`` (sorted by destination), ``shuffled``, ``hub`` (``skew``, but
        a quarter of the edges enter one node), ``large`` (features larger than any cache),
        ``rows`` and ``few rows`` (one edge; a relation for each row), or ``cora``; for layers
        see :mod:`benchmarks.layer_rows`.
    arrays : mapping of str to dims
        Float32 inputs other than the graph, by name; dims are letters or numbers.
    traffic : callable or None
        Sizes -> :class:`Traffic`; None where the data fit in cache and call overhead dominates.
    flops : callable
        Sizes -> floating-point operations of the straightforward algorithm.
    goal : float
        The speed to reach, relative to the faster peer.
    weight_arrays : tuple of str
        The arrays that are parameters of a layer (drawn smaller, as an initializer would).
    tolerance : float
        The largest :func:`benchmarks.verify.disagreement` of results.
    undecided : mapping of str to callable
        Result name -> (sources, destinations, arrays) -> the rows in which libraries may differ,
        because float32 errors decide on which side of a kink they lie.
    integers : mapping of str to int
        Integer inputs: name -> number of types. Each edge has one, or each node
        (ascending) where the name is ``ntype``.
    may_differ : float
        The share of a result's numbers in which libraries may differ, because float32 errors decide
        which of two messages is the maximum.
    """

    name: str
    about: str
    graph: str
    arrays: Mapping[str, Dims]
    traffic: Callable[[Sizes], Traffic] | None
    flops: Callable[[Sizes], int]
    goal: float = 1.0
    weight_arrays: tuple[str, ...] = ()
    tolerance: float = 1e-3
    undecided: Mapping[str, Callable[..., np.ndarray]] = field(default_factory=dict)
    integers: Mapping[str, int] = field(default_factory=dict)
    may_differ: float = 0.0

    def shape(self, array: str, sizes: Sizes) -> tuple[int, ...]:
        """The shape of an input array at the given sizes."""
        letters = {"N": sizes.nodes, "E": sizes.edges, "F": F, "H": H, "D": D, "HD": HD}
        letters |= {"R": RELATIONS, "C": sizes.classes, "X": sizes.features}
        letters["B"] = sizes.nodes // MOLECULE_NODES
        return tuple(letters[d] if isinstance(d, str) else d for d in self.arrays[array])
