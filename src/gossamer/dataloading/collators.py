"""Collators, which use samplers as the `collate_fn` of torch's loader."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer.dataloading.edge_prediction import as_edge_prediction_sampler
from gossamer.errors import InvalidTypeError
from gossamer.graph import Graph
from gossamer.graph.arguments import edge_ids, node_ids, require_graph

__all__ = ["Collator", "EdgeCollator", "NodeCollator"]


class Collator(ABC):
    """Base class of collators: :attr:`dataset` has the items, :meth:`collate` makes batches."""

    @property
    @abstractmethod
    def dataset(self) -> Any:
        """The items."""

    @abstractmethod
    def collate(self, items: Sequence[Any]) -> Any:
        """Convert a list of items to a batch."""


class _IdCollator(Collator):
    """A collator whose items are ids, or pairs of a type and an id."""

    def __init__(self, g: Graph, ids: Any, sampler: Any, checked: Sequence[Tensor | None]) -> None:
        self.g = g
        self.graph_sampler = sampler
        self._by_type = isinstance(ids, Mapping)
        if self._by_type:
            self._dataset: Any = [(t, int(i)) for t, own in ids.items() for i in own]
        else:
            self._dataset = checked[0]

    @property
    def dataset(self) -> Any:
        """Ids as a tensor, or a list of (type, id)."""
        return self._dataset

    def collate(self, items: Sequence[Any]) -> Any:
        """Sample for a batch of ids."""
        return self.graph_sampler.sample(self.g, self._indices(items))

    def _indices(self, items: Sequence[Any]) -> Any:
        if not self._by_type:
            ids = items if isinstance(items, Tensor) else [int(i) for i in items]
            return torch.as_tensor(ids, dtype=self.g.idtype, device=self.g.device)
        groups: dict[Any, list[int]] = {}
        for kind, i in items:
            groups.setdefault(kind, []).append(int(i))
        return {
            kind: torch.tensor(own, dtype=self.g.idtype, device=self.g.device)
            for kind, own in groups.items()
        }


class NodeCollator(_IdCollator):
    """Sample blocks for a batch of nodes in torch's own loader.

    Parameters
    ----------
    g : Graph
        The graph.
    nids : ids, or dict of str to ids
        The nodes.
    graph_sampler : BlockSampler
        The sampler of the blocks.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> sampler = gs.dataloading.NeighborSampler([1])
    >>> collator = gs.dataloading.NodeCollator(g, torch.arange(3), sampler)
    >>> loader = torch.utils.data.DataLoader(
    ...     collator.dataset, collate_fn=collator.collate, batch_size=2)
    >>> [output_nodes for _, output_nodes, _ in loader]
    [tensor([0, 1]), tensor([2])]
    """

    def __init__(self, g: Graph, nids: Any, graph_sampler: Any) -> None:
        require_graph(g, "NodeCollator")
        super().__init__(g, nids, graph_sampler, node_ids(g, nids, "NodeCollator"))


class EdgeCollator(_IdCollator):
    """Sample pairs and blocks for a batch of edges in torch's own loader.

    Parameters
    ----------
    g : Graph
        The graph.
    eids : ids, or dict of edge type to ids
        The edges.
    graph_sampler : BlockSampler
        The sampler of blocks for their endpoints.
    g_sampling : Graph, optional
        The graph to sample, with the same nodes. Default: `g`.
    exclude, reverse_eids, reverse_etypes, negative_sampler
        See :func:`as_edge_prediction_sampler`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> sampler = gs.dataloading.NeighborSampler([1])
    >>> collator = gs.dataloading.EdgeCollator(g, torch.arange(3), sampler)
    >>> input_nodes, pairs, blocks = collator.collate([0, 2])
    >>> pairs.num_edges()
    2
    """

    def __init__(
        self,
        g: Graph,
        eids: Any,
        graph_sampler: Any,
        g_sampling: Graph | None = None,
        exclude: Any = None,
        reverse_eids: Any = None,
        reverse_etypes: Any = None,
        negative_sampler: Any = None,
    ) -> None:
        require_graph(g, "EdgeCollator")
        sampler = graph_sampler if g_sampling is None else _Elsewhere(graph_sampler, g_sampling)
        wrapped = as_edge_prediction_sampler(
            sampler, exclude, reverse_eids, reverse_etypes, negative_sampler
        )
        super().__init__(g, eids, wrapped, edge_ids(g, eids, "EdgeCollator"))


class _Elsewhere:
    """A block sampler that samples another graph with the same nodes."""

    def __init__(self, sampler: Any, g: Graph) -> None:
        require_graph(g, "EdgeCollator: g_sampling")
        if not callable(getattr(sampler, "sample", None)):
            raise InvalidTypeError(
                f"EdgeCollator: graph_sampler samples blocks, got {type(sampler).__name__}."
            )
        self._sampler, self._g = sampler, g
        self.output_device = getattr(sampler, "output_device", None)

    def sample(self, g: Graph, seed_nodes: Any, exclude_eids: Any = None) -> Any:
        return self._sampler.sample(self._g, seed_nodes, exclude_eids)
