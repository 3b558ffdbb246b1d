"""Undocumented sampling functions of DGL that programs import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import EID, Graph, heterograph
from gossamer.graph.arguments import on_device, require_graph
from gossamer.sampling import sample_neighbors
from gossamer.sampling.pinsage import most_visited

__all__ = ["_remove_kwargs_dist", "_select_pinsage_neighbors", "sample_etype_neighbors"]

_NAME = "sample_etype_neighbors"


def sample_etype_neighbors(
    g: Graph,
    nodes: Any,
    etype_offset: Sequence[int],
    fanout: Any,
    edge_dir: str = "in",
    prob: Sequence[Tensor] | str | None = None,
    replace: bool = False,
    copy_ndata: bool = True,
    copy_edata: bool = True,
    etype_sorted: bool = False,
    _dist_training: bool = False,
    output_device: torch.device | str | None = None,
) -> Graph:
    """Sample neighbors in a graph whose edge types are ranges of edge ids.

    Parameters
    ----------
    g : Graph
        Graph with one node type and one edge type.
    nodes, edge_dir, replace, copy_ndata, copy_edata, output_device
        As in :func:`gossamer.sampling.sample_neighbors`.
    etype_offset : list of int
        Edges ``etype_offset[t]`` to ``etype_offset[t + 1] - 1`` have type t; the last entry is the
        number of edges.
    fanout : int, or one int for each edge type
        Number of edges of each type to draw for a node; -1 for all.
    prob : list of Tensor, or str, optional
        Weights of the edges of each type, or the name of an edge feature. An empty tensor means
        equal weights.
    etype_sorted, _dist_training : bool
        Accepted for compatibility with DGL.
    """
    require_graph(g, _NAME)
    bounds = [int(bound) for bound in etype_offset]
    if bounds[:1] != [0] or bounds[-1] != g.num_edges() or bounds != sorted(bounds):
        raise InvalidValueError(
            f"{_NAME}: etype_offset rises from 0 to the number of edges, {g.num_edges()}; got "
            f"{bounds}."
        )
    count = len(bounds) - 1
    fanouts = torch.as_tensor(fanout)
    if fanouts.dim() == 0:
        fanouts = fanouts.expand(count)
    if fanouts.shape != (count,):
        raise InvalidValueError(
            f"{_NAME}: fanout is an int or one for each of {count} edge types, got "
            f"{tuple(fanouts.shape)} of them."
        )
    u, v = g.edges(order="eid")
    names = [("_N", str(t), "_N") for t in range(count)]
    ranges = zip(names, pairwise(bounds), strict=True)
    parts = {name: (u[low:high], v[low:high]) for name, (low, high) in ranges}
    typed = heterograph(parts, {"_N": g.num_nodes()}, idtype=g.idtype, device=g.device)
    drawn = sample_neighbors(
        typed,
        nodes,
        dict(zip(names, fanouts.tolist(), strict=True)),
        edge_dir,
        _weights(g, prob, names, bounds),
        replace,
    )
    eids = torch.cat(
        [drawn.edges[n].data[EID] + low for n, low in zip(names, bounds, strict=False)]
    )
    return on_device(_subgraph(g, nodes, eids, edge_dir, copy_ndata, copy_edata), output_device)


def _weights(g: Graph, prob: Any, names: list, bounds: list[int]) -> dict[Any, Tensor] | None:
    if prob is None:
        return None
    if isinstance(prob, str):
        prob = [g.edata[prob][low:high] for low, high in pairwise(bounds)]
    if len(prob) != len(names):
        raise InvalidValueError(
            f"{_NAME}: prob has one tensor for each of {len(names)} edge types, got {len(prob)}."
        )
    return {name: own for name, own in zip(names, prob, strict=True) if len(own)}


def _subgraph(
    g: Graph, nodes: Any, eids: Tensor, edge_dir: str, copy_ndata: bool, copy_edata: bool
) -> Graph:
    """Return the graph of these edges, in the order of the nodes that they were drawn for."""
    rank = torch.full((g.num_nodes(),), g.num_nodes(), device=g.device)
    ids = torch.as_tensor(nodes, device=g.device).reshape(-1)
    if ids.dtype != torch.bool:
        rank[ids.long()] = torch.arange(len(ids), device=g.device)
    ends = g.find_edges(eids)[edge_dir == "in"]
    eids = eids[rank[ends.long()].argsort(stable=True)]
    sub = g.edge_subgraph(eids, relabel_nodes=False, store_ids=copy_edata)
    for features, kept in ((sub.ndata, copy_ndata), (sub.edata, copy_edata)):
        if not kept:
            features.clear()
    return sub


def _select_pinsage_neighbors(
    src: Tensor, dst: Tensor, num_samples_per_node: int, k: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the most frequent nodes in each run of samples, their seed nodes and counts.

    `src` and `dst` hold `num_samples_per_node` consecutive samples for every seed node. Samples of
    -1 are ignored. The first `dst` of a run is its seed node.
    """
    if len(src) != len(dst) or len(src) % num_samples_per_node:
        raise InvalidValueError(
            f"_select_pinsage_neighbors: src and dst have the same length, a multiple of "
            f"{num_samples_per_node}; got {len(src)} and {len(dst)}."
        )
    there = src >= 0
    run = torch.arange(len(src), device=src.device) // num_samples_per_node
    node = src[there].long()
    bound = int(node.max()) + 1 if len(node) else 1
    run, node, counts = most_visited(run[there], node, bound, k)
    return node.to(src.dtype), dst[run * num_samples_per_node], counts


def _remove_kwargs_dist(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Remove the arguments that loaders of distributed graphs do not have."""
    if not isinstance(kwargs, Mapping):
        raise InvalidTypeError(f"kwargs is a dict, got {type(kwargs).__name__}.")
    return {
        name: value for name, value in kwargs.items() if name not in ("num_workers", "pin_memory")
    }
