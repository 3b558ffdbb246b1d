"""Graph attention with dynamic scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer.nn._common import RELU_GAIN, Activation, Features, enter, residual_map
from gossamer.nn.conv._attention import (
    AttentionBase,
    attend,
    fused_options,
    project,
    reset_linear,
)

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GATv2Conv"]


class GATv2Conv(AttentionBase):
    r"""Graph attention layer of `How Attentive are Graph Attention Networks?
    <https://arxiv.org/abs/2105.14491>`__.

    Per head, with :math:`\mathcal{N}(i)` the sources of the in-edges of node :math:`i`,

    .. math::
        h_i' &= \sigma\Big(\sum_{j \in \mathcal{N}(i)} \alpha_{ji} z_j + r(h_i)\Big),
            \qquad z_j = W_{src} h_j + b_{src} \\
        \alpha_{ji} &= \mathrm{softmax}_{j \in \mathcal{N}(i)} \Big(
            a^\top \mathrm{LeakyReLU}\big(z_j + W_{dst} h_i + b_{dst}\big)\Big)

    so the ranking of the neighbors may differ from node to node, which `GATConv` cannot express.
    The residual :math:`r` is 0, the identity, or, if the sizes differ, a linear map.

    Parameters
    ----------
    in_feats : int or (int, int)
        Input features :math:`D_{in}`; a pair for source and destination nodes.
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
        Whether the linear maps have a bias.
    share_weights : bool
        Whether :math:`W_{src} = W_{dst}` and :math:`b_{src} = b_{dst}`. It has no effect if
        `in_feats` is a pair.

    Notes
    -----
    Each duplicate edge takes part in the softmax.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 2]))
    >>> conv = gs.nn.GATv2Conv(4, 3, num_heads=2)
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
        share_weights: bool = False,
    ) -> None:
        shared = feat_drop, attn_drop, negative_slope, activation, allow_zero_in_degree
        super().__init__(in_feats, out_feats, num_heads, *shared)
        width = num_heads * out_feats
        self.fc_src = nn.Linear(self._in_src_feats, width, bias=bias)
        self._share_weights = share_weights
        if share_weights and not isinstance(in_feats, tuple):
            self.fc_dst = self.fc_src
        else:
            self.fc_dst = nn.Linear(self._in_dst_feats, width, bias=bias)
        self.attn = nn.Parameter(torch.empty(1, num_heads, out_feats))
        self.res_fc = residual_map(self._in_dst_feats, width, bias) if residual else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reinitialize all weights (Xavier normal, gain of relu) and set biases to 0.

        With `share_weights` on a pair, :math:`W_{dst}` stays as `torch.nn.Linear` drew it.
        """
        reset_linear(self.fc_src)
        if not self._share_weights:
            reset_linear(self.fc_dst)
        nn.init.xavier_normal_(self.attn, gain=RELU_GAIN)
        reset_linear(self.res_fc)

    def forward(
        self, graph: Graph, feat: Features, get_attention: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        r"""Attend to the in-neighbors.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, *, D_{in})`, or one such tensor for source and one for destination nodes.
        get_attention : bool
            Whether to return the attention weights too.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, *, H, D_{out})`.
        Tensor, optional
            Attention weights :math:`(E, *, H, 1)`, after dropout.

        Raises
        ------
        InvalidValueError
            If a node has no in-edges (unless allowed), or features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        relation, x, x_dst = enter(self, graph, feat, self._widths, self.attn, self.feat_drop)

        heads = self._heads
        dst_in_src = not isinstance(feat, tuple)
        z, z_dst = project(self.fc_src, self.fc_dst, x, x_dst, heads, dst_in_src=dst_in_src)
        options = None if get_attention else fused_options(self.leaky_relu, self.attn_drop)
        attention = None
        if options is None:
            mixed = self.leaky_relu(ops.u_add_v(relation, z, z_dst))
            h, attention = attend(relation, (mixed * self.attn).sum(-1), z, self.attn_drop)
        else:
            h = ops.graph_attention(
                relation,
                z,
                z,
                z_dst,
                "add_dot",
                weight=self.attn.squeeze(0),
                **options,
            )

        h = self._finished(h, x_dst)
        return (h, attention) if get_attention else h

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"{super().extra_repr()}, share_weights={self.fc_src is self.fc_dst}"
