"""Models in which every node of a graph attends to every other node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from gossamer._options import as_int, number_in
from gossamer.nn._common import check_divisible
from gossamer.nn.conv import GINConv
from gossamer.nn.glob.set_transformer import PaddedSets
from gossamer.nn.models._base import Model

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GPS"]


class _Layer(nn.Module):
    """Message passing and attention in each graph in parallel, then a feed-forward network."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()

        def mlp(hidden: int) -> nn.Sequential:
            return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))

        self.conv = GINConv(mlp(width), "sum", learn_eps=True)
        self.attention = nn.MultiheadAttention(width, num_heads, dropout, batch_first=True)
        self.feed_forward = mlp(2 * width)
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def forward(self, graph: Graph, h: Tensor, sets: PaddedSets) -> Tensor:
        local = self.norms[0](h + self.dropout(self.conv(graph, h)))
        attended = h
        if len(h):  # torch's attention does not accept an empty tensor
            padded = sets.pad(h)
            attended, _ = self.attention(
                padded, padded, padded, key_padding_mask=sets.empty, need_weights=False
            )
            attended = sets.unpad(attended)
        h = local + self.norms[1](h + self.dropout(attended))
        return self.norms[2](h + self.dropout(self.feed_forward(h)))


class GPS(Model):
    r"""Graph transformer after `Rampášek et al. <https://arxiv.org/abs/2205.12454>`__ (GraphGPS).

    A linear map, then layers that add :class:`gossamer.nn.GINConv` and attention among all nodes of
    each graph of a batch, then a linear map:

    .. math::
        h' &= \mathrm{norm}(h + \mathrm{GIN}(h)) + \mathrm{norm}(h + \mathrm{attention}(h)) \\
        h_{new} &= \mathrm{norm}(h' + \mathrm{mlp}(h')),

    where norm is batch normalization. The model has no positional encoding: concatenate one,
    such as :class:`gossamer.RandomWalkPE` or :class:`gossamer.LapPE`, with the features. The paper
    also uses edge features; this model does not.

    Parameters
    ----------
    in_size, hidden_size, out_size : int
        Width of the features, of the layers (divisible by `num_heads`), and of the output.
    num_layers, num_heads : int
        Number of layers and of heads.
    dropout : float
        Dropout rate of each part of a layer, and of the attention weights.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import GPS
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> GPS(4, 8, 2)(gs.batch([g, g]), torch.rand(6, 4)).shape
    torch.Size([6, 2])
    """

    name = "gps"

    def __init__(
        self,
        in_size: int,
        hidden_size: int,
        out_size: int,
        num_layers: int = 3,
        num_heads: int = 4,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            in_size=in_size,
            hidden_size=hidden_size,
            out_size=out_size,
            num_layers=num_layers,
            num_heads=num_heads,
            dropout=dropout,
        )
        for argument in set(self.options) - {"dropout"}:
            as_int(self.options[argument], "GPS", argument, 1)
        number_in(dropout, "GPS", "dropout", 0, 1)
        check_divisible("GPS", hidden_size=hidden_size, num_heads=num_heads)
        self.first = nn.Linear(in_size, hidden_size)
        self.layers = nn.ModuleList(
            _Layer(hidden_size, num_heads, dropout) for _ in range(num_layers)
        )
        self.last = nn.Linear(hidden_size, out_size)

    def forward(self, graph: Graph, feat: Tensor) -> Tensor:
        r"""Compute a vector for each node.

        Parameters
        ----------
        graph : Graph
            A homogeneous graph, or a batch of them.
        feat : Tensor
            :math:`(N, D_{in})`.

        Returns
        -------
        Tensor
            :math:`(N, D_{out})`.
        """
        h = self.first(feat)
        sizes = graph.batch_num_nodes()
        sets = PaddedSets(sizes[sizes > 0], len(h))
        for layer in self.layers:
            h = layer(graph, h, sets)
        return self.last(h)
