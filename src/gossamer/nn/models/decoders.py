"""Scores of triples for knowledge graphs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gossamer._options import as_int, one_of
from gossamer.errors import InvalidValueError
from gossamer.nn._typed import check_types
from gossamer.nn.models._base import Model

__all__ = ["ComplEx", "DistMult", "RotatE"]


class _Decoder(Model):
    """Base of decoders with a vector per relation; subclasses define the score of a triple.

    One end and the relation of a triple are combined into one vector, the query. The score is
    computed from the query and the vector of the other end.
    """

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
            :math:`(E,)`; larger for more likely triples.

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
        return self._pair(self._query(head, self.relation(rels), False), tail)

    def query(self, known: Tensor, rels: Tensor, missing: str = "tail") -> Tensor:
        r"""Combine one end of triples with their relations, for :meth:`match`.

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
            :math:`(Q, D)`.
        """
        one_of(missing, type(self).__name__, "missing", ("tail", "head"))
        return self._query(known, self.relation(rels), missing == "head")

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
        return query @ candidates.T

    def _query(self, known: Tensor, relation: Tensor, inverse: bool) -> Tensor:
        """Apply the relation, or its inverse if the head is missing, to the known end."""
        return _times(known, relation, inverse)

    def _pair(self, query: Tensor, other: Tensor) -> Tensor:
        """Compute the score of each query with the node in the same row."""
        return (query * other).sum(-1)


def _times(x: Tensor, y: Tensor, conjugate: bool) -> Tensor:
    """Multiply complex `x` by `y` or its conjugate; halves are real and imaginary parts."""
    (a, b), (c, d) = x.chunk(2, dim=-1), y.chunk(2, dim=-1)
    if conjugate:
        return torch.cat([a * c + b * d, b * c - a * d], -1)
    return torch.cat([a * c - b * d, a * d + b * c], -1)


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

    def _query(self, known: Tensor, relation: Tensor, inverse: bool) -> Tensor:
        return known * relation


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
    Angles are initialized uniformly from :math:`-\pi` to :math:`\pi`.

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

    def _query(self, known: Tensor, relation: Tensor, inverse: bool) -> Tensor:
        return _times(known, torch.cat([relation.cos(), relation.sin()], -1), inverse)

    def _pair(self, query: Tensor, other: Tensor) -> Tensor:
        real, imaginary = (query - other).chunk(2, dim=-1)
        # At 0, where the square root has no derivative, the gradient is 0.
        return -(real * real + imaginary * imaginary).clamp(min=_TINY).sqrt().sum(-1)

    def match(self, query: Tensor, candidates: Tensor) -> Tensor:
        r"""Score every candidate, as in the other decoders."""
        return -_ComplexDistance.apply(query, candidates)


_TINY = 1e-30
# Numbers in a tile of queries x candidates x width, for each thread: temporaries stay in the cache.
_TILE = 1 << 16


class _ComplexDistance(torch.autograd.Function):
    """:math:`(Q, C)`: the sum over i of :math:`|q_i - c_i|`, one tile after another.

    A tensor of queries x candidates x width would not fit in the cache, nor often in memory.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, candidates: Tensor) -> Tensor:
        ctx.save_for_backward(query, candidates)
        out = query.new_empty(len(query), len(candidates))
        for rows, columns, _, _, modulus in _tiles(query, candidates):
            torch.sum(modulus, -1, out=out[rows, columns])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        query, candidates = ctx.saved_tensors
        # Real and imaginary parts by themselves.
        of_query, of_candidates = (
            x.new_zeros(2, len(x), x.shape[1] // 2) for x in (query, candidates)
        )
        for rows, columns, *parts, modulus in _tiles(query, candidates):
            factor = torch.div(grad[rows, columns, None], modulus.clamp_(min=_TINY), out=modulus)
            for half, part in enumerate(parts):
                part.mul_(factor)
                of_query[half, rows].add_(part.sum(1))
                of_candidates[half, columns].sub_(part.sum(0))
        return torch.cat([*of_query], -1), torch.cat([*of_candidates], -1)


def _tiles(query: Tensor, candidates: Tensor) -> Iterator[tuple[Any, ...]]:
    """Yield rows, columns, and real part, imaginary part and modulus of the differences.

    The last three are overwritten by the next tile.
    """
    (a, b), (c, d) = ([half.contiguous() for half in x.chunk(2, -1)] for x in (query, candidates))
    width = a.shape[1]
    most = max(1, _TILE * torch.get_num_threads() // max(width, 1))
    wide = max(1, min(most, len(c)))
    high = max(1, most // wide)
    buffers = a.new_empty(3, high * wide * width)
    for column in range(0, len(c), wide):
        for row in range(0, len(a), high):
            rows, columns = slice(row, row + high), slice(column, column + wide)
            shape = (len(a[rows]), len(c[columns]), width)
            real, imaginary, modulus = (x[: math.prod(shape)].view(shape) for x in buffers)
            torch.sub(a[rows, None], c[columns], out=real)
            torch.sub(b[rows, None], d[columns], out=imaginary)
            torch.mul(real, real, out=modulus).addcmul_(imaginary, imaginary).sqrt_()
            yield rows, columns, real, imaginary, modulus
