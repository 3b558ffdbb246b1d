"""Stochastic block models with their line graphs, for community detection."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gossamer.data.dataset import Dataset
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph, batch, graph
from gossamer.transforms import line_graph

Example = tuple[Graph, Graph, Tensor, Tensor, Tensor]


class SBMMixtureDataset(Dataset):
    """Random graphs with communities, each with its line graph without backtracking.

    Z. Chen et al., "Supervised community detection with line graph neural networks", ICLR 2019
    (`paper <https://arxiv.org/abs/1705.08415>`__), appendix C. Nodes are split into communities of
    equal size, one after another; two nodes are joined with probability p within a community and q
    between communities. Each edge exists in both directions, and each node has a self-loop.

    An example is the graph, its line graph, the in-degrees of both, (N,) and (E,) float32, and the
    source of each edge, (E,) int64.

    Parameters
    ----------
    n_graphs : int
        Number of graphs.
    n_nodes : int
        Number of nodes of each graph; a multiple of `n_communities`.
    n_communities : int
        Number of communities.
    k : int, optional
        Factor of the average degree in the choice of p and q.
    avg_deg : int, optional
        Average degree.
    pq : list of pairs of float, or str, optional
        p and q of each graph, or 'Appendix_C' to draw them as in the paper.
    rng : numpy.random.RandomState, optional
        Source of the random choices. Default: a fresh one.

    Raises
    ------
    InvalidValueError
        If nodes cannot be split evenly, or `pq` is invalid.
    """

    def __init__(
        self,
        n_graphs: int,
        n_nodes: int,
        n_communities: int,
        k: int = 2,
        avg_deg: int = 3,
        pq: str | Sequence[tuple[float, float]] = "Appendix_C",
        rng: np.random.RandomState | None = None,
    ) -> None:
        if n_communities < 1 or n_nodes < 1 or n_nodes % n_communities:
            raise InvalidValueError(
                f"SBMMixtureDataset: {n_nodes} nodes cannot be split evenly into {n_communities}."
            )
        if (isinstance(pq, str) and pq != "Appendix_C") or (
            not isinstance(pq, str) and (len(pq) != n_graphs)
        ):
            raise InvalidValueError(
                f"SBMMixtureDataset: pq must be 'Appendix_C' or {n_graphs} pairs, got {pq!r:.60}."
            )
        self._sizes = (n_graphs, n_nodes, n_communities)
        self._k, self._avg_deg, self._pq = k, avg_deg, pq
        self._rng = np.random.RandomState() if rng is None else rng
        super().__init__("sbmmixture")

    def process(self) -> None:
        """Generate the graphs."""
        count = self._sizes[0]
        pairs = [self._appendix_c() for _ in range(count)] if self._pq == "Appendix_C" else self._pq
        self._examples = [self._example(p, q) for p, q in pairs]

    def _appendix_c(self) -> tuple[float, float]:
        """Draw p and q with the given average degree and a random difference."""
        communities = self._sizes[2]
        degree = self._avg_deg * self._k / 2
        q = self._rng.uniform(0, degree - math.sqrt(degree))
        p = communities * degree - q * (communities - 1)
        return (p, q) if self._rng.rand() < 0.5 else (q, p)

    def _example(self, p: float, q: float) -> Example:
        _, n, communities = self._sizes
        community = np.repeat(np.arange(communities), n // communities)
        probability = np.where(community[:, None] == community, p, q) / n
        upper = np.triu(self._rng.rand(n, n) < probability, 1)
        source, target = np.nonzero(upper | upper.T | np.eye(n, dtype=bool))
        g = graph((torch.from_numpy(source), torch.from_numpy(target)), num_nodes=n)
        lines = line_graph(g, backtracking=False)
        degrees = (h.in_degrees().float() for h in (g, lines))
        return g, lines, *degrees, torch.from_numpy(source)

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, idx: int) -> Example:
        """Return example `idx`."""
        return self._examples[idx]

    def collate_fn(self, x: Sequence[Example]) -> tuple[Graph, Graph, np.ndarray, ...]:
        """Batch graphs and line graphs; return degrees and edge sources as arrays.

        Parameters
        ----------
        x : list
            Examples.
        """
        graphs, lines, degrees, line_degrees, sources = zip(*x, strict=True)
        first = np.cumsum([0, *(g.num_nodes() for g in graphs)])
        shifted = [s.numpy() + n for s, n in zip(sources, first, strict=False)]
        return (
            batch(graphs),
            batch(lines),
            torch.cat(degrees).numpy(),
            torch.cat(line_degrees).numpy(),
            np.concatenate(shifted),
        )
