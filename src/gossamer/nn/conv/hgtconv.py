"""Heterogeneous graph transformer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import as_int, number_in
from gossamer.nn._common import enter
from gossamer.nn._typed import TypedSources, check_types, typed_sources
from gossamer.nn.linear import TypedLinear

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["HGTConv"]


class HGTConv(nn.Module):
    r"""Transformer layer of `Heterogeneous Graph Transformer <https://arxiv.org/abs/2003.01332>`__.

    In each head, along an edge from node :math:`s` to node :math:`t` of edge type :math:`r`, with
    :math:`\tau` the type of a node,

    .. math::
        \alpha_{st} &= \mathrm{softmax}_s \Big(\frac{\mu_r}{\sqrt d}\,
            \big(h_s K_{\tau(s)} W^{att}_r\big) \cdot \big(h_t Q_{\tau(t)}\big)\Big) \\
        \tilde h_t &= \sum_s \alpha_{st}\; h_s V_{\tau(s)} W^{msg}_r \\
        h_t' &= \mathrm{norm}\big(\gamma_{\tau(t)} \, \mathrm{dropout}(\tilde h_t A_{\tau(t)})
            + (1 - \gamma_{\tau(t)}) \, h_t W^{res}\big), \qquad \gamma = \mathrm{sigmoid}(skip)

    where the softmax runs over the in-edges of :math:`t` of all types, and
    :math:`\tilde h_t` is the concatenation of the heads.

    Parameters
    ----------
    in_size : int
        Input features.
    head_size : int
        Features of a head, :math:`d`; the output has ``head_size * num_heads``.
    num_heads : int
        Number of heads.
    num_ntypes, num_etypes : int
        Number of node types and edge types.
    dropout : float
        Dropout rate of the new features.
    use_norm : bool
        Whether norm is layer normalization; otherwise it is the identity.

    Raises
    ------
    InvalidValueError
        If a size is not positive, or `dropout` is not a probability.

    Notes
    -----
    Matrices are initialized as in :class:`gossamer.nn.TypedLinear`, :math:`\mu` and skip to 1.
    :math:`W^{res}` is the identity if input and output have the same width, and is otherwise
    initialized Xavier uniform.
    A node without in-edges has :math:`\tilde h_t = 0`. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    >>> conv = gs.nn.HGTConv(5, head_size=4, num_heads=2, num_ntypes=2, num_etypes=3)
    >>> conv(g, torch.rand(3, 5), torch.tensor([0, 0, 1]), torch.tensor([0, 1, 2, 1])).shape
    torch.Size([3, 8])
    """

    def __init__(
        self,
        in_size: int,
        head_size: int,
        num_heads: int,
        num_ntypes: int,
        num_etypes: int,
        dropout: float = 0.2,
        use_norm: bool = False,
    ) -> None:
        super().__init__()
        as_int(head_size, "HGTConv", "head_size", 1)
        as_int(num_heads, "HGTConv", "num_heads", 1)
        as_int(num_etypes, "HGTConv", "num_etypes", 1)
        number_in(dropout, "HGTConv", "dropout", 0, 1)
        self.in_size = in_size
        self.head_size = head_size
        self.num_heads = num_heads
        self.sqrt_d = math.sqrt(head_size)
        self.use_norm = use_norm
        out_size = head_size * num_heads
        self.linear_k = TypedLinear(in_size, out_size, num_ntypes)
        self.linear_q = TypedLinear(in_size, out_size, num_ntypes)
        self.linear_v = TypedLinear(in_size, out_size, num_ntypes)
        self.linear_a = TypedLinear(out_size, out_size, num_ntypes)
        self.relation_pri = nn.ParameterList(
            nn.Parameter(torch.ones(num_etypes)) for _ in range(num_heads)
        )
        self.relation_att = nn.ModuleList(
            TypedLinear(head_size, head_size, num_etypes) for _ in range(num_heads)
        )
        self.relation_msg = nn.ModuleList(
            TypedLinear(head_size, head_size, num_etypes) for _ in range(num_heads)
        )
        self.skip = nn.Parameter(torch.ones(num_ntypes))
        self.drop = nn.Dropout(dropout)
        if use_norm:
            self.norm = nn.LayerNorm(out_size)
        if in_size != out_size:
            self.residual_w = nn.Parameter(torch.empty(in_size, out_size))
            nn.init.xavier_uniform_(self.residual_w)

    def reset_parameters(self) -> None:
        """Reinitialize all weights."""
        for module in self.modules():
            if isinstance(module, TypedLinear | nn.LayerNorm):
                module.reset_parameters()
        for scale in (*self.relation_pri, self.skip):
            nn.init.ones_(scale)
        if self.in_size != self.head_size * self.num_heads:
            nn.init.xavier_uniform_(self.residual_w)

    def forward(
        self, g: Graph, x: Tensor, ntype: Tensor, etype: Tensor, *, presorted: bool = False
    ) -> Tensor:
        r"""Transform the features.

        Parameters
        ----------
        g : Graph
            Homogeneous graph or block.
        x : Tensor
            :math:`(N, D_{in})`.
        ntype : Tensor
            :math:`(N,)`, the type of each node.
        etype : Tensor
            :math:`(E,)`, the type of each edge.
        presorted : bool
            Whether `ntype` and `etype` are both in ascending order, as
            :func:`gossamer.to_homogeneous` returns them.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, H \cdot d)`.

        Raises
        ------
        InvalidValueError
            If features or types have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters, or types are not integers.
        OutOfRangeError
            If a type is out of range.
        """
        adjacency, x, x_dst = enter(self, g, x, self.in_size, self.linear_k.W)
        ntype = check_types(self, ntype, adjacency.num_src, self.skip.shape[0], "node")
        num_etypes = self.relation_att[0].num_types
        etype = check_types(self, etype, adjacency.num_edges, num_etypes)
        ntype_dst = ntype[: adjacency.num_dst]
        heads = self.num_heads, self.head_size

        key = self.linear_k(x, ntype, presorted).unflatten(-1, heads)
        query = self.linear_q(x_dst, ntype_dst, presorted).unflatten(-1, heads)
        value = self.linear_v(x, ntype, presorted).unflatten(-1, heads)
        sources = typed_sources(adjacency, etype, num_etypes)
        scale = torch.stack(list(self.relation_pri), dim=-1)[sources.types] / self.sqrt_d
        key = self._along_edges(key, self.relation_att, sources) * scale.unsqueeze(-1)
        value = self._along_edges(value, self.relation_msg, sources)
        h = ops.graph_attention(sources.adjacency, value, key, query).flatten(1)

        h = self.drop(self.linear_a(h, ntype_dst, presorted))
        gate = self.skip[ntype_dst].sigmoid().unsqueeze(-1)
        own = x_dst if self.in_size == h.shape[1] else x_dst @ self.residual_w
        h = h * gate + own * (1 - gate)
        return self.norm(h) if self.use_norm else h

    def _along_edges(self, x: Tensor, maps: nn.ModuleList, sources: TypedSources) -> Tensor:
        """Multiply each pair of source and edge type by the matrix of the type, head by head."""
        rows = x[sources.nodes].transpose(0, 1)
        weight = torch.cat([each.get_weight() for each in maps])
        lengths = sources.lengths.repeat(self.num_heads)
        out = ops.segment_mm(rows.reshape(-1, self.head_size), weight, lengths)
        return out.view(rows.shape).transpose(0, 1)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"in={self.in_size}, out={self.head_size * self.num_heads}, heads={self.num_heads}"
