"""SubgraphX."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gossamer._options import as_int, number_in
from gossamer.errors import InvalidValueError
from gossamer.nn.explain._common import at_rest, require_model
from gossamer.transforms import to_homogeneous

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["HeteroSubgraphX", "SubgraphX"]

_LOG = logging.getLogger("gossamer.nn.explain")

Nodes = frozenset[int]


@dataclass
class _State:
    """A set of nodes in the search tree."""

    nodes: Nodes
    value: float = 0.0
    visits: int = 0
    total: float = 0.0
    children: list[_State] | None = field(default=None, repr=False)


class SubgraphX(nn.Module):
    r"""Explain a prediction by a small set of nodes, from `On Explainability of Graph Neural
    Networks via Subgraph Explorations <https://arxiv.org/abs/2102.05152>`__.

    A Monte Carlo tree search starts from all nodes and prunes them one by one, keeping the largest
    connected part. The value :math:`R` of a set is its Shapley value: the increase of the class
    probability when the set is added to a random subset of the nodes around it, averaged over such
    subsets. The search continues with the child with the largest

    .. math:: \frac{W}{N} + c\, R\, \frac{\sqrt{\sum_{siblings} N}}{1 + N}

    where :math:`N` is the number of visits to a child and :math:`W` the sum of their values.

    Parameters
    ----------
    model : Module
        Called as ``model(graph, feat)``; returns logits of a graph, ``(1, C)``.
    num_hops : int
        Number of hops from which messages reach a node: the number of layers of the model.
    coef : float
        :math:`c`; larger values explore more.
    high2low : bool
        Whether to prune nodes of high degree first; otherwise, nodes of low degree.
    num_child : int
        Number of ways of pruning each set to try.
    num_rollouts : int
        Number of searches.
    node_min : int
        Size at which a set is not pruned further.
    shapley_steps : int
        Number of random sets of neighbors for each value.
    log : bool
        Whether to log each search to the logger ``gossamer.nn.explain``.

    Notes
    -----
    Nodes outside of a set stay in the graph, with features of 0. The model runs in evaluation mode,
    without gradients, on one graph at a time; its mode is restored.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> class Model(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.conv = gs.nn.GraphConv(3, 2, allow_zero_in_degree=True)
    ...     def forward(self, graph, feat):
    ...         return gs.nn.AvgPooling()(graph, self.conv(graph, feat))
    >>> g = gs.graph(([0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]))
    >>> explainer = gs.nn.SubgraphX(Model(), 1, num_rollouts=2, shapley_steps=2, node_min=2)
    >>> len(explainer.explain_graph(g, torch.rand(4, 3), target_class=0))
    2
    """

    def __init__(
        self,
        model: nn.Module,
        num_hops: int,
        coef: float = 10.0,
        high2low: bool = True,
        num_child: int = 12,
        num_rollouts: int = 20,
        node_min: int = 3,
        shapley_steps: int = 100,
        log: bool = False,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        require_model(model, name)
        self.model = model
        self.num_hops = as_int(num_hops, name, "num_hops", 0)
        self.coef = number_in(coef, name, "coef")
        self.high2low = high2low
        self.num_child = as_int(num_child, name, "num_child", 1)
        self.num_rollouts = as_int(num_rollouts, name, "num_rollouts", 1)
        self.node_min = as_int(node_min, name, "node_min", 1)
        self.shapley_steps = as_int(shapley_steps, name, "shapley_steps", 1)
        self.log = log

    def explain_graph(self, graph: Graph, feat: Tensor, target_class: int, **kwargs: Any) -> Tensor:
        r"""Find the nodes that speak most for a class.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`(N, D)`.
        target_class : int
            The class.
        **kwargs
            Further arguments of the model.

        Returns
        -------
        Tensor
            Their ids, ascending; at most `node_min`, or the smallest set that was found.

        Raises
        ------
        InvalidValueError
            If the graph has no nodes, or there is no such class.
        """

        def probability(keep: Tensor) -> float:
            shape = (-1, *(1,) * (feat.dim() - 1))
            logits = self.model(graph, feat * keep.view(shape).to(feat.dtype), **kwargs)
            return self._of_class(logits, target_class)

        return self._search(graph, probability).to(graph.idtype)

    # --------------------------------------------------------------------------------- the search

    @torch.no_grad()
    def _search(self, graph: Graph, probability: Callable[[Tensor], float]) -> Tensor:
        """Find the best small set of nodes of a homogeneous graph."""
        if graph.num_nodes() == 0:
            raise InvalidValueError(f"{type(self).__name__}: the graph has no nodes to explain.")
        search = _Search(self, graph, probability)
        with at_rest(self.model):
            root = search.state(frozenset(range(graph.num_nodes())))
            for rollout in range(self.num_rollouts):
                value = search.rollout(root)
                if self.log:
                    _LOG.info("rollout %d: value %.4f", rollout + 1, value)
        leaves = [state for state in search.states.values() if len(state.nodes) <= self.node_min]
        smallest = min(len(state.nodes) for state in search.states.values())
        leaves = leaves or [s for s in search.states.values() if len(s.nodes) == smallest]
        best = max(leaves, key=lambda state: state.value)
        return torch.tensor(sorted(best.nodes), device=graph.device)

    def _of_class(self, logits: Tensor, target_class: int) -> float:
        if not 0 <= target_class < logits.shape[-1]:
            raise InvalidValueError(
                f"{type(self).__name__}: target_class must be 0 ... {logits.shape[-1] - 1}, as the "
                f"model has {logits.shape[-1]} classes, but got {target_class}."
            )
        return float(logits.softmax(-1)[..., target_class].mean())

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"num_hops={self.num_hops}, num_rollouts={self.num_rollouts}"


class HeteroSubgraphX(SubgraphX):
    r"""`SubgraphX` for graphs of several types.

    Parameters
    ----------
    model : Module
        Called as ``model(graph, feat)`` with features by node type; returns logits of a graph.
    num_hops, coef, high2low, num_child, num_rollouts, node_min, shapley_steps, log
        As for :class:`SubgraphX`; nodes of all types count together.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> class Model(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.conv = gs.nn.GraphConv(3, 2, allow_zero_in_degree=True)
    ...     def forward(self, graph, feat):
    ...         return self.conv(graph["plays"], feat["user"]).mean(0, keepdim=True)
    >>> g = gs.heterograph({("user", "plays", "game"): ([0, 1, 2], [0, 0, 1])})
    >>> feat = {"user": torch.rand(3, 3), "game": torch.rand(2, 3)}
    >>> explainer = gs.nn.HeteroSubgraphX(Model(), 1, num_rollouts=2, shapley_steps=2, node_min=2)
    >>> found = explainer.explain_graph(g, feat, target_class=0)
    >>> sorted(found)
    ['game', 'user']
    """

    def explain_graph(
        self, graph: Graph, feat: Mapping[str, Tensor], target_class: int, **kwargs: Any
    ) -> dict[str, Tensor]:
        r"""Find the nodes that speak most for a class.

        Parameters
        ----------
        graph : Graph
            Heterogeneous graph.
        feat : dict of str to Tensor
            Features by node type.
        target_class : int
            The class.
        **kwargs
            Further arguments of the model.

        Returns
        -------
        dict of str to Tensor
            Their ids by node type, for the types that have some.

        Raises
        ------
        InvalidValueError
            If the graph has no nodes, or there is no such class.
        """
        sizes = [graph.num_nodes(ntype) for ntype in graph.ntypes]

        def probability(keep: Tensor) -> float:
            parts = dict(zip(graph.ntypes, keep.split(sizes), strict=True))
            masked = {
                ntype: x * parts[ntype].view(-1, *(1,) * (x.dim() - 1)).to(x.dtype)
                for ntype, x in feat.items()
            }
            return self._of_class(self.model(graph, masked, **kwargs), target_class)

        nodes = self._search(to_homogeneous(graph), probability)
        found, first = {}, 0
        for ntype, size in zip(graph.ntypes, sizes, strict=True):
            own = nodes[(nodes >= first) & (nodes < first + size)] - first
            if len(own):
                found[ntype] = own.to(graph.idtype)
            first += size
        return found


class _Search:
    """The tree of one search over the nodes of a homogeneous graph, edges in both directions."""

    def __init__(
        self, owner: SubgraphX, graph: Graph, probability: Callable[[Tensor], float]
    ) -> None:
        self.owner = owner
        self.probability = probability
        self.size = graph.num_nodes()
        self.device = graph.device
        self.neighbors: list[set[int]] = [set() for _ in range(self.size)]
        u, v = graph.edges()
        for a, b in zip(u.tolist(), v.tolist(), strict=True):
            if a != b:
                self.neighbors[a].add(b)
                self.neighbors[b].add(a)
        self.states: dict[Nodes, _State] = {}

    def state(self, nodes: Nodes) -> _State:
        """Return the state of a set of nodes; there is one per set, however it is reached."""
        if nodes not in self.states:
            self.states[nodes] = _State(nodes, self.shapley(nodes))
        return self.states[nodes]

    def shapley(self, nodes: Nodes) -> float:
        """Estimate by how much adding `nodes` to nodes around them raises the probability."""
        around = sorted(self._around(nodes) - nodes)
        total = 0.0
        for _ in range(self.owner.shapley_steps):
            # The set gets a random position among the players; those before it are already present.
            order = torch.randperm(len(around) + 1).tolist()
            before = [around[i] for i in order[: order.index(len(around))] if i < len(around)]
            # Nodes further away are not players and keep their features.
            total += self._gain(nodes, set(around), before)
        return total / self.owner.shapley_steps

    def _gain(self, nodes: Nodes, around: set[int], before: list[int]) -> float:
        without = torch.ones(self.size, dtype=torch.bool)
        without[sorted(around | nodes)] = False
        without[before] = True
        joined = without.clone()
        joined[sorted(nodes)] = True
        return self.probability(joined.to(self.device)) - self.probability(without.to(self.device))

    def _around(self, nodes: Nodes) -> set[int]:
        reached = set(nodes)
        rim = reached
        for _ in range(self.owner.num_hops):
            rim = {other for node in rim for other in self.neighbors[node]} - reached
            reached = reached | rim
        return reached

    def rollout(self, state: _State) -> float:
        """Descend the tree once; return the value of the set at the end."""
        path = [state]
        while len(state.nodes) > self.owner.node_min:
            if state.children is None:
                state.children = self._prune(state.nodes)
            if not state.children:
                break
            visits = math.sqrt(sum(child.visits for child in state.children))
            state = max(state.children, key=lambda child: self._promise(child, visits))
            path.append(state)
        for each in path:
            each.visits += 1
            each.total += state.value
        return state.value

    def _promise(self, child: _State, visits: float) -> float:
        mean = child.total / child.visits if child.visits else 0.0
        return mean + self.owner.coef * child.value * visits / (1 + child.visits)

    def _prune(self, nodes: Nodes) -> list[_State]:
        """Return states with one node removed, nodes of highest or lowest degree first."""
        sign = -1 if self.owner.high2low else 1
        ordered = sorted(nodes, key=lambda n: (sign * len(self.neighbors[n] & nodes), n))
        kept = [self._largest_part(nodes - {node}) for node in ordered[: self.owner.num_child]]
        return [self.state(part) for part in dict.fromkeys(kept) if part]

    def _largest_part(self, nodes: Nodes) -> Nodes:
        best: set[int] = set()
        left = set(nodes)
        while len(left) > len(best):
            part, rim = set(), {min(left)}
            while rim:
                part |= rim
                rim = {other for node in rim for other in self.neighbors[node] & left} - part
            left -= part
            best = max(best, part, key=len)
        return frozenset(best)
