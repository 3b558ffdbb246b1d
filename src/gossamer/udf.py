"""Batches of edges and nodes that user-defined functions receive."""

from gossamer.function.udf import EdgeBatch, NodeBatch

__all__ = ["EdgeBatch", "NodeBatch"]
