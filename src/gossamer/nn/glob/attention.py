"""Readouts that weight the nodes of each graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import as_int, require_function
from gossamer.graph.arguments import require_graph
from gossamer.kernels.rows import row_starts
from gossamer.nn._common import check_features
from gossamer.ops.adjacency import Adjacency, Compressed

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GlobalAttentionPooling", "Set2Set", "SortPooling", "WeightAndSum"]


def owners_of(graph: Graph) -> Adjacency:
    """Return an adjacency from each node to its graph in the batch."""
    lengths, num_nodes = graph.batch_num_nodes().long(), graph.num_nodes()
    nodes = torch.arange(num_nodes + 1, device=lengths.device)
    first = row_starts(lengths)
    owner = torch.repeat_interleave(lengths, output_size=num_nodes)
    return Adjacency(
        num_nodes,
        lengths.shape[0],
        torch.int64,
        csc=Compressed(first, nodes[:-1], None),
        csr=Compressed(nodes, owner, None),
    )


class SortPooling(nn.Module):
    r"""Features of the nodes with the largest entries, from `An End-to-End Deep Learning
    Architecture for Graph Classification <https://muhanzhang.github.io/papers/AAAI_2018_DGCNN.pdf>`__.

    The features of each node are sorted in ascending order. Then the `k` nodes with the largest
    maximum features are concatenated, in descending order. A graph with fewer nodes is padded with
    zeros.

    Parameters
    ----------
    k : int
        Number of nodes to keep of each graph.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> gs.nn.SortPooling(2)(g, torch.tensor([[3.0, 1.0], [2.0, 4.0], [6.0, 5.0]]))
    tensor([[2., 4., 1., 3.],
            [5., 6., 0., 0.]])
    """

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = as_int(k, "SortPooling", "k", 1)

    def forward(self, graph: Graph, feat: Tensor) -> Tensor:
        r"""Pool the features.

        Parameters
        ----------
        graph : Graph
            A graph, or a batch of :math:`B` graphs, with one node type.
        feat : Tensor
            :math:`(N, D)`.

        Returns
        -------
        Tensor
            :math:`(B, k \cdot D)`.

        Raises
        ------
        InvalidValueError
            If `feat` is not a matrix with one row per node.
        """
        require_graph(graph, "SortPooling")
        check_features(self, feat, graph.num_nodes(), device=graph.device, matrix=True)
        feat = feat.sort(dim=-1).values
        lengths = graph.batch_num_nodes()
        # Nodes by graph, then by descending last feature; the sort is stable.
        owner = torch.repeat_interleave(lengths, output_size=feat.shape[0])
        order = feat[:, -1].argsort(descending=True, stable=True)
        order = order[owner[order].argsort(stable=True)]
        place = torch.arange(self.k, device=feat.device) + (lengths.cumsum(0) - lengths)[:, None]
        inside = torch.arange(self.k, device=feat.device) < lengths[:, None]
        padded = torch.cat([feat[order], feat.new_zeros(1, feat.shape[1])])
        return padded[place.where(inside, feat.shape[0])].flatten(1)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"k={self.k}"


class GlobalAttentionPooling(nn.Module):
    r"""Sum weighted by attention, from `Gated Graph Sequence Neural Networks
    <https://arxiv.org/abs/1511.05493>`__.

    .. math::
        r_b = \sum_{i \in V_b} \mathrm{softmax}_{i \in V_b}\big(f_{gate}(x_i)\big)\, f_{feat}(x_i)

    A graph without nodes gives 0.

    Parameters
    ----------
    gate_nn : callable
        :math:`f_{gate}`, usually a module with one output.
    feat_nn : callable, optional
        :math:`f_{feat}`; the identity if None.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> pool = gs.nn.GlobalAttentionPooling(torch.nn.Linear(4, 1))
    >>> pool(g, torch.rand(3, 4)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        gate_nn: Callable[[Tensor], Tensor],
        feat_nn: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        require_function(gate_nn, "GlobalAttentionPooling", "gate_nn")
        require_function(feat_nn, "GlobalAttentionPooling", "feat_nn")
        self.gate_nn = gate_nn
        self.feat_nn = feat_nn

    def forward(
        self, graph: Graph, feat: Tensor, get_attention: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        r"""Pool the features.

        Parameters
        ----------
        graph : Graph
            A graph, or a batch of :math:`B` graphs, with one node type.
        feat : Tensor
            :math:`(N, D)`.
        get_attention : bool
            Whether to return the weights as well.

        Returns
        -------
        Tensor
            :math:`(B, D')`, where :math:`D'` is the width of `feat_nn`.
        Tensor, optional
            Weights, :math:`(N, 1)`; only if `get_attention` is set.

        Raises
        ------
        InvalidValueError
            If `feat` or the scores do not have one row per node, or do not broadcast.
        """
        require_graph(graph, "GlobalAttentionPooling")
        check_features(self, feat, graph.num_nodes(), device=graph.device)
        scores = self.gate_nn(feat)
        check_features(self, scores, graph.num_nodes())
        owners = owners_of(graph)
        weights = ops.edge_softmax(owners, scores)
        values = feat if self.feat_nn is None else self.feat_nn(feat)
        out = ops.u_mul_e_sum(owners, values, weights)
        return (out, weights) if get_attention else out


class WeightAndSum(nn.Module):
    r"""Sum weighted by a gate on each node.

    .. math:: r_b = \sum_{i \in V_b} \mathrm{sigmoid}(w \cdot x_i + c)\, x_i

    Parameters
    ----------
    in_feats : int
        Width of the features.

    Notes
    -----
    :math:`w` and :math:`c` are initialized as in :class:`torch.nn.Linear`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> gs.nn.WeightAndSum(4)(g, torch.rand(3, 4)).shape
    torch.Size([2, 4])
    """

    def __init__(self, in_feats: int) -> None:
        super().__init__()
        self.in_feats = as_int(in_feats, "WeightAndSum", "in_feats", 0)
        self.atom_weighting = nn.Sequential(nn.Linear(in_feats, 1), nn.Sigmoid())

    def reset_parameters(self) -> None:
        """Reinitialize the weights."""
        self.atom_weighting[0].reset_parameters()

    def forward(self, g: Graph, feats: Tensor) -> Tensor:
        r"""Pool the features.

        Parameters
        ----------
        g : Graph
            A graph, or a batch of :math:`B` graphs, with one node type.
        feats : Tensor
            :math:`(N, D)`.

        Returns
        -------
        Tensor
            :math:`(B, D)`.

        Raises
        ------
        InvalidValueError
            If `feats` has the wrong shape.
        InvalidTypeError
            If `feats` has a different dtype from the parameters.
        """
        require_graph(g, "WeightAndSum")
        check_features(self, feats, g.num_nodes(), self.in_feats, self.atom_weighting[0].weight)
        return ops.u_mul_e_sum(owners_of(g), feats, self.atom_weighting(feats))


class Set2Set(nn.Module):
    r"""Attention in several steps, from `Order Matters: Sequence to sequence for sets
    <https://arxiv.org/abs/1511.06391>`__.

    .. math::
        q_t &= \mathrm{LSTM}(q^*_{t-1}) \\
        r_t &= \sum_{i \in V_b} \mathrm{softmax}_{i \in V_b}(x_i \cdot q_t)\, x_i \\
        q^*_t &= q_t \,\Vert\, r_t

    for each graph, with :math:`q^*_0 = 0`. The order of the nodes does not matter.

    Parameters
    ----------
    input_dim : int
        Width of the features, :math:`D`.
    n_iters : int
        Number of steps.
    n_layers : int
        Layers of the LSTM.

    Notes
    -----
    The LSTM is initialized as in :class:`torch.nn.LSTM`. A graph without nodes has :math:`r_t = 0`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> gs.nn.Set2Set(4, n_iters=3, n_layers=1)(g, torch.rand(3, 4)).shape
    torch.Size([2, 8])
    """

    def __init__(self, input_dim: int, n_iters: int, n_layers: int) -> None:
        super().__init__()
        self.input_dim = as_int(input_dim, "Set2Set", "input_dim", 1)
        self.output_dim = 2 * input_dim
        self.n_iters = as_int(n_iters, "Set2Set", "n_iters", 1)
        self.n_layers = as_int(n_layers, "Set2Set", "n_layers", 1)
        self.lstm = nn.LSTM(self.output_dim, self.input_dim, n_layers)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reinitialize the weights of the LSTM."""
        self.lstm.reset_parameters()

    def forward(self, graph: Graph, feat: Tensor) -> Tensor:
        r"""Pool the features.

        Parameters
        ----------
        graph : Graph
            A graph, or a batch of :math:`B` graphs, with one node type.
        feat : Tensor
            :math:`(N, D)`.

        Returns
        -------
        Tensor
            :math:`(B, 2 D)`.

        Raises
        ------
        InvalidValueError
            If `feat` has the wrong shape.
        InvalidTypeError
            If `feat` has a different dtype from the parameters.
        """
        require_graph(graph, "Set2Set")
        weight = self.lstm.weight_ih_l0
        check_features(self, feat, graph.num_nodes(), self.input_dim, weight, matrix=True)
        owners, x = owners_of(graph), feat.unsqueeze(1)
        q_star = feat.new_zeros(graph.batch_size, self.output_dim)
        state = None
        for _ in range(self.n_iters):
            q, state = self.lstm(q_star.unsqueeze(0), state)
            r = ops.graph_attention(owners, x, x, q.view(-1, 1, self.input_dim), "dot")
            q_star = torch.cat([q.squeeze(0), r.squeeze(1)], dim=-1)
        return q_star

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"n_iters={self.n_iters}"
