"""GCNII."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer._options import as_int, number_in, require_function
from gossamer.errors import InvalidValueError
from gossamer.nn._common import (
    Activation,
    ZeroInDegreeGuard,
    check_features,
    check_sizes,
    enter_square,
    propagate,
)
from gossamer.nn.conv.graphconv import normalized_weight

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GCN2Conv"]


class GCN2Conv(ZeroInDegreeGuard, nn.Module):
    r"""GCNII layer of `Simple and Deep Graph Convolutional Networks
    <https://arxiv.org/abs/2007.02133>`__.

    .. math::
        H^{(l+1)} &= \sigma\Big(\big((1 - \alpha) \hat{A} H^{(l)} + \alpha H^{(0)}\big)
            \big((1 - \beta_l) I + \beta_l W_1\big) + b\Big) \\
        \hat{A} &= D^{-1/2} A D^{-1/2}, \qquad \beta_l = \log\Big(\frac{\lambda}{l} + 1\Big)

    where :math:`A_{ij}` counts the edges from :math:`j` to :math:`i` and :math:`D` is the
    diagonal matrix of in-degrees (at least 1). With edge weights, :math:`\hat{A}` holds the weights
    that `EdgeWeightNorm` computes from them. With ``project_initial_features=False``, as in the
    paper's variant GCNII*, :math:`W_1` acts on the first term and another matrix :math:`W_2` on the
    second.

    Parameters
    ----------
    in_feats : int
        Features :math:`D`, in and out.
    layer : int
        Position :math:`l` of the layer in the network, from 1.
    alpha : float
        Share :math:`\alpha` of the initial features.
    lambda_ : float
        :math:`\lambda`.
    project_initial_features : bool
        Whether both terms share :math:`W_1`.
    allow_zero_in_degree : bool
        Whether to accept nodes without in-edges: they receive 0.
    bias : bool
        Whether to add :math:`b`.
    activation : callable, optional
        :math:`\sigma`.

    Notes
    -----
    The layer adds no self-loops; the paper adds one to each node. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> x = torch.rand(3, 4)
    >>> gs.nn.GCN2Conv(4, layer=1)(g, x, x).shape
    torch.Size([3, 4])
    """

    def __init__(
        self,
        in_feats: int,
        layer: int,
        alpha: float = 0.1,
        lambda_: float = 1,
        project_initial_features: bool = True,
        allow_zero_in_degree: bool = False,
        bias: bool = True,
        activation: Activation = None,
    ) -> None:
        super().__init__()
        check_sizes("GCN2Conv", in_feats=in_feats)
        require_function(activation, "GCN2Conv", "activation")
        self._in_feats = in_feats
        self._project_initial_features = project_initial_features
        self.alpha = number_in(alpha, "GCN2Conv", "alpha")
        self.beta = math.log(
            number_in(lambda_, "GCN2Conv", "lambda_", 0) / as_int(layer, "GCN2Conv", "layer", 1) + 1
        )
        self._allow_zero_in_degree = allow_zero_in_degree
        self._activation = activation
        self.weight1 = nn.Parameter(torch.empty(in_feats, in_feats))
        if not project_initial_features:
            self.weight2 = nn.Parameter(torch.empty(in_feats, in_feats))
        self.bias = nn.Parameter(torch.empty(in_feats)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the matrices (standard normal) and set :math:`b` to 0."""
        nn.init.normal_(self.weight1)
        if not self._project_initial_features:
            nn.init.normal_(self.weight2)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(
        self, graph: Graph, feat: Tensor, feat_0: Tensor, edge_weight: Tensor | None = None
    ) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`H^{(l)}`, :math:`(N, *, D)`.
        feat_0 : Tensor
            Initial features :math:`H^{(0)}`, of the same shape.
        edge_weight : Tensor, optional
            :math:`(E,)`, positive.

        Returns
        -------
        Tensor
            :math:`H^{(l+1)}`, :math:`(N, *, D)`.

        Raises
        ------
        InvalidValueError
            If a node has no in-edges (unless allowed), or features or weights have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        relation, x = enter_square(self, graph, feat, self._in_feats, self.weight1)
        check_features(self, feat_0, x.shape[0], self._in_feats, self.weight1)
        if feat_0.shape != x.shape:
            raise InvalidValueError(
                f"GCN2Conv: feat_0 must have the shape of feat, {tuple(x.shape)}, "
                f"but got {tuple(feat_0.shape)}."
            )
        weight = normalized_weight(self, relation, edge_weight)
        received = propagate(relation, x, weight)
        feat_0 = feat_0.to(received.dtype)  # autocast allows two

        def mapped(h: Tensor, matrix: Tensor) -> Tensor:
            return torch.lerp(h, (h @ matrix).to(h.dtype), self.beta)

        if self._project_initial_features:
            h = mapped(torch.lerp(received, feat_0, self.alpha), self.weight1)
        else:
            h = mapped(received, self.weight1), mapped(feat_0, self.weight2)
            h = torch.lerp(*h, self.alpha)
        if self.bias is not None:
            h = h + self.bias
        return h if self._activation is None else self._activation(h)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"in={self._in_feats}, alpha={self.alpha}, beta={self.beta:.4f}"
