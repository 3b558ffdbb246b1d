"""The graph and its parts: schema, adjacency, frames, views, construction and batches."""

from gossamer.graph.adjacency import Adjacency, Compressed
from gossamer.graph.batching import batch, slice_batch, unbatch
from gossamer.graph.construct import create_block, graph, heterograph
from gossamer.graph.frame import Frame, Scheme
from gossamer.graph.graph import Graph
from gossamer.graph.ids import ALL, EID, ETYPE, NID, NTYPE
from gossamer.graph.schema import Schema

__all__ = [
    "ALL",
    "EID",
    "ETYPE",
    "NID",
    "NTYPE",
    "Adjacency",
    "Compressed",
    "Frame",
    "Graph",
    "Schema",
    "Scheme",
    "batch",
    "create_block",
    "graph",
    "heterograph",
    "slice_batch",
    "unbatch",
]
