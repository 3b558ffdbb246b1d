"""Conversion of CSC tensors and graphs to sampling graphs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidValueError
from gossamer.graph import EID, ETYPE, NID, NTYPE, Graph
from gossamer.graph.arguments import require_graph
from gossamer.graphbolt.arguments import check_rows
from gossamer.graphbolt.sampling_graph import ORIGINAL_EDGE_ID, FusedCSCSamplingGraph
from gossamer.graphbolt.types import etype_tuple_to_str
from gossamer.ops.adjacency import Adjacency

__all__ = ["from_graph", "fused_csc_sampling_graph"]

_INTERNAL = {NID, EID, NTYPE, ETYPE}


def fused_csc_sampling_graph(
    csc_indptr: Tensor,
    indices: Tensor,
    node_type_offset: Tensor | None = None,
    type_per_edge: Tensor | None = None,
    node_type_to_id: dict[str, int] | None = None,
    edge_type_to_id: dict[str, int] | None = None,
    node_attributes: dict[str, Tensor] | None = None,
    edge_attributes: dict[str, Tensor] | None = None,
) -> FusedCSCSamplingGraph:
    """Build a sampling graph from CSC tensors, which it shares.

    Parameters
    ----------
    csc_indptr, indices : Tensor
        ``(N + 1,)`` and ``(E,)``: node ``j`` has the in-neighbors
        ``indices[csc_indptr[j]:csc_indptr[j + 1]]``.
    node_type_offset : Tensor, optional
        ``(number of node types + 1,)``: where the nodes of each type start.
    type_per_edge : Tensor, optional
        ``(E,)``, the edge type of each edge.
    node_type_to_id, edge_type_to_id : dict of str to int, optional
        Numbers of the types. Give all of these four for a heterogeneous graph, otherwise none.
    node_attributes, edge_attributes : dict of str to Tensor, optional
        Attributes with one row for each node or edge.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If the arguments are inconsistent.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> gb.fused_csc_sampling_graph(torch.tensor([0, 2, 3]), torch.tensor([0, 1, 1])).num_edges
    3
    """
    typed = (node_type_offset, type_per_edge, node_type_to_id, edge_type_to_id)
    if any(part is not None for part in typed) and any(part is None for part in typed):
        raise InvalidValueError(
            "fused_csc_sampling_graph: a heterogeneous graph needs node_type_offset, "
            "type_per_edge, node_type_to_id and edge_type_to_id."
        )
    graph = FusedCSCSamplingGraph(csc_indptr, indices, *typed, node_attributes, edge_attributes)
    graph.check()
    for name, tensor in graph.node_attributes.items():
        check_rows(tensor, graph.total_num_nodes, f"node attribute {name!r}")
    for name, tensor in graph.edge_attributes.items():
        check_rows(tensor, graph.total_num_edges, f"edge attribute {name!r}")
    return graph


def from_graph(
    DGLGraphInstance: Graph,
    is_homogeneous: bool = False,
    include_original_edge_id: bool = False,
) -> FusedCSCSamplingGraph:
    """Build a sampling graph from a graph.

    Parameters
    ----------
    DGLGraphInstance : Graph
    is_homogeneous : bool
        Whether the result has no types. The nodes of several types are then numbered type by type,
        in the order of `ntypes`.
    include_original_edge_id : bool
        Whether to keep the edge ids of the graph (per edge type), which edge features need.

    Returns
    -------
    FusedCSCSamplingGraph
        Features that all node types, or all edge types, have become attributes.

    Raises
    ------
    InvalidTypeError
        If `DGLGraphInstance` is not a graph.

    Examples
    --------
    >>> import gossamer as gs, gossamer.graphbolt as gb
    >>> graph = gb.from_graph(gs.graph(([0, 1, 2], [1, 2, 0])), is_homogeneous=True)
    >>> graph.indices
    tensor([2, 0, 1])
    """
    g = DGLGraphInstance
    require_graph(g, "from_graph")
    if is_homogeneous and g.is_homogeneous:
        return _untyped(g, include_original_edge_id)
    offsets = [0, *accumulate(map(g.num_nodes, g.ntypes))]
    first, total = dict(zip(g.ntypes, offsets, strict=False)), offsets[-1]
    rows, cols, types, eids = [], [], [], []
    for number, etype in enumerate(g.canonical_etypes):
        src, dst = g.edges(etype=etype)
        rows.append(src.long() + first[etype[0]])
        cols.append(dst.long() + first[etype[2]])
        types.append(torch.full_like(rows[-1], number))
        eids.append(torch.arange(len(src)))
    whole = Adjacency(total, total, torch.int64, coo=(_cat(rows), _cat(cols)))
    indptr, indices, order = whole.csc()
    order = slice(None) if order is None else order.long()
    ndata = [g.nodes[ntype].data for ntype in g.ntypes]
    edata = [g.edges[etype].data for etype in g.canonical_etypes]
    attributes = {name: value[order] for name, value in _common(edata).items()}
    if include_original_edge_id:
        attributes[ORIGINAL_EDGE_ID] = _cat(eids)[order]
    typed: dict[str, Any] = {}
    if not is_homogeneous:
        typed = {
            "node_type_offset": torch.tensor(offsets),
            "type_per_edge": _cat(types)[order],
            "node_type_to_id": {ntype: i for i, ntype in enumerate(g.ntypes)},
            "edge_type_to_id": {etype_tuple_to_str(e): i for i, e in enumerate(g.canonical_etypes)},
        }
    return fused_csc_sampling_graph(
        indptr.long(),
        indices.long(),
        **typed,
        node_attributes=_common(ndata),
        edge_attributes=attributes,
    )


def _common(features: list[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Concatenate the features that all types have with the same dtype and row shape."""
    found = {}
    for name in features[0] if features else ():
        if name in _INTERNAL or any(name not in other for other in features):
            continue
        parts = [other[name] for other in features]
        if len({(part.dtype, part.shape[1:]) for part in parts}) == 1:
            found[name] = torch.cat(parts) if len(parts) > 1 else parts[0]
    return found


def _cat(parts: list[Tensor]) -> Tensor:
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.int64)


def _untyped(g: Graph, include_original_edge_id: bool) -> FusedCSCSamplingGraph:
    indptr, indices, eids = g.relation().csc()
    order = torch.arange(g.num_edges()) if eids is None else eids.to(torch.int64, copy=True)
    edge_attributes: dict[str, Any] = {
        name: value[order] for name, value in g.edata.items() if name not in _INTERNAL
    }
    if include_original_edge_id:
        edge_attributes[ORIGINAL_EDGE_ID] = order
    return fused_csc_sampling_graph(
        indptr.to(torch.int64, copy=True),
        indices.to(torch.int64, copy=True),
        node_attributes={n: value for n, value in g.ndata.items() if n not in _INTERNAL},
        edge_attributes=edge_attributes,
    )
