"""Random augmentations of graphs. All of them use torch's generator."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gossamer._options import number_in
from gossamer.errors import InvalidValueError
from gossamer.graph import Graph
from gossamer.graph.frame import Frame
from gossamer.transforms.modules.base import BaseTransform, FeatureTransform, checked
from gossamer.transforms.structure import add_edges, remove_edges, remove_nodes

__all__ = ["AddEdge", "DropEdge", "DropNode", "FeatMask", "NodeShuffle"]


def _chosen(count: int, p: float, device: torch.device) -> Tensor:
    """A random mask of `count` elements, True with probability `p`."""
    return (torch.rand(count) < p).to(device)


class FeatMask(FeatureTransform):
    """Set each column of some features to 0 with probability `p`.

    Parameters
    ----------
    p : float
        Probability, from 0 to 1.
    node_feat_names, edge_feat_names : sequence of str, optional
        Features ``(N, D)`` or ``(E, D)`` to mask. A name applies to all types that have the
        feature; the mask of columns is drawn once per type. Default: none.

    Raises
    ------
    UnknownKeyError
        When called, if no type has such a feature.
    InvalidValueError
        If `p` is not a probability; when called, if a feature has no columns.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0], [1]))
    >>> g.ndata["h"] = torch.ones(2, 5)
    >>> gs.transforms.FeatMask(p=1.0, node_feat_names=["h"])(g).ndata["h"].sum()
    tensor(0.)
    """

    def __init__(
        self,
        p: float = 0.5,
        node_feat_names: Sequence[str] | None = None,
        edge_feat_names: Sequence[str] | None = None,
    ) -> None:
        self.p = number_in(p, "FeatMask", "p", 0, 1)
        super().__init__(node_feat_names, edge_feat_names)

    def _changed(self, name: str, feature: Tensor) -> Tensor:
        if feature.dim() < 2:
            raise InvalidValueError(
                f"FeatMask: feature {name!r} has shape {tuple(feature.shape)}, so it has no "
                "columns to mask."
            )
        columns = _chosen(feature.shape[1], self.p, feature.device)
        shape = (1, -1) + (1,) * (feature.dim() - 2)
        return feature.masked_fill(columns.view(shape), 0)


class NodeShuffle(BaseTransform):
    """Permute node features randomly among the nodes of each type.

    The structure does not change.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1], [1, 2]))
    >>> g.ndata["h"] = torch.arange(3)
    >>> gs.transforms.NodeShuffle()(g).ndata["h"].sort().values
    tensor([0, 1, 2])
    """

    def __call__(self, g: Graph) -> Graph:
        checked(g, self)
        return g.replaced(
            node_frames=[self._shuffled(frame, g.device) for frame in g.node_frames],
            edge_frames=[frame.copy() for frame in g.edge_frames],
        )

    def _shuffled(self, frame: Frame, device: torch.device) -> Frame:
        return frame.gather(torch.randperm(frame.num_rows).to(device))


class DropNode(BaseTransform):
    """Remove each node and its edges with probability `p`.

    From `Graph Contrastive Learning with Augmentations <https://arxiv.org/abs/2010.13902>`__ (You
    et al., 2020).

    Parameters
    ----------
    p : float
        Probability, from 0 to 1.

    Raises
    ------
    InvalidValueError
        If `p` is not a probability.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.DropNode(p=1.0)(gs.graph(([0, 1], [1, 2]))).num_nodes()
    0
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = number_in(p, "DropNode", "p", 0, 1)

    def __call__(self, g: Graph) -> Graph:
        checked(g, self)
        for ntype in g.ntypes:
            dropped = _chosen(g.num_nodes(ntype), self.p, g.device).nonzero().squeeze(1)
            g = remove_nodes(g, dropped.to(g.idtype), ntype)
        return g


class DropEdge(BaseTransform):
    """Remove each edge with probability `p`.

    From `DropEdge: Towards Deep Graph Convolutional Networks on Node Classification
    <https://arxiv.org/abs/1907.10903>`__ (Rong et al., 2020).

    Parameters
    ----------
    p : float
        Probability, from 0 to 1.

    Raises
    ------
    InvalidValueError
        If `p` is not a probability.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.DropEdge(p=1.0)(gs.graph(([0, 1], [1, 2]))).num_edges()
    0
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = number_in(p, "DropEdge", "p", 0, 1)

    def __call__(self, g: Graph) -> Graph:
        g = checked(g, self).clone()
        for etype in g.canonical_etypes:
            dropped = _chosen(g.num_edges(etype), self.p, g.device).nonzero().squeeze(1)
            g = remove_edges(g, dropped.to(g.idtype), etype)
        return g


class AddEdge(BaseTransform):
    """Add ``int(ratio * E)`` random edges to each edge type, with uniform sources and destinations.

    Features of the new edges get values from the initializer (by default, zeros). From `Graph
    Contrastive Learning with Augmentations <https://arxiv.org/abs/2010.13902>`__ (You et al.,
    2020).

    Parameters
    ----------
    ratio : float
        Number of new edges for each existing edge, from 0 to 1e9.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If `ratio` is not a number in this range.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.AddEdge(ratio=0.5)(gs.graph(([0, 1, 2, 3], [1, 2, 3, 0]))).num_edges()
    6
    """

    def __init__(self, ratio: float = 0.2) -> None:
        self.ratio = number_in(ratio, "AddEdge", "ratio", 0, 1e9)

    def __call__(self, g: Graph) -> Graph:
        g = checked(g, self).clone()
        for etype in g.canonical_etypes:
            count = int(self.ratio * g.num_edges(etype))
            if count:
                ends = [
                    torch.randint(0, g.num_nodes(ntype), (count,)).to(g.device, g.idtype)
                    for ntype in (etype[0], etype[2])
                ]
                g = add_edges(g, *ends, etype=etype)
        return g
