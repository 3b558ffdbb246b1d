"""GraphSAGE on a dense adjacency matrix."""

from __future__ import annotations

from torch import Tensor, nn

from gossamer._options import number_in, require_function
from gossamer.errors import InvalidTypeError
from gossamer.nn._common import (
    RELU_GAIN,
    Activation,
    Features,
    check_features,
    check_sizes,
    reset_bias,
)
from gossamer.nn.conv.densegraphconv import check_matrix

__all__ = ["DenseSAGEConv"]


class DenseSAGEConv(nn.Module):
    r"""`SAGEConv` with the ``"gcn"`` aggregator, on a dense adjacency matrix.

    .. math::
        h_i' = \mathrm{norm}\Big(\sigma\Big(
            W \frac{h_i + \sum_j A_{ij} h_j}{1 + \sum_j A_{ij}} + b\Big)\Big)

    Parameters
    ----------
    in_feats : int
        Input features :math:`D_{in}`.
    out_feats : int
        Output features :math:`D_{out}`.
    feat_drop : float
        Dropout rate of the input features.
    bias : bool
        Whether to add :math:`b`.
    norm : callable, optional
        Normalization of the output, after the activation.
    activation : callable, optional
        :math:`\sigma`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> conv = gs.nn.DenseSAGEConv(4, 2)
    >>> conv(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.rand(2, 4)).shape
    torch.Size([2, 2])
    """

    def __init__(
        self,
        in_feats: int,
        out_feats: int,
        feat_drop: float = 0.0,
        bias: bool = True,
        norm: Activation = None,
        activation: Activation = None,
    ) -> None:
        super().__init__()
        check_sizes("DenseSAGEConv", in_feats=in_feats, out_feats=out_feats)
        require_function(norm, "DenseSAGEConv", "norm")
        require_function(activation, "DenseSAGEConv", "activation")
        self._in_feats = in_feats
        self.norm = norm
        self.feat_drop = nn.Dropout(number_in(feat_drop, "DenseSAGEConv", "feat_drop", 0, 1))
        self.activation = activation
        self.fc = nn.Linear(in_feats, out_feats, bias=bias)
        nn.init.xavier_uniform_(self.fc.weight, gain=RELU_GAIN)

    def reset_parameters(self) -> None:
        """Reinitialize :math:`W` (Xavier uniform, gain of relu) and :math:`b`."""
        nn.init.xavier_uniform_(self.fc.weight, gain=RELU_GAIN)
        reset_bias(self.fc)

    def forward(self, adj: Tensor, feat: Features) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        adj : Tensor
            :math:`A`, :math:`(N_{dst}, N_{src})`: entry :math:`(i, j)` is the edge from :math:`j`
            to :math:`i`.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, D_{in})`, or one such tensor for source and one for destination nodes.

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
        weight = self.fc.weight
        adj = check_matrix(self, adj, weight)
        pair = feat if isinstance(feat, tuple) else (feat, feat)
        if len(pair) != 2:
            raise InvalidTypeError(
                "DenseSAGEConv: features are a tensor or a pair (source, destination), but got a "
                f"tuple of {len(pair)}."
            )
        for part, rows in zip(pair, (adj.shape[1], adj.shape[0]), strict=True):
            check_features(self, part, rows, self._in_feats, weight)
        if isinstance(feat, tuple):
            x, x_dst = (self.feat_drop(part) for part in pair)
        else:
            x = x_dst = self.feat_drop(feat)
        h = self.fc((x_dst + adj @ x) / (1 + adj.sum(1, keepdim=True)))
        if self.activation is not None:
            h = self.activation(h)
        return h if self.norm is None else self.norm(h)
