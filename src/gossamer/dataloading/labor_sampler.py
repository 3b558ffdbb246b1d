"""Blocks drawn so that few different nodes occur in a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from gossamer._options import as_int
from gossamer.dataloading.base import BlockSampler, Ids, Sampled, as_fanouts, by_type
from gossamer.graph import Graph
from gossamer.sampling import _core
from gossamer.sampling._blocks import block_of
from gossamer.sampling.labor import as_rounds, draw_labors
from gossamer.sampling.neighbors import checked_seeds, fanouts_of, is_inward, weights_of

__all__ = ["LaborSampler"]


class LaborSampler(BlockSampler):
    """For each layer, some in-edges of each node, drawn so that nodes share their sources.

    Estimates have the variance of :class:`NeighborSampler` with as many neighbors drawn, but the
    batch reads fewer different nodes. See :func:`gossamer.sampling.sample_labors`.

    Parameters
    ----------
    fanouts : list of int, or of dict of edge type to int
        How many edges of each type to draw for a node on average, the input layer first; -1 for
        all.
    edge_dir : {"in", "out"}
        Whether to draw from the edges that end or that begin at the nodes.
    prob : str, optional
        An edge feature: the weights of the neighbors in the mean that is estimated.
    importance_sampling : int
        How often importances are improved: 0 is LABOR-0, i is LABOR-i, -1 is ``LABOR-*``.
    layer_dependency : bool
        Whether all layers use the same random numbers, so that they share more nodes.
    batch_dependency : int
        Over how many batches the random numbers change, so that batches that follow one another
        share nodes. At 1 every batch has its own.
    prefetch_node_feats, prefetch_labels, prefetch_edge_feats, output_device
        See :class:`BlockSampler`.

    References
    ----------
    Balin and Çatalyürek, "Layer-neighbor sampling: defusing neighborhood explosion in GNNs",
    NeurIPS 2023.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([1, 2, 3, 4, 5], [0, 0, 1, 2, 2]))
    >>> sampler = gs.dataloading.LaborSampler([5, 5])
    >>> sampler.sample(g, torch.tensor([0]))[0]
    tensor([0, 1, 2, 3, 4, 5])
    """

    needs_graph = True

    def __init__(
        self,
        fanouts: Sequence[int | Mapping[Any, int]],
        edge_dir: str = "in",
        prob: str | None = None,
        importance_sampling: int = 0,
        layer_dependency: bool = False,
        batch_dependency: int = 1,
        prefetch_node_feats: Any = None,
        prefetch_labels: Any = None,
        prefetch_edge_feats: Any = None,
        output_device: torch.device | str | None = None,
    ) -> None:
        super().__init__(prefetch_node_feats, prefetch_labels, prefetch_edge_feats, output_device)
        is_inward(edge_dir, "LaborSampler")
        self.fanouts = as_fanouts(fanouts, "LaborSampler")
        self.edge_dir = edge_dir
        self.prob = prob
        self.importance_sampling = as_rounds(importance_sampling, "LaborSampler")
        self.layer_dependency = layer_dependency
        self.batch_dependency = as_int(batch_dependency, "LaborSampler", "batch_dependency", 1)
        self.set_seed()

    def set_seed(self, random_seed: int | None = None) -> None:
        """Name the random numbers of the batches that follow.

        Parameters
        ----------
        random_seed : int, optional
            Default: none, so that they come from torch's generator or, in a loader, from its seed.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> g = gs.graph((torch.arange(1, 50), torch.zeros(49, dtype=torch.int64)))
        >>> sampler = gs.dataloading.LaborSampler([5])
        >>> first, second = [], []
        >>> for found in (first, second):
        ...     sampler.set_seed(3)
        ...     found += sampler.sample(g, torch.tensor([0]))[0].tolist()
        >>> first == second
        True
        """
        self.random_seed = (
            None if random_seed is None else as_int(random_seed, "LaborSampler", "random_seed")
        )
        self._seed = self.random_seed
        self._count = 0

    def _batch(self) -> tuple[int, int]:
        """The seed and the number of the next batch."""
        current = _core.current_stream()
        if current is not None:  # whichever worker draws the batch
            key, number = current
            return (key if self.random_seed is None else _core.mix(key, self.random_seed)), number
        if self._seed is None or (self.random_seed is None and self.batch_dependency == 1):
            self._seed = _core.next_key()
        self._count += 1
        return self._seed, self._count - 1

    def _keys(self, seed: int, number: int, layer: int) -> tuple[tuple[int, int], float]:
        """Keys of a layer, and how far its numbers have moved from the first to the second."""
        layer = 0 if self.layer_dependency else layer
        period, step = divmod(number, self.batch_dependency)
        keys = _core.mix(seed, period, layer), _core.mix(seed, period + 1, layer)
        return keys, step / self.batch_dependency

    def sample_blocks(self, g: Graph, seed_nodes: Ids, exclude_eids: Any = None) -> Sampled:
        """Draw the neighbors of `seed_nodes`; see :meth:`BlockSampler.sample_blocks`.

        With `prob` or `importance_sampling`, the edge feature ``"edge_weights"`` of the blocks says
        what each edge counts in the mean.
        """
        targets, excluded = checked_seeds(g, seed_nodes, exclude_eids, "LaborSampler")
        weights = weights_of(g, self.prob, "LaborSampler")
        inward = self.edge_dir == "in"
        seed, number = self._batch()
        blocks: list[Graph] = []
        for layer, fanout in enumerate(reversed(self.fanouts)):
            keys, second = self._keys(seed, number, layer)
            drawn, found = draw_labors(
                g,
                targets,
                fanouts_of(g, fanout, "LaborSampler"),
                weights,
                excluded,
                inward=inward,
                rounds=self.importance_sampling,
                keys=keys,
                second=second,
            )
            block, targets = block_of(g, targets, drawn, inward)
            if self.prob is not None or self.importance_sampling != 0:
                for frame, own in zip(block.edge_frames, found, strict=True):
                    frame["edge_weights"] = own
            blocks.insert(0, block)
        return by_type(g, targets), seed_nodes, blocks
