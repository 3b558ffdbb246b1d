"""Set Transformer: attention among the nodes of each graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gossamer._options import as_int, number_in, one_of
from gossamer.errors import InvalidValueError
from gossamer.graph.arguments import require_graph
from gossamer.nn._common import check_features

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["SetTransformerDecoder", "SetTransformerEncoder"]


class PaddedSets:
    """Positions of the nodes of each graph in a padded tensor ``(B, L, D)``, and the padding."""

    def __init__(self, lengths: Tensor, rows: int) -> None:
        longest = int(lengths.max()) if len(lengths) else 0
        self.shape = len(lengths), longest
        owner = torch.repeat_interleave(lengths, output_size=rows)
        within = torch.arange(rows, device=lengths.device) - (lengths.cumsum(0) - lengths)[owner]
        self.place = owner * longest + within
        self.empty = torch.arange(longest, device=lengths.device) >= lengths[:, None]

    def pad(self, feat: Tensor) -> Tensor:
        flat = feat.new_zeros(self.shape[0] * self.shape[1], feat.shape[-1])
        return flat.index_copy(0, self.place, feat).view(*self.shape, feat.shape[-1])

    def unpad(self, padded: Tensor) -> Tensor:
        return padded.flatten(0, 1)[self.place]


class _Attention(nn.Module):
    r"""MAB of the paper, in each graph: :math:`y = x + \mathrm{att}(x, m, m)`, then
    :math:`y + \mathrm{ffn}(y)`, each normalized."""

    def __init__(
        self, d_model: int, num_heads: int, d_head: int, d_ff: int, dropouth: float, dropouta: float
    ) -> None:
        super().__init__()
        self.num_heads, self.d_head = num_heads, d_head
        width = num_heads * d_head
        self.proj_q = nn.Linear(d_model, width, bias=False)
        self.proj_k = nn.Linear(d_model, width, bias=False)
        self.proj_v = nn.Linear(d_model, width, bias=False)
        self.proj_o = nn.Linear(width, d_model, bias=False)
        self.ffn = _feed_forward(d_model, d_ff, dropouth)
        self.droph = nn.Dropout(dropouth)
        self.dropa = nn.Dropout(dropouta)
        self.norm_in = nn.LayerNorm(d_model)
        self.norm_inter = nn.LayerNorm(d_model)
        self.draw()

    def draw(self) -> None:
        """Reinitialize the matrices (Xavier uniform)."""
        for weight in self.parameters():
            if weight.dim() > 1:
                nn.init.xavier_uniform_(weight)

    def forward(self, x: Tensor, memory: Tensor, empty: Tensor | None = None) -> Tensor:
        """Attend from rows ``(B, L, D)`` to the rows ``(B, M, D)`` that are not `empty`."""
        query, key, value = (
            proj(rows).unflatten(-1, (self.num_heads, self.d_head)).transpose(1, 2)
            for proj, rows in ((self.proj_q, x), (self.proj_k, memory), (self.proj_v, memory))
        )
        scores = query @ key.transpose(-1, -2) / self.d_head**0.5
        if empty is not None:
            # A set without rows is all padding: finite scores avoid NaN in its gradient.
            scores = scores.masked_fill(empty[:, None, None], torch.finfo(scores.dtype).min)
        share = self.dropa(scores.softmax(-1))
        if empty is not None:
            share = share.masked_fill(empty[:, None, None], 0)
        out = self.proj_o((share @ value).transpose(1, 2).flatten(-2))
        x = self.norm_in(x + self.droph(out))
        return self.norm_inter(x + self.droph(self.ffn(x)))


def _feed_forward(d_model: int, d_ff: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(d_model, d_ff), nn.ReLU(), nn.Dropout(dropout), nn.Linear(d_ff, d_model)
    )


class _SetAttention(nn.Module):
    """SAB of the paper: each row attends to all rows of its set."""

    def __init__(self, d_model: int, *sizes: float) -> None:
        super().__init__()
        self.mha = _Attention(d_model, *sizes)

    def forward(self, x: Tensor, empty: Tensor) -> Tensor:
        return self.mha(x, x, empty)


class _InducedAttention(nn.Module):
    """ISAB of the paper: rows attend to `m` learned points that have attended to them."""

    def __init__(self, m: int, d_model: int, *sizes: float) -> None:
        super().__init__()
        self.mha = nn.ModuleList(_Attention(d_model, *sizes) for _ in range(2))
        self.inducing_points = nn.Parameter(torch.empty(m, d_model))
        self.draw()

    def draw(self) -> None:
        """Reinitialize the learned rows (Xavier uniform)."""
        nn.init.xavier_uniform_(self.inducing_points)

    def forward(self, x: Tensor, empty: Tensor) -> Tensor:
        points = self.inducing_points.expand(x.shape[0], -1, -1)
        return self.mha[1](x, self.mha[0](points, x, empty))


class _SeedAttention(nn.Module):
    """PMA of the paper: `k` learned seeds attend to the rows of each set."""

    def __init__(self, k: int, d_model: int, *sizes: float) -> None:
        super().__init__()
        _, _, d_ff, dropouth, _ = sizes
        self.mha = _Attention(d_model, *sizes)
        self.ffn = _feed_forward(d_model, d_ff, dropouth)
        self.seed_vectors = nn.Parameter(torch.empty(k, d_model))
        self.draw()

    def draw(self) -> None:
        """Reinitialize the learned rows (Xavier uniform)."""
        nn.init.xavier_uniform_(self.seed_vectors)

    def forward(self, x: Tensor, empty: Tensor) -> Tensor:
        seeds = self.seed_vectors.expand(x.shape[0], -1, -1)
        return self.mha(seeds, self.ffn(x), empty)


class _SetTransformer(nn.Module):
    """Base class of encoder and decoder."""

    def _sets(self, graph: Graph, feat: Tensor) -> PaddedSets:
        require_graph(graph, type(self).__name__)
        weight = next(self.parameters(), None)
        check_features(self, feat, graph.num_nodes(), self.d_model, weight, matrix=True)
        return PaddedSets(graph.batch_num_nodes(), feat.shape[0])

    def reset_parameters(self) -> None:
        """Reinitialize all weights."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.LayerNorm):
                module.reset_parameters()
        for module in self.modules():
            if isinstance(module, _Attention | _InducedAttention | _SeedAttention):
                module.draw()


class SetTransformerEncoder(_SetTransformer):
    r"""Attention among the nodes of each graph, from `Set Transformer: A Framework for
    Attention-based Permutation-Invariant Neural Networks <https://arxiv.org/abs/1810.00825>`__.

    .. math::
        \mathrm{MAB}(X, Y) &= \mathrm{norm}\big(H + \mathrm{ffn}(H)\big), \quad
            H = \mathrm{norm}\big(X + \mathrm{attention}(X, Y, Y)\big) \\
        \mathrm{SAB}(X) &= \mathrm{MAB}(X, X) \\
        \mathrm{ISAB}(X) &= \mathrm{MAB}\big(X, \mathrm{MAB}(I, X)\big)

    with :math:`m` learned points :math:`I`. The time of SAB is quadratic in the number of nodes of
    a graph, that of ISAB linear. The edges are not used.

    Parameters
    ----------
    d_model : int
        Width of the features.
    n_heads, d_head : int
        Number and width of the heads.
    d_ff : int
        Hidden width of ffn.
    n_layers : int
        Number of layers.
    block_type : {"sab", "isab"}
        Kind of layer.
    m : int, optional
        Number of learned points; required for ``"isab"``.
    dropouth, dropouta : float
        Dropout rates of the sublayers and of the attention weights.

    Raises
    ------
    InvalidValueError
        If `block_type` is unknown, or `m` is missing for ``"isab"``.

    See Also
    --------
    SetTransformerDecoder : One vector per graph; the encoder keeps one per node.

    Notes
    -----
    Matrices are initialized Xavier uniform.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> encoder = gs.nn.SetTransformerEncoder(6, n_heads=2, d_head=3, d_ff=8)
    >>> encoder(g, torch.rand(3, 6)).shape
    torch.Size([3, 6])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_head: int,
        d_ff: int,
        n_layers: int = 1,
        block_type: str = "sab",
        m: int | None = None,
        dropouth: float = 0.0,
        dropouta: float = 0.0,
    ) -> None:
        super().__init__()
        one_of(block_type, "SetTransformerEncoder", "block_type", ("sab", "isab"))
        if block_type == "isab" and m is None:
            raise InvalidValueError(
                "SetTransformerEncoder: block_type='isab' needs m, the number of learned points."
            )
        if block_type == "isab":
            as_int(m, "SetTransformerEncoder", "m", 1)
        sizes = _check_sizes(self, d_model, n_heads, d_head, d_ff, n_layers, dropouth, dropouta)
        self.n_layers = n_layers
        self.block_type = block_type
        self.m = m
        self.layers = nn.ModuleList(
            _SetAttention(*sizes) if block_type == "sab" else _InducedAttention(m, *sizes)
            for _ in range(n_layers)
        )

    def forward(self, graph: Graph, feat: Tensor) -> Tensor:
        r"""Transform the features.

        Parameters
        ----------
        graph : Graph
            A graph, or a batch of them, with one node type.
        feat : Tensor
            :math:`(N, D)`.

        Returns
        -------
        Tensor
            :math:`(N, D)`.

        Raises
        ------
        InvalidValueError
            If `feat` has the wrong shape.
        InvalidTypeError
            If `feat` has a different dtype from the parameters.
        """
        sets = self._sets(graph, feat)
        x = sets.pad(feat)
        for layer in self.layers:
            x = layer(x, sets.empty)
        return sets.unpad(x)


class SetTransformerDecoder(_SetTransformer):
    r"""Readout of `Set Transformer: A Framework for Attention-based Permutation-Invariant Neural
    Networks <https://arxiv.org/abs/1810.00825>`__.

    .. math::
        r_b = \mathrm{SAB}^n\big(\mathrm{MAB}(S, \mathrm{ffn}(X_b))\big)

    with :math:`k` learned seeds :math:`S`, and MAB and SAB as in
    :class:`SetTransformerEncoder`. The order of the nodes does not matter.

    Parameters
    ----------
    d_model : int
        Width of the features.
    num_heads, d_head : int
        Number and width of the heads.
    d_ff : int
        Hidden width of ffn.
    n_layers : int
        Number of layers among the seeds, :math:`n`.
    k : int
        Number of seeds.
    dropouth, dropouta : float
        Dropout rates of the sublayers and of the attention weights.

    Notes
    -----
    Matrices are initialized Xavier uniform, except those of the ffn applied to :math:`X_b`, which
    are initialized as in :class:`torch.nn.Linear`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.batch([gs.graph(([0], [1])), gs.graph(([], []), num_nodes=1)])
    >>> decoder = gs.nn.SetTransformerDecoder(6, num_heads=2, d_head=3, d_ff=8, n_layers=1, k=4)
    >>> decoder(g, torch.rand(3, 6)).shape
    torch.Size([2, 24])
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        d_head: int,
        d_ff: int,
        n_layers: int,
        k: int,
        dropouth: float = 0.0,
        dropouta: float = 0.0,
    ) -> None:
        super().__init__()
        sizes = _check_sizes(self, d_model, num_heads, d_head, d_ff, n_layers, dropouth, dropouta)
        self.n_layers = n_layers
        self.k = as_int(k, "SetTransformerDecoder", "k", 1)
        self.pma = _SeedAttention(k, *sizes)
        self.layers = nn.ModuleList(_SetAttention(*sizes) for _ in range(n_layers))

    def forward(self, graph: Graph, feat: Tensor) -> Tensor:
        r"""Pool the features.

        Parameters
        ----------
        graph : Graph
            A graph, or a batch of :math:`B` graphs, with one node type.
        feat : Tensor
            :math:`(N, D)`.

        Returns
        -------
        Tensor
            :math:`(B, k \cdot D)`.

        Raises
        ------
        InvalidValueError
            If `feat` has the wrong shape.
        InvalidTypeError
            If `feat` has a different dtype from the parameters.
        """
        sets = self._sets(graph, feat)
        x = self.pma(sets.pad(feat), sets.empty)
        for layer in self.layers:
            x = layer(x, None)
        return x.flatten(1)


def _check_sizes(
    owner: _SetTransformer,
    d_model: int,
    num_heads: int,
    d_head: int,
    d_ff: int,
    n_layers: int,
    dropouth: float,
    dropouta: float,
) -> tuple:
    """Check the arguments of an attention block, which are sizes and rates, and return them."""
    name = type(owner).__name__
    sizes = {"d_model": d_model, "num_heads": num_heads, "d_head": d_head, "d_ff": d_ff}
    for argument, value in sizes.items():
        as_int(value, name, argument, 1)
    as_int(n_layers, name, "n_layers", 0)
    number_in(dropouth, name, "dropouth", 0, 1)
    number_in(dropouta, name, "dropouta", 0, 1)
    owner.d_model = d_model
    return (*sizes.values(), dropouth, dropouta)
