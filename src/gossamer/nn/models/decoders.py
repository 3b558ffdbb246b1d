"""Scores of triples for knowledge graphs."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gossamer._options import as_int
from gossamer.errors import InvalidValueError
from gossamer.nn._common import check_types
from gossamer.nn.models._base import Model

__all__ = ["ComplEx", "DistMult", "RotatE"]


class _Decoder(Model):
    """A vector for each relation; subclasses say how it scores with those of head and tail."""

    _score: Callable[[Tensor, Tensor, Tensor], Tensor]

    def __init__(self, num_rels: int, size: int) -> None:
        super().__init__(num_rels=num_rels, size=size)
        name = type(self).__name__
        as_int(num_rels, name, "num_rels", 1)
        as_int(size, name, "size", 1)
        if self._halves and size % 2:
            raise InvalidValueError(
                f"{name}: size must be even, as half of a vector is the real part and half the "
                f"imaginary one, but got {size}."
            )
        self.relation = nn.Embedding(num_rels, self._width(size))

    _halves = True

    def _width(self, size: int) -> int:
        return size

    def forward(self, head: Tensor, tail: Tensor, rels: Tensor) -> Tensor:
        r"""Score triples.

        Parameters
        ----------
        head, tail : Tensor
            Vectors of the two nodes, :math:`(E, D)`.
        rels : Tensor
            :math:`(E,)`, the relation of each triple.

        Returns
        -------
        Tensor
            :math:`(E,)`; larger for triples that are more likely.

        Raises
        ------
        InvalidValueError
            If a shape does not fit.
        OutOfRangeError
            If there is no such relation.
        """
        size = self.options["size"]
        if head.dim() != 2 or head.shape != tail.shape or head.shape[1] != size:
            raise InvalidValueError(
                f"{type(self).__name__}: head and tail must have shape (triples, {size}), but got "
                f"{tuple(head.shape)} and {tuple(tail.shape)}."
            )
        rels = check_types(self, rels, len(head), self.options["num_rels"], "triple")
        return self._score(head, tail, self.relation(rels))


class DistMult(_Decoder):
    r"""DistMult of `Yang et al. <https://arxiv.org/abs/1412.6575>`__.

    .. math:: s = \sum_i h_i r_i t_i

    Parameters
    ----------
    num_rels : int
        Number of relations.
    size : int
        Width of the vectors.

    Examples
    --------
    >>> import torch
    >>> from gossamer.nn.models import DistMult
    >>> DistMult(3, 4)(torch.rand(5, 4), torch.rand(5, 4), torch.tensor([0, 2, 1, 1, 0])).shape
    torch.Size([5])
    """

    name = "distmult"
    _halves = False

    def _score(self, head: Tensor, tail: Tensor, relation: Tensor) -> Tensor:
        return (head * relation * tail).sum(-1)


class ComplEx(_Decoder):
    r"""ComplEx of `Trouillon et al. <https://arxiv.org/abs/1606.06357>`__.

    .. math:: s = \mathrm{Re} \sum_i h_i r_i \bar t_i

    over complex numbers, with their real parts in the first half of a vector and their imaginary
    parts in the second.

    Parameters
    ----------
    num_rels : int
        Number of relations.
    size : int
        Width of the vectors, even.

    Examples
    --------
    >>> import torch
    >>> from gossamer.nn.models import ComplEx
    >>> ComplEx(3, 4)(torch.rand(5, 4), torch.rand(5, 4), torch.tensor([0, 2, 1, 1, 0])).shape
    torch.Size([5])
    """

    name = "complex"

    def _score(self, head: Tensor, tail: Tensor, relation: Tensor) -> Tensor:
        (a, b), (c, d), (e, f) = (x.chunk(2, dim=-1) for x in (head, relation, tail))
        return ((a * c - b * d) * e + (a * d + b * c) * f).sum(-1)


class RotatE(_Decoder):
    r"""RotatE of `Sun et al. <https://arxiv.org/abs/1902.10197>`__.

    .. math:: s = -\sum_i \big| h_i e^{\mathrm{i} r_i} - t_i \big|

    over complex numbers, with their real parts in the first half of a vector and their imaginary
    parts in the second; :math:`r` are angles.

    Parameters
    ----------
    num_rels : int
        Number of relations.
    size : int
        Width of the vectors, even.

    Notes
    -----
    Angles start uniform from :math:`-\pi` to :math:`\pi`.

    Examples
    --------
    >>> import torch
    >>> from gossamer.nn.models import RotatE
    >>> RotatE(3, 4)(torch.rand(5, 4), torch.rand(5, 4), torch.tensor([0, 2, 1, 1, 0])).shape
    torch.Size([5])
    """

    name = "rotate"

    def __init__(self, num_rels: int, size: int) -> None:
        super().__init__(num_rels, size)
        nn.init.uniform_(self.relation.weight, -math.pi, math.pi)

    def _width(self, size: int) -> int:
        return size // 2

    def _score(self, head: Tensor, tail: Tensor, relation: Tensor) -> Tensor:
        a, b = head.chunk(2, dim=-1)
        cos, sin = relation.cos(), relation.sin()
        turned = torch.stack([a * cos - b * sin, a * sin + b * cos])
        apart = turned - torch.stack(tail.chunk(2, dim=-1))
        return -torch.linalg.vector_norm(apart, dim=0).sum(-1)
