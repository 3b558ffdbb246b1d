"""Features in memory."""

from __future__ import annotations

import textwrap
from typing import Any

import torch
from torch import Tensor

from gossamer._options import require
from gossamer.errors import InvalidValueError
from gossamer.graphbolt.feature_store import Feature, check_rows
from gossamer.ops._storage import gathered

__all__ = ["TorchBasedFeature"]


class TorchBasedFeature(Feature):
    """A feature in a tensor.

    Parameters
    ----------
    torch_feature : Tensor
        ``(N, *f)``; shared, not copied. May be memory-mapped from a file.
    metadata : dict, optional
        Metadata of the feature.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is not a tensor with at least two dimensions.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> feature = gb.TorchBasedFeature(torch.arange(6.0).view(3, 2))
    >>> feature.read(torch.tensor([2, 0]))
    tensor([[4., 5.],
            [0., 1.]])
    >>> feature.size()
    torch.Size([2])
    """

    def __init__(self, torch_feature: Tensor, metadata: dict[str, Any] | None = None) -> None:
        require(torch_feature, Tensor, "TorchBasedFeature", "torch_feature")
        if torch_feature.dim() < 2:
            raise InvalidValueError(
                "TorchBasedFeature: torch_feature must have at least two dimensions, a row for "
                f"each id, got shape {tuple(torch_feature.shape)}. Use tensor.view(-1, 1)."
            )
        self._tensor = torch_feature
        self._metadata = metadata or {}

    def read(self, ids: Tensor | None = None) -> Tensor:
        """Read the rows `ids`, or all rows."""
        if ids is None:
            return self._tensor
        check_rows(ids, len(self._tensor))
        return gathered(self._tensor, ids.to(self._tensor.device)).to(ids.device)

    def size(self) -> torch.Size:
        """Shape of one row."""
        return self._tensor.shape[1:]

    def count(self) -> int:
        """Number of rows."""
        return len(self._tensor)

    def update(self, value: Tensor, ids: Tensor | None = None) -> None:
        """Write the rows `ids`, or replace all rows."""
        require(value, Tensor, "update", "value", "Give the rows as a tensor.")
        if value.shape[1:] != self.size():
            raise InvalidValueError(
                f"update: rows of this feature have shape {tuple(self.size())}, got "
                f"{tuple(value.shape[1:])}."
            )
        if ids is None:
            self._tensor = value
            return
        check_rows(ids, len(self._tensor))
        if len(ids) != len(value):
            raise InvalidValueError(f"update: there are {len(ids)} ids but {len(value)} rows.")
        self._tensor[ids.long()] = value.to(self._tensor.dtype)

    def metadata(self) -> dict[str, Any]:
        """Metadata of the feature."""
        return self._metadata

    def pin_memory_(self) -> TorchBasedFeature:
        """Move the tensor to pinned memory."""
        self._tensor = self._tensor.pin_memory()
        return self

    def is_pinned(self) -> bool:
        """Whether the tensor is in pinned memory."""
        return self._tensor.is_pinned()

    def to(self, device: torch.device | str) -> TorchBasedFeature:
        """Return the feature on a device; ``"pinned"`` means pinned memory."""
        if device == "pinned":
            return TorchBasedFeature(self._tensor.pin_memory(), self._metadata)
        return TorchBasedFeature(self._tensor.to(device), self._metadata)

    def __repr__(self) -> str:
        text = textwrap.indent(repr(self._tensor), " " * 12).strip()
        return f"TorchBasedFeature(\n    feature={text},\n    metadata={self._metadata},\n)"
