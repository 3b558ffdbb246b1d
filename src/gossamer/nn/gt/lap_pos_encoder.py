"""Learned encoding of Laplacian eigenvectors."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from gossamer._options import as_int, one_of
from gossamer.errors import InvalidValueError
from gossamer.nn._common import check_divisible

__all__ = ["LapPosEncoder"]


class LapPosEncoder(nn.Module):
    r"""Positional encoding from eigenvectors of the Laplacian, as in `Recipe for a General,
    Powerful, Scalable Graph Transformer <https://arxiv.org/abs/2205.12454>`__.

    .. math:: z_v = \mathrm{mlp}\Big(\sum_{i=1}^{k} f\big(W [\phi_{vi}, \lambda_i] + b\big)\Big)

    where :math:`f` is a transformer over the :math:`k` eigenvectors, or one network applied to each
    of them.

    Parameters
    ----------
    model_type : {"Transformer", "DeepSet"}
        Kind of :math:`f`.
    num_layer : int
        Number of layers of :math:`f`; for ``"DeepSet"``, :math:`W` counts as one.
    k : int
        Number of eigenvectors.
    dim : int
        Width of the encoding.
    n_head : int
        Number of heads of the transformer.
    batch_norm : bool
        Whether to normalize the eigenvectors and eigenvalues first.
    num_post_layer : int
        Number of layers of mlp, each followed by relu; 0 for none.

    Raises
    ------
    InvalidValueError
        If `model_type` is unknown or a size is out of range.

    Notes
    -----
    Weights are initialized as in torch. The sign of an eigenvector is arbitrary, so signs are
    flipped at random in training mode.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 1, 2, 0], [1, 2, 0, 0, 1, 2]))
    >>> vectors, values = gs.lap_pe(g, k=2, return_eigval=True)
    >>> encoder = gs.nn.LapPosEncoder("DeepSet", num_layer=2, k=2, dim=8)
    >>> encoder(values.expand(3, 2), vectors).shape
    torch.Size([3, 8])
    """

    def __init__(
        self,
        model_type: str,
        num_layer: int,
        k: int,
        dim: int,
        n_head: int = 1,
        batch_norm: bool = False,
        num_post_layer: int = 0,
    ) -> None:
        super().__init__()
        one_of(model_type, "LapPosEncoder", "model_type", ("Transformer", "DeepSet"))
        as_int(num_layer, "LapPosEncoder", "num_layer", 1)
        as_int(k, "LapPosEncoder", "k", 1)
        as_int(dim, "LapPosEncoder", "dim", 1)
        as_int(num_post_layer, "LapPosEncoder", "num_post_layer", 0)
        self.model_type = model_type
        self.k = k
        self.linear = nn.Linear(2, dim)
        if model_type == "Transformer":
            as_int(n_head, "LapPosEncoder", "n_head", 1)
            check_divisible("LapPosEncoder", dim=dim, n_head=n_head)
            layer = nn.TransformerEncoderLayer(dim, n_head, batch_first=True)
            self.pe_encoder = nn.TransformerEncoder(layer, num_layer, enable_nested_tensor=False)
        else:
            hidden = dim if num_layer == 1 else 2 * dim
            if hidden != dim:
                # Initialized after the one above, as in DGL, so that a seed gives the same weights.
                self.linear = nn.Linear(2, hidden)
            maps = [nn.ReLU()]
            for i in range(1, num_layer):
                out = dim if i == num_layer - 1 else hidden
                maps += [nn.Linear(hidden, out), nn.ReLU()]
            self.pe_encoder = nn.Sequential(*maps)
        self.raw_norm = nn.BatchNorm1d(k) if batch_norm else None
        self.post_mlp = _mlp(dim, num_post_layer) if num_post_layer else None

    def reset_parameters(self) -> None:
        """Reinitialize all weights."""
        for module in self.modules():
            if isinstance(module, nn.MultiheadAttention):
                module._reset_parameters()
            elif module is not self and hasattr(module, "reset_parameters"):
                module.reset_parameters()

    def forward(self, eigvals: Tensor, eigvecs: Tensor) -> Tensor:
        r"""Encode positions.

        Parameters
        ----------
        eigvals : Tensor
            :math:`(N, k)`, for each node the eigenvalues of its graph.
        eigvecs : Tensor
            :math:`(N, k)`. NaN marks missing eigenvectors of small graphs, as in the result of
            :class:`gossamer.LapPE`.

        Returns
        -------
        Tensor
            :math:`(N, d)`.

        Raises
        ------
        InvalidValueError
            If an input has the wrong shape.
        """
        for argument, value in (("eigvals", eigvals), ("eigvecs", eigvecs)):
            if value.dim() != 2 or value.shape[1] != self.k:
                raise InvalidValueError(
                    f"LapPosEncoder: {argument} must have shape (nodes, {self.k}), but got "
                    f"{tuple(value.shape)}."
                )
        x = torch.stack([eigvecs, eigvals], dim=-1).to(self.linear.weight.dtype)
        absent = x.isnan()
        x = x.masked_fill(absent, 0)
        absent = absent[..., 0]
        if self.raw_norm is not None:
            x = self.raw_norm(x)
        x = self.linear(x)
        if self.model_type == "Transformer":
            x = self.pe_encoder(x, src_key_padding_mask=absent)
        else:
            x = self.pe_encoder(x)
        x = x.masked_fill(absent.unsqueeze(-1), 0).sum(1)
        return x if self.post_mlp is None else self.post_mlp(x)


def _mlp(dim: int, num_layer: int) -> nn.Sequential:
    widths = [dim, *[2 * dim] * (num_layer - 1), dim]
    maps = [(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths)]
    return nn.Sequential(*(module for pair in maps for module in pair))
