"""Principal neighborhood aggregation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import ops
from gossamer._options import as_int, number_in, one_of, shown
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn._common import check_sizes, enter_square, reset_children
from gossamer.nn.conv.egnnconv import optional_edge_features

if TYPE_CHECKING:
    from gossamer.graph import Graph
    from gossamer.ops.adjacency import Adjacency

__all__ = ["PNAConv", "PNAConvTower"]

AGGREGATORS = ("mean", "max", "min", "sum", "std", "var", "moment3", "moment4", "moment5")
SCALERS = ("identity", "amplification", "attenuation")


class Messages:
    r"""The messages of a tower, :math:`m_{ji} = a_j + b_i` or :math:`a_j + c_{ji} + b_i`.

    Reductions share passes over the edges. :math:`b_i` is the same for all messages of a node, so
    it is added to the result. Without edge features, only the higher moments create a tensor with
    one row per edge.
    """

    def __init__(
        self, relation: Adjacency, source: Tensor, own: Tensor, edge: Tensor | None
    ) -> None:
        self.relation = relation
        self.own = own
        self.part, self.end = source, "u"  # the rows of sources or of edges
        if edge is not None:
            self.part, self.end = ops.u_add_e(relation, source, edge), "e"
        # Single precision at least: degrees above 65,504 overflow float16.
        wide = torch.promote_types(own.dtype, torch.float32)
        self.degree = relation.in_degrees().to(wide).unsqueeze(-1)
        # Below this, a root or its gradient is not finite.
        self.tiny = max(1e-30, torch.finfo(own.dtype).tiny)
        self._known: dict[str, Tensor] = {}

    def reduced(self, reduce: str, part: Tensor) -> Tensor:
        """Reduce `part`, the messages without :math:`b` or a function of them."""
        if self.end == "u":
            return ops.gspmm(self.relation, "copy_lhs", reduce, part, None)
        return ops.gspmm(self.relation, "copy_rhs", reduce, None, part)

    def statistic(self, name: str) -> Tensor:
        """Compute one of `AGGREGATORS`."""
        if name in ("max", "min"):
            return self.reduced(name, self.part) + self.own
        if name == "mean":
            return self.mean() + self.own
        if name == "sum":
            return ((self.mean() + self.own) * self.degree).to(self.own.dtype)
        if name == "var":
            return self.variance()
        if name == "std":
            return torch.sqrt(self.variance() + self.tiny)
        return self.moment(int(name.removeprefix("moment")))

    def mean(self) -> Tensor:
        """Compute the mean without :math:`b`."""
        if "mean" not in self._known:
            self._known["mean"] = self.reduced("mean", self.part)
        return self._known["mean"]

    def variance(self) -> Tensor:
        """Compute the variance, which does not depend on :math:`b`."""
        if "var" not in self._known:
            # The mean and the mean square in one pass.
            both = self.reduced("mean", torch.cat([self.part, self.part * self.part], -1))
            mean, square = both.chunk(2, -1)
            self._known["mean"] = mean
            self._known["var"] = F.relu(square - mean * mean)
        return self._known["var"]

    def moment(self, order: int) -> Tensor:
        """Compute the signed root of the central moment, which does not depend on :math:`b`."""
        if "centered" not in self._known:
            self._known["centered"] = ops.gsddmm(
                self.relation, "sub", self.part, self.mean(), self.end, "v"
            )
        powers = self._known["centered"] ** order
        moment = ops.gspmm(self.relation, "copy_rhs", "mean", None, powers)
        return torch.sign(moment) * (moment.abs() + self.tiny) ** (1 / order)


class PNAConvTower(nn.Module):
    """One tower of `PNAConv`, for a slice of the node features and a slice of the output."""

    def __init__(
        self,
        in_size: int,
        out_size: int,
        aggregators: Sequence[str],
        scalers: Sequence[str],
        delta: float,
        dropout: float = 0.0,
        edge_feat_size: int = 0,
    ) -> None:
        super().__init__()
        self.aggregators = list(aggregators)
        self.scalers = list(scalers)
        self.delta = delta
        self.in_size = in_size
        self.M = nn.Linear(2 * in_size + edge_feat_size, in_size)
        self.U = nn.Linear((len(aggregators) * len(scalers) + 1) * in_size, out_size)
        self.dropout = nn.Dropout(dropout)
        self.batchnorm = nn.BatchNorm1d(out_size)

    def forward(
        self,
        relation: Adjacency,
        x: Tensor,
        edge_feat: Tensor | None,
        size_norm: Tensor,
        eig_vec: Tensor | None = None,
    ) -> Tensor:
        """Aggregate and update; `size_norm` is the inverse root of each graph's size."""
        source, own = self.M.weight[:, : 2 * self.in_size].chunk(2, -1)
        edge = None
        if edge_feat is not None:
            edge = F.linear(edge_feat, self.M.weight[:, 2 * self.in_size :])
        messages = Messages(relation, F.linear(x, source), F.linear(x, own, self.M.bias), edge)
        gathered = torch.cat(self.aggregate(messages, x, eig_vec), -1)
        gathered = gathered.masked_fill(messages.degree == 0, 0)
        scaled = [self._scale(name, gathered, messages.degree) for name in self.scalers]
        h = self.U(torch.cat([x, *scaled], -1)) * size_norm
        return self.dropout(self.batchnorm(h) if h.shape[0] else h)

    def aggregate(self, messages: Messages, x: Tensor, eig_vec: Tensor | None) -> list[Tensor]:
        """Return the result of each aggregator; nodes without in-edges are set to 0 later."""
        if {"std", "var"} & set(self.aggregators):
            messages.variance()  # computes the mean too
        return [messages.statistic(name) for name in self.aggregators]

    def _scale(self, name: str, gathered: Tensor, degree: Tensor) -> Tensor:
        if name == "identity":
            return gathered
        logarithm = torch.log(degree.clamp(min=1) + 1).to(gathered.dtype)
        if name == "amplification":
            return gathered * (logarithm / self.delta)
        return gathered * (self.delta / logarithm)


class PNAConv(nn.Module):
    r"""Layer of `Principal Neighborhood Aggregation for Graph Nets
    <https://arxiv.org/abs/2004.05718>`__.

    For each of :math:`T` towers, each of which takes a slice of the node features,

    .. math::
        m_{ji} &= M [h_j \,\|\, h_i \,\|\, e_{ji}] \\
        h_i' &= \mathrm{BN}\Big(\tfrac{1}{\sqrt{|V|}}\, U \big[h_i \,\|\,
            \bigoplus_{j \in \mathcal{N}(i)} m_{ji}\big]\Big)

    and the concatenated outputs of the towers pass through a linear layer with LeakyReLU (slope
    0.01). :math:`|V|` is the number of nodes of the graph that :math:`i` belongs to, and

    .. math::
        \bigoplus = \begin{bmatrix} 1 \\ S(d, 1) \\ S(d, -1) \end{bmatrix} \otimes
            \begin{bmatrix} \mu \\ \sigma \\ \max \\ \min \end{bmatrix}, \qquad
        S(d, p) = \Big(\frac{\log(d + 1)}{\delta}\Big)^p

    combines each scaler with each aggregator; :math:`d` is the in-degree.

    Parameters
    ----------
    in_size : int
        Node features :math:`D_{in}`, divisible by `num_towers`.
    out_size : int
        Output features :math:`D_{out}`, divisible by `num_towers`.
    aggregators : list of str
        Any of ``mean``, ``max``, ``min``, ``sum``, ``std``, ``var``, ``moment3``, ``moment4`` and
        ``moment5``. The last three are the :math:`n`-th roots of the :math:`n`-th central moments.
    scalers : list of str
        Any of ``identity``, ``amplification`` (:math:`p = 1`) and ``attenuation`` (:math:`p = -1`).
    delta : float
        :math:`\delta`, the mean of :math:`\log(d + 1)` over the training graphs.
    dropout : float
        Dropout rate of the towers' outputs.
    num_towers : int
        Number of towers :math:`T`.
    edge_feat_size : int
        Edge features :math:`D_e`; 0 for none.
    residual : bool
        Whether to add the input, if :math:`D_{in} = D_{out}`.

    Raises
    ------
    InvalidValueError
        If an aggregator or scaler is unknown, or a size is not divisible by the number of towers.

    Notes
    -----
    The maps are initialized as in `torch.nn.Linear`. The aggregate of a node without in-edges is 0.
    Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    >>> conv = gs.nn.PNAConv(4, 6, ["mean", "max", "std"], ["identity", "amplification"], 1.2)
    >>> conv(g, torch.rand(3, 4)).shape
    torch.Size([3, 6])
    """

    def __init__(
        self,
        in_size: int,
        out_size: int,
        aggregators: Sequence[str],
        scalers: Sequence[str],
        delta: float,
        dropout: float = 0.0,
        num_towers: int = 1,
        edge_feat_size: int = 0,
        residual: bool = True,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_sizes(name, in_size=in_size, out_size=out_size, edge_feat_size=edge_feat_size)
        as_int(num_towers, name, "num_towers", 1)
        for argument, given in (("aggregators", aggregators), ("scalers", scalers)):
            if isinstance(given, (str, Tensor)) or not isinstance(given, Iterable) or not given:
                raise InvalidTypeError(
                    f"{name}: {argument} is a list of at least one name, got {shown(given)}."
                )
        self._check_aggregators(aggregators)
        for scaler in scalers:
            one_of(scaler, name, "scalers", SCALERS)
        for argument, size in (("in_size", in_size), ("out_size", out_size)):
            if size % num_towers:
                raise InvalidValueError(
                    f"{name}: {argument} must be divisible by num_towers, got {size} and "
                    f"{num_towers}."
                )
        self.in_size = in_size
        self.out_size = out_size
        self.edge_feat_size = edge_feat_size
        self.residual = residual and in_size == out_size
        options = {
            "aggregators": aggregators,
            "scalers": scalers,
            "delta": number_in(delta, name, "delta"),
            "dropout": number_in(dropout, name, "dropout", 0, 1),
            "edge_feat_size": edge_feat_size,
        }
        self._options = in_size // num_towers, out_size // num_towers, options
        self.towers = self._build_towers(PNAConvTower, num_towers)
        self.mixing_layer = nn.Sequential(nn.Linear(out_size, out_size), nn.LeakyReLU())

    def _build_towers(self, kind: type[PNAConvTower], count: int) -> nn.ModuleList:
        in_size, out_size, options = self._options
        return nn.ModuleList([kind(in_size, out_size, **options) for _ in range(count)])

    def _check_aggregators(self, aggregators: Sequence[str]) -> None:
        for aggregator in aggregators:
            one_of(aggregator, "PNAConv", "aggregators", AGGREGATORS)

    def reset_parameters(self) -> None:
        """Reinitialize all maps, and reset the statistics of the batch normalization."""
        reset_children(self)

    def forward(self, graph: Graph, node_feat: Tensor, edge_feat: Tensor | None = None) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, or a batch.
        node_feat : Tensor
            :math:`(N, D_{in})`.
        edge_feat : Tensor, optional
            :math:`(E, D_e)`, for a layer that was built with edge features.

        Returns
        -------
        Tensor
            :math:`(N, D_{out})`.

        Raises
        ------
        InvalidValueError
            If sources and destinations are not the same nodes, features have the wrong shape, or
            edge features are missing.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        like = self.mixing_layer[0].weight
        relation, x = enter_square(self, graph, node_feat, self.in_size, like)
        edge_feat = optional_edge_features(self, edge_feat, relation.num_edges, like)
        return self._mix(graph, relation, x, *(edge_feat or (None,)))

    def _mix(
        self,
        graph: Graph,
        relation: Adjacency,
        x: Tensor,
        edge_feat: Tensor | None,
        eig_vec: Tensor | None = None,
    ) -> Tensor:
        norm = size_norm(graph, x)
        slices = x.chunk(len(self.towers), -1)
        h = [
            tower(relation, part, edge_feat, norm, eig_vec)
            for tower, part in zip(self.towers, slices, strict=True)
        ]
        h = self.mixing_layer(torch.cat(h, -1))
        return h + x if self.residual else h


def size_norm(graph: Graph, x: Tensor) -> Tensor:
    """Return the inverse square root of the number of nodes in each node's graph, ``(N, 1)``."""
    if graph.is_block or graph.batch_size == 1:
        return x.new_ones(x.shape[0], 1) * max(x.shape[0], 1) ** -0.5
    counts = graph.batch_num_nodes()
    norm = counts.to(torch.float64).rsqrt().to(x.dtype)
    return torch.repeat_interleave(norm, counts, output_size=x.shape[0]).unsqueeze(-1)
