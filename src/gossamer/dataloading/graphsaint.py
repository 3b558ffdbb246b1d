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
    r"""Sample subgraphs induced by randomly drawn nodes, as in GraphSAINT.

    The items of the loader do not matter, only their number: with ``batch_size=1``, one item per
    subgraph of an epoch.

    Parameters
    ----------
    mode : {"node", "edge", "walk"}
        ``"node"``: nodes drawn with probability in proportion to their in-degree. ``"edge"``: the
        endpoints of edges ``u -> v`` drawn with probability in proportion to
        :math:`1 / d_u + 1 / d_v`, with out-degree :math:`d_u` and in-degree :math:`d_v`.
        ``"walk"``: the nodes of random walks from random roots.
    budget : int or (int, int)
        Number of nodes or edges to draw, with replacement; for walks, ``(number of walks, steps)``.
    cache : bool
        Whether to compute the probabilities only once; the graph must then not change.
    prefetch_ndata, prefetch_edata : list of str, optional
        Features of the subgraph that the loader fetches.
    output_device : torch.device or str
        Device of the subgraphs. None: that of the graph.

    Raises
    ------
    InvalidValueError
        If `mode` is unknown, or a budget is less than 1.
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
        """Draw nodes in proportion to their in-degree; return each drawn node once."""
        return self._draw(g, lambda: g.adjacency.in_degrees().double()).unique()

    def edge_sampler(self, g: Graph) -> Tensor:
        """Draw edges at random; return each of their endpoints once."""

        def weights() -> Tensor:
            src, dst = g.adjacency.coo()
            out = g.adjacency.out_degrees().double().index_select(0, src)
            return 1 / out + 1 / g.adjacency.in_degrees().double().index_select(0, dst)

        src, dst = g.find_edges(self._draw(g, weights).to(g.idtype))
        return torch.cat([src, dst]).unique()

    def walk_sampler(self, g: Graph) -> Tensor:
        """Run random walks from random roots; return each of their nodes once."""
        count, length = self.budget
        roots = _core.random_integers(_some_nodes(g), count, g.idtype, g.device)
        nodes = random_walk(g, roots, length=length)[0].flatten()
        return nodes[nodes >= 0].unique()

    def _draw(self, g: Graph, weights: Callable[[], Tensor]) -> Tensor:
        """Draw as many indices as the budget, by weight."""
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
        """Return a subgraph induced by randomly drawn nodes; `indices` is ignored.

        It has the features ``gossamer.NID`` and ``gossamer.EID``.
        """
        require_homogeneous(g, "SAINTSampler")
        sub = node_subgraph(g, self.sampler(g))
        return finished(sub, self.prefetch_ndata, self.prefetch_edata, self.output_device)


def _some_nodes(g: Graph) -> int:
    if not g.num_nodes():
        raise InvalidValueError("SAINTSampler: the graph has no nodes to draw.")
    return g.num_nodes()
