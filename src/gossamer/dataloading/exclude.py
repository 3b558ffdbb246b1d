"""Edges to exclude from message passing, because they would reveal the edges to predict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_device, as_int, one_of
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import by_edge_type, edge_ids, refuse_block, require_graph
from gossamer.graph.ids import as_id_tensor, check_range
from gossamer.utils import recursive_apply

__all__ = ["Exclude", "SpotTarget", "check_exclude", "find_exclude_eids"]

Edges = Tensor | dict[tuple[str, str, str], Tensor]
Exclude = str | Callable[[Any], Any] | Tensor | Mapping[Any, Tensor]
_MODES = ("self", "reverse_id", "reverse_types")


def find_exclude_eids(
    g: Graph,
    seed_edges: Any,
    exclude: Exclude | None,
    reverse_eids: Any = None,
    reverse_etypes: Mapping[Any, Any] | None = None,
    output_device: torch.device | str | None = None,
) -> Edges | None:
    """Return the edges to exclude while `seed_edges` are predicted.

    Parameters
    ----------
    g : Graph
        The graph of the edges.
    seed_edges : Tensor or dict of edge type to Tensor
        The edges of the batch.
    exclude : {"self", "reverse_id", "reverse_types"}, callable, Tensor, dict or None
        ``"self"``: the seed edges. ``"reverse_id"``: the seed edges and their reverse edges given
        by `reverse_eids`. ``"reverse_types"``: the seed edges and the edges with the same ids of
        the reverse types. A callable receives the seed edges and returns the edges to exclude. A
        tensor, or a dict of edge type to Tensor: these edges for all seed edges. None: no edges.
    reverse_eids : Tensor or dict of edge type to Tensor, optional
        ``(E,)``: for each edge, the id of its reverse edge, which has the same type.
    reverse_etypes : dict of edge type to edge type, optional
        For each edge type, the type that has its reverse edges, with the same ids.
    output_device : torch.device or str, optional
        Device of the result. Default: that of the seed edges.

    Returns
    -------
    Tensor, dict of edge type to Tensor, or None
        A tensor or dict like `seed_edges`; with reverse edges, its keys are canonical edge types.

    Raises
    ------
    InvalidValueError
        If `exclude` is unknown or lacks its argument.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2, 0], [1, 0, 0, 2]))
    >>> pairs = torch.tensor([1, 0, 3, 2])
    >>> edges = torch.tensor([2])
    >>> gs.dataloading.find_exclude_eids(g, edges, "reverse_id", reverse_eids=pairs)
    tensor([2, 3])
    """
    name = "find_exclude_eids"
    if exclude is None:
        return None
    require_graph(g, name)
    if callable(exclude):
        found = exclude(seed_edges)
    elif isinstance(exclude, (Tensor, Mapping)):
        found = _checked_edges(g, exclude, name)
    else:
        check_exclude(exclude, reverse_eids, reverse_etypes, name)
        seeds = edge_ids(g, seed_edges, name)
        by_type = {i: ids for i, ids in enumerate(seeds) if ids is not None}
        if exclude == "reverse_id":
            by_type = _with_reverse_ids(g, by_type, reverse_eids, name)
        elif exclude == "reverse_types":
            by_type = _with_reverse_types(g, by_type, reverse_etypes, name)
        if not isinstance(seed_edges, Mapping):
            found: Edges = by_type[0]
        elif exclude == "self":
            found = {etype: by_type[g.get_etype_id(etype)] for etype in seed_edges}
        else:
            found = {g.canonical_etypes[i]: ids for i, ids in by_type.items()}
    if output_device is None:
        return found
    return recursive_apply(found, Tensor.to, as_device(output_device, "output_device"))


def check_exclude(exclude: Any, reverse_eids: Any, reverse_etypes: Any, name: str) -> None:
    """Raise unless `exclude` is a mode that has its argument, a function, edges, or None."""
    if exclude is None or callable(exclude) or isinstance(exclude, (Tensor, Mapping)):
        return
    one_of(exclude, name, "exclude", _MODES)
    if exclude == "reverse_id" and reverse_eids is None:
        raise InvalidValueError(f"{name}: exclude='reverse_id' needs reverse_eids.")
    if exclude == "reverse_types" and not isinstance(reverse_etypes, Mapping):
        raise InvalidValueError(
            f"{name}: exclude='reverse_types' needs reverse_etypes, a dict from edge type to its "
            "reverse type."
        )


def _checked_edges(g: Graph, exclude: Tensor | Mapping[Any, Tensor], name: str) -> Edges:
    by_type = edge_ids(g, exclude, name)
    if not isinstance(exclude, Mapping):
        return by_type[0]
    named = zip(g.canonical_etypes, by_type, strict=True)
    return {etype: ids for etype, ids in named if ids is not None}


def _with_reverse_ids(
    g: Graph, seeds: dict[int, Tensor], reverse_eids: Any, name: str
) -> dict[int, Tensor]:
    if isinstance(reverse_eids, Mapping):
        reverse = by_edge_type(g, reverse_eids, name)
    else:
        reverse = {0: reverse_eids}
    found = {}
    for i, ids in seeds.items():
        if i not in reverse:
            raise InvalidValueError(
                f"{name}: reverse_eids lack the edge type {g.canonical_etypes[i]} of the batch."
            )
        what = f"{name}: reverse_eids of {g.canonical_etypes[i]}"
        partner = as_id_tensor(reverse[i], what)
        if len(partner) != g.relations[i].num_edges:
            raise InvalidValueError(
                f"{name}: reverse_eids need an id for each of the {g.relations[i].num_edges} edges "
                f"{g.canonical_etypes[i]}, got {len(partner)}."
            )
        chosen = partner.to(ids.device).index_select(0, ids)
        check_range(
            chosen, g.relations[i].num_edges, f"edges {g.canonical_etypes[i]} (reverse_eids)"
        )
        found[i] = torch.cat([ids, chosen.to(ids.dtype)])
    return found


def _with_reverse_types(
    g: Graph, seeds: dict[int, Tensor], reverse_etypes: Any, name: str
) -> dict[int, Tensor]:
    reverse = {i: g.get_etype_id(t) for i, t in by_edge_type(g, reverse_etypes, name).items()}
    found = dict(seeds)
    for i, ids in seeds.items():
        if i in reverse:
            other = found.get(reverse[i])
            found[reverse[i]] = ids if other is None else torch.cat([other, ids]).unique()
    return found


class SpotTarget:
    """Exclude the edges to predict that have an endpoint with a low in-degree.

    A callable for the argument `exclude` of :func:`as_edge_prediction_sampler`. Edges between nodes
    of high degree are not excluded: a single edge has little effect on the embedding of such a
    node, and the graph stays connected.

    Parameters
    ----------
    g : Graph
        A homogeneous graph.
    exclude : {"self", "reverse_id", "reverse_types"}, callable, Tensor or dict
        Edges to exclude for these seed edges; see :func:`find_exclude_eids`.
    degree_threshold : int
        An edge is excluded if an endpoint has an in-degree less than this.
    reverse_eids, reverse_etypes
        See :func:`find_exclude_eids`.

    References
    ----------
    Zhu et al., "SpotTarget: Rethinking the effect of target edges for link prediction in graph
    neural networks", arXiv:2306.00899.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([4, 4, 4, 0], [0, 1, 2, 1]))
    >>> gs.dataloading.SpotTarget(g, "self", degree_threshold=1)(torch.arange(4))
    tensor([0, 1, 2])
    """

    def __init__(
        self,
        g: Graph,
        exclude: Exclude,
        degree_threshold: int = 10,
        reverse_eids: Any = None,
        reverse_etypes: Mapping[Any, Any] | None = None,
    ) -> None:
        refuse_block(g, "SpotTarget")
        check_exclude(exclude, reverse_eids, reverse_etypes, "SpotTarget")
        self.g = g
        self.exclude = exclude
        self.degree_threshold = as_int(degree_threshold, "SpotTarget", "degree_threshold", 0)
        self.reverse_eids = reverse_eids
        self.reverse_etypes = reverse_etypes

    def __call__(self, seed_edges: Any) -> Edges | None:
        """Return the edges to exclude for `seed_edges`."""
        ids = self.g.checked_edges(seed_edges, 0)
        src, dst = self.g.find_edges(ids)
        degrees = self.g.adjacency.in_degrees()
        lower = torch.minimum(degrees.index_select(0, src), degrees.index_select(0, dst))
        low = ids[lower < self.degree_threshold]
        return find_exclude_eids(self.g, low, self.exclude, self.reverse_eids, self.reverse_etypes)
