"""Sampling graphs in shared memory."""

from __future__ import annotations

import json
from multiprocessing import resource_tracker, shared_memory
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import FileError
from gossamer.graphbolt.sampling_graph import FusedCSCSamplingGraph

__all__ = ["load_from_shared_memory", "share"]

_ALIGNMENT = 64
#: Names of the blocks that this process created and will remove.
_OWNED: set[str] = set()
_TENSORS = ("csc_indptr", "indices", "node_type_offset", "type_per_edge")


def share(graph: FusedCSCSamplingGraph, name: str) -> FusedCSCSamplingGraph:
    """Copy a graph into a block of shared memory of that name; see `load_from_shared_memory`."""
    tensors = {part: getattr(graph, part) for part in _TENSORS}
    tensors.update({f"node:{key}": x for key, x in graph.node_attributes.items()})
    tensors.update({f"edge:{key}": x for key, x in graph.edge_attributes.items()})
    tensors = {key: x.contiguous() for key, x in tensors.items() if x is not None}
    header: dict[str, Any] = {
        "node_type_to_id": graph.node_type_to_id,
        "edge_type_to_id": graph.edge_type_to_id,
        "tensors": {},
    }
    offset = 0
    for key, x in tensors.items():
        dtype = str(x.dtype).removeprefix("torch.")
        header["tensors"][key] = [dtype, list(x.shape), offset]
        offset += -(-x.numel() * x.element_size() // _ALIGNMENT) * _ALIGNMENT
    text = json.dumps(header).encode()
    start = -(-(8 + len(text)) // _ALIGNMENT) * _ALIGNMENT
    try:
        block = shared_memory.SharedMemory(name, create=True, size=start + max(offset, 1))
    except FileExistsError:
        raise FileError(
            f"There is a block of shared memory {name!r} already. Choose another name."
        ) from None
    block.buf[:8] = len(text).to_bytes(8, "little")
    block.buf[8 : 8 + len(text)] = text
    shared = _open(block)
    for key, x in tensors.items():
        _tensor(block, start, header["tensors"][key]).copy_(x)
    shared._block.owner = True
    _OWNED.add(name)
    return shared


def load_from_shared_memory(shared_memory_name: str) -> FusedCSCSamplingGraph:
    """Open a graph that another process put into shared memory, without a copy.

    Parameters
    ----------
    shared_memory_name : str
        The name given to `FusedCSCSamplingGraph.copy_to_shared_memory`.

    Raises
    ------
    FileError
        If there is no such block.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> graph = gb.fused_csc_sampling_graph(torch.tensor([0, 1, 2]), torch.tensor([1, 0]))
    >>> shared = graph.copy_to_shared_memory("gossamer-example")
    >>> gb.load_from_shared_memory("gossamer-example").indices
    tensor([1, 0])
    """
    try:
        block = shared_memory.SharedMemory(shared_memory_name)
    except FileNotFoundError:
        raise FileError(
            f"There is no block of shared memory {shared_memory_name!r}. Keep the graph that "
            "copy_to_shared_memory returned."
        ) from None
    if shared_memory_name not in _OWNED:
        # The process that created the block removes it. The tracker of this one must not.
        resource_tracker.unregister(block._name, "shared_memory")
    return _open(block)


class _Block:
    """Keeps a block mapped as long as a graph uses it; its owner removes it in the end."""

    def __init__(self, block: shared_memory.SharedMemory) -> None:
        self.block = block
        self.owner = False

    def __del__(self) -> None:
        if self.owner:
            _OWNED.discard(self.block.name)
            self.block.unlink()


def _open(block: shared_memory.SharedMemory) -> FusedCSCSamplingGraph:
    size = int.from_bytes(block.buf[:8], "little")
    header = json.loads(bytes(block.buf[8 : 8 + size]))
    start = -(-(8 + size) // _ALIGNMENT) * _ALIGNMENT
    tensors = {key: _tensor(block, start, row) for key, row in header["tensors"].items()}
    graph = FusedCSCSamplingGraph(
        *(tensors.get(part) for part in _TENSORS),
        header["node_type_to_id"],
        header["edge_type_to_id"],
        {key[5:]: x for key, x in tensors.items() if key.startswith("node:")},
        {key[5:]: x for key, x in tensors.items() if key.startswith("edge:")},
    )
    graph._block = _Block(block)
    return graph


def _tensor(block: shared_memory.SharedMemory, start: int, row: list) -> Tensor:
    dtype, shape, offset = getattr(torch, row[0]), row[1], row[2]
    count = torch.Size(shape).numel()
    if count == 0:
        return torch.empty(shape, dtype=dtype)
    flat = torch.frombuffer(block.buf, dtype=dtype, count=count, offset=start + offset)
    return flat.view(shape)
