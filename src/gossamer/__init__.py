"""Gossamer: graph neural networks on today's PyTorch, with the API of the Deep Graph Library."""

import importlib as _importlib
from importlib.metadata import PackageNotFoundError as _PackageNotFoundError
from importlib.metadata import version as _version

from gossamer import function, kernels, ops, random, transforms, udf, utils
from gossamer.errors import (
    FileError,
    GossamerError,
    InvalidTypeError,
    InvalidValueError,
    MissingExtraError,
    OutOfRangeError,
    UnknownKeyError,
)
from gossamer.graph import (
    ALL,
    EID,
    ETYPE,
    NID,
    NTYPE,
    Graph,
    batch,
    broadcast_edges,
    broadcast_nodes,
    create_block,
    graph,
    heterograph,
    max_edges,
    max_nodes,
    mean_edges,
    mean_nodes,
    readout_edges,
    readout_nodes,
    slice_batch,
    softmax_edges,
    softmax_nodes,
    sum_edges,
    sum_nodes,
    topk_edges,
    topk_nodes,
    unbatch,
)
from gossamer.random import seed
from gossamer.transforms import (
    add_edges,
    add_nodes,
    add_reverse_edges,
    add_self_loop,
    block_to_graph,
    compact_graphs,
    edge_subgraph,
    edge_type_subgraph,
    in_subgraph,
    khop_adj,
    khop_graph,
    khop_in_subgraph,
    khop_out_subgraph,
    line_graph,
    metapath_reachable_graph,
    node_subgraph,
    node_type_subgraph,
    norm_by_dst,
    out_subgraph,
    remove_edges,
    remove_nodes,
    remove_self_loop,
    reverse,
    to_bfloat16,
    to_bidirected,
    to_block,
    to_double,
    to_float,
    to_half,
    to_simple,
    to_simple_graph,
)

try:
    __version__ = _version("gossamer")
except _PackageNotFoundError:  # a source tree on the path, not installed
    __version__ = "0+unknown"

__all__ = [
    "ALL",
    "EID",
    "ETYPE",
    "NID",
    "NTYPE",
    "FileError",
    "GossamerError",
    "Graph",
    "InvalidTypeError",
    "InvalidValueError",
    "MissingExtraError",
    "OutOfRangeError",
    "UnknownKeyError",
    "__version__",
    "add_edges",
    "add_nodes",
    "add_reverse_edges",
    "add_self_loop",
    "batch",
    "block_to_graph",
    "broadcast_edges",
    "broadcast_nodes",
    "compact_graphs",
    "create_block",
    "data",
    "edge_subgraph",
    "edge_type_subgraph",
    "function",
    "graph",
    "heterograph",
    "in_subgraph",
    "kernels",
    "khop_adj",
    "khop_graph",
    "khop_in_subgraph",
    "khop_out_subgraph",
    "line_graph",
    "max_edges",
    "max_nodes",
    "mean_edges",
    "mean_nodes",
    "metapath_reachable_graph",
    "nn",
    "node_subgraph",
    "node_type_subgraph",
    "norm_by_dst",
    "ops",
    "out_subgraph",
    "random",
    "readout_edges",
    "readout_nodes",
    "remove_edges",
    "remove_nodes",
    "remove_self_loop",
    "reverse",
    "seed",
    "slice_batch",
    "softmax_edges",
    "softmax_nodes",
    "sum_edges",
    "sum_nodes",
    "to_bfloat16",
    "to_bidirected",
    "to_block",
    "to_double",
    "to_float",
    "to_half",
    "to_simple",
    "to_simple_graph",
    "topk_edges",
    "topk_nodes",
    "transforms",
    "udf",
    "unbatch",
    "utils",
]

# Loaded on first use: what builds on graphs is not needed to build one.
_LAZY = ("data", "nn")


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return _importlib.import_module(f"gossamer.{name}")
    raise AttributeError(f"module 'gossamer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_LAZY]
