"""Neighbor sampling that directly builds a block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gossamer.graph import EID, NID, Graph
from gossamer.sampling._blocks import block_of
from gossamer.sampling.neighbors import (
    EdgeIds,
    NodeIds,
    Weights,
    checked_seeds,
    draw,
    fanouts_of,
    is_inward,
    weights_of,
)

__all__ = ["sample_neighbors_fused"]

_NAME = "sample_neighbors_fused"


def sample_neighbors_fused(
    g: Graph,
    nodes: NodeIds,
    fanout: int | Mapping[Any, int],
    edge_dir: str = "in",
    prob: Weights | None = None,
    replace: bool = False,
    copy_ndata: bool = True,
    copy_edata: bool = True,
    exclude_edges: EdgeIds | None = None,
    mapping: dict | None = None,
) -> Graph:
    """Sample in-edges of nodes at random and return them as a block.

    Equivalent to :func:`sample_neighbors` followed by :func:`gossamer.to_block`.

    Parameters
    ----------
    g, nodes, fanout, edge_dir, prob, replace, exclude_edges
        As in :func:`sample_neighbors`. Out-edges are reversed, so that `nodes` are the
        destinations of the block.
    copy_ndata, copy_edata : bool
        Whether the block has the node features, or the edge features, of `g`.
    mapping : dict, optional
        Accepted for compatibility and ignored.

    Returns
    -------
    Graph
        A block whose features ``gossamer.NID`` and ``gossamer.EID`` hold the ids in `g`.

    Raises
    ------
    OutOfRangeError, UnknownKeyError, InvalidTypeError, InvalidValueError
        As for :func:`sample_neighbors`.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([1, 2, 3], [0, 0, 2]))
    >>> gs.sampling.sample_neighbors_fused(g, torch.tensor([2, 0]), -1).srcdata[gs.NID]
    tensor([2, 0, 3, 1])
    """
    targets, excluded = checked_seeds(g, nodes, exclude_edges, _NAME)
    inward = is_inward(edge_dir, _NAME)
    fanouts, weights = fanouts_of(g, fanout, _NAME), weights_of(g, prob, _NAME)
    drawn = draw(g, targets, fanouts, weights, excluded, inward=inward, replace=replace, name=_NAME)
    block, _ = block_of(g, targets, drawn, inward)
    node_frames, edge_frames = block.node_frames, block.edge_frames
    if not copy_ndata:
        node_frames = [frame.with_columns({NID: frame.columns[NID]}) for frame in node_frames]
    if not copy_edata:
        edge_frames = [frame.with_columns({EID: frame.columns[EID]}) for frame in edge_frames]
    return block.replaced(node_frames=node_frames, edge_frames=edge_frames)
