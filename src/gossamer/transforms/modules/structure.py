"""Transforms of the structure: self-loops, reverse edges, line graphs, metapaths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import Graph
from gossamer.graph.frame import Frame
from gossamer.graph.schema import CanonicalEType, Schema
from gossamer.ops.adjacency import Adjacency
from gossamer.transforms._validate import one_relation
from gossamer.transforms.khop import khop_graph, metapath_reachable_graph
from gossamer.transforms.line import line_graph
from gossamer.transforms.modules.base import (
    BaseTransform,
    checked,
    feature_names,
    with_relations,
)
from gossamer.transforms.simple import to_simple
from gossamer.transforms.structure import add_edges, add_self_loop, remove_self_loop

__all__ = [
    "AddMetaPaths", "AddReverse", "AddSelfLoop", "KHopGraph", "LineGraph", "RemoveSelfLoop",
    "ToLevi", "ToSimple",
]  # fmt: skip


def _loop_types(g: Graph) -> list[CanonicalEType]:
    """Edge types that join a node type with itself."""
    return [etype for etype in g.canonical_etypes if etype[0] == etype[2]]


class AddSelfLoop(BaseTransform):
    """Add a self-loop to every node in each edge type that joins a node type with itself.

    Parameters
    ----------
    allow_duplicate : bool
        Whether to keep existing self-loops; by default, they are removed first.
    new_etypes : bool
        Whether to also add an edge type ``(ntype, "self", ntype)`` with a self-loop on every node,
        for each node type that does not have it.
    edge_feat_names, fill_data
        As for :func:`gossamer.add_self_loop`. With several edge types, a name applies to those that
        have the feature.

    Raises
    ------
    UnknownKeyError
        When called, if no edge type that gets self-loops has such a feature.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.AddSelfLoop()(gs.graph(([0, 1, 1], [1, 1, 2]))).edges()
    (tensor([0, 1, 0, 1, 2]), tensor([1, 2, 0, 1, 2]))
    """

    def __init__(
        self,
        allow_duplicate: bool = False,
        new_etypes: bool = False,
        edge_feat_names: Sequence[str] | None = None,
        fill_data: float | Tensor | str = 1.0,
    ) -> None:
        self.allow_duplicate = allow_duplicate
        self.new_etypes = new_etypes
        self.edge_feat_names = feature_names(edge_feat_names, self, "edge_feat_names")
        self.fill_data = fill_data

    def __call__(self, g: Graph) -> Graph:
        given = checked(g, self)
        etypes = _loop_types(given)
        self._check_names(given, etypes)
        for etype in etypes:
            if not self.allow_duplicate:
                g = remove_self_loop(g, etype)
            names = self.edge_feat_names
            if names is not None:
                names = [name for name in names if name in g.edges[etype].data]
            g = add_self_loop(g, names, self.fill_data, etype)
        if self.new_etypes:
            g = with_relations(g, self._own_types(given), "AddSelfLoop")
        return g

    def _check_names(self, g: Graph, etypes: list[CanonicalEType]) -> None:
        known = {name for etype in etypes for name in g.edges[etype].data}
        for name in self.edge_feat_names or ():
            if etypes and name not in known:
                raise UnknownKeyError(
                    f"AddSelfLoop: there is no edge feature {name!r}; edges between nodes of one "
                    f"type have {sorted(known)}."
                )

    def _own_types(self, g: Graph) -> dict[CanonicalEType, tuple[Adjacency, Frame]]:
        added = {}
        for ntype in g.ntypes:
            etype = (ntype, "self", ntype)
            if etype not in g.canonical_etypes:
                nodes, count = g.nodes(ntype), g.num_nodes(ntype)
                loops = Adjacency(count, count, g.idtype, coo=(nodes, nodes))
                added[etype] = loops, Frame(count, "edge")
        return added


class RemoveSelfLoop(BaseTransform):
    """Remove self-loops in each edge type that joins a node type with itself.

    Other edges keep their order and features. Batches are preserved.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.RemoveSelfLoop()(gs.graph(([0, 1, 1], [1, 1, 2]))).edges()
    (tensor([0, 1]), tensor([1, 2]))
    """

    def __call__(self, g: Graph) -> Graph:
        checked(g, self)
        for etype in _loop_types(g):
            g = remove_self_loop(g, etype)
        return g


class AddReverse(BaseTransform):
    """Add an edge ``(v, u)`` for each edge ``(u, v)``, self-loops included.

    In edge types that join a node type with itself, the new edges are appended. For any other edge
    type ``(a, relation, b)``, they form a new edge type ``(b, "rev_" + relation, a)``.

    Parameters
    ----------
    copy_edata : bool
        Whether reverse edges have the features of the original edges. Otherwise, appended edges get
        values from the initializer (by default, zeros), and new edge types have no features.
    sym_new_etype : bool
        Whether to also create new edge types for edge types that join a node type with itself.

    Raises
    ------
    InvalidValueError
        When called, if a new edge type already exists.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.heterograph({("user", "plays", "game"): ([0, 1], [0, 0])})
    >>> gs.AddReverse()(g).canonical_etypes
    [('game', 'rev_plays', 'user'), ('user', 'plays', 'game')]
    """

    def __init__(self, copy_edata: bool = False, sym_new_etype: bool = False) -> None:
        self.copy_edata = copy_edata
        self.sym_new_etype = sym_new_etype

    def __call__(self, g: Graph) -> Graph:
        checked(g, self)
        etypes = g.canonical_etypes
        doubled = [] if self.sym_new_etype else _loop_types(g)
        for etype in doubled:
            u, v = g.edges(etype=etype)
            data = dict(g.edges[etype].data) if self.copy_edata else None
            g = add_edges(g, v, u, data=data, etype=etype)
        added = {}
        for src, relation, dst in etypes:
            if (src, relation, dst) not in doubled:
                old = g.relation((src, relation, dst))
                u, v = old.coo()
                turned = Adjacency(old.num_dst, old.num_src, old.idtype, coo=(v, u))
                frame = Frame(old.num_edges, "edge")
                if self.copy_edata:
                    frame = g.edge_frames[g.get_etype_id((src, relation, dst))].copy()
                added[dst, f"rev_{relation}", src] = turned, frame
        return with_relations(g, added, "AddReverse")


class ToSimple(BaseTransform):
    """Merge parallel edges and their features; see :func:`gossamer.to_simple`.

    Parameters
    ----------
    return_counts : str or None
        Name of an edge feature for the number of merged edges, or None.
    aggregator : {"arbitrary", "sum", "mean"}
        How features of parallel edges are reduced.

    Examples
    --------
    >>> import gossamer as gs
    >>> simple = gs.ToSimple()(gs.graph(([1, 0, 1], [0, 1, 0])))
    >>> simple.edges(), simple.edata["count"]
    ((tensor([0, 1]), tensor([1, 0])), tensor([1, 2]))
    """

    def __init__(self, return_counts: str | None = "count", aggregator: str = "arbitrary") -> None:
        self.return_counts = return_counts
        self.aggregator = aggregator

    def __call__(self, g: Graph) -> Graph:
        return to_simple(
            checked(g, self), self.return_counts, copy_edata=True, aggregator=self.aggregator
        )


class LineGraph(BaseTransform):
    """Convert to the line graph: edges become nodes, joined to the edges that start where they end.

    Edge features become node features. See :func:`gossamer.line_graph`.

    Parameters
    ----------
    backtracking : bool
        Whether to join an edge to edges that return to its source.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.LineGraph()(gs.graph(([0, 1, 1], [1, 2, 0]))).edges()
    (tensor([0, 0, 2]), tensor([1, 2, 0]))
    """

    def __init__(self, backtracking: bool = True) -> None:
        self.backtracking = backtracking

    def __call__(self, g: Graph) -> Graph:
        return line_graph(checked(g, self), self.backtracking, shared=True)


class KHopGraph(BaseTransform):
    """Replace the edges by an edge for each walk of `k` edges.

    See :func:`gossamer.khop_graph`.

    Parameters
    ----------
    k : int
        Number of edges in a walk, not negative.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.KHopGraph(2)(gs.graph(([0, 1], [1, 2]))).edges()
    (tensor([0]), tensor([2]))
    """

    def __init__(self, k: int) -> None:
        self.k = as_int(k, "KHopGraph", "k", 0)

    def __call__(self, g: Graph) -> Graph:
        return khop_graph(checked(g, self), self.k)


class AddMetaPaths(BaseTransform):
    """Add an edge type for each metapath, a path along given edge types.

    Two nodes get one edge if such a path joins them; see :func:`gossamer.metapath_reachable_graph`.

    Parameters
    ----------
    metapaths : dict of str to list
        Maps the name of each new relation to the edge types along its path.
    keep_orig_edges : bool
        Whether to keep the original edges.

    Raises
    ------
    InvalidTypeError
        If `metapaths` is not a dict.
    InvalidValueError
        If no edge type would remain; when called, if a path is empty or not connected, or its edge
        type already exists.
    UnknownKeyError
        When called, if an edge type does not exist.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.heterograph({
    ...     ("person", "author", "paper"): ([0, 0, 1], [1, 2, 2]),
    ...     ("paper", "accepted", "venue"): ([1, 2], [0, 1]),
    ... })
    >>> path = [("person", "author", "paper"), ("paper", "accepted", "venue")]
    >>> g = gs.AddMetaPaths({"accepted": path})(g)
    >>> g.edges(etype=("person", "accepted", "venue"))
    (tensor([0, 0, 1]), tensor([0, 1, 1]))
    """

    def __init__(
        self,
        metapaths: Mapping[str, Sequence[str | CanonicalEType]],
        keep_orig_edges: bool = True,
    ) -> None:
        if not isinstance(metapaths, Mapping) or not all(isinstance(k, str) for k in metapaths):
            raise InvalidTypeError(
                f"AddMetaPaths takes a dict from name to a list of edge types, got {metapaths!r}."
            )
        if not metapaths and not keep_orig_edges:
            raise InvalidValueError(
                "AddMetaPaths: without a metapath and without the edges of the graph, no edge type "
                "is left. Give a metapath, or keep_orig_edges=True."
            )
        self.metapaths = dict(metapaths)
        self.keep_orig_edges = keep_orig_edges

    def __call__(self, g: Graph) -> Graph:
        checked(g, self)
        added: dict[CanonicalEType, tuple[Adjacency, Any]] = {}
        for name, path in self.metapaths.items():
            reached = metapath_reachable_graph(g, path)
            src, _, dst = reached.canonical_etypes[0]
            added[src, name, dst] = reached.adjacency, reached.edge_frames[0]
        return with_relations(g, added, "AddMetaPaths", keep=self.keep_orig_edges)


class ToLevi(BaseTransform):
    """Convert to the Levi graph: edges become nodes, joined to their source and destination nodes.

    The result has node types ``"node"`` and ``"edge"``, with their features, and edge types
    ``("node", "n2e", "edge")`` from the source of each edge and ``("edge", "e2n", "node")`` to its
    destination. From `Graph-to-Sequence Learning using Gated Graph Neural Networks
    <https://arxiv.org/abs/1806.09835>`__ (Beck et al., 2018).

    The graph must have one edge type that joins a node type with itself.

    Examples
    --------
    >>> import gossamer as gs
    >>> levi = gs.ToLevi()(gs.graph(([0, 1], [1, 2])))
    >>> levi.edges(etype="n2e"), levi.edges(etype="e2n")
    ((tensor([0, 1]), tensor([0, 1])), (tensor([0, 1]), tensor([1, 2])))
    """

    def __call__(self, g: Graph) -> Graph:
        relation = one_relation(g, "ToLevi")
        ntype = g.canonical_etypes[0][0]
        count, num_edges = relation.num_src, relation.num_edges
        u, v = relation.coo()
        edges = torch.arange(num_edges, dtype=g.idtype, device=g.device)
        schema = Schema(("edge", "node"), (("edge", "e2n", "node"), ("node", "n2e", "edge")))
        adjacencies = [
            Adjacency(num_edges, count, g.idtype, coo=(edges, v)),
            Adjacency(count, num_edges, g.idtype, coo=(u, edges)),
        ]
        edge_frame = Frame(num_edges, "node")
        edge_frame.update(g.edge_frames[0].items())
        node_frame = g.node_frames[g.get_ntype_id(ntype)].copy()
        return Graph.from_parts(schema, adjacencies, [edge_frame, node_frame])
