"""Embeddings of nodes from random walks: DeepWalk and metapath2vec."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer._options import as_int, number_in, shown
from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph.arguments import require_graph

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["DeepWalk", "MetaPath2Vec"]


class _SkipGram(nn.Module):
    """Two tables of vectors: one for center nodes of a window, one for context nodes."""

    emb_dim: int

    def _make_tables(self, num_nodes: int, sparse: bool) -> None:
        self.node_embed = nn.Embedding(num_nodes, self.emb_dim, sparse=sparse)
        self.context_embed = nn.Embedding(num_nodes, self.emb_dim, sparse=sparse)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw center vectors uniformly within 1 / `emb_dim`; set context vectors to 0."""
        bound = 1.0 / self.emb_dim
        nn.init.uniform_(self.node_embed.weight, -bound, bound)
        nn.init.zeros_(self.context_embed.weight)


class DeepWalk(_SkipGram):
    r"""Node embeddings that are similar for nodes visited by the same random walks, from `DeepWalk:
    Online Learning of Social Representations <https://arxiv.org/abs/1403.6652>`__.

    .. math::
        -\mathbb{E}_{(u, v)} \log \sigma(z_u \cdot c_v)
            - w\,K\, \mathbb{E}_{(u, n)} \log \sigma(-z_u \cdot c_n)

    over the pairs of nodes at most `window_size` steps apart in a walk, and random nodes :math:`n`.

    Parameters
    ----------
    g : Graph
        Homogeneous graph.
    emb_dim : int
        Width of the vectors.
    walk_length : int
        Number of nodes in a walk.
    window_size : int
        How many steps apart the nodes of a pair may be.
    neg_weight : float
        :math:`w`.
    negative_size : int
        :math:`K`.
    fast_neg : bool
        Whether random nodes are drawn from the walks of the batch, rather than from all nodes with
        probability proportional to ``degree ** 0.75``.
    sparse : bool
        Whether gradients are sparse; then train with :class:`torch.optim.SparseAdam`.

    Notes
    -----
    Scores are clipped to -6 ... 6. A walk ends at a node without out-edges; the missing positions
    form no pairs.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 1, 2, 0], [1, 2, 0, 0, 1, 2]))
    >>> model = gs.nn.DeepWalk(g, emb_dim=8, walk_length=5, window_size=2)
    >>> optimizer = torch.optim.SparseAdam(list(model.parameters()), lr=0.01)
    >>> for nodes in torch.utils.data.DataLoader(torch.arange(3), 2, collate_fn=model.sample):
    ...     loss = model(nodes)
    ...     optimizer.zero_grad(); loss.backward(); optimizer.step()
    >>> model.node_embed.weight.shape
    torch.Size([3, 8])
    """

    def __init__(
        self,
        g: Graph,
        emb_dim: int = 128,
        walk_length: int = 40,
        window_size: int = 5,
        neg_weight: float = 1,
        negative_size: int = 5,
        fast_neg: bool = True,
        sparse: bool = True,
    ) -> None:
        super().__init__()
        require_graph(g, "DeepWalk")
        self.emb_dim = as_int(emb_dim, "DeepWalk", "emb_dim", 1)
        self.walk_length = as_int(walk_length, "DeepWalk", "walk_length", 2)
        self.window_size = as_int(window_size, "DeepWalk", "window_size", 1)
        if walk_length < window_size + 1:
            raise InvalidValueError(
                f"DeepWalk: walk_length ({walk_length}) must be at least window_size + 1 "
                f"({window_size + 1})."
            )
        self.neg_weight = number_in(neg_weight, "DeepWalk", "neg_weight")
        self.negative_size = as_int(negative_size, "DeepWalk", "negative_size", 0)
        self.g = g
        self.fast_neg = fast_neg
        self._make_tables(g.num_nodes(), sparse)
        if not fast_neg:
            power = g.out_degrees().double().pow(0.75)
            self.neg_prob = (power / power.sum()).float()
        self.idx_list_dst, self.idx_list_src = _near(torch.arange(walk_length), window_size)

    def sample(self, indices: Tensor | Sequence[int]) -> Tensor:
        """Draw walks.

        Parameters
        ----------
        indices : Tensor or sequence of int
            Start nodes.

        Returns
        -------
        Tensor
            Nodes, ``(len(indices), walk_length)``; -1 after the end of a walk.
        """
        from gossamer.sampling import random_walk

        starts = torch.as_tensor(indices, dtype=self.g.idtype, device=self.g.device)
        return random_walk(self.g, starts, length=self.walk_length - 1)[0]

    def forward(self, batch_walk: Tensor) -> Tensor:
        """Compute the loss of walks.

        Parameters
        ----------
        batch_walk : Tensor
            Walks, as returned by :meth:`sample`.

        Returns
        -------
        Tensor
            A number.

        Raises
        ------
        InvalidValueError
            If the walks do not have length `walk_length`, or none has two nodes.
        """
        if batch_walk.dim() != 2 or batch_walk.shape[1] != self.walk_length:
            raise InvalidValueError(
                f"DeepWalk: walks must have shape (batch, {self.walk_length}), but got "
                f"{tuple(batch_walk.shape)}."
            )
        walks = batch_walk.long().to(self.node_embed.weight.device)
        center, around = walks[:, self.idx_list_src], walks[:, self.idx_list_dst]
        whole = (center >= 0) & (around >= 0)
        center, around = center[whole], around[whole]
        if not len(center):
            raise InvalidValueError(
                "DeepWalk: no walk has two nodes. Give the nodes out-edges, as with "
                "gossamer.add_self_loop(g)."
            )
        z = self.node_embed(center)
        loss = _mean_loss((z * self.context_embed(around)).sum(-1))
        if self.negative_size:
            others = self._negatives(walks, len(center) * self.negative_size)
            z = z.repeat_interleave(self.negative_size, 0)
            far = _mean_loss(-(z * self.context_embed(others)).sum(-1))
            loss = loss + self.neg_weight * self.negative_size * far
        return loss

    def _negatives(self, walks: Tensor, count: int) -> Tensor:
        if self.fast_neg:
            pool = walks[walks >= 0]
            return pool[torch.randint(len(pool), (count,), device=pool.device)]
        drawn = torch.multinomial(self.neg_prob, count, replacement=True)
        return drawn.to(walks.device)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"walk_length={self.walk_length}, window_size={self.window_size}"


class MetaPath2Vec(_SkipGram):
    r"""Node embeddings for several node types, from walks along a path of edge types, as in
    `metapath2vec: Scalable Representation Learning for Heterogeneous Networks
    <https://ericdongyx.github.io/papers/KDD17-dong-chawla-swami-metapath2vec.pdf>`__.

    .. math::
        -\log \sigma(z_u \cdot c_v) - \sum_{k=1}^{K} \log \sigma(-z_u \cdot c_{n_k})

    on average over the pairs of nodes at most `window_size` steps apart in a walk. Nodes
    :math:`n_k` of all types are drawn with probability proportional to the 0.75th power of the
    number of walks that visit them, with one walk from each node.

    Parameters
    ----------
    g : Graph
        Heterogeneous graph whose edge types have distinct names.
    metapath : list of str
        Edge types that a walk follows, one after another.
    window_size : int
        How many steps apart the nodes of a pair may be.
    emb_dim : int
        Width of the vectors.
    negative_size : int
        :math:`K`.
    sparse : bool
        Whether gradients are sparse; then train with :class:`torch.optim.SparseAdam`.

    Attributes
    ----------
    local_to_global_nid : dict of str to list of int
        Row of the table for each node, by node type.

    Raises
    ------
    UnknownKeyError
        If there is no such edge type.
    InvalidValueError
        If an edge type of the path does not start where the one before it ends.

    Notes
    -----
    Scores are clipped to -10 ... 10.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.heterograph({
    ...     ("user", "uc", "company"): ([0, 1, 2], [0, 1, 1]),
    ...     ("company", "cu", "user"): ([0, 1, 1], [0, 1, 2]),
    ... })
    >>> model = gs.nn.MetaPath2Vec(g, ["uc", "cu"], window_size=1, emb_dim=8, negative_size=2)
    >>> optimizer = torch.optim.SparseAdam(list(model.parameters()), lr=0.01)
    >>> for batch in torch.utils.data.DataLoader(torch.arange(3), 2, collate_fn=model.sample):
    ...     loss = model(*batch)
    ...     optimizer.zero_grad(); loss.backward(); optimizer.step()
    >>> model.node_embed(torch.tensor(model.local_to_global_nid["user"])).shape
    torch.Size([3, 8])
    """

    def __init__(
        self,
        g: Graph,
        metapath: Sequence[str],
        window_size: int,
        emb_dim: int = 128,
        negative_size: int = 5,
        sparse: bool = True,
    ) -> None:
        super().__init__()
        require_graph(g, "MetaPath2Vec")
        self.window_size = as_int(window_size, "MetaPath2Vec", "window_size", 1)
        self.emb_dim = as_int(emb_dim, "MetaPath2Vec", "emb_dim", 1)
        self.negative_size = as_int(negative_size, "MetaPath2Vec", "negative_size", 0)
        self.hg = g
        if not isinstance(metapath, Sequence) or isinstance(metapath, str):
            raise InvalidTypeError(
                f"MetaPath2Vec: metapath is a list of edge types, got {shown(metapath)}."
            )
        self.metapath = list(metapath)
        self.node_metapath = _node_types(g, self.metapath)
        self.local_to_global_nid, self._first = {}, {}
        first = 0
        for ntype in g.ntypes:
            self._first[ntype] = first
            first += g.num_nodes(ntype)
            self.local_to_global_nid[ntype] = list(range(self._first[ntype], first))
        self._make_tables(first, sparse)
        self.neg_prob = self._frequencies(first)

    def _walk(self, nodes: Tensor) -> Tensor:
        """Return the rows of the table along a walk from each node; -1 after its end."""
        from gossamer.sampling import random_walk

        traces = random_walk(self.hg, nodes, metapath=self.metapath)[0].long()
        first = torch.tensor([self._first[ntype] for ntype in self.node_metapath])
        return torch.where(traces < 0, traces, traces + first.to(traces.device))

    def _frequencies(self, rows: int) -> Tensor:
        count = torch.zeros(rows, dtype=torch.float64)
        nodes = torch.arange(self.hg.num_nodes(self.node_metapath[0]), dtype=self.hg.idtype)
        for walk in self._walk(nodes.to(self.hg.device)).cpu().unbind():
            count[walk[walk >= 0].unique()] += 1
        power = count.pow(0.75)
        return (power / power.sum().clamp(min=1e-12)).float()

    def sample(self, indices: Tensor | Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Draw a walk from each node, and random nodes for each pair in it.

        Parameters
        ----------
        indices : Tensor or sequence of int
            Start nodes, of the type where the path starts.

        Returns
        -------
        pos_u, pos_v : Tensor
            Rows of the two nodes of each pair, ``(P,)``.
        neg_v : Tensor
            Rows of random nodes, ``(P, negative_size)``.
        """
        nodes = torch.as_tensor(indices, dtype=self.hg.idtype, device=self.hg.device).flatten()
        walks = self._walk(nodes)
        i, j = _near(torch.arange(walks.shape[1], device=walks.device), self.window_size)
        u, v = walks[:, i].flatten(), walks[:, j].flatten()
        whole = (u >= 0) & (v >= 0)
        u, v = u[whole], v[whole]
        if not len(u) or not self.negative_size:
            return u, v, u.new_empty(len(u), self.negative_size)
        drawn = torch.multinomial(self.neg_prob, len(u) * self.negative_size, replacement=True)
        return u, v, drawn.view(len(u), self.negative_size).to(u.device)

    def forward(self, pos_u: Tensor, pos_v: Tensor, neg_v: Tensor) -> Tensor:
        """Compute the loss of pairs.

        Parameters
        ----------
        pos_u, pos_v : Tensor
            Rows of the two nodes of each pair, ``(P,)``.
        neg_v : Tensor
            Rows of random nodes, ``(P, K)``.

        Returns
        -------
        Tensor
            A number.
        """
        z = self.node_embed(pos_u)
        near = (z * self.context_embed(pos_v)).sum(-1).clamp(-10, 10)
        far = torch.einsum("pkd,pd->pk", self.context_embed(neg_v), z).clamp(-10, 10)
        return -(F.logsigmoid(near) + F.logsigmoid(-far).sum(-1)).mean()

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"metapath={self.metapath}, window_size={self.window_size}"


def _near(places: Tensor, window_size: int) -> Tensor:
    """Return pairs of distinct positions at most `window_size` apart, ``(2, pairs)``."""
    apart = (places - places[:, None]).abs()
    return ((apart > 0) & (apart <= window_size)).nonzero().T.contiguous()


def _mean_loss(scores: Tensor) -> Tensor:
    return -F.logsigmoid(scores.clamp(-6, 6)).mean()


def _node_types(g: Graph, metapath: Sequence[str]) -> list[str]:
    """Return the node types along a path of edge types."""
    if not metapath:
        raise InvalidValueError("MetaPath2Vec: metapath needs at least one edge type, got none.")
    ends = []
    for etype in metapath:
        if etype not in g.etypes:
            raise UnknownKeyError(
                f"MetaPath2Vec: no edge type {etype!r}; the graph has {list(g.etypes)}."
            )
        ends.append(g.to_canonical_etype(etype))
    for before, after in pairwise(ends):
        if before[2] != after[0]:
            raise InvalidValueError(
                f"MetaPath2Vec: {after[1]!r} starts at {after[0]!r}, but {before[1]!r} before it "
                f"ends at {before[2]!r}."
            )
    return [ends[0][0], *(end[2] for end in ends)]
