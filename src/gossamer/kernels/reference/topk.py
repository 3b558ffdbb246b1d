"""Selection of the smallest entries of each row of a matrix."""

from __future__ import annotations

from torch import Tensor

from gossamer.kernels._dispatch import kernel

__all__ = ["topk"]


@kernel("topk", operands=("values",))
def topk(values: Tensor, k: int) -> Tensor:
    """Return the columns of the `k` smallest entries of each row, in ascending order; ties: any.

    Parameters
    ----------
    values : Tensor
        ``(*, C)`` with C at least `k`; NaN counts as largest.

    Returns
    -------
    Tensor
        ``(*, k)``, int64.
    """
    return values.topk(k, dim=-1, largest=False).indices
