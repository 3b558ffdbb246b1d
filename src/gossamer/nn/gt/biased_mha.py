"""Dense attention with a bias for each pair of nodes."""

from __future__ import annotations

from torch import Tensor, nn

from gossamer._options import as_int, number_in, one_of
from gossamer.errors import InvalidValueError
from gossamer.nn._common import check_divisible

__all__ = ["BiasedMHA"]


class BiasedMHA(nn.Module):
    r"""Multi-head attention with a bias, from `Do Transformers Really Perform Bad for Graph
    Representation? <https://arxiv.org/abs/2106.05234>`__

    .. math::
        \mathrm{softmax}\Big(\frac{Q K^\top}{\sqrt{d}} \circ b\Big) V

    in each head, where :math:`d` is the width of a head and :math:`\circ` a sum or a product.

    Parameters
    ----------
    feat_size : int
        Width of the features, divisible by `num_heads`.
    num_heads : int
        Number of heads.
    bias : bool
        Whether the linear maps have a bias.
    attn_bias_type : {"add", "mul"}
        Whether the bias is added to the scores or multiplied by them.
    attn_drop : float
        Dropout rate of the attention weights.

    Raises
    ------
    InvalidValueError
        If `feat_size` is not divisible by `num_heads`, or an option is unknown.

    Notes
    -----
    The maps of queries, keys and values are initialized Xavier uniform with gain
    :math:`1/\sqrt 2`; the output map is initialized with gain 1 and bias 0.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> attention = gs.nn.BiasedMHA(feat_size=8, num_heads=2)
    >>> attention(torch.rand(3, 5, 8), attn_bias=torch.rand(3, 5, 5, 2)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(
        self,
        feat_size: int,
        num_heads: int,
        bias: bool = True,
        attn_bias_type: str = "add",
        attn_drop: float = 0.1,
    ) -> None:
        super().__init__()
        one_of(attn_bias_type, "BiasedMHA", "attn_bias_type", ("add", "mul"))
        number_in(attn_drop, "BiasedMHA", "attn_drop", 0, 1)
        self.feat_size = feat_size
        self.num_heads = num_heads
        self.head_dim = head_size("BiasedMHA", feat_size, num_heads)
        self.scaling = self.head_dim**-0.5
        self.attn_bias_type = attn_bias_type
        self.q_proj = nn.Linear(feat_size, feat_size, bias=bias)
        self.k_proj = nn.Linear(feat_size, feat_size, bias=bias)
        self.v_proj = nn.Linear(feat_size, feat_size, bias=bias)
        self.out_proj = nn.Linear(feat_size, feat_size, bias=bias)
        self.dropout = nn.Dropout(attn_drop)
        self._draw()

    def reset_parameters(self) -> None:
        """Reinitialize all weights."""
        for linear in (self.q_proj, self.k_proj, self.v_proj, self.out_proj):
            linear.reset_parameters()
        self._draw()

    def _draw(self) -> None:
        for linear in (self.q_proj, self.k_proj, self.v_proj):
            nn.init.xavier_uniform_(linear.weight, gain=2**-0.5)
        nn.init.xavier_uniform_(self.out_proj.weight)
        if self.out_proj.bias is not None:
            nn.init.zeros_(self.out_proj.bias)

    def forward(
        self, ndata: Tensor, attn_bias: Tensor | None = None, attn_mask: Tensor | None = None
    ) -> Tensor:
        r"""Apply the attention.

        Parameters
        ----------
        ndata : Tensor
            :math:`(B, N, D)`, each graph of the batch padded to :math:`N` nodes.
        attn_bias : Tensor, optional
            :math:`b`, :math:`(B, N, N, H)`.
        attn_mask : Tensor, optional
            :math:`(B, N, N)`, True (or nonzero) where a node must not attend to another. Each row
            needs at least one False entry, including the rows of padding.

        Returns
        -------
        Tensor
            :math:`(B, N, D)`.

        Raises
        ------
        InvalidValueError
            If an input has the wrong shape.
        """
        check_dense("BiasedMHA", ndata, self.feat_size)
        pairs = (ndata.shape[0], ndata.shape[1], ndata.shape[1])
        check_pairs("BiasedMHA", "attn_bias", attn_bias, (*pairs, self.num_heads))
        check_pairs("BiasedMHA", "attn_mask", attn_mask, pairs)
        query, key, value = (
            proj(ndata).unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        scores = (query * self.scaling) @ key.transpose(-1, -2)
        if attn_bias is not None:
            bias = attn_bias.permute(0, 3, 1, 2)
            scores = scores + bias if self.attn_bias_type == "add" else scores * bias
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask.bool().unsqueeze(1), float("-inf"))
        share = self.dropout(scores.softmax(-1))
        return self.out_proj((share @ value).transpose(1, 2).flatten(-2))

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"num_heads={self.num_heads}, attn_bias_type={self.attn_bias_type}"


def head_size(name: str, feat_size: int, num_heads: int) -> int:
    """Return the width of a head."""
    as_int(feat_size, name, "feat_size", 1)
    as_int(num_heads, name, "num_heads", 1)
    check_divisible(name, feat_size=feat_size, num_heads=num_heads)
    return feat_size // num_heads


def check_dense(name: str, feat: Tensor, width: int) -> None:
    """Raise unless `feat` is ``(B, N, width)``."""
    if not isinstance(feat, Tensor) or feat.dim() != 3 or feat.shape[-1] != width:
        shape = tuple(feat.shape) if isinstance(feat, Tensor) else type(feat).__name__
        raise InvalidValueError(
            f"{name}: node features must have shape (batch, nodes, {width}), but got {shape}."
        )


def check_pairs(name: str, argument: str, value: Tensor | None, shape: tuple[int, ...]) -> None:
    """Raise unless `value` is None or has the shape `shape`."""
    found = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
    if value is not None and found != shape:
        raise InvalidValueError(
            f"{name}: {argument} must have shape {shape}, an entry for each pair of nodes, but got "
            f"{found}."
        )
