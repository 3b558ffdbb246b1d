"""Graph convolution on a dense adjacency matrix."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gossamer._options import one_of, require_function
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn._common import Activation, check_features, check_sizes

__all__ = ["DenseGraphConv", "check_matrix"]


def check_matrix(layer: nn.Module, adj: Tensor, like: Tensor, *, square: bool = False) -> Tensor:
    """Check that `adj` is a (square) matrix; return it in the dtype of a parameter."""
    name = type(layer).__name__
    if not isinstance(adj, Tensor):
        raise InvalidTypeError(f"{name}: adj must be a dense tensor, got {type(adj).__name__}.")
    if adj.dim() != 2 or (square and adj.shape[0] != adj.shape[1]):
        form = "a square matrix" if square else "a matrix (destinations, sources)"
        raise InvalidValueError(f"{name}: adj must be {form}, but got shape {tuple(adj.shape)}.")
    return adj.to(like)


class DenseGraphConv(nn.Module):
    r"""`GraphConv` on a dense adjacency matrix, for small or nearly complete graphs.

    .. math::
        H' = \sigma\big(D_{in}^{-1/2} A D_{out}^{-1/2} H W + b\big)

    for ``norm="both"``; ``"right"`` divides by the in-degrees only (row sums of :math:`A`), and
    ``"none"`` does not normalize.

    Parameters
    ----------
    in_feats : int
        Input features :math:`D_{in}`.
    out_feats : int
        Output features :math:`D_{out}`.
    norm : {"both", "right", "none"}
        Normalization, as above. Degrees are sums of the entries, and at least 1.
    bias : bool
        Whether to add :math:`b`.
    activation : callable, optional
        :math:`\sigma`.

    Raises
    ------
    InvalidValueError
        If `norm` is unknown.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> conv = gs.nn.DenseGraphConv(4, 2)
    >>> conv(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.rand(2, 4)).shape
    torch.Size([2, 2])
    """

    def __init__(
        self,
        in_feats: int,
        out_feats: int,
        norm: str = "both",
        bias: bool = True,
        activation: Activation = None,
    ) -> None:
        super().__init__()
        one_of(norm, "DenseGraphConv", "norm", ("both", "right", "none"))
        check_sizes("DenseGraphConv", in_feats=in_feats, out_feats=out_feats)
        require_function(activation, "DenseGraphConv", "activation")
        self._in_feats = in_feats
        self._out_feats = out_feats
        self._norm = norm
        self._activation = activation
        self.weight = nn.Parameter(torch.empty(in_feats, out_feats))
        self.bias = nn.Parameter(torch.empty(out_feats)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw :math:`W` uniformly (Xavier) and set :math:`b` to 0."""
        nn.init.xavier_uniform_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, adj: Tensor, feat: Tensor) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        adj : Tensor
            :math:`A`, :math:`(N_{dst}, N_{src})`: entry :math:`(i, j)` is the edge from :math:`j`
            to :math:`i`.
        feat : Tensor
            Source features :math:`(N_{src}, D_{in})`.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, D_{out})`.

        Raises
        ------
        InvalidValueError
            If the matrix or the features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        adj = check_matrix(self, adj, self.weight)
        check_features(self, feat, adj.shape[1], self._in_feats, self.weight)
        h = feat @ self.weight
        if self._norm == "both":
            h = h * adj.sum(0).clamp(min=1).pow(-0.5).unsqueeze(-1)
        h = adj @ h
        if self._norm != "none":
            power = -0.5 if self._norm == "both" else -1.0
            h = h * adj.sum(1).clamp(min=1).pow(power).unsqueeze(-1)
        if self.bias is not None:
            h = h + self.bias
        return h if self._activation is None else self._activation(h)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"in={self._in_feats}, out={self._out_feats}, normalization={self._norm}"
