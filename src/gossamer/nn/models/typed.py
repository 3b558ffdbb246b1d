"""Models of graphs with several node and edge types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gossamer._options import as_int, number_in
from gossamer.errors import InvalidValueError
from gossamer.graph import ETYPE, NTYPE
from gossamer.nn._common import check_divisible
from gossamer.nn._typed import inverse_counts
from gossamer.nn.conv import HGTConv, RelGraphConv
from gossamer.nn.hetero import HeteroLinear
from gossamer.nn.models._base import Model
from gossamer.transforms import to_homogeneous

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["HGT", "RGCN"]


class _Typed(Model):
    """Base of models that map all node types to one width and treat them as one graph."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        name = type(self).__name__
        for argument in ("hidden_size", "out_size", "num_layers", "num_etypes"):
            as_int(options[argument], name, argument, 1)
        self.dropout = nn.Dropout(number_in(options["dropout"], name, "dropout", 0, 1))
        self.ntypes = sorted(options["in_sizes"])
        self.first = HeteroLinear(options["in_sizes"], options["hidden_size"])

    @classmethod
    def from_graph(
        cls, g: Graph, feat: Mapping[str, Tensor], hidden_size: int, out_size: int, **options: Any
    ) -> Any:
        """Build a model for the types of a graph and the widths of its features.

        Parameters
        ----------
        g : Graph
            The graph.
        feat : dict of str to Tensor
            Features of every node type.
        hidden_size, out_size : int
            Width of the hidden layers and of the output.
        **options
            Additional arguments of the constructor.
        """
        in_sizes = {ntype: int(feat[ntype].shape[-1]) for ntype in sorted(feat)}
        return cls(in_sizes, hidden_size, out_size, len(g.canonical_etypes), **options)

    def _join(self, g: Graph, feat: Mapping[str, Tensor]) -> tuple[Graph, Tensor]:
        num_etypes, found = self.options["num_etypes"], len(g.canonical_etypes)
        if sorted(g.ntypes) != self.ntypes or found != num_etypes:
            raise InvalidValueError(
                f"{type(self).__name__}: built for node types {self.ntypes} and {num_etypes} edge "
                f"types, but the graph has {sorted(g.ntypes)} and {found}."
            )
        mapped = self.first(feat)
        return to_homogeneous(g), torch.cat([mapped[ntype] for ntype in g.ntypes])

    def _split(self, g: Graph, h: Tensor) -> dict[str, Tensor]:
        sizes = [g.num_nodes(ntype) for ntype in g.ntypes]
        return dict(zip(g.ntypes, h.split(sizes), strict=True))


class RGCN(_Typed):
    r"""Relational graph convolutional network of `Schlichtkrull et al.
    <https://arxiv.org/abs/1703.06103>`__: layers of :class:`gossamer.nn.RelGraphConv`, in which
    the weight of each edge is 1 over the number of in-edges of its type.

    Parameters
    ----------
    in_sizes : dict of str to int
        Width of the features by node type.
    hidden_size, out_size : int
        Width of the hidden layers and of the output.
    num_etypes : int
        Number of edge types.
    num_layers : int
        Number of layers.
    num_bases : int, optional
        Number of shared matrices that are mixed for each edge type. Default: a matrix for each
        type.
    dropout : float
        Dropout rate before each layer.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import RGCN
    >>> g = gs.heterograph({
    ...     ("user", "plays", "game"): ([0, 1], [0, 0]),
    ...     ("game", "played by", "user"): ([0, 0], [0, 1]),
    ... })
    >>> feat = {"user": torch.rand(2, 3), "game": torch.rand(1, 5)}
    >>> RGCN.from_graph(g, feat, 8, 4)(g, feat)["game"].shape
    torch.Size([1, 4])
    """

    name = "rgcn"

    def __init__(
        self,
        in_sizes: Mapping[str, int],
        hidden_size: int,
        out_size: int,
        num_etypes: int,
        num_layers: int = 2,
        num_bases: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            in_sizes=dict(in_sizes),
            hidden_size=hidden_size,
            out_size=out_size,
            num_etypes=num_etypes,
            num_layers=num_layers,
            num_bases=num_bases,
            dropout=dropout,
        )
        widths = [hidden_size] * num_layers + [out_size]
        regularizer = None if num_bases is None else "basis"
        self.convs = nn.ModuleList(
            RelGraphConv(hidden_size, width, num_etypes, regularizer, num_bases)
            for width in widths[1:]
        )

    def forward(self, g: Graph, feat: Mapping[str, Tensor]) -> dict[str, Tensor]:
        r"""Compute a vector for each node.

        Parameters
        ----------
        g : Graph
            A graph with the types that the model was built for.
        feat : dict of str to Tensor
            Features by node type.

        Returns
        -------
        dict of str to Tensor
            :math:`(N_t, D_{out})` by node type.
        """
        joined, h = self._join(g, feat)
        etype = joined.edata[ETYPE].long()
        norm = inverse_counts(joined.adjacency, etype, self.options["num_etypes"], h.dtype)
        for i, conv in enumerate(self.convs):
            h = conv(joined, self.dropout(h), etype, norm)
            if i < len(self.convs) - 1:
                h = h.relu()
        return self._split(g, h)


class HGT(_Typed):
    r"""Heterogeneous graph transformer of `Hu et al. <https://arxiv.org/abs/2003.01332>`__: layers
    of :class:`gossamer.nn.HGTConv`, then a linear map.

    Parameters
    ----------
    in_sizes : dict of str to int
        Width of the features by node type.
    hidden_size, out_size : int
        Width of the hidden layers (divisible by `num_heads`) and of the output.
    num_etypes : int
        Number of edge types.
    num_layers, num_heads : int
        Number of layers and of heads.
    dropout : float
        Dropout rate before the last map, and in each layer.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import HGT
    >>> g = gs.heterograph({
    ...     ("user", "plays", "game"): ([0, 1], [0, 0]),
    ...     ("game", "played by", "user"): ([0, 0], [0, 1]),
    ... })
    >>> feat = {"user": torch.rand(2, 3), "game": torch.rand(1, 5)}
    >>> HGT.from_graph(g, feat, 8, 4, num_heads=2)(g, feat)["game"].shape
    torch.Size([1, 4])
    """

    name = "hgt"

    def __init__(
        self,
        in_sizes: Mapping[str, int],
        hidden_size: int,
        out_size: int,
        num_etypes: int,
        num_layers: int = 2,
        num_heads: int = 4,
        dropout: float = 0.2,
    ) -> None:
        super().__init__(
            in_sizes=dict(in_sizes),
            hidden_size=hidden_size,
            out_size=out_size,
            num_etypes=num_etypes,
            num_layers=num_layers,
            num_heads=num_heads,
            dropout=dropout,
        )
        as_int(num_heads, "HGT", "num_heads", 1)
        check_divisible("HGT", hidden_size=hidden_size, num_heads=num_heads)
        head = hidden_size // num_heads
        ntypes = len(self.ntypes)
        self.convs = nn.ModuleList(
            HGTConv(hidden_size, head, num_heads, ntypes, num_etypes, dropout, use_norm=True)
            for _ in range(num_layers)
        )
        self.last = nn.Linear(hidden_size, out_size)

    def forward(self, g: Graph, feat: Mapping[str, Tensor]) -> dict[str, Tensor]:
        r"""Compute a vector for each node.

        Parameters
        ----------
        g : Graph
            A graph with the types that the model was built for.
        feat : dict of str to Tensor
            Features by node type.

        Returns
        -------
        dict of str to Tensor
            :math:`(N_t, D_{out})` by node type.
        """
        joined, h = self._join(g, feat)
        ntype, etype = joined.ndata[NTYPE].long(), joined.edata[ETYPE].long()
        for conv in self.convs:
            h = conv(joined, h, ntype, etype, presorted=True)
        return self._split(g, self.last(self.dropout(h)))
