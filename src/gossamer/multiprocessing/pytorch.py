"""Processes and shared tensors."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor

from gossamer._options import as_int, integer
from gossamer.errors import FileError, InvalidTypeError, InvalidValueError

__all__ = ["Process", "Queue", "call_once_and_share", "shared_tensor"]


class Process(mp.Process):
    """A process in which torch can use several threads, even if it is forked.

    OpenMP's threads do not survive a fork, and the main thread of a forked process can deadlock
    when it waits for them. Therefore the target runs in a new thread. Otherwise this is the same as
    :class:`torch.multiprocessing.Process`.

    Parameters
    ----------
    group : None
        Must be None.
    target : callable, optional
        The function to run.
    name : str, optional
        Name of the process.
    args, kwargs : tuple and dict
        Arguments of `target`.
    daemon : bool, optional
        Whether the process ends when its parent ends.

    Examples
    --------
    >>> import gossamer as gs
    >>> process = gs.multiprocessing.Process(target=print, args=("hello",))
    >>> process.is_alive()
    False
    """

    def run(self) -> None:
        """Run the target in a new thread and raise its exception, if any, here."""
        raised: list[BaseException] = []

        def run() -> None:
            try:
                super(Process, self).run()
            except BaseException as error:  # SystemExit as well: it carries the exit code
                raised.append(error)

        thread = threading.Thread(target=run, name=self.name)
        thread.start()
        thread.join()
        if raised:
            raise raised[0]


def Queue(maxsize: int = 0) -> Any:
    """Create a queue between processes, as :func:`torch.multiprocessing.Queue`; tensors are shared.

    Parameters
    ----------
    maxsize : int
        Maximum number of items; 0 for no limit.

    Examples
    --------
    >>> import gossamer as gs
    >>> queue = gs.multiprocessing.Queue()
    >>> queue.put([1, 2])
    >>> queue.get()
    [1, 2]
    """
    return mp.Queue(maxsize)


def shared_tensor(shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
    """Create a tensor of zeros in memory shared by all processes of the group.

    Call it in every process of the group (:func:`torch.distributed.init_process_group`), which must
    be on one machine. Without a group, the tensor is shared with child processes.

    Parameters
    ----------
    shape : sequence of int
        The shape.
    dtype : torch.dtype
        The dtype.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If the shape or dtype is invalid.

    Examples
    --------
    >>> import gossamer as gs
    >>> gs.multiprocessing.shared_tensor((2, 3)).shape
    torch.Size([2, 3])
    """
    checked = _shape(shape, dtype)
    return call_once_and_share(lambda: torch.zeros(checked, dtype=dtype), checked, dtype)


def call_once_and_share(
    func: Callable[[], Tensor], shape: Sequence[int], dtype: torch.dtype, rank: int = 0
) -> Tensor:
    """Call a function in one process of the group and share its result with all.

    Call it in every process of the group (:func:`torch.distributed.init_process_group`), which must
    be on one machine. Without a group, the tensor is shared with child processes.

    Parameters
    ----------
    func : callable
        Called without arguments; returns a tensor.
    shape : sequence of int
        The shape of the result.
    dtype : torch.dtype
        The dtype of the result.
    rank : int
        Rank of the process that calls `func`.

    Returns
    -------
    Tensor
        In shared memory: changes in one process are visible in the others.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If an argument has the wrong type, the result has another shape or dtype, or `rank` does not
        exist. Exceptions of `func` are raised in the process that called it.
    FileError
        If memory cannot be shared.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> gs.multiprocessing.call_once_and_share(lambda: torch.arange(3), (3,), torch.int64)
    tensor([0, 1, 2])
    """
    shape = _shape(shape, dtype)
    in_group = dist.is_available() and dist.is_initialized()
    size = dist.get_world_size() if in_group else 1
    rank = as_int(rank, "call_once_and_share", "rank")
    if not 0 <= rank < size:
        raise InvalidValueError(
            f"call_once_and_share: rank must be less than the number of processes, {size}; "
            f"got {rank}."
        )
    if size == 1:
        return _called(func, shape, dtype).share_memory_()
    if dist.get_rank() == rank:
        return _offered(func, shape, dtype, rank)
    message: list[str | None] = [None]
    dist.broadcast_object_list(message, src=rank)
    if message[0] is None:
        raise InvalidValueError(f"call_once_and_share: the call failed in process {rank}.")
    try:
        return _mapped(message[0], shape, dtype)
    finally:
        dist.barrier()


def _offered(
    func: Callable[[], Tensor], shape: tuple[int, ...], dtype: torch.dtype, rank: int
) -> Tensor:
    """Call `func` and put its result into memory that the other processes of the group map."""
    name = None
    try:
        value = _called(func, shape, dtype)
        name = _new_file()
        shared = _mapped(name, shape, dtype)
        shared.copy_(value)
    except BaseException:
        if name is not None:
            os.unlink(name)
        dist.broadcast_object_list([None], src=rank)
        raise
    try:
        dist.broadcast_object_list([name], src=rank)
        dist.barrier()
    finally:
        # All processes have mapped the file; its memory is freed when the last one unmaps it.
        with suppress(OSError):
            os.unlink(name)
    return shared


def _called(func: Callable[[], Tensor], shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    value = func()
    if not isinstance(value, Tensor):
        raise InvalidTypeError(
            f"call_once_and_share: func must return a tensor, got {type(value).__name__}."
        )
    if tuple(value.shape) != shape or value.dtype != dtype:
        raise InvalidValueError(
            f"call_once_and_share: func must return shape {shape} and {dtype}, got "
            f"{tuple(value.shape)} and {value.dtype}."
        )
    return value.detach().cpu()


def _new_file() -> str:
    """Create an empty file, in memory if the system has such a file system."""
    place = "/dev/shm"
    try:
        handle, name = tempfile.mkstemp(
            prefix="gossamer-", dir=place if Path(place).is_dir() else None
        )
    except OSError as error:
        raise FileError(f"Cannot share memory: {error.strerror}.") from None
    os.close(handle)
    return name


def _mapped(name: str, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    size = torch.Size(shape).numel()
    if size == 0:
        return torch.empty(shape, dtype=dtype)
    return torch.from_file(name, shared=True, size=size, dtype=dtype).reshape(shape)


def _shape(shape: Any, dtype: Any) -> tuple[int, ...]:
    if not isinstance(dtype, torch.dtype):
        raise InvalidTypeError(f"A shared tensor needs a torch.dtype, got {dtype!r}.")
    sizes = [integer(size) for size in shape] if isinstance(shape, (list, tuple)) else [None]
    if any(size is None for size in sizes):
        raise InvalidTypeError(f"A shape is a sequence of int, got {shape!r}.")
    if any(size < 0 for size in sizes):
        raise InvalidValueError(f"A shape cannot be negative, got {tuple(shape)}.")
    return tuple(sizes)
