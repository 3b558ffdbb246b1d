"""Storages of features, from which data loaders fetch rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError

__all__ = ["FeatureStorage", "TensorStorage", "wrap_storage"]


class FeatureStorage(ABC):
    """Base class of storages of features, from which data loaders fetch rows."""

    @abstractmethod
    def fetch(
        self, indices: Tensor, device: Any, pin_memory: bool = False, **kwargs: Any
    ) -> Tensor:
        """Return the rows `indices` of the features on a device."""


class TensorStorage(FeatureStorage):
    """Storage of features in a tensor."""

    def __init__(self, tensor: Tensor) -> None:
        self.storage = tensor

    def fetch(
        self, indices: Tensor, device: Any, pin_memory: bool = False, **kwargs: Any
    ) -> Tensor:
        rows = self.storage[indices.to(self.storage.device)]
        if pin_memory and torch.cuda.is_available():
            rows = rows.pin_memory()
        return rows.to(device, **kwargs)


def wrap_storage(storage: Any) -> FeatureStorage:
    """Wrap a tensor in a storage; a storage is returned unchanged."""
    if isinstance(storage, FeatureStorage):
        return storage
    if isinstance(storage, Tensor):
        return TensorStorage(storage)
    raise InvalidTypeError(
        f"wrap_storage takes a tensor or a FeatureStorage, got {type(storage).__name__}."
    )
