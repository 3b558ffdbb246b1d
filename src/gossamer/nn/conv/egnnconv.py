"""Equivariant graph convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import ops
from gossamer.errors import InvalidValueError
from gossamer.nn._common import check_features, check_sizes, enter_square, reset_children

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["EGNNConv"]


class EGNNConv(nn.Module):
    r"""Equivariant layer of `E(n) Equivariant Graph Neural Networks
    <https://arxiv.org/abs/2102.09844>`__.

    .. math::
        m_{ji} &= \phi_e\big(h_j, h_i, \|x_j - x_i\|^2, a_{ji}\big) \\
        x_i' &= x_i + \frac{1}{|\mathcal{N}(i)|} \sum_{j \in \mathcal{N}(i)}
            \frac{x_j - x_i}{\|x_j - x_i\|}\, \phi_x(m_{ji}) \\
        h_i' &= \phi_h\Big(h_i, \sum_{j \in \mathcal{N}(i)} m_{ji}\Big)

    where :math:`\mathcal{N}(i)` is the set of sources of the in-edges of node :math:`i`, and
    :math:`\phi_e`, :math:`\phi_x` and :math:`\phi_h` are perceptrons of two layers with SiLU. A
    rotation, reflection or translation of the coordinates :math:`x` transforms :math:`x'` in the
    same way and does not change :math:`h'`.

    Parameters
    ----------
    in_size : int
        Node features :math:`D_{in}`.
    hidden_size : int
        Width of the messages.
    out_size : int
        Output features :math:`D_{out}`.
    edge_feat_size : int
        Edge features :math:`D_e`; 0 for none.

    Notes
    -----
    The paper uses :math:`x_i - x_j` and does not divide it by the distance. The perceptrons are
    initialized as in `torch.nn.Linear`. Nodes without in-edges keep their coordinates. Two nodes
    with equal coordinates do not move each other. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> h, x = gs.nn.EGNNConv(4, 8, 5)(g, torch.rand(3, 4), torch.rand(3, 3))
    >>> h.shape, x.shape
    (torch.Size([3, 5]), torch.Size([3, 3]))
    """

    def __init__(
        self, in_size: int, hidden_size: int, out_size: int, edge_feat_size: int = 0
    ) -> None:
        super().__init__()
        check_sizes("EGNNConv", in_size=in_size, hidden_size=hidden_size, out_size=out_size)
        check_sizes("EGNNConv", edge_feat_size=edge_feat_size)
        self.in_size = in_size
        self.hidden_size = hidden_size
        self.out_size = out_size
        self.edge_feat_size = edge_feat_size
        self.edge_mlp = nn.Sequential(
            nn.Linear(2 * in_size + 1 + edge_feat_size, hidden_size),
            nn.SiLU(),
            nn.Linear(hidden_size, hidden_size),
            nn.SiLU(),
        )
        self.node_mlp = nn.Sequential(
            nn.Linear(in_size + hidden_size, hidden_size),
            nn.SiLU(),
            nn.Linear(hidden_size, out_size),
        )
        self.coord_mlp = nn.Sequential(
            nn.Linear(hidden_size, hidden_size),
            nn.SiLU(),
            nn.Linear(hidden_size, 1, bias=False),
        )

    def reset_parameters(self) -> None:
        """Reinitialize the perceptrons."""
        reset_children(self)

    def forward(
        self, graph: Graph, node_feat: Tensor, coord_feat: Tensor, edge_feat: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        r"""Update features and coordinates.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph.
        node_feat : Tensor
            :math:`h`, :math:`(N, D_{in})`.
        coord_feat : Tensor
            :math:`x`, :math:`(N, n)` in :math:`n` dimensions.
        edge_feat : Tensor, optional
            :math:`a`, :math:`(E, D_e)`, for a layer that was built with edge features.

        Returns
        -------
        (Tensor, Tensor)
            :math:`h'`, :math:`(N, D_{out})`, and :math:`x'`, :math:`(N, n)`.

        Raises
        ------
        InvalidValueError
            If sources and destinations are not the same nodes, features have the wrong shape, or
            edge features are missing.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        like = self.edge_mlp[0].weight
        relation, h = enter_square(self, graph, node_feat, self.in_size, like)
        check_features(self, coord_feat, h.shape[0], like=like)
        if coord_feat.dim() != 2:
            raise InvalidValueError(
                "EGNNConv: coordinates must have shape (N, dimensions), "
                f"but got {tuple(coord_feat.shape)}."
            )
        edge_feat = optional_edge_features(self, edge_feat, relation.num_edges, like)

        difference = ops.u_sub_v(relation, coord_feat, coord_feat)
        squared = difference.square().sum(-1, keepdim=True)
        # The square root has no gradient at 0; the difference is 0 there anyway.
        distance = squared.masked_fill(squared == 0, 1).sqrt()
        # The first map is applied per node: there are fewer nodes than edges.
        first, width = self.edge_mlp[0], self.in_size
        source, own, rest = first.weight.tensor_split((width, 2 * width), -1)
        message = ops.u_add_v(relation, F.linear(h, source), F.linear(h, own, first.bias))
        message = torch.addmm(message, torch.cat([squared, *edge_feat], -1), rest.t())
        message = self.edge_mlp[1:](message)

        move = self.coord_mlp(message) * (difference / distance)
        x = coord_feat + ops.copy_e_mean(relation, move)
        gathered = ops.copy_e_sum(relation, message)
        return self.node_mlp(torch.cat([h, gathered], -1)), x


def optional_edge_features(
    layer: nn.Module, edge_feat: Tensor | None, num_edges: int, like: Tensor
) -> tuple[Tensor, ...]:
    """Return the edge features in a tuple, which is empty if the layer was built without them."""
    name, width = type(layer).__name__, layer.edge_feat_size
    if width == 0:
        if edge_feat is not None:
            raise InvalidValueError(
                f"{name}: got edge features, but the layer was built without. "
                "Build it with edge_feat_size."
            )
        return ()
    if edge_feat is None:
        raise InvalidValueError(
            f"{name}: edge features ({num_edges}, {width}) are missing, as the layer was built for "
            f"edge_feat_size={width}."
        )
    check_features(layer, edge_feat, num_edges, width, like, "edge")
    return (edge_feat,)
