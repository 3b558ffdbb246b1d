"""The dispatch table: kernel name x device type x dtype -> function.

Each kernel is written once in `gossamer.kernels.reference`, with its signature, its documentation
and the names of the operands that determine where it runs. A backend registers faster functions for
some kernels and dtypes on one device type:

    @kernel("spmm", device="cpu", dtypes=(torch.float32, torch.float64))
    def spmm(...): ...

For all other combinations, the reference runs.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any, TypeVar

import torch
from torch import Tensor

from gossamer._options import one_of
from gossamer.errors import GossamerError, InvalidValueError

__all__ = [
    "DeviceMemoryError", "Kernel", "check_environment", "dispatched", "info", "kernel", "native",
    "use",
]  # fmt: skip

Function = TypeVar("Function", bound=Callable[..., Any])

_IMPLEMENTATIONS = ("reference", "native")
#: Instruction sets of csrc/core/table.cpp on all machines.
_ISAS = ("avx512", "avx2", "generic", "neon")
#: Device type -> the module that registers its kernels, and what that module needs. It is imported
#: when a kernel is first called with a tensor on that device.
_BACKENDS = {
    "cpu": ("gossamer.kernels.cpu", "_core"),
    "cuda": ("gossamer.kernels.triton", "triton"),
}

_KERNELS: dict[str, Kernel] = {}
#: Device type -> its module, or the reason why there is none.
_LOADED: dict[str, ModuleType | str] = {}


class Kernel:
    """One kernel: its reference, and the functions of the backends by device type and dtype.

    A call runs the function for the operands' device and dtype. Pass the operands that determine
    these by position.

    Attributes
    ----------
    reference : callable
        The fallback, which also gives the signature.
    functions : dict
        ``(device type, dtype) -> function`` of the backends.
    """

    def __init__(self, reference: Callable[..., Any], operands: Iterable[str]) -> None:
        names = list(inspect.signature(reference).parameters)
        self.reference = reference
        self.functions: dict[tuple[str, torch.dtype], Callable[..., Any]] = {}
        self._positions = [names.index(operand) for operand in operands]
        self._found: dict[tuple[str, str, torch.dtype], Callable[..., Any]] = {}
        self.__wrapped__ = reference
        self.__name__ = reference.__name__
        self.__doc__ = reference.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_dynamo_compiling():
            # A function traced in pieces frees tensors whose addresses the core still uses.
            return torch.compiler.disable(self.__call__)(*args, **kwargs)
        return self.find(*[args[i] for i in self._positions])(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<kernel {self.__name__}>"

    def find(self, x: Tensor | None, *others: Tensor | None) -> Callable[..., Any]:
        """Return the function for these operands, of which at least one is a tensor.

        Operands of different dtypes go to the reference.
        """
        for y in others:
            if x is None:
                x = y
            elif y is not None and y.dtype is not x.dtype:
                return self.reference
        try:
            return self._found[_forced.get(), x.device.type, x.dtype]
        except KeyError:
            return self._resolve(_forced.get(), x.device.type, x.dtype)

    def register(
        self, function: Callable[..., Any], device: str, dtypes: Iterable[torch.dtype]
    ) -> None:
        """Add the function of a backend."""
        self.functions.update({(device, dtype): function for dtype in dtypes})
        self._found.clear()

    def _resolve(self, forced: str, device: str, dtype: torch.dtype) -> Callable[..., Any]:
        function = self.reference
        if forced != "reference":
            _load(device)
            function = self.functions.get((device, dtype), function)
        if device == "cuda":
            function = _naming_memory(function)
        self._found[forced, device, dtype] = function
        return function


class DeviceMemoryError(GossamerError, torch.OutOfMemoryError):
    """An operator needs more memory than a GPU has left; the message names both."""


def _naming_memory(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function so that its out-of-memory errors name the operator."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except torch.OutOfMemoryError as error:
            if isinstance(error, DeviceMemoryError):
                raise
            wanted = re.search(r"allocate ([\d.]+ \w+)", str(error))
            amount = wanted[1] if wanted else "more memory than there is"
            raise DeviceMemoryError(
                f"{function.__name__}: the GPU has too little free memory for {amount}. Use "
                "smaller batches, sampled neighbors, or features of 16 bits; "
                f"torch.cuda.memory_summary() shows what takes the memory. torch says: {error}"
            ) from None

    return run


def kernel(
    name: str,
    *,
    operands: Iterable[str] = (),
    device: str | None = None,
    dtypes: Iterable[torch.dtype] = (),
) -> Callable[[Function], Function]:
    """Register a function in the dispatch table; the function itself does not change.

    Parameters
    ----------
    name : str
        Name of the kernel.
    operands : iterable of str
        For the reference: the parameters whose device and dtype select the function. They have one
        dtype; those that are None are ignored.
    device : str, optional
        For a backend: the device type, such as ``"cpu"``.
    dtypes : iterable of torch.dtype
        For a backend: the dtypes that the function supports.
    """

    def add(function: Function) -> Function:
        if device is None:
            _KERNELS[name] = Kernel(function, operands)
        else:
            _KERNELS[name].register(function, device, dtypes)
        return function

    return add


def dispatched(name: str) -> Kernel:
    """Return the kernel `name`; calling it runs the function for its operands."""
    return _KERNELS[name]


def native() -> ModuleType | None:
    """Return the backend of the CPU, or None if its extension module was not built."""
    backend = _load("cpu")
    return None if isinstance(backend, str) else backend


def _load(device: str) -> ModuleType | str:
    """Import the backend of a device type once; return it, or the reason why there is none."""
    if device not in _LOADED:
        module, needed = _BACKENDS.get(device, ("", ""))
        try:
            _LOADED[device] = importlib.import_module(module) if module else "no backend"
        except ImportError as error:
            # Without a compiler there is no extension module, and Triton may not be installed. Any
            # other import error is a bug.
            if needed not in str(error):
                raise
            _LOADED[device] = str(error)
    return _LOADED[device]


def _from_environment(variable: str, known: Iterable[str]) -> str:
    """Return the value of an environment variable, ``""`` if it is unset or empty."""
    value = os.environ.get(variable, "")
    if value and value not in known:
        raise InvalidValueError(
            f"The environment variable {variable} is {value!r}; it must be one of {list(known)} "
            "here. Change or unset it."
        )
    return value


_WISH = _from_environment("GOSSAMER_KERNELS", _IMPLEMENTATIONS)
_forced: ContextVar[str] = ContextVar("gossamer_kernels", default=_WISH)


def check_environment() -> str:
    """Check ``GOSSAMER_KERNELS`` and ``GOSSAMER_ISA``; return the value of the former.

    Raises
    ------
    InvalidValueError
        If a value is unknown, or not available in this installation or on this machine.
    """
    backend = native()
    _from_environment("GOSSAMER_ISA", backend.core.available_isas().split() if backend else _ISAS)
    if _WISH == "native":
        _require_native()
    return _WISH


def _require_native() -> None:
    if native() is None:
        raise InvalidValueError(
            f"The native kernels are not installed ({_LOADED['cpu']}). Install a C++ compiler and "
            "reinstall gossamer, or use 'reference'."
        )


@contextmanager
def use(name: str) -> Iterator[None]:
    """Run the body with one implementation: ``"reference"`` or ``"native"``.

    The choice applies to the current thread (and the current asyncio task) only. Threads started in
    the body do not inherit it. The environment variable ``GOSSAMER_KERNELS`` sets the choice for a
    whole process. ``"native"`` means the dispatch table, in which the reference still runs if no
    backend has a kernel for the device and dtype.

    Raises
    ------
    InvalidValueError
        If there is no such implementation, or the native one was not built.

    Examples
    --------
    >>> from gossamer import kernels
    >>> with kernels.use("reference"):
    ...     kernels.info()["forced"]
    'reference'
    """
    one_of(name, "kernels.use", "name", _IMPLEMENTATIONS)
    if name == "native":
        _require_native()
    token = _forced.set(name)
    try:
        yield
    finally:
        _forced.reset(token)


def info() -> dict[str, Any]:
    """Describe the kernels of this installation.

    Returns
    -------
    dict
        ``native`` (whether the native kernels are installed), ``why_not`` (the reason if they are
        not), ``forced`` (the choice of `use` or ``GOSSAMER_KERNELS``, or ``""``), ``isa`` (the
        instruction set in use, which ``GOSSAMER_ISA`` can lower), ``available_isas``, ``threading``
        (the runtime of parallel loops, which is torch's own), ``idle_bytes`` (memory kept for the
        next large result; see `release_memory`), and ``table``: for each kernel, the dtypes for
        which each device type has a fast kernel. The reference kernels run for all others. GPU
        kernels are listed once loaded, which happens with the first tensor on the GPU.

    Examples
    --------
    >>> from gossamer import kernels
    >>> info = kernels.info()
    >>> sorted(info)
    ['available_isas', 'forced', 'idle_bytes', 'isa', 'native', 'table', 'threading', 'why_not']
    """
    backend = native()
    core = backend.core if backend else None
    table: dict[str, dict[str, list[str]]] = {}
    for name, found in sorted(_KERNELS.items()):
        table[name] = {}
        for device, dtype in found.functions:
            table[name].setdefault(device, []).append(str(dtype).removeprefix("torch."))
    return {
        "native": core is not None,
        "why_not": "" if core else _LOADED["cpu"],
        "forced": _forced.get(),
        "isa": core.isa() if core else "",
        "available_isas": core.available_isas().split() if core else [],
        "threading": core.threading() if core else "",
        "idle_bytes": core.idle_bytes() if core else 0,
        "table": table,
    }
