"""Samplers of negative edges: pairs of nodes used as examples of missing edges."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gossamer._options import as_int
from gossamer.graph import Graph
from gossamer.graph.arguments import require_graph
from gossamer.sampling import _core
from gossamer.sampling.negative import global_uniform_negative_sampling

__all__ = ["GlobalUniform", "PerSourceUniform", "Uniform"]

Pairs = tuple[Tensor, Tensor]


class _BaseNegativeSampler(ABC):
    """Base class of negative samplers; subclasses define ``_generate``."""

    @abstractmethod
    def _generate(self, g: Graph, eids: Tensor, canonical_etype: tuple[str, str, str]) -> Pairs:
        """Return sources and destinations of negative edges for the edges `eids` of one type."""

    def __call__(self, g: Graph, eids: Any) -> Pairs | dict[tuple[str, str, str], Pairs]:
        """Draw negative edges for some edges.

        Parameters
        ----------
        g : Graph
            The graph.
        eids : Tensor, or dict of edge type to Tensor
            The edges.

        Returns
        -------
        (Tensor, Tensor), or dict of canonical edge type to (Tensor, Tensor)
            Sources and destinations.
        """
        require_graph(g, type(self).__name__)
        if isinstance(eids, Mapping):
            by_type = {g.to_canonical_etype(etype): ids for etype, ids in eids.items()}
            return {
                etype: self._generate(g, g.checked_edges(ids, g.get_etype_id(etype)), etype)
                for etype, ids in by_type.items()
            }
        etype = g.to_canonical_etype(None)
        return self._generate(g, g.checked_edges(eids, 0), etype)


class PerSourceUniform(_BaseNegativeSampler):
    """Draw `k` destinations for the source of each edge, uniformly from all nodes of their type.

    Some of the pairs may be edges.

    Parameters
    ----------
    k : int
        Number of negative edges per edge.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1], [1, 2]))
    >>> src, dst = gs.dataloading.negative_sampler.PerSourceUniform(2)(g, torch.tensor([0, 1]))
    >>> src, dst.shape
    (tensor([0, 0, 1, 1]), torch.Size([4]))
    """

    def __init__(self, k: int) -> None:
        self.k = as_int(k, type(self).__name__, "k", 1)

    def _generate(self, g: Graph, eids: Tensor, canonical_etype: tuple[str, str, str]) -> Pairs:
        src = g.find_edges(eids, etype=canonical_etype)[0].repeat_interleave(self.k)
        count = g.num_nodes(canonical_etype[2])
        return src, _core.random_integers(count, len(src), g.idtype, g.device)


# DGL has both names for the same sampler.
Uniform = PerSourceUniform


class GlobalUniform(_BaseNegativeSampler):
    """Draw `k` pairs of nodes without an edge per edge, uniformly from all such pairs.

    In almost complete graphs there may be fewer: see
    :func:`gossamer.sampling.global_uniform_negative_sampling`.

    Parameters
    ----------
    k : int
        Number of negative edges per edge.
    exclude_self_loops : bool
        Whether the two nodes of a pair must be different.
    replace : bool
        Whether a pair may be drawn more than once.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph((torch.arange(20), (torch.arange(20) + 1) % 20))
    >>> src, dst = gs.dataloading.negative_sampler.GlobalUniform(2)(g, torch.tensor([0, 1]))
    >>> bool(g.has_edges_between(src, dst).any())
    False
    """

    def __init__(self, k: int, exclude_self_loops: bool = True, replace: bool = False) -> None:
        self.k = as_int(k, "GlobalUniform", "k", 1)
        self.exclude_self_loops = exclude_self_loops
        self.replace = replace

    def _generate(self, g: Graph, eids: Tensor, canonical_etype: tuple[str, str, str]) -> Pairs:
        return global_uniform_negative_sampling(
            g,
            len(eids) * self.k,
            self.exclude_self_loops,
            self.replace,
            canonical_etype,
        )
