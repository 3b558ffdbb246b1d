"""Selection of the edges with the largest or smallest weights of each node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import Graph
from gossamer.graph.arguments import on_device, refuse_block
from gossamer.kernels.rows import row_starts
from gossamer.ops.adjacency import Adjacency
from gossamer.sampling._blocks import rows_of, subgraph_of
from gossamer.sampling._core import Drawn
from gossamer.sampling.neighbors import NodeIds, checked_seeds, fanouts_of, is_inward, no_edges

__all__ = ["select_topk"]

_NAME = "select_topk"


def select_topk(
    g: Graph,
    k: int | Mapping[Any, int],
    weight: str,
    nodes: NodeIds | None = None,
    edge_dir: str = "in",
    ascending: bool = False,
    copy_ndata: bool = True,
    copy_edata: bool = True,
    output_device: torch.device | str | None = None,
) -> Graph:
    """Select the `k` in-edges with the largest weights of each node.

    Parameters
    ----------
    g : Graph
        Any graph but a block.
    k : int, or dict of edge type to int
        Number of edges of each type to select for each node; -1 for all. A dict must contain every
        edge type.
    weight : str
        Edge feature with one number per edge, which every edge type with nonzero `k` must have.
    nodes : ids, bool mask, or dict of str to either, optional
        Nodes whose edges are selected; none of the types missing from a dict. Default: all nodes.
    edge_dir : {"in", "out"}
        Whether to select in-edges or out-edges of the nodes.
    ascending : bool
        Whether to select the edges with the smallest weights instead.
    copy_ndata, copy_edata : bool
        Whether the result has the node features, or the edge features and edge ids, of `g`.
    output_device : torch.device or str, optional
        Device of the result. Default: that of the graph.

    Returns
    -------
    Graph
        A graph with all nodes of `g` and the selected edges, node by node, in the order of their
        weights. Edges of equal weight keep their order.

    Raises
    ------
    UnknownKeyError
        If an edge type lacks the feature `weight`, or a type does not exist.
    InvalidValueError
        If there is not one weight per edge, `edge_dir` is unknown, or `k` is less than -1.
    OutOfRangeError
        If a node does not exist.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2, 0], [3, 3, 3, 1]))
    >>> g.edata["w"] = torch.tensor([0.5, 2.0, 1.0, 0.1])
    >>> gs.sampling.select_topk(g, 2, "w").edata[gs.EID]
    tensor([3, 1, 2])
    """
    refuse_block(g, _NAME)
    inward = is_inward(edge_dir, _NAME)
    if not isinstance(weight, str):
        raise InvalidTypeError(
            f"{_NAME}: weight is the name of an edge feature, got {type(weight).__name__}."
        )
    if nodes is None:
        nodes = {ntype: g.nodes(ntype) for ntype in g.ntypes}
    targets, _ = checked_seeds(g, nodes, None, _NAME)
    rows = rows_of(g, targets, inward)
    drawn: list[Drawn] = []
    for i, (own, count) in enumerate(zip(rows, fanouts_of(g, k, _NAME), strict=True)):
        if count == 0 or not len(own):
            drawn.append(no_edges(g, len(own)))
            continue
        values = _values(g, i, weight)
        drawn.append(_largest(g.relations[i], own, values, count, inward, ascending))
    sub = subgraph_of(g, targets, drawn, inward, copy_ndata=copy_ndata, copy_edata=copy_edata)
    return on_device(sub, output_device)


def _values(g: Graph, position: int, weight: str) -> Tensor:
    frame, etype = g.edge_frames[position], g.canonical_etypes[position]
    if weight not in frame:
        raise UnknownKeyError(
            f"{_NAME}: the edges {etype} have no feature {weight!r}; they have {list(frame)}. Give "
            "k as a dict with 0 for types to pass over."
        )
    values = frame[weight].detach()
    if values.numel() != len(values):
        raise InvalidValueError(
            f"{_NAME}: the feature {weight!r} of {etype} must be one number for an edge, got shape "
            f"{tuple(values.shape)}."
        )
    return values.reshape(-1)


def _largest(
    adjacency: Adjacency, rows: Tensor, values: Tensor, k: int, inward: bool, ascending: bool
) -> Drawn:
    owner, neighbor, edges = (adjacency.csc() if inward else adjacency.csr()).gather_rows(rows)
    order = largest_of_each(owner, values.index_select(0, edges), k, ascending)
    starts = row_starts(torch.bincount(owner[order], minlength=len(rows)))
    return starts, neighbor[order], edges[order]


def largest_of_each(owner: Tensor, values: Tensor, k: int, ascending: bool = False) -> Tensor:
    """Positions of the `k` largest or smallest values of each owner, owner by owner; -1: all."""
    order = values.argsort(descending=not ascending, stable=True)
    order = order[owner[order].argsort(stable=True)]
    if k < 0:
        return order
    counts = torch.bincount(owner)
    rank = torch.arange(len(order), device=order.device) - row_starts(counts)[owner[order].long()]
    return order[rank < k]
