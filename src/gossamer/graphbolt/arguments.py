"""Checks of the arguments of graphs, stages and stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer._options import integer, require, shown
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError, UnknownKeyError
from gossamer.graphbolt.types import ByType, etype_str_to_tuple
from gossamer.ops.adjacency import INT32_MAX

if TYPE_CHECKING:
    from gossamer.graphbolt.sampling_graph import FusedCSCSamplingGraph

__all__ = [
    "as_fanouts",
    "as_pairs",
    "check_csc",
    "check_fanouts",
    "check_rows",
    "check_seeds",
    "check_types",
    "feature_keys",
    "lookup",
    "require_sampling_graph",
]

_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
_PIECE = 1 << 22  # edges that are checked at once


def require_sampling_graph(graph: Any, name: str) -> None:
    """Raise unless `graph` is a sampling graph."""
    from gossamer.graphbolt.sampling_graph import FusedCSCSamplingGraph

    require(
        graph,
        FusedCSCSamplingGraph,
        name,
        "graph",
        "Make one with from_graph(g) or fused_csc_sampling_graph(csc_indptr, indices), or take "
        "OnDiskDataset(path).load().graph.",
    )


def as_fanouts(fanouts: Any, graph: FusedCSCSamplingGraph, name: str) -> list[Tensor]:
    """Return the fanouts of each layer as tensors that match the edge types of the graph."""
    number = integer(fanouts)
    layers = [number] if number is not None else fanouts
    listed = isinstance(layers, (Sequence, Tensor)) and not isinstance(layers, str)
    if not listed or getattr(layers, "ndim", 1) == 0 or len(layers) == 0:
        raise InvalidValueError(
            f"{name}: fanouts is a list with a number or a tensor for each layer, got "
            f"{shown(fanouts)}."
        )
    try:
        found = [torch.as_tensor(fanout).reshape(-1) for fanout in layers]
    except (TypeError, ValueError, RuntimeError):
        raise InvalidTypeError(
            f"{name}: a fanout is an integer or a tensor of integers, got {shown(fanouts)}."
        ) from None
    for fanout in found:
        check_fanouts(graph, fanout, name)
    return found


def feature_keys(keys: Any, name: str, argument: str) -> list[str] | dict[str, list[str]]:
    """Check the names of features: a list, or a dict from type to list."""
    if keys is None:
        return []
    if isinstance(keys, Mapping):
        return {kind: _names(own, name, f"{argument}[{kind!r}]") for kind, own in keys.items()}
    return _names(keys, name, argument)


def _names(names: Any, name: str, argument: str) -> list[str]:
    listed = isinstance(names, (Sequence, set, frozenset)) and not isinstance(names, str)
    if not listed or not all(isinstance(own, str) for own in names):
        raise InvalidTypeError(
            f"{name}: {argument} is a list of names of features, got {shown(names)}."
        )
    return list(names)


def as_pairs(pairs: Any, name: str) -> Tensor:
    """Return node pairs, given as ``(N, 2)`` or as ``(u, v)``, as ``(N, 2)``."""
    if isinstance(pairs, tuple) and len(pairs) == 2 and all(isinstance(p, Tensor) for p in pairs):
        pairs = torch.stack(pairs, 1)
    if not isinstance(pairs, Tensor) or pairs.dim() != 2 or pairs.shape[1] != 2:
        came = tuple(pairs.shape) if isinstance(pairs, Tensor) else type(pairs).__name__
        raise InvalidValueError(f"{name}: node pairs have the shape (N, 2), got {came}.")
    if pairs.dtype not in (torch.int32, torch.int64):
        raise InvalidTypeError(f"{name}: node pairs are int32 or int64, got {pairs.dtype}.")
    return pairs


def check_csc(indptr: Any, indices: Any) -> None:
    """Raise unless the two tensors are a valid CSC of a square matrix."""
    for name, tensor in (("csc_indptr", indptr), ("indices", indices)):
        if not isinstance(tensor, Tensor) or tensor.dtype not in (torch.int32, torch.int64):
            came = tensor.dtype if isinstance(tensor, Tensor) else type(tensor).__name__
            raise InvalidTypeError(f"{name} must be an int32 or int64 tensor, got {came}.")
        if tensor.dim() != 1:
            raise InvalidValueError(f"{name} must have one dimension, got {tuple(tensor.shape)}.")
    rises = len(indptr) > 0 and int(indptr[0]) == 0 and int(indptr[-1]) == len(indices)
    if not rises or bool((indptr[1:] < indptr[:-1]).any()):
        raise InvalidValueError(
            "csc_indptr must start at 0, never fall and end at the number of edges, "
            f"{len(indices)}."
        )
    if len(indices):
        low, high = torch.aminmax(indices)
        if low < 0 or high >= len(indptr) - 1:
            raise OutOfRangeError(
                f"indices go from {int(low)} to {int(high)}, but there are {len(indptr) - 1} nodes."
            )


def check_types(
    indptr: Tensor,
    indices: Tensor,
    node_type_offset: Any,
    type_per_edge: Any,
    node_type_to_id: Any,
    edge_type_to_id: Any,
) -> None:
    """Raise unless the types of nodes and edges are consistent with the CSC and each other."""
    for name, ids in (("node_type_to_id", node_type_to_id), ("edge_type_to_id", edge_type_to_id)):
        fits = isinstance(ids, Mapping)
        if not fits or set(map(integer, ids.values())) != set(range(len(ids))):
            raise InvalidValueError(
                f"{name} is a dict from type to number, with the numbers 0 to one less than there "
                f"are types; got {shown(ids)}."
            )
    for name, tensor in (("node_type_offset", node_type_offset), ("type_per_edge", type_per_edge)):
        if not isinstance(tensor, Tensor) or tensor.dtype not in _INTEGERS or tensor.dim() != 1:
            came = tensor.dtype if isinstance(tensor, Tensor) else type(tensor).__name__
            raise InvalidTypeError(f"{name} must be a one-dimensional integer tensor, got {came}.")
    check_rows(type_per_edge, len(indices), "type_per_edge")
    check_rows(node_type_offset, len(node_type_to_id) + 1, "node_type_offset")
    offsets, nodes = node_type_offset.tolist(), len(indptr) - 1
    if offsets[0] != 0 or offsets[-1] != nodes or offsets != sorted(offsets):
        raise InvalidValueError(
            f"node_type_offset must start at 0, never fall and end at the number of nodes, {nodes};"
            f" got {shown(offsets)}."
        )
    # By edge type: the range of its source nodes, and the range of its destinations' in-edges.
    bounds = torch.zeros((4, len(edge_type_to_id)), dtype=torch.int64, device=indices.device)
    names = [""] * len(edge_type_to_id)
    for etype, number in edge_type_to_id.items():
        src, _, dst = etype_str_to_tuple(etype)
        s, d = (lookup(node_type_to_id, t, "node type of an edge type") for t in (src, dst))
        ends = offsets[s], offsets[s + 1], int(indptr[offsets[d]]), int(indptr[offsets[d + 1]])
        bounds[:, number] = torch.tensor(ends)
        names[number] = etype
    _check_edges_of_types(indices, type_per_edge, bounds, names)


def _check_edges_of_types(indices: Tensor, types: Tensor, bounds: Tensor, names: list[str]) -> None:
    for first in range(0, len(types), _PIECE):
        own = types[first : first + _PIECE].long()
        low, high = (int(end) for end in own.aminmax())
        if low < 0 or high >= len(names):
            raise OutOfRangeError(
                f"type_per_edge goes from {low} to {high}, but there are {len(names)} edge types."
            )
        sources = indices[first : first + _PIECE]
        places = torch.arange(first, first + len(own), device=own.device)
        least, end, begin, stop = (bound[own] for bound in bounds)
        wrong = (sources < least) | (sources >= end) | (places < begin) | (places >= stop)
        if bool(wrong.any()):
            at = int(wrong.long().argmax())
            raise InvalidValueError(
                f"Edge {first + at} is of type {names[int(own[at])]!r} by type_per_edge, but joins "
                "nodes of other types by node_type_offset."
            )


def check_seeds(graph: FusedCSCSamplingGraph, seeds: Any) -> ByType:
    """Check the type of the seeds and the range of their ids; return the seeds."""
    if graph.is_heterogeneous != isinstance(seeds, dict):
        wanted = "a dict from node type to tensor" if graph.is_heterogeneous else "a tensor"
        raise InvalidTypeError(f"Seeds of this graph are {wanted}, got {type(seeds).__name__}.")
    for ids in seeds.values() if isinstance(seeds, dict) else [seeds]:
        narrow = isinstance(ids, Tensor) and ids.dtype == torch.int32
        if narrow and graph.total_num_nodes > INT32_MAX:
            raise InvalidTypeError(
                f"Seeds of a graph with {graph.total_num_nodes} nodes must be int64: int32 cannot "
                "hold the ids of their neighbors."
            )
    if not isinstance(seeds, dict):
        return _check_ids(seeds, graph.total_num_nodes, "nodes")
    counts = graph.num_nodes
    unknown = [ntype for ntype in seeds if ntype not in counts]
    if unknown:
        raise UnknownKeyError(f"There is no node type {unknown[0]!r}; there are {list(counts)}.")
    return {
        ntype: _check_ids(ids, counts[ntype], f"nodes of type {ntype!r}")
        for ntype, ids in seeds.items()
    }


def _check_ids(ids: Any, limit: int, what: str) -> Tensor:
    if not isinstance(ids, Tensor) or ids.dtype not in (torch.int32, torch.int64):
        came = ids.dtype if isinstance(ids, Tensor) else shown(ids)
        raise InvalidTypeError(f"Seeds must be an int32 or int64 tensor, got {came}.")
    if ids.dim() != 1:
        raise InvalidValueError(f"Seeds must have one dimension, got {tuple(ids.shape)}.")
    if len(ids):
        low, high = torch.aminmax(ids)
        if low < 0 or high >= limit:
            raise OutOfRangeError(
                f"Seed {int(low) if low < 0 else int(high)} is not among the {limit} {what}."
            )
    return ids


def check_fanouts(graph: FusedCSCSamplingGraph, fanouts: Any, op: str) -> list[int]:
    """Return the fanouts as a list: one number, or one for each edge type."""
    if not isinstance(fanouts, Tensor) or fanouts.dim() != 1 or fanouts.dtype not in _INTEGERS:
        raise InvalidTypeError(
            f"{op}: fanouts must be a one-dimensional integer tensor, got {shown(fanouts)}."
        )
    types = len(graph.edge_type_to_id) if graph.is_heterogeneous else 1
    if len(fanouts) not in (1, types):
        raise InvalidValueError(
            f"{op}: fanouts must have one number, or one for each of the {types} edge types, "
            f"got {len(fanouts)}."
        )
    counts = fanouts.tolist()
    if min(counts, default=0) < -1:
        raise InvalidValueError(f"{op}: a fanout is -1 (all edges) or more, got {min(counts)}.")
    return counts


def check_rows(tensor: Any, rows: int, what: str) -> None:
    """Raise unless `tensor` has `rows` rows."""
    if not isinstance(tensor, Tensor):
        raise InvalidTypeError(f"The {what} must be a torch.Tensor, got {type(tensor).__name__}.")
    if tensor.dim() == 0 or tensor.shape[0] != rows:
        raise InvalidValueError(f"The {what} must have {rows} rows, got {tuple(tensor.shape)}.")


def lookup(attributes: dict[str, Any], name: str, what: str) -> Any:
    """Return an entry of a dict; if there is none, raise an error that lists the keys."""
    try:
        return attributes[name]
    except KeyError:
        raise UnknownKeyError(
            f"There is no {what} {name!r}; the graph has {list(attributes)}."
        ) from None
