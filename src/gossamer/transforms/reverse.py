"""Reverse the edges of a graph, or add the reverse edges."""

from __future__ import annotations

import torch
from torch import Tensor

from gossamer.errors import InvalidValueError
from gossamer.graph import EID, Graph
from gossamer.graph.arguments import refuse_block
from gossamer.graph.frame import Frame
from gossamer.graph.schema import Schema
from gossamer.ops.adjacency import Adjacency

__all__ = ["add_reverse_edges", "reverse"]


def reverse(
    g: Graph,
    copy_ndata: bool = True,
    copy_edata: bool = False,
    *,
    share_ndata: bool | None = None,
    share_edata: bool | None = None,
) -> Graph:
    """Reverse every edge, which transposes each adjacency matrix.

    ``E' = {(v, u) : (u, v) in E}``. Edges keep their ids, and relations keep their names and order,
    so ``reverse(reverse(g))`` equals `g`. The structure is shared: CSR and CSC are exchanged.

    Parameters
    ----------
    g : Graph
        Any graph but a block.
    copy_ndata, copy_edata : bool
        If True, the result has the node features, or the edge features, of `g`.
    share_ndata, share_edata : bool, optional
        Former names of `copy_ndata` and `copy_edata`, which they override.

    Returns
    -------
    Graph
        A graph with the edge type ``(dst, relation, src)`` for each ``(src, relation, dst)``. Batch
        sizes are dropped.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph.
    InvalidValueError
        If `g` is a block.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.reverse(gs.graph(([0, 1], [1, 2]))).edges()
    (tensor([1, 2]), tensor([0, 1]))
    """
    refuse_block(g, "reverse")
    copy_ndata = copy_ndata if share_ndata is None else share_ndata
    copy_edata = copy_edata if share_edata is None else share_edata
    etypes = tuple((dst, relation, src) for src, relation, dst in g.canonical_etypes)
    adjacencies = [adjacency.reverse() for adjacency in g.relations]
    return Graph.from_parts(
        Schema(tuple(g.ntypes), etypes),
        adjacencies,
        kept_frames(g.node_frames, copy_ndata),
        kept_frames(g.edge_frames, copy_edata),
    )


def add_reverse_edges(
    g: Graph,
    readonly: bool | None = None,
    copy_ndata: bool = True,
    copy_edata: bool = False,
    ignore_bipartite: bool = False,
    exclude_self: bool = True,
) -> Graph:
    """Append a reverse edge ``(v, u)`` for each edge ``(u, v)``.

    Edges keep their ids, and the reverse edges follow in the same order. Every edge is reversed,
    including parallel edges and edges whose reverse exists; use :func:`to_simple` or
    :func:`to_bidirected` to get a simple graph.

    Parameters
    ----------
    g : Graph
        Any graph but a block. Unless `ignore_bipartite` is True, every edge type must join a node
        type with itself.
    readonly : bool, optional
        Accepted for compatibility; has no effect.
    copy_ndata : bool
        If True, the result has the node features of `g`.
    copy_edata : bool
        If True, a reverse edge has the features of the original edge, and ``gossamer.EID`` (int64)
        holds, for each edge, the id of the original edge in `g`.
    ignore_bipartite : bool
        If True, edge types that join different node types are left unchanged; otherwise, they
        raise an error.
    exclude_self : bool
        If True, self-loops get no reverse edge.

    Returns
    -------
    Graph
        The graph with reverse edges. Batch sizes are dropped.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph.
    InvalidValueError
        If `g` is a block, or has an edge type that joins different node types and
        `ignore_bipartite` is False.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 2]))
    >>> both = gs.add_reverse_edges(g, copy_edata=True)
    >>> both.edges(), both.edata[gs.EID]
    ((tensor([0, 1, 2, 1, 2]), tensor([1, 2, 2, 0, 1])), tensor([0, 1, 2, 0, 1]))
    """
    refuse_block(g, "add_reverse_edges")
    if not ignore_bipartite:
        require_monopartite(g, "add_reverse_edges", "pass ignore_bipartite=True")
    adjacencies, edge_frames = [], []
    schema, order = g.schema.by_name()  # as in DGL
    for (src, _, dst), i in zip(schema.canonical_etypes, order, strict=True):
        adjacency, frame = g.relations[i], g.edge_frames[i]
        if src == dst:
            adjacency, eids = _doubled(adjacency, exclude_self, copy_edata)
        else:
            eids = torch.arange(adjacency.num_edges, device=g.device)
        adjacencies.append(adjacency)
        edge_frames.append(
            frame.gather(eids, EID) if copy_edata else Frame(adjacency.num_edges, "edge")
        )
    node_frames = kept_frames(g.node_frames, copy_ndata)
    return Graph.from_parts(schema, adjacencies, node_frames, edge_frames)


def _doubled(
    adjacency: Adjacency, exclude_self: bool, want_ids: bool
) -> tuple[Adjacency, Tensor | None]:
    """The edges followed by their reverse edges, and the id of the original edge of each."""
    row, col = adjacency.coo()
    turned = col, row
    kept = None
    if exclude_self:
        no_loop = row != col
        if not bool(no_loop.all()):
            kept = no_loop.nonzero().squeeze(1)
            turned = col.index_select(0, kept), row.index_select(0, kept)
    coo = torch.cat([row, turned[0]]), torch.cat([col, turned[1]])
    doubled = Adjacency(adjacency.num_src, adjacency.num_dst, adjacency.idtype, coo=coo)
    if not want_ids:
        return doubled, None
    eids = torch.arange(adjacency.num_edges, device=row.device)
    return doubled, torch.cat([eids, eids if kept is None else kept])


def require_monopartite(g: Graph, name: str, fix: str) -> None:
    """Raise unless every edge type joins a node type with itself."""
    for etype in g.canonical_etypes:
        if etype[0] != etype[2]:
            raise InvalidValueError(
                f"{name}: edges of type {etype} join two node types, so their reverse edges "
                f"have no edge type in the graph. Remove such types, or {fix}."
            )


def kept_frames(frames: list[Frame], keep: bool) -> list[Frame]:
    """Frames with the same features, or without features."""
    if keep:
        return [frame.copy() for frame in frames]
    return [Frame(frame.num_rows, frame.kind) for frame in frames]
