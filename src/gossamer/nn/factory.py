"""Modules that build graphs from points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn

from gossamer._options import as_int, number_in
from gossamer.transforms import knn_graph, radius_graph, segmented_knn_graph

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["KNNGraph", "RadiusGraph", "SegmentedKNNGraph"]


class KNNGraph(nn.Module):
    r"""Join each point with the `k` nearest ones; see :func:`gossamer.knn_graph`.

    Parameters
    ----------
    k : int
        Number of in-neighbors.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.nn.KNNGraph(2)(torch.tensor([[0.0], [1.0], [5.0]]))
    >>> g.in_degrees()
    tensor([2, 2, 2])
    """

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = as_int(k, "KNNGraph", "k", 1)

    def forward(
        self,
        x: Tensor,
        algorithm: str = "bruteforce-blas",
        dist: str = "euclidean",
        exclude_self: bool = False,
    ) -> Graph:
        r"""Build the graph.

        Parameters
        ----------
        x : Tensor
            Points, :math:`(N, D)`; or, for a batch, sets of the same size, :math:`(B, N, D)`.
        algorithm, dist, exclude_self
            As in :func:`gossamer.knn_graph`.

        Returns
        -------
        Graph
            Edges lead to each point from its neighbors, including itself unless `exclude_self` is
            True.

        Raises
        ------
        InvalidValueError
            If there are fewer points than neighbors, or an option is unknown.
        """
        return knn_graph(x, self.k, algorithm, dist, exclude_self)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"k={self.k}"


class SegmentedKNNGraph(nn.Module):
    r"""`KNNGraph` of sets of different sizes; see :func:`gossamer.segmented_knn_graph`.

    Parameters
    ----------
    k : int
        Number of in-neighbors.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> gs.nn.SegmentedKNNGraph(2)(torch.rand(5, 3), [2, 3]).batch_num_edges()
    tensor([4, 6])
    """

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = as_int(k, "SegmentedKNNGraph", "k", 1)

    def forward(
        self,
        x: Tensor,
        segs: Sequence[int] | Tensor,
        algorithm: str = "bruteforce-blas",
        dist: str = "euclidean",
        exclude_self: bool = False,
    ) -> Graph:
        r"""Build the graph.

        Parameters
        ----------
        x : Tensor
            :math:`(N, D)`, the points of all sets, concatenated.
        segs : sequence of int
            Number of points in each set.
        algorithm, dist, exclude_self
            As in :func:`gossamer.segmented_knn_graph`.

        Returns
        -------
        Graph
            A batch with one graph per set.

        Raises
        ------
        InvalidValueError
            If a set has fewer points than neighbors, the sizes do not add up, or an option is
            unknown.
        """
        return segmented_knn_graph(x, self.k, segs, algorithm, dist, exclude_self)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"k={self.k}"


class RadiusGraph(nn.Module):
    r"""Join points within a radius; see :func:`gossamer.radius_graph`.

    Parameters
    ----------
    r : float
        The radius.
    p : float
        Order of the norm.
    self_loop : bool
        Whether each point is joined with itself.
    compute_mode : str
        How distances are computed, as in :func:`torch.cdist`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g, dist = gs.nn.RadiusGraph(2.0)(torch.tensor([[0.0], [1.0], [5.0]]), get_distances=True)
    >>> dist
    tensor([[1.],
            [1.]])
    """

    def __init__(
        self,
        r: float,
        p: float = 2,
        self_loop: bool = False,
        compute_mode: str = "donot_use_mm_for_euclid_dist",
    ) -> None:
        super().__init__()
        self.r = number_in(r, "RadiusGraph", "r", 0)
        self.p = p
        self.self_loop = self_loop
        self.compute_mode = compute_mode

    def forward(self, x: Tensor, get_distances: bool = False) -> Graph | tuple[Graph, Tensor]:
        r"""Build the graph.

        Parameters
        ----------
        x : Tensor
            Points, :math:`(N, D)`.
        get_distances : bool
            Whether to return the distances as well.

        Returns
        -------
        Graph
            A graph with edges in both directions for each pair.
        Tensor, optional
            Length of each edge, :math:`(E, 1)`; only if `get_distances` is set.

        Raises
        ------
        InvalidValueError
            If a shape or an option is invalid.
        """
        return radius_graph(x, self.r, self.p, self.self_loop, self.compute_mode, get_distances)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"r={self.r}, p={self.p}, self_loop={self.self_loop}"
