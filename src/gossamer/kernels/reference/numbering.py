"""Numbering of ids in the order in which they appear."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gossamer.kernels._dispatch import kernel

__all__ = ["number_nodes"]


@kernel("number_nodes", operands=("like",))
def number_nodes(
    like: Tensor, lists: Sequence[Sequence[Tensor]], limits: Sequence[int], dtype: torch.dtype
) -> tuple[list[Tensor], list[list[Tensor]], list[int]]:
    """Number ids in the order in which they appear, for several kinds of ids.

    Parameters
    ----------
    like : Tensor
        A tensor with the dtype and device of the lists.
    lists : sequence of sequences of Tensor
        For each kind, at least one list of ids; they are numbered one after another.
    limits : sequence of int
        For each kind, an exclusive upper bound of the ids.
    dtype : torch.dtype
        Dtype of the numbers.

    Returns
    -------
    nodes : list of Tensor
        The distinct ids of each kind, in order of appearance.
    places : list of list of Tensor
        The position of each id among them.
    first : list of int
        Number of distinct ids in the first list of each kind.
    """
    nodes, places, first = [], [], []
    for parts in lists:
        known: dict[int, int] = {}
        numbered = []
        for k, part in enumerate(parts):
            numbers = [known.setdefault(i, len(known)) for i in part.tolist()]
            numbered.append(torch.tensor(numbers, dtype=dtype, device=part.device))
            if k == 0:
                first.append(len(known))
        nodes.append(parts[0].new_tensor(list(known)))
        places.append(numbered)
    return nodes, places, first
