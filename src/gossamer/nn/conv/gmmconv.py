"""Gaussian mixture model convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import as_int, one_of
from gossamer.nn._common import (
    RELU_GAIN,
    Features,
    ZeroInDegreeGuard,
    check_features,
    check_sizes,
    enter,
    residual_map,
)
from gossamer.nn.conv._attention import reset_linear
from gossamer.utils import expand_as_pair

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GMMConv"]


class GMMConv(ZeroInDegreeGuard, nn.Module):
    r"""Mixture model convolution of `Geometric Deep Learning on Graphs and Manifolds Using Mixture
    Model CNNs <https://arxiv.org/abs/1611.08402>`__.

    .. math::
        h_i' &= \sum_{k=1}^{K} \mathrm{aggregate}_{j \in \mathcal{N}(i)}\,
            w_k(u_{ji})\, \Theta_k h_j + r(h_i) + b \\
        w_k(u) &= \exp\Big(-\tfrac{1}{2} (u - \mu_k)^\top \Sigma_k^{-1} (u - \mu_k)\Big)

    where :math:`u_{ji}` are the pseudo-coordinates of an edge and :math:`\Sigma_k` is diagonal. The
    residual :math:`r` is 0, the identity, or, if the sizes differ, a linear map.

    Parameters
    ----------
    in_feats : int or (int, int)
        Input features :math:`D_{in}`; a pair for source and destination nodes.
    out_feats : int
        Output features :math:`D_{out}`.
    dim : int
        Number of pseudo-coordinates per edge.
    n_kernels : int
        Number of kernels :math:`K`.
    aggregator_type : {"sum", "mean", "max"}
        How the neighbors are aggregated, element by element and kernel by kernel.
    residual : bool
        Whether to add :math:`r`.
    bias : bool
        Whether to add :math:`b`.
    allow_zero_in_degree : bool
        Whether to accept nodes without in-edges: 0 is aggregated for them.

    Raises
    ------
    InvalidValueError
        If `aggregator_type` is unknown.

    Notes
    -----
    Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> conv = gs.nn.GMMConv(4, 3, dim=2, n_kernels=5)
    >>> conv(g, torch.rand(3, 4), torch.rand(3, 2)).shape
    torch.Size([3, 3])
    """

    def __init__(
        self,
        in_feats: int | tuple[int, int],
        out_feats: int,
        dim: int,
        n_kernels: int,
        aggregator_type: str = "sum",
        residual: bool = False,
        bias: bool = True,
        allow_zero_in_degree: bool = False,
    ) -> None:
        super().__init__()
        one_of(aggregator_type, "GMMConv", "aggregator_type", ("sum", "mean", "max"))
        check_sizes("GMMConv", in_feats=in_feats, out_feats=out_feats)
        self._in_src_feats, self._in_dst_feats = expand_as_pair(in_feats)
        self._out_feats = out_feats
        self._dim = as_int(dim, "GMMConv", "dim", 0)
        self._n_kernels = as_int(n_kernels, "GMMConv", "n_kernels", 0)
        self._aggregator = aggregator_type
        self._allow_zero_in_degree = allow_zero_in_degree
        self.mu = nn.Parameter(torch.empty(n_kernels, dim))
        self.inv_sigma = nn.Parameter(torch.empty(n_kernels, dim))
        self.fc = nn.Linear(self._in_src_feats, n_kernels * out_feats, bias=False)
        self.res_fc = residual_map(self._in_dst_feats, out_feats, False) if residual else None
        self.bias = nn.Parameter(torch.empty(out_feats)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Reinitialize :math:`\Theta` and :math:`r` (Xavier normal, gain of relu) and :math:`\mu`.

        :math:`\mu` is normal with deviation 0.1; :math:`\Sigma^{-1/2}` is set to 1, :math:`b` to 0.
        """
        nn.init.xavier_normal_(self.fc.weight, gain=RELU_GAIN)
        reset_linear(self.res_fc)
        nn.init.normal_(self.mu, 0, 0.1)
        nn.init.ones_(self.inv_sigma)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, graph: Graph, feat: Features, pseudo: Tensor) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, D_{in})`, or one such tensor for source and one for destination nodes.
        pseudo : Tensor
            Pseudo-coordinates :math:`(E, dim)`.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, D_{out})`.

        Raises
        ------
        InvalidValueError
            If a node has no in-edges (unless allowed), or features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        widths = self._in_src_feats, self._in_dst_feats
        relation, x, x_dst = enter(self, graph, feat, widths, self.mu)
        check_features(self, pseudo, relation.num_edges, self._dim, self.mu, "edge")

        z = self.fc(x).view(-1, self._n_kernels, self._out_feats)
        distance = (pseudo.unsqueeze(1) - self.mu) * self.inv_sigma
        kernel = torch.exp(-0.5 * distance.square().sum(-1, keepdim=True)).to(z.dtype)
        h = ops.gspmm(relation, "mul", self._aggregator, z, kernel).sum(1)
        if self.res_fc is not None:
            h = h + self.res_fc(x_dst)
        return h if self.bias is None else h + self.bias

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"out={self._out_feats}, dim={self._dim}, n_kernels={self._n_kernels}"
