"""The tensor functions of ``dgl.backend``, implemented with PyTorch.

DGL supports several frameworks through this module. Here, it exists for programs that import from
it.
"""

from __future__ import annotations

import builtins
from numbers import Number
from typing import Any

import numpy as np
import torch
from torch import (
    Tensor,
    argsort,
    bfloat16,
    bool,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    reshape,
    squeeze,
    uint8,
    unsqueeze,
)

from gossamer.errors import InvalidTypeError

__all__ = [
    "arange", "argsort", "as_scalar", "asnumpy", "astype", "backend_name", "bfloat16", "bool",
    "cat", "context", "copy_to", "cpu", "device_id", "device_type", "dtype", "float16", "float32",
    "float64", "from_dgl_nd", "full", "full_1d", "gather_row", "int8", "int16", "int32", "int64",
    "is_tensor", "ndim", "nonzero_1d", "ones", "rand_shuffle", "randint", "repeat", "reshape",
    "shape", "split", "squeeze", "stack", "sum", "tensor", "to_dgl_nd", "uint8", "unique",
    "unsqueeze", "zerocopy_from_dgl_ndarray", "zerocopy_from_dlpack", "zerocopy_from_numpy",
    "zerocopy_to_dgl_ndarray", "zerocopy_to_dlpack", "zerocopy_to_numpy", "zeros",
]  # fmt: skip

backend_name = "pytorch"


def is_tensor(obj: Any) -> builtins.bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, Tensor)


def tensor(data: Any, dtype: torch.dtype | None = None) -> Tensor:
    """A tensor of `data`; a number becomes a vector of one element."""
    return torch.as_tensor([data] if isinstance(data, Number) else data, dtype=dtype)


def as_scalar(data: Tensor) -> Any:
    """The Python number in a tensor of one element."""
    return data.item()


def zerocopy_from_numpy(np_array: np.ndarray) -> Tensor:
    """A tensor that shares memory with an array."""
    return torch.as_tensor(np_array)


def zerocopy_to_numpy(input: Tensor) -> np.ndarray:
    """An array that shares memory with a tensor."""
    return input.numpy()


def zerocopy_to_dlpack(input: Tensor) -> Any:
    """A DLPack capsule that shares memory with a tensor."""
    return torch.utils.dlpack.to_dlpack(input.contiguous())


def zerocopy_from_dlpack(dlpack_tensor: Any) -> Tensor:
    """A tensor that shares memory with a DLPack capsule, or with an object that exports one."""
    return torch.utils.dlpack.from_dlpack(dlpack_tensor)


def to_dgl_nd(data: Tensor) -> Tensor:
    """The tensor itself: Gossamer's kernels take tensors."""
    if not isinstance(data, Tensor):
        raise InvalidTypeError(f"to_dgl_nd takes a tensor, got {builtins.type(data).__name__}.")
    return data


from_dgl_nd = zerocopy_to_dgl_ndarray = zerocopy_from_dgl_ndarray = to_dgl_nd


def asnumpy(input: Tensor) -> np.ndarray:
    """An array with the values of a tensor of any device."""
    return input.detach().cpu().numpy()


def cpu() -> torch.device:
    """The device of the CPU."""
    return torch.device("cpu")


def context(input: Tensor) -> torch.device:
    """The device of a tensor."""
    return input.device


def device_type(ctx: torch.device | str) -> str:
    """The type of a device, such as ``"cuda"``."""
    return torch.device(ctx).type


def device_id(ctx: torch.device | str) -> int:
    """The index of a device among those of its type."""
    return torch.device(ctx).index or 0


def copy_to(input: Tensor, ctx: torch.device | str, **kwargs: Any) -> Tensor:
    """A tensor on another device."""
    return input.to(ctx, **kwargs)


def shape(input: Tensor) -> torch.Size:
    """The shape of a tensor."""
    return input.shape


def dtype(input: Tensor) -> torch.dtype:
    """The dtype of a tensor."""
    return input.dtype


def ndim(input: Tensor) -> int:
    """The number of dimensions of a tensor."""
    return input.dim()


def astype(input: Tensor, ty: torch.dtype) -> Tensor:
    """A tensor in another dtype."""
    return input.to(ty)


def arange(
    start: int, stop: int, dtype: torch.dtype = int64, ctx: torch.device | str | None = None
) -> Tensor:
    """The integers from `start` to `stop`, exclusive."""
    return torch.arange(start, stop, dtype=dtype, device=ctx)


def zeros(shape: Any, dtype: torch.dtype, ctx: torch.device | str) -> Tensor:
    """A tensor of zeros."""
    return torch.zeros(shape, dtype=dtype, device=ctx)


def ones(shape: Any, dtype: torch.dtype, ctx: torch.device | str) -> Tensor:
    """A tensor of ones."""
    return torch.ones(shape, dtype=dtype, device=ctx)


def full(shape: Any, fill_value: Any, dtype: torch.dtype, ctx: torch.device | str) -> Tensor:
    """A tensor of one value."""
    return torch.full(shape, fill_value, dtype=dtype, device=ctx)


def full_1d(length: int, fill_value: Any, dtype: torch.dtype, ctx: torch.device | str) -> Tensor:
    """A vector of one value."""
    return torch.full((length,), fill_value, dtype=dtype, device=ctx)


def randint(shape: Any, dtype: torch.dtype, ctx: torch.device | str, low: int, high: int) -> Tensor:
    """Random integers from `low` to `high`, exclusive."""
    return torch.randint(low, high, shape, dtype=dtype, device=ctx)


def rand_shuffle(arr: Tensor) -> Tensor:
    """The rows of a tensor in random order."""
    return arr[torch.randperm(len(arr), device=arr.device)]


def sum(input: Tensor, dim: int, keepdims: builtins.bool = False) -> Tensor:
    """Sum over one dimension."""
    return input.sum(dim=dim, keepdim=keepdims)


def stack(seq: Any, dim: int) -> Tensor:
    """Stack tensors of one shape along a new dimension."""
    return torch.stack(seq, dim=dim)


def cat(seq: Any, dim: int) -> Tensor:
    """Concatenate tensors along a dimension."""
    return torch.cat(seq, dim=dim)


def split(input: Tensor, sizes_or_sections: Any, dim: int) -> tuple[Tensor, ...]:
    """Split a tensor into parts of the given sizes."""
    return torch.split(input, sizes_or_sections, dim=dim)


def repeat(input: Tensor, repeats: Any, dim: int) -> Tensor:
    """Repeat each element, as `numpy.repeat` does."""
    return torch.repeat_interleave(input, repeats, dim)


def gather_row(data: Tensor, row_index: Tensor) -> Tensor:
    """Rows of a tensor."""
    return torch.index_select(data, 0, row_index.long())


def nonzero_1d(input: Tensor) -> Tensor:
    """Positions of the nonzero elements of a vector."""
    return torch.nonzero(input, as_tuple=True)[0]


def unique(
    input: Tensor, return_inverse: builtins.bool = False, return_counts: builtins.bool = False
) -> Any:
    """The distinct values in ascending order."""
    return torch.unique(input, return_inverse=return_inverse, return_counts=return_counts)
