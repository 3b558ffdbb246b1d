"""Checks of operands, with messages that name the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer._options import require, shown
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from gossamer.sparse._base import MatrixBase

if TYPE_CHECKING:
    from gossamer.sparse.matrix import SparseMatrix

__all__ = [
    "as_axis",
    "check_dense",
    "check_ids",
    "check_matrix",
    "check_not_bool",
    "check_number",
    "check_same_shape",
    "check_values",
    "is_scalar",
]


def is_scalar(x: Any) -> bool:
    """Return whether `x` is a number or a zero-dimensional tensor."""
    return isinstance(x, (int, float)) or (isinstance(x, Tensor) and x.dim() == 0)


def check_number(x: Any, op: str) -> None:
    """Raise if the number `x` is an integer beyond 64 bits."""
    if isinstance(x, int) and not -(2**63) <= x < 2**63:
        raise InvalidValueError(
            f"{op}: the number {shown(x)} does not fit 64 bits. Give it as a float."
        )


def check_matrix(x: Any, op: str, name: str) -> SparseMatrix:
    """Return `x`; raise unless it is a SparseMatrix."""
    if not isinstance(x, MatrixBase):
        raise InvalidTypeError(
            f"{op}: {name} must be a SparseMatrix, got {type(x).__name__}. "
            "Create one with gossamer.sparse.spmatrix."
        )
    return x


def check_ids(ids: Any, op: str, name: str) -> Tensor:
    """Return `ids`; raise unless it is a 1-D int32 or int64 tensor without negative numbers."""
    if not isinstance(ids, Tensor) or ids.dtype not in (torch.int32, torch.int64):
        kind = ids.dtype if isinstance(ids, Tensor) else type(ids).__name__
        raise InvalidTypeError(f"{op}: {name} must be an int32 or int64 tensor, got {kind}.")
    if ids.dim() != 1:
        raise InvalidValueError(
            f"{op}: {name} must be one-dimensional, got shape {tuple(ids.shape)}."
        )
    if ids.is_meta:
        raise InvalidValueError(
            f"{op}: {name} is on the meta device, which stores no indices. Use another device."
        )
    if ids.numel() and int(ids.min()) < 0:
        raise OutOfRangeError(f"{op}: {name} contains {int(ids.min())}; indices start at 0.")
    return ids


def check_not_bool(x: Tensor, op: str, name: str) -> Tensor:
    """Return `x`; raise if it is bool, which torch cannot subtract."""
    if x.dtype == torch.bool:
        raise InvalidTypeError(
            f"{op}: the values of {name} are bool, which cannot be subtracted or negated. Convert "
            "them with .to(dtype=torch.float32)."
        )
    return x


def check_values(val: Any, nnz: int, device: torch.device, op: str) -> Tensor:
    """Return `val`; raise unless it has a number or a row of numbers for each entry."""
    require(val, Tensor, op, "val")
    if val.dim() not in (1, 2) or val.shape[0] != nnz:
        raise InvalidValueError(
            f"{op}: val must have shape ({nnz},) or ({nnz}, D), one row for each entry, got "
            f"{tuple(val.shape)}."
        )
    if val.device != device:
        raise InvalidValueError(
            f"{op}: val is on {val.device} but the indices are on {device}. "
            "Move one of them with .to(...)."
        )
    return val


def check_dense(x: Any, a: SparseMatrix, op: str, name: str, any_dtype: bool = False) -> Tensor:
    """Return `x`; raise unless it is a dense tensor with the device and dtype of `a`.

    With `any_dtype`, the dtype may differ.
    """
    require(x, Tensor, op, name)
    if x.device != a.device:
        raise InvalidValueError(
            f"{op}: {name} is on {x.device} but the sparse matrix is on {a.device}. "
            "Move one of them with .to(...)."
        )
    if not any_dtype and x.dtype != a.dtype and not torch.is_autocast_enabled(x.device.type):
        raise InvalidTypeError(
            f"{op}: {name} is {x.dtype} but the sparse matrix is {a.dtype}. "
            "Convert one of them with .to(dtype)."
        )
    return x


def check_same_shape(a: SparseMatrix, b: SparseMatrix, op: str) -> None:
    """Raise unless two matrices have the same shape, device and value shape."""
    if a.shape != b.shape:
        raise InvalidValueError(
            f"{op}: the matrices must have the same shape, got {a.shape} and {b.shape}."
        )
    if a.device != b.device:
        raise InvalidValueError(
            f"{op}: the matrices are on {a.device} and {b.device}. Move one of them with .to(...)."
        )
    if a.value_shape != b.value_shape:
        raise InvalidValueError(
            f"{op}: the values of an entry have shapes {a.value_shape} and {b.value_shape}; they "
            "must be the same."
        )


def as_axis(dim: Any, op: str) -> int:
    """Return an axis of a matrix as 0 or 1; -2 and -1 count from the end."""
    if isinstance(dim, bool) or not isinstance(dim, int) or not -2 <= dim <= 1:
        raise InvalidValueError(f"{op}: dim must be 0, 1, -1 or -2, got {shown(dim)}.")
    return dim % 2
