"""Helper functions of ``dgl.utils`` and ``dgl.data.utils`` that programs import."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph, graph

__all__ = [
    "check_eq_shape", "context_of", "create_shared_mem_array", "deprecate_class",
    "deprecate_function", "deprecate_property", "dtype_of", "gather_pinned_tensor_rows",
    "get_num_threads", "get_shared_mem_array", "is_dict_like", "is_listlike", "is_sorted_srcdst",
    "makedirs", "pairwise_squared_distance", "pin_memory_inplace", "prepare_tensor",
    "prepare_tensor_dict", "prepare_tensor_or_dict", "recursive_apply_pair", "reorder_nodes",
    "set_num_threads",
]  # fmt: skip

# As in DGL, shared memory is freed when the process that created it ends.
_SHARED: dict[str, SharedMemory] = {}


def is_dict_like(obj: Any) -> bool:
    """Return whether an object is a mapping."""
    return isinstance(obj, Mapping)


def is_listlike(data: Any) -> bool:
    """Return whether an object is a list or a tuple."""
    return isinstance(data, (list, tuple))


def recursive_apply_pair(
    data1: Any, data2: Any, fn: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    """Apply a function to corresponding leaves of two nested structures."""
    if isinstance(data1, Mapping) and isinstance(data2, Mapping):
        return {
            key: recursive_apply_pair(value, data2[key], fn, *args, **kwargs)
            for key, value in data1.items()
        }
    if is_listlike(data1) and is_listlike(data2):
        pairs = zip(data1, data2, strict=True)
        found = (recursive_apply_pair(a, b, fn, *args, **kwargs) for a, b in pairs)
        return tuple(found) if isinstance(data1, tuple) else list(found)
    return fn(data1, data2, *args, **kwargs)


def is_sorted_srcdst(
    src: Tensor, dst: Tensor, num_src: int | None = None, num_dst: int | None = None
) -> tuple[bool, bool]:
    """Return whether edges are sorted by source, and whether also by destination per source."""
    src, dst = torch.as_tensor(src), torch.as_tensor(dst)
    step = src[1:] - src[:-1]
    by_source = bool((step >= 0).all())
    return by_source, by_source and bool(((step > 0) | (dst[1:] >= dst[:-1])).all())


def check_eq_shape(input_: Tensor) -> None:
    """Raise unless the argument is a tensor, whose rows all have the same shape."""
    if not isinstance(input_, Tensor):
        raise InvalidTypeError(f"check_eq_shape takes a tensor, got {type(input_).__name__}.")


def _first(data: Any) -> Tensor:
    return next(iter(data.values())) if isinstance(data, Mapping) else data


def dtype_of(data: Any) -> torch.dtype:
    """Return the dtype of a tensor, or of the first tensor in a dict."""
    return _first(data).dtype


def context_of(data: Any) -> torch.device:
    """Return the device of a tensor, or of the first tensor in a dict."""
    return _first(data).device


def prepare_tensor(g: Graph, data: Any, name: str) -> Tensor:
    """Convert node or edge ids to a vector with the id type and device of a graph."""
    ids = torch.as_tensor(data)
    if ids.numel() and (ids.is_floating_point() or ids.is_complex() or ids.dtype == torch.bool):
        raise InvalidTypeError(f"{name} must be integers, got {ids.dtype}.")
    if ids.dim() > 1:
        raise InvalidValueError(f"{name} must have one dimension, got shape {tuple(ids.shape)}.")
    return ids.reshape(-1).to(g.device, g.idtype)


def prepare_tensor_dict(g: Graph, data: Mapping[Any, Any], name: str) -> dict[Any, Tensor]:
    """Apply `prepare_tensor` to each value of a dict."""
    return {key: prepare_tensor(g, ids, f"{name}[{key!r}]") for key, ids in data.items()}


def prepare_tensor_or_dict(g: Graph, data: Any, name: str) -> Any:
    """Apply `prepare_tensor` to ids, or to each value of a dict."""
    prepare = prepare_tensor_dict if isinstance(data, Mapping) else prepare_tensor
    return prepare(g, data, name)


def pin_memory_inplace(tensor: Tensor) -> Any:
    """Pin the memory of a CPU tensor in place, so that a GPU can read it."""
    if not torch.cuda.is_available():
        raise InvalidValueError("pin_memory_inplace needs a CUDA device; none is available.")
    status = torch.cuda.cudart().cudaHostRegister(tensor.data_ptr(), tensor.nbytes, 0)
    if int(status):
        raise InvalidValueError(f"pin_memory_inplace: CUDA failed with status {int(status)}.")
    return tensor


def gather_pinned_tensor_rows(tensor: Tensor, rows: Tensor) -> Tensor:
    """Return rows of a tensor in pinned memory, on the device of `rows`."""
    return tensor[rows.to(tensor.device)].to(rows.device)


def set_num_threads(num_threads: int) -> None:
    """Set the number of threads of the kernels."""
    torch.set_num_threads(int(num_threads))


def get_num_threads() -> int:
    """Return the number of threads of the kernels."""
    return torch.get_num_threads()


def create_shared_mem_array(name: str, shape: Any, dtype: torch.dtype) -> Tensor:
    """Create a tensor of zeros in named shared memory."""
    empty = torch.empty(tuple(shape), dtype=dtype, device="meta")
    memory = SharedMemory(name, create=True, size=max(empty.nbytes, 1))
    _SHARED[name] = memory
    return _tensor_in(memory, shape, dtype).zero_()


def get_shared_mem_array(name: str, shape: Any, dtype: torch.dtype) -> Tensor:
    """Return the tensor that `create_shared_mem_array` created with this name."""
    if name not in _SHARED:
        try:
            _SHARED[name] = SharedMemory(name)
        except FileNotFoundError:
            raise InvalidValueError(f"There is no shared memory named {name!r}.") from None
    return _tensor_in(_SHARED[name], shape, dtype)


def _tensor_in(memory: SharedMemory, shape: Any, dtype: torch.dtype) -> Tensor:
    count = torch.Size(shape).numel()
    if not count:
        return torch.empty(tuple(shape), dtype=dtype)
    return torch.frombuffer(memory.buf, dtype=dtype, count=count).view(tuple(shape))


def pairwise_squared_distance(x: Tensor) -> Tensor:
    """Compute squared distances between all points of each set, ``(*, N, D)`` to ``(*, N, N)``."""
    return torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").square()


def reorder_nodes(g: Graph, new_node_ids: Any) -> Graph:
    """Renumber the nodes of a graph: node i gets the id ``new_node_ids[i]``.

    Edges keep their order. The node feature ``"orig_id"`` contains the former ids; other features
    are dropped.
    """
    new = torch.as_tensor(new_node_ids).to(g.device, g.idtype)
    if not torch.equal(new.sort().values, torch.arange(g.num_nodes()).to(new)):
        raise InvalidValueError(
            f"new_node_ids must hold each of 0 to {g.num_nodes() - 1} once, for {g.num_nodes()} "
            "nodes."
        )
    u, v = g.edges(order="eid")
    result = graph((new[u.long()], new[v.long()]), num_nodes=g.num_nodes())
    result.ndata["orig_id"] = new.argsort().to(g.idtype)
    return result


def makedirs(path: str | os.PathLike[str]) -> None:
    """Create a folder and its parents, if they do not exist."""
    os.makedirs(os.path.expanduser(path), exist_ok=True)


def deprecate_property(old: str, new: str) -> None:
    """Warn that a property was renamed."""
    warnings.warn(f"Property {old} is deprecated, use {new} instead.", stacklevel=2)


def deprecate_class(old: str, new: str) -> None:
    """Warn that a class was renamed."""
    warnings.warn(f"Class {old} is deprecated, use {new} instead.", stacklevel=2)


def deprecate_function(old: str, new: str) -> None:
    """Warn that a function was renamed."""
    warnings.warn(f"Function {old} is deprecated, use {new} instead.", stacklevel=2)
