"""Some in- or out-edges of each node, drawn at random from torch's default generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import Graph
from gossamer.graph.arguments import (
    as_count,
    by_edge_type,
    edge_ids,
    node_ids,
    on_device,
    refuse_block,
    require_graph,
)
from gossamer.graph.schema import CanonicalEType
from gossamer.graph.selection import with_edges
from gossamer.ops import csr
from gossamer.ops.adjacency import Adjacency

__all__ = ["sample_neighbors"]

_NAME = "sample_neighbors"
_SMALL = (torch.bool, torch.uint8, torch.int8)

NodeIds = Tensor | Sequence[int] | int | Mapping[str, Any]
Edges = tuple[Tensor, Tensor, Tensor]  # source, destination, edge id
EdgeIds = Tensor | Sequence[int] | int | Mapping[str | CanonicalEType, Any]
Weights = str | Tensor | Mapping[str | CanonicalEType, Tensor]


def sample_neighbors(
    g: Graph,
    nodes: NodeIds,
    fanout: int | Mapping[str | CanonicalEType, int],
    edge_dir: str = "in",
    prob: Weights | None = None,
    replace: bool = False,
    copy_ndata: bool = True,
    copy_edata: bool = True,
    exclude_edges: EdgeIds | None = None,
    output_device: torch.device | str | None = None,
) -> Graph:
    r"""The subgraph of some in-edges of some nodes, drawn at random.

    For each node of `nodes` and each edge type that ends there, `fanout` of its in-edges are drawn.
    Without replacement they are different, and a node with no more than `fanout` edges to draw from
    gives all of them. With replacement each draw is made anew, so that edges may come several
    times. With weights :math:`w`, an edge :math:`e` is the next one drawn with probability
    :math:`w_e / \sum_{e'} w_{e'}`, over the edges of the node that are left.

    A node without edges to draw from gives none. An edge of weight 0 is never drawn, not even if
    all are asked for. A node that is listed twice is sampled twice. :func:`gossamer.seed` makes the
    draws repeat.

    Parameters
    ----------
    g : Graph
        Any graph but a block.
    nodes : ids, bool mask ``(N,)``, or dict of str to either
        The nodes; types that the dict lacks have none.
    fanout : int, or dict of edge type to int
        How many edges of each type to draw for a node; -1 for all, with or without replacement. A
        dict needs every edge type.
    edge_dir : {"in", "out"}
        Whether to draw from the edges that end or that begin at the nodes.
    prob : str, Tensor, or dict of edge type to Tensor, optional
        Weights of the edges, ``(E,)`` or ``(E, 1)``: an edge feature, or the values themselves.
        They are floating-point and not negative, and need not add up to 1; bool, uint8 and int8
        serve as masks. Edge types without the feature, or that the dict lacks, have equal weights.
        Only the weights of edges that could be drawn are looked at.
    replace : bool
        Whether to draw with replacement.
    copy_ndata, copy_edata : bool
        Whether the result has the features of nodes, and those of edges and their ids.
    exclude_edges : ids, bool mask ``(E,)``, or dict of edge type to either, optional
        Edges that are left out of what was drawn. Others do not take their place.
    output_device : torch.device or str, optional
        Where the result goes. Default: where the graph is.

    Returns
    -------
    Graph
        All nodes of `g` and the edges drawn, in the order of `nodes`; without replacement, those of
        a node in the order of their ids. ``gossamer.EID`` holds the former id of each edge, unless
        `copy_edata` is False. Features are gathered when first read. Batch sizes are forgotten.

    Raises
    ------
    OutOfRangeError
        If a node, or an edge to exclude, does not exist.
    UnknownKeyError
        If a node type, an edge type or the feature `prob` does not exist.
    InvalidTypeError
        If `g` is not a graph, `nodes`, `exclude_edges` or a `prob` of values is not a dict although
        there are several types, a fanout is not an int, or weights are integers.
    InvalidValueError
        If `g` is a block, `edge_dir` is unknown, a fanout is below -1 or missing, or weights are
        negative, not finite, on another device or not one for each edge.

    References
    ----------
    Weighted draws without replacement take the smallest of exponential times with rates ``w``, as
    in Efraimidis and Spirakis, "Weighted random sampling with a reservoir", Information Processing
    Letters 97 (2006).

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2, 3, 0], [4, 4, 4, 4, 1]))
    >>> gs.sampling.sample_neighbors(g, [4, 1], 2).in_degrees()
    tensor([0, 1, 0, 0, 2])
    >>> weights = torch.tensor([0.0, 0.3, 0.0, 0.7, 1.0])
    >>> sub = gs.sampling.sample_neighbors(g, [4], 3, prob=weights)
    >>> sub.edges(), sub.edata[gs.EID]
    ((tensor([1, 3]), tensor([4, 4])), tensor([1, 3]))
    """
    require_graph(g, _NAME)
    refuse_block(g, _NAME)
    if edge_dir not in ("in", "out"):
        raise InvalidValueError(f"{_NAME}: edge_dir is 'in' or 'out', got {edge_dir!r}.")
    inward = edge_dir == "in"
    chosen = node_ids(g, nodes, _NAME)
    fanouts, weights = _fanouts(g, fanout), _weights(g, prob)
    excluded = [None] * len(weights)
    if exclude_edges is not None:
        excluded = edge_ids(g, exclude_edges, _NAME)
    ends, eids = [], []
    for i, (src, dst) in enumerate(g.schema.endpoints):
        rows = chosen[dst if inward else src]
        if rows is None or fanouts[i] == 0:  # no reason to compress this relation
            edges = (torch.empty(0, dtype=g.idtype, device=g.device),) * 3
        else:
            edges = _draw(g.relations[i], rows, inward, fanouts[i], weights[i], replace)
        if excluded[i] is not None:
            edges = _take(edges, torch.isin(edges[2], excluded[i], invert=True).nonzero())
        ends.append(edges[:2])
        eids.append(edges[2])
    sub = with_edges(
        g, ends, eids, store_ids=copy_edata, copy_ndata=copy_ndata, copy_edata=copy_edata
    )
    return on_device(sub, output_device)


# -------------------------------------------------------------------------------------- arguments


def _fanouts(g: Graph, fanout: Any) -> list[int]:
    """The number of edges to draw, by relation."""
    if not isinstance(fanout, Mapping):
        return [as_count(fanout, _NAME, "fanout", -1)] * len(g.canonical_etypes)
    by_position = by_edge_type(g, fanout, _NAME)
    missing = [etype for i, etype in enumerate(g.canonical_etypes) if i not in by_position]
    if missing:
        raise InvalidValueError(
            f"{_NAME}: a dict of fanouts needs every edge type, but lacks {missing}. Write 0 to "
            "draw none."
        )
    return [
        as_count(by_position[i], _NAME, f"fanout of {etype}", -1)
        for i, etype in enumerate(g.canonical_etypes)
    ]


def _weights(g: Graph, prob: Any) -> list[Tensor | None]:
    """The weight of each edge by relation, of the right shape; None where all are alike."""
    etypes = g.canonical_etypes
    if prob is None:
        return [None] * len(etypes)
    if isinstance(prob, str):
        by_position = {i: f[prob] for i, f in enumerate(g.edge_frames) if prob in f}
        if not by_position:
            features = {etypes[i]: list(frame) for i, frame in enumerate(g.edge_frames)}
            raise UnknownKeyError(
                f"{_NAME}: no edge type has a feature {prob!r} to draw by; there are {features}."
            )
    elif isinstance(prob, Mapping):
        by_position = by_edge_type(g, prob, _NAME)
    elif len(etypes) == 1:
        by_position = {0: prob}
    else:
        raise InvalidTypeError(
            f"{_NAME}: the graph has several edge types, so prob is the name of a feature or a "
            f"dict from edge type to weights, got {type(prob).__name__}; the types are {etypes}."
        )
    for i, values in by_position.items():
        _check_weights(values, g.relations[i].num_edges, g.device, etypes[i])
    return [
        by_position[i].detach().reshape(-1) if i in by_position else None
        for i in range(len(etypes))
    ]


def _check_weights(values: Any, count: int, device: torch.device, etype: CanonicalEType) -> None:
    if not isinstance(values, Tensor):
        raise InvalidTypeError(
            f"{_NAME}: the weights of edges {etype} are a tensor, or the name of an edge feature "
            f"for all types; got {type(values).__name__}."
        )
    if not (values.is_floating_point() or values.dtype in _SMALL):
        raise InvalidTypeError(
            f"{_NAME}: the weights of edges {etype} are floating-point numbers, bool, uint8 or "
            f"int8, got {values.dtype}. Convert them with .float()."
        )
    if tuple(values.shape) not in ((count,), (count, 1)):
        raise InvalidValueError(
            f"{_NAME}: the {count} edges {etype} need a weight each, got shape "
            f"{tuple(values.shape)}."
        )
    if values.device != device:
        raise InvalidValueError(
            f"{_NAME}: the weights of edges {etype} are on {values.device} but the graph is on "
            f"{device}. Move one of them with .to(...)."
        )


# ------------------------------------------------------------------------------------------ draws


def _draw(
    adjacency: Adjacency,
    rows: Tensor,
    inward: bool,
    fanout: int,
    weights: Tensor | None,
    replace: bool,
) -> Edges:
    """The edges drawn for `rows`, one row after another."""
    if inward:
        edges, degrees = adjacency.in_slots(rows), adjacency.in_degrees()
    else:
        edges, degrees = adjacency.out_slots(rows), adjacency.out_degrees()
    count = degrees.index_select(0, rows).long()
    owner = torch.repeat_interleave(count, output_size=len(edges[2]))
    rates = None
    if weights is not None:
        rates = _rates(weights.index_select(0, edges[2]))
        places = rates.nonzero()
        edges = _take(edges, places)
        owner, rates = _take((owner, rates), places)
        count = torch.bincount(owner, minlength=len(rows))
    if fanout < 0 or (not replace and fanout >= len(owner)):
        return edges
    draw = _with_replacement if replace else _without_replacement
    return _take(edges, draw(owner, count, fanout, rates))


def _take(parts: tuple[Tensor, ...], places: Tensor) -> tuple[Tensor, ...]:
    places = places.flatten()
    return tuple(part.index_select(0, places) for part in parts)


def _rates(weights: Tensor) -> Tensor:
    rates = weights.double()
    if not bool((rates.isfinite() & (rates >= 0)).all()):
        raise InvalidValueError(
            f"{_NAME}: weights of edges must be finite and not negative; those of the nodes go "
            f"from {float(rates.min())} to {float(rates.max())}."
        )
    return rates


def _without_replacement(owner: Tensor, count: Tensor, fanout: int, rates: Tensor | None) -> Tensor:
    """Places of `fanout` different candidates of each row, or of all that it has; ascending.

    Candidates stand by row, ``count[i]`` of row ``i``.
    """
    crowded = count > fanout
    contested = crowded.index_select(0, owner)
    drawn = ~contested
    contested = contested.nonzero().squeeze(1)
    if rates is None:
        order = torch.randperm(len(contested), device=owner.device)
    else:
        # Whoever comes first among exponential times is drawn with probability rate / sum of rates.
        rates = rates.index_select(0, contested)
        order = torch.empty_like(rates).exponential_().div_(rates).argsort()
    # The candidates in a random order, grouped by row: the first of each row are drawn.
    row = owner.index_select(0, contested).index_select(0, order)
    first, order, _ = csr.coo_to_csr(row, order, len(count), owner.dtype)
    slot = first[:-1][crowded].unsqueeze(1) + torch.arange(fanout, device=owner.device)
    drawn[contested.index_select(0, order.index_select(0, slot.flatten()))] = True
    return drawn.nonzero().squeeze(1)


def _with_replacement(owner: Tensor, count: Tensor, fanout: int, rates: Tensor | None) -> Tensor:
    """Places of `fanout` candidates of each row that has any, drawn independently; by row.

    Candidates stand by row, ``count[i]`` of row ``i``.
    """
    drawing = count.nonzero().squeeze(1)
    last = count.cumsum(0).index_select(0, drawing).sub_(1).unsqueeze(1)
    size = count.index_select(0, drawing).unsqueeze(1)
    first = last - size + 1
    points = torch.rand(len(drawing), fanout, dtype=torch.float64, device=owner.device)
    if rates is None:
        places = first + (points * size).long()
    else:
        # Scaled by the largest of its row, no weight of one row drowns those of another.
        largest = rates.new_zeros(len(count)).scatter_reduce_(0, owner, rates, "amax")
        bounds = (rates / largest.index_select(0, owner)).cumsum(0)
        start = torch.cat([bounds.new_zeros(1), bounds])[first]
        places = torch.searchsorted(bounds, start + points * (bounds[last] - start), right=True)
    # A point may be rounded up to the end of its row.
    return places.clamp(first, last).flatten()
