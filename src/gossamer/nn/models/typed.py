"""Models of graphs with several node and edge types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gossamer._options import as_int, number_in
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import ETYPE, NTYPE
from gossamer.nn._common import check_divisible
from gossamer.nn._typed import inverse_counts
from gossamer.nn.conv import GATConv, HGTConv, RelGraphConv
from gossamer.nn.hetero import HeteroLinear
from gossamer.nn.models._base import Model
from gossamer.transforms import to_homogeneous

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["HAN", "HGT", "RGCN"]


class _Typed(Model):
    """Features of each node type are mapped to one width, then all types are one graph."""

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
            Further arguments of the constructor.
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
    each edge weighs one over the number of in-edges of its type.

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
        Number of matrices that the edge types mix. Default: a matrix for each type.
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
        Width of the hidden layers, divisible by `num_heads`, and of the output.
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


class HAN(Model):
    r"""Heterogeneous graph attention network of `Wang et al. <https://arxiv.org/abs/1903.07293>`__
    for the nodes of one type, which several relations join with one another.

    The relations are metapaths, such as author - paper - author;
    :class:`gossamer.transforms.AddMetaPaths` adds them to a graph. In each layer, with :math:`z^r`
    the output of :class:`gossamer.nn.GATConv` on relation :math:`r`, heads side by side, after elu,

    .. math::
        w_r = \frac{1}{N} \sum_i q^\top \tanh(W z_i^r + b), \qquad
        h_i' = \sum_r \mathrm{softmax}_r(w_r) \; z_i^r,

    and a linear map follows the last layer.

    Parameters
    ----------
    in_size, hidden_size, out_size : int
        Width of the features, of a head of the hidden layers, and of the output.
    etypes : list of (str, str, str)
        The relations, each from the same node type to itself.
    num_layers, num_heads : int
        Number of layers and of heads.
    dropout : float
        Dropout rate of the input of each layer and of its attention weights.
    attention_size : int
        Width of :math:`q`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import HAN
    >>> g = gs.heterograph({
    ...     ("user", "follows", "user"): ([0, 1], [1, 2]),
    ...     ("user", "knows", "user"): ([0, 2], [2, 1]),
    ... })
    >>> feat = torch.rand(3, 5)
    >>> HAN.from_graph(g, feat, 8, 4)(g, feat).shape
    torch.Size([3, 4])
    """

    name = "han"

    def __init__(
        self,
        in_size: int,
        hidden_size: int,
        out_size: int,
        etypes: Sequence[Sequence[str]],
        num_layers: int = 1,
        num_heads: int = 8,
        dropout: float = 0.6,
        attention_size: int = 128,
    ) -> None:
        etypes = [list(etype) for etype in etypes]
        super().__init__(
            in_size=in_size,
            hidden_size=hidden_size,
            out_size=out_size,
            etypes=etypes,
            num_layers=num_layers,
            num_heads=num_heads,
            dropout=dropout,
            attention_size=attention_size,
        )
        for argument in set(self.options) - {"etypes", "dropout"}:
            as_int(self.options[argument], "HAN", argument, 1)
        if not etypes or any(len(t) != 3 or {t[0], t[2]} != {etypes[0][0]} for t in etypes):
            raise InvalidValueError(
                "HAN: etypes must be relations (type, name, type) from one node type to itself, "
                f"but got {etypes}. AddMetaPaths makes such relations."
            )
        self.dropout = nn.Dropout(number_in(dropout, "HAN", "dropout", 0, 1))
        width = hidden_size * num_heads
        self.convs, self.scores = nn.ModuleList(), nn.ModuleList()
        for size in [in_size, *[width] * (num_layers - 1)]:
            self.convs.append(
                nn.ModuleList(
                    GATConv(
                        size,
                        hidden_size,
                        num_heads,
                        attn_drop=dropout,
                        activation=nn.functional.elu,
                        allow_zero_in_degree=True,
                    )
                    for _ in etypes
                )
            )
            self.scores.append(
                nn.Sequential(
                    nn.Linear(width, attention_size),
                    nn.Tanh(),
                    nn.Linear(attention_size, 1, bias=False),
                )
            )
        self.last = nn.Linear(width, out_size)

    @classmethod
    def from_graph(
        cls, g: Graph, feat: Tensor, hidden_size: int, out_size: int, **options: Any
    ) -> Any:
        """Build a model for the relations of a graph that join a node type with itself.

        Parameters
        ----------
        g : Graph
            The graph; one node type only has such relations.
        feat : Tensor
            Features of that type.
        hidden_size, out_size : int
            Width of a head of the hidden layers, and of the output.
        **options
            Further arguments of the constructor.
        """
        etypes = [etype for etype in g.canonical_etypes if etype[0] == etype[2]]
        return cls(int(feat.shape[-1]), hidden_size, out_size, etypes, **options)

    def forward(self, g: Graph, feat: Tensor) -> Tensor:
        r"""Compute a vector for each node of the type that the relations join.

        Parameters
        ----------
        g : Graph
            A graph that has the relations.
        feat : Tensor
            :math:`(N, D_{in})`.

        Returns
        -------
        Tensor
            :math:`(N, D_{out})`.

        Raises
        ------
        InvalidTypeError
            If `feat` is no tensor.
        InvalidValueError
            If the graph lacks a relation.
        """
        if not isinstance(feat, Tensor):
            raise InvalidTypeError(
                "HAN: feat must be a Tensor, the features of one node type, but got "
                f"{type(feat).__name__}."
            )
        etypes = [tuple(etype) for etype in self.options["etypes"]]
        if missing := set(etypes) - set(g.canonical_etypes):
            raise InvalidValueError(
                f"HAN: the graph lacks the relations {sorted(missing)}; it has "
                f"{g.canonical_etypes}."
            )
        graphs = [g[etype] for etype in etypes]
        for convs, score in zip(self.convs, self.scores, strict=True):
            feat = self.dropout(feat)
            z = torch.stack(
                [conv(each, feat).flatten(1) for conv, each in zip(convs, graphs, strict=True)]
            )
            share = score(z).mean(1).softmax(0)
            feat = (share.unsqueeze(1) * z).sum(0)
        return self.last(feat)
