"""Continuous-filter convolution of SchNet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import ops
from gossamer._options import number_in
from gossamer.nn._common import Features, check_features, check_sizes, enter_sources, reset_children

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["CFConv", "ShiftedSoftplus"]


class ShiftedSoftplus(nn.Module):
    r"""Softplus that is 0 at 0.

    .. math:: y = \frac{1}{\beta} \log(1 + e^{\beta x}) - \log s

    Parameters
    ----------
    beta : float
        :math:`\beta`.
    shift : float
        :math:`s`; with :math:`\beta = 1`, 2 maps 0 to 0.
    threshold : float
        Above this value of :math:`\beta x`, softplus is replaced by :math:`x`.

    Examples
    --------
    >>> import torch
    >>> from gossamer.nn.conv.cfconv import ShiftedSoftplus
    >>> ShiftedSoftplus()(torch.zeros(1))
    tensor([0.])
    """

    def __init__(self, beta: float = 1, shift: float = 2, threshold: float = 20) -> None:
        super().__init__()
        self.beta = number_in(beta, "ShiftedSoftplus", "beta")
        self.shift = number_in(shift, "ShiftedSoftplus", "shift")
        self.threshold = number_in(threshold, "ShiftedSoftplus", "threshold")

    def forward(self, inputs: Tensor) -> Tensor:
        """Apply the function element by element."""
        return F.softplus(inputs, self.beta, self.threshold).sub_(math.log(self.shift))

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"beta={self.beta:g}, shift={self.shift:g}, threshold={self.threshold:g}"


class CFConv(nn.Module):
    r"""Continuous-filter convolution of `SchNet: A Continuous-Filter Convolutional Neural Network
    for Modeling Quantum Interactions <https://arxiv.org/abs/1706.08566>`__.

    .. math::
        h_i' = \sigma\Big(W_2 \sum_{j \in \mathcal{N}(i)} (W_1 h_j) \odot f(e_{ji})\Big), \qquad
        f = \sigma \circ W_4 \circ \sigma \circ W_3

    where :math:`\mathcal{N}(i)` is the set of sources of the in-edges of node :math:`i`, the linear
    maps have biases, and :math:`\sigma(x) = \log\big(\tfrac{1}{2} + \tfrac{1}{2} e^x\big)`.

    Parameters
    ----------
    node_in_feats : int
        Node features :math:`D`.
    edge_in_feats : int
        Edge features :math:`D_e`, such as distances expanded in Gaussians.
    hidden_feats : int
        Width of the messages.
    out_feats : int
        Output features :math:`D_{out}`.

    Notes
    -----
    The parameters are initialized as in `torch.nn.Linear`. The sum is 0 for a node without
    in-edges. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> gs.nn.CFConv(4, 5, 8, 3)(g, torch.rand(3, 4), torch.rand(3, 5)).shape
    torch.Size([3, 3])
    """

    def __init__(
        self, node_in_feats: int, edge_in_feats: int, hidden_feats: int, out_feats: int
    ) -> None:
        super().__init__()
        check_sizes(
            "CFConv",
            node_in_feats=node_in_feats,
            edge_in_feats=edge_in_feats,
            hidden_feats=hidden_feats,
            out_feats=out_feats,
        )
        self._node_in_feats = node_in_feats
        self._edge_in_feats = edge_in_feats
        self.project_edge = nn.Sequential(
            nn.Linear(edge_in_feats, hidden_feats),
            ShiftedSoftplus(),
            nn.Linear(hidden_feats, hidden_feats),
            ShiftedSoftplus(),
        )
        self.project_node = nn.Linear(node_in_feats, hidden_feats)
        self.project_out = nn.Sequential(nn.Linear(hidden_feats, out_feats), ShiftedSoftplus())

    def reset_parameters(self) -> None:
        """Reinitialize all parameters."""
        reset_children(self)

    def forward(self, g: Graph, node_feats: Features, edge_feats: Tensor) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        g : Graph
            Homogeneous graph, bipartite graph or block.
        node_feats : Tensor or (Tensor, Tensor)
            Source features :math:`(N_{src}, D)`; of a pair, only the first is used.
        edge_feats : Tensor
            :math:`(E, D_e)`.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, D_{out})`.

        Raises
        ------
        InvalidValueError
            If features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        like = self.project_node.weight
        relation, x = enter_sources(self, g, node_feats, self._node_in_feats, like)
        check_features(self, edge_feats, relation.num_edges, self._edge_in_feats, like, "edge")
        h = ops.u_mul_e_sum(relation, self.project_node(x), self.project_edge(edge_feats))
        return self.project_out(h)
