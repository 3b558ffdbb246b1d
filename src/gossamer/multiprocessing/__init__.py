"""Processes that can use torch, and tensors in shared memory.

All names of :mod:`torch.multiprocessing` are available too: ``Pool``, ``Lock``, ``get_context`` ...
"""

from typing import Any

import torch.multiprocessing as _torch_multiprocessing

from gossamer.multiprocessing import pytorch
from gossamer.multiprocessing.pytorch import Process, Queue, call_once_and_share, shared_tensor

__all__ = ["Process", "Queue", "call_once_and_share", "pytorch", "shared_tensor"]


def __getattr__(name: str) -> Any:
    return getattr(_torch_multiprocessing, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_torch_multiprocessing)})
