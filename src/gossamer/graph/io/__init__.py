"""Graphs in files, in the format of Gossamer or DGL, and in shared memory."""

from gossamer.graph.io.container import load_graphs, load_labels, save_graphs
from gossamer.graph.io.shared_memory import hetero_from_shared_memory

__all__ = ["hetero_from_shared_memory", "load_graphs", "load_labels", "save_graphs"]
