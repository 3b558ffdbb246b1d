"""Neighbor sampling: random in- or out-edges of each node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int, flag
from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import Graph
from gossamer.graph.arguments import (
    by_edge_type,
    edge_ids,
    node_ids,
    on_device,
    refuse_block,
)
from gossamer.graph.schema import CanonicalEType
from gossamer.sampling import _core
from gossamer.sampling._blocks import rows_of, subgraph_of

__all__ = ["sample_neighbors"]

_NAME = "sample_neighbors"
_SMALL = (torch.bool, torch.uint8, torch.int8)

NodeIds = Tensor | Sequence[int] | int | Mapping[str, Any]
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
    r"""Sample in-edges of nodes at random.

    For each node in `nodes` and each edge type that ends there, `fanout` of its in-edges are drawn.
    Without replacement, the edges are distinct, and all edges of a node are returned if it has no
    more than `fanout`. With replacement, draws are independent, so edges may occur several times.
    With weights :math:`w`, the next edge is :math:`e` with probability
    :math:`w_e / \sum_{e'} w_{e'}`, where the sum is over the remaining edges of the node.

    Edges of weight 0 are never drawn, even if all edges are requested. A node that is listed twice
    is sampled twice. :func:`gossamer.seed` makes the draws reproducible.

    Parameters
    ----------
    g : Graph
        Any graph but a block.
    nodes : ids, bool mask ``(N,)``, or dict of str to either
        Nodes whose edges are sampled; none of the types missing from the dict.
    fanout : int, or dict of edge type to int
        Number of edges of each type to draw for each node; -1 for all, with or without replacement.
        A dict must contain every edge type.
    edge_dir : {"in", "out"}
        Whether to draw in-edges or out-edges of the nodes.
    prob : str, Tensor, or dict of edge type to Tensor, optional
        Weights of the edges, ``(E,)`` or ``(E, 1)``: the name of an edge feature, or the values.
        Weights must be floating-point and not negative, and need not sum to 1; bool, uint8 and int8
        are treated as masks. Edge types without the feature, or missing from the dict, have equal
        weights. Only the weights of edges of `nodes` are checked.
    replace : bool
        Whether to draw with replacement.
    copy_ndata, copy_edata : bool
        Whether the result has the node features, or the edge features and edge ids, of `g`.
    exclude_edges : ids, bool mask ``(E,)``, or dict of edge type to either, optional
        Edges to remove from those drawn. They are not replaced by other edges.
    output_device : torch.device or str, optional
        Device of the result. Default: that of the graph.

    Returns
    -------
    Graph
        A graph with all nodes of `g` and the edges drawn, in the order of `nodes`; without
        replacement, the edges of a node are in the order of their ids. ``gossamer.EID`` holds the
        id of each edge in `g`, unless `copy_edata` is False. Features are gathered when first read.
        Batch sizes are dropped.

    Raises
    ------
    OutOfRangeError
        If a node, or an edge to exclude, does not exist.
    UnknownKeyError
        If a node type, an edge type or the feature `prob` does not exist.
    InvalidTypeError
        If `g` is not a graph, `nodes`, `exclude_edges` or values of `prob` are not a dict although
        there are several types, a fanout is not an int, or weights are integers.
    InvalidValueError
        If `g` is a block, `edge_dir` is unknown, a fanout is less than -1 or missing, or weights
        are negative, not finite, on another device or not one per edge.

    References
    ----------
    Distinct edges are drawn as in Bentley and Floyd, "A sample of brilliance", Communications of
    the ACM 30 (1987).

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
    targets, excluded = checked_seeds(g, nodes, exclude_edges, _NAME)
    inward = is_inward(edge_dir, _NAME)
    fanouts, weights = fanouts_of(g, fanout, _NAME), weights_of(g, prob, _NAME)
    drawn = draw(g, targets, fanouts, weights, excluded, inward=inward, replace=replace, name=_NAME)
    sub = subgraph_of(g, targets, drawn, inward, copy_ndata=copy_ndata, copy_edata=copy_edata)
    return on_device(sub, output_device)


# -------------------------------------------------------------------------------------- arguments


def checked_seeds(
    g: Graph, nodes: Any, exclude_edges: Any, name: str
) -> tuple[list[Tensor], list[Tensor | None]]:
    """Checked nodes of each type, and edges of each edge type to exclude."""
    refuse_block(g, name)
    nothing = torch.empty(0, dtype=g.idtype, device=g.device)
    targets = [nothing if ids is None else ids for ids in node_ids(g, nodes, name)]
    if exclude_edges is None:
        return targets, [None] * len(g.relations)
    return targets, edge_ids(g, exclude_edges, name)


def is_inward(edge_dir: Any, name: str) -> bool:
    """Whether in-edges are drawn."""
    if edge_dir not in ("in", "out"):
        raise InvalidValueError(f"{name}: edge_dir is 'in' or 'out', got {edge_dir!r}.")
    return edge_dir == "in"


def fanouts_of(g: Graph, fanout: Any, name: str) -> list[int]:
    """The number of edges to draw for each relation."""
    if not isinstance(fanout, Mapping):
        return [as_int(fanout, name, "fanout", -1)] * len(g.canonical_etypes)
    by_position = by_edge_type(g, fanout, name)
    missing = [etype for i, etype in enumerate(g.canonical_etypes) if i not in by_position]
    if missing:
        raise InvalidValueError(
            f"{name}: a dict of fanouts needs every edge type, but lacks {missing}. Write 0 to "
            "draw none."
        )
    return [
        as_int(by_position[i], name, f"fanout of {etype}", -1)
        for i, etype in enumerate(g.canonical_etypes)
    ]


def weights_of(g: Graph, prob: Any, name: str) -> list[Tensor | None]:
    """The checked weights of the edges of each relation; None if all are equal."""
    etypes = g.canonical_etypes
    if prob is None:
        return [None] * len(etypes)
    if isinstance(prob, str):
        by_position = {i: f[prob] for i, f in enumerate(g.edge_frames) if prob in f}
        if not by_position:
            features = {etypes[i]: list(frame) for i, frame in enumerate(g.edge_frames)}
            raise UnknownKeyError(
                f"{name}: no edge type has a feature {prob!r} to draw by; there are {features}."
            )
    elif isinstance(prob, Mapping):
        by_position = by_edge_type(g, prob, name)
    elif len(etypes) == 1:
        by_position = {0: prob}
    else:
        raise InvalidTypeError(
            f"{name}: the graph has several edge types, so prob is the name of a feature or a "
            f"dict from edge type to weights, got {type(prob).__name__}; the types are {etypes}."
        )
    for i, values in by_position.items():
        _check_weights(values, g.relations[i].num_edges, g.device, etypes[i], name)
    return [by_position.get(i) for i in range(len(etypes))]


def _check_weights(
    values: Any, count: int, device: torch.device, etype: CanonicalEType, name: str
) -> None:
    if not isinstance(values, Tensor):
        raise InvalidTypeError(
            f"{name}: the weights of edges {etype} are a tensor, or the name of an edge feature "
            f"for all types; got {type(values).__name__}."
        )
    if not (values.is_floating_point() or values.dtype in _SMALL):
        raise InvalidTypeError(
            f"{name}: the weights of edges {etype} are floating-point numbers, bool, uint8 or "
            f"int8, got {values.dtype}. Convert them with .float()."
        )
    if tuple(values.shape) not in ((count,), (count, 1)):
        raise InvalidValueError(
            f"{name}: the {count} edges {etype} need a weight each, got shape "
            f"{tuple(values.shape)}."
        )
    if values.device != device:
        raise InvalidValueError(
            f"{name}: the weights of edges {etype} are on {values.device} but the graph is on "
            f"{device}. Move one of them with .to(...)."
        )


# ------------------------------------------------------------------------------------------ draws


def draw(
    g: Graph,
    targets: Sequence[Tensor],
    fanouts: Sequence[int],
    weights: Sequence[Tensor | None],
    excluded: Sequence[Tensor | None],
    *,
    inward: bool,
    replace: bool,
    name: str,
) -> list[_core.Drawn]:
    """Draw edges of each relation for the nodes `targets` of each type, in one call of the core."""
    replace = flag(replace, name, "replace")
    rows = rows_of(g, targets, inward)
    key = _core.next_key()
    relations, numbers = [], []
    for i, own in enumerate(rows):
        if fanouts[i] == 0 or not len(own):
            continue  # this relation need not be compressed
        adjacency = g.relations[i]
        candidates = None
        if weights[i] is not None:
            candidates = _core.edge_candidates(adjacency, inward, weights[i], own)
        relations.append(
            _core.relation(
                adjacency.csc() if inward else adjacency.csr(),
                own,
                fanouts[i],
                key=_core.mix(key, i),
                candidates=candidates,
                excluded=excluded[i],
            )
        )
        numbers.append(i)
    try:
        drawn = _core.layer(relations, replace)
    except _core.BadWeightsError as error:
        number = numbers[error.relation]
        raise bad_weights(g, number, rows[number], weights[number], inward, name) from None
    by_number = dict(zip(numbers, drawn, strict=True))
    return [by_number.get(i) or no_edges(g, len(own)) for i, own in enumerate(rows)]


def no_edges(g: Graph, count: int) -> _core.Drawn:
    """The result of drawing no edges for `count` nodes."""
    nothing = torch.empty(0, dtype=g.idtype, device=g.device)
    return torch.zeros(count + 1, dtype=torch.int64, device=g.device), nothing, nothing


def bad_weights(
    g: Graph, number: int, rows: Tensor, weights: Tensor, inward: bool, name: str
) -> InvalidValueError:
    """The error for invalid weights."""
    adjacency = g.relations[number]
    eids = (adjacency.in_slots if inward else adjacency.out_slots)(rows)[2]
    values = weights.detach().reshape(-1)[eids.long()].double()
    return InvalidValueError(
        f"{name}: weights of edges must be finite and not negative; those of the nodes go "
        f"from {float(values.min())} to {float(values.max())}."
    )
