"""Graph attention with dot products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from gossamer import ops
from gossamer.nn._common import (
    Features,
    ZeroInDegreeGuard,
    check_sizes,
    enter,
    reset_children,
)
from gossamer.nn.conv._attention import add_maps, project
from gossamer.utils import expand_as_pair

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["DotGatConv"]


class DotGatConv(ZeroInDegreeGuard, nn.Module):
    r"""`GATConv` with the scaled dot product of `Attention Is All You Need
    <https://arxiv.org/abs/1706.03762>`__ as score.

    Per head, with :math:`\mathcal{N}(i)` the sources of the in-edges of node :math:`i`,

    .. math::
        h_i' = \sum_{j \in \mathcal{N}(i)} \mathrm{softmax}_{j \in \mathcal{N}(i)}
            \Big(\frac{\langle W_{src} h_j, W_{dst} h_i \rangle}{\sqrt{D_{out}}}\Big) W_{src} h_j

    Parameters
    ----------
    in_feats : int or (int, int)
        Input features :math:`D_{in}`; a pair for source and destination nodes, which then have a
        :math:`W` each.
    out_feats : int
        Output features :math:`D_{out}` of each head.
    num_heads : int
        Heads :math:`H`.
    allow_zero_in_degree : bool
        Whether to accept nodes without in-edges. Their output is 0.

    Notes
    -----
    The maps are initialized as in `torch.nn.Linear`. Duplicate edges each take part in the
    softmax.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 2]))
    >>> conv = gs.nn.DotGatConv(4, 3, num_heads=2)
    >>> out, attention = conv(g, torch.rand(3, 4), get_attention=True)
    >>> out.shape, attention.shape
    (torch.Size([3, 2, 3]), torch.Size([4, 2, 1]))
    """

    def __init__(
        self,
        in_feats: int | tuple[int, int],
        out_feats: int,
        num_heads: int,
        allow_zero_in_degree: bool = False,
    ) -> None:
        super().__init__()
        check_sizes("DotGatConv", in_feats=in_feats, out_feats=out_feats, num_heads=num_heads)
        self._in_src_feats, self._in_dst_feats = expand_as_pair(in_feats)
        self._out_feats = out_feats
        self._num_heads = num_heads
        self._allow_zero_in_degree = allow_zero_in_degree
        add_maps(self, in_feats, num_heads * out_feats)

    def reset_parameters(self) -> None:
        """Reinitialize the maps."""
        reset_children(self)

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
            Attention weights :math:`(E, *, H, 1)`.

        Raises
        ------
        InvalidValueError
            If a node has no in-edges (unless allowed), or features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        fc_src, fc_dst = (self.fc, self.fc) if self._one_weight else (self.fc_src, self.fc_dst)
        widths = self._in_src_feats, self._in_dst_feats
        relation, x, x_dst = enter(self, graph, feat, widths, fc_src.weight)
        heads = self._num_heads, self._out_feats
        dst_in_src = not isinstance(feat, tuple)
        z, z_dst = project(fc_src, fc_dst, x, x_dst, heads, dst_in_src=dst_in_src)
        query = z_dst / self._out_feats**0.5
        if not get_attention:
            return ops.graph_attention(relation, z, z, query, "dot")
        attention = ops.edge_softmax(relation, ops.u_dot_v(relation, z, query))
        return ops.u_mul_e_sum(relation, z, attention), attention

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"out={self._out_feats}, heads={self._num_heads}"
