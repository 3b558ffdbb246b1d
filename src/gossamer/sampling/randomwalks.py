"""Random walks along the edges of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int, number_in, require
from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import Graph
from gossamer.graph.arguments import refuse_block, require_homogeneous
from gossamer.ops.adjacency import Adjacency
from gossamer.sampling import _core

__all__ = ["node2vec_random_walk", "pack_traces", "random_walk"]

Nodes = Tensor | Sequence[int]


def random_walk(
    g: Graph,
    nodes: Nodes,
    *,
    metapath: Sequence[Any] | None = None,
    length: int | None = None,
    prob: str | None = None,
    restart_prob: float | Tensor | None = None,
    return_eids: bool = False,
) -> tuple[Tensor, ...]:
    """Generate random walks along out-edges, one from each node.

    Parameters
    ----------
    g : Graph
        Any graph but a block.
    nodes : ids
        Start nodes, of the source type of the first edge type; a node may occur several times.
    metapath : list of edge types, optional
        Edge type of each step. Each must begin at the node type where the previous one ends.
    length : int, optional
        Number of steps, for a graph with one edge type. Ignored if `metapath` is given.
    prob : str, optional
        Edge feature with weights, to which the probability of taking an edge is proportional. Edge
        types without this feature have equal weights.
    restart_prob : float or Tensor, optional
        Probability of stopping before each step, from 0 to 1; a tensor has one entry for each step.
    return_eids : bool
        Whether the edges are returned as well.

    Returns
    -------
    traces : Tensor
        ``(R, L + 1)``: the nodes of each walk; -1 after the walk has stopped or reached a node
        without an edge to take.
    eids : Tensor
        ``(R, L)``: the edges; only if requested.
    types : Tensor
        ``(L + 1,)``: the position in ``g.ntypes`` of the type of the nodes at each step, in the id
        type.

    Raises
    ------
    InvalidValueError
        If neither `metapath` nor `length` is given, the edge types of `metapath` are not connected,
        or a probability or weight is invalid.
    OutOfRangeError, UnknownKeyError
        If a node, an edge type or the feature does not exist.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> gs.sampling.random_walk(g, [0, 2], length=3)
    (tensor([[0, 1, 2, 0],
            [2, 0, 1, 2]]), tensor([0, 0, 0, 0]))
    """
    name = "random_walk"
    refuse_block(g, name)
    steps = _steps(g, metapath, length, name)
    endpoints = g.schema.endpoints
    types = [endpoints[steps[0]][0] if steps else 0, *(endpoints[i][1] for i in steps)]
    seeds = g.checked_nodes(nodes, types[0])
    stops = _stops(restart_prob, len(steps), name)
    used = sorted(set(steps))
    weights = _weights(g, used, prob, name)
    relations = [_relation(g.relations[i], seeds, weights.get(i), prob, name) for i in used]
    path = [used.index(i) for i in steps]
    traces, eids = _core.random_walk(relations, path, seeds, stops)
    kinds = torch.tensor(types, dtype=g.idtype, device=g.device)
    return (traces, eids, kinds) if return_eids else (traces, kinds)


def _steps(g: Graph, metapath: Any, length: Any, name: str) -> list[int]:
    """The position of the edge type of each step."""
    if metapath is None:
        if length is None:
            raise InvalidValueError(f"{name}: give a metapath, or a length.")
        if len(g.canonical_etypes) != 1:
            raise InvalidValueError(
                f"{name}: the graph has several edge types, so give a metapath of them; they are "
                f"{g.canonical_etypes}."
            )
        steps = [0] * as_int(length, name, "length", 0)
    else:
        if isinstance(metapath, str) or not isinstance(metapath, Sequence):
            raise InvalidTypeError(f"{name}: a metapath is a list of edge types, got {metapath!r}.")
        steps = [g.get_etype_id(etype) for etype in metapath]
    for first, then in pairwise(steps):
        if g.schema.endpoints[first][1] != g.schema.endpoints[then][0]:
            raise InvalidValueError(
                f"{name}: a step along {g.canonical_etypes[first]} cannot be followed by one along "
                f"{g.canonical_etypes[then]}, which starts at another node type."
            )
    return steps


def _stops(restart_prob: Any, count: int, name: str) -> list[float] | None:
    """The probability of stopping before each step."""
    if restart_prob is None:
        return None
    if isinstance(restart_prob, Tensor) and restart_prob.dim():
        stops = restart_prob.tolist()
        if restart_prob.dim() != 1 or len(stops) != count:
            raise InvalidValueError(
                f"{name}: restart_prob needs one probability for each of the {count} steps, got "
                f"shape {tuple(restart_prob.shape)}."
            )
    else:
        stops = [number_in(restart_prob, name, "restart_prob")] * count
    for stop in stops:
        if not 0 <= stop <= 1:
            raise InvalidValueError(f"{name}: restart_prob is from 0 to 1, got {stop}.")
    return stops


def _weights(g: Graph, used: Sequence[int], prob: Any, name: str) -> dict[int, Tensor]:
    """The weights of the relations that have weights."""
    if prob is None:
        return {}
    if not isinstance(prob, str):
        raise InvalidTypeError(
            f"{name}: prob is the name of an edge feature, got {type(prob).__name__}."
        )
    found = {i: g.edge_frames[i][prob] for i in used if prob in g.edge_frames[i]}
    if not found and used:
        raise UnknownKeyError(
            f"{name}: no edge type of the walk has a feature {prob!r}; they have "
            f"{ {g.canonical_etypes[i]: list(g.edge_frames[i]) for i in used} }."
        )
    for i, values in found.items():
        if values.numel() != len(values) or values.dtype in (torch.int32, torch.int64):
            raise InvalidValueError(
                f"{name}: the feature {prob!r} of {g.canonical_etypes[i]} must be a floating-point "
                f"or bool number for each edge, got {values.dtype} of shape "
                f"{tuple(values.shape)}."
            )
    return found


def _relation(
    adjacency: Adjacency, seeds: Tensor, weights: Tensor | None, prob: Any, name: str
) -> _core.Relation:
    candidates = None
    if weights is not None:
        try:
            candidates = _core.kept_candidates(adjacency, False, weights)
        except _core.BadWeightsError:
            raise InvalidValueError(
                f"{name}: the feature {prob!r} must be finite and not negative."
            ) from None
    return _core.relation(adjacency.csr(), seeds, 0, key=0, candidates=candidates)


def node2vec_random_walk(
    g: Graph,
    nodes: Nodes,
    p: float,
    q: float,
    walk_length: int,
    prob: str | None = None,
    return_eids: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Generate random walks of node2vec, one from each node.

    A walk that has reached :math:`v` from :math:`t` continues to :math:`x` with a probability
    proportional to the weight of the edge times

    .. math::
        \alpha(t, x) = \begin{cases}
            1 / p & x = t \\
            1 & \text{there is an edge } t \to x \\
            1 / q & \text{otherwise.}
        \end{cases}

    Parameters
    ----------
    g : Graph
        A homogeneous graph.
    nodes : ids
        Start nodes; a node may occur several times.
    p : float
        Return parameter, positive. Large values make it unlikely to return to the previous node.
    q : float
        In-out parameter, positive. Large values keep the walk close to the previous node.
    walk_length : int
        Number of steps.
    prob : str, optional
        Edge feature with the weights. Default: equal weights.
    return_eids : bool
        Whether the edges are returned as well.

    Returns
    -------
    traces : Tensor
        ``(R, L + 1)``: the nodes of each walk; -1 after it has reached a node without an edge to
        take.
    eids : Tensor
        ``(R, L)``: the edges; only if requested.

    Raises
    ------
    InvalidValueError
        If the graph is not homogeneous, `p` or `q` is not above 0, or weights are invalid.
    OutOfRangeError, UnknownKeyError
        If a node or the feature does not exist.

    References
    ----------
    Grover and Leskovec, "node2vec: scalable feature learning for networks", KDD 2016.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> gs.sampling.node2vec_random_walk(g, [0, 2], 1, 1, 3)
    tensor([[0, 1, 2, 0],
            [2, 0, 1, 2]])
    """
    name = "node2vec_random_walk"
    require_homogeneous(g, name)
    for what, value in (("p", p), ("q", q)):
        if not 0 < number_in(value, name, what) < float("inf"):
            raise InvalidValueError(f"{name}: {what} is above 0 and finite, got {value}.")
    length = as_int(walk_length, name, "walk_length", 0)
    seeds = g.checked_nodes(nodes, 0)
    weights = _weights(g, [0], prob, name)
    adjacency = g.relations[0]
    relation = _relation(adjacency, seeds, weights.get(0), prob, name)
    in_order = adjacency.memo("sorted_csr", lambda: _sorted_indices(adjacency))
    traces, eids = _core.node2vec(relation, in_order, float(p), float(q), seeds, length)
    return (traces, eids) if return_eids else traces


def _sorted_indices(adjacency: Adjacency) -> Tensor:
    """The neighbors of each row in ascending order."""
    indptr, indices, _ = adjacency.csr()
    rows = torch.repeat_interleave(indptr.diff(), output_size=indices.shape[0])
    keys = rows.long() * adjacency.num_dst + indices.long()
    return (keys.sort().values - rows.long() * adjacency.num_dst).to(indices.dtype)


def pack_traces(traces: Tensor, types: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Concatenate walks, without the padding after their ends.

    Parameters
    ----------
    traces : Tensor
        ``(R, L + 1)``: nodes, as returned by :func:`random_walk`; -1 after the end of a walk.
    types : Tensor
        ``(L + 1,)``: the type of the nodes at each step.

    Returns
    -------
    nodes, node_types : Tensor
        The nodes of all walks and their types.
    lengths : Tensor
        ``(R,)``: number of nodes of each walk.
    offsets : Tensor
        ``(R,)``: the position in `nodes` at which each walk begins.

    Raises
    ------
    InvalidTypeError
        If an argument is not a tensor of integers.
    InvalidValueError
        If the shapes do not match.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> traces, types = torch.tensor([[0, 1, -1], [2, 0, 1]]), torch.tensor([0, 0, 0])
    >>> gs.sampling.pack_traces(traces, types)
    (tensor([0, 1, 2, 0, 1]), tensor([0, 0, 0, 0, 0]), tensor([2, 3]), tensor([0, 2]))
    """
    require(traces, Tensor, "pack_traces", "traces")
    require(types, Tensor, "pack_traces", "types")
    if traces.dim() != 2 or types.shape != traces.shape[1:]:
        raise InvalidValueError(
            "pack_traces takes traces (R, L + 1) and types (L + 1,), got shapes "
            f"{tuple(traces.shape)} and {tuple(types.shape)}."
        )
    if traces.is_floating_point() or traces.is_complex():
        raise InvalidTypeError(f"pack_traces: traces is a tensor of integers, got {traces.dtype}.")
    there = traces >= 0
    lengths = there.sum(1)
    return traces[there], types.expand_as(traces)[there], lengths, lengths.cumsum(0) - lengths
