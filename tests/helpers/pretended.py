"""An accelerator for machines without one: values lie on the CPU, but say that they do not.

What breaks on an accelerator is rarely arithmetic. It is a constant made on the wrong device, an
index that was left behind, a detour through NumPy. All of these show without the device: the
tensors here say that they are elsewhere, so the native kernels and NumPy refuse them, and an
operation that meets one of them and one on the CPU raises, as CUDA's would.

The device is called ``meta``, the only one but the CPU that autograd knows in every build.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

_ELSEWHERE = torch.device("meta")
_CPU = torch.device("cpu")
_COPIES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
# Functions that make a tensor where they are told to.
_MAKERS = (
    *("arange", "as_tensor", "empty", "empty_like", "eye", "full", "full_like", "linspace"),
    *("ones", "ones_like", "rand", "rand_like", "randint", "randn", "randn_like", "randperm"),
    *("tensor", "zeros", "zeros_like"),
)


class Pretended(Tensor):
    """A tensor that says it is on the accelerator."""

    @staticmethod
    def __new__(cls, values: Tensor) -> Pretended:
        return Tensor._make_wrapper_subclass(
            cls,
            values.shape,
            strides=values.stride(),
            storage_offset=values.storage_offset(),
            dtype=values.dtype,
            device=_ELSEWHERE,
        )

    def __init__(self, values: Tensor) -> None:
        self.values = values

    def __repr__(self) -> str:
        return f"Pretended({self.values})"

    # Here too torch would make tensors of numbers, and lose them: meta tensors have no values.
    def tolist(self) -> Any:
        _waits.append("tolist")
        return self.values.tolist()

    def new_tensor(self, data: Any, **kwargs: Any) -> Pretended:
        return Pretended(self.values.new_tensor(data, **kwargs))

    def __setitem__(self, index: Any, value: Any) -> None:
        _refuse_mixture("setitem", (index, value))
        self.values[tree_map(_on_cpu, index)] = _on_cpu(value)

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if _is_wait(func, args, kwargs):
            _waits.append(str(func))
        if func not in _COPIES:
            _refuse_mixture(func, (args, kwargs))
        result = func(*tree_map(_on_cpu, args), **tree_map(_on_cpu, kwargs))
        if kwargs.get("device", _ELSEWHERE) != _CPU:
            result = tree_map(_pretend, result)
        return return_and_correct_aliasing(func, args, kwargs, result)


#: What made the CPU wait for the device.
_waits: list[str] = []

_WAITING = {
    "_local_scalar_dense", "nonzero", "masked_select", "_unique", "_unique2", "unique_consecutive",
    "unique_dim", "bincount", "equal", "is_nonzero", "histc",
}  # fmt: skip


def _is_wait(func: Any, args: tuple, kwargs: dict) -> bool:
    """Whether the CPU reads values of the device in this call, or a size that depends on them."""
    name = func.overloadpacket.__name__
    if name == "repeat_interleave":
        return kwargs.get("output_size") is None
    if name in ("index", "index_put", "index_put_"):
        return any(x is not None and x.dtype in (torch.bool, torch.uint8) for x in args[1])
    if name == "_to_copy":
        return kwargs.get("device") == _CPU
    return name in _WAITING


@contextmanager
def counted_waits() -> Iterator[list[str]]:
    """Give the list of calls inside of the context in which the CPU waits for the device."""
    before = len(_waits)
    seen: list[str] = []
    yield seen
    seen += _waits[before:]


def _refuse_mixture(func: Any, arguments: Any) -> None:
    """Raise if a tensor is on the CPU; one without dimensions passes for a number, as in CUDA."""
    for x in tree_leaves(arguments):
        if isinstance(x, Tensor) and not isinstance(x, Pretended):
            # One that torch made of a number: see `_choosing`.
            assert x.device == _CPU, f"{func} of a tensor without values"
            if x.dim() > 0:
                raise RuntimeError(f"{func} of tensors on two devices, one {tuple(x.shape)} on cpu")


def _on_cpu(x: Any) -> Any:
    if isinstance(x, Pretended):
        return x.values
    return _CPU if x == _ELSEWHERE and isinstance(x, torch.device) else x


def _pretend(x: Any) -> Any:
    return Pretended(x) if isinstance(x, Tensor) and not isinstance(x, Pretended) else x


def _is_elsewhere(x: Any) -> bool:
    return isinstance(x, (str, torch.device)) and torch.device(x) == _ELSEWHERE


def _making(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    @functools.wraps(make)
    def pretending(*args: Any, **kwargs: Any) -> Tensor:
        if not _is_elsewhere(kwargs.get("device")):
            return make(*args, **kwargs)
        wanted = kwargs.pop("requires_grad", False)
        made = make(*tree_map(_on_cpu, args), **kwargs | {"device": _CPU})
        return _pretend(made).requires_grad_(wanted)

    return pretending


def _sending(to: Callable[..., Tensor]) -> Callable[..., Tensor]:
    @functools.wraps(to)
    def pretending(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        there = any(_is_elsewhere(y) or isinstance(y, Pretended) for y in (*args, *kwargs.values()))
        if isinstance(x, Pretended) or not there:
            return to(x, *args, **kwargs)
        args = tuple(_CPU if _is_elsewhere(y) else _on_cpu(y) for y in args)
        kwargs = {k: _CPU if _is_elsewhere(y) else _on_cpu(y) for k, y in kwargs.items()}
        return _pretend(to(x.detach(), *args, **kwargs)).requires_grad_(x.requires_grad)

    return pretending


def _choosing(where: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(where)
    def pretending(*args: Any) -> Any:
        # torch would make meta tensors, without values, of numbers.
        return where(*(x if isinstance(x, Tensor) else _number(x) for x in args))

    return pretending


def _number(x: float) -> Tensor:
    return torch.tensor(x, dtype=torch.float64 if isinstance(x, float) else None)


@contextmanager
def pretended_accelerator() -> Iterator[torch.device]:
    """Give a device whose tensors are pretended ones while the context lasts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _MAKERS:
            patch.setattr(torch, name, _making(getattr(torch, name)))
        patch.setattr(Tensor, "to", _sending(Tensor.to))
        patch.setattr(torch, "where", _choosing(torch.where))
        patch.setattr(Tensor, "where", _choosing(Tensor.where))
        # Autocast knows no such device.
        patch.setattr(torch, "is_autocast_enabled", lambda *_: False)
        yield _ELSEWHERE
