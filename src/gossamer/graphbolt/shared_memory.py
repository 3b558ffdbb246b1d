"""Sampling graphs in shared memory, which other processes can open by name."""

from __future__ import annotations

import json
import os
import weakref

import numpy as np
import torch

from gossamer._files import replacing
from gossamer._optional import optional_import
from gossamer.errors import FileError
from gossamer.graph.io.shared_memory import remove_shared, shared_path
from gossamer.graph.io.tensor_file import TensorFile
from gossamer.graphbolt.sampling_graph import FusedCSCSamplingGraph

__all__ = ["load_from_shared_memory", "share"]

_KEY = "gossamer.sampling_graph"
_TENSORS = ("csc_indptr", "indices", "node_type_offset", "type_per_edge")


def share(graph: FusedCSCSamplingGraph, name: str) -> FusedCSCSamplingGraph:
    """See `FusedCSCSamplingGraph.copy_to_shared_memory`."""
    path = shared_path(name, "copy_to_shared_memory", "sampling")
    if path.exists():
        raise FileError(
            f"There is a graph in shared memory under the name {name!r} already. Choose another "
            f"name, or delete {path} if the process that made it is gone."
        )
    tensors = {part: getattr(graph, part) for part in _TENSORS}
    tensors.update({f"node:{key}": x for key, x in graph.node_attributes.items()})
    tensors.update({f"edge:{key}": x for key, x in graph.edge_attributes.items()})
    tensors = {key: x.contiguous() for key, x in tensors.items() if x is not None}
    header = json.dumps([graph.node_type_to_id, graph.edge_type_to_id])
    save = optional_import("safetensors.torch", "copy_to_shared_memory").save_file
    with replacing(path) as temporary:
        save(tensors, temporary, {_KEY: header})
    shared = load_from_shared_memory(name)
    weakref.finalize(shared, remove_shared, path, os.getpid())
    return shared


def load_from_shared_memory(shared_memory_name: str) -> FusedCSCSamplingGraph:
    """Open a graph that another process put into shared memory, without copying it.

    Parameters
    ----------
    shared_memory_name : str
        The name given to `FusedCSCSamplingGraph.copy_to_shared_memory`.

    Raises
    ------
    FileError
        If there is no such graph.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, os, torch
    >>> name = f"example-{os.getpid()}"
    >>> graph = gb.fused_csc_sampling_graph(torch.tensor([0, 1, 2]), torch.tensor([1, 0]))
    >>> shared = graph.copy_to_shared_memory(name)
    >>> gb.load_from_shared_memory(name).indices
    tensor([1, 0])
    """
    path = shared_path(shared_memory_name, "load_from_shared_memory", "sampling")
    if not path.is_file():
        raise FileError(
            f"There is no graph in shared memory under the name {shared_memory_name!r}. Keep the "
            "graph that copy_to_shared_memory returned."
        )
    with open(path, "rb") as file:
        stored = TensorFile(file)
    # Tensors keep the mapping open. Copy-on-write: writes do not affect other processes.
    memory = torch.from_numpy(np.memmap(path, dtype=np.uint8, mode="c"))
    tensors = {key: stored[key].view_of(memory) for key in stored.names()}
    node_types, edge_types = json.loads(stored.metadata[_KEY])
    return FusedCSCSamplingGraph(
        *(tensors.get(part) for part in _TENSORS),
        node_types,
        edge_types,
        {key[5:]: x for key, x in tensors.items() if key.startswith("node:")},
        {key[5:]: x for key, x in tensors.items() if key.startswith("edge:")},
    ).assume_checked()
