"""Edge-augmented graph transformer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gossamer._options import as_int, number_in, require_function
from gossamer.nn._common import Activation, reset_children
from gossamer.nn.gt.biased_mha import check_dense, check_pairs, head_size

__all__ = ["EGTLayer"]


class EGTLayer(nn.Module):
    r"""Layer of `Global Self-Attention as a Replacement for Graph Convolution
    <https://arxiv.org/abs/2108.03348>`__.

    With node features :math:`h` and edge features :math:`e`, both normalized first, each head
    computes

    .. math::
        \hat a_{uv} &= \mathrm{clip}(q_u \cdot k_v, -5, 5) + E(e_{uv}) \\
        g_{uv} &= \mathrm{sigmoid}(G(e_{uv})) \\
        h'_u &= h_u + O\Big(\ln\big(1 + \textstyle\sum_v g_{uv}\big)
            \sum_v \mathrm{softmax}_v(\hat a_{uv})\, g_{uv}\, v_v\Big) \\
        e'_{uv} &= e_{uv} + O_e(\hat a_{uv})

    followed by :math:`x'' = x' + \mathrm{ffn}(\mathrm{norm}(x'))` for nodes and edges. The virtual
    nodes, which come first, are not scaled by the logarithm.

    Parameters
    ----------
    feat_size : int
        Width of the node features, divisible by `num_heads`.
    edge_feat_size : int
        Width of the edge features.
    num_heads : int
        Number of heads.
    num_virtual_nodes : int
        Number of virtual nodes.
    dropout, attn_dropout : float
        Dropout rates of the sublayers and of the attention weights.
    activation : callable
        Activation between the two maps of ffn.
    edge_update : bool
        Whether to compute :math:`e''`.

    Raises
    ------
    InvalidValueError
        If `feat_size` is not divisible by `num_heads`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> layer = gs.nn.EGTLayer(8, edge_feat_size=4, num_heads=2, num_virtual_nodes=1)
    >>> nodes, edges = layer(torch.rand(3, 5, 8), torch.rand(3, 5, 5, 4))
    >>> nodes.shape, edges.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 5, 5, 4]))
    """

    def __init__(
        self,
        feat_size: int,
        edge_feat_size: int,
        num_heads: int,
        num_virtual_nodes: int,
        dropout: float = 0,
        attn_dropout: float = 0,
        activation: Activation = nn.ELU(),  # noqa: B008 (it has no state)
        edge_update: bool = True,
    ) -> None:
        super().__init__()
        as_int(edge_feat_size, "EGTLayer", "edge_feat_size", 1)
        as_int(num_virtual_nodes, "EGTLayer", "num_virtual_nodes", 0)
        number_in(dropout, "EGTLayer", "dropout", 0, 1)
        number_in(attn_dropout, "EGTLayer", "attn_dropout", 0, 1)
        require_function(activation, "EGTLayer", "activation")
        self.num_heads = num_heads
        self.num_virtual_nodes = num_virtual_nodes
        self.edge_update = edge_update
        self.dot_dim = head_size("EGTLayer", feat_size, num_heads)
        self.mha_ln_h = nn.LayerNorm(feat_size)
        self.mha_ln_e = nn.LayerNorm(edge_feat_size)
        self.edge_input = nn.Linear(edge_feat_size, num_heads)
        self.qkv_proj = nn.Linear(feat_size, 3 * feat_size)
        self.gate = nn.Linear(edge_feat_size, num_heads)
        self.attn_dropout = nn.Dropout(attn_dropout)
        self.node_output = nn.Linear(feat_size, feat_size)
        self.mha_dropout_h = nn.Dropout(dropout)
        self.node_ffn = _ffn(feat_size, activation, dropout)
        if edge_update:
            self.edge_output = nn.Linear(num_heads, edge_feat_size)
            self.mha_dropout_e = nn.Dropout(dropout)
            self.edge_ffn = _ffn(edge_feat_size, activation, dropout)

    def reset_parameters(self) -> None:
        """Reinitialize all weights."""
        reset_children(self)

    def forward(
        self, nfeat: Tensor, efeat: Tensor, mask: Tensor | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        r"""Transform the features.

        Parameters
        ----------
        nfeat : Tensor
            :math:`(B, N, D)`: first the virtual nodes, then the nodes of each graph, padded.
        efeat : Tensor
            :math:`(B, N, N, D_e)`.
        mask : Tensor, optional
            :math:`(B, N, N)`, added to scores and gates: 0, or :math:`-\infty` where a node must
            not attend to another.

        Returns
        -------
        Tensor
            :math:`(B, N, D)`.
        Tensor, optional
            :math:`(B, N, N, D_e)`; only if `edge_update` is set.

        Raises
        ------
        InvalidValueError
            If an input has the wrong shape.
        """
        check_dense("EGTLayer", nfeat, self.qkv_proj.in_features)
        pairs = (nfeat.shape[0], nfeat.shape[1], nfeat.shape[1])
        check_pairs("EGTLayer", "efeat", efeat, (*pairs, self.edge_input.in_features))
        check_pairs("EGTLayer", "mask", mask, pairs)

        e = self.mha_ln_e(efeat)
        heads = (3, self.dot_dim, self.num_heads)
        query, key, value = self.qkv_proj(self.mha_ln_h(nfeat)).unflatten(-1, heads).unbind(2)
        scores = torch.einsum("budh,bvdh->buvh", query, key)
        scores = scores.clamp(-5, 5) + self.edge_input(e)
        gates, masked = self.gate(e), scores
        if mask is not None:
            gates, masked = gates + mask.unsqueeze(-1), scores + mask.unsqueeze(-1)
        gates = gates.sigmoid()
        share = self.attn_dropout(masked.softmax(2) * gates)
        scale = torch.log1p(gates.sum(2))
        scale[:, : self.num_virtual_nodes] = 1
        h = torch.einsum("buvh,bvdh->budh", share, value) * scale.unsqueeze(2)
        h = nfeat + self.mha_dropout_h(self.node_output(h.flatten(2)))
        h = h + self.node_ffn(h)
        if not self.edge_update:
            return h
        e = efeat + self.mha_dropout_e(self.edge_output(scores))
        return h, e + self.edge_ffn(e)


def _ffn(width: int, activation: Activation, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, width),
        activation,
        nn.Linear(width, width),
        nn.Dropout(dropout),
    )
