"""Attention over several relations of one node type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gossamer._options import as_int, number_in
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn.conv import GATConv
from gossamer.nn.models._base import Model

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["HAN"]


class HAN(Model):
    r"""Heterogeneous graph attention network of `Wang et al. <https://arxiv.org/abs/1903.07293>`__
    for the nodes of one type, which several relations join with one another.

    The relations are metapaths, such as author - paper - author;
    :class:`gossamer.transforms.AddMetaPaths` adds them to a graph. In each layer, with :math:`z^r`
    the output of :class:`gossamer.nn.GATConv` on relation :math:`r`, heads concatenated, after elu,

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
            The graph; only one node type may have such relations.
        feat : Tensor
            Features of that type.
        hidden_size, out_size : int
            Width of a head of the hidden layers, and of the output.
        **options
            Additional arguments of the constructor.
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
            If `feat` is not a tensor.
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
