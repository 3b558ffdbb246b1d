"""Attention-based graph neural network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import ops
from gossamer._options import number_in
from gossamer.errors import InvalidValueError
from gossamer.nn._common import Features, ZeroInDegreeGuard, enter

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["AGNNConv"]


class AGNNConv(ZeroInDegreeGuard, nn.Module):
    r"""Attention layer of `Attention-based Graph Neural Network for Semi-Supervised Learning
    <https://arxiv.org/abs/1803.03735>`__.

    .. math::
        h_i' = \sum_{j \in \mathcal{N}(i)} \mathrm{softmax}_{j \in \mathcal{N}(i)}
            \big(\beta \cos(h_i, h_j)\big)\, h_j

    where :math:`\mathcal{N}(i)` is the set of sources of the in-edges of node :math:`i`.

    Parameters
    ----------
    init_beta : float
        Initial value of :math:`\beta`.
    learn_beta : bool
        Whether :math:`\beta` is a parameter.
    allow_zero_in_degree : bool
        Whether to accept nodes without in-edges. Their output is 0.

    Notes
    -----
    Each duplicate edge takes part in the softmax. The cosine with a zero vector is 0.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
    >>> conv = gs.nn.AGNNConv(learn_beta=False, allow_zero_in_degree=True)
    >>> conv(g, torch.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
    tensor([[3.0000, 3.0000],
            [0.0000, 0.0000],
            [1.5000, 1.5000]])
    """

    def __init__(
        self, init_beta: float = 1.0, learn_beta: bool = True, allow_zero_in_degree: bool = False
    ) -> None:
        super().__init__()
        self._init_beta = number_in(init_beta, "AGNNConv", "init_beta")
        self._allow_zero_in_degree = allow_zero_in_degree
        if learn_beta:
            self.beta = nn.Parameter(torch.empty(1))
        else:
            self.register_buffer("beta", torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Set :math:`\beta` back to `init_beta`."""
        nn.init.constant_(self.beta, self._init_beta)

    def forward(self, graph: Graph, feat: Features) -> Tensor:
        r"""Attend to the in-neighbors.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, *, D)`, or one such tensor for source and one for destination nodes.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, *, D)`.

        Raises
        ------
        InvalidValueError
            If a node has no in-edges (unless allowed), or features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        relation, x, x_dst = enter(self, graph, feat, like=self.beta)
        if x.dim() < 2 or x.shape[1:] != x_dst.shape[1:]:
            raise InvalidValueError(
                "AGNNConv: source and destination features must have the shape (N, ..., D) with "
                f"one D, but got {tuple(x.shape)} and {tuple(x_dst.shape)}."
            )
        key = F.normalize(x, dim=-1)
        query = self.beta * (key if x_dst is x else F.normalize(x_dst, dim=-1))
        if x.dim() > 2:
            return ops.graph_attention(relation, x, key, query, "dot")
        one_head = (part.unsqueeze(1) for part in (x, key, query))
        return ops.graph_attention(relation, *one_head, "dot").squeeze(1)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"init_beta={self._init_beta}, learn_beta={isinstance(self.beta, nn.Parameter)}"
