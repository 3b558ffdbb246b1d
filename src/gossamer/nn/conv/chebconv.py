"""Chebyshev spectral graph convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import ops
from gossamer._options import as_int, require_function
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn._common import Activation, check_sizes, degree_scale, enter_square, reset_children

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["ChebConv"]


class ChebConv(nn.Module):
    r"""Spectral convolution of `Convolutional Neural Networks on Graphs with Fast Localized
    Spectral Filtering <https://arxiv.org/abs/1606.09375>`__.

    .. math::
        H' &= \sigma\Big(\sum_{k=0}^{K-1} Z_k W_k + b\Big), \qquad
            Z_0 = H, \quad Z_1 = \tilde{L} H, \quad Z_k = 2 \tilde{L} Z_{k-1} - Z_{k-2} \\
        \tilde{L} &= \frac{2}{\lambda_{max}} \big(I - D^{-1/2} A D^{-1/2}\big) - I

    where :math:`A_{ij}` counts the edges from :math:`j` to :math:`i` and :math:`D` is the
    diagonal matrix of in-degrees (at least 1).

    Parameters
    ----------
    in_feats : int
        Input features :math:`D_{in}`.
    out_feats : int
        Output features :math:`D_{out}`.
    k : int
        Number of Chebyshev polynomials :math:`K`.
    activation : callable, optional
        :math:`\sigma`; relu by default.
    bias : bool
        Whether to add :math:`b`.

    Notes
    -----
    The parameters are initialized as in `torch.nn.Linear`. The spectrum is real for graphs with
    a reverse edge for each edge. The Laplacian :math:`I - D^{-1/2} A D^{-1/2}` has a row of
    :math:`I` for a node without in-edges.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2], [1, 0, 2, 1]))
    >>> gs.nn.ChebConv(4, 3, k=2)(g, torch.rand(3, 4), lambda_max=[2.0]).shape
    torch.Size([3, 3])
    """

    def __init__(
        self,
        in_feats: int,
        out_feats: int,
        k: int,
        activation: Activation = F.relu,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_sizes("ChebConv", in_feats=in_feats, out_feats=out_feats)
        require_function(activation, "ChebConv", "activation")
        self._k = as_int(k, "ChebConv", "k", 1)
        self._in_feats = in_feats
        self._out_feats = out_feats
        self.activation = activation
        self.linear = nn.Linear(k * in_feats, out_feats, bias)

    def reset_parameters(self) -> None:
        """Reinitialize all :math:`W` and :math:`b`."""
        reset_children(self)

    def forward(
        self,
        graph: Graph,
        feat: Tensor,
        lambda_max: Sequence[float] | Tensor | None = None,
    ) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, or a batch of :math:`B` graphs.
        feat : Tensor
            :math:`(N, *, D_{in})`.
        lambda_max : list of float or Tensor, optional
            :math:`(B,)`, the largest eigenvalue of the Laplacian of each graph, as returned by
            `gossamer.laplacian_lambda_max`. Default: 2, an upper bound.

        Returns
        -------
        Tensor
            :math:`(N, *, D_{out})`.

        Raises
        ------
        InvalidValueError
            If sources and destinations are not the same nodes, features have the wrong shape, or
            the number of eigenvalues is not the number of graphs.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        relation, x = enter_square(self, graph, feat, self._in_feats, self.linear.weight)
        scale = self._scale(graph, lambda_max, x)
        root = degree_scale(relation, "dst", -0.5, x)

        def laplacian(z: Tensor, factor: float) -> Tensor:
            # The pass over the edges applies the factors of both terms.
            sent, own = -factor * scale * root, factor * (scale - 1)
            if own.numel() == 1:
                return ops.scaled_sum(relation, z, root, sent, own)
            own = own.view(-1, *(1,) * (z.dim() - 1))
            return torch.addcmul(ops.scaled_sum(relation, z, root, sent), z, own)

        terms = [x]
        if self._k > 1:
            terms.append(laplacian(x, 1))
        for _ in range(2, self._k):
            terms.append(laplacian(terms[-1], 2) - terms[-2])
        h = self.linear(torch.cat(terms, -1))
        return h if self.activation is None else self.activation(h)

    def _scale(
        self, graph: Graph, lambda_max: Sequence[float] | Tensor | None, x: Tensor
    ) -> Tensor:
        r"""Return :math:`2 / \lambda_{max}` of each node's graph, or one value for all nodes."""
        if lambda_max is None:
            return x.new_ones(1)
        try:
            values = torch.as_tensor(lambda_max, dtype=x.dtype, device=x.device)
        except (TypeError, ValueError, RuntimeError):
            raise InvalidTypeError(
                f"ChebConv: lambda_max must be a list or tensor of numbers, got {lambda_max!r}."
            ) from None
        if values.numel() != graph.batch_size:
            raise InvalidValueError(
                f"ChebConv: lambda_max must have one number per graph ({graph.batch_size}), "
                f"but got {values.numel()}."
            )
        if graph.batch_size > 1:
            counts = graph.batch_num_nodes()
            values = torch.repeat_interleave(values.flatten(), counts, output_size=x.shape[0])
        return 2 / values.flatten()

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"in={self._in_feats}, out={self._out_feats}, k={self._k}"
