"""Simplified graph convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional as F

from gossamer._options import as_int, require_function
from gossamer.errors import InvalidValueError
from gossamer.nn._common import (
    Activation,
    ZeroInDegreeGuard,
    check_sizes,
    enter_square,
    propagate,
)
from gossamer.nn.conv.graphconv import normalized_weight

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["SGConv"]


class SGConv(ZeroInDegreeGuard, nn.Module):
    r"""Graph convolution of `Simplifying Graph Convolutional Networks
    <https://arxiv.org/abs/1902.07153>`__.

    .. math::
        H' = \mathrm{norm}\big(\hat{A}^K H\big) W + b, \qquad \hat{A} = D^{-1/2} A D^{-1/2}

    where :math:`A_{ij}` counts the edges from :math:`j` to :math:`i` and :math:`D` is the
    diagonal matrix of in-degrees (at least 1). With edge weights, :math:`\hat{A}` holds the weights
    that `EdgeWeightNorm` computes from them.

    Parameters
    ----------
    in_feats : int
        Input features :math:`D_{in}`.
    out_feats : int
        Output features :math:`D_{out}`.
    k : int
        Hops :math:`K`.
    cached : bool
        Whether to reuse :math:`\mathrm{norm}(\hat{A}^K H)` of the first call in all later calls;
        only for a graph and features that never change.
    bias : bool
        Whether to add :math:`b`.
    norm : callable, optional
        Normalization of the propagated features.
    allow_zero_in_degree : bool
        Whether to accept nodes without in-edges. They receive 0 in each hop.

    Notes
    -----
    The layer adds no self-loops; the paper adds one to each node. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> gs.nn.SGConv(4, 3, k=2)(g, torch.rand(3, 4)).shape
    torch.Size([3, 3])
    """

    def __init__(
        self,
        in_feats: int,
        out_feats: int,
        k: int = 1,
        cached: bool = False,
        bias: bool = True,
        norm: Activation = None,
        allow_zero_in_degree: bool = False,
    ) -> None:
        super().__init__()
        check_sizes("SGConv", in_feats=in_feats, out_feats=out_feats)
        require_function(norm, "SGConv", "norm")
        self._in_feats = in_feats
        self._k = as_int(k, "SGConv", "k", 0)
        self._cached = cached
        self._cached_h: Tensor | None = None
        self._allow_zero_in_degree = allow_zero_in_degree
        self.fc = nn.Linear(in_feats, out_feats, bias=bias)
        self.norm = norm
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw :math:`W` uniformly (Xavier) and set :math:`b` to 0."""
        nn.init.xavier_uniform_(self.fc.weight)
        if self.fc.bias is not None:
            nn.init.zeros_(self.fc.bias)

    def forward(self, graph: Graph, feat: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`(N, *, D_{in})`.
        edge_weight : Tensor, optional
            :math:`(E,)`, positive.

        Returns
        -------
        Tensor
            :math:`(N, *, D_{out})`.

        Raises
        ------
        InvalidValueError
            If a node has no in-edges (unless allowed), features or weights have the wrong shape, or
            the cached features belong to a graph with a different number of nodes.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        relation, x = enter_square(self, graph, feat, self._in_feats, self.fc.weight)
        weight = normalized_weight(self, relation, edge_weight)
        if self._cached_h is not None:
            self._check_cached(relation.num_dst)
            return self.fc(self._cached_h)
        # The product with W comes first if the hops then act on narrower rows.
        weight_first = not self._cached and self.norm is None
        weight_first = weight_first and self.fc.out_features < self._in_feats
        h = F.linear(x, self.fc.weight) if weight_first else x
        for _ in range(self._k):
            h = propagate(relation, h, weight)
        if weight_first:
            return h if self.fc.bias is None else h + self.fc.bias
        if self.norm is not None:
            h = self.norm(h)
        if self._cached:
            self._cached_h = h
        return self.fc(h)

    def _check_cached(self, num_nodes: int) -> None:
        if self._cached_h.shape[0] != num_nodes:
            raise InvalidValueError(
                f"SGConv: cached=True keeps the features of a graph with {len(self._cached_h)} "
                f"nodes, but this one has {num_nodes}. Build the layer with cached=False."
            )

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"in={self._in_feats}, out={self.fc.out_features}, k={self._k}"
