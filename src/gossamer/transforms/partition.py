"""Partition graphs with METIS."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer._options import as_int, one_of
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.arguments import require_homogeneous
from gossamer.graph.ids import as_id_tensor
from gossamer.ops.adjacency import Adjacency
from gossamer.transforms.halo import partition_graph_with_halo
from gossamer.transforms.simple import to_bidirected

__all__ = ["metis_partition", "metis_partition_assignment"]

_MODES = ("k-way", "recursive")
_OBJECTIVES = ("cut", "vol")

# METIS's code for this objective.
_METIS_OBJTYPE_VOL = 1

# Allowed imbalance of a part, METIS's default.
_IMBALANCE = 1.03


def metis_partition(
    g: Graph,
    k: int,
    extra_cached_hops: int = 0,
    reshuffle: bool = False,
    balance_ntypes: Tensor | None = None,
    balance_edges: bool = False,
    mode: str = "k-way",
) -> dict[int, Graph]:
    """Partition a graph into `k` parts of similar size with few edges between them.

    Equivalent to :func:`metis_partition_assignment` followed by
    :func:`partition_graph_with_halo`.

    Parameters
    ----------
    g, k, balance_ntypes, balance_edges, mode
        As in :func:`metis_partition_assignment`.
    extra_cached_hops, reshuffle
        As in :func:`partition_graph_with_halo`.

    Returns
    -------
    dict of int to Graph
        The parts.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MissingExtraError
        As for these two functions.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 3], [1, 0, 3, 2]))
    >>> parts = gs.metis_partition(g, 2)
    >>> sorted(part.ndata[gs.NID].tolist() for part in parts.values())
    [[0, 1], [2, 3]]
    """
    hops = as_int(extra_cached_hops, "metis_partition", "extra_cached_hops", 0)
    node_part = _assignment(g, k, balance_ntypes, balance_edges, mode, "cut", "metis_partition")
    return partition_graph_with_halo(g, node_part, hops, reshuffle)[0]


def metis_partition_assignment(
    g: Graph,
    k: int,
    balance_ntypes: Tensor | None = None,
    balance_edges: bool = False,
    mode: str = "k-way",
    objtype: str = "cut",
) -> Tensor:
    """Assign nodes to `k` parts of similar size with few edges between them.

    METIS partitions the undirected simple graph without self-loops.

    Parameters
    ----------
    g : Graph
        One node type and one edge type.
    k : int
        Number of parts, from 1 to N.
    balance_ntypes : Tensor, optional
        ``(N,)`` integers or bools, the kind of each node. Nodes of each kind are distributed evenly
        over the parts: surplus nodes of a kind are moved to parts with too few nodes of this kind,
        preferably to those with many of their neighbors.
    balance_edges : bool
        If True, parts also have about the same number of in-edges.
    mode : {"k-way", "recursive"}
        Method of METIS: all parts at once, or recursive bisection, which is better for few parts.
    objtype : {"cut", "vol"}
        What METIS minimizes: the number of edges between parts, or the communication volume (with
        "k-way" only).

    Returns
    -------
    Tensor
        ``(N,)`` int64, the part of each node.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph, `k` is not an int or kinds are not integers.
    InvalidValueError
        If `g` is a block or has several types, `k` is out of range, there is not one kind per node,
        `mode` or `objtype` is unknown, or the two cannot be combined.
    MissingExtraError
        If pymetis is not installed.

    References
    ----------
    Karypis and Kumar, "A fast and high quality multilevel scheme for partitioning irregular
    graphs", SIAM 1998.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 3], [1, 0, 3, 2]))
    >>> part = gs.metis_partition_assignment(g, 2)
    >>> bool(part[0] == part[1]), bool(part[1] == part[2])
    (True, False)
    """
    name = "metis_partition_assignment"
    return _assignment(g, k, balance_ntypes, balance_edges, mode, objtype, name)


def _assignment(
    g: Graph,
    k: int,
    balance_ntypes: Tensor | None,
    balance_edges: bool,
    mode: str,
    objtype: str,
    name: str,
) -> Tensor:
    """Compute :func:`metis_partition_assignment`; `name` is the function named in errors."""
    require_homogeneous(g, name)
    k = as_int(k, name, "the number of parts k", 1)
    one_of(mode, name, "mode", _MODES)
    one_of(objtype, name, "objtype", _OBJECTIVES)
    if mode == "recursive" and objtype == "vol":
        raise InvalidValueError(
            f"{name}: METIS minimizes the volume in mode 'k-way' only. Choose objtype='cut' or "
            "mode='k-way'."
        )
    count = g.num_nodes()
    if k > count:
        raise InvalidValueError(
            f"{name}: {count} nodes cannot form {k} non-empty parts. Choose a smaller k."
        )
    kinds = None if balance_ntypes is None else _kinds(g, balance_ntypes, name)
    weights = _vertex_weights(g, kinds, balance_edges)
    simple = to_bidirected(g).adjacency
    part = _metis(simple, k, weights, mode, objtype, name).to(g.device)
    return part if kinds is None else _spread(part, k, kinds, simple)


def _kinds(g: Graph, balance_ntypes: Any, name: str) -> Tensor:
    if isinstance(balance_ntypes, Tensor) and balance_ntypes.dtype == torch.bool:
        balance_ntypes = balance_ntypes.long()
    kinds = as_id_tensor(balance_ntypes, "kinds of nodes", g.device)
    if len(kinds) != g.num_nodes():
        raise InvalidValueError(
            f"{name}: balance_ntypes needs one kind for each of the {g.num_nodes()} nodes, got "
            f"{len(kinds)}."
        )
    return torch.unique(kinds, return_inverse=True)[1]


def _vertex_weights(g: Graph, kinds: Tensor | None, balance_edges: bool) -> Tensor | None:
    """Node weights for METIS, in which each kind, and nodes and edges, have the same total."""
    if kinds is None and not balance_edges:
        return None
    share = torch.ones(g.num_nodes(), dtype=torch.float64, device=g.device)
    if kinds is not None:
        share = share / torch.bincount(kinds)[kinds]
    weights = share / share.mean()
    if balance_edges and g.num_edges():
        degrees = g.in_degrees().double()
        weights = weights + degrees / degrees.mean()
    # METIS sums weights in 32 bits.
    scale = min(100.0, 2**30 / float(weights.sum()))
    return (weights * scale).round().clamp(min=1).long()


def _metis(
    simple: Adjacency, k: int, weights: Tensor | None, mode: str, objtype: str, name: str
) -> Tensor:
    if k == 1:
        return torch.zeros(simple.num_src, dtype=torch.int64)
    pymetis = optional_import("pymetis", name)
    row, col = simple.coo()
    loopless = simple.edge_subset((row != col).nonzero().squeeze(1))
    indptr, indices, _ = loopless.csr()
    options = pymetis.Options()
    if objtype == "vol":
        options.objtype = _METIS_OBJTYPE_VOL
    _, part = pymetis.part_graph(
        k,
        pymetis.CSRAdjacency(indptr.cpu().long().numpy(), indices.cpu().long().numpy()),
        vweights=None if weights is None else weights.cpu().tolist(),
        recursive=mode == "recursive",
        options=options,
    )
    return torch.tensor(part, dtype=torch.int64)


def _spread(part: Tensor, k: int, kinds: Tensor, simple: Adjacency) -> Tensor:
    """Move nodes until no part has more nodes of a kind than its share."""
    row, col = simple.coo()
    count = len(part)
    near = torch.bincount(row.long() * k + part[col.long()], minlength=count * k).view(count, k)
    part = part.clone()
    for kind in range(int(kinds.max()) + 1):
        nodes = (kinds == kind).nonzero().squeeze(1)
        share = max(math.ceil(len(nodes) / k), int(_IMBALANCE * len(nodes) / k))
        sizes = torch.bincount(part[nodes], minlength=k)
        movers = [nodes[:0]]
        for p in (sizes > share).nonzero().squeeze(1).tolist():
            here = nodes[part[nodes] == p]
            order = torch.argsort(near[here, p], stable=True)
            movers.append(here[order[: int(sizes[p]) - share]])
        moving = torch.cat(movers)
        for p in torch.argsort(sizes, stable=True).tolist():
            room = max(0, share - int(sizes[p]))
            order = torch.argsort(near[moving, p], descending=True, stable=True)
            part[moving[order[:room]]] = p
            moving = moving[order[room:]]
    return part
