"""Validation of arguments: graphs, nodes and edges by type, feature names, devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

from gossamer._options import as_device
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph.graph import Graph

__all__ = [
    "by_edge_type", "edge_ids", "feature_names", "node_ids", "on_device", "refuse_block",
    "require_equal", "require_graph", "require_homogeneous",
]  # fmt: skip


def require_graph(graph: Any, name: str) -> None:
    """Raise unless `graph` is a graph."""
    if not isinstance(graph, Graph):
        raise InvalidTypeError(f"{name} takes a graph, got {type(graph).__name__}.")


def refuse_block(graph: Any, name: str) -> None:
    """Raise unless `graph` is a graph and not a block."""
    require_graph(graph, name)
    if graph.is_block:
        raise InvalidValueError(
            f"{name} does not take a block, which has separate source and destination nodes. "
            "Use the original graph, or call gossamer.block_to_graph first."
        )


def require_homogeneous(graph: Any, name: str) -> None:
    """Raise unless `graph` has one node type and one edge type, and is not a block."""
    refuse_block(graph, name)
    if not graph.is_homogeneous:
        raise InvalidValueError(
            f"{name} takes a graph of one node type and one edge type, got the edge types "
            f"{graph.canonical_etypes}. Use to_homogeneous first, or select an edge type that "
            "joins a node type with itself, as in g.edge_type_subgraph([etype])."
        )


def require_equal(values: Sequence[Any], what: str, name: str) -> None:
    """Raise unless the `values` of a property, which `what` names, are equal in all graphs."""
    for i, value in enumerate(values):
        if value != values[0]:
            raise InvalidValueError(
                f"{name} needs graphs with the same {what}: graph {i} has {value}, graph 0 has "
                f"{values[0]}."
            )


def feature_names(names: Any, what: str) -> list[str]:
    """A list of feature names, from a list, one name, or None for no names."""
    names = [] if names is None else [names] if isinstance(names, str) else names
    if not isinstance(names, Iterable) or isinstance(names, Tensor):
        raise InvalidTypeError(f"{what} is a list of feature names, got {type(names).__name__}.")
    names = list(names)
    for name in names:
        if not isinstance(name, str):
            raise InvalidTypeError(f"{what} is a list of feature names, got {name!r} among them.")
    return names


def node_ids(graph: Graph, nodes: Any, name: str) -> list[Tensor | None]:
    """Return checked ids of each node type of `graph`, in order; None for types not in `nodes`.

    `nodes` may be ids, a mask, or a dict from node type to either.
    """
    chosen: list[Tensor | None] = [None] * len(graph.ntypes)
    if isinstance(nodes, Mapping):
        for ntype, ids in nodes.items():
            position = graph.get_ntype_id(ntype)
            chosen[position] = graph.checked_nodes(ids, position)
        return chosen
    if len(chosen) != 1:
        raise InvalidTypeError(
            f"{name}: the graph has several node types, so nodes are a dict from node type to ids; "
            f"the types are {graph.ntypes}."
        )
    return [graph.checked_nodes(nodes, 0)]


def edge_ids(graph: Graph, edges: Any, name: str) -> list[Tensor | None]:
    """Return checked ids of each edge type of `graph`, in order; None for types not in `edges`.

    `edges` may be ids, a mask, or a dict from edge type to either.
    """
    chosen: list[Tensor | None] = [None] * len(graph.canonical_etypes)
    if isinstance(edges, Mapping):
        for position, ids in by_edge_type(graph, edges, name).items():
            chosen[position] = graph.checked_edges(ids, position)
        return chosen
    if len(chosen) != 1:
        raise InvalidTypeError(
            f"{name}: the graph has several edge types, so edges are a dict from edge type to ids; "
            f"the types are {graph.canonical_etypes}."
        )
    return [graph.checked_edges(edges, 0)]


def by_edge_type(graph: Graph, values: Mapping[Any, Any], name: str) -> dict[int, Any]:
    """Return a dict whose keys are edge types with the positions of the types as keys."""
    by_position: dict[int, Any] = {}
    for etype, value in values.items():
        position = graph.get_etype_id(etype)
        if position in by_position:
            raise InvalidValueError(
                f"{name}: the dict names edge type {graph.canonical_etypes[position]} twice, "
                "by its relation and in full. Name it once."
            )
        by_position[position] = value
    return by_position


def on_device(graph: Graph, device: Any) -> Graph:
    """`graph` on `device`; unchanged if `device` is None."""
    return graph if device is None else graph.to(as_device(device, "output_device"))
