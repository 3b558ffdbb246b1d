"""Atomic convolution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn._common import Features, check_features, enter_sources

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["AtomicConv", "RadialPooling"]


class RadialPooling(nn.Module):
    r"""Radial basis functions of distances, with a smooth cutoff.

    .. math::
        f_k(d) = \exp\big(-\gamma_k (d - \mu_k)^2\big) \cdot
            \begin{cases}
                \tfrac{1}{2} \big(\cos(\pi d / c_k) + 1\big) & d \le c_k \\ 0 & d > c_k
            \end{cases}

    Parameters
    ----------
    interaction_cutoffs, rbf_kernel_means, rbf_kernel_scaling : Tensor
        :math:`c`, :math:`\mu` and :math:`\gamma`, each :math:`(K,)`. All three are trained.

    Examples
    --------
    >>> import torch
    >>> from gossamer.nn.conv.atomicconv import RadialPooling
    >>> pooling = RadialPooling(torch.tensor([8.0]), torch.tensor([4.0]), torch.tensor([1.0]))
    >>> pooling(torch.tensor([[4.0], [9.0]])).shape
    torch.Size([1, 2, 1])
    """

    def __init__(
        self, interaction_cutoffs: Tensor, rbf_kernel_means: Tensor, rbf_kernel_scaling: Tensor
    ) -> None:
        super().__init__()
        self.interaction_cutoffs = nn.Parameter(interaction_cutoffs.reshape(-1, 1, 1).clone())
        self.rbf_kernel_means = nn.Parameter(rbf_kernel_means.reshape(-1, 1, 1).clone())
        self.rbf_kernel_scaling = nn.Parameter(rbf_kernel_scaling.reshape(-1, 1, 1).clone())

    def forward(self, distances: Tensor) -> Tensor:
        """Apply the functions: :math:`(E, 1)` to :math:`(K, E, 1)`."""
        rbf = torch.exp(-self.rbf_kernel_scaling * (distances - self.rbf_kernel_means).square())
        cutoff = 0.5 * (torch.cos(math.pi * distances / self.interaction_cutoffs) + 1)
        return rbf * cutoff.masked_fill(distances > self.interaction_cutoffs, 0)


class AtomicConv(nn.Module):
    r"""Atomic convolution of `Atomic Convolutional Networks for Predicting Protein-Ligand Binding
    Affinity <https://arxiv.org/abs/1703.10603>`__.

    .. math::
        h_{i, t, k} = \sum_{j \in \mathcal{N}(i)} x_{j, t}\, f_k(d_{ji})

    where :math:`\mathcal{N}(i)` is the set of sources of the in-edges of node :math:`i`,
    :math:`d_{ji}` is the distance of two atoms, and :math:`f_k` are the functions of
    `RadialPooling`. With `features_to_use`, :math:`x_{j, t}` is 1 if the feature of :math:`j` (such
    as its atomic number) equals the :math:`t`-th value, else 0; otherwise it is the :math:`t`-th
    feature of :math:`j`.

    Parameters
    ----------
    interaction_cutoffs, rbf_kernel_means, rbf_kernel_scaling : Tensor
        Initial values of the parameters of the radial functions, each :math:`(K,)`.
    features_to_use : Tensor, optional
        :math:`(T,)`, the feature values, each of which gets its own channel.

    Raises
    ------
    InvalidValueError
        If the three tensors differ in length.

    Notes
    -----
    The sum is 0 for a node without in-edges. Duplicate edges each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> conv = gs.nn.AtomicConv(
    ...     torch.tensor([12.0, 12.0]), torch.tensor([0.0, 2.0]), torch.tensor([4.0, 4.0]),
    ...     features_to_use=torch.tensor([6.0, 8.0, 1.0]),
    ... )
    >>> conv(g, torch.tensor([[6.0], [8.0], [1.0]]), torch.rand(3, 1)).shape
    torch.Size([3, 6])
    """

    def __init__(
        self,
        interaction_cutoffs: Tensor,
        rbf_kernel_means: Tensor,
        rbf_kernel_scaling: Tensor,
        features_to_use: Tensor | None = None,
    ) -> None:
        super().__init__()
        self._initial = (interaction_cutoffs, rbf_kernel_means, rbf_kernel_scaling)
        given = (*self._initial, features_to_use)
        if not all(isinstance(value, Tensor) for value in given if value is not None):
            raise InvalidTypeError(
                "AtomicConv: cutoffs, means, scaling and features_to_use must be tensors, but got "
                f"{', '.join(type(value).__name__ for value in given)}."
            )
        if len({value.shape for value in self._initial}) > 1 or interaction_cutoffs.dim() != 1:
            raise InvalidValueError(
                "AtomicConv: cutoffs, means and scaling must have one shape (K,), but got "
                f"{', '.join(str(tuple(value.shape)) for value in self._initial)}."
            )
        self.radial_pooling = RadialPooling(*self._initial)
        if features_to_use is None:
            self.features_to_use = None
        else:
            self.features_to_use = nn.Parameter(features_to_use.clone(), requires_grad=False)

    def reset_parameters(self) -> None:
        """Set the parameters of the radial functions back to their initial values."""
        pooling = self.radial_pooling
        parts = pooling.interaction_cutoffs, pooling.rbf_kernel_means, pooling.rbf_kernel_scaling
        with torch.no_grad():
            for parameter, value in zip(parts, self._initial, strict=True):
                parameter.copy_(value.reshape(-1, 1, 1))

    def forward(self, graph: Graph, feat: Features, distances: Tensor) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            Source features :math:`(N_{src}, T)`, or :math:`(N_{src}, 1)` with `features_to_use`;
            of a pair, only the first is used.
        distances : Tensor
            :math:`(E, 1)`.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, T K)`, the radial functions of one channel side by side.

        Raises
        ------
        InvalidValueError
            If features or distances have the wrong shape.
        InvalidTypeError
            If the distances have a different dtype from the parameters.
        """
        like = self.radial_pooling.rbf_kernel_means
        width = None if self.features_to_use is None else 1
        relation, x = enter_sources(self, graph, feat, width)
        check_features(self, distances, relation.num_edges, 1, like, "edge")
        radial = self.radial_pooling(distances).squeeze(-1).t().unsqueeze(1)  # (E, 1, K)
        if self.features_to_use is not None:
            x = x == self.features_to_use
        x = x.to(radial.dtype).unsqueeze(-1)  # (N, T, 1)
        return ops.u_mul_e_sum(relation, x, radial).flatten(1)
