"""Gated graph convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import ops
from gossamer._options import as_int
from gossamer.errors import InvalidValueError
from gossamer.nn._common import RELU_GAIN, check_features, check_sizes, enter_square
from gossamer.nn._typed import check_types
from gossamer.ops.adjacency import Adjacency

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GatedGraphConv"]


class GatedGraphConv(nn.Module):
    r"""Gated recurrent layer of `Gated Graph Sequence Neural Networks
    <https://arxiv.org/abs/1511.05493>`__.

    .. math::
        h_i^{(0)} &= [x_i \,\|\, 0] \\
        a_i^{(t)} &= \sum_{e = (j, i)} \big(W_{r_e} h_j^{(t)} + b_{r_e}\big) \\
        h_i^{(t+1)} &= \mathrm{GRU}\big(a_i^{(t)}, h_i^{(t)}\big)

    where :math:`r_e` is the type of an edge.

    Parameters
    ----------
    in_feats : int
        Input features :math:`D_{in}`.
    out_feats : int
        Output features :math:`D_{out}`, at least :math:`D_{in}`.
    n_steps : int
        Steps :math:`T`; the output is :math:`h^{(T)}`.
    n_etypes : int
        Number of edge types.
    bias : bool
        Whether the GRU has biases.

    Raises
    ------
    InvalidValueError
        If `out_feats` is less than `in_feats`.

    Notes
    -----
    Nodes without in-edges receive :math:`a_i = 0`. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> conv = gs.nn.GatedGraphConv(4, 6, n_steps=2, n_etypes=3)
    >>> conv(g, torch.rand(3, 4), torch.tensor([0, 2, 1])).shape
    torch.Size([3, 6])
    """

    def __init__(
        self, in_feats: int, out_feats: int, n_steps: int, n_etypes: int, bias: bool = True
    ) -> None:
        super().__init__()
        check_sizes("GatedGraphConv", in_feats=in_feats, out_feats=out_feats)
        if out_feats < in_feats:
            raise InvalidValueError(
                "GatedGraphConv: out_feats must be at least in_feats, as the input is padded with "
                f"zeros, but got {out_feats} and {in_feats}."
            )
        self._in_feats = in_feats
        self._out_feats = out_feats
        self._n_steps = as_int(n_steps, "GatedGraphConv", "n_steps", 0)
        self._n_etypes = as_int(n_etypes, "GatedGraphConv", "n_etypes", 1)
        self.linears = nn.ModuleList([nn.Linear(out_feats, out_feats) for _ in range(n_etypes)])
        self.gru = nn.GRUCell(out_feats, out_feats, bias=bias)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reinitialize :math:`W` (Xavier normal, gain of relu) and the GRU; set :math:`b` to 0."""
        self.gru.reset_parameters()
        for linear in self.linears:
            nn.init.xavier_normal_(linear.weight, gain=RELU_GAIN)
            nn.init.zeros_(linear.bias)

    def set_allow_zero_in_degree(self, set_value: bool) -> None:
        """Do nothing: unlike other layers, this one always accepts nodes without in-edges.

        Parameters
        ----------
        set_value : bool
            Ignored.
        """

    def forward(self, graph: Graph, feat: Tensor, etypes: Tensor | None = None) -> Tensor:
        r"""Run the recurrence.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`(N, D_{in})`; up to :math:`D_{out}` columns are accepted.
        etypes : Tensor, optional
            :math:`(E,)`, integers: the type of each edge. May be omitted if `n_etypes` is 1.

        Returns
        -------
        Tensor
            :math:`(N, D_{out})`.

        Raises
        ------
        InvalidValueError
            If features or types have the wrong shape, or types are missing.
        OutOfRangeError
            If a type is not in ``0 ... n_etypes - 1``.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        like = self.linears[0].weight
        relation, x = enter_square(self, graph, feat, like=like)
        if x.dim() != 2 or x.shape[1] > self._out_feats:
            check_features(self, x, relation.num_src, self._in_feats)
        typed = self._typed(relation, etypes)

        weight = torch.cat([linear.weight for linear in self.linears])
        bias = torch.cat([linear.bias for linear in self.linears])
        h = F.pad(x, (0, self._out_feats - x.shape[1]))
        for _ in range(self._n_steps):
            # One source per pair of node and edge type; each type has its own linear map.
            z = F.linear(h, weight, bias).view(-1, self._out_feats)
            h = self.gru(ops.copy_u_sum(typed, z), h)
        return h

    def _typed(self, relation: Adjacency, etypes: Tensor | None) -> Adjacency:
        """Return the edges with source ``node * n_etypes + type`` and the same destinations."""
        if self._n_etypes == 1 and etypes is None:
            return relation
        if etypes is None:
            raise InvalidValueError(
                f"GatedGraphConv: the layer was built for {self._n_etypes} edge types, but etypes "
                "is missing. Pass the type of each edge."
            )
        types = check_types(self, etypes, relation.num_edges, self._n_etypes)
        src, dst = relation.coo()
        sources = src.long() * self._n_etypes + types
        num_src = relation.num_src * self._n_etypes
        return Adjacency(num_src, relation.num_dst, torch.int64, coo=(sources, dst.long()))

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return (
            f"in={self._in_feats}, out={self._out_feats}, n_steps={self._n_steps}, "
            f"n_etypes={self._n_etypes}"
        )
