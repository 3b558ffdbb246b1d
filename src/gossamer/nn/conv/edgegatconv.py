"""Graph attention with edge features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import as_int
from gossamer.nn._common import RELU_GAIN, Activation, Features, check_features, enter
from gossamer.nn.conv._attention import (
    AttentionBase,
    add_maps,
    attend,
    project,
    reset_linear,
)

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["EdgeGATConv"]


class EdgeGATConv(AttentionBase):
    r"""Graph attention of `SCENE: Reasoning about Traffic Scenes using Heterogeneous Graph Neural
    Networks <https://arxiv.org/abs/2301.03512>`__: `GATConv` with edge features in scores and
    messages.

    Per head, with :math:`\mathcal{N}(i)` the sources of the in-edges of node :math:`i`,

    .. math::
        h_i' &= \sigma\Big(\sum_{j \in \mathcal{N}(i)} \alpha_{ji} \big(W h_j + W_e e_{ji}\big)
            + r(h_i) + b\Big) \\
        \alpha_{ji} &= \mathrm{softmax}_{j \in \mathcal{N}(i)} \Big(\mathrm{LeakyReLU}\big(
            a_l^\top W h_j + a_r^\top W h_i + a_e^\top W_e e_{ji}\big)\Big)

    The residual :math:`r` is 0 or a linear map without a bias.

    Parameters
    ----------
    in_feats : int or (int, int)
        Node features :math:`D_{in}`; a pair for source and destination nodes, which then have a
        :math:`W` each.
    edge_feats : int
        Edge features :math:`D_e`.
    out_feats : int
        Output features :math:`D_{out}` of each head.
    num_heads : int
        Heads :math:`H`.
    feat_drop : float
        Dropout rate of the node features.
    attn_drop : float
        Dropout rate of the attention weights :math:`\alpha`.
    negative_slope : float
        Slope of LeakyReLU.
    residual : bool
        Whether to add :math:`r`.
    activation : callable, optional
        :math:`\sigma`, applied to :math:`(N, H, D_{out})`.
    allow_zero_in_degree : bool
        Whether to accept nodes without in-edges: nothing is summed for them.
    bias : bool
        Whether to add :math:`b`.

    Notes
    -----
    Each duplicate edge takes part in the softmax. No tensor of size edges x heads x
    :math:`D_{out}` is created: :math:`W_e` is applied to sums of the edge features.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 2]))
    >>> conv = gs.nn.EdgeGATConv(4, 5, 3, num_heads=2)
    >>> conv(g, torch.rand(3, 4), torch.rand(4, 5)).shape
    torch.Size([3, 2, 3])
    """

    def __init__(
        self,
        in_feats: int | tuple[int, int],
        edge_feats: int,
        out_feats: int,
        num_heads: int,
        feat_drop: float = 0.0,
        attn_drop: float = 0.0,
        negative_slope: float = 0.2,
        residual: bool = True,
        activation: Activation = None,
        allow_zero_in_degree: bool = False,
        bias: bool = True,
    ) -> None:
        shared = feat_drop, attn_drop, negative_slope, activation, allow_zero_in_degree
        super().__init__(in_feats, out_feats, num_heads, *shared)
        self._edge_feats = as_int(edge_feats, "EdgeGATConv", "edge_feats", 0)
        width = num_heads * out_feats
        add_maps(self, in_feats, width)
        self.attn_l = nn.Parameter(torch.empty(1, num_heads, out_feats))
        self.attn_r = nn.Parameter(torch.empty(1, num_heads, out_feats))
        self.bias = nn.Parameter(torch.empty(width)) if bias else None
        self.res_fc = nn.Linear(self._in_dst_feats, width, bias=False) if residual else None
        self.attn_edge = nn.Parameter(torch.empty(1, num_heads, out_feats))
        self.fc_edge = nn.Linear(edge_feats, width, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reinitialize all weights (Xavier normal, gain of relu) and set :math:`b` to 0."""
        for name in ("fc", "fc_src", "fc_dst"):
            reset_linear(getattr(self, name, None))
        for weight in (self.attn_l, self.attn_r, self.fc_edge.weight, self.attn_edge):
            nn.init.xavier_normal_(weight, gain=RELU_GAIN)
        reset_linear(self.res_fc)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(
        self, graph: Graph, feat: Features, edge_feat: Tensor, get_attention: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        r"""Attend to the in-neighbors.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, D_{in})`, or one such tensor for source and one for destination nodes.
        edge_feat : Tensor
            :math:`(E, D_e)`.
        get_attention : bool
            Whether to return the attention weights too.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, H, D_{out})`.
        Tensor, optional
            Attention weights :math:`(E, H, 1)`, after dropout.

        Raises
        ------
        InvalidValueError
            If a node has no in-edges (unless allowed), or features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        relation, x, x_dst = enter(self, graph, feat, self._widths, self.attn_l, self.feat_drop)
        check_features(self, edge_feat, relation.num_edges, self._edge_feats, self.attn_l, "edge")

        heads = self._heads
        fc_src, fc_dst = (self.fc, self.fc) if self._one_weight else (self.fc_src, self.fc_dst)
        dst_in_src = not isinstance(feat, tuple)
        z, z_dst = project(fc_src, fc_dst, x, x_dst, heads, dst_in_src=dst_in_src)
        left, right = (z * self.attn_l).sum(-1), (z_dst * self.attn_r).sum(-1)
        fc_edge = self.fc_edge.weight.view(*heads, -1)
        of_edge = edge_feat @ (fc_edge * self.attn_edge.view(*heads, 1)).sum(1).t()

        scores = self.leaky_relu(ops.u_add_v(relation, left, right) + of_edge)
        h, attention = attend(relation, scores, z, self.attn_drop)
        gathered = ops.copy_e_sum(relation, attention * edge_feat.unsqueeze(1))
        h = h + torch.einsum("nhe,hde->nhd", gathered, fc_edge)
        if self.bias is not None:
            h = h + self.bias.view(heads)
        h = self._finished(h, x_dst)
        return (h, attention) if get_attention else h
