"""Normalization of features and of edge weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph
from gossamer.ops.adjacency import Adjacency
from gossamer.transforms._validate import edge_weights
from gossamer.transforms.modules.base import BaseTransform, FeatureTransform, checked

__all__ = ["GCNNorm", "RowFeatNormalizer", "symmetric_weights"]


class RowFeatNormalizer(FeatureTransform):
    r"""Divide each row of features by its sum if the sum is more than 1.

    .. math:: x_{ij} \leftarrow \frac{x_{ij}}{\max\left(\sum_l x_{il}, 1\right)}

    Parameters
    ----------
    subtract_min : bool
        Whether to first subtract the smallest value of the whole feature, so that no value is
        negative.
    node_feat_names, edge_feat_names : sequence of str, optional
        Floating-point features ``(N, D)`` or ``(E, D)`` to normalize. A name applies to all types
        that have the feature. Default: none.

    Raises
    ------
    UnknownKeyError
        When called, if no type has such a feature.
    InvalidTypeError, InvalidValueError
        When called, if a feature is not floating point, or its rows are scalars.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0], [1]))
    >>> g.ndata["h"] = torch.tensor([[1.0, 3.0], [0.25, 0.5]])
    >>> gs.transforms.RowFeatNormalizer(node_feat_names=["h"])(g).ndata["h"]
    tensor([[0.2500, 0.7500],
            [0.2500, 0.5000]])
    """

    def __init__(
        self,
        subtract_min: bool = False,
        node_feat_names: Sequence[str] | None = None,
        edge_feat_names: Sequence[str] | None = None,
    ) -> None:
        self.subtract_min = subtract_min
        super().__init__(node_feat_names, edge_feat_names)

    def _changed(self, name: str, feature: Tensor) -> Tensor:
        if not feature.is_floating_point():
            raise InvalidTypeError(
                f"RowFeatNormalizer: feature {name!r} is {feature.dtype}; it must be floating "
                "point."
            )
        if feature.dim() < 2:
            raise InvalidValueError(
                f"RowFeatNormalizer: feature {name!r} has shape {tuple(feature.shape)}, so its "
                "rows are single numbers; they must be vectors."
            )
        if self.subtract_min and feature.numel():
            feature = feature - feature.min()
        return feature / feature.sum(dim=-1, keepdim=True).clamp(min=1)


class GCNNorm(BaseTransform):
    r"""Normalize edge weights symmetrically, in each edge type that joins a node type with itself.

    .. math:: w_{uv} \leftarrow \frac{w_{uv}}{\sqrt{d_u d_v}}, \qquad
              d_v = \sum_{(u, v) \in E} w_{uv}

    The new weight is 0 if :math:`d_u` or :math:`d_v` is 0, and NaN if one of them is negative.
    From `Semi-Supervised Classification with Graph Convolutional Networks
    <https://arxiv.org/abs/1609.02907>`__ (Kipf and Welling, 2017).

    Parameters
    ----------
    eweight_name : str
        Edge feature ``(E,)`` or ``(E, 1)``, floating point, for the input and output weights. If it
        does not exist, input weights are 1.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        When called, if weights are not one floating-point number per edge.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 0], [1, 0, 1, 2]))
    >>> gs.GCNNorm()(g).edata["w"]
    tensor([0.7071, 0.7071, 0.7071, 1.0000])
    """

    def __init__(self, eweight_name: str = "w") -> None:
        self.eweight_name = eweight_name

    def __call__(self, g: Graph) -> Graph:
        g = checked(g, self).local_var()
        for etype in g.canonical_etypes:
            if etype[0] == etype[2]:
                data = g.edges[etype].data
                shape = data[self.eweight_name].shape if self.eweight_name in data else (-1,)
                weights = weights_or_ones(g, etype, self.eweight_name, "GCNNorm")
                weights = symmetric_weights(g.relation(etype), weights)
                data[self.eweight_name] = weights.view(shape)
        return g


def weights_or_ones(g: Graph, etype: object, name: str | None, transform: str) -> Tensor:
    """The edge feature `name` as a floating-point vector; ones if there is none."""
    data = g.edges[etype].data
    if name is None or name not in data:
        return torch.ones(g.num_edges(etype), device=g.device)
    weights = edge_weights(data, name, transform)
    if not weights.is_floating_point():
        raise InvalidTypeError(
            f"{transform}: edge feature {name!r} is {weights.dtype}; weights must be floating "
            "point."
        )
    return weights


def symmetric_weights(relation: Adjacency, weights: Tensor) -> Tensor:
    """``w_uv / sqrt(d_u d_v)`` for each edge; 0 where a degree is 0."""
    degree = ops.gspmm(relation, "copy_rhs", "sum", None, weights.unsqueeze(1)).squeeze(1)
    scale = torch.where(degree == 0, 0, degree.where(degree != 0, 1).rsqrt())
    u, v = (end.long() for end in relation.coo())
    return weights * scale[u] * scale[v]
