"""Pooling of node features over each graph of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from gossamer import ops
from gossamer.graph.arguments import require_graph
from gossamer.nn._common import check_features

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["AvgPooling", "MaxPooling", "SumPooling"]


class _Pooling(nn.Module):
    """Reduce the node features of each graph; subclasses define the reduction."""

    _reducer: str

    def forward(self, graph: Graph, feat: Tensor) -> Tensor:
        r"""Pool the features.

        Parameters
        ----------
        graph : Graph
            A graph, or a batch of :math:`B` graphs, with one node type.
        feat : Tensor
            :math:`(N, *)`.

        Returns
        -------
        Tensor
            :math:`(B, *)`; :math:`(1, *)` for a graph that is not a batch.

        Raises
        ------
        InvalidValueError
            If `feat` does not have one row per node.
        InvalidTypeError
            If `graph` is not a graph or `feat` not a tensor.
        """
        require_graph(graph, type(self).__name__)
        check_features(self, feat, graph.num_nodes(), device=graph.device)
        return ops.segment_reduce(graph.batch_num_nodes(), feat, self._reducer)


class SumPooling(_Pooling):
    r"""Sum of the node features of each graph.

    .. math:: r_b = \sum_{i \in V_b} x_i

    A graph without nodes gives 0.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> gs.nn.SumPooling()(g, torch.tensor([[1.0, 8.0], [3.0, 2.0], [5.0, 5.0]]))
    tensor([[ 4., 10.],
            [ 5.,  5.]])
    """

    _reducer = "sum"


class AvgPooling(_Pooling):
    r"""Mean of the node features of each graph.

    .. math:: r_b = \frac{1}{|V_b|} \sum_{i \in V_b} x_i

    A graph without nodes gives 0.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> gs.nn.AvgPooling()(g, torch.tensor([[1.0, 8.0], [3.0, 2.0], [5.0, 5.0]]))
    tensor([[2., 5.],
            [5., 5.]])
    """

    _reducer = "mean"


class MaxPooling(_Pooling):
    r"""Element-wise maximum of the node features of each graph.

    .. math:: r_b = \max_{i \in V_b} x_i

    A graph without nodes gives 0. If maxima are equal, the first gets the gradient.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> gs.nn.MaxPooling()(g, torch.tensor([[1.0, 8.0], [3.0, 2.0], [5.0, 5.0]]))
    tensor([[3., 8.],
            [5., 5.]])
    """

    _reducer = "max"
