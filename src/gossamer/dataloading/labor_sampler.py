"""Layer-neighbor sampling (LABOR), which needs few distinct nodes per batch."""

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
    """Sample in-edges of each node, layer by layer, such that nodes share sources.

    Estimates have the same variance as with :class:`NeighborSampler` and the same number of
    neighbors, but a batch has fewer distinct nodes. See :func:`gossamer.sampling.sample_labors`.

    Parameters
    ----------
    fanouts : list of int, or of dict of edge type to int
        Average number of edges of each type to draw per node, for each layer, the input layer
        first; -1 for all.
    edge_dir : {"in", "out"}
        Whether to draw in-edges or out-edges of the nodes.
    prob : str, optional
        Edge feature with the weights of the neighbors in the estimated mean.
    importance_sampling : int
        Number of iterations that improve the importances: 0 is LABOR-0, i is LABOR-i, and -1 is
        ``LABOR-*`` (until convergence).
    layer_dependency : bool
        Whether all layers use the same random numbers, and so share more nodes.
    batch_dependency : int
        Number of batches over which the random numbers change gradually, so that consecutive
        batches share nodes. With 1, every batch has random numbers of its own.
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
        """Set the seed of the following batches.

        Parameters
        ----------
        random_seed : int, optional
            The seed. Default: drawn from torch's generator or, in a loader, from its seed.

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
        """Return the seed and the number of the next batch."""
        current = _core.current_stream()
        if current is not None:  # the same in every worker
            key, number = current
            return (key if self.random_seed is None else _core.mix(key, self.random_seed)), number
        if self._seed is None or (self.random_seed is None and self.batch_dependency == 1):
            self._seed = _core.next_key()
        self._count += 1
        return self._seed, self._count - 1

    def _keys(self, seed: int, number: int, layer: int) -> tuple[tuple[int, int], float]:
        """Return the two keys of a layer, and the fraction to interpolate between them."""
        layer = 0 if self.layer_dependency else layer
        period, step = divmod(number, self.batch_dependency)
        keys = _core.mix(seed, period, layer), _core.mix(seed, period + 1, layer)
        return keys, step / self.batch_dependency

    def sample_blocks(self, g: Graph, seed_nodes: Ids, exclude_eids: Any = None) -> Sampled:
        """Draw the neighbors of `seed_nodes`; see :meth:`BlockSampler.sample_blocks`.

        With `prob` or `importance_sampling`, the edge feature ``"edge_weights"`` of the blocks has
        the weight of each edge in the mean.
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
