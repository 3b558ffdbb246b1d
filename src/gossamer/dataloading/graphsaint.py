"""Subgraphs of nodes, edges or walks drawn from the whole graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int, one_of
from gossamer.dataloading.base import Sampler, finished
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import require_homogeneous
from gossamer.sampling import _core
from gossamer.sampling.randomwalks import random_walk
from gossamer.transforms import node_subgraph

__all__ = ["SAINTSampler"]


class SAINTSampler(Sampler):
    r"""The subgraph that nodes drawn at random induce: GraphSAINT's samplers.

    Items of the loader do not matter, only their number: one for each subgraph of an epoch, with
    ``batch_size=1``.

    Parameters
    ----------
    mode : {"node", "edge", "walk"}
        ``"node"``: nodes drawn with probability in proportion to their in-degree. ``"edge"``: the
        ends of edges ``u -> v`` drawn in proportion to :math:`1 / d_u + 1 / d_v`, with out-degree
        :math:`d_u` and in-degree :math:`d_v`. ``"walk"``: the nodes of random walks from random
        roots.
    budget : int or (int, int)
        How many nodes or edges to draw, with replacement; for walks how many, and how many steps.
    cache : bool
        Whether probabilities are computed once, for a graph that does not change.
    prefetch_ndata, prefetch_edata : list of str, optional
        Features of the subgraph that the loader fetches.
    output_device : torch.device or str
        Where subgraphs go.

    Raises
    ------
    InvalidValueError
        If `mode` is unknown, or a budget is below 1.
    InvalidTypeError
        If the budget does not fit the mode.

    References
    ----------
    Zeng et al., "GraphSAINT: graph sampling based inductive learning method", ICLR 2020.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph((torch.arange(8), (torch.arange(8) + 1) % 8))
    >>> sampler = gs.dataloading.SAINTSampler("walk", (1, 3))
    >>> loader = gs.dataloading.DataLoader(g, torch.arange(2), sampler)
    >>> [sub.num_nodes() for sub in loader]
    [4, 4]
    """

    needs_graph = True

    def __init__(
        self,
        mode: str,
        budget: int | tuple[int, int],
        cache: bool = True,
        prefetch_ndata: Any = None,
        prefetch_edata: Any = None,
        output_device: torch.device | str | None = "cpu",
    ) -> None:
        one_of(mode, "SAINTSampler", "mode", ("node", "edge", "walk"))
        if mode == "walk":
            if not isinstance(budget, (tuple, list)) or len(budget) != 2:
                raise InvalidTypeError(
                    "SAINTSampler: the budget of mode 'walk' is (number of walks, steps), got "
                    f"{budget!r}."
                )
            for number in budget:
                as_int(number, "SAINTSampler", "budget", 1)
        else:
            as_int(budget, "SAINTSampler", "budget", 1)
        self.mode = mode
        self.budget = budget
        self.cache = cache
        self.sampler: Callable[[Graph], Tensor] = getattr(self, f"{mode}_sampler")
        self.prob: Tensor | None = None
        self.prefetch_ndata = prefetch_ndata or []
        self.prefetch_edata = prefetch_edata or []
        self.output_device = output_device

    def node_sampler(self, g: Graph) -> Tensor:
        """Nodes drawn in proportion to their in-degree, each once."""
        return self._draw(g, lambda: g.adjacency.in_degrees().double()).unique()

    def edge_sampler(self, g: Graph) -> Tensor:
        """The ends of edges drawn at random, each once."""

        def weights() -> Tensor:
            src, dst = g.adjacency.coo()
            out = g.adjacency.out_degrees().double().index_select(0, src)
            return 1 / out + 1 / g.adjacency.in_degrees().double().index_select(0, dst)

        src, dst = g.find_edges(self._draw(g, weights).to(g.idtype))
        return torch.cat([src, dst]).unique()

    def walk_sampler(self, g: Graph) -> Tensor:
        """The nodes of random walks from random roots, each once."""
        count, length = self.budget
        roots = _core.random_integers(_some_nodes(g), count, g.idtype, g.device)
        nodes = random_walk(g, roots, length=length)[0].flatten()
        return nodes[nodes >= 0].unique()

    def _draw(self, g: Graph, weights: Callable[[], Tensor]) -> Tensor:
        """As many numbers as the budget says, by weight."""
        _some_nodes(g)
        sums = self.prob
        if sums is None:
            sums = weights().cumsum(0)
            if not len(sums) or not float(sums[-1]) > 0:
                raise InvalidValueError(
                    f"SAINTSampler: mode {self.mode!r} needs a graph with edges. Use 'walk'."
                )
            if self.cache:
                self.prob = sums
        points = _core.random_units(self.budget, sums.device) * sums[-1]
        return torch.searchsorted(sums, points, right=True).clamp(max=len(sums) - 1)

    def sample(self, g: Graph, indices: Any) -> Graph:
        """A subgraph of nodes drawn at random, whatever `indices` are.

        It has ``gossamer.NID`` and ``gossamer.EID``.
        """
        require_homogeneous(g, "SAINTSampler")
        sub = node_subgraph(g, self.sampler(g))
        return finished(sub, self.prefetch_ndata, self.prefetch_edata, self.output_device)


def _some_nodes(g: Graph) -> int:
    if not g.num_nodes():
        raise InvalidValueError("SAINTSampler: the graph has no nodes to draw.")
    return g.num_nodes()
