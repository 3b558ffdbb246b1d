"""Gated graph convolutional network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import ops
from gossamer._options import number_in, require_function
from gossamer.nn._common import (
    Activation,
    check_features,
    check_sizes,
    enter_square,
    reset_children,
)

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GatedGCNConv"]


class GatedGCNConv(nn.Module):
    r"""Gated graph convolution of `Benchmarking Graph Neural Networks
    <https://arxiv.org/abs/2003.00982>`__, with edge features.

    .. math::
        e_{ji}' &= D h_j + E h_i + C e_{ji} \\
        h_i' &= A h_i + \frac{\sum_{j \in \mathcal{N}(i)} \sigma(e_{ji}') \odot B h_j}
            {\sum_{j \in \mathcal{N}(i)} \sigma(e_{ji}') + 10^{-6}}

    where :math:`\mathcal{N}(i)` is the set of sources of the in-edges of node :math:`i`, the linear
    maps have biases and :math:`\sigma` is the sigmoid. Batch normalization, the activation, the
    residual and dropout are then applied to nodes and edges, in this order.

    Parameters
    ----------
    input_feats : int
        Node features :math:`D_{in}`.
    edge_feats : int
        Edge features :math:`D_e`.
    output_feats : int
        Output features :math:`D_{out}` of nodes and edges.
    dropout : float
        Dropout rate of the output.
    batch_norm : bool
        Whether to apply batch normalization.
    residual : bool
        Whether to add the input. It takes effect only if :math:`D_{in} = D_e = D_{out}`.
    activation : callable, optional
        Applied element by element; relu by default.

    Notes
    -----
    The maps are initialized as in `torch.nn.Linear`. The sum is 0 for a node without in-edges.
    Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    >>> conv = gs.nn.GatedGCNConv(4, 2, 3)
    >>> h, e = conv(g, torch.rand(3, 4), torch.rand(4, 2))
    >>> h.shape, e.shape
    (torch.Size([3, 3]), torch.Size([4, 3]))
    """

    def __init__(
        self,
        input_feats: int,
        edge_feats: int,
        output_feats: int,
        dropout: float = 0,
        batch_norm: bool = True,
        residual: bool = True,
        activation: Activation = F.relu,
    ) -> None:
        super().__init__()
        check_sizes(
            "GatedGCNConv",
            input_feats=input_feats,
            edge_feats=edge_feats,
            output_feats=output_feats,
        )
        require_function(activation, "GatedGCNConv", "activation")
        self._input_feats = input_feats
        self._edge_feats = edge_feats
        self.activation = activation
        self.batch_norm = batch_norm
        self.residual = residual and input_feats == output_feats and edge_feats == output_feats
        self.dropout = nn.Dropout(number_in(dropout, "GatedGCNConv", "dropout", 0, 1))
        self.A = nn.Linear(input_feats, output_feats)
        self.B = nn.Linear(input_feats, output_feats)
        self.D = nn.Linear(input_feats, output_feats)
        self.E = nn.Linear(input_feats, output_feats)
        self.C = nn.Linear(edge_feats, output_feats)
        self.bn_node = nn.BatchNorm1d(output_feats)
        self.bn_edge = nn.BatchNorm1d(output_feats)

    def reset_parameters(self) -> None:
        """Reinitialize all maps, and reset the statistics of the batch normalization."""
        reset_children(self)

    def forward(self, graph: Graph, feat: Tensor, edge_feat: Tensor) -> tuple[Tensor, Tensor]:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`(N, D_{in})`.
        edge_feat : Tensor
            :math:`(E, D_e)`.

        Returns
        -------
        (Tensor, Tensor)
            Node features :math:`(N, D_{out})` and edge features :math:`(E, D_{out})`.

        Raises
        ------
        InvalidValueError
            If sources and destinations are not the same nodes, or features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        like = self.A.weight
        relation, x = enter_square(self, graph, feat, self._input_feats, like)
        check_features(self, edge_feat, relation.num_edges, self._edge_feats, like, "edge")

        e = ops.u_add_v(relation, self.D(x), self.E(x)) + self.C(edge_feat)
        gate = torch.sigmoid(e)
        gated = ops.u_mul_e_sum(relation, self.B(x), gate)
        h = self.A(x) + gated / (ops.copy_e_sum(relation, gate) + 1e-6)
        return self._finish(h, x, self.bn_node), self._finish(e, edge_feat, self.bn_edge)

    def _finish(self, h: Tensor, before: Tensor, norm: nn.Module) -> Tensor:
        if self.batch_norm and h.shape[0]:
            h = norm(h)
        if self.activation is not None:
            h = self.activation(h)
        return self.dropout(before + h if self.residual else h)
