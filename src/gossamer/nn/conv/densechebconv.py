"""Chebyshev spectral graph convolution on a dense adjacency matrix."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gossamer._options import as_int
from gossamer.nn._common import RELU_GAIN, check_features, check_sizes
from gossamer.nn.conv.densegraphconv import check_matrix

__all__ = ["DenseChebConv"]


class DenseChebConv(nn.Module):
    r"""`ChebConv` on a dense adjacency matrix, without an activation.

    .. math::
        H' &= \sum_{k=0}^{K-1} Z_k W_k + b, \qquad
            Z_0 = H, \quad Z_1 = \tilde{L} H, \quad Z_k = 2 \tilde{L} Z_{k-1} - Z_{k-2} \\
        \tilde{L} &= \frac{2}{\lambda_{max}} \big(I - D^{-1/2} A D^{-1/2}\big) - I

    Parameters
    ----------
    in_feats : int
        Input features :math:`D_{in}`.
    out_feats : int
        Output features :math:`D_{out}`.
    k : int
        Number of Chebyshev polynomials :math:`K`.
    bias : bool
        Whether to add :math:`b`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> conv = gs.nn.DenseChebConv(4, 3, k=2)
    >>> conv(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.rand(2, 4)).shape
    torch.Size([2, 3])
    """

    def __init__(self, in_feats: int, out_feats: int, k: int, bias: bool = True) -> None:
        super().__init__()
        check_sizes("DenseChebConv", in_feats=in_feats, out_feats=out_feats)
        self._in_feats = in_feats
        self._out_feats = out_feats
        self._k = as_int(k, "DenseChebConv", "k", 1)
        self.W = nn.Parameter(torch.empty(k, in_feats, out_feats))
        self.bias = nn.Parameter(torch.empty(out_feats)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw each :math:`W_k` (Xavier normal, gain of relu) and set :math:`b` to 0."""
        if self.bias is not None:
            nn.init.zeros_(self.bias)
        for weight in self.W:
            nn.init.xavier_normal_(weight, gain=RELU_GAIN)

    def forward(
        self, adj: Tensor, feat: Tensor, lambda_max: float | Tensor | None = None
    ) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        adj : Tensor
            :math:`A`, :math:`(N, N)`: entry :math:`(i, j)` is the edge from :math:`j` to :math:`i`.
        feat : Tensor
            :math:`(N, D_{in})`.
        lambda_max : float or Tensor, optional
            Largest eigenvalue of :math:`I - D^{-1/2} A D^{-1/2}`. It is computed if not given.

        Returns
        -------
        Tensor
            :math:`(N, D_{out})`.

        Raises
        ------
        InvalidValueError
            If the matrix or the features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        adj = check_matrix(self, adj, self.W, square=True)
        check_features(self, feat, adj.shape[0], self._in_feats, self.W)
        scale = adj.sum(1).clamp(min=1).pow(-0.5)
        eye = torch.eye(adj.shape[0], dtype=adj.dtype, device=adj.device)
        laplacian = eye - scale.unsqueeze(1) * adj * scale
        if lambda_max is None:
            wide = laplacian.detach().to(torch.promote_types(adj.dtype, torch.float32))
            lambda_max = torch.linalg.eigvals(wide).real.max() if len(adj) else 2.0
        laplacian = 2 / lambda_max * laplacian - eye

        terms = [feat, laplacian.to(adj.dtype) @ feat]
        for _ in range(2, self._k):
            terms.append(2 * laplacian.to(adj.dtype) @ terms[-1] - terms[-2])
        h = sum(z @ weight for z, weight in zip(terms, self.W, strict=False))
        return h if self.bias is None else h + self.bias

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"in={self._in_feats}, out={self._out_feats}, k={self._k}"
