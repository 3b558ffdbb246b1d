"""Graph attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import number_in, require_function
from gossamer.errors import InvalidValueError
from gossamer.nn._common import (
    RELU_GAIN,
    Activation,
    Features,
    ZeroInDegreeGuard,
    check_edge_weight,
    check_features,
    check_sizes,
    drop_and_split,
    relation_of,
)
from gossamer.nn._dense import Linear, add, is_ordinary, linear
from gossamer.nn.conv._attention import (
    activate,
    attend,
    fused_options,
    project,
    reset_linear,
    residual_map,
)
from gossamer.nn.conv._projected import attend_projected
from gossamer.utils import expand_as_pair

if TYPE_CHECKING:
    from gossamer.graph import Graph
    from gossamer.ops.adjacency import Adjacency

__all__ = ["GATConv"]


class GATConv(ZeroInDegreeGuard, nn.Module):
    r"""Graph attention layer of `Graph Attention Networks <https://arxiv.org/abs/1710.10903>`__.

    Per head, with :math:`\mathcal{N}(i)` the sources of the in-edges of node :math:`i`,

    .. math::
        h_i' &= \sigma\Big(\sum_{j \in \mathcal{N}(i)} \alpha_{ji} W h_j + r(h_i) + b\Big) \\
        \alpha_{ji} &= \mathrm{softmax}_{j \in \mathcal{N}(i)} \Big(\mathrm{LeakyReLU}\big(
            a_l^\top W h_j + a_r^\top W h_i\big)\Big)

    The residual :math:`r` is 0, or the identity, or a linear map if the sizes differ (its bias is
    then the only one).

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
    Duplicate edges each take part in the softmax.

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
        super().__init__()
        check_sizes("GATConv", in_feats=in_feats, out_feats=out_feats, num_heads=num_heads)
        number_in(feat_drop, "GATConv", "feat_drop", 0, 1)
        number_in(attn_drop, "GATConv", "attn_drop", 0, 1)
        number_in(negative_slope, "GATConv", "negative_slope")
        require_function(activation, "GATConv", "activation")
        self._in_src_feats, self._in_dst_feats = expand_as_pair(in_feats)
        self._out_feats = out_feats
        self._num_heads = num_heads
        self._allow_zero_in_degree = allow_zero_in_degree
        width = num_heads * out_feats
        self._one_weight = not isinstance(in_feats, tuple)
        if self._one_weight:
            self.fc = Linear(in_feats, width, bias=False)
        else:
            self.fc_src = Linear(self._in_src_feats, width, bias=False)
            self.fc_dst = Linear(self._in_dst_feats, width, bias=False)
        self.attn_l = nn.Parameter(torch.empty(1, num_heads, out_feats))
        self.attn_r = nn.Parameter(torch.empty(1, num_heads, out_feats))
        self.feat_drop = nn.Dropout(feat_drop)
        self.attn_drop = nn.Dropout(attn_drop)
        self.leaky_relu = nn.LeakyReLU(negative_slope)
        self.res_fc = residual_map(self._in_dst_feats, width, bias) if residual else None
        has_bias = bias and not isinstance(self.res_fc, nn.Linear)
        self.bias = nn.Parameter(torch.empty(width)) if has_bias else None
        self.activation = activation
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew (Xavier normal, gain of relu) and set biases to 0."""
        for name in ("fc", "fc_src", "fc_dst", "res_fc"):
            reset_linear(getattr(self, name, None))
        nn.init.xavier_normal_(self.attn_l, gain=RELU_GAIN)
        nn.init.xavier_normal_(self.attn_r, gain=RELU_GAIN)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(
        self,
        graph: Graph,
        feat: Features,
        edge_weight: Tensor | None = None,
        get_attention: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        r"""Attend to the in-neighbours.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, *, D_{in})`, or one such tensor for source and one for destination nodes.
        edge_weight : Tensor, optional
            :math:`(E,)`, or :math:`(E, H)` for a weight per head, multiplied to
            :math:`\alpha` after the softmax.
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
            On a node without in-edges (unless allowed), or features or edge weights of the wrong
            shape.
        InvalidTypeError
            If the features have another dtype than the parameters.
        """
        adjacency = relation_of(graph)
        x, x_dst = drop_and_split(self.feat_drop, feat, graph)
        check_features(self, x, adjacency.num_src, self._in_src_feats, self.attn_l)
        check_features(self, x_dst, adjacency.num_dst, self._in_dst_feats, self.attn_l)
        self._check_in_degrees(adjacency)
        if edge_weight is not None:
            self._check_edge_weight(adjacency, edge_weight)

        heads = self._num_heads, self._out_feats
        bias = None if self.bias is None else self.bias.view(heads)
        ends = self._end_weights()
        options = None
        if edge_weight is None and not get_attention:
            options = fused_options(self.leaky_relu, self.attn_drop)
        h = attention = None
        if ends is not None and options is not None:
            weight = self._linear_maps()[0].weight
            h = attend_projected(adjacency, x, x_dst, weight, *ends, out_bias=bias, **options)
        if h is None:
            dst_in_src = not isinstance(feat, tuple)
            z, left, right = self._project(ends, x, x_dst, dst_in_src=dst_in_src)
            if options is None:
                scores = self.leaky_relu(ops.u_add_v(adjacency, left, right))
                h, attention = attend(adjacency, scores, z, self.attn_drop, edge_weight)
                if bias is not None:
                    h = h + bias
            else:
                operands = z, left, right
                h = ops.graph_attention(adjacency, *operands, "add", out_bias=bias, **options)

        if self.res_fc is not None:
            h = add(h, self.res_fc(x_dst).unflatten(-1, heads))
        if self.activation is not None:
            h = activate(self.activation, h)
        return (h, attention) if get_attention else h

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"out={self._out_feats}, heads={self._num_heads}"

    def _linear_maps(self) -> tuple[nn.Module, nn.Module]:
        """:math:`W` of sources and of destinations."""
        return (self.fc, self.fc) if self._one_weight else (self.fc_src, self.fc_dst)

    def _end_weights(self) -> tuple[Tensor, Tensor] | None:
        r""":math:`a_l W` and :math:`a_r W`, ``(H, D_in)``; None where that is of no use.

        The inner product with :math:`(a_l, a_r)` falls apart into one part for each end of the
        edge. From narrow input :math:`(a W) x` is computed sooner than :math:`a (W x)`, and no
        tensor of the size of :math:`W x` is made for the gradient of each end.
        """
        maps = self._linear_maps()
        if not all(map(is_ordinary, maps)):
            return None  # it may be more than its weight
        if self._in_src_feats > self._num_heads * self._out_feats:
            return None
        shape = self._num_heads, self._out_feats
        left, right = (
            (fc.weight.view(*shape, -1) * attn.view(*shape, 1)).sum(1)
            for fc, attn in zip(maps, (self.attn_l, self.attn_r), strict=True)
        )
        return left, right

    def _project(
        self, ends: tuple[Tensor, Tensor] | None, x: Tensor, x_dst: Tensor, *, dst_in_src: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """:math:`W x` of sources, and its inner products with :math:`a_l` and :math:`a_r`."""
        heads = self._num_heads, self._out_feats
        maps = self._linear_maps()
        if ends is None:
            z, z_dst = project(*maps, x, x_dst, heads, dst_in_src=dst_in_src)
            return z, (z * self.attn_l).sum(-1), (z_dst * self.attn_r).sum(-1)
        z = maps[0](x).unflatten(-1, heads)
        if x is x_dst:
            return z, *linear(x, torch.cat(ends)).split(heads[0], -1)
        return z, linear(x, ends[0]), linear(x_dst, ends[1])

    def _check_edge_weight(self, adjacency: Adjacency, edge_weight: Tensor) -> None:
        check_edge_weight(self, adjacency, edge_weight)
        if tuple(edge_weight.shape[1:]) not in ((), (1,), (self._num_heads,)):
            raise InvalidValueError(
                f"GATConv: edge_weight must have shape ({adjacency.num_edges},), or "
                f"({adjacency.num_edges}, {self._num_heads}) for a weight per head, but got "
                f"{tuple(edge_weight.shape)}."
            )
