"""Linear maps with a matrix for each type of row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import as_int, one_of
from gossamer.errors import InvalidValueError
from gossamer.nn._common import RELU_GAIN
from gossamer.nn._typed import check_types, count_types

__all__ = ["TypedLinear"]


class TypedLinear(nn.Module):
    r"""Multiply each row by the matrix of its type.

    .. math:: y_i = x_i W_{t_i}

    With many types the matrices overfit; `Modeling Relational Data with Graph Convolutional
    Networks <https://arxiv.org/abs/1703.06103>`__ regularizes them in two ways:

    ========= ====================================================================================
    ``None``  a separate matrix for each type
    "basis"   :math:`W_t = \sum_{b=1}^B a_{tb} V_b`, mixtures of few shared matrices
    "bdd"     :math:`W_t = \oplus_{b=1}^B Q_{tb}`, blocks of :math:`D_{in}/B \times D_{out}/B` on
              the diagonal
    ========= ====================================================================================

    Parameters
    ----------
    in_size : int
        Width of the input, :math:`D_{in}`.
    out_size : int
        Width of the output, :math:`D_{out}`.
    num_types : int
        Number of types.
    regularizer : {"basis", "bdd"}, optional
        How the matrices are regularized, as above.
    num_bases : int, optional
        :math:`B`, required with a regularizer. For ``"bdd"``, both widths must be divisible by it.

    Raises
    ------
    InvalidValueError
        If `regularizer` is unknown, `num_bases` is missing, or a width is not divisible by it.

    Notes
    -----
    Matrices are initialized uniformly in :math:`\pm 1/\sqrt{D_{in}}` (for ``"bdd"`` the width of a
    block), the coefficients :math:`a` Xavier uniform with the gain of relu.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> layer = gs.nn.TypedLinear(4, 3, num_types=5, regularizer="basis", num_bases=2)
    >>> layer(torch.rand(6, 4), torch.tensor([0, 4, 4, 1, 2, 0])).shape
    torch.Size([6, 3])
    """

    def __init__(
        self,
        in_size: int,
        out_size: int,
        num_types: int,
        regularizer: str | None = None,
        num_bases: int | None = None,
    ) -> None:
        super().__init__()
        for argument, value in (("in_size", in_size), ("out_size", out_size)):
            as_int(value, "TypedLinear", argument, 0)
        as_int(num_types, "TypedLinear", "num_types", 1)
        self.in_size = in_size
        self.out_size = out_size
        self.num_types = num_types
        self.regularizer = regularizer
        if regularizer is None:
            self.W = nn.Parameter(torch.empty(num_types, in_size, out_size))
        else:
            one_of(regularizer, "TypedLinear", "regularizer", ("basis", "bdd"))
            if num_bases is None:
                raise InvalidValueError(
                    f"TypedLinear: regularizer={regularizer!r} needs num_bases, the number of "
                    "matrices or blocks."
                )
            self.num_bases = as_int(num_bases, "TypedLinear", "num_bases", 1)
            if regularizer == "basis":
                self.W = nn.Parameter(torch.empty(num_bases, in_size, out_size))
                self.coeff = nn.Parameter(torch.empty(num_types, num_bases))
            else:
                if in_size % num_bases or out_size % num_bases:
                    raise InvalidValueError(
                        f"TypedLinear: with 'bdd', in_size ({in_size}) and out_size ({out_size}) "
                        f"must be divisible by num_bases ({num_bases})."
                    )
                self.submat_in = in_size // num_bases
                self.submat_out = out_size // num_bases
                size = num_bases * self.submat_in * self.submat_out
                self.W = nn.Parameter(torch.empty(num_types, size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reinitialize the matrices and coefficients."""
        width = self.submat_in if self.regularizer == "bdd" else self.in_size
        bound = width**-0.5 if width else 0.0
        nn.init.uniform_(self.W, -bound, bound)
        if self.regularizer == "basis":
            nn.init.xavier_uniform_(self.coeff, gain=RELU_GAIN)

    def get_weight(self) -> Tensor:
        """Return the matrices, ``(num_types, in_size, out_size)``; for "bdd", the blocks of each.

        The blocks of a type are concatenated in one row.
        """
        if self.regularizer == "basis":
            mixed = self.coeff @ self.W.flatten(1)
            return mixed.view(self.num_types, self.in_size, self.out_size)
        return self.W

    def forward(self, x: Tensor, x_type: Tensor, sorted_by_type: bool = False) -> Tensor:
        """Multiply the rows.

        Parameters
        ----------
        x : Tensor
            ``(N, in_size)``.
        x_type : Tensor
            ``(N,)``, the type of each row, ``0 ... num_types - 1``.
        sorted_by_type : bool
            Whether `x_type` is in ascending order, which avoids a search for the rows of each type.

        Returns
        -------
        Tensor
            ``(N, out_size)``.

        Raises
        ------
        InvalidValueError
            If `x` does not have width `in_size`, or `x` and `x_type` differ in length.
        OutOfRangeError
            If a type is out of range.
        """
        x_type = self._check(x, x_type, sorted_by_type)
        weight = self.get_weight()
        if self.regularizer == "bdd":
            # Each block is a type of its own, with rows as narrow as a block.
            count, rows = self.num_bases, x.shape[0]
            x = x.view(rows, count, self.submat_in).transpose(0, 1).reshape(-1, self.submat_in)
            weight = weight.view(self.num_types, count, self.submat_in, self.submat_out)
            weight = weight.transpose(0, 1).reshape(-1, self.submat_in, self.submat_out)
            first = torch.arange(count, device=x.device) * self.num_types
            x_type = (first[:, None] + x_type).flatten()
        if sorted_by_type:
            y = ops.segment_mm(x, weight, count_types(x_type, weight.shape[0]))
        else:
            y = ops.gather_mm(x, weight, idx_b=x_type)
        if self.regularizer == "bdd":
            y = y.view(count, rows, self.submat_out).transpose(0, 1).reshape(rows, self.out_size)
        return y

    def _check(self, x: Tensor, x_type: Tensor, sorted_by_type: bool) -> Tensor:
        if x.dim() != 2 or x.shape[1] != self.in_size:
            raise InvalidValueError(
                f"TypedLinear: x must have shape (N, {self.in_size}), got {tuple(x.shape)}."
            )
        x_type = check_types(self, x_type, x.shape[0], self.num_types, "row")
        if sorted_by_type and not torch.compiler.is_compiling() and bool((x_type.diff() < 0).any()):
            raise InvalidValueError(
                "TypedLinear: sorted_by_type=True, but x_type does not ascend. Sort the rows, or "
                "pass False."
            )
        return x_type

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        text = f"in_size={self.in_size}, out_size={self.out_size}, num_types={self.num_types}"
        if self.regularizer is not None:
            text += f", regularizer={self.regularizer}, num_bases={self.num_bases}"
        return text
