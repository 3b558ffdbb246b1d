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
    """The subgraph of some neighbors of some neighbors, for a deep network on a shallow part.

    Neighbors are drawn layer by layer, as by :class:`NeighborSampler`; the result is the subgraph
    that the nodes induce, with all edges between them.

    Parameters
    ----------
    fanouts : list of int, or of dict of edge type to int
        How many in-edges of each type to draw for a node, the farthest neighbors first; -1 for
        all.
    replace : bool
        Whether to draw with replacement.
    prob : str, optional
        An edge feature to draw by.
    prefetch_node_feats, prefetch_edge_feats, output_device
        As of :class:`BlockSampler`, for the subgraph.

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
        """The subgraph around `seed_nodes`.

        Returns
        -------
        input_nodes, output_nodes : Tensor or dict of str to Tensor
            All nodes of the subgraph, the seeds first, and the seeds.
        subgraph : Graph
            With ``gossamer.NID`` and ``gossamer.EID``.
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
    """`nodes`, and then those at the other end of what was drawn for them."""
    lists = [[ids] for ids in nodes]
    for (src, _), (_, neighbors, _) in zip(g.schema.endpoints, drawn, strict=True):
        lists[src].append(neighbors)
    return _core.number_nodes(lists, [frame.num_rows for frame in g.node_frames])[0]
