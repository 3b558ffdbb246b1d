"""Random stratified splits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gossamer.cli.task import PARTS

__all__ = ["random_masks"]


def random_masks(
    label: Tensor | None,
    shares: Sequence[float] = (0.6, 0.2, 0.2),
    seed: int = 0,
    count: int | None = None,
) -> dict[str, Tensor]:
    """Split items into three parts, (M, 1) bool.

    Parameters
    ----------
    label : Tensor, optional
        (M,) classes for the stratification; items with a negative or NaN label are in no part.
        Default: no stratification.
    shares : sequence of 3 float
        Fractions of training, validation and test.
    seed : int
        Seed of the split.
    count : int, optional
        M, required if there is no `label`.

    Examples
    --------
    >>> masks = random_masks(torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, -1]))
    >>> [int(mask.sum()) for mask in masks.values()]
    [6, 2, 2]
    """
    group = torch.zeros(count, dtype=torch.int64) if label is None else label
    if group.is_floating_point():
        group = torch.where(group.isnan(), -1, 0)
    order = torch.randperm(len(group), generator=torch.Generator().manual_seed(seed))
    part = torch.full((len(group),), -1)
    for value in group[group >= 0].unique().tolist():
        items = order[group[order] == value]
        # Split by position within the class, so that small classes occur in all parts.
        place = (torch.arange(len(items)) + 0.5) / len(items)
        part[items] = torch.bucketize(place, torch.tensor([shares[0], shares[0] + shares[1]]))
    return {name: (part == number)[:, None] for number, name in enumerate(PARTS)}
