"""Graphs without parallel edges."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gossamer import kernels, ops
from gossamer._options import one_of
from gossamer.errors import InvalidTypeError
from gossamer.graph import EID, Graph
from gossamer.graph.arguments import refuse_block
from gossamer.graph.frame import Frame
from gossamer.graph.schema import CanonicalEType
from gossamer.ops.adjacency import Adjacency, Compressed
from gossamer.transforms.reverse import kept_frames, require_monopartite

__all__ = ["to_bidirected", "to_simple", "to_simple_graph"]

_AGGREGATORS = ("arbitrary", "sum", "mean")


def to_simple(
    g: Graph,
    return_counts: str | None = "count",
    writeback_mapping: bool = False,
    copy_ndata: bool = True,
    copy_edata: bool = False,
    aggregator: str = "arbitrary",
) -> Graph | tuple[Graph, Tensor | dict[CanonicalEType, Tensor]]:
    """Merge parallel edges; the result is sorted by source, then destination.

    Edges are parallel if they have the same type, source and destination. Self-loops and all nodes
    are kept.

    Parameters
    ----------
    g : Graph
        Any graph but a block.
    return_counts : str or None
        Name of an edge feature ``(E',)`` for the number of merged edges, or None.
    writeback_mapping : bool
        If True, also return the id of the new edge for each former edge.
    copy_ndata : bool
        If True, the result has the node features of `g`.
    copy_edata : bool
        If True, the result has the edge features of `g`, reduced by `aggregator`.
    aggregator : {"arbitrary", "sum", "mean"}
        How features of parallel edges are reduced: to those of the first edge, whose id is stored
        in ``gossamer.EID`` (int64); to their sum; or to their mean. Differentiable.

    Returns
    -------
    Graph, or (Graph, Tensor or dict)
        The simple graph and, with `writeback_mapping`, the id of the new edge for each former edge,
        ``(E,)``; a dict by canonical edge type if there are several. Batch sizes are dropped.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph, `return_counts` is not a str, or `aggregator` is "mean" and a
        feature is neither floating-point nor complex.
    InvalidValueError
        If `g` is a block or `aggregator` is unknown.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([1, 0, 1], [0, 1, 0]))
    >>> g.edata["w"] = torch.tensor([1.0, 2.0, 4.0])
    >>> simple, mapping = gs.to_simple(
    ...     g, writeback_mapping=True, copy_edata=True, aggregator="sum"
    ... )
    >>> simple.edges(), mapping
    ((tensor([0, 1]), tensor([1, 0])), tensor([1, 0, 1]))
    >>> simple.edata["w"], simple.edata["count"]
    (tensor([2., 5.]), tensor([1, 2]))
    """
    refuse_block(g, "to_simple")
    if return_counts is not None and not isinstance(return_counts, str):
        raise InvalidTypeError(
            f"to_simple: return_counts is the name of an edge feature or None, got "
            f"{return_counts!r}."
        )
    one_of(aggregator, "to_simple", "aggregator", _AGGREGATORS)
    merged = [merge_parallel(adjacency) for adjacency in g.relations]
    frames = []
    for parts, old in zip(merged, g.edge_frames, strict=True):
        frame = Frame(parts.adjacency.num_edges, "edge")
        if copy_edata:
            frame = _aggregated(old, parts, aggregator)
        if return_counts is not None:
            frame[return_counts] = parts.counts()
        frames.append(frame)
    node_frames = kept_frames(g.node_frames, copy_ndata)
    simple = Graph.from_parts(g.schema, [p.adjacency for p in merged], node_frames, frames)
    if not writeback_mapping:
        return simple
    mappings = [parts.mapping() for parts in merged]
    if len(mappings) == 1:
        return simple, mappings[0]
    return simple, dict(zip(g.canonical_etypes, mappings, strict=True))


def to_simple_graph(g: Graph) -> Graph:
    """Call :func:`to_simple`, which had this name in earlier versions of DGL.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.to_simple_graph(gs.graph(([1, 0, 1], [0, 1, 0]))).num_edges()
    2
    """
    return to_simple(g)


def to_bidirected(g: Graph, copy_ndata: bool = False, readonly: bool | None = None) -> Graph:
    """Return the simple graph with edges in both directions for every edge of `g`.

    ``E' = E | {(v, u) : (u, v) in E}`` without duplicates, sorted by source, then destination. Edge
    features are dropped; :func:`add_reverse_edges` keeps them.

    Parameters
    ----------
    g : Graph
        Any graph but a block; every edge type must join a node type with itself.
    copy_ndata : bool
        If True, the result has the node features.
    readonly : bool, optional
        Accepted for compatibility; has no effect.

    Returns
    -------
    Graph
        The simple graph. Batch sizes are dropped.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph.
    InvalidValueError
        If `g` is a block, or has an edge type that joins different node types.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.to_bidirected(gs.graph(([0, 1, 2], [1, 0, 2]))).edges()
    (tensor([0, 1, 2]), tensor([1, 0, 2]))
    """
    refuse_block(g, "to_bidirected")
    require_monopartite(g, "to_bidirected", "make them simple with to_simple")
    adjacencies = []
    for adjacency in g.relations:
        row, col = adjacency.coo()
        both = torch.cat([row, col]), torch.cat([col, row])
        doubled = Adjacency(adjacency.num_src, adjacency.num_dst, g.idtype, coo=both)
        adjacencies.append(merge_parallel(doubled).adjacency)
    return Graph.from_parts(g.schema, adjacencies, kept_frames(g.node_frames, copy_ndata))


class Merged(NamedTuple):
    """A relation without parallel edges, and the mapping from former edges.

    `order` lists the former edges by source, destination and id; those that became edge ``i`` start
    at ``first[i]``.
    """

    adjacency: Adjacency
    order: Tensor
    first: Tensor

    def counts(self) -> Tensor:
        """The number of former edges merged into each edge."""
        ends = torch.cat([self.first[1:], self.first.new_tensor([len(self.order)])])
        return (ends - self.first)[: len(self.first)].to(self.adjacency.idtype)

    def mapping(self) -> Tensor:
        """The new edge of each former edge."""
        became = self._owners().to(self.adjacency.idtype)
        return torch.empty_like(became).index_copy_(0, self.order.long(), became)

    def chosen(self) -> Tensor:
        """The former edge of each edge that has the lowest id."""
        # A CSC may list the edges of a node in any order.
        first = self.order.new_zeros(len(self.first))
        first.scatter_reduce_(0, self._owners(), self.order, "amin", include_self=False)
        return first.long()

    def _owners(self) -> Tensor:
        """The new edge of each former edge, for the former edges in `order`."""
        return torch.repeat_interleave(self.counts().long(), output_size=len(self.order))


def merge_parallel(adjacency: Adjacency) -> Merged:
    """Merge parallel edges."""
    # Two counting sorts: in-edges are sorted by destination, and grouping by source is stable.
    by_target = adjacency.csc()
    counts = by_target.indptr.diff()
    targets = torch.repeat_interleave(counts, output_size=adjacency.num_edges)
    indptr, targets, slots = kernels.coo_to_csr(
        by_target.indices, targets, adjacency.num_src, dtype=adjacency.index_dtype
    )
    order = slots
    if slots is None:
        order = by_target.eids
        if order is None:
            order = torch.arange(len(targets), dtype=targets.dtype, device=targets.device)
    elif by_target.eids is not None:
        order = by_target.eids.index_select(0, slots)
    fresh = torch.ones(len(targets), dtype=torch.bool, device=targets.device)
    if len(targets):
        torch.ne(targets[1:], targets[:-1], out=fresh[1:])
        starts = indptr[:-1]
        fresh.index_fill_(0, starts[starts < len(targets)].long(), True)
    first = fresh.nonzero().squeeze(1)
    if len(first) < len(targets):
        indptr = torch.searchsorted(first, indptr).to(indptr.dtype)
        targets = targets.index_select(0, first)
    simple = Adjacency(
        adjacency.num_src,
        adjacency.num_dst,
        adjacency.idtype,
        csr=Compressed(indptr, targets, None),
    )
    return Merged(simple, order, first)


def _aggregated(old: Frame, parts: Merged, aggregator: str) -> Frame:
    if aggregator == "arbitrary":
        return old.gather(parts.chosen(), EID)
    frame = Frame(len(parts.first), "edge")
    counts = parts.counts()
    for name in old:
        value = old[name]
        if aggregator == "mean" and not (value.is_floating_point() or value.is_complex()):
            raise InvalidTypeError(
                f"to_simple: the mean of edge feature {name!r} of {value.dtype} is no "
                f"{value.dtype}. Convert the feature to a floating-point type, or use "
                "aggregator='sum'."
            )
        frame[name] = ops.segment_reduce(counts, value[parts.order.long()], aggregator)
    return frame
