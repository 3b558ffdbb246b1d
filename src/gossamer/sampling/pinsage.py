"""Neighbors by random walks, as in PinSAGE."""

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
    """The nodes that random walks from a node visit most, as its neighbors.

    Parameters
    ----------
    G : Graph
        Any graph but a block.
    num_traversals : int
        How often a walk follows the metapath, at most.
    termination_prob : float
        The probability of stopping after each time, at least 0 and below 1.
    num_random_walks : int
        Number of walks from each node.
    num_neighbors : int
        How many of the nodes that are visited most become neighbors.
    metapath : list of edge types, optional
        From a node type back to itself. Default: the only edge type.
    weight_column : str
        The edge feature of the result that counts visits.

    Raises
    ------
    InvalidValueError
        If the metapath does not end where it begins, or a number is too small.

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
        """A graph with edges from the neighbors of `seed_nodes` to them.

        Parameters
        ----------
        seed_nodes : ids
            Nodes of the type where the metapath begins.

        Returns
        -------
        Graph
            Over all nodes of that type; an edge feature says how often each was visited.
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
    """The nodes that each owner visits most, and how often."""
    pairs, visits = (owner * num_nodes + node).unique(return_counts=True)
    owner = torch.div(pairs, num_nodes, rounding_mode="floor")
    order = largest_of_each(owner, visits, most)
    return owner[order], pairs[order] - owner[order] * num_nodes, visits[order]


class PinSAGESampler(RandomWalkNeighborSampler):
    """The neighbors of PinSAGE: nodes of one type, visited by walks over another and back.

    Parameters
    ----------
    G : Graph
        A graph with one edge type from `ntype` to `other_type`, and one back.
    ntype : str
        The type of the nodes and of their neighbors.
    other_type : str
        The type that walks pass through.
    num_traversals, termination_prob, num_random_walks, num_neighbors, weight_column
        As of :class:`RandomWalkNeighborSampler`.

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
