"""Encodings of degrees, distances and paths for graph transformers."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer._options import as_int, one_of
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn._common import reset_children

__all__ = ["DegreeEncoder", "PathEncoder", "SpatialEncoder", "SpatialEncoder3d"]


class DegreeEncoder(nn.Module):
    r"""Trainable vector for each degree, from `Do Transformers Really Perform Bad for Graph
    Representation? <https://arxiv.org/abs/2106.05234>`__

    .. math:: z_v = E^{in}[\min(d^{in}_v, m)] + E^{out}[\min(d^{out}_v, m)]

    or one of the two terms. Degree 0, which is also used as padding, gives 0.

    Parameters
    ----------
    max_degree : int
        :math:`m`; larger degrees are clipped to it.
    embedding_dim : int
        Width of the vectors.
    direction : {"both", "in", "out"}
        Which degrees are encoded.

    Raises
    ------
    InvalidValueError
        If `direction` is unknown.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 0, 1], [1, 2, 2]))
    >>> degrees = torch.stack([g.in_degrees(), g.out_degrees()])
    >>> gs.nn.DegreeEncoder(max_degree=5, embedding_dim=8)(degrees.unsqueeze(1)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, max_degree: int, embedding_dim: int, direction: str = "both") -> None:
        super().__init__()
        as_int(max_degree, "DegreeEncoder", "max_degree", 0)
        as_int(embedding_dim, "DegreeEncoder", "embedding_dim", 0)
        one_of(direction, "DegreeEncoder", "direction", ("both", "in", "out"))
        self.direction = direction
        self.max_degree = max_degree
        if direction == "both":
            self.encoder1 = nn.Embedding(max_degree + 1, embedding_dim, padding_idx=0)
            self.encoder2 = nn.Embedding(max_degree + 1, embedding_dim, padding_idx=0)
        else:
            self.encoder = nn.Embedding(max_degree + 1, embedding_dim, padding_idx=0)

    def reset_parameters(self) -> None:
        """Reinitialize the vectors."""
        reset_children(self)

    def forward(self, degrees: Tensor) -> Tensor:
        r"""Encode degrees.

        Parameters
        ----------
        degrees : Tensor
            Degree of each node, :math:`(B, N)`, padded with zeros; for ``"both"``, in-degrees and
            out-degrees, :math:`(2, B, N)`.

        Returns
        -------
        Tensor
            :math:`(B, N, d)`.

        Raises
        ------
        InvalidValueError
            If `direction` is ``"both"`` and `degrees` does not have shape :math:`(2, B, N)`.
        InvalidTypeError
            If degrees are not integers.
        """
        _require_integers("DegreeEncoder", "degrees", degrees)
        degrees = degrees.long().clamp(0, self.max_degree)
        if self.direction != "both":
            return self.encoder(degrees)
        if degrees.dim() == 0 or degrees.shape[0] != 2:
            raise InvalidValueError(
                "DegreeEncoder: direction='both' takes in-degrees and out-degrees stacked to shape "
                f"(2, batch, nodes), but got {tuple(degrees.shape)}."
            )
        return self.encoder1(degrees[0]) + self.encoder2(degrees[1])


class SpatialEncoder(nn.Module):
    r"""Trainable attention bias for each distance, from `Do Transformers Really Perform Bad for
    Graph Representation? <https://arxiv.org/abs/2106.05234>`__

    .. math:: b_{uv} = E[\min(\mathrm{dist}(u, v), m)]

    Pairs without a path, including padding, get 0.

    Parameters
    ----------
    max_dist : int
        :math:`m`; longer distances are clipped to it.
    num_heads : int
        Number of attention heads, each with its own biases.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> dist = gs.shortest_dist(gs.graph(([0, 1, 2], [1, 2, 0])))
    >>> gs.nn.SpatialEncoder(max_dist=2, num_heads=4)(dist.unsqueeze(0)).shape
    torch.Size([1, 3, 3, 4])
    """

    def __init__(self, max_dist: int, num_heads: int = 1) -> None:
        super().__init__()
        self.max_dist = as_int(max_dist, "SpatialEncoder", "max_dist", 0)
        self.num_heads = as_int(num_heads, "SpatialEncoder", "num_heads", 1)
        self.embedding_table = nn.Embedding(max_dist + 2, num_heads, padding_idx=0)

    def reset_parameters(self) -> None:
        """Reinitialize the biases."""
        reset_children(self)

    def forward(self, dist: Tensor) -> Tensor:
        r"""Encode distances.

        Parameters
        ----------
        dist : Tensor
            :math:`(B, N, N)`, -1 where there is no path or no node, as returned by
            :func:`gossamer.shortest_dist`.

        Returns
        -------
        Tensor
            :math:`(B, N, N, H)`.

        Raises
        ------
        InvalidTypeError
            If distances are not integers.
        """
        _require_integers("SpatialEncoder", "dist", dist)
        return self.embedding_table(dist.long().clamp(-1, self.max_dist) + 1)


class PathEncoder(nn.Module):
    r"""Attention bias of the edges along a shortest path, from `Do Transformers Really Perform Bad
    for Graph Representation? <https://arxiv.org/abs/2106.05234>`__

    .. math::
        b_{uv} = \frac{1}{n} \sum_{l=1}^{n} x_{e_l} \cdot w_l,
        \qquad n = \min(\mathrm{dist}(u, v), L)

    for the path :math:`e_1, e_2, \dots` from :math:`u` to :math:`v`; the bias is 0 where there is
    no path.

    Parameters
    ----------
    max_len : int
        :math:`L`; edges beyond this length are ignored.
    feat_dim : int
        Width of the edge features.
    num_heads : int
        Number of attention heads, each with its own weights :math:`w`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> dist, path = gs.shortest_dist(g, return_paths=True)
    >>> feat = torch.cat([torch.rand(3, 4), torch.zeros(1, 4)])  # path has -1 beyond its end
    >>> encoder = gs.nn.PathEncoder(max_len=2, feat_dim=4, num_heads=3)
    >>> encoder(dist.unsqueeze(0), feat[path].unsqueeze(0)).shape
    torch.Size([1, 3, 3, 3])
    """

    def __init__(self, max_len: int, feat_dim: int, num_heads: int = 1) -> None:
        super().__init__()
        self.max_len = as_int(max_len, "PathEncoder", "max_len", 1)
        self.feat_dim = as_int(feat_dim, "PathEncoder", "feat_dim", 1)
        self.num_heads = as_int(num_heads, "PathEncoder", "num_heads", 1)
        self.embedding_table = nn.Embedding(max_len * num_heads, feat_dim)

    def reset_parameters(self) -> None:
        """Reinitialize the weights."""
        reset_children(self)

    def forward(self, dist: Tensor, path_data: Tensor) -> Tensor:
        r"""Encode paths.

        Parameters
        ----------
        dist : Tensor
            :math:`(B, N, N)`.
        path_data : Tensor
            Features of the edges along each path, with zeros beyond its end:
            :math:`(B, N, N, l, d)`.

        Returns
        -------
        Tensor
            :math:`(B, N, N, H)`.

        Raises
        ------
        InvalidValueError
            If `path_data` does not match `dist` or `feat_dim`.
        """
        if path_data.dim() != 5 or path_data.shape[:3] != dist.shape:
            raise InvalidValueError(
                "PathEncoder: path_data must have shape (batch, nodes, nodes, length, features) "
                f"with {tuple(dist.shape)} as in dist, but got {tuple(path_data.shape)}."
            )
        if path_data.shape[-1] != self.feat_dim:
            raise InvalidValueError(
                f"PathEncoder: edges have {path_data.shape[-1]} features, but the layer was built "
                f"for {self.feat_dim}."
            )
        length = min(path_data.shape[3], self.max_len)
        weight = self.embedding_table.weight.view(self.max_len, self.num_heads, self.feat_dim)
        total = torch.einsum("buvld,lhd->buvh", path_data[:, :, :, :length], weight[:length])
        return total / dist.clamp(1, self.max_len).unsqueeze(-1)


class SpatialEncoder3d(nn.Module):
    r"""Attention bias from positions in space, of `One Transformer Can Understand Both 2D & 3D
    Molecular Data <https://arxiv.org/abs/2210.01765>`__.

    .. math::
        \psi^k_{uv} = \frac{1}{\sqrt{2 \pi}\, \sigma^k} \exp\Big(-\frac12 \Big(
            \frac{\gamma_{uv} \Vert r_u - r_v \Vert + \beta_{uv} - \mu^k}{\sigma^k}\Big)^2\Big),
        \qquad b_{uv} = W_2\, \mathrm{gelu}(W_1 \psi_{uv})

    with :math:`\gamma_{uv} = \gamma_{t(u)} + \gamma'_{t(v)}` for node types :math:`t`,
    :math:`\beta_{uv}` likewise, and :math:`\sigma^k` kept at least 0.01.

    Parameters
    ----------
    num_kernels : int
        Number of kernels :math:`k`, each with a center and a width.
    num_heads : int
        Number of attention heads.
    max_node_type : int
        Number of node types.

    Notes
    -----
    Centers and widths are initialized uniformly from 0 to 3, :math:`\gamma` to 1 and
    :math:`\beta` to 0.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> encoder = gs.nn.SpatialEncoder3d(num_kernels=4, num_heads=2, max_node_type=3)
    >>> encoder(torch.rand(1, 5, 3), node_type=torch.tensor([[0, 2, 1, 0, 0]])).shape
    torch.Size([1, 5, 5, 2])
    """

    def __init__(self, num_kernels: int, num_heads: int = 1, max_node_type: int = 100) -> None:
        super().__init__()
        self.num_kernels = as_int(num_kernels, "SpatialEncoder3d", "num_kernels", 1)
        self.num_heads = as_int(num_heads, "SpatialEncoder3d", "num_heads", 1)
        self.max_node_type = as_int(max_node_type, "SpatialEncoder3d", "max_node_type", 1)
        self.means = nn.Parameter(torch.empty(num_kernels))
        self.stds = nn.Parameter(torch.empty(num_kernels))
        self.linear_layer_1 = nn.Linear(num_kernels, num_kernels)
        self.linear_layer_2 = nn.Linear(num_kernels, num_heads)
        # Row 0: nodes without types; from row 2: sources by type; from max_node_type + 3:
        # destinations.
        self.gamma = nn.Embedding(2 * max_node_type + 3, 1, padding_idx=0)
        self.beta = nn.Embedding(2 * max_node_type + 3, 1, padding_idx=0)
        self._draw()

    def reset_parameters(self) -> None:
        """Reinitialize all weights."""
        self.linear_layer_1.reset_parameters()
        self.linear_layer_2.reset_parameters()
        self._draw()

    def _draw(self) -> None:
        nn.init.uniform_(self.means, 0, 3)
        nn.init.uniform_(self.stds, 0, 3)
        nn.init.ones_(self.gamma.weight)
        nn.init.zeros_(self.beta.weight)

    def forward(self, coord: Tensor, node_type: Tensor | None = None) -> Tensor:
        r"""Encode positions.

        Parameters
        ----------
        coord : Tensor
            :math:`(B, N, 3)`.
        node_type : Tensor, optional
            :math:`(B, N)`, ``0 ... max_node_type - 1``.

        Returns
        -------
        Tensor
            :math:`(B, N, N, H)`.

        Raises
        ------
        InvalidValueError
            If an input has the wrong shape, or a type is out of range.
        InvalidTypeError
            If types are not integers.
        """
        if coord.dim() != 3:
            raise InvalidValueError(
                "SpatialEncoder3d: coord must have shape (batch, nodes, 3), but got "
                f"{tuple(coord.shape)}."
            )
        if node_type is None:
            source = target = coord.new_zeros(coord.shape[:2], dtype=torch.long)
        else:
            self._check_types(node_type, coord)
            source, target = node_type + 2, node_type + self.max_node_type + 3
        gamma = self.gamma(source).unsqueeze(2) + self.gamma(target).unsqueeze(1)
        beta = self.beta(source).unsqueeze(2) + self.beta(target).unsqueeze(1)

        between = coord.unsqueeze(2) - coord.unsqueeze(1)
        dist = torch.linalg.vector_norm(between, dim=-1, keepdim=True)
        width = self.stds.abs() + 1e-2
        psi = torch.exp(-0.5 * ((gamma * dist + beta - self.means) / width) ** 2)
        psi = psi / (math.sqrt(2 * math.pi) * width)
        return self.linear_layer_2(F.gelu(self.linear_layer_1(psi)))

    def _check_types(self, node_type: Tensor, coord: Tensor) -> None:
        _require_integers("SpatialEncoder3d", "node_type", node_type)
        if node_type.shape != coord.shape[:2]:
            raise InvalidValueError(
                f"SpatialEncoder3d: node_type must have shape {tuple(coord.shape[:2])}, a type for "
                f"each node, but got {tuple(node_type.shape)}."
            )
        if torch.compiler.is_compiling() or not node_type.numel():
            return
        low, high = (int(x) for x in torch.aminmax(node_type))
        if low < 0 or high >= self.max_node_type:
            raise InvalidValueError(
                f"SpatialEncoder3d: node types must be 0 ... {self.max_node_type - 1}, but got "
                f"{low} ... {high}."
            )


def _require_integers(name: str, argument: str, value: Tensor) -> None:
    if not isinstance(value, Tensor) or value.is_floating_point() or value.is_complex():
        kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise InvalidTypeError(f"{name}: {argument} must be an integer tensor, but got {kind}.")
