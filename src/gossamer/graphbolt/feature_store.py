"""Interfaces of features and of feature stores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gossamer._options import require, shown
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError, UnknownKeyError
from gossamer.graphbolt.sampled_subgraph import Done

__all__ = [
    "BasicFeatureStore", "Feature", "FeatureKey", "FeatureStore", "bytes_to_number_of_items",
    "check_rows",
]  # fmt: skip

#: ``(domain, type, name)``: the domain is "node", "edge" or "graph"; the type is None in a
#: homogeneous graph.
FeatureKey = tuple[str, str | None, str]


class Feature:
    """Base class of features of nodes, edges or graphs: rows by id."""

    def read(self, ids: Tensor | None = None) -> Tensor:
        """Read the rows `ids`, or all rows."""
        raise NotImplementedError(f"{type(self).__name__} does not define read.")

    def read_async(self, ids: Tensor) -> Iterator[Any]:
        """Read rows in stages; the last yielded value has ``wait()``, which returns the rows."""
        yield Done(self.read(ids))

    def read_async_num_stages(self, ids_device: torch.device) -> int:
        """Number of values that :meth:`read_async` yields."""
        return 1

    def read_stored(self, ids: Tensor) -> Tensor:
        """Read the rows `ids` in the form stored in caches; see :meth:`decode`."""
        return self.read(ids)

    def decode(self, stored: Tensor) -> Tensor:
        """Convert rows of :meth:`read_stored` to rows of the feature."""
        return stored

    def size(self) -> torch.Size:
        """Shape of one row."""
        raise NotImplementedError(f"{type(self).__name__} does not define size.")

    def count(self) -> int:
        """Number of rows."""
        raise NotImplementedError(f"{type(self).__name__} does not define count.")

    def update(self, value: Tensor, ids: Tensor | None = None) -> None:
        """Write the rows `ids`, or all rows."""
        raise NotImplementedError(f"{type(self).__name__} does not define update.")

    def metadata(self) -> dict[str, Any]:
        """Metadata of the feature."""
        return {}


def check_rows(ids: Tensor, count: int, what: str = "a feature") -> None:
    """Raise unless `ids` are ``(n,)`` integers from 0 to ``count - 1``."""
    if not isinstance(ids, Tensor):
        raise InvalidTypeError(f"Rows are named by a tensor of integers, got {shown(ids)}.")
    if ids.dtype == torch.bool or ids.is_floating_point() or ids.is_complex():
        hint = " Use mask.nonzero().flatten()." if ids.dtype == torch.bool else ""
        raise InvalidTypeError(f"Rows are named by a tensor of integers, got {ids.dtype}.{hint}")
    if ids.dtype not in (torch.int32, torch.int64):
        raise InvalidTypeError(
            "Rows are named by a tensor of integers of 32 or 64 bits, got "
            f"{ids.dtype}. Use .long()."
        )
    if ids.dim() != 1:
        raise InvalidValueError(
            f"Rows are named by a tensor of one dimension, got shape {tuple(ids.shape)}."
        )
    if len(ids):
        least, most = (int(end) for end in ids.aminmax())
        if least < 0 or most >= count:
            raise OutOfRangeError(
                f"Ids from {least} to {most} were asked of {what}, which has {count} rows."
            )


class FeatureStore:
    """Base class of feature stores: features by domain, type and name."""

    def __getitem__(self, feature_key: FeatureKey) -> Feature:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__.")

    def read(
        self, domain: str, type_name: str | None, feature_name: str, ids: Tensor | None = None
    ) -> Tensor:
        """Read the rows `ids` of a feature, or all rows."""
        return self[domain, type_name, feature_name].read(ids)

    def size(self, domain: str, type_name: str | None, feature_name: str) -> torch.Size:
        """Shape of one row of a feature."""
        return self[domain, type_name, feature_name].size()

    def count(self, domain: str, type_name: str | None, feature_name: str) -> int:
        """Number of rows of a feature."""
        return self[domain, type_name, feature_name].count()

    def metadata(self, domain: str, type_name: str | None, feature_name: str) -> dict[str, Any]:
        """Metadata of a feature."""
        return self[domain, type_name, feature_name].metadata()

    def update(
        self,
        domain: str,
        type_name: str | None,
        feature_name: str,
        value: Tensor,
        ids: Tensor | None = None,
    ) -> None:
        """Write the rows `ids` of a feature, or all rows."""
        self[domain, type_name, feature_name].update(value, ids)

    def keys(self) -> list[FeatureKey]:
        """Keys of all features."""
        raise NotImplementedError(f"{type(self).__name__} does not define keys.")


class BasicFeatureStore(FeatureStore):
    """A feature store backed by a dict.

    Parameters
    ----------
    features : dict of (str, str or None, str) to Feature

    Raises
    ------
    UnknownKeyError
        If a feature that does not exist is accessed.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> store = gb.BasicFeatureStore(
    ...     {("node", None, "feat"): gb.TorchBasedFeature(torch.eye(3))}
    ... )
    >>> store.read("node", None, "feat", torch.tensor([1]))
    tensor([[0., 1., 0.]])
    """

    def __init__(self, features: dict[FeatureKey, Feature]) -> None:
        fix = "It has Feature objects, such as TorchBasedFeature(tensor), by (domain, type, name)."
        require(features, dict, type(self).__name__, "features", fix)
        for key, feature in features.items():
            if not isinstance(key, tuple) or len(key) != 3:
                raise InvalidValueError(
                    f"{type(self).__name__}: a key is (domain, type, name), with type None in a "
                    f"homogeneous graph; got {shown(key)}."
                )
            require(feature, Feature, type(self).__name__, f"feature {key}", fix)
        self._features = features

    def __getitem__(self, feature_key: FeatureKey) -> Feature:
        try:
            return self._features[feature_key]
        except KeyError:
            raise UnknownKeyError(
                f"There is no feature {feature_key}; the store has {self.keys()}."
            ) from None

    def __setitem__(self, feature_key: FeatureKey, feature: Feature) -> None:
        self._features[feature_key] = feature

    def __contains__(self, feature_key: FeatureKey) -> bool:
        return feature_key in self._features

    def __len__(self) -> int:
        return len(self._features)

    def keys(self) -> list[FeatureKey]:
        """Keys of all features."""
        return list(self._features)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.keys()})"


def bytes_to_number_of_items(cache_capacity_in_bytes: int, single_item: Tensor) -> int:
    """Return how many rows like `single_item` fit in a number of bytes."""
    size = single_item.numel() * single_item.element_size()
    return max(cache_capacity_in_bytes // max(size, 1), 1)
