"""Batches of edges and nodes that are passed to user-defined functions."""

from gossamer.function.udf import EdgeBatch, NodeBatch

__all__ = ["EdgeBatch", "NodeBatch"]
