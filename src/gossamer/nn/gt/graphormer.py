"""Graphormer."""

from __future__ import annotations

from torch import Tensor, nn

from gossamer._options import as_int, number_in, require_function
from gossamer.nn._common import Activation, reset_children
from gossamer.nn.gt.biased_mha import BiasedMHA

__all__ = ["GraphormerLayer"]


class GraphormerLayer(nn.Module):
    r"""Layer of `Do Transformers Really Perform Bad for Graph Representation?
    <https://arxiv.org/abs/2106.05234>`__

    .. math::
        h &= \mathrm{norm}\big(x + \mathrm{attention}(x)\big) \\
        y &= \mathrm{norm}\big(h + \mathrm{ffn}(h)\big)

    or, with `norm_first`, :math:`h = x + \mathrm{attention}(\mathrm{norm}(x))` and
    :math:`y = h + \mathrm{ffn}(\mathrm{norm}(h))`. The attention is
    :class:`gossamer.nn.BiasedMHA`.

    Parameters
    ----------
    feat_size : int
        Width of the features, divisible by `num_heads`.
    hidden_size : int
        Hidden width of ffn.
    num_heads : int
        Number of heads.
    attn_bias_type : {"add", "mul"}
        Whether the bias is added to the scores or multiplied by them.
    norm_first : bool
        Whether the layer normalizations come first, as above.
    dropout, attn_dropout : float
        Dropout rates of the sublayers and of the attention weights.
    activation : callable
        Activation between the two maps of ffn.

    Raises
    ------
    InvalidValueError
        If `feat_size` is not divisible by `num_heads`, or an option is unknown.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> layer = gs.nn.GraphormerLayer(feat_size=8, hidden_size=16, num_heads=2)
    >>> layer(torch.rand(3, 5, 8), attn_bias=torch.rand(3, 5, 5, 2)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(
        self,
        feat_size: int,
        hidden_size: int,
        num_heads: int,
        attn_bias_type: str = "add",
        norm_first: bool = False,
        dropout: float = 0.1,
        attn_dropout: float = 0.1,
        activation: Activation = nn.ReLU(),  # noqa: B008 (it has no state)
    ) -> None:
        super().__init__()
        as_int(hidden_size, "GraphormerLayer", "hidden_size", 1)
        number_in(dropout, "GraphormerLayer", "dropout", 0, 1)
        require_function(activation, "GraphormerLayer", "activation")
        self.norm_first = norm_first
        self.attn = BiasedMHA(
            feat_size, num_heads, attn_bias_type=attn_bias_type, attn_drop=attn_dropout
        )
        self.ffn = nn.Sequential(
            nn.Linear(feat_size, hidden_size),
            activation,
            nn.Dropout(dropout),
            nn.Linear(hidden_size, feat_size),
            nn.Dropout(dropout),
        )
        self.dropout = nn.Dropout(dropout)
        self.attn_layer_norm = nn.LayerNorm(feat_size)
        self.ffn_layer_norm = nn.LayerNorm(feat_size)

    def reset_parameters(self) -> None:
        """Reinitialize all weights."""
        reset_children(self)

    def forward(
        self, nfeat: Tensor, attn_bias: Tensor | None = None, attn_mask: Tensor | None = None
    ) -> Tensor:
        r"""Transform the features.

        Parameters
        ----------
        nfeat : Tensor
            :math:`(B, N, D)`, each graph of the batch padded to :math:`N` nodes.
        attn_bias : Tensor, optional
            :math:`(B, N, N, H)`.
        attn_mask : Tensor, optional
            :math:`(B, N, N)`, True (or nonzero) where a node must not attend to another. Each row
            needs at least one False entry.

        Returns
        -------
        Tensor
            :math:`(B, N, D)`.

        Raises
        ------
        InvalidValueError
            If an input has the wrong shape.
        """
        if self.norm_first:
            h = self.attn(self.attn_layer_norm(nfeat), attn_bias, attn_mask)
            h = nfeat + self.dropout(h)
            return h + self.ffn(self.ffn_layer_norm(h))
        h = self.attn_layer_norm(nfeat + self.dropout(self.attn(nfeat, attn_bias, attn_mask)))
        return self.ffn_layer_norm(h + self.ffn(h))
