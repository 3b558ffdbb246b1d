"""Relational graph convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer._options import number_in, require_function
from gossamer.errors import InvalidValueError
from gossamer.nn._common import (
    RELU_GAIN,
    Activation,
    Features,
    aggregate,
    check_edge_weight,
    enter,
    enter_sources,
)
from gossamer.nn._typed import check_types, typed_sources
from gossamer.nn.linear import TypedLinear

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["RelGraphConv"]


class RelGraphConv(nn.Module):
    r"""Relational layer of `Modeling Relational Data with Graph Convolutional Networks
    <https://arxiv.org/abs/1703.06103>`__.

    .. math::
        h_i' = \sigma\Big(\mathrm{norm}\Big(\sum_{(j, r) \to i} e_{ji} W_r^\top h_j\Big)
            + b + W_0^\top h_i\Big)

    where :math:`r` is the type of the edge, :math:`e_{ji}` is its weight (1 if none is given; the
    paper uses 1 over the number of in-edges of that type), and norm is layer normalization if
    `layer_norm` is set.

    Parameters
    ----------
    in_feat, out_feat : int
        Input and output features.
    num_rels : int
        Number of edge types.
    regularizer : {"basis", "bdd"}, optional
        How the matrices :math:`W_r` are regularized; see :class:`gossamer.nn.TypedLinear`.
    num_bases : int, optional
        Number of bases or blocks. Default: `num_rels`.
    bias : bool
        Whether to add :math:`b`.
    activation : callable, optional
        :math:`\sigma`.
    self_loop : bool
        Whether to add :math:`W_0^\top h_i`.
    dropout : float
        Dropout rate of the output.
    layer_norm : bool
        Whether to normalize the sum.

    Raises
    ------
    InvalidValueError
        If `regularizer` is unknown, or the widths are not divisible by the number of blocks.

    Notes
    -----
    :math:`W_0` is initialized Xavier uniform with the gain of relu, :math:`b` to 0, :math:`W_r` as
    in :class:`gossamer.nn.TypedLinear`. A node without in-edges gets only its self-loop and bias.
    Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    >>> conv = gs.nn.RelGraphConv(4, 3, num_rels=2, regularizer="basis", num_bases=2)
    >>> conv(g, torch.rand(3, 4), torch.tensor([0, 1, 0, 1])).shape
    torch.Size([3, 3])
    """

    def __init__(
        self,
        in_feat: int,
        out_feat: int,
        num_rels: int,
        regularizer: str | None = None,
        num_bases: int | None = None,
        bias: bool = True,
        activation: Activation = None,
        self_loop: bool = True,
        dropout: float = 0.0,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        require_function(activation, "RelGraphConv", "activation")
        number_in(dropout, "RelGraphConv", "dropout", 0, 1)
        if regularizer is not None and num_bases is None:
            num_bases = num_rels
        self.linear_r = TypedLinear(in_feat, out_feat, num_rels, regularizer, num_bases)
        self.bias = bias
        self.activation = activation
        self.self_loop = self_loop
        self.layer_norm = layer_norm
        if bias:
            self.h_bias = nn.Parameter(torch.empty(out_feat))
        if layer_norm:
            self.layer_norm_weight = nn.LayerNorm(out_feat, elementwise_affine=True)
        if self_loop:
            self.loop_weight = nn.Parameter(torch.empty(in_feat, out_feat))
        self.dropout = nn.Dropout(dropout)
        self._reset_own()

    def reset_parameters(self) -> None:
        """Reinitialize all weights."""
        self.linear_r.reset_parameters()
        if self.layer_norm:
            self.layer_norm_weight.reset_parameters()
        self._reset_own()

    def _reset_own(self) -> None:
        if self.bias:
            nn.init.zeros_(self.h_bias)
        if self.self_loop:
            nn.init.xavier_uniform_(self.loop_weight, gain=RELU_GAIN)

    def forward(
        self,
        g: Graph,
        feat: Features,
        etypes: Tensor,
        norm: Tensor | None = None,
        *,
        presorted: bool = False,
    ) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        g : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, D_{in})`, or one such tensor for source and one for destination nodes. A
            bipartite graph requires the pair if the layer has a self-loop.
        etypes : Tensor
            :math:`(E,)`, the type of each edge, ``0 ... num_rels - 1``.
        norm : Tensor, optional
            Edge weights :math:`e`, :math:`(E,)` or :math:`(E, 1)`.
        presorted : bool
            Accepted for compatibility; it has no effect. The layer sorts once for each graph.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, D_{out})`.

        Raises
        ------
        InvalidValueError
            If features, types or weights have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters, or types are not integers.
        OutOfRangeError
            If a type is out of range.
        """
        linear = self.linear_r
        if self.self_loop:
            adjacency, x, x_dst = enter(self, g, feat, linear.in_size, linear.W)
        else:
            adjacency, x = enter_sources(self, g, feat, linear.in_size, linear.W)
        if x.dim() != 2:
            raise InvalidValueError(
                f"RelGraphConv: node features must have 2 dimensions, but got {tuple(x.shape)}."
            )
        etypes = check_types(self, etypes, adjacency.num_edges, linear.num_types)
        if norm is not None:
            check_edge_weight(self, adjacency, norm, x)

        sources = typed_sources(adjacency, etypes, linear.num_types)
        messages = linear(x[sources.nodes], sources.types, sorted_by_type=True)
        h = aggregate(sources.adjacency, messages, "sum", norm)
        if self.layer_norm:
            h = self.layer_norm_weight(h)
        if self.bias:
            h = h + self.h_bias
        if self.self_loop:
            h = h + x_dst @ self.loop_weight
        if self.activation is not None:
            h = self.activation(h)
        return self.dropout(h)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        linear = self.linear_r
        return f"in={linear.in_size}, out={linear.out_size}, num_rels={linear.num_types}"
