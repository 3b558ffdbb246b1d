"""Positional encodings as node features."""

from __future__ import annotations

from gossamer._options import as_int
from gossamer.graph import Graph
from gossamer.transforms._validate import one_relation
from gossamer.transforms.encodings import lap_pe, svd_pe
from gossamer.transforms.modules.base import BaseTransform
from gossamer.transforms.walk_encodings import random_walk_pe

__all__ = ["SVDPE", "LapPE", "RandomWalkPE"]


class RandomWalkPE(BaseTransform):
    """Add :func:`gossamer.random_walk_pe`, ``(N, k)``, as a node feature.

    Parameters
    ----------
    k : int
        Number of steps, at least 1.
    feat_name : str
        Name of the node feature.
    eweight_name : str, optional
        Edge feature with unnormalized transition probabilities.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2], [1, 0, 2, 1]))
    >>> gs.transforms.RandomWalkPE(k=2)(g).ndata["PE"]
    tensor([[0.0000, 0.5000],
            [0.0000, 1.0000],
            [0.0000, 0.5000]])
    """

    def __init__(self, k: int, feat_name: str = "PE", eweight_name: str | None = None) -> None:
        self.k = as_int(k, "RandomWalkPE", "k", 1)
        self.feat_name = feat_name
        self.eweight_name = eweight_name

    def __call__(self, g: Graph) -> Graph:
        one_relation(g, "RandomWalkPE")
        g = g.local_var()
        pe = random_walk_pe(g, self.k, self.eweight_name)
        g.nodes[g.canonical_etypes[0][0]].data[self.feat_name] = pe
        return g


class LapPE(BaseTransform):
    """Add :func:`gossamer.lap_pe`, ``(N, k)``, as a node feature, with random signs.

    Parameters
    ----------
    k : int
        Number of eigenvectors, at least 1; less than N unless `padding`.
    feat_name : str
        Name of the node feature.
    eigval_name : str, optional
        Name of a node feature ``(N, k)`` for the eigenvalues, which are the same for every node.
        Default: eigenvalues are not stored.
    padding : bool
        Whether to pad with zeros, and eigenvalues with NaN, if the graph has fewer eigenvectors.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2], [1, 0, 2, 1]))
    >>> gs.transforms.LapPE(k=2, eigval_name="eigval")(g).ndata["eigval"]
    tensor([[1., 2.],
            [1., 2.],
            [1., 2.]])
    """

    def __init__(
        self,
        k: int,
        feat_name: str = "PE",
        eigval_name: str | None = None,
        padding: bool = False,
    ) -> None:
        self.k = as_int(k, "LapPE", "k", 1)
        self.feat_name = feat_name
        self.eigval_name = eigval_name
        self.padding = padding

    def __call__(self, g: Graph) -> Graph:
        one_relation(g, "LapPE")
        g = g.local_var()
        data = g.nodes[g.canonical_etypes[0][0]].data
        pe, eigval = lap_pe(g, self.k, self.padding, return_eigval=True)
        data[self.feat_name] = pe
        if self.eigval_name is not None:
            data[self.eigval_name] = eigval.repeat(len(pe), 1)
        return g


class SVDPE(BaseTransform):
    """Add :func:`gossamer.svd_pe`, ``(N, 2k)``, as a node feature.

    Parameters
    ----------
    k : int
        Number of singular values, not negative; at most N unless `padding`.
    feat_name : str
        Name of the node feature.
    padding : bool
        Whether to pad with zeros if the graph has fewer singular values.
    random_flip : bool
        Whether to flip the sign of the encoding of each node at random.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1, 1, 2], [1, 0, 2, 1]))
    >>> gs.transforms.SVDPE(k=1)(g).ndata["svd_pe"].abs()
    tensor([[0.8409, 0.0000],
            [0.0000, 1.1892],
            [0.8409, 0.0000]])
    """

    def __init__(
        self,
        k: int,
        feat_name: str = "svd_pe",
        padding: bool = False,
        random_flip: bool = True,
    ) -> None:
        self.k = as_int(k, "SVDPE", "k", 0)
        self.feat_name = feat_name
        self.padding = padding
        self.random_flip = random_flip

    def __call__(self, g: Graph) -> Graph:
        one_relation(g, "SVDPE")
        g = g.local_var()
        pe = svd_pe(g, self.k, self.padding, self.random_flip)
        g.nodes[g.canonical_etypes[0][0]].data[self.feat_name] = pe
        return g
