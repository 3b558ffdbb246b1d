"""Samplers: they select the part of a graph that a batch needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.dataloading.lazy import (
    LazyFeature,
    set_dst_lazy_features,
    set_edge_lazy_features,
    set_node_lazy_features,
    set_src_lazy_features,
)
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import on_device

__all__ = [
    "BlockSampler",
    "LazyFeature",
    "Sampler",
    "as_fanouts",
    "by_type",
    "finished",
    "set_dst_lazy_features",
    "set_edge_lazy_features",
    "set_node_lazy_features",
    "set_src_lazy_features",
]

Ids = Tensor | Mapping[Any, Tensor]
Sampled = tuple[Ids, Ids, list[Graph]]


class Sampler:
    """Base class of samplers: ``sample(g, indices)`` returns what a loader yields.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> class Induced(gs.dataloading.Sampler):
    ...     def sample(self, g, indices):
    ...         return g.subgraph(indices)
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> loader = gs.dataloading.DataLoader(g, torch.arange(3), Induced(), batch_size=2)
    >>> [sub.num_edges() for sub in loader]
    [1, 0]
    """

    #: Whether `g` must be a `Graph`; if so, loaders check this when they are created.
    needs_graph = False

    def sample(self, g: Graph, indices: Any) -> Any:
        """Return the part of `g` that the batch `indices` needs; defined by subclasses."""
        raise NotImplementedError(f"{type(self).__name__} does not define sample(g, indices).")


class BlockSampler(Sampler):
    """Base class of samplers that return one block per layer.

    A subclass defines :meth:`sample_blocks`.

    Parameters
    ----------
    prefetch_node_feats : list of str, or dict of str to list of str, optional
        Features of the input nodes that the loader fetches; by node type if there are several.
    prefetch_labels : list of str, or dict of str to list of str, optional
        Features of the output nodes that the loader fetches.
    prefetch_edge_feats : list of str, or dict of edge type to list of str, optional
        Features of the edges of every block that the loader fetches.
    output_device : torch.device or str, optional
        Device of the blocks. Default: that of the graph.
    """

    def __init__(
        self,
        prefetch_node_feats: Any = None,
        prefetch_labels: Any = None,
        prefetch_edge_feats: Any = None,
        output_device: torch.device | str | None = None,
    ) -> None:
        self.prefetch_node_feats = prefetch_node_feats or []
        self.prefetch_labels = prefetch_labels or []
        self.prefetch_edge_feats = prefetch_edge_feats or []
        self.output_device = output_device

    def sample_blocks(self, g: Graph, seed_nodes: Ids, exclude_eids: Any = None) -> Sampled:
        """Return the blocks for `seed_nodes`; defined by subclasses.

        Parameters
        ----------
        g : Graph
            The graph.
        seed_nodes : Tensor or dict of str to Tensor
            The nodes to compute outputs for.
        exclude_eids : Tensor or dict of edge type to Tensor, optional
            Edges to exclude.

        Returns
        -------
        input_nodes, output_nodes : Tensor or dict of str to Tensor
            Nodes whose features the first layer reads, and `seed_nodes`.
        blocks : list of Graph
            A block for each layer, in the order of computation.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not define sample_blocks(g, seed_nodes, exclude_eids)."
        )

    def assign_lazy_features(self, result: Sampled) -> Sampled:
        """Mark the features of `result` that the loader fetches."""
        blocks = result[2]
        if blocks:
            set_src_lazy_features(blocks[0], self.prefetch_node_feats)
            set_dst_lazy_features(blocks[-1], self.prefetch_labels)
        for block in blocks:
            set_edge_lazy_features(block, self.prefetch_edge_feats)
        return result

    def sample(self, g: Graph, seed_nodes: Ids, exclude_eids: Any = None) -> Sampled:
        """Call :meth:`sample_blocks` and mark the features that the loader fetches."""
        inputs, outputs, blocks = self.sample_blocks(g, seed_nodes, exclude_eids)
        blocks = [on_device(block, self.output_device) for block in blocks]
        return self.assign_lazy_features((inputs, outputs, blocks))


def finished(sub: Graph, node_names: Any, edge_names: Any, device: Any) -> Graph:
    """Move a sampled subgraph to its device and mark the features that the loader fetches."""
    sub = on_device(sub, device)
    set_node_lazy_features(sub, node_names)
    set_edge_lazy_features(sub, edge_names)
    return sub


def as_fanouts(fanouts: Any, name: str) -> list[Any]:
    """Check the fanouts of the layers: integers >= -1, or dicts from edge type to them."""
    listed = fanouts.dim() == 1 if isinstance(fanouts, Tensor) else isinstance(fanouts, Sequence)
    if not listed or isinstance(fanouts, str):
        raise InvalidTypeError(
            f"{name}: fanouts are a list with one int, or dict of edge type to int, for each layer;"
            f" got {fanouts!r}."
        )
    fanouts = list(fanouts)
    if not fanouts:
        raise InvalidValueError(f"{name}: fanouts are empty; give one for each layer.")
    for k, fanout in enumerate(fanouts):
        of_types = fanout if isinstance(fanout, Mapping) else {None: fanout}
        for etype, count in of_types.items():
            where = f"fanout {k}" if etype is None else f"fanout {k} of {etype}"
            as_int(count, name, where, -1)
    return fanouts


def by_type(g: Graph, nodes: Sequence[Tensor]) -> Ids:
    """Return nodes as a dict by type, or as a tensor if there is only one type."""
    return nodes[0] if len(nodes) == 1 else dict(zip(g.ntypes, nodes, strict=True))
