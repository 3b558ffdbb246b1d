"""Conversion from and to cuGraph through edge lists.

An edge list is a data frame with one row per edge. Only this part of cuGraph and cuDF is used:
``graph.is_directed()``, ``graph.to_directed()`` and ``graph.edges()``, which returns a frame with
the columns ``src`` and ``dst``; ``cugraph.Graph(directed=True)`` and
``graph.from_cudf_edgelist(frame, source=..., destination=...)``; ``cudf.DataFrame``, and DLPack
export of series.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer.errors import InvalidTypeError, UnknownKeyError
from gossamer.graph import Graph, graph
from gossamer.graph.arguments import require_homogeneous

__all__ = ["from_cugraph", "to_cugraph"]


def from_cugraph(cugraph_graph: Any) -> Graph:
    """Make a graph with one node type and one edge type from a cuGraph graph.

    Parameters
    ----------
    cugraph_graph : cugraph.Graph or cugraph.MultiGraph
        Vertices are integers. An undirected graph gives edges in both directions.

    Returns
    -------
    Graph
        On the device of the edge list. The number of nodes is the largest vertex plus one.

    Raises
    ------
    InvalidTypeError
        If `cugraph_graph` is not a cuGraph graph, or vertices are not integers.
    UnknownKeyError
        If its edge list has no columns ``src`` and ``dst``.
    OutOfRangeError
        If a vertex is negative.
    """
    missing = [
        name
        for name in ("is_directed", "edges")
        if not callable(getattr(cugraph_graph, name, None))
    ]
    if missing:
        raise InvalidTypeError(
            f"from_cugraph takes a cuGraph graph, got {type(cugraph_graph).__name__}, which has no "
            f"method {missing[0]}()."
        )
    if not cugraph_graph.is_directed():
        cugraph_graph = cugraph_graph.to_directed()
    edges = cugraph_graph.edges()
    lacking = [name for name in ("src", "dst") if name not in edges.columns]
    if lacking:
        raise UnknownKeyError(
            f"from_cugraph: the edge list has no column {lacking[0]!r}; it has "
            f"{list(edges.columns)}."
        )
    return graph((_as_tensor(edges["src"]), _as_tensor(edges["dst"])))


def _as_tensor(series: Any) -> Tensor:
    """Copy a column, so that the graph shares no memory with the frame."""
    if hasattr(series, "to_dlpack"):
        return torch.from_dlpack(series.to_dlpack()).clone()
    return torch.tensor(series.to_numpy())


def to_cugraph(g: Graph) -> Any:
    """Convert to a cuGraph graph with the same edges.

    Isolated nodes and features are dropped: an edge list cannot hold them. cuGraph merges parallel
    edges.

    Parameters
    ----------
    g : Graph
        One node type and one edge type.

    Returns
    -------
    cugraph.Graph
        Directed, made from a ``cudf.DataFrame`` with the columns ``source`` and ``destination``.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph.
    InvalidValueError
        If `g` has several node or edge types.
    MissingExtraError
        If cuGraph or cuDF is not installed.
    """
    require_homogeneous(g, "to_cugraph")
    cudf = optional_import("cudf", "gossamer.to_cugraph")
    cugraph = optional_import("cugraph", "gossamer.to_cugraph")
    u, v = (_as_series(cudf, ends) for ends in g.edges())
    result = cugraph.Graph(directed=True)
    frame = cudf.DataFrame({"source": u, "destination": v})
    result.from_cudf_edgelist(frame, source="source", destination="destination")
    return result


def _as_series(cudf: Any, ids: Tensor) -> Any:
    return cudf.from_dlpack(ids) if ids.is_cuda else cudf.Series(ids.numpy())
