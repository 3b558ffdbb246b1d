"""Subgraphs of the in- or out-edges of nodes, and of the nodes within k hops."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.graph import Graph
from gossamer.graph.arguments import node_ids, on_device, refuse_block
from gossamer.transforms._relabel import distinct
from gossamer.transforms.subgraph import Device, NodeIds, induced, of_edges, or_none

__all__ = ["in_subgraph", "khop_in_subgraph", "khop_out_subgraph", "out_subgraph"]


def in_subgraph(
    graph: Graph,
    nodes: NodeIds,
    *,
    relabel_nodes: bool = False,
    store_ids: bool = True,
    output_device: Device = None,
) -> Graph:
    """Return the subgraph of the in-edges of some nodes.

    ``E' = {(u, v) in E : v in S}``, sorted by the position of ``v`` in `nodes`, then by edge id. If
    a node is listed twice, so are its edges.

    Parameters
    ----------
    graph : Graph
        Any graph but a block.
    nodes : ids, bool mask ``(N,)``, or dict of str to either
        The nodes ``S``; none of the types missing from the dict.
    relabel_nodes : bool
        If False, all nodes are kept, with their ids. If True, isolated nodes are dropped and the
        others are numbered as by :func:`edge_subgraph`.
    store_ids, output_device
        As in :func:`node_subgraph`.

    Returns
    -------
    Graph
        A graph with the features of the kept nodes and edges, gathered when first read.

    Raises
    ------
    OutOfRangeError, UnknownKeyError, InvalidTypeError, InvalidValueError
        As for :func:`node_subgraph`.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    >>> sub = gs.in_subgraph(g, [1, 0])
    >>> sub.edges(), sub.edata[gs.EID]
    ((tensor([0, 2, 2]), tensor([1, 1, 0])), tensor([0, 3, 2]))
    """
    return _one_sided(graph, nodes, "in_subgraph", relabel_nodes, store_ids, output_device)


def out_subgraph(
    graph: Graph,
    nodes: NodeIds,
    *,
    relabel_nodes: bool = False,
    store_ids: bool = True,
    output_device: Device = None,
) -> Graph:
    """Return the subgraph of the out-edges of some nodes.

    ``E' = {(u, v) in E : u in S}``; otherwise like :func:`in_subgraph`.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    >>> gs.out_subgraph(g, [2]).edges()
    (tensor([2, 2]), tensor([0, 1]))
    """
    return _one_sided(graph, nodes, "out_subgraph", relabel_nodes, store_ids, output_device)


def khop_in_subgraph(
    graph: Graph,
    nodes: NodeIds,
    k: int,
    *,
    relabel_nodes: bool = True,
    store_ids: bool = True,
    output_device: Device = None,
) -> Graph | tuple[Graph, Tensor | dict[str, Tensor]]:
    """Return the subgraph induced by some nodes and all nodes that reach them within `k` hops.

    This is the :func:`node_subgraph` of
    ``S' = {u : there is a path of at most k edges from u to a node of S}``, in ascending order. It
    contains every edge between two nodes of ``S'``.

    Parameters
    ----------
    graph : Graph
        Any graph but a block.
    nodes : ids, bool mask ``(N,)``, or dict of str to either
        The nodes ``S``; duplicates count once.
    k : int
        Number of hops, 0 or more.
    relabel_nodes, store_ids, output_device
        As in :func:`node_subgraph`.

    Returns
    -------
    Graph, or (Graph, Tensor or dict of str to Tensor)
        The subgraph and, with `relabel_nodes`, the new id of each of `nodes` (int64); a dict by
        node type if `nodes` is a dict.

    Raises
    ------
    InvalidValueError
        If `k` is negative.
    OutOfRangeError, UnknownKeyError, InvalidTypeError, InvalidValueError
        As for :func:`node_subgraph`.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 3], [1, 2, 3, 4]))
    >>> sub, where = gs.khop_in_subgraph(g, [3], 2)
    >>> sub.ndata[gs.NID], where
    (tensor([1, 2, 3]), tensor([2]))
    """
    return _khop(graph, nodes, k, "khop_in_subgraph", relabel_nodes, store_ids, output_device)


def khop_out_subgraph(
    graph: Graph,
    nodes: NodeIds,
    k: int,
    *,
    relabel_nodes: bool = True,
    store_ids: bool = True,
    output_device: Device = None,
) -> Graph | tuple[Graph, Tensor | dict[str, Tensor]]:
    """Return the subgraph induced by some nodes and all nodes that they reach within `k` hops.

    Like :func:`khop_in_subgraph`, but follows edges forward.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 3], [1, 2, 3, 4]))
    >>> sub, where = gs.khop_out_subgraph(g, [3, 1], 1)
    >>> sub.ndata[gs.NID], where
    (tensor([1, 2, 3, 4]), tensor([2, 0]))
    """
    return _khop(graph, nodes, k, "khop_out_subgraph", relabel_nodes, store_ids, output_device)


def _one_sided(
    graph: Graph, nodes: NodeIds, name: str, relabel: bool, store_ids: bool, device: Device
) -> Graph:
    """The in- or out-edges of `nodes`."""
    refuse_block(graph, name)
    chosen = or_none(node_ids(graph, nodes, name), graph)
    ends, eids = [], []
    for adjacency, (src, dst) in zip(graph.relations, graph.schema.endpoints, strict=True):
        if name == "in_subgraph":
            row, col, eid = adjacency.in_slots(chosen[dst])
        else:
            row, col, eid = adjacency.out_slots(chosen[src])
        ends.append((row, col))
        eids.append(eid)
    return on_device(of_edges(graph, ends, eids, relabel, store_ids), device)


def _khop(
    graph: Graph,
    nodes: NodeIds,
    k: int,
    name: str,
    relabel: bool,
    store_ids: bool,
    output_device: Device,
) -> Graph | tuple[Graph, Tensor | dict[str, Tensor]]:
    refuse_block(graph, name)
    seeds = node_ids(graph, nodes, name)
    k = as_int(k, name, "the number of hops k", 0)
    reached = _within(graph, or_none(seeds, graph), k, name == "khop_in_subgraph")
    sub = on_device(induced(graph, reached, relabel, store_ids), output_device)
    if not relabel:
        return sub
    inverse = {
        ntype: torch.searchsorted(reached[i], seeds[i].contiguous()).to(sub.device)
        for i, ntype in enumerate(graph.ntypes)
        if seeds[i] is not None
    }
    return sub, inverse if isinstance(nodes, Mapping) else inverse[graph.ntypes[0]]


def _within(graph: Graph, seeds: list[Tensor], k: int, inward: bool) -> list[Tensor]:
    """Nodes at most `k` hops from `seeds` by type, ascending."""
    counts = [frame.num_rows for frame in graph.node_frames]
    reached = [distinct(ids, count) for ids, count in zip(seeds, counts, strict=True)]
    seen = [torch.zeros(count, dtype=torch.bool, device=graph.device) for count in counts]
    frontier = reached
    for _ in range(k):
        for mask, ids in zip(seen, frontier, strict=True):
            mask[ids.long()] = True
        frontier = [
            distinct(ids[~seen[i].index_select(0, ids)], counts[i])
            for i, ids in enumerate(_neighbors(graph, frontier, inward))
        ]
        if all(len(ids) == 0 for ids in frontier):
            break
        reached = [torch.cat(pair) for pair in zip(reached, frontier, strict=True)]
    return [distinct(ids, count) for ids, count in zip(reached, counts, strict=True)]


def _neighbors(graph: Graph, nodes: list[Tensor], inward: bool) -> list[Tensor]:
    """Sources of the in-edges of `nodes`, or destinations of their out-edges; with duplicates."""
    found = [[ids.new_empty(0)] for ids in nodes]
    for adjacency, (src, dst) in zip(graph.relations, graph.schema.endpoints, strict=True):
        here, there = (dst, src) if inward else (src, dst)
        if len(nodes[here]):
            edges = adjacency.csc() if inward else adjacency.csr()
            found[there].append(edges.gather_neighbors(nodes[here]))
    return [torch.cat(parts) for parts in found]
