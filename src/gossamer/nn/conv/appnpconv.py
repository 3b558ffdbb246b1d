"""Approximate personalized propagation of neural predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer._options import as_int, number_in
from gossamer.nn._common import degree_scale, enter_square, scaled_sum
from gossamer.nn.conv.graphconv import normalized_weight

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["APPNPConv"]


class APPNPConv(nn.Module):
    r"""Propagation of `Predict then Propagate: Graph Neural Networks meet Personalized PageRank
    <https://arxiv.org/abs/1810.05997>`__.

    .. math::
        H^{(l+1)} = (1 - \alpha) \hat{A} H^{(l)} + \alpha H^{(0)}, \qquad
        \hat{A} = D_{in}^{-1/2} A D_{out}^{-1/2}

    for :math:`l = 0, \dots, K - 1`, where :math:`A_{ij}` counts the edges from :math:`j` to
    :math:`i` and degrees are at least 1. With edge weights, :math:`\hat{A}` holds the weights that
    `EdgeWeightNorm` computes from them.

    Parameters
    ----------
    k : int
        Iterations :math:`K`.
    alpha : float
        Teleport probability :math:`\alpha`.
    edge_drop : float
        Dropout rate of the entries of :math:`\hat{A}`, redrawn in each iteration.

    Notes
    -----
    The layer adds no self-loops and has no parameters. A node without in-edges keeps
    :math:`\alpha H^{(0)}`. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> gs.nn.APPNPConv(k=3, alpha=0.5)(g, torch.tensor([[8.0], [0.0], [0.0]]))
    tensor([[5.],
            [2.],
            [1.]])
    """

    def __init__(self, k: int, alpha: float, edge_drop: float = 0.0) -> None:
        super().__init__()
        self._k = as_int(k, "APPNPConv", "k", 0)
        self._alpha = number_in(alpha, "APPNPConv", "alpha")
        self.edge_drop = nn.Dropout(number_in(edge_drop, "APPNPConv", "edge_drop", 0, 1))

    def forward(self, graph: Graph, feat: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        r"""Propagate the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`(N, *)`.
        edge_weight : Tensor, optional
            :math:`(E,)`, positive.

        Returns
        -------
        Tensor
            :math:`(N, *)`.

        Raises
        ------
        InvalidValueError
            If sources and destinations are not the same nodes, or features or weights have the
            wrong shape.
        """
        relation, x = enter_square(self, graph, feat)
        left = right = None
        weight = normalized_weight(self, relation, edge_weight)
        if weight is None:
            left, right = (degree_scale(relation, end, -0.5, x) for end in ("src", "dst"))
        drops = self.edge_drop.training and self.edge_drop.p > 0
        if drops and weight is None:
            weight = x.new_ones(relation.num_edges)
        h = x
        for _ in range(self._k):
            kept = self.edge_drop(weight) if drops else weight
            h = torch.lerp(scaled_sum(relation, h, left, right, kept), x, self._alpha)
        return h

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"k={self._k}, alpha={self._alpha}"
