"""Conversion of node and edge ids to checked tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.ops._storage import copied_ids
from gossamer.ops.adjacency import INT32_MAX
from gossamer.ops.csr import refuse_transformed

__all__ = [
    "ALL", "EID", "ETYPE", "INT32_MAX", "NID", "NTYPE", "as_id_tensor", "check_range", "in_idtype",
    "is_all", "is_single", "paired",
]  # fmt: skip

#: Selects every node or every edge where ids are expected.
ALL = "__ALL__"

#: The feature in which a derived graph stores the original ids of its nodes.
NID = "_ID"
#: The feature in which a derived graph stores the original ids of its edges.
EID = "_ID"
#: The feature in which a homogeneous graph stores the original types of its nodes.
NTYPE = "_TYPE"
#: The feature in which a homogeneous graph stores the original types of its edges.
ETYPE = "_TYPE"


_ID_TYPES = (torch.int32, torch.int64)
_OTHER_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.uint16, torch.uint32)


def is_all(ids: Any) -> bool:
    """Whether `ids` is the constant ALL (or ``slice(None)``, as in ``g.nodes[:]``)."""
    return (isinstance(ids, str) and ids == ALL) or (isinstance(ids, slice) and ids == slice(None))


def is_single(ids: Any) -> bool:
    """Whether `ids` is one id, for which functions return a Python value instead of a tensor."""
    return isinstance(ids, (int, np.integer))


def as_id_tensor(ids: Any, what: str, device: torch.device | str | None = None) -> Tensor:
    """Convert `ids` to a one-dimensional int32 or int64 tensor; lists become int64.

    Raises
    ------
    InvalidTypeError
        If the ids are not integers.
    InvalidValueError
        If the ids are not one-dimensional, are ragged, are on a device other than `device`, or are
        computed inside a `torch.func` transform.
    """
    if isinstance(ids, Tensor):
        if device is not None and ids.device != torch.device(device):
            raise InvalidValueError(
                f"The {what} are on {ids.device} but the graph is on {device}. "
                "Move one of them with .to(...)."
            )
        refuse_transformed(ids, what)
        tensor = ids
    else:
        tensor = _from_python(ids, what).to(device or "cpu")
    if tensor.dim() == 0:
        tensor = tensor.reshape(1)
    if tensor.dim() != 1:
        raise InvalidValueError(
            f"The {what} must be one-dimensional, got shape {tuple(tensor.shape)}."
        )
    if tensor.dtype in _ID_TYPES:
        return tensor
    if tensor.dtype in _OTHER_INTEGERS:
        return tensor.long()
    if tensor.numel() == 0:
        return tensor.long()
    raise InvalidTypeError(
        f"The {what} must be integers, got {tensor.dtype}. Convert them with .long()."
    )


def _from_python(ids: Any, what: str) -> Tensor:
    if isinstance(ids, (int, np.integer)) and not isinstance(ids, bool):
        if not -(2**63) <= ids < 2**63:
            raise InvalidValueError(f"The {what} contain {ids}, which does not fit int64.")
        return torch.tensor([int(ids)], device="cpu")
    if isinstance(ids, (str, bytes, Mapping)) or not isinstance(ids, Iterable):
        raise InvalidTypeError(
            f"The {what} must be an int, a sequence of ints or an integer tensor, "
            f"got {type(ids).__name__}: {ids!r}."
        )
    try:
        array = ids if isinstance(ids, np.ndarray) else np.asarray(list(ids))
    except TypeError:
        raise InvalidTypeError(
            f"The {what} must be integers, got an object of type {type(ids).__name__}."
        ) from None
    except ValueError:
        raise InvalidValueError(
            f"The {what} are ragged: every element must be one int. Flatten them first."
        ) from None
    if array.size == 0:
        return torch.zeros(array.shape, dtype=torch.int64, device="cpu")
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        if int(array.max()) >= 2**63:
            raise InvalidValueError(f"The {what} contain {array.max()}, which does not fit int64.")
        array = array.astype(np.int64)
    if array.dtype.kind not in "iubf":
        raise InvalidTypeError(f"The {what} must be integers, got elements of type {array.dtype}.")
    return torch.from_numpy(np.array(array))


def paired(sources: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Broadcast sources and destinations: a single id is paired with every id of the other side.

    Raises
    ------
    InvalidValueError
        If their numbers differ and neither is 1.
    """
    if sources.shape != targets.shape and 1 not in (sources.shape[0], targets.shape[0]):
        raise InvalidValueError(
            f"Sources and destinations must pair up, got {sources.shape[0]} and "
            f"{targets.shape[0]} ids."
        )
    return torch.broadcast_tensors(sources, targets)


def in_idtype(ids: Tensor, idtype: torch.dtype, what: str, copy: bool = False) -> Tensor:
    """Convert ids to `idtype`; return `ids` itself if it has this type, unless `copy`.

    Raises
    ------
    InvalidValueError
        If an id does not fit `idtype`.
    """
    if idtype == torch.int32 and ids.dtype == torch.int64 and ids.numel():
        low, high = torch.aminmax(ids)
        if high > INT32_MAX or low < -INT32_MAX:
            offender = int(high) if high > INT32_MAX else int(low)
            raise InvalidValueError(
                f"The {what} contain {offender}, which does not fit int32. Use idtype=torch.int64."
            )
    return copied_ids(ids, idtype) if copy else ids.to(idtype)


def check_range(ids: Tensor, limit: int, what: str) -> None:
    """Raise unless every id is in ``0 ... limit - 1``.

    Raises
    ------
    OutOfRangeError
        If an id is out of range.
    """
    if ids.numel() == 0:
        return
    low, high = torch.stack(torch.aminmax(ids)).tolist()  # one transfer from a GPU
    if low < 0 or high >= limit:
        offender = low if low < 0 else high
        have = f"there are {limit}, 0 to {limit - 1}" if limit else "there are none"
        raise OutOfRangeError(f"Id {offender} is not among the {what}: {have}.")
