"""Graph attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer.nn._common import RELU_GAIN, Activation, Features, enter, residual_map
from gossamer.nn.conv._attention import (
    AttentionBase,
    add_maps,
    attend,
    check_head_weight,
    fused_options,
    only_multiplies,
    project,
    reset_linear,
)

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GATConv"]


class GATConv(AttentionBase):
    r"""Graph attention layer of `Graph Attention Networks <https://arxiv.org/abs/1710.10903>`__.

    Per head, with :math:`\mathcal{N}(i)` the sources of the in-edges of node :math:`i`,

    .. math::
        h_i' &= \sigma\Big(\sum_{j \in \mathcal{N}(i)} \alpha_{ji} W h_j + r(h_i) + b\Big) \\
        \alpha_{ji} &= \mathrm{softmax}_{j \in \mathcal{N}(i)} \Big(\mathrm{LeakyReLU}\big(
            a_l^\top W h_j + a_r^\top W h_i\big)\Big)

    The residual :math:`r` is 0, the identity, or, if the sizes differ, a linear map, whose bias
    then replaces :math:`b`.

    Parameters
    ----------
    in_feats : int or (int, int)
        Input features :math:`D_{in}`; a pair for source and destination nodes, which then have a
        :math:`W` each.
    out_feats : int
        Output features :math:`D_{out}` of each head.
    num_heads : int
        Heads :math:`H`.
    feat_drop : float
        Dropout rate of the input features.
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
    Each duplicate edge takes part in the softmax.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 2]))
    >>> conv = gs.nn.GATConv(4, 3, num_heads=2)
    >>> out, attention = conv(g, torch.rand(3, 4), get_attention=True)
    >>> out.shape, attention.shape
    (torch.Size([3, 2, 3]), torch.Size([4, 2, 1]))
    """

    def __init__(
        self,
        in_feats: int | tuple[int, int],
        out_feats: int,
        num_heads: int,
        feat_drop: float = 0.0,
        attn_drop: float = 0.0,
        negative_slope: float = 0.2,
        residual: bool = False,
        activation: Activation = None,
        allow_zero_in_degree: bool = False,
        bias: bool = True,
    ) -> None:
        shared = feat_drop, attn_drop, negative_slope, activation, allow_zero_in_degree
        super().__init__(in_feats, out_feats, num_heads, *shared)
        width = num_heads * out_feats
        add_maps(self, in_feats, width)
        self.attn_l = nn.Parameter(torch.empty(1, num_heads, out_feats))
        self.attn_r = nn.Parameter(torch.empty(1, num_heads, out_feats))
        self.res_fc = residual_map(self._in_dst_feats, width, bias) if residual else None
        has_bias = bias and not isinstance(self.res_fc, nn.Linear)
        self.bias = nn.Parameter(torch.empty(width)) if has_bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reinitialize all weights (Xavier normal, gain of relu) and set biases to 0."""
        for name in ("fc", "fc_src", "fc_dst"):
            reset_linear(getattr(self, name, None))
        nn.init.xavier_normal_(self.attn_l, gain=RELU_GAIN)
        nn.init.xavier_normal_(self.attn_r, gain=RELU_GAIN)
        reset_linear(self.res_fc)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(
        self,
        graph: Graph,
        feat: Features,
        edge_weight: Tensor | None = None,
        get_attention: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        r"""Attend to the in-neighbors.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, *, D_{in})`, or one such tensor for source and one for destination nodes.
        edge_weight : Tensor, optional
            :math:`(E,)`, or :math:`(E, H)` for a weight per head; :math:`\alpha` is multiplied
            by it after the softmax.
        get_attention : bool
            Whether to return the attention weights too.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, *, H, D_{out})`.
        Tensor, optional
            Attention weights :math:`(E, *, H, 1)`, after dropout and edge weights.

        Raises
        ------
        InvalidValueError
            If a node has no in-edges (unless allowed), or features or edge weights have the wrong
            shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        relation, x, x_dst = enter(self, graph, feat, self._widths, self.attn_l, self.feat_drop)
        if edge_weight is not None:
            check_head_weight(self, relation, edge_weight, self._num_heads)

        heads = self._heads
        fc_src, fc_dst = (self.fc, self.fc) if self._one_weight else (self.fc_src, self.fc_dst)
        one_tensor = not isinstance(feat, tuple)
        bias = None if self.bias is None else self.bias.view(heads)
        fused = fused_options(self.leaky_relu, self.attn_drop)
        plain = only_multiplies(fc_src) and only_multiplies(fc_dst)

        if fused is not None and plain and edge_weight is None and not get_attention:
            # Same as below, but without a tensor with one row per edge.
            h = ops.projected_attention(
                relation,
                x,
                fc_src.weight,
                self.attn_l[0],
                self.attn_r[0],
                x_dst=None if one_tensor else x_dst,
                weight_dst=None if self._one_weight else fc_dst.weight,
                out_bias=bias,
                **fused,
            )
        else:
            z, z_dst = project(fc_src, fc_dst, x, x_dst, heads, dst_in_src=one_tensor)
            # The inner product with (a_l, a_r) is the sum of one term for each end of the edge.
            left, right = (z * self.attn_l).sum(-1), (z_dst * self.attn_r).sum(-1)
            scores = self.leaky_relu(ops.u_add_v(relation, left, right))
            h, attention = attend(relation, scores, z, self.attn_drop, edge_weight)
            if bias is not None:
                h = h + bias
        h = self._finished(h, x_dst)
        return (h, attention) if get_attention else h
