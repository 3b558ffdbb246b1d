"""Neighbor sampling with weights that depend on tags."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gossamer._options import as_int, flag, shown
from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import Graph
from gossamer.graph.arguments import on_device, require_homogeneous
from gossamer.kernels.rows import row_starts
from gossamer.ops.adjacency import Compressed
from gossamer.sampling import _core
from gossamer.sampling._blocks import subgraph_of
from gossamer.sampling.neighbors import is_inward

__all__ = ["sample_neighbors_biased"]

_NAME = "sample_neighbors_biased"


def sample_neighbors_biased(
    g: Graph,
    nodes: Tensor | Sequence[int],
    fanout: int,
    bias: Tensor | Sequence[float],
    edge_dir: str = "in",
    tag_offset_name: str = "_TAG_OFFSET",
    replace: bool = False,
    copy_ndata: bool = True,
    copy_edata: bool = True,
    output_device: torch.device | str | None = None,
) -> Graph:
    """Sample in-edges of nodes at random, with weights that depend on the tags of neighbors.

    The edges of a node must be sorted by the tag of the node at the other end, by
    :func:`gossamer.sort_csc_by_tag` for in-edges or :func:`gossamer.sort_csr_by_tag` for out-edges.

    Parameters
    ----------
    g : Graph
        A homogeneous graph returned by one of these functions.
    nodes : ids or bool mask
        Nodes whose edges are sampled; a node may occur several times.
    fanout : int
        Number of edges to draw for each node; -1 for all.
    bias : Tensor or list of float
        Weight of each tag, ``(T,)``. Weights must not be negative and need not sum to 1.
    edge_dir : {"in", "out"}
        Whether to draw in-edges or out-edges of the nodes.
    tag_offset_name : str
        Node feature ``(N, T + 1)`` with the offsets of the edges of each tag.
    replace : bool
        Whether to draw with replacement.
    copy_ndata, copy_edata : bool
        Whether the result has the node features, or the edge features and edge ids, of `g`.
    output_device : torch.device or str, optional
        Device of the result. Default: that of the graph.

    Returns
    -------
    Graph
        As for :func:`sample_neighbors`.

    Raises
    ------
    UnknownKeyError
        If the graph lacks the feature `tag_offset_name`.
    InvalidValueError
        If the graph is not homogeneous, or `bias` does not have one entry for each tag, is negative
        or is not finite.
    OutOfRangeError
        If a node does not exist.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [3, 3, 3]))
    >>> g = gs.sort_csc_by_tag(g, torch.tensor([1, 0, 1, 0]))
    >>> sub = gs.sampling.sample_neighbors_biased(g, [3], 5, [0.0, 1.0])
    >>> sorted(sub.edges()[0].tolist())
    [0, 2]
    """
    require_homogeneous(g, _NAME)
    inward = is_inward(edge_dir, _NAME)
    count = as_int(fanout, _NAME, "fanout", -1)
    rows = g.checked_nodes(nodes, 0)
    if tag_offset_name not in g.node_frames[0]:
        sort = "sort_csc_by_tag" if inward else "sort_csr_by_tag"
        raise UnknownKeyError(
            f"{_NAME}: the graph has no node feature {tag_offset_name!r} with the offsets of tags. "
            f"Create it with gossamer.{sort}(g, tag)."
        )
    offsets = g.node_frames[0][tag_offset_name]
    weights, replace = _bias(bias, offsets.shape[-1] - 1), flag(replace, _NAME, "replace")
    # Represent the rows as a separate graph whose edges are numbered by slot.
    csc = g.adjacency.csc() if inward else g.adjacency.csr()
    owner, neighbor, edges = csc.gather_rows(rows)
    starts = row_starts(torch.bincount(owner, minlength=len(rows)))
    place = torch.arange(len(owner), device=rows.device) - starts[owner.long()]
    bounds = offsets[rows[owner.long()].long(), 1:]
    tag = (place.unsqueeze(1) >= bounds).sum(1).clamp_(max=len(weights) - 1)
    own = Compressed(starts, neighbor.long(), None)
    at = torch.arange(len(rows), device=rows.device)
    candidates = _core.candidates(own, weights.to(rows.device).index_select(0, tag))
    ((starts, neighbor, slots),) = _core.layer(
        [_core.relation(own, at, count, candidates=candidates)], replace
    )
    drawn = starts, neighbor.to(rows.dtype), edges.index_select(0, slots)
    sub = subgraph_of(g, [rows], [drawn], inward, copy_ndata=copy_ndata, copy_edata=copy_edata)
    return on_device(sub, output_device)


def _bias(bias: Tensor | Sequence[float], tags: int) -> Tensor:
    try:
        weights = torch.as_tensor(bias, dtype=torch.float64).detach()
    except (TypeError, ValueError, RuntimeError):
        raise InvalidTypeError(f"{_NAME}: bias is a list of numbers, got {shown(bias)}.") from None
    if weights.shape != (tags,):
        raise InvalidValueError(
            f"{_NAME}: bias needs a weight for each of the {tags} tags, got shape "
            f"{tuple(weights.shape)}."
        )
    if not bool((weights.isfinite() & (weights >= 0)).all()):
        raise InvalidValueError(
            f"{_NAME}: bias must be finite and not negative, got {weights.tolist()}."
        )
    return weights
