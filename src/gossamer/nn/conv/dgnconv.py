"""Directional graph network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gossamer import ops
from gossamer._options import one_of
from gossamer.errors import InvalidValueError
from gossamer.nn._common import check_features, enter_square
from gossamer.nn.conv.egnnconv import optional_edge_features
from gossamer.nn.conv.pnaconv import AGGREGATORS, Messages, PNAConv, PNAConvTower

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["DGNConv", "DGNConvTower"]

_DIRECTIONAL = re.compile(r"dir([1-9]\d*)-(av|dx)")


class DGNConvTower(PNAConvTower):
    """One tower of `DGNConv`: the aggregators of `PNAConv` and directional ones."""

    def aggregate(self, messages: Messages, x: Tensor, eig_vec: Tensor | None) -> list[Tensor]:
        """Return the result of each aggregator; nodes without in-edges are set to 0 later."""
        if {"std", "var"} & set(self.aggregators):
            messages.variance()
        directed = [name for name in self.aggregators if _DIRECTIONAL.fullmatch(name)]
        sums = dict(zip(directed, self._directed(messages, x, eig_vec, directed), strict=True))
        return [
            sums[name] if name in sums else messages.statistic(name) for name in self.aggregators
        ]

    def _directed(
        self, messages: Messages, x: Tensor, eig_vec: Tensor | None, names: list[str]
    ) -> list[Tensor]:
        """Compute the weighted sums along all directions at once."""
        if not names:
            return []
        relation = messages.relation
        parsed = [_DIRECTIONAL.fullmatch(name).groups() for name in names]
        chosen = torch.stack([eig_vec[:, int(k) - 1] for k, _ in parsed], -1)
        field = ops.u_sub_v(relation, chosen, chosen)
        total = ops.copy_e_sum(relation, field.abs()) + messages.tiny
        field = ops.e_div_v(relation, field, total)
        columns = zip(field.unbind(-1), parsed, strict=True)
        weight = [column.abs() if kind == "av" else column for column, (_, kind) in columns]
        weight = torch.stack(weight, -1).unsqueeze(-1)  # (E, K, 1)

        part = messages.part.unsqueeze(1)
        if messages.end == "u":
            h = ops.u_mul_e_sum(relation, part, weight)
        else:
            h = ops.copy_e_sum(relation, part * weight)
        weights = ops.copy_e_sum(relation, weight)  # (N, K, 1)
        h = h + weights * messages.own.unsqueeze(1)
        derivative = (h - weights * x.unsqueeze(1)).abs()
        return [(h if kind == "av" else derivative)[:, i] for i, (_, kind) in enumerate(parsed)]


class DGNConv(PNAConv):
    r"""Layer of `Directional Graph Networks <https://arxiv.org/abs/2010.02863>`__.

    Like `PNAConv`, with additional aggregators that follow vector fields on the graph. With
    :math:`F^k_{ji} = \phi^k_j - \phi^k_i` for the :math:`k`-th eigenvector :math:`\phi^k` and
    :math:`\hat{F}_{ji} = F_{ji} / \big(\sum_{l \in \mathcal{N}(i)} |F_{li}| + \epsilon\big)`,

    .. math::
        \text{dir}k\text{-av}: \quad & \sum_{j \in \mathcal{N}(i)} |\hat{F}^k_{ji}|\, m_{ji} \\
        \text{dir}k\text{-dx}: \quad & \Big|\sum_{j \in \mathcal{N}(i)} \hat{F}^k_{ji}\, m_{ji} -
            \Big(\sum_{j \in \mathcal{N}(i)} \hat{F}^k_{ji}\Big) h_i\Big|

    Parameters
    ----------
    in_size : int
        Node features :math:`D_{in}`, divisible by `num_towers`.
    out_size : int
        Output features :math:`D_{out}`, divisible by `num_towers`.
    aggregators : list of str
        Those of `PNAConv`, and ``dir{k}-av`` and ``dir{k}-dx`` with :math:`k` from 1.
    scalers : list of str
        Any of ``identity``, ``amplification`` and ``attenuation``; see `PNAConv`.
    delta : float
        :math:`\delta` of the scalers; see `PNAConv`.
    dropout : float
        Dropout rate of the towers' outputs.
    num_towers : int
        Number of towers.
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
    The eigenvectors are those of the Laplacian except the constant one, as `gossamer.lap_pe`
    returns them. The aggregate of a node without in-edges is 0. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    >>> conv = gs.nn.DGNConv(4, 6, ["mean", "dir1-av", "dir1-dx"], ["identity"], 1.2)
    >>> conv(g, torch.rand(3, 4), eig_vec=torch.rand(3, 1)).shape
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
        options = dropout, num_towers, edge_feat_size, residual
        super().__init__(in_size, out_size, aggregators, scalers, delta, *options)
        self.towers = self._build_towers(DGNConvTower, num_towers)
        found = (_DIRECTIONAL.fullmatch(name) for name in aggregators)
        self._directions = max((int(match[1]) for match in found if match), default=0)

    def _check_aggregators(self, aggregators: Sequence[str]) -> None:
        known = (*AGGREGATORS, "dir1-av", "dir1-dx", "dir2-av", "...")
        for aggregator in aggregators:
            if not (isinstance(aggregator, str) and _DIRECTIONAL.fullmatch(aggregator)):
                one_of(aggregator, "DGNConv", "aggregators", known)

    def forward(
        self,
        graph: Graph,
        node_feat: Tensor,
        edge_feat: Tensor | None = None,
        eig_vec: Tensor | None = None,
    ) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, or a batch.
        node_feat : Tensor
            :math:`(N, D_{in})`.
        edge_feat : Tensor, optional
            :math:`(E, D_e)`, for a layer that was built with edge features.
        eig_vec : Tensor, optional
            :math:`(N, K)`, the eigenvectors :math:`\phi^1, \dots, \phi^K`; required by directional
            aggregators.

        Returns
        -------
        Tensor
            :math:`(N, D_{out})`.

        Raises
        ------
        InvalidValueError
            If sources and destinations are not the same nodes, features have the wrong shape, edge
            features are missing, or there are too few eigenvectors.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        like = self.mixing_layer[0].weight
        relation, x = enter_square(self, graph, node_feat, self.in_size, like)
        edge_feat = optional_edge_features(self, edge_feat, relation.num_edges, like)
        if self._directions:
            check_features(self, eig_vec, x.shape[0], like=like)
            if eig_vec.dim() != 2 or eig_vec.shape[1] < self._directions:
                raise InvalidValueError(
                    f"DGNConv: eig_vec must have at least {self._directions} columns for the given "
                    f"aggregators, but got shape {tuple(eig_vec.shape)}."
                )
        return self._mix(graph, relation, x, *(edge_feat or (None,)), eig_vec)
