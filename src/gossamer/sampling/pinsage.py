"""Neighbors found by random walks, as in PinSAGE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int, number_in, shown
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph, heterograph
from gossamer.graph.arguments import refuse_block, require_graph
from gossamer.sampling.randomwalks import random_walk
from gossamer.sampling.topk import largest_of_each

__all__ = ["PinSAGESampler", "RandomWalkNeighborSampler"]


class RandomWalkNeighborSampler:
    """Sample as neighbors of a node the nodes that random walks from it visit most often.

    Parameters
    ----------
    G : Graph
        Any graph but a block.
    num_traversals : int
        Maximum number of times that a walk follows the metapath.
    termination_prob : float
        Probability of stopping after each traversal of the metapath, at least 0 and less than 1.
    num_random_walks : int
        Number of walks from each node.
    num_neighbors : int
        Number of most visited nodes that become neighbors.
    metapath : list of edge types, optional
        Edge types of a path from a node type back to itself. Default: the only edge type.
    weight_column : str
        Name of the edge feature of the result that holds the number of visits.

    Raises
    ------
    InvalidValueError
        If the metapath does not end at the node type where it begins, or a number is out of range.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> sampler = gs.sampling.RandomWalkNeighborSampler(g, 1, 0.0, 10, 5)
    >>> sub = sampler(torch.tensor([0, 2]))
    >>> sub.edges(), sub.edata["weights"]
    ((tensor([1, 0]), tensor([0, 2])), tensor([10, 10]))
    """

    def __init__(
        self,
        G: Graph,
        num_traversals: int,
        termination_prob: float,
        num_random_walks: int,
        num_neighbors: int,
        metapath: Sequence[Any] | None = None,
        weight_column: str = "weights",
    ) -> None:
        name = type(self).__name__
        refuse_block(G, name)
        stop = number_in(termination_prob, name, "termination_prob")
        if not 0 <= stop < 1:
            raise InvalidValueError(
                f"{name}: termination_prob is at least 0 and below 1, got {termination_prob}."
            )
        self.G = G
        self.num_random_walks = as_int(num_random_walks, name, "num_random_walks", 1)
        self.num_neighbors = as_int(num_neighbors, name, "num_neighbors", 1)
        self.weight_column = weight_column
        traversals = as_int(num_traversals, name, "num_traversals", 1)
        if metapath is not None and (
            isinstance(metapath, str) or not isinstance(metapath, Sequence)
        ):
            raise InvalidTypeError(
                f"{name}: metapath is a list of edge types, got {shown(metapath)}."
            )
        etypes = [G.to_canonical_etype(etype) for etype in metapath or [None]]
        self.ntype = etypes[0][0]
        if etypes[-1][2] != self.ntype:
            raise InvalidValueError(
                f"{name}: a metapath ends at the node type where it begins, but {etypes} begins at "
                f"{self.ntype!r} and ends at {etypes[-1][2]!r}."
            )
        self.metapath_hops = len(etypes)
        self.full_metapath = etypes * traversals
        stops = torch.zeros(len(self.full_metapath), dtype=torch.float64)
        stops[self.metapath_hops :: self.metapath_hops] = stop
        self.restart_prob = stops

    def __call__(self, seed_nodes: Tensor) -> Graph:
        """Return a graph with edges to `seed_nodes` from their neighbors.

        Parameters
        ----------
        seed_nodes : ids
            Nodes of the type at which the metapath begins.

        Returns
        -------
        Graph
            A graph with all nodes of this type, and the edge feature `weight_column`.
        """
        position = self.G.get_ntype_id(self.ntype)
        seeds = self.G.checked_nodes(seed_nodes, position)
        starts = seeds.repeat_interleave(self.num_random_walks)
        traces = random_walk(
            self.G, starts, metapath=self.full_metapath, restart_prob=self.restart_prob
        )[0]
        visited = traces[:, self.metapath_hops :: self.metapath_hops]
        walk_of = torch.arange(len(seeds), device=seeds.device)
        owner = walk_of.repeat_interleave(self.num_random_walks).unsqueeze(1).expand_as(visited)
        there = visited >= 0
        count = self.G.num_nodes(self.ntype)
        owner, node, visits = most_visited(
            owner[there], visited[there].long(), count, self.num_neighbors
        )
        edges = node.to(self.G.idtype), seeds[owner]
        sub = heterograph(
            {(self.ntype, "_E", self.ntype): edges}, {self.ntype: count}, idtype=self.G.idtype
        )
        sub.edata[self.weight_column] = visits.to(self.G.idtype)
        return sub


def most_visited(
    owner: Tensor, node: Tensor, num_nodes: int, most: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The owner, node and number of visits of the `most` nodes most visited by each owner."""
    pairs, visits = (owner * num_nodes + node).unique(return_counts=True)
    owner = torch.div(pairs, num_nodes, rounding_mode="floor")
    order = largest_of_each(owner, visits, most)
    return owner[order], pairs[order] - owner[order] * num_nodes, visits[order]


class PinSAGESampler(RandomWalkNeighborSampler):
    """Sample neighbors as PinSAGE does: nodes of one type, visited by walks through another type.

    Parameters
    ----------
    G : Graph
        A graph with one edge type from `ntype` to `other_type`, and one back.
    ntype : str
        Type of the nodes and of their neighbors.
    other_type : str
        Type of the nodes that walks pass through.
    num_traversals, termination_prob, num_random_walks, num_neighbors, weight_column
        As for :class:`RandomWalkNeighborSampler`.

    References
    ----------
    Ying et al., "Graph convolutional neural networks for web-scale recommender systems", KDD 2018.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bought = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 1, 2])
    >>> g = gs.heterograph({("user", "bought", "item"): bought,
    ...                     ("item", "bought-by", "user"): bought[::-1]})
    >>> sampler = gs.sampling.PinSAGESampler(g, "item", "user", 2, 0.5, 100, 2)
    >>> sampler(torch.tensor([0])).in_degrees()
    tensor([2, 0, 0])
    """

    def __init__(
        self,
        G: Graph,
        ntype: str,
        other_type: str,
        num_traversals: int,
        termination_prob: float,
        num_random_walks: int,
        num_neighbors: int,
        weight_column: str = "weights",
    ) -> None:
        require_graph(G, "PinSAGESampler")
        path = [_only_type(G, ntype, other_type), _only_type(G, other_type, ntype)]
        super().__init__(
            G,
            num_traversals,
            termination_prob,
            num_random_walks,
            num_neighbors,
            metapath=path,
            weight_column=weight_column,
        )


def _only_type(g: Graph, src: str, dst: str) -> tuple[str, str, str]:
    found = [etype for etype in g.canonical_etypes if (etype[0], etype[2]) == (src, dst)]
    if len(found) != 1:
        raise InvalidValueError(
            f"PinSAGESampler: there must be one edge type from {src!r} to {dst!r}, but there are "
            f"{found}. RandomWalkNeighborSampler takes a metapath."
        )
    return found[0]
