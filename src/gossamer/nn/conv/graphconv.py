"""Graph convolution (Kipf & Welling) and the matching normalization of edge weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import number_in, one_of, require_function
from gossamer.errors import InvalidValueError
from gossamer.nn._common import (
    Activation,
    Features,
    ZeroInDegreeGuard,
    check_edge_weight,
    check_sizes,
    degree_scale,
    enter_sources,
    relation_for,
    scaled_sum,
)
from gossamer.ops._torch import assert_async

if TYPE_CHECKING:
    from gossamer.graph import Graph
    from gossamer.ops.adjacency import Adjacency

__all__ = ["EdgeWeightNorm", "GraphConv", "normalized_weight"]


class GraphConv(ZeroInDegreeGuard, nn.Module):
    r"""Graph convolution of `Semi-Supervised Classification with Graph Convolutional Networks
    <https://arxiv.org/abs/1609.02907>`__.

    .. math::
        h_i' = \sigma\Big(b + \sum_{j \in \mathcal{N}(i)} \frac{e_{ji}}{c_{ji}} h_j W\Big)

    where :math:`\mathcal{N}(i)` is the set of sources of the in-edges of node :math:`i`,
    :math:`e_{ji}` is the edge weight (1 if none is given), :math:`W` and :math:`b` are the
    parameters, and :math:`c_{ji}` depends on `norm`:

    =========== ===========================================
    ``"both"``  :math:`\sqrt{d^{out}_j \, d^{in}_i}`
    ``"right"`` :math:`d^{in}_i`, so messages are averaged
    ``"left"``  :math:`d^{out}_j`, so a node shares itself out
    ``"none"``  1
    =========== ===========================================

    Degrees count edges, not their weights (`EdgeWeightNorm` uses the weights), and a degree of 0
    counts as 1. The layer adds no self-loops.

    Parameters
    ----------
    in_feats : int
        Input features :math:`D_{in}`. On a pair, those of the source nodes.
    out_feats : int
        Output features :math:`D_{out}`.
    norm : {"both", "right", "left", "none"}
        Normalization, as above.
    weight : bool
        Whether the layer has its own :math:`W`. If False, :math:`W` can be passed to `forward`.
    bias : bool
        Whether to add :math:`b`.
    activation : callable, optional
        :math:`\sigma`.
    allow_zero_in_degree : bool
        Whether to accept nodes without in-edges. Their output is :math:`\sigma(b)`.

    Raises
    ------
    InvalidValueError
        If `norm` is unknown.

    Notes
    -----
    Each duplicate edge sends a message. Since the sum is linear, the product with :math:`W` is
    computed before or after it, whichever has narrower rows.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 1], [1, 0, 1]))
    >>> conv = gs.nn.GraphConv(2, 2, norm="right", weight=False, bias=False)
    >>> conv(g, torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [2., 3.]])
    """

    def __init__(
        self,
        in_feats: int,
        out_feats: int,
        norm: str = "both",
        weight: bool = True,
        bias: bool = True,
        activation: Activation = None,
        allow_zero_in_degree: bool = False,
    ) -> None:
        super().__init__()
        one_of(norm, "GraphConv", "norm", ("none", "both", "right", "left"))
        check_sizes("GraphConv", in_feats=in_feats, out_feats=out_feats)
        require_function(activation, "GraphConv", "activation")
        self._in_feats = in_feats
        self._out_feats = out_feats
        self._norm = norm
        self._allow_zero_in_degree = allow_zero_in_degree
        self._activation = activation
        self.weight = nn.Parameter(torch.empty(in_feats, out_feats)) if weight else None
        self.bias = nn.Parameter(torch.empty(out_feats)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw :math:`W` uniformly (Xavier) and set :math:`b` to 0."""
        if self.weight is not None:
            nn.init.xavier_uniform_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(
        self,
        graph: Graph,
        feat: Features,
        weight: Tensor | None = None,
        edge_weight: Tensor | None = None,
    ) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            Source features :math:`(N_{src}, *, D_{in})`; of a pair, only the first is used.
        weight : Tensor, optional
            External :math:`W`, :math:`(D_{in}, D_{out})`, for a layer built with
            ``weight=False``.
        edge_weight : Tensor, optional
            :math:`(E,)` or :math:`(E, 1)`; or :math:`(E, D)` with
            :math:`D = \min(D_{in}, D_{out})`, the width at which messages are sent.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, *, D_{out})`.

        Raises
        ------
        InvalidValueError
            If a node has no in-edges (unless allowed), features or weights have the wrong shape,
            or `weight` is given to a layer that has its own.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        weight = self._pick_weight(weight)
        if weight is not None:
            width, like = weight.shape[0], weight
        else:
            width, like = None if self.bias is None else self._out_feats, self.bias
        relation, x = enter_sources(self, graph, feat, width, like)
        if edge_weight is not None:
            check_edge_weight(self, relation, edge_weight, x)
        if self._norm != "none" and not (x.is_floating_point() or x.is_complex()):
            x = x.to(torch.get_default_dtype())  # do not truncate fractions

        power = -0.5 if self._norm == "both" else -1.0
        # Scaling rows commutes with the product, so both scalings act on the narrow side too.
        weight_first = weight is not None and weight.shape[0] > weight.shape[1]
        if weight_first:
            x = x @ weight
        left = right = None
        if self._norm in ("both", "left"):
            left = degree_scale(relation, "src", power, x)
        if self._norm in ("both", "right"):
            right = degree_scale(relation, "dst", power, x)
        h = scaled_sum(relation, x, left, right, edge_weight)
        if weight is not None and not weight_first:
            h = h @ weight
        if self.bias is not None:
            h = h + self.bias
        return h if self._activation is None else self._activation(h)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return (
            f"in={self._in_feats}, out={self._out_feats}, normalization={self._norm}, "
            f"activation={self._activation}"
        )

    def _pick_weight(self, weight: Tensor | None) -> Tensor | None:
        if weight is None:
            return self.weight
        if self.weight is not None:
            raise InvalidValueError(
                "GraphConv: got an external weight, but the layer has its own. "
                "Build it with weight=False to pass one."
            )
        if tuple(weight.shape) != (self._in_feats, self._out_feats):
            raise InvalidValueError(
                f"GraphConv: weight must be a matrix ({self._in_feats}, {self._out_feats}), "
                f"but got shape {tuple(weight.shape)}."
            )
        return weight


def normalized_weight(
    layer: nn.Module, relation: Adjacency, edge_weight: Tensor | None, eps: float = 0.0
) -> Tensor | None:
    """Divide positive edge weights by the square roots of the weighted degrees of both ends."""
    if edge_weight is None:
        return None
    _require_scalars(layer, relation, edge_weight)
    name = type(layer).__name__
    if torch.compiler.is_compiling():
        assert_async((edge_weight > 0).all(), f"{name}: edge weights must be positive.")
    elif (edge_weight <= 0).any():
        option = " with norm='both'" if isinstance(layer, EdgeWeightNorm) else ""
        raise InvalidValueError(
            f"{name}: the normalization{option} takes a square root, so every edge weight must be "
            "positive. Remove the other edges."
        )
    into = ops.copy_e_sum(relation, edge_weight) + eps
    out_of = ops.copy_e_sum(relation.reverse(), edge_weight) + eps
    return edge_weight * ops.u_mul_v(relation, out_of.rsqrt(), into.rsqrt())


def _require_scalars(layer: nn.Module, relation: Adjacency, edge_weight: Tensor) -> None:
    check_edge_weight(layer, relation, edge_weight)
    if edge_weight.dim() != 1:
        raise InvalidValueError(
            f"{type(layer).__name__}: edge_weight must have shape ({relation.num_edges},), one "
            f"scalar per edge, but got {tuple(edge_weight.shape)}."
        )


class EdgeWeightNorm(nn.Module):
    r"""Normalize positive edge weights by the weighted degrees, for use in `GraphConv`.

    .. math::
        c_{ji} = \sqrt{\sum_{k \in \mathcal{N}(i)} e_{ki} + \epsilon}\;
                 \sqrt{\sum_{k : j \in \mathcal{N}(k)} e_{jk} + \epsilon}
        \quad\text{("both")}, \qquad
        c_{ji} = \sum_{k \in \mathcal{N}(i)} e_{ki} + \epsilon
        \quad\text{("right")}

    and the result is :math:`e_{ji} / c_{ji}`. ``"both"`` is the symmetric normalization of the
    `GCN paper <https://arxiv.org/abs/1609.02907>`__ for a weighted adjacency matrix. Build the
    layer that uses the result with ``norm="none"``.

    Parameters
    ----------
    norm : {"both", "right", "none"}
        Normalization, as above; ``"none"`` returns the weights as they are.
    eps : float
        :math:`\epsilon`.

    Raises
    ------
    InvalidValueError
        If `norm` is unknown.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 1], [1, 0, 1]))
    >>> gs.nn.EdgeWeightNorm(norm="right")(g, torch.tensor([1.0, 2.0, 3.0]))
    tensor([0.2500, 1.0000, 0.7500])
    """

    def __init__(self, norm: str = "both", eps: float = 0.0) -> None:
        super().__init__()
        one_of(norm, "EdgeWeightNorm", "norm", ("none", "both", "right"))
        self._norm = norm
        self._eps = number_in(eps, "EdgeWeightNorm", "eps")

    def forward(self, graph: Graph, edge_weight: Tensor) -> Tensor:
        r"""Normalize the weights.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        edge_weight : Tensor
            :math:`(E,)`, positive if `norm` is ``"both"``.

        Returns
        -------
        Tensor
            :math:`(E,)`.

        Raises
        ------
        InvalidValueError
            If a weight is not a scalar, or is not positive with ``norm="both"``.
        """
        relation = relation_for(self, graph)
        _require_scalars(self, relation, edge_weight)
        if self._norm == "none":
            return edge_weight
        if self._norm == "both":
            return normalized_weight(self, relation, edge_weight, self._eps)
        return ops.e_div_v(relation, edge_weight, ops.copy_e_sum(relation, edge_weight) + self._eps)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"normalization={self._norm}, eps={self._eps}"
