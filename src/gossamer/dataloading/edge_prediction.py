"""Samplers for edges, made from samplers for nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from gossamer._options import require_function
from gossamer.dataloading.base import BlockSampler, Sampler
from gossamer.dataloading.exclude import Exclude, check_exclude, find_exclude_eids
from gossamer.dataloading.lazy import set_edge_lazy_features
from gossamer.errors import InvalidTypeError
from gossamer.graph import EID, NID, Graph, heterograph
from gossamer.graph.arguments import on_device
from gossamer.transforms import compact_graphs, edge_subgraph

__all__ = ["EdgePredictionSampler", "as_edge_prediction_sampler"]


class EdgePredictionSampler(Sampler):
    """Sample blocks for the endpoints of edges with another sampler.

    See :func:`as_edge_prediction_sampler`, which describes the parameters.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2, 3], [1, 2, 3, 0]))
    >>> sampler = gs.dataloading.EdgePredictionSampler(gs.dataloading.NeighborSampler([1]))
    >>> input_nodes, pairs, blocks = sampler.sample(g, torch.tensor([1, 3]))
    >>> pairs.num_edges(), pairs.ndata[gs.NID]
    (2, tensor([1, 3, 2, 0]))
    """

    needs_graph = True

    def __init__(
        self,
        sampler: BlockSampler,
        exclude: Exclude | None = None,
        reverse_eids: Any = None,
        reverse_etypes: Mapping[Any, Any] | None = None,
        negative_sampler: Callable[[Graph, Any], Any] | None = None,
        prefetch_labels: Any = None,
    ) -> None:
        if not callable(getattr(sampler, "sample", None)):
            raise InvalidTypeError(
                "as_edge_prediction_sampler takes a sampler of blocks, got "
                f"{type(sampler).__name__}."
            )
        name = "as_edge_prediction_sampler"
        check_exclude(exclude, reverse_eids, reverse_etypes, name)
        require_function(negative_sampler, name, "negative_sampler")
        self.sampler = sampler
        self.exclude = exclude
        self.reverse_eids = reverse_eids
        self.reverse_etypes = reverse_etypes
        self.negative_sampler = negative_sampler
        self.prefetch_labels = prefetch_labels or []
        self.output_device = getattr(sampler, "output_device", None)

    def prepare(self, g: Graph) -> None:
        """Build the structures that every batch reads, so that worker processes share them."""
        prepare = getattr(self.sampler, "prepare", None)
        if prepare is not None:
            prepare(g)

    def assign_lazy_features(self, result: tuple) -> tuple:
        """Mark the features of the pairs that the loader fetches."""
        set_edge_lazy_features(result[1], self.prefetch_labels)
        return result

    def sample(self, g: Graph, seed_edges: Any) -> tuple:
        """Sample blocks for the endpoints of `seed_edges`.

        Parameters
        ----------
        g : Graph
            The graph.
        seed_edges : Tensor, or dict of edge type to Tensor
            The edges to predict.

        Returns
        -------
        input_nodes : Tensor or dict of str to Tensor
            Nodes whose features the first layer reads.
        pairs : Graph
            The seed edges and their endpoints, with ``gossamer.EID`` and ``gossamer.NID``.
        negatives : Graph
            The negative edges, with the same nodes; only with a negative sampler.
        blocks : list of Graph
            A block for each layer; the destinations of the last one are the nodes of `pairs`.
        """
        graphs = [edge_subgraph(g, seed_edges, relabel_nodes=False)]
        eids = [frame[EID] for frame in graphs[0].edge_frames]
        if self.negative_sampler is not None:
            graphs.append(self._negatives(g, seed_edges))
        graphs = compact_graphs(graphs)
        for frame, ids in zip(graphs[0].edge_frames, eids, strict=True):
            frame[EID] = ids
        seeds = graphs[0].ndata[NID]
        excluded = find_exclude_eids(
            g, seed_edges, self.exclude, self.reverse_eids, self.reverse_etypes
        )
        input_nodes, _, blocks = self.sampler.sample(g, seeds, excluded)
        graphs = [on_device(graph, self.output_device) for graph in graphs]
        return self.assign_lazy_features((input_nodes, *graphs, blocks))

    def _negatives(self, g: Graph, seed_edges: Any) -> Graph:
        drawn = self.negative_sampler(g, seed_edges)
        if not isinstance(drawn, Mapping):
            drawn = {g.to_canonical_etype(None): drawn}
        given: dict[Any, tuple[Tensor, Tensor]] = {
            g.to_canonical_etype(etype): pair for etype, pair in drawn.items()
        }
        nothing = torch.empty(0, dtype=g.idtype, device=g.device)
        edges = {etype: given.get(etype, (nothing, nothing)) for etype in g.canonical_etypes}
        counts = {ntype: g.num_nodes(ntype) for ntype in g.ntypes}
        return heterograph(edges, counts, idtype=g.idtype, device=g.device)


def as_edge_prediction_sampler(
    sampler: BlockSampler,
    exclude: Exclude | None = None,
    reverse_eids: Any = None,
    reverse_etypes: Mapping[Any, Any] | None = None,
    negative_sampler: Callable[[Graph, Any], Any] | None = None,
    prefetch_labels: Any = None,
) -> EdgePredictionSampler:
    """Make an edge sampler, for edge classification and link prediction, from a node sampler.

    Parameters
    ----------
    sampler : BlockSampler
        The sampler of blocks for the endpoints of the edges.
    exclude : {"self", "reverse_id", "reverse_types"}, callable, Tensor or dict, optional
        Edges to exclude from message passing; see :func:`find_exclude_eids`. Default: none.
    reverse_eids : Tensor or dict of edge type to Tensor, optional
        ``(E,)``: for each edge, the id of its reverse edge.
    reverse_etypes : dict of edge type to edge type, optional
        For each edge type, the type that has its reverse edges.
    negative_sampler : callable, optional
        ``negative_sampler(g, seed_edges)`` returns the sources and destinations of negative edges,
        or a dict of them by edge type; see :mod:`gossamer.dataloading.negative_sampler`.
    prefetch_labels : list of str, or dict of edge type to list of str, optional
        Features of the seed edges that the loader fetches.

    Returns
    -------
    EdgePredictionSampler
        Its batches are ``(input_nodes, pairs, blocks)`` or, with a negative sampler,
        ``(input_nodes, pairs, negatives, blocks)``.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> from gossamer.dataloading import negative_sampler
    >>> g = gs.graph(([0, 1, 2, 3], [1, 2, 3, 0]))
    >>> sampler = gs.dataloading.as_edge_prediction_sampler(
    ...     gs.dataloading.NeighborSampler([2]), exclude="self",
    ...     negative_sampler=negative_sampler.Uniform(3))
    >>> loader = gs.dataloading.DataLoader(g, torch.arange(4), sampler, batch_size=2)
    >>> input_nodes, pairs, negatives, blocks = next(iter(loader))
    >>> pairs.num_edges(), negatives.num_edges()
    (2, 6)
    """
    return EdgePredictionSampler(
        sampler, exclude, reverse_eids, reverse_etypes, negative_sampler, prefetch_labels
    )
