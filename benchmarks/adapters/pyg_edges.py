"""PyG: the layouts of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch_geometric import EdgeIndex

from benchmarks.workload import Sizes


class Edges:
    """The row's graph in PyG's layouts, made outside the timing."""

    def __init__(self, inputs: Mapping[str, Tensor], sizes: Sizes, compiled: bool = False) -> None:
        self.compiled = compiled  # whether layers on these edges are compiled
        self.src, self.dst, self.nodes = inputs["src"], inputs["dst"], sizes.nodes
        self.sorted = bool((self.dst[1:] >= self.dst[:-1]).all())
        self.pair = torch.stack([self.src, self.dst])

    def by_destination(self) -> tuple[Tensor, Tensor, Tensor]:
        """Row pointers, sources, and the edge at each slot."""
        order = torch.argsort(self.dst, stable=True)
        counts = torch.bincount(self.dst, minlength=self.nodes)
        indptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        return indptr, self.src[order], order

    def csr(self, value: Tensor | None = None) -> Tensor:
        """The transposed adjacency as ``torch.sparse_csr``: rows are destinations."""
        indptr, indices, order = self.by_destination()
        value = torch.ones(len(indices)) if value is None else value[order]
        return torch.sparse_csr_tensor(indptr, indices, value, (self.nodes, self.nodes))

    def edge_index(self) -> EdgeIndex:
        """The sorted index class with its caches filled."""
        pair = self.pair if self.sorted else self.pair[:, torch.argsort(self.dst, stable=True)]
        index = EdgeIndex(pair, sparse_size=(self.nodes, self.nodes), sort_order="col")
        return index.fill_cache_()

    def layouts(self, value: Tensor | None = None) -> dict[str, Callable[[], tuple]]:
        """Functions that make a layer's arguments for its edges: (edges, edge weights)."""
        forms: dict[str, Callable[[], tuple]] = {
            "edge_index": lambda: (self.pair, value),
            "sparse_csr": lambda: (self.csr(value), None),
        }
        if value is None:
            forms["EdgeIndex"] = lambda: (self.edge_index(), None)
        elif self.sorted:
            forms["EdgeIndex"] = lambda: (self.edge_index(), value)
        return forms
