"""Sums and products of weighted adjacency matrices, as graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import Graph
from gossamer.graph.arguments import refuse_block, require_equal
from gossamer.graph.schema import Schema
from gossamer.ops.adjacency import Adjacency
from gossamer.transforms.simple import merge_parallel

__all__ = ["adj_product_graph", "adj_sum_graph"]


def adj_product_graph(A: Graph, B: Graph, weight_name: str, etype: str = "_E") -> Graph:
    r"""Return the graph whose weighted adjacency matrix is the product of those of `A` and `B`.

    .. math:: w_{uv} = \sum_{x} a_{ux} \, b_{xv}

    There is an edge from ``u`` to ``v`` if an edge of `A` followed by an edge of `B` leads from
    ``u`` to ``v``, even if the weights add up to 0. Parallel edges are summed. Edges are sorted by
    source, then destination.

    Parameters
    ----------
    A, B : Graph
        Graphs of one edge type, with the edge feature `weight_name` ``(E,)``. `B` has as many
        source nodes as `A` has destination nodes.
    weight_name : str
        Edge feature with the weights, floating-point; the result has it too.
    etype : str
        Name of the relation of the result.

    Returns
    -------
    Graph
        A graph with the edge type ``(source type of A, etype, destination type of B)`` and no other
        features. The weights are differentiable with respect to those of `A` and `B`.

    Raises
    ------
    InvalidTypeError
        If `A` or `B` is not a graph, or weights are not floating-point numbers.
    UnknownKeyError
        If a graph lacks the weights.
    InvalidValueError
        If a graph is a block or has several edge types, or the numbers of nodes do not match.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 0, 1, 2], [1, 2, 3, 3]))
    >>> g.edata["w"] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    >>> product = gs.adj_product_graph(g, g, "w")
    >>> product.edges(), product.edata["w"]
    ((tensor([0]), tensor([3])), tensor([11.]))
    """
    name = "adj_product_graph"
    left, right = (_weights(graph, weight_name, name) for graph in (A, B))
    if not isinstance(etype, str):
        raise InvalidTypeError(f"{name}: etype must be the name of a relation, got {etype!r}.")
    _check_alike([A, B], [left, right], name)
    first, second = A.relation(), B.relation()
    if first.num_dst != second.num_src:
        raise InvalidValueError(
            f"{name}: A has {first.num_dst} destination nodes and B has {second.num_src} source "
            "nodes; they must be the same nodes."
        )
    src, dst = A.canonical_etypes[0][0], B.canonical_etypes[0][2]
    if src == dst and first.num_src != second.num_dst:
        raise InvalidValueError(
            f"{name}: the product would join node type {src!r} with itself, but A has "
            f"{first.num_src} of these nodes and B has {second.num_dst}."
        )
    row, middle = first.coo()
    walked, col, behind = second.csr().gather_rows(middle)
    # Not index_select, whose gradient is slower.
    products = left[walked.long()] * right[behind.long()]
    coo = row.index_select(0, walked), col.to(first.idtype)
    paths = Adjacency(first.num_src, second.num_dst, first.idtype, coo=coo)
    schema = Schema(tuple(sorted({src, dst})), ((src, etype, dst),))
    return _summed(paths, products, schema, weight_name)


def adj_sum_graph(graphs: Sequence[Graph], weight_name: str) -> Graph:
    r"""Return the graph whose weighted adjacency matrix is the sum of those of the given graphs.

    .. math:: w_{uv} = \sum_i a^{(i)}_{uv}

    There is an edge wherever one of the graphs has an edge, even if the weights add up to 0.
    Parallel edges are summed. Edges are sorted by source, then destination.

    Parameters
    ----------
    graphs : sequence of Graph
        At least one; graphs of one edge type with the same numbers of nodes and the edge feature
        `weight_name` ``(E,)``.
    weight_name : str
        Edge feature with the weights, floating-point; the result has it too.

    Returns
    -------
    Graph
        A graph with the types of the first graph and no other features. The weights are
        differentiable with respect to those of `graphs`.

    Raises
    ------
    InvalidTypeError
        If an item is not a graph, or weights are not floating-point numbers.
    UnknownKeyError
        If a graph lacks the weights.
    InvalidValueError
        If there is no graph, a graph is a block or has several edge types, or the numbers of nodes
        differ.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> a, b = gs.graph(([0, 1], [1, 2])), gs.graph(([1, 2], [2, 0]))
    >>> a.edata["w"], b.edata["w"] = torch.tensor([1.0, 2.0]), torch.tensor([4.0, 8.0])
    >>> total = gs.adj_sum_graph([a, b], "w")
    >>> total.edges(), total.edata["w"]
    ((tensor([0, 1, 2]), tensor([1, 2, 0])), tensor([1., 6., 8.]))
    """
    name = "adj_sum_graph"
    if not isinstance(graphs, Sequence) or isinstance(graphs, str):
        raise InvalidTypeError(f"{name} takes a list of graphs, got {type(graphs).__name__}.")
    if not graphs:
        raise InvalidValueError(f"{name} needs at least one graph.")
    weights = [_weights(graph, weight_name, name) for graph in graphs]
    _check_alike(graphs, weights, name)
    relations = [graph.relation() for graph in graphs]
    first = relations[0]
    counts = [(relation.num_src, relation.num_dst) for relation in relations]
    require_equal(counts, "numbers of nodes", name)
    ends = zip(*(relation.coo() for relation in relations), strict=True)
    coo = tuple(torch.cat(parts) for parts in ends)
    edges = Adjacency(first.num_src, first.num_dst, first.idtype, coo=coo)
    return _summed(edges, torch.cat(weights), graphs[0].schema, weight_name)


def _summed(edges: Adjacency, weights: Tensor, schema: Schema, weight_name: str) -> Graph:
    """The graph in which parallel edges are merged and their weights are summed."""
    merged = merge_parallel(edges)
    src, dst = schema.endpoints[0]
    counts = {src: edges.num_src, dst: edges.num_dst}
    num_nodes = [counts[position] for position in range(len(schema.ntypes))]
    result = Graph.from_parts(schema, [merged.adjacency], num_nodes=num_nodes)
    result.edata[weight_name] = ops.segment_reduce(
        merged.counts(), weights[merged.order.long()], "sum"
    )
    return result


def _weights(graph: Any, weight_name: str, name: str) -> Tensor:
    """The weights of the only relation of `graph`, ``(E,)``."""
    refuse_block(graph, name)
    if len(graph.canonical_etypes) != 1:
        raise InvalidValueError(
            f"{name} takes graphs of one edge type, got {graph.canonical_etypes}. Select "
            "one first, as in g.edge_type_subgraph([etype])."
        )
    frame = graph.edge_frames[0]
    if weight_name not in frame:
        raise UnknownKeyError(
            f"{name}: a graph has no edge feature {weight_name!r}; it has {list(frame)}. Set the "
            "weights first."
        )
    weights = frame[weight_name]
    if weights.numel() != frame.num_rows or weights.dim() > 2:
        raise InvalidValueError(
            f"{name}: edge feature {weight_name!r} must be one number for each of the "
            f"{frame.num_rows} edges, got shape {tuple(weights.shape)}."
        )
    if not weights.is_floating_point():
        raise InvalidTypeError(
            f"{name}: weights must be floating-point numbers, got {weights.dtype}. Convert them "
            "with .float()."
        )
    return weights.reshape(-1)


def _check_alike(graphs: Sequence[Graph], weights: list[Tensor], name: str) -> None:
    require_equal([graph.idtype for graph in graphs], "id type", name)
    require_equal([graph.device for graph in graphs], "device", name)
    require_equal([values.dtype for values in weights], "dtype of weights", name)
