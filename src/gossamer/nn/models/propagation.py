"""Models of homogeneous graphs that separate trainable maps from propagation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer._options import as_int
from gossamer.nn.conv import APPNPConv, GCN2Conv, GraphConv
from gossamer.nn.models._base import Model

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["APPNP", "GCNII", "LightGCN"]


class APPNP(Model):
    r"""APPNP of `Gasteiger, Bojchevski and Günnemann <https://arxiv.org/abs/1810.05997>`__: two
    linear maps, then `k` steps of :class:`gossamer.nn.APPNPConv`.

    Parameters
    ----------
    in_size, hidden_size, out_size : int
        Width of the features, of the hidden layer, and of the output.
    k : int
        Number of steps.
    alpha : float
        Teleport probability.
    dropout : float
        Dropout rate before each map.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import APPNP
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> APPNP(4, 8, 2)(g, torch.rand(3, 4)).shape
    torch.Size([3, 2])
    """

    name = "appnp"

    def __init__(
        self,
        in_size: int,
        hidden_size: int,
        out_size: int,
        k: int = 10,
        alpha: float = 0.1,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(
            in_size=in_size,
            hidden_size=hidden_size,
            out_size=out_size,
            k=k,
            alpha=alpha,
            dropout=dropout,
        )
        self.mlp = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(in_size, hidden_size),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, out_size),
        )
        self.propagate = APPNPConv(k, alpha)

    def forward(self, graph: Graph, feat: Tensor) -> Tensor:
        r"""Compute a vector for each node of a homogeneous graph: :math:`(N, D_{out})`."""
        return self.propagate(graph, self.mlp(feat))


class GCNII(Model):
    r"""GCNII of `Chen et al. <https://arxiv.org/abs/2007.02133>`__: layers of
    :class:`gossamer.nn.GCN2Conv` between two linear maps. It is suited to many layers. As in the
    authors' code, the layers have no bias and their weights are initialized uniformly in
    :math:`\pm D^{-1/2}`.

    Parameters
    ----------
    in_size, hidden_size, out_size : int
        Width of the features, of the hidden layers, and of the output.
    num_layers : int
        Number of layers.
    alpha, lambda_ : float
        Share of the first layer's output in each layer, and decay of the weights with depth.
    dropout : float
        Dropout rate before each layer.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import GCNII
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> GCNII(4, 8, 2, num_layers=16)(g, torch.rand(3, 4)).shape
    torch.Size([3, 2])
    """

    name = "gcnii"

    def __init__(
        self,
        in_size: int,
        hidden_size: int,
        out_size: int,
        num_layers: int = 8,
        alpha: float = 0.1,
        lambda_: float = 0.5,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(
            in_size=in_size,
            hidden_size=hidden_size,
            out_size=out_size,
            num_layers=num_layers,
            alpha=alpha,
            lambda_=lambda_,
            dropout=dropout,
        )
        self.dropout = nn.Dropout(dropout)
        self.first = nn.Linear(in_size, hidden_size)
        self.convs = nn.ModuleList(
            GCN2Conv(hidden_size, i + 1, alpha, lambda_, allow_zero_in_degree=True, bias=False)
            for i in range(num_layers)
        )
        self.last = nn.Linear(hidden_size, out_size)
        # With the layer's default weights, which are standard normal, activations grow with depth.
        for conv in self.convs:
            nn.init.uniform_(conv.weight1, -(hidden_size**-0.5), hidden_size**-0.5)

    def forward(self, graph: Graph, feat: Tensor) -> Tensor:
        r"""Compute a vector for each node of a homogeneous graph: :math:`(N, D_{out})`."""
        start = h = self.first(self.dropout(feat)).relu()
        for conv in self.convs:
            h = conv(graph, self.dropout(h), start).relu()
        return self.last(self.dropout(h))


class LightGCN(Model):
    r"""LightGCN of `He et al. <https://arxiv.org/abs/2002.02126>`__: a trainable vector for each
    node; the output is the average over 0 to `num_layers` propagation steps.

    .. math:: \frac{1}{L + 1} \sum_{l=0}^{L} \big(D^{-1/2} A D^{-1/2}\big)^l Z

    Parameters
    ----------
    num_nodes : int
        Number of nodes, users and items together.
    size : int
        Width of the vectors.
    num_layers : int
        :math:`L`.

    Examples
    --------
    >>> import gossamer as gs
    >>> from gossamer.nn.models import LightGCN
    >>> g = gs.graph(([0, 1, 2, 0], [2, 2, 0, 1]))
    >>> LightGCN(3, 8)(g).shape
    torch.Size([3, 8])
    """

    name = "lightgcn"

    def __init__(self, num_nodes: int, size: int, num_layers: int = 3) -> None:
        super().__init__(num_nodes=num_nodes, size=size, num_layers=num_layers)
        as_int(num_layers, "LightGCN", "num_layers", 0)
        self.num_layers = num_layers
        self.embedding = nn.Parameter(torch.empty(num_nodes, size))
        nn.init.normal_(self.embedding, std=0.1)
        self.conv = GraphConv(size, size, weight=False, bias=False, allow_zero_in_degree=True)

    def forward(self, graph: Graph) -> Tensor:
        r"""Compute a vector for each node of a homogeneous graph: :math:`(N, D)`."""
        total = h = self.embedding
        for _ in range(self.num_layers):
            h = self.conv(graph, h)
            total = total + h
        return total / (self.num_layers + 1)
