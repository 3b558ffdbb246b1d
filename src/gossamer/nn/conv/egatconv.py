"""Graph attention with edge features that are updated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import ops
from gossamer.nn._common import (
    RELU_GAIN,
    Features,
    ZeroInDegreeGuard,
    check_features,
    check_sizes,
    enter,
)
from gossamer.nn.conv._attention import attend, check_head_weight
from gossamer.utils import expand_as_pair

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["EGATConv"]


class EGATConv(ZeroInDegreeGuard, nn.Module):
    r"""Graph attention of `Rossmann-Toolbox <https://doi.org/10.1093/bib/bbab371>`__, which also
    updates the edge features.

    Per head, with :math:`\mathcal{N}(i)` the sources of the in-edges of node :math:`i`,

    .. math::
        e_{ji}' &= \mathrm{LeakyReLU}\big(W_{ni} h_j + W_{nj} h_i + W_{f} e_{ji} + b\big) \\
        \alpha_{ji} &= \mathrm{softmax}_{j \in \mathcal{N}(i)} \big(a^\top e_{ji}'\big) \\
        h_i' &= \sum_{j \in \mathcal{N}(i)} \alpha_{ji} W_{src} h_j

    where LeakyReLU has slope 0.01.

    Parameters
    ----------
    in_node_feats : int or (int, int)
        Node features :math:`D_{in}`; a pair for source and destination nodes.
    in_edge_feats : int
        Edge features :math:`D_e`.
    out_node_feats : int
        Output node features of each head.
    out_edge_feats : int
        Output edge features of each head.
    num_heads : int
        Heads :math:`H`.
    bias : bool
        Whether to add :math:`b`.

    Notes
    -----
    Nodes without in-edges raise an error unless ``set_allow_zero_in_degree(True)`` was called; then
    their output is 0. Each duplicate edge takes part in the softmax.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 2]))
    >>> conv = gs.nn.EGATConv(5, 4, 3, 2, num_heads=2)
    >>> h, e = conv(g, torch.rand(3, 5), torch.rand(4, 4))
    >>> h.shape, e.shape
    (torch.Size([3, 2, 3]), torch.Size([4, 2, 2]))
    """

    def __init__(
        self,
        in_node_feats: int | tuple[int, int],
        in_edge_feats: int,
        out_node_feats: int,
        out_edge_feats: int,
        num_heads: int,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_sizes(
            "EGATConv",
            in_feats=in_node_feats,
            in_edge_feats=in_edge_feats,
            out_node_feats=out_node_feats,
            out_edge_feats=out_edge_feats,
            num_heads=num_heads,
        )
        self._in_node_feats = expand_as_pair(in_node_feats)
        self._in_edge_feats = in_edge_feats
        self._out_node_feats = out_node_feats
        self._out_edge_feats = out_edge_feats
        self._num_heads = num_heads
        self._allow_zero_in_degree = False
        src, dst = self._in_node_feats
        self.fc_node_src = nn.Linear(src, out_node_feats * num_heads, bias=False)
        self.fc_ni = nn.Linear(src, out_edge_feats * num_heads, bias=False)
        self.fc_nj = nn.Linear(dst, out_edge_feats * num_heads, bias=False)
        self.fc_fij = nn.Linear(in_edge_feats, out_edge_feats * num_heads, bias=False)
        self.attn = nn.Parameter(torch.empty(1, num_heads, out_edge_feats))
        self.bias = nn.Parameter(torch.empty(num_heads * out_edge_feats)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reinitialize all weights (Xavier normal, gain of relu) and set :math:`b` to 0."""
        for linear in (self.fc_node_src, self.fc_ni, self.fc_fij, self.fc_nj):
            nn.init.xavier_normal_(linear.weight, gain=RELU_GAIN)
        nn.init.xavier_normal_(self.attn, gain=RELU_GAIN)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(
        self,
        graph: Graph,
        nfeats: Features,
        efeats: Tensor,
        edge_weight: Tensor | None = None,
        get_attention: bool = False,
    ) -> tuple[Tensor, ...]:
        r"""Attend to the in-neighbors.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        nfeats : Tensor or (Tensor, Tensor)
            :math:`(N, D_{in})`, or one such tensor for source and one for destination nodes.
        efeats : Tensor
            :math:`(E, D_e)`.
        edge_weight : Tensor, optional
            :math:`(E,)`, or :math:`(E, H)` for a weight per head; :math:`\alpha` is multiplied
            by it after the softmax.
        get_attention : bool
            Whether to return the attention weights too.

        Returns
        -------
        Tensor
            Node features :math:`(N_{dst}, H, D_{node})`.
        Tensor
            Edge features :math:`(E, H, D_{edge})`.
        Tensor, optional
            Attention weights :math:`(E, H, 1)`, multiplied by the edge weights.

        Raises
        ------
        InvalidValueError
            If a node has no in-edges (unless allowed), or features or weights have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        relation, x, x_dst = enter(self, graph, nfeats, self._in_node_feats, self.attn)
        check_features(self, efeats, relation.num_edges, self._in_edge_feats, self.attn, "edge")
        if edge_weight is not None:
            check_head_weight(self, relation, edge_weight, self._num_heads)

        # The bias is added per node: there are fewer nodes than edges.
        e = ops.u_add_e(relation, F.linear(x, self.fc_ni.weight, self.bias), self.fc_fij(efeats))
        e = F.leaky_relu(ops.e_add_v(relation, e, self.fc_nj(x_dst)), inplace=True)
        e = e.view(-1, self._num_heads, self._out_edge_feats)
        values = self.fc_node_src(x).view(-1, self._num_heads, self._out_node_feats)
        # The native product with a row per destination creates no tensor of the size of `e`.
        attn = self.attn.expand(relation.num_dst, -1, -1).to(e.dtype)
        scores = ops.e_dot_v(relation, e, attn).squeeze(-1)
        h, attention = attend(relation, scores, values, nn.Identity(), edge_weight)
        return (h, e, attention) if get_attention else (h, e)
