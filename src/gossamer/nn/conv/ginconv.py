"""Graph isomorphism network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gossamer import ops
from gossamer._options import one_of, require_function
from gossamer.nn._common import Activation, Features, aggregate, check_edge_weight, enter
from gossamer.nn.conv._epsilon import EpsilonBase
from gossamer.ops._check import requires_grad

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GINConv"]


class GINConv(EpsilonBase):
    r"""Graph isomorphism layer of `How Powerful are Graph Neural Networks?
    <https://arxiv.org/abs/1810.00826>`__.

    .. math::
        h_i' = \sigma\Big(f\Big((1 + \epsilon) h_i +
            \mathrm{aggregate}_{j \in \mathcal{N}(i)} \, e_{ji} h_j\Big)\Big)

    where :math:`\mathcal{N}(i)` is the set of sources of the in-edges of node :math:`i`, and
    :math:`e_{ji}` is the edge weight (1 if none is given).

    Parameters
    ----------
    apply_func : callable, optional
        :math:`f`, usually a multi-layer perceptron; the identity if None.
    aggregator_type : {"sum", "max", "mean"}
        How the neighbors are aggregated. Only the sum distinguishes multisets, as the paper shows.
    init_eps : float
        Initial value of :math:`\epsilon`.
    learn_eps : bool
        Whether :math:`\epsilon` is a parameter.
    activation : callable, optional
        :math:`\sigma`.

    Raises
    ------
    InvalidValueError
        If `aggregator_type` is unknown.

    Notes
    -----
    The aggregate of a node without in-edges is 0. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
    >>> gs.nn.GINConv(init_eps=1.0)(g, torch.tensor([[1.0], [2.0], [4.0]]))
    tensor([[ 6.],
            [ 4.],
            [11.]])
    """

    def __init__(
        self,
        apply_func: Callable[[Tensor], Tensor] | None = None,
        aggregator_type: str = "sum",
        init_eps: float = 0,
        learn_eps: bool = False,
        activation: Activation = None,
    ) -> None:
        super().__init__(apply_func, init_eps, learn_eps)
        one_of(aggregator_type, "GINConv", "aggregator_type", ("sum", "max", "mean"))
        require_function(activation, "GINConv", "activation")
        self._aggregator_type = aggregator_type
        self.activation = activation

    def forward(self, graph: Graph, feat: Features, edge_weight: Tensor | None = None) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, *)`, or one such tensor for source and one for destination nodes, with rows
            of the same size.
        edge_weight : Tensor, optional
            :math:`(E,)` or :math:`(E, 1)`.

        Returns
        -------
        Tensor
            Output of `apply_func` for an input of shape :math:`(N_{dst}, *)`.

        Raises
        ------
        InvalidValueError
            If features or edge weights have the wrong shape.
        """
        adjacency, x, x_dst = enter(self, graph, feat)
        self._check_rows(x, x_dst)
        if edge_weight is not None:
            check_edge_weight(self, adjacency, edge_weight, x)

        # A constant factor of the node's own features is applied in the same pass as the sum.
        (learned,) = requires_grad(self.eps)
        plain = self._aggregator_type == "sum" and edge_weight is None and x_dst is x
        if not learned and plain and x.dtype is self.eps.dtype:
            h = ops.scaled_sum(adjacency, x, self_scale=1 + self.eps)
        else:
            h = aggregate(adjacency, x, self._aggregator_type, edge_weight)
            h = torch.addcmul(h, x_dst, 1 + self.eps)
        if self.apply_func is not None:
            h = self.apply_func(h)
        return h if self.activation is None else self.activation(h)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"aggregator_type={self._aggregator_type}, {super().extra_repr()}"
