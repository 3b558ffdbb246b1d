"""Memory for results: from the pool of the native core for large results, otherwise from torch.

Results of the native kernels above 3 MiB are in huge pages, which are kept for the next result when
the tensor is freed. The pool is implemented in `csrc/memory.cpp`.
"""

from __future__ import annotations

import os

import torch
from torch import Tensor

from gossamer.errors import InvalidValueError
from gossamer.kernels._dispatch import dispatched, native

__all__ = ["empty", "keeps_memory", "release_memory", "scratch", "set_idle_limit"]


def set_idle_limit() -> None:
    """Set the size of the pool to ``GOSSAMER_IDLE_MIB`` MiB, if that variable is set.

    Raises
    ------
    InvalidValueError
        If the value is not a number.
    """
    limit = os.environ.get("GOSSAMER_IDLE_MIB")
    if limit is None:
        return
    if not limit.isdecimal():
        raise InvalidValueError(
            f"GOSSAMER_IDLE_MIB is {limit!r}; it must be a number of MiB, such as 1024, or 0."
        )
    backend = native()
    if backend is not None:
        backend.core.set_idle_limit(int(limit) << 20)


def empty(shape: int | tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Allocate a tensor without initializing it."""
    backend = native()
    if backend is None or device.type != "cpu":
        return torch.empty(shape, dtype=dtype, device=device)
    return backend._common.empty((shape,) if isinstance(shape, int) else tuple(shape), dtype)


def scratch(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Allocate a tensor for intermediate values, which is freed when the operator returns."""
    backend = native()
    if backend is None or device.type != "cpu":
        return torch.empty(shape, dtype=dtype, device=device)
    return backend._common.scratch(shape, dtype)


def keeps_memory(size: int, like: Tensor) -> bool:
    """Whether a result of `size` elements like `like` is allocated from the pool."""
    spmm = dispatched("spmm")
    if not like.is_cpu or spmm.find(like) is spmm.reference:
        return False
    return native()._common.is_large(size, like.dtype)


def release_memory() -> None:
    """Return idle memory of the pool for large results to the system.

    torch allocates CPU tensors with the C library, which maps new memory for each large tensor; the
    system then clears every page. The native kernels instead allocate results above 3 MiB, and
    intermediate values above 512 KiB, from a pool of huge pages. When the tensor is freed, its
    memory is kept for the next result. Other tensors of torch are not affected.

    Idle memory is at most an eighth of the memory that the process may use (the physical memory, or
    the limit of its control group) and at most 2 GiB. The environment variable
    ``GOSSAMER_IDLE_MIB`` sets another limit in MiB; with 0 torch allocates all results. The system
    reclaims idle pages when memory is short, so a call is rarely needed. A
    forked process, such as a worker of a data loader, inherits no idle memory and may keep an
    eighth of its parent's limit.

    Neither ``resize_`` nor ``out=`` of a larger result can enlarge a tensor from the pool: torch
    raises an error that the storage is not resizable. A ``clone()`` can be enlarged.

    Examples
    --------
    >>> from gossamer import kernels
    >>> kernels.release_memory()
    >>> kernels.info()["idle_bytes"]
    0
    """
    backend = native()
    if backend is not None:
        backend.core.release_idle()
