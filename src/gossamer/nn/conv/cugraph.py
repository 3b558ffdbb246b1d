"""DGL's cugraph-ops classes, implemented with Gossamer's kernels for any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import number_in, one_of
from gossamer.nn._common import Activation, Features, check_sizes, enter, relation_for
from gossamer.nn._typed import check_types, inverse_counts
from gossamer.nn.conv.gatconv import GATConv
from gossamer.nn.conv.relgraphconv import RelGraphConv
from gossamer.utils import expand_as_pair

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["CuGraphGATConv", "CuGraphRelGraphConv", "CuGraphSAGEConv"]


class CuGraphGATConv(GATConv):
    r"""`GATConv` under the name of DGL's cugraph-ops layer.

    It computes what `GATConv` computes, with the same parameters; nodes without in-edges are
    accepted.

    Parameters
    ----------
    in_feats : int or (int, int)
        Input features :math:`D_{in}`.
    out_feats : int
        Output features :math:`D_{out}` of each head.
    num_heads : int
        Heads :math:`H`.
    feat_drop : float
        Dropout rate of the input features.
    negative_slope : float
        Slope of LeakyReLU.
    residual : bool
        Whether to add the residual.
    activation : callable, optional
        Applied to :math:`(N, H, D_{out})`.
    bias : bool
        Whether to add a bias.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> gs.nn.CuGraphGATConv(4, 3, num_heads=2)(g, torch.rand(3, 4)).shape
    torch.Size([3, 2, 3])
    """

    def __init__(
        self,
        in_feats: int | tuple[int, int],
        out_feats: int,
        num_heads: int,
        feat_drop: float = 0.0,
        negative_slope: float = 0.2,
        residual: bool = False,
        activation: Activation = None,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_feats,
            out_feats,
            num_heads,
            feat_drop=feat_drop,
            negative_slope=negative_slope,
            residual=residual,
            activation=activation,
            allow_zero_in_degree=True,
            bias=bias,
        )

    def forward(self, g: Graph, feat: Features, max_in_degree: int | None = None) -> Tensor:
        r"""Attend to the in-neighbors.

        Parameters
        ----------
        g : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, *, D_{in})`, or one such tensor for source and one for destination nodes.
        max_in_degree : int, optional
            Accepted for compatibility; it has no effect.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, *, H, D_{out})`.

        Raises
        ------
        InvalidValueError
            If features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        return super().forward(g, feat)


class CuGraphSAGEConv(nn.Module):
    r"""GraphSAGE layer under the name of DGL's cugraph-ops layer.

    .. math::
        h_i' = W \big[\mathrm{aggregate}_{j \in \mathcal{N}(i)} h_j \,\|\, h_i\big] + b

    where :math:`\mathcal{N}(i)` is the set of sources of the in-edges of node :math:`i`.

    Parameters
    ----------
    in_feats : int or (int, int)
        Input features :math:`D_{in}`; a pair for source and destination nodes.
    out_feats : int
        Output features :math:`D_{out}`.
    aggregator_type : {"mean", "sum", "max", "min"}
        How the neighbors are aggregated.
    feat_drop : float
        Dropout rate of the input features.
    bias : bool
        Whether to add :math:`b`.

    Raises
    ------
    InvalidValueError
        If `aggregator_type` is unknown.

    Notes
    -----
    The map is initialized as in `torch.nn.Linear`. 0 is aggregated for a node without in-edges.
    Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> gs.nn.CuGraphSAGEConv(4, 3)(g, torch.rand(3, 4)).shape
    torch.Size([3, 3])
    """

    def __init__(
        self,
        in_feats: int | tuple[int, int],
        out_feats: int,
        aggregator_type: str = "mean",
        feat_drop: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        kinds = ("mean", "sum", "max", "min")
        one_of(aggregator_type, "CuGraphSAGEConv", "aggregator_type", kinds)
        check_sizes("CuGraphSAGEConv", in_feats=in_feats, out_feats=out_feats)
        self._in_feats = expand_as_pair(in_feats)
        self._aggregator = aggregator_type
        self.feat_drop = nn.Dropout(number_in(feat_drop, "CuGraphSAGEConv", "feat_drop", 0, 1))
        self.linear = nn.Linear(sum(self._in_feats), out_feats, bias=bias)

    def reset_parameters(self) -> None:
        """Reinitialize :math:`W` and :math:`b`."""
        self.linear.reset_parameters()

    def forward(self, g: Graph, feat: Features, max_in_degree: int | None = None) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        g : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, *, D_{in})`, or one such tensor for source and one for destination nodes.
        max_in_degree : int, optional
            Accepted for compatibility; it has no effect.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, *, D_{out})`.

        Raises
        ------
        InvalidValueError
            If features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        like = self.linear.weight
        relation, x, x_dst = enter(self, g, feat, self._in_feats, like, self.feat_drop)
        h = ops.gspmm(relation, "copy_lhs", self._aggregator, x, None)
        return self.linear(torch.cat([h, x_dst], -1))

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"aggregator_type={self._aggregator}"


class CuGraphRelGraphConv(RelGraphConv):
    r"""`RelGraphConv` under the name of DGL's cugraph-ops layer.

    It computes what `RelGraphConv` computes, with the same parameters. With `apply_norm`, the sum
    over the in-edges of each type is divided by their number.

    Parameters
    ----------
    in_feat, out_feat : int
        Input and output features.
    num_rels : int
        Number of edge types.
    regularizer : {"basis"}, optional
        ``"basis"`` makes the matrix of each edge type a sum of shared bases. Default: each edge
        type has its own matrix.
    num_bases : int, optional
        Number of bases. Default: `num_rels`.
    bias : bool
        Whether to add a bias.
    self_loop : bool
        Whether to add a linear map of the node's own features.
    dropout : float
        Dropout rate of the output.
    apply_norm : bool
        Whether to average over the in-edges of each type.

    Raises
    ------
    InvalidValueError
        If `regularizer` is unknown.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    >>> conv = gs.nn.CuGraphRelGraphConv(4, 3, num_rels=2, apply_norm=True)
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
        self_loop: bool = True,
        dropout: float = 0.0,
        apply_norm: bool = False,
    ) -> None:
        if regularizer is not None:
            one_of(regularizer, "CuGraphRelGraphConv", "regularizer", ("basis",))
        super().__init__(
            in_feat,
            out_feat,
            num_rels,
            regularizer=regularizer,
            num_bases=num_bases,
            bias=bias,
            self_loop=self_loop,
            dropout=dropout,
        )
        self.apply_norm = apply_norm

    def forward(
        self, g: Graph, feat: Features, etypes: Tensor, max_in_degree: int | None = None
    ) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        g : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, D_{in})`, or one such tensor for source and one for destination nodes.
        etypes : Tensor
            :math:`(E,)`, the type of each edge.
        max_in_degree : int, optional
            Accepted for compatibility; it has no effect.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, D_{out})`.

        Raises
        ------
        InvalidValueError
            If features or types have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters, or types are not integers.
        OutOfRangeError
            If a type is out of range.
        """
        norm = None
        if self.apply_norm:
            relation, linear = relation_for(self, g), self.linear_r
            etypes = check_types(self, etypes, relation.num_edges, linear.num_types)
            norm = inverse_counts(relation, etypes, linear.num_types, linear.W.dtype)
        return super().forward(g, feat, etypes, norm)
