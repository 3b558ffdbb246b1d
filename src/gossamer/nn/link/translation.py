"""Scores of triples by translation: head plus relation should be close to the tail."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import as_int, number_in, one_of
from gossamer.errors import InvalidValueError
from gossamer.nn._common import reset_children
from gossamer.nn._typed import check_types

__all__ = ["TransE", "TransR"]


class TransE(nn.Module):
    r"""Score of `Translating Embeddings for Modeling Multi-relational Data
    <https://papers.nips.cc/paper/5071-translating-embeddings-for-modeling-multi-relational-data>`__.

    .. math:: s = -\Vert h + r - t \Vert_p

    Parameters
    ----------
    num_rels : int
        Number of relations.
    feats : int
        Width of the vectors of nodes and relations.
    p : float
        Order of the norm.

    Notes
    -----
    Vectors :math:`r` are initialized as in :class:`torch.nn.Embedding`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> score = gs.nn.TransE(num_rels=3, feats=4)
    >>> score(torch.rand(5, 4), torch.rand(5, 4), torch.tensor([0, 2, 1, 1, 0])).shape
    torch.Size([5])
    """

    def __init__(self, num_rels: int, feats: int, p: float = 1) -> None:
        super().__init__()
        as_int(num_rels, "TransE", "num_rels", 1)
        as_int(feats, "TransE", "feats", 1)
        number_in(p, "TransE", "p", 0)
        self.rel_emb = nn.Embedding(num_rels, feats)
        self.p = p

    def reset_parameters(self) -> None:
        """Reinitialize the vectors of relations."""
        reset_children(self)

    def forward(self, h_head: Tensor, h_tail: Tensor, rels: Tensor) -> Tensor:
        r"""Score triples.

        Parameters
        ----------
        h_head, h_tail : Tensor
            Vectors of the two nodes, :math:`(E, D)`, or :math:`(1, D)` for one node in all triples.
        rels : Tensor
            :math:`(E,)`, the relation of each triple, or :math:`(1,)` for one in all triples.

        Returns
        -------
        Tensor
            :math:`(E,)`, at most 0.

        Raises
        ------
        InvalidValueError
            If a shape does not fit.
        OutOfRangeError
            If there is no such relation.
        """
        h_head, h_tail, rels = _triples(self, h_head, h_tail, rels, self.rel_emb.embedding_dim)
        return -(h_head + self.rel_emb(rels) - h_tail).norm(self.p, dim=-1)

    def query(self, known: Tensor, rels: Tensor, missing: str = "tail") -> Tensor:
        r"""Move one end of triples by their relations, for :meth:`match`.

        Parameters
        ----------
        known : Tensor
            Vectors of the ends that are known, :math:`(Q, D)`.
        rels : Tensor
            :math:`(Q,)`, the relation of each triple.
        missing : {"tail", "head"}
            Which end is not known.

        Returns
        -------
        Tensor
            :math:`(Q, D)`, :math:`h + r` or :math:`t - r`.
        """
        one_of(missing, "TransE", "missing", ("tail", "head"))
        relation = self.rel_emb(rels)
        return known + relation if missing == "tail" else known - relation

    def match(self, query: Tensor, candidates: Tensor) -> Tensor:
        r"""Score every candidate for the missing end of every triple.

        Parameters
        ----------
        query : Tensor
            What :meth:`query` returned, :math:`(Q, D)`.
        candidates : Tensor
            Vectors of nodes, :math:`(C, D)`.

        Returns
        -------
        Tensor
            :math:`(Q, C)`, the scores that :meth:`forward` gives the completed triples.
        """
        return -torch.cdist(query, candidates, self.p)


class TransR(nn.Module):
    r"""Score of `Learning Entity and Relation Embeddings for Knowledge Graph Completion
    <https://ojs.aaai.org/index.php/AAAI/article/view/9491>`__.

    .. math:: s = -\Vert h M_r + r - t M_r \Vert_p

    Parameters
    ----------
    num_rels : int
        Number of relations.
    rfeats, nfeats : int
        Width of the vectors of relations and of nodes.
    p : float
        Order of the norm.

    Notes
    -----
    Vectors :math:`r` and matrices :math:`M_r` are initialized as in :class:`torch.nn.Embedding`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> score = gs.nn.TransR(num_rels=3, rfeats=2, nfeats=4)
    >>> score(torch.rand(5, 4), torch.rand(5, 4), torch.tensor([0, 2, 1, 1, 0])).shape
    torch.Size([5])
    """

    def __init__(self, num_rels: int, rfeats: int, nfeats: int, p: float = 1) -> None:
        super().__init__()
        as_int(num_rels, "TransR", "num_rels", 1)
        as_int(rfeats, "TransR", "rfeats", 1)
        as_int(nfeats, "TransR", "nfeats", 1)
        number_in(p, "TransR", "p", 0)
        self.rel_emb = nn.Embedding(num_rels, rfeats)
        self.rel_project = nn.Embedding(num_rels, nfeats * rfeats)
        self.rfeats = rfeats
        self.nfeats = nfeats
        self.p = p

    def reset_parameters(self) -> None:
        """Reinitialize the vectors and matrices of relations."""
        reset_children(self)

    def forward(self, h_head: Tensor, h_tail: Tensor, rels: Tensor) -> Tensor:
        r"""Score triples.

        Parameters
        ----------
        h_head, h_tail : Tensor
            Vectors of the two nodes, :math:`(E, D)`, or :math:`(1, D)` for one node in all triples.
        rels : Tensor
            :math:`(E,)`, the relation of each triple, or :math:`(1,)` for one in all triples.

        Returns
        -------
        Tensor
            :math:`(E,)`, at most 0.

        Raises
        ------
        InvalidValueError
            If a shape does not fit.
        OutOfRangeError
            If there is no such relation.
        """
        h_head, h_tail, rels = _triples(self, h_head, h_tail, rels, self.nfeats)
        matrices = self.rel_project.weight.view(-1, self.nfeats, self.rfeats)
        between = ops.gather_mm(h_head - h_tail, matrices, idx_b=rels)
        return -(between + self.rel_emb(rels)).norm(self.p, dim=-1)


def _triples(
    layer: nn.Module, h_head: Tensor, h_tail: Tensor, rels: Tensor, width: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Check heads, tails and relations of triples; return them, the relations as int64."""
    name = type(layer).__name__
    for end, x in (("h_head", h_head), ("h_tail", h_tail)):
        if x.dim() != 2 or x.shape[1] != width:
            raise InvalidValueError(
                f"{name}: {end} must have shape (triples, {width}), but got {tuple(x.shape)}."
            )
    rows = len(rels) if isinstance(rels, Tensor) and rels.dim() == 1 else len(h_head)
    rels = check_types(layer, rels, rows, layer.rel_emb.num_embeddings, "triple")
    counts = [len(h_head), len(h_tail), rows]
    count = next((each for each in counts if each != 1), 1)
    if any(each not in (1, count) for each in counts):
        raise InvalidValueError(
            f"{name}: h_head, h_tail and rels must have the same number of rows, or one row, but "
            f"have {counts[0]}, {counts[1]} and {counts[2]}."
        )
    return h_head.expand(count, -1), h_tail.expand(count, -1), rels.expand(count)
