"""The graph and its parts: schema, adjacency, frames, views, construction and batches."""

from gossamer.graph.batching import batch, slice_batch, unbatch
from gossamer.graph.construct import create_block, graph, heterograph
from gossamer.graph.frame import Frame, Scheme
from gossamer.graph.graph import Graph
from gossamer.graph.ids import ALL, EID, ETYPE, NID, NTYPE
from gossamer.graph.io import hetero_from_shared_memory, load_graphs, load_labels, save_graphs
from gossamer.graph.readout import (
    broadcast_edges,
    broadcast_nodes,
    max_edges,
    max_nodes,
    mean_edges,
    mean_nodes,
    readout_edges,
    readout_nodes,
    softmax_edges,
    softmax_nodes,
    sum_edges,
    sum_nodes,
    topk_edges,
    topk_nodes,
)
from gossamer.graph.schema import Schema
from gossamer.ops.adjacency import Adjacency, Compressed

__all__ = [
    "ALL", "EID", "ETYPE", "NID", "NTYPE", "Adjacency", "Compressed", "Frame", "Graph", "Schema",
    "Scheme", "batch", "broadcast_edges", "broadcast_nodes", "create_block", "graph",
    "hetero_from_shared_memory", "heterograph", "load_graphs", "load_labels", "max_edges",
    "max_nodes", "mean_edges", "mean_nodes", "readout_edges", "readout_nodes", "save_graphs",
    "slice_batch", "softmax_edges", "softmax_nodes", "sum_edges", "sum_nodes", "topk_edges",
    "topk_nodes", "unbatch",
]  # fmt: skip
