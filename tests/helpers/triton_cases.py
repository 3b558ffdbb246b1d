"""The Triton kernels where they can be tested: on the interpreter, or on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from gossamer.kernels import _dispatch
from gossamer.kernels import triton as kernels
from gossamer.kernels.triton import _common
from gossamer.ops import _register
from helpers.pretended import Pretended, pretended_accelerator


class _Moved:
    """The kernels, whose operands are moved to `device` and whose results are moved back."""

    device = torch.device("cpu")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(kernels, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = self._to(self.device, (args, kwargs))
            return self._to(torch.device("cpu"), function(*args, **kwargs))

        return call

    @staticmethod
    def _to(device: torch.device, values: Any) -> Any:
        return tree_map(lambda x: x.to(device) if torch.is_tensor(x) else x, values)


#: What contract tests call in place of `gossamer.kernels.triton`.
fast = _Moved()


def _run_pretended(kernel: Any, like: Tensor, programs: int, *args: Any, **constants: Any) -> None:
    for x in args:
        assert not torch.is_tensor(x) or isinstance(x, Pretended), f"{kernel.__name__}: on the CPU"
    args = [x.values if isinstance(x, Pretended) else x for x in args]
    _run(kernel, like.values, programs, *args, **constants)


_run = _common.run


@contextmanager
def pretended_gpu() -> Iterator[torch.device]:
    """Give a pretended device on which operators run the Triton kernels, on the interpreter."""
    with pretended_accelerator() as device, pytest.MonkeyPatch.context() as patch:
        patch.setitem(_dispatch._LOADED, device.type, kernels)
        for name in kernels.__all__:
            kernel = _dispatch.dispatched(name)
            own = {
                (device.type, dtype): function
                for (kind, dtype), function in kernel.functions.items()
                if kind == "cuda"
            }
            patch.setattr(kernel, "functions", kernel.functions | own)
            patch.setattr(kernel, "_found", {})
        # Operators see these tensors as they see those of a GPU, not as a subclass.
        patch.setattr(_register, "_has_rules", lambda inputs: False)
        patch.setattr(_common, "run", _run_pretended)
        yield device
