"""Scores of pairs of nodes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer._options import as_int, one_of
from gossamer.errors import InvalidValueError

__all__ = ["EdgePredictor"]

#: Width of the combination of two vectors of width n.
_WIDTHS = {
    "dot": lambda n: 1,
    "cos": lambda n: 1,
    "ele": lambda n: n,
    "cat": lambda n: 2 * n,
}


class EdgePredictor(nn.Module):
    r"""Combine the vectors of two nodes, then map the result linearly if widths are given.

    ======= ==========================================================
    "dot"   :math:`h_u \cdot h_v`
    "cos"   :math:`h_u \cdot h_v / (\Vert h_u \Vert \Vert h_v \Vert)`
    "ele"   :math:`h_u \odot h_v`
    "cat"   :math:`h_u \,\Vert\, h_v`
    ======= ==========================================================

    Parameters
    ----------
    op : {"dot", "cos", "ele", "cat"}
        How the vectors are combined, as above.
    in_feats : int, optional
        Width of the vectors; required for the linear map.
    out_feats : int, optional
        Width of the output; without it there is no linear map.
    bias : bool
        Whether the linear map has a bias.

    Raises
    ------
    InvalidValueError
        If `op` is unknown, or `out_feats` is given without `in_feats`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> h = torch.rand(4, 8)
    >>> u, v = gs.graph(([0, 1, 2], [1, 2, 3])).edges()
    >>> gs.nn.EdgePredictor("cat", in_feats=8, out_feats=1)(h[u], h[v]).shape
    torch.Size([3, 1])
    """

    def __init__(
        self,
        op: str,
        in_feats: int | None = None,
        out_feats: int | None = None,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.op = one_of(op, "EdgePredictor", "op", tuple(_WIDTHS))
        self.linear = None
        if out_feats is not None:
            if in_feats is None:
                raise InvalidValueError(
                    "EdgePredictor: out_feats adds a linear map, which needs in_feats too."
                )
            as_int(in_feats, "EdgePredictor", "in_feats", 0)
            self.linear = nn.Linear(_WIDTHS[op](in_feats), out_feats, bias=bias)

    def reset_parameters(self) -> None:
        """Reinitialize the linear map, if there is one."""
        if self.linear is not None:
            self.linear.reset_parameters()

    def forward(self, h_src: Tensor, h_dst: Tensor) -> Tensor:
        r"""Score pairs.

        Parameters
        ----------
        h_src, h_dst : Tensor
            Vectors of the two nodes of each pair, :math:`(E, D)`.

        Returns
        -------
        Tensor
            :math:`(E, D_{out})`; without a linear map, the width is that of the combination: 1,
            :math:`D` or :math:`2D`.

        Raises
        ------
        InvalidValueError
            If the two shapes differ.
        """
        if h_src.shape != h_dst.shape:
            raise InvalidValueError(
                "EdgePredictor: h_src and h_dst must have one shape, but got "
                f"{tuple(h_src.shape)} and {tuple(h_dst.shape)}."
            )
        if self.op == "dot":
            h = (h_src * h_dst).sum(-1, keepdim=True)
        elif self.op == "cos":
            h = F.cosine_similarity(h_src, h_dst, dim=-1).unsqueeze(-1)
        elif self.op == "ele":
            h = h_src * h_dst
        else:
            h = torch.cat([h_src, h_dst], dim=-1)
        return h if self.linear is None else self.linear(h)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"op={self.op}"
