"""Neighbor sampling, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from gossamer._options import as_int
from gossamer.dataloading.base import BlockSampler, Ids, Sampled, as_fanouts, by_type
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph
from gossamer.sampling import _core
from gossamer.sampling._blocks import block_of
from gossamer.sampling.neighbors import checked_seeds, draw, fanouts_of, is_inward, weights_of

__all__ = ["MultiLayerFullNeighborSampler", "MultiLayerNeighborSampler", "NeighborSampler"]


class NeighborSampler(BlockSampler):
    """Sample in-edges of each node at random, layer by layer, as in GraphSAGE.

    The last fanout applies to the output nodes, the one before it to their neighbors, and so on.

    Parameters
    ----------
    fanouts : list of int, or of dict of edge type to int
        Number of edges of each type to draw per node, for each layer, the input layer first; -1 for
        all. A dict must have every edge type.
    edge_dir : {"in", "out"}
        Whether to draw in-edges or out-edges of the nodes.
    prob : str, optional
        Edge feature with the weights of the draw: see :func:`gossamer.sampling.sample_neighbors`.
    mask : str, optional
        Bool edge feature: only edges where it is True are drawn. Cannot be combined with `prob`.
    replace : bool
        Whether to draw with replacement.
    prefetch_node_feats, prefetch_labels, prefetch_edge_feats, output_device
        See :class:`BlockSampler`.
    fused : bool
        Accepted as in DGL; sampling and building blocks are always fused.

    References
    ----------
    Hamilton, Ying and Leskovec, "Inductive representation learning on large graphs", NeurIPS 2017.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([1, 2, 3, 4, 5], [0, 0, 1, 2, 2]))
    >>> sampler = gs.dataloading.NeighborSampler([2, 2])
    >>> input_nodes, output_nodes, blocks = sampler.sample(g, torch.tensor([0]))
    >>> input_nodes, [block.num_edges() for block in blocks]
    (tensor([0, 1, 2, 3, 4, 5]), [5, 2])
    """

    needs_graph = True

    def __init__(
        self,
        fanouts: Sequence[int | Mapping[Any, int]],
        edge_dir: str = "in",
        prob: str | None = None,
        mask: str | None = None,
        replace: bool = False,
        prefetch_node_feats: Any = None,
        prefetch_labels: Any = None,
        prefetch_edge_feats: Any = None,
        output_device: torch.device | str | None = None,
        fused: bool = True,
    ) -> None:
        super().__init__(prefetch_node_feats, prefetch_labels, prefetch_edge_feats, output_device)
        is_inward(edge_dir, "NeighborSampler")
        if prob is not None and mask is not None:
            raise InvalidValueError(
                "NeighborSampler takes prob or mask, not both. Multiply the weights by the mask "
                "and give them as prob."
            )
        self.fanouts = as_fanouts(fanouts, type(self).__name__)
        self.edge_dir = edge_dir
        self.prob = prob if mask is None else mask
        self.replace = replace
        self.fused = fused

    def prepare(self, g: Graph) -> None:
        """Build the structures that every batch reads, so that worker processes share them."""
        inward = self.edge_dir == "in"
        for adjacency, weights in zip(
            g.relations, weights_of(g, self.prob, "NeighborSampler"), strict=True
        ):
            adjacency.csc() if inward else adjacency.csr()
            if weights is not None:
                _core.edge_candidates(adjacency, inward, weights)

    def sample_blocks(self, g: Graph, seed_nodes: Ids, exclude_eids: Any = None) -> Sampled:
        """Draw the neighbors of `seed_nodes`; see :meth:`BlockSampler.sample_blocks`.

        With ``edge_dir="out"``, the edges of the blocks are reversed: seeds are destinations.
        """
        targets, excluded = checked_seeds(g, seed_nodes, exclude_eids, "NeighborSampler")
        weights = weights_of(g, self.prob, "NeighborSampler")
        inward = self.edge_dir == "in"
        blocks: list[Graph] = []
        for fanout in reversed(self.fanouts):
            drawn = draw(
                g,
                targets,
                fanouts_of(g, fanout, "NeighborSampler"),
                weights,
                excluded,
                inward=inward,
                replace=self.replace,
                name="NeighborSampler",
            )
            block, targets = block_of(g, targets, drawn, inward)
            blocks.insert(0, block)
        return by_type(g, targets), seed_nodes, blocks


class MultiLayerNeighborSampler(NeighborSampler):
    """Another name for :class:`NeighborSampler`.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.dataloading.MultiLayerNeighborSampler([10, 5]).fanouts
    [10, 5]
    """


class MultiLayerFullNeighborSampler(NeighborSampler):
    """Sample all in-edges of each node, layer by layer.

    Parameters
    ----------
    num_layers : int
        Number of layers.
    **kwargs
        Arguments of :class:`NeighborSampler`, except `fanouts`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([1, 2, 3], [0, 0, 2]))
    >>> sampler = gs.dataloading.MultiLayerFullNeighborSampler(2)
    >>> sampler.sample(g, torch.tensor([0]))[0]
    tensor([0, 1, 2, 3])
    """

    def __init__(self, num_layers: int, **kwargs: Any) -> None:
        count = as_int(num_layers, "MultiLayerFullNeighborSampler", "num_layers", 1)
        super().__init__([-1] * count, **kwargs)
