"""Edge-conditioned convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import one_of, require_function
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn._common import Features, check_features, check_sizes, enter, residual_map
from gossamer.nn.conv._attention import reset_linear
from gossamer.ops._torch import has_hooks
from gossamer.utils import expand_as_pair

if TYPE_CHECKING:
    from gossamer.graph import Graph
    from gossamer.ops.adjacency import Adjacency

__all__ = ["NNConv"]


class NNConv(nn.Module):
    r"""Convolution of `Neural Message Passing for Quantum Chemistry
    <https://arxiv.org/abs/1704.01212>`__, with a matrix for each edge.

    .. math::
        h_i' = \mathrm{aggregate}_{j \in \mathcal{N}(i)}\, f_\Theta(e_{ji})^\top h_j + r(h_i) + b

    where :math:`\mathcal{N}(i)` is the set of sources of the in-edges of node :math:`i`, and
    :math:`f_\Theta` maps the features of an edge to a :math:`(D_{in}, D_{out})` matrix. The
    residual :math:`r` is 0, the identity, or, if the sizes differ, a linear map.

    Parameters
    ----------
    in_feats : int or (int, int)
        Input features :math:`D_{in}`; a pair for source and destination nodes.
    out_feats : int
        Output features :math:`D_{out}`.
    edge_func : callable
        :math:`f_\Theta`: takes :math:`(E, *)`, returns :math:`(E, D_{in} D_{out})`.
    aggregator_type : {"sum", "mean", "max"}
        How the neighbors are aggregated. The maximum is taken over the neighbors for each product
        of an entry of :math:`h_j` and an entry of the matrix, before the products are summed.
    residual : bool
        Whether to add :math:`r`.
    bias : bool
        Whether to add :math:`b`.

    Raises
    ------
    InvalidValueError
        If `aggregator_type` is unknown.

    Notes
    -----
    The aggregate of a node without in-edges is 0. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> conv = gs.nn.NNConv(4, 3, torch.nn.Linear(2, 4 * 3), "sum")
    >>> conv(g, torch.rand(3, 4), torch.rand(3, 2)).shape
    torch.Size([3, 3])
    """

    def __init__(
        self,
        in_feats: int | tuple[int, int],
        out_feats: int,
        edge_func: Callable[[Tensor], Tensor],
        aggregator_type: str = "mean",
        residual: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        one_of(aggregator_type, "NNConv", "aggregator_type", ("sum", "mean", "max"))
        check_sizes("NNConv", in_feats=in_feats, out_feats=out_feats)
        require_function(edge_func, "NNConv", "edge_func")
        self._in_src_feats, self._in_dst_feats = expand_as_pair(in_feats)
        self._out_feats = out_feats
        self._aggregator = aggregator_type
        self.edge_func = edge_func
        self.res_fc = residual_map(self._in_dst_feats, out_feats, False) if residual else None
        self.bias = nn.Parameter(torch.empty(out_feats)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw :math:`r` (Xavier normal, gain of relu) and set :math:`b` to 0.

        `edge_func` is not changed.
        """
        if self.bias is not None:
            nn.init.zeros_(self.bias)
        reset_linear(self.res_fc)

    def forward(self, graph: Graph, feat: Features, efeat: Tensor) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, D_{in})`, or one such tensor for source and one for destination nodes.
        efeat : Tensor
            Edge features :math:`(E, *)`, as `edge_func` takes them.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, D_{out})`.

        Raises
        ------
        InvalidValueError
            If features or the output of `edge_func` have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        widths = self._in_src_feats, self._in_dst_feats
        relation, x, x_dst = enter(self, graph, feat, widths, self.bias)
        check_features(self, efeat, relation.num_edges, role="edge", device=relation.device)

        *before, last = self._steps()
        if last is None or self._aggregator == "max" or efeat.dim() != 2:
            weight = self._matrices(efeat, relation.num_edges)
            products = ops.gspmm(relation, "mul", self._aggregator, x.unsqueeze(-1), weight)
            h = products.sum(1)
        else:
            for step in before:
                efeat = step(efeat)
            h = self._map_sums(relation, x, efeat, last)
        if self.res_fc is not None:
            h = h + self.res_fc(x_dst)
        return h if self.bias is None else h + self.bias

    def _steps(self) -> list:
        """Return the steps of `edge_func`; the last is None unless it is a separate linear map."""
        func = self.edge_func
        steps = list(func) if type(func) is nn.Sequential and not has_hooks(func) else [func]
        last = steps[-1] if steps else None
        if type(last) is not nn.Linear or has_hooks(last):
            return [None]
        sizes = self._in_src_feats * self._out_feats
        return steps if last.out_features == sizes else [None]

    def _map_sums(self, relation: Adjacency, x: Tensor, z: Tensor, last: nn.Linear) -> Tensor:
        r"""Aggregate without a matrix per edge, since the matrices are linear in `z`:
        :math:`\sum_e V(z_e)^\top x_e = V \sum_e z_e \otimes x_e`.
        """
        weight = last.weight.t()
        if last.bias is not None:
            z = torch.cat([z, z.new_ones(z.shape[0], 1)], 1)
            weight = torch.cat([weight, last.bias.unsqueeze(0)])
        outer = ops.gspmm(relation, "mul", self._aggregator, x.unsqueeze(1), z.unsqueeze(2))
        return outer.flatten(1) @ weight.reshape(-1, self._out_feats)

    def _matrices(self, efeat: Tensor, num_edges: int) -> Tensor:
        shape = num_edges, self._in_src_feats, self._out_feats
        weight = self.edge_func(efeat)
        if not isinstance(weight, Tensor):
            raise InvalidTypeError(
                f"NNConv: edge_func must return a tensor, but got {type(weight).__name__}."
            )
        if weight.shape[:1] != shape[:1] or weight.numel() != shape[0] * shape[1] * shape[2]:
            raise InvalidValueError(
                f"NNConv: edge_func must return shape ({shape[0]}, {shape[1] * shape[2]}), a "
                f"matrix ({shape[1]}, {shape[2]}) per edge, but got {tuple(weight.shape)}."
            )
        return weight.view(shape)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"out={self._out_feats}, aggregator_type={self._aggregator}"
