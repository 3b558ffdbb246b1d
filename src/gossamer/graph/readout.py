"""Readouts: reduce, normalize, broadcast or rank features within each graph of a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer import ops
from gossamer._options import as_int, flag
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.graph.arguments import require_graph
from gossamer.graph.graph import Graph

__all__ = [
    "broadcast_edges", "broadcast_nodes", "max_edges", "max_nodes", "mean_edges", "mean_nodes",
    "readout_edges", "readout_nodes", "softmax_edges", "softmax_nodes", "sum_edges", "sum_nodes",
    "topk_edges", "topk_nodes",
]  # fmt: skip


def readout_nodes(
    graph: Graph, feat: str, weight: str | None = None, *, op: str = "sum", ntype: str | None = None
) -> Tensor:
    r"""Reduce a node feature over each graph of a batch.

    .. math:: r_i = \operatorname{op}_{v \in \mathcal{V}_i} w_v x_v

    Parameters
    ----------
    graph : Graph
        A batch of B graphs; a single graph is a batch of one.
    feat : str
        Name of a node feature ``(N, *f)``.
    weight : str, optional
        Name of a node feature ``(N, 1)`` by which `feat` is multiplied. A mean still divides by the
        number of nodes.
    op : {"sum", "mean", "max", "min"}
        Reduction. The result of a graph without nodes is 0.
    ntype : str, optional
        Node type; may be left out if there is only one.

    Returns
    -------
    Tensor
        ``(B, *f)``. Differentiable.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([0, 1], [1, 2]))])
    >>> bg.ndata["h"] = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> gs.readout_nodes(bg, "h", op="mean")
    tensor([1.5000, 4.0000])
    """
    sizes, data = _node_part(graph, ntype)
    return _reduce(sizes, data, feat, weight, op)


def readout_edges(
    graph: Graph, feat: str, weight: str | None = None, *, op: str = "sum", etype: Any = None
) -> Tensor:
    """Reduce an edge feature over each graph of a batch; see :func:`readout_nodes`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([0, 1], [1, 2]))])
    >>> bg.edata["w"] = torch.tensor([1.0, 2.0, 3.0])
    >>> gs.readout_edges(bg, "w")
    tensor([1., 5.])
    """
    sizes, data = _edge_part(graph, etype)
    return _reduce(sizes, data, feat, weight, op)


def sum_nodes(
    graph: Graph, feat: str, weight: str | None = None, *, ntype: str | None = None
) -> Tensor:
    """Sum a node feature over each graph of a batch.

    Equals ``readout_nodes(graph, feat, weight, op="sum", ntype=ntype)``; see
    :func:`readout_nodes`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> bg.ndata["h"] = torch.tensor([1.0, 3.0, 5.0])
    >>> gs.sum_nodes(bg, "h")
    tensor([4., 5.])
    """
    return readout_nodes(graph, feat, weight, op="sum", ntype=ntype)


def mean_nodes(
    graph: Graph, feat: str, weight: str | None = None, *, ntype: str | None = None
) -> Tensor:
    """Average a node feature over each graph of a batch.

    Equals ``readout_nodes(graph, feat, weight, op="mean", ntype=ntype)``; see
    :func:`readout_nodes`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> bg.ndata["h"] = torch.tensor([1.0, 3.0, 5.0])
    >>> gs.mean_nodes(bg, "h")
    tensor([2., 5.])
    """
    return readout_nodes(graph, feat, weight, op="mean", ntype=ntype)


def max_nodes(
    graph: Graph, feat: str, weight: str | None = None, *, ntype: str | None = None
) -> Tensor:
    """Maximum of a node feature over each graph of a batch.

    Equals ``readout_nodes(graph, feat, weight, op="max", ntype=ntype)``; see
    :func:`readout_nodes`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> bg.ndata["h"] = torch.tensor([1.0, 3.0, 5.0])
    >>> gs.max_nodes(bg, "h")
    tensor([3., 5.])
    """
    return readout_nodes(graph, feat, weight, op="max", ntype=ntype)


def sum_edges(graph: Graph, feat: str, weight: str | None = None, *, etype: Any = None) -> Tensor:
    """Sum an edge feature over each graph of a batch.

    Equals ``readout_edges(graph, feat, weight, op="sum", etype=etype)``; see
    :func:`readout_edges`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([0, 1], [1, 2]))])
    >>> bg.edata["w"] = torch.tensor([1.0, 2.0, 4.0])
    >>> gs.sum_edges(bg, "w")
    tensor([1., 6.])
    """
    return readout_edges(graph, feat, weight, op="sum", etype=etype)


def mean_edges(graph: Graph, feat: str, weight: str | None = None, *, etype: Any = None) -> Tensor:
    """Average an edge feature over each graph of a batch.

    Equals ``readout_edges(graph, feat, weight, op="mean", etype=etype)``; see
    :func:`readout_edges`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([0, 1], [1, 2]))])
    >>> bg.edata["w"] = torch.tensor([1.0, 2.0, 4.0])
    >>> gs.mean_edges(bg, "w")
    tensor([1., 3.])
    """
    return readout_edges(graph, feat, weight, op="mean", etype=etype)


def max_edges(graph: Graph, feat: str, weight: str | None = None, *, etype: Any = None) -> Tensor:
    """Maximum of an edge feature over each graph of a batch.

    Equals ``readout_edges(graph, feat, weight, op="max", etype=etype)``; see
    :func:`readout_edges`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([0, 1], [1, 2]))])
    >>> bg.edata["w"] = torch.tensor([1.0, 2.0, 4.0])
    >>> gs.max_edges(bg, "w")
    tensor([1., 4.])
    """
    return readout_edges(graph, feat, weight, op="max", etype=etype)


def softmax_nodes(graph: Graph, feat: str, *, ntype: str | None = None) -> Tensor:
    r"""Apply softmax to each column of a node feature over each graph of a batch.

    .. math:: a_v = \frac{\exp(x_v)}{\sum_{u \in \mathcal{V}_i} \exp(x_u)}
        \quad \text{for } v \in \mathcal{V}_i

    Returns
    -------
    Tensor
        ``(N, *f)``, like the feature. Differentiable.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> bg.ndata["h"] = torch.tensor([3.0, 3.0, 9.0])
    >>> gs.softmax_nodes(bg, "h")
    tensor([0.5000, 0.5000, 1.0000])
    """
    sizes, data = _node_part(graph, ntype)
    return ops.segment_softmax(sizes, data[feat])


def softmax_edges(graph: Graph, feat: str, *, etype: Any = None) -> Tensor:
    """Apply softmax to an edge feature over each graph of a batch; see :func:`softmax_nodes`."""
    sizes, data = _edge_part(graph, etype)
    return ops.segment_softmax(sizes, data[feat])


def broadcast_nodes(graph: Graph, graph_feat: Tensor, *, ntype: str | None = None) -> Tensor:
    """Repeat the feature row of each graph for its nodes.

    Parameters
    ----------
    graph : Graph
        A batch of B graphs with N nodes.
    graph_feat : Tensor
        ``(B, *f)``, or ``(*f)`` for a batch of one.
    ntype : str, optional
        Node type; may be left out if there is only one.

    Returns
    -------
    Tensor
        ``(N, *f)``. Differentiable.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bg = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> gs.broadcast_nodes(bg, torch.tensor([1.0, 2.0]))
    tensor([1., 1., 2.])
    """
    sizes, _ = _node_part(graph, ntype)
    return _spread(sizes, graph_feat, "broadcast_nodes")


def broadcast_edges(graph: Graph, graph_feat: Tensor, *, etype: Any = None) -> Tensor:
    """Repeat the feature row of each graph for its edges; see :func:`broadcast_nodes`."""
    sizes, _ = _edge_part(graph, etype)
    return _spread(sizes, graph_feat, "broadcast_edges")


def topk_nodes(
    graph: Graph,
    feat: str,
    k: int,
    *,
    descending: bool = True,
    sortby: int | None = None,
    ntype: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the k largest (smallest) node features of each graph of a batch.

    Parameters
    ----------
    graph : Graph
        A batch of B graphs.
    feat : str
        Node feature ``(N, D)``.
    k : int
        Number of rows, at least 1. The result of a graph with fewer nodes is padded with zeros.
    descending : bool
        Whether to return the largest rows, in descending order, or the smallest, in ascending
        order.
    sortby : int, optional
        Column by which rows are sorted. Default: each column is sorted separately.
    ntype : str, optional
        Node type; may be left out if there is only one.

    Returns
    -------
    values : Tensor
        ``(B, k, D)``. Differentiable.
    indices : Tensor
        Positions within each graph: ``(B, k)`` with `sortby`, else ``(B, k, D)``. The positions of
        padding follow that of the last node. Equal values are sorted by position.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> bg = gs.batch([gs.graph(([0, 1], [1, 2])), gs.graph(([], []), num_nodes=1)])
    >>> bg.ndata["h"] = torch.tensor([[1.0], [3.0], [2.0], [7.0]])
    >>> values, indices = gs.topk_nodes(bg, "h", 2, sortby=0)
    >>> values.squeeze(-1).tolist(), indices.tolist()
    ([[3.0, 2.0], [7.0, 0.0]], [[1, 2], [0, 1]])
    """
    sizes, data = _node_part(graph, ntype)
    return _topk(sizes, data[feat], k, descending, sortby)


def topk_edges(
    graph: Graph,
    feat: str,
    k: int,
    *,
    descending: bool = True,
    sortby: int | None = None,
    etype: Any = None,
) -> tuple[Tensor, Tensor]:
    """Return the k largest (smallest) edge features of each graph; see :func:`topk_nodes`."""
    sizes, data = _edge_part(graph, etype)
    return _topk(sizes, data[feat], k, descending, sortby)


def _node_part(graph: Graph, ntype: str | None) -> tuple[Tensor, Any]:
    require_graph(graph, "A readout")
    position = graph.schema.ntype_id(ntype)
    return graph.batch_num_nodes(ntype), graph.node_frames[position]


def _edge_part(graph: Graph, etype: Any) -> tuple[Tensor, Any]:
    require_graph(graph, "A readout")
    position = graph.schema.etype_id(etype)
    return graph.batch_num_edges(etype), graph.edge_frames[position]


def _reduce(sizes: Tensor, data: Any, feat: str, weight: str | None, op: str) -> Tensor:
    value = data[feat]
    if weight is not None:
        value = value * data[weight]
    return ops.segment_reduce(sizes, value, op)


def _spread(sizes: Tensor, rows: Tensor, name: str) -> Tensor:
    if not isinstance(rows, Tensor):
        raise InvalidTypeError(f"{name}: graph_feat must be a tensor, got {type(rows).__name__}.")
    if sizes.shape[0] == 1 and (rows.dim() == 0 or rows.shape[0] != 1):
        rows = rows.unsqueeze(0)
    if rows.shape[:1] != sizes.shape:
        raise InvalidValueError(
            f"{name}: graph_feat needs one row for each of {sizes.shape[0]} graphs, "
            f"got shape {tuple(rows.shape)}."
        )
    return rows.repeat_interleave(sizes.long(), dim=0)


def _topk(
    sizes: Tensor, value: Tensor, k: int, descending: bool, sortby: int | None
) -> tuple[Tensor, Tensor]:
    k, descending = as_int(k, "topk", "k", 1), flag(descending, "topk", "descending")
    sortby = None if sortby is None else as_int(sortby, "topk", "sortby")
    if value.dim() != 2:
        raise InvalidValueError(f"topk: the feature must be (N, D), got {tuple(value.shape)}.")
    if sortby is not None and not -value.shape[1] <= sortby < value.shape[1]:
        raise OutOfRangeError(f"topk: there is no column {sortby}; there are {value.shape[1]}.")
    sizes = sizes.long()
    count = sizes.shape[0]
    graph = torch.arange(count, device=value.device).repeat_interleave(sizes)
    position = torch.arange(value.shape[0], device=value.device)
    position = position - (sizes.cumsum(0) - sizes)[graph]
    width = max(int(sizes.max()) if count else 0, k)
    padded = value.new_zeros((count, width, value.shape[1])).index_put((graph, position), value)
    is_row = torch.arange(width, device=value.device) < sizes[:, None]
    keys = padded.detach() if sortby is None else padded.detach()[..., sortby]
    order = _rank(keys, is_row if sortby is not None else is_row[..., None], descending)[:, :k]
    index = order if sortby is None else order[..., None].expand(-1, -1, value.shape[1])
    return padded.gather(1, index), order


def _rank(keys: Tensor, is_row: Tensor, descending: bool) -> Tensor:
    """Positions along dimension 1, best first and padding last."""
    order = keys.argsort(dim=1, descending=descending, stable=True)
    real = is_row.expand_as(keys).gather(1, order)
    behind = real.logical_not().to(torch.uint8).argsort(dim=1, stable=True)
    return order.gather(1, behind)
