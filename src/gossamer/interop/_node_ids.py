"""Numbering of columns of node ids of any type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gossamer.errors import InvalidTypeError, UnknownKeyError

__all__ = ["LARGEST", "distinct", "numbered"]

LARGEST = 2**63 - 1  # of int64


def distinct(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return the distinct ids of several columns, sorted."""
    ids = np.concatenate(_comparable(parts))
    try:
        return np.unique(ids)
    except TypeError:
        raise InvalidTypeError(
            "from_edge_table: node ids of different types cannot be sorted. Convert all to str."
        ) from None


def numbered(ids: np.ndarray, end: np.ndarray, ntype: str) -> np.ndarray:
    """Return the new id of each id in `end`."""
    ids, end = _comparable([ids, end])
    order = np.argsort(ids, kind="stable")
    if not len(ids) or not len(end):
        places, found = np.zeros(len(end), dtype=np.int64), np.zeros(len(end), dtype=bool)
    else:
        try:
            places = np.searchsorted(ids, end, sorter=order).clip(max=len(ids) - 1)
        except TypeError:
            raise InvalidTypeError(
                f"from_edge_table: ids of nodes {ntype!r} are {ids.dtype} in the table of nodes, "
                f"{end.dtype} in that of edges. Convert one of them."
            ) from None
        places = order[places]
        found = ids[places] == end
    if not np.all(found):
        raise UnknownKeyError(
            f"from_edge_table: an edge names {end[~found].tolist()[0]!r}, which is not among the "
            f"nodes {ntype!r}."
        )
    return places


def _comparable(parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Convert columns of ids to types that can be concatenated and compared without loss.

    NumPy concatenates int64 and uint64, and integers and floats, as float64, which has 53 bits.
    """
    kinds = {part.dtype.kind for part in parts}
    integers = [part for part in parts if part.dtype.kind in "iu" and len(part)]
    least = min((int(part.min()) for part in integers), default=0)
    largest = max((int(part.max()) for part in integers), default=0)
    if "f" in kinds and max(-least, largest) > 2**53:
        raise InvalidTypeError(
            "from_edge_table: some node ids are integers of more than 53 bits and some are "
            "floating-point numbers, which cannot hold them. Convert all to integers."
        )
    if kinds != {"i", "u"}:
        return list(parts)
    if largest <= LARGEST:
        return [part.astype(np.int64) for part in parts]
    return [part.astype(np.uint64 if least >= 0 else object) for part in parts]
