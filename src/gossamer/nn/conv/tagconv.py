"""Topology adaptive graph convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer._options import as_int, require_function
from gossamer.nn._common import (
    RELU_GAIN,
    Activation,
    check_sizes,
    enter_square,
    propagate,
    reset_bias,
)
from gossamer.nn.conv.graphconv import normalized_weight

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["TAGConv"]


class TAGConv(nn.Module):
    r"""Graph convolution of `Topology Adaptive Graph Convolutional Networks
    <https://arxiv.org/abs/1710.10370>`__.

    .. math::
        H' = \sigma\Big(\sum_{k=0}^{K} \hat{A}^k H \Theta_k + b\Big), \qquad
        \hat{A} = D^{-1/2} A D^{-1/2}

    where :math:`A_{ij}` counts the edges from :math:`j` to :math:`i` and :math:`D` is the
    diagonal matrix of in-degrees (at least 1). With edge weights, :math:`\hat{A}` holds the weights
    that `EdgeWeightNorm` computes from them.

    Parameters
    ----------
    in_feats : int
        Input features :math:`D_{in}`.
    out_feats : int
        Output features :math:`D_{out}`.
    k : int
        Hops :math:`K`.
    bias : bool
        Whether to add :math:`b`.
    activation : callable, optional
        :math:`\sigma`.

    Notes
    -----
    The layer adds no self-loops. A node without in-edges has only the term :math:`k = 0`.
    Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> gs.nn.TAGConv(4, 3, k=2)(g, torch.rand(3, 4)).shape
    torch.Size([3, 3])
    """

    def __init__(
        self,
        in_feats: int,
        out_feats: int,
        k: int = 2,
        bias: bool = True,
        activation: Activation = None,
    ) -> None:
        super().__init__()
        check_sizes("TAGConv", in_feats=in_feats, out_feats=out_feats)
        require_function(activation, "TAGConv", "activation")
        self._in_feats = in_feats
        self._out_feats = out_feats
        self._k = as_int(k, "TAGConv", "k", 0)
        self._activation = activation
        self.lin = nn.Linear(in_feats * (k + 1), out_feats, bias=bias)
        nn.init.xavier_normal_(self.lin.weight, gain=RELU_GAIN)

    def reset_parameters(self) -> None:
        r"""Reinitialize all :math:`\Theta` (Xavier normal, gain of relu) and the bias."""
        nn.init.xavier_normal_(self.lin.weight, gain=RELU_GAIN)
        reset_bias(self.lin)

    def forward(self, graph: Graph, feat: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`(N, *, D_{in})`.
        edge_weight : Tensor, optional
            :math:`(E,)`, positive.

        Returns
        -------
        Tensor
            :math:`(N, *, D_{out})`.

        Raises
        ------
        InvalidValueError
            If sources and destinations are not the same nodes, or features or weights have the
            wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        relation, x = enter_square(self, graph, feat, self._in_feats, self.lin.weight)
        weight = normalized_weight(self, relation, edge_weight)
        hops = [x]
        for _ in range(self._k):
            hops.append(propagate(relation, hops[-1], weight))
        h = self.lin(torch.cat(hops, -1))
        return h if self._activation is None else self._activation(h)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"in={self._in_feats}, out={self._out_feats}, k={self._k}"
