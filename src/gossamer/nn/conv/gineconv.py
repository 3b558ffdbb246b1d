"""Graph isomorphism network with edge features."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional as F

from gossamer import ops
from gossamer.errors import InvalidValueError
from gossamer.nn._common import Features, check_features, enter
from gossamer.nn.conv._epsilon import EpsilonBase

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GINEConv"]


class GINEConv(EpsilonBase):
    r"""Graph isomorphism layer with edge features of `Strategies for Pre-training Graph Neural
    Networks <https://arxiv.org/abs/1905.12265>`__.

    .. math::
        h_i' = f\Big((1 + \epsilon) h_i +
            \sum_{j \in \mathcal{N}(i)} \mathrm{relu}(h_j + e_{ji})\Big)

    where :math:`\mathcal{N}(i)` is the set of sources of the in-edges of node :math:`i`.

    Parameters
    ----------
    apply_func : callable, optional
        :math:`f`, usually a multi-layer perceptron; the identity if None.
    init_eps : float
        Initial value of :math:`\epsilon`.
    learn_eps : bool
        Whether :math:`\epsilon` is a parameter.

    Notes
    -----
    The sum is 0 for a node without in-edges. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1], [1, 0]))
    >>> x, e = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.5], [-4.0]])
    >>> gs.nn.GINEConv()(g, x, e)
    tensor([[1.0000],
            [3.5000]])
    """

    def __init__(
        self,
        apply_func: Callable[[Tensor], Tensor] | None = None,
        init_eps: float = 0,
        learn_eps: bool = False,
    ) -> None:
        super().__init__(apply_func, init_eps, learn_eps)

    def forward(self, graph: Graph, node_feat: Features, edge_feat: Tensor) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        node_feat : Tensor or (Tensor, Tensor)
            :math:`(N, *)`, or one such tensor for source and one for destination nodes, with rows
            of the same size.
        edge_feat : Tensor
            :math:`(E, *)`, added to the source features with NumPy's broadcasting.

        Returns
        -------
        Tensor
            Output of `apply_func` for an input of shape :math:`(N_{dst}, *)`.

        Raises
        ------
        InvalidValueError
            If features have the wrong shape.
        """
        relation, x, x_dst = enter(self, graph, node_feat)
        self._check_rows(x, x_dst)
        check_features(self, edge_feat, relation.num_edges, role="edge", device=relation.device)
        if edge_feat.dim() > x.dim():
            raise InvalidValueError(
                "GINEConv: features of nodes and edges are added, so they must have as many "
                f"dimensions, but got {tuple(x.shape)} and {tuple(edge_feat.shape)}."
            )
        messages = F.relu(ops.u_add_e(relation, x, edge_feat))
        h = (1 + self.eps) * x_dst + ops.copy_e_sum(relation, messages)
        return h if self.apply_func is None else self.apply_func(h)
