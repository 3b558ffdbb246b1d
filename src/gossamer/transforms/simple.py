"""Graphs without parallel edges."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gossamer import kernels, ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import EID, Graph
from gossamer.graph.arguments import refuse_block, require_graph
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
    """A graph in which parallel edges have become one; edges are sorted by source, then target.

    Edges are parallel if they are of one type and join the same nodes in the same direction.
    Self-loops stay, nodes stay.

    Parameters
    ----------
    g : Graph
        Any graph but a block.
    return_counts : str or None
        Name of the edge feature ``(E',)`` that tells how many edges became one; None for none.
    writeback_mapping : bool
        If True, tell also which new edge each former edge became.
    copy_ndata : bool
        If True, the result has the node features.
    copy_edata : bool
        If True, the result has the edge features, as `aggregator` says.
    aggregator : {"arbitrary", "sum", "mean"}
        The features of parallel edges become those of the first of them, whose id
        (int64) ``gossamer.EID`` then holds; or their sum; or their mean. Differentiable.

    Returns
    -------
    Graph, or (Graph, Tensor or dict)
        The graph and, with `writeback_mapping`, ``(E,)`` ids of new edges by former edge: a dict by
        canonical edge type if there are several. Batch sizes are forgotten.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph, `return_counts` is no name, or the mean of features that are not
        floating-point numbers was asked for.
    InvalidValueError
        If `g` is a block or there is no such aggregator.

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
    require_graph(g, "to_simple")
    refuse_block(g, "to_simple")
    if return_counts is not None and not isinstance(return_counts, str):
        raise InvalidTypeError(
            f"to_simple: return_counts is the name of an edge feature or None, got "
            f"{return_counts!r}."
        )
    if aggregator not in _AGGREGATORS:
        raise InvalidValueError(
            f"to_simple: aggregator is one of {list(_AGGREGATORS)}, got {aggregator!r}."
        )
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
    """`to_simple` under a former name of DGL's.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.to_simple_graph(gs.graph(([1, 0, 1], [0, 1, 0]))).num_edges()
    2
    """
    return to_simple(g)


def to_bidirected(g: Graph, copy_ndata: bool = False, readonly: bool | None = None) -> Graph:
    """The simple graph with an edge in both directions wherever `g` has one.

    ``E' = E | {(v, u) : (u, v) in E}`` without duplicates, sorted by source, then target. Edge
    features are dropped; :func:`add_reverse_edges` keeps them.

    Parameters
    ----------
    g : Graph
        Any graph but a block; every edge type joins a node type with itself.
    copy_ndata : bool
        If True, the result has the node features.
    readonly : bool, optional
        Has no effect; DGL has it.

    Returns
    -------
    Graph
        Batch sizes are forgotten.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph.
    InvalidValueError
        If `g` is a block, or has an edge type between two node types.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.to_bidirected(gs.graph(([0, 1, 2], [1, 0, 2]))).edges()
    (tensor([0, 1, 2]), tensor([1, 0, 2]))
    """
    require_graph(g, "to_bidirected")
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
    """A relation without parallel edges, and how it came about.

    `order` lists the former edges by source, target and id; ``first[i]`` is where those begin in it
    that became edge ``i``.
    """

    adjacency: Adjacency
    order: Tensor
    first: Tensor

    def counts(self) -> Tensor:
        """How many edges became each edge."""
        ends = torch.cat([self.first[1:], self.first.new_tensor([len(self.order)])])
        return (ends - self.first)[: len(self.first)].to(self.adjacency.idtype)

    def mapping(self) -> Tensor:
        """The new edge of each former edge."""
        edges = torch.arange(
            self.adjacency.num_edges, dtype=self.adjacency.idtype, device=self.order.device
        )
        became = edges.repeat_interleave(self.counts().long(), output_size=len(self.order))
        return torch.empty_like(became).index_copy_(0, self.order.long(), became)

    def chosen(self) -> Tensor:
        """The first of the edges that became each edge."""
        # By id: a CSC that was given may have the edges of a node in another order.
        owner = torch.arange(len(self.first), device=self.order.device)
        owner = owner.repeat_interleave(self.counts().long(), output_size=len(self.order))
        first = self.order.new_zeros(len(self.first))
        first.scatter_reduce_(0, owner, self.order, "amin", include_self=False)
        return first.long()


def merge_parallel(adjacency: Adjacency) -> Merged:
    """Let parallel edges become one."""
    # Two counting sorts: the in-edges are by target already, and grouping them by source keeps
    # that order.
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
        chosen = parts.chosen()
        frame = old.gather(chosen)
        frame[EID] = chosen
        return frame
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
