"""Small subgraphs around the nodes of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer.dataloading.base import Ids, Sampler, as_fanouts, by_type, finished
from gossamer.graph import EID, Graph
from gossamer.sampling import _core
from gossamer.sampling.neighbors import checked_seeds, draw, fanouts_of, weights_of
from gossamer.transforms import node_subgraph, remove_edges

__all__ = ["ShaDowKHopSampler"]


class ShaDowKHopSampler(Sampler):
    """Sample a subgraph of a few hops around each batch, for networks deeper than these hops.

    Neighbors are drawn layer by layer, as in :class:`NeighborSampler`; the result is the subgraph
    induced by the nodes, with all edges between them.

    Parameters
    ----------
    fanouts : list of int, or of dict of edge type to int
        Number of in-edges of each type to draw per node, for each hop, the farthest hop first; -1
        for all.
    replace : bool
        Whether to draw with replacement.
    prob : str, optional
        Edge feature with the weights of the draw.
    prefetch_node_feats, prefetch_edge_feats, output_device
        As for :class:`BlockSampler`, applied to the subgraph.

    References
    ----------
    Zeng et al., "Decoupling the depth and scope of graph neural networks", NeurIPS 2021.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([1, 2, 3, 4, 0], [0, 0, 1, 3, 2]))
    >>> sampler = gs.dataloading.ShaDowKHopSampler([5, 5])
    >>> input_nodes, output_nodes, sub = sampler.sample(g, torch.tensor([0]))
    >>> input_nodes, sub.num_edges()
    (tensor([0, 1, 2, 3]), 4)
    """

    needs_graph = True

    def __init__(
        self,
        fanouts: Sequence[int | Mapping[Any, int]],
        replace: bool = False,
        prob: str | None = None,
        prefetch_node_feats: Any = None,
        prefetch_edge_feats: Any = None,
        output_device: torch.device | str | None = None,
    ) -> None:
        self.fanouts = as_fanouts(fanouts, "ShaDowKHopSampler")
        self.replace = replace
        self.prob = prob
        self.prefetch_node_feats = prefetch_node_feats or []
        self.prefetch_edge_feats = prefetch_edge_feats or []
        self.output_device = output_device

    def sample(self, g: Graph, seed_nodes: Ids, exclude_eids: Any = None) -> tuple[Ids, Ids, Graph]:
        """Sample the subgraph around `seed_nodes`.

        Returns
        -------
        input_nodes, output_nodes : Tensor or dict of str to Tensor
            All nodes of the subgraph, the seeds first, and the seeds.
        subgraph : Graph
            The subgraph, with the features ``gossamer.NID`` and ``gossamer.EID``.
        """
        name = "ShaDowKHopSampler"
        nodes, excluded = checked_seeds(g, seed_nodes, exclude_eids, name)
        weights = weights_of(g, self.prob, name)
        for fanout in reversed(self.fanouts):
            drawn = draw(
                g,
                nodes,
                fanouts_of(g, fanout, name),
                weights,
                excluded,
                inward=True,
                replace=self.replace,
                name=name,
            )
            nodes = _reached(g, nodes, drawn)
        sub = node_subgraph(g, by_type(g, nodes))
        for i, ids in enumerate(excluded):
            if ids is not None:
                etype = g.canonical_etypes[i]
                gone = torch.isin(sub.edges[etype].data[EID], ids).nonzero().flatten()
                sub = remove_edges(sub, gone.to(sub.idtype), etype)
        names = self.prefetch_node_feats, self.prefetch_edge_feats
        sub = finished(sub, *names, self.output_device)
        return by_type(g, nodes), seed_nodes, sub


def _reached(g: Graph, nodes: Sequence[Tensor], drawn: Sequence[_core.Drawn]) -> list[Tensor]:
    """Return `nodes`, followed by the other endpoints of the edges drawn for them."""
    lists = [[ids] for ids in nodes]
    for (src, _), (_, neighbors, _) in zip(g.schema.endpoints, drawn, strict=True):
        lists[src].append(neighbors)
    return _core.number_nodes(lists, [frame.num_rows for frame in g.node_frames])[0]
