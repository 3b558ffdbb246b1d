"""Diffusion of edges, and of features along edges."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gossamer import ops
from gossamer._options import as_int, number_in, one_of
from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import Graph, graph
from gossamer.ops.adjacency import Adjacency
from gossamer.transforms._validate import edge_weights, one_relation
from gossamer.transforms.modules.base import BaseTransform
from gossamer.transforms.modules.features import symmetric_weights, weights_or_ones

__all__ = ["GDC", "PPR", "HeatKernel", "SIGNDiffusion"]


class _Diffusion(BaseTransform):
    """Replace the edges by the largest entries of a function of the weighted adjacency matrix."""

    def __init__(self, eweight_name: str, eps: float | None, avg_degree: float) -> None:
        name = type(self).__name__
        self.eweight_name = eweight_name
        self.eps = eps if eps is None else number_in(eps, name, "eps", -math.inf, math.inf)
        self.avg_degree = avg_degree
        if eps is None:
            self.avg_degree = as_int(avg_degree, name, "avg_degree", 1)

    def __call__(self, g: Graph) -> Graph:
        name = type(self).__name__
        relation = one_relation(g, name)
        diffused = self._diffused(_transition(g, relation, self.eweight_name, name))
        v, u = (diffused >= self._threshold(diffused)).nonzero(as_tuple=True)
        result = graph((u.to(g.idtype), v.to(g.idtype)), num_nodes=relation.num_src)
        result.ndata.update(g.nodes[g.canonical_etypes[0][0]].data)
        result.edata[self.eweight_name] = diffused[v, u]
        return result

    def _threshold(self, diffused: Tensor) -> float | Tensor:
        if self.eps is not None:
            return self.eps
        wanted = min(self.avg_degree * len(diffused), diffused.numel())
        return diffused.flatten().topk(wanted).values[-1] if wanted else 0.0

    @abstractmethod
    def _diffused(self, transition: Tensor) -> Tensor:
        """The function of the transition matrix, ``(N, N)``."""


def _transition(g: Graph, relation: Adjacency, weight_name: str, name: str) -> Tensor:
    """The dense matrix whose entry (v, u) is the weight of the edges from u to v."""
    if weight_name in g.edata:
        weights = edge_weights(g.edata, weight_name, name)
        if not weights.is_floating_point():
            weights = weights.float()
    else:
        weights = weights_or_ones(g, None, None, name)
    u, v = (end.long() for end in relation.coo())
    matrix = weights.new_zeros(relation.num_dst, relation.num_src)
    return matrix.index_put((v, u), weights, accumulate=True)


class GDC(_Diffusion):
    r"""Replace the edges by the largest entries of a polynomial of the adjacency matrix.

    .. math:: S = \sum_{k} \theta_k T^k

    T is the dense ``(N, N)`` matrix of edge weights from column to row. It is not normalized; apply
    :class:`AddSelfLoop` and :class:`GCNNorm` first, for example. Parallel edges are summed. From
    `Diffusion Improves Graph Learning <https://arxiv.org/abs/1911.05485>`__ (Gasteiger et al.,
    2019).

    Parameters
    ----------
    coefs : sequence of float
        Coefficients :math:`\theta_0, \theta_1, \ldots`; at least one.
    eweight_name : str
        Edge feature ``(E,)`` or ``(E, 1)`` of the input and output weights. If it is absent, input
        weights are 1.
    eps : float, optional
        Threshold below which entries of S are dropped. Default: set by `avg_degree`.
    avg_degree : int
        If `eps` is None, the average number of entries to keep for each node. Entries equal to the
        smallest of them are also kept.

    Returns
    -------
    Graph
        When called, a graph with one node type and one edge type, the node features of the input,
        and the weights as the only edge feature. Edges are sorted by destination, then by source.
        Batch sizes are dropped.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If a setting is invalid; when called, if the graph has several edge types or weights are not
        one real number per edge.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.GDC([0.5, 0.3, 0.2], eps=0.25)(gs.graph(([0, 1], [1, 2])))
    >>> g.edges(), g.edata["w"]
    ((tensor([0, 0, 1, 1, 2]), tensor([0, 1, 1, 2, 2])),
     tensor([0.5000, 0.3000, 0.5000, 0.3000, 0.5000]))
    """

    def __init__(
        self,
        coefs: Sequence[float],
        eweight_name: str = "w",
        eps: float | None = None,
        avg_degree: int = 5,
    ) -> None:
        values = coefs.tolist() if isinstance(coefs, (Tensor, np.ndarray)) else coefs
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise InvalidTypeError(f"GDC: coefs is a list of at least one number, got {coefs!r}.")
        self.coefs = [number_in(c, "GDC", "a coefficient", -math.inf, math.inf) for c in values]
        super().__init__(eweight_name, eps, avg_degree)

    def _diffused(self, transition: Tensor) -> Tensor:
        # Horner's scheme.
        eye = torch.eye(len(transition), dtype=transition.dtype, device=transition.device)
        result = self.coefs[-1] * eye
        for coef in reversed(self.coefs[:-1]):
            result = transition @ result + coef * eye
        return result


class PPR(_Diffusion):
    r"""Replace the edges by the largest entries of personalized PageRank; see :class:`GDC`.

    .. math:: S = \alpha \left(I - (1 - \alpha) T\right)^{-1}

    Parameters
    ----------
    alpha : float
        Probability of returning to the start in each step, from 0 to 1.
    eweight_name, eps, avg_degree
        As for :class:`GDC`.

    Raises
    ------
    InvalidValueError
        As for :class:`GDC`; also, when called, if the matrix to invert is singular.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.PPR(alpha=0.5, eps=0.2)(gs.graph(([0, 1], [1, 2])))
    >>> g.edges(), g.edata["w"]
    ((tensor([0, 0, 1, 1, 2]), tensor([0, 1, 1, 2, 2])),
     tensor([0.5000, 0.2500, 0.5000, 0.2500, 0.5000]))
    """

    def __init__(
        self,
        alpha: float = 0.15,
        eweight_name: str = "w",
        eps: float | None = None,
        avg_degree: int = 5,
    ) -> None:
        self.alpha = number_in(alpha, "PPR", "alpha", 0, 1)
        super().__init__(eweight_name, eps, avg_degree)

    def _diffused(self, transition: Tensor) -> Tensor:
        eye = torch.eye(len(transition), dtype=transition.dtype, device=transition.device)
        inverse, failed = torch.linalg.inv_ex(eye - (1 - self.alpha) * transition)
        if failed:
            raise InvalidValueError(
                f"PPR: I - (1 - alpha) T is singular for alpha={self.alpha} and these weights. "
                "Normalize the weights first, for example with GCNNorm."
            )
        return self.alpha * inverse


class HeatKernel(_Diffusion):
    r"""Replace the edges by the largest entries of the heat kernel; see :class:`GDC`.

    .. math:: S = e^{-t} \sum_{k=0}^{\infty} \frac{t^k}{k!} T^k = e^{-t (I - T)}

    Parameters
    ----------
    t : float
        Diffusion time, not negative.
    eweight_name, eps, avg_degree
        As for :class:`GDC`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        As for :class:`GDC`; also if `t` is negative.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.HeatKernel(t=1.0, eps=0.3)(gs.graph(([0, 1], [1, 2])))
    >>> g.edges(), g.edata["w"]
    ((tensor([0, 0, 1, 1, 2]), tensor([0, 1, 1, 2, 2])),
     tensor([0.3679, 0.3679, 0.3679, 0.3679, 0.3679]))
    """

    def __init__(
        self,
        t: float = 2.0,
        eweight_name: str = "w",
        eps: float | None = None,
        avg_degree: int = 5,
    ) -> None:
        self.t = number_in(t, "HeatKernel", "t", 0, math.inf)
        super().__init__(eweight_name, eps, avg_degree)

    def _diffused(self, transition: Tensor) -> Tensor:
        return math.exp(-self.t) * torch.linalg.matrix_exp(self.t * transition)


class SIGNDiffusion(BaseTransform):
    r"""Add node features diffused over 1, 2, ..., k steps along the edges.

    .. math:: X_i = A X_{i-1}, \quad X_0 = X, \qquad \text{and for PPR} \quad
              X_i = (1 - \alpha) A X_{i-1} + \alpha X

    From `SIGN: Scalable Inception Graph Neural Networks <https://arxiv.org/abs/2004.11198>`__
    (Frasca et al., 2020).

    Parameters
    ----------
    k : int
        Number of steps, not negative.
    in_feat_name : str
        Node feature X, ``(N, *)``, floating point.
    out_feat_name : str
        Prefix of the new features: step i is stored as ``f"{out_feat_name}_{i}"``.
    eweight_name : str, optional
        Edge feature ``(E,)`` or ``(E, 1)`` with weights. Default: all weights are 1.
    diffuse_op : {"raw", "rw", "gcn", "ppr"}
        How A is computed: "raw" uses the weights themselves, "rw" divides them by their sum over
        the in-edges of a node, and "gcn" and "ppr" normalize them as :class:`GCNNorm` does.
    alpha : float
        For "ppr", the probability of returning to the start, from 0 to 1.

    Raises
    ------
    UnknownKeyError
        When called, if there is no node feature `in_feat_name`.
    InvalidTypeError, InvalidValueError
        If a setting is invalid; when called, if the graph has several edge types or a feature is
        not floating point.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [1, 2, 2]))
    >>> g.ndata["feat"] = torch.tensor([[1.0], [2.0], [4.0]])
    >>> g = gs.transforms.SIGNDiffusion(k=2, diffuse_op="rw")(g)
    >>> g.ndata["out_feat_1"].T, g.ndata["out_feat_2"].T
    (tensor([[0., 1., 3.]]), tensor([[0., 0., 2.]]))
    """

    def __init__(
        self,
        k: int,
        in_feat_name: str = "feat",
        out_feat_name: str = "out_feat",
        eweight_name: str | None = None,
        diffuse_op: str = "raw",
        alpha: float = 0.2,
    ) -> None:
        self.k = as_int(k, "SIGNDiffusion", "k", 0)
        self.in_feat_name = in_feat_name
        self.out_feat_name = out_feat_name
        self.eweight_name = eweight_name
        self.diffuse_op = one_of(
            diffuse_op, "SIGNDiffusion", "diffuse_op", ("raw", "rw", "gcn", "ppr")
        )
        self.alpha = number_in(alpha, "SIGNDiffusion", "alpha", 0, 1)

    def __call__(self, g: Graph) -> Graph:
        relation = one_relation(g, "SIGNDiffusion")
        g = g.local_var()
        data = g.nodes[g.canonical_etypes[0][0]].data
        first = self._input(data)
        weights = self._weights(g, relation, first)
        x = first
        for step in range(1, self.k + 1):
            x = ops.gspmm(relation, "mul", "sum", x, weights)
            if self.diffuse_op == "ppr":
                x = (1 - self.alpha) * x + self.alpha * first
            data[f"{self.out_feat_name}_{step}"] = x
        return g

    def _input(self, data: object) -> Tensor:
        if self.in_feat_name not in data:
            raise UnknownKeyError(
                f"SIGNDiffusion: there is no node feature {self.in_feat_name!r}; the graph has "
                f"{list(data)}."
            )
        feature = data[self.in_feat_name]
        if not feature.is_floating_point():
            raise InvalidTypeError(
                f"SIGNDiffusion: node feature {self.in_feat_name!r} is {feature.dtype}; it must "
                "be floating point."
            )
        return feature

    def _weights(self, g: Graph, relation: Adjacency, x: Tensor) -> Tensor:
        """The entries of A by edge, with as many dimensions as `x`."""
        name = self.eweight_name
        if name is not None:
            edge_weights(g.edata, name, "SIGNDiffusion")
        weights = weights_or_ones(g, None, name, "SIGNDiffusion").to(x.dtype)
        if self.diffuse_op == "rw":
            total = ops.gspmm(relation, "copy_rhs", "sum", None, weights.unsqueeze(1)).squeeze(1)
            weights = weights / total[relation.coo()[1].long()]
        elif self.diffuse_op != "raw":
            weights = symmetric_weights(relation, weights)
        return weights.view(-1, *(1,) * (x.dim() - 1))
