"""Saving graphs to files and loading them: Gossamer's container and DGL's archives."""

from gossamer.graph.io.container import load_graphs, load_labels, save_graphs

__all__ = ["load_graphs", "load_labels", "save_graphs"]
